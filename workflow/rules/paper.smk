"""The reproduction report as a PDF; made when it is asked for, since it needs LaTeX."""


rule paper_numbers:
    """The numbers that the report's text names."""
    input:
        records=lambda w: expand(
            "{run}/run.json", run=run_folders(w.dataset, variants(w.dataset)[0])
        ),
        features=lambda w: f"{features_folder(w.dataset, variants(w.dataset)[0])}/meta.json",
        space=lambda w: f"{space_folder(w.dataset, variants(w.dataset)[0])}/meta.json",
        corpus="results/{dataset}/corpus.json",
        targets=lambda w: f"{targets_folder(w.dataset, variants(w.dataset)[0])}/summary.json",
        intervals="results/{dataset}/intervals.csv",
        claims="results/{dataset}/claims.csv",
        versus="results/{dataset}/versus_paper.csv",
        code=code("report.numbers"),
    output:
        "results/{dataset}/tables/numbers.tex",
    log:
        "results/{dataset}/logs/paper_numbers.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        runs=lambda w, input: folders_of(input.records),
        features=subpath(input.features, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: paper_flags(w.dataset),
    shell:
        "emoword paper-numbers --runs {params.runs} --features {params.features}"
        " --space {params.space} --corpus {input.corpus} --targets {input.targets}"
        " --intervals {input.intervals} --claims {input.claims} --versus-paper {input.versus}"
        " {params.options} --out {output} --record {log}.json > {log} 2>&1"


rule paper:
    """The report: text, numbers, tables and figures."""
    input:
        text=source("paper/main.tex"),
        references=source("paper/refs.bib"),
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
        "emoword paper --text {input.text} --references {input.references}"
        " --numbers {input.numbers} --tables {input.tables} --figures {input.figures}"
        " --out {output} --record {log}.json > {log} 2>&1"
