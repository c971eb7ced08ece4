"""The reproduction report as a PDF; made when it is asked for, since it needs LaTeX."""


rule paper_numbers:
    """The numbers that the report's text names."""
    input:
        variant=variant_file,
        runs=lambda w: run_files(w, "run.json"),
        features=lambda w: feature_files(
            w.dataset, first(w.dataset).settings.upstream, "meta.json"
        )[0],
        space=space_file,
        corpus="results/{dataset}/corpus.json",
        targets=lambda w: label_set_files(w, "summary.json"),
        intervals="results/{dataset}/intervals.csv",
        claims="results/{dataset}/claims.csv",
        code=code("report.numbers"),
    output:
        "results/{dataset}/tables/numbers.tex",
    log:
        "results/{dataset}/logs/paper_numbers.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword paper-numbers {input.variant:q} --features {input.features:q} --out {output:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule paper:
    """The report: text, numbers, tables and figures."""
    input:
        text=source("paper/main.tex"),
        references=source("paper/refs.bib"),
        citation=source("CITATION.cff"),
        numbers="results/{dataset}/tables/numbers.tex",
        tables=lambda w: paper_tables(w.dataset),
        figures=expand("results/{{dataset}}/figures/{figure}.pdf", figure=FIGURES),
        code=code("report.build"),
    output:
        "results/{dataset}/paper.pdf",
    log:
        "results/{dataset}/logs/paper.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword paper {input.text:q} --references {input.references:q}"
        " --numbers {input.numbers:q} --tables {input.tables:q} --figures {input.figures:q}"
        " --citation {input.citation:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"
