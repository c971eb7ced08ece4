"""How sure the numbers are, and whether the paper's claims hold."""


rule intervals:
    """95% intervals of the numbers over all seeds, and differences between models."""
    input:
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=dataset(w.dataset).variants,
        ),
        utterances="results/{dataset}/utterances.csv",
        code=code("statistics.intervals"),
    output:
        intervals="results/{dataset}/intervals.csv",
        differences="results/{dataset}/differences.csv",
    log:
        "results/{dataset}/logs/intervals.log",
    benchmark:
        "results/{dataset}/benchmarks/intervals.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword intervals {input.decisions} --utterances {input.utterances}"
        " --intervals {output.intervals} --differences {output.differences} --record {log}.json > {log} 2>&1"


use rule intervals as intervals_of_comparison with:
    input:
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=compared(w.dataset, w.comparison),
        ),
        utterances="results/{dataset}/utterances.csv",
        code=code("statistics.intervals"),
    output:
        intervals="results/{dataset}/comparisons/{comparison}/intervals.csv",
        differences="results/{dataset}/comparisons/{comparison}/differences.csv",
    log:
        "results/{dataset}/logs/comparisons/{comparison}_intervals.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/{comparison}_intervals.tsv"


rule versus_paper:
    """Our tables beside the paper's numbers, cell by cell."""
    input:
        variant=variant_file,
        tables=expand("results/{{dataset}}/tables/table{n}.json", n=[1, 3, 4, 5, 6]),
        reported=source("paper/reported.csv"),
        code=code("reproduction.versus_paper"),
    output:
        report(
            "results/{dataset}/versus_paper.csv",
            category="Claims",
            labels={"what": "ours beside the paper's", "format": "CSV"},
            caption="../report/versus_paper.rst",
        ),
    log:
        "results/{dataset}/logs/versus_paper.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword versus-paper {input.variant} --reported {input.reported} --out {output}"
        " --record {log}.json > {log} 2>&1"


rule claims:
    """Does each claim of the paper hold?"""
    input:
        variant=variant_file,
        comparisons=claim_comparisons,
        claims=source("paper/claims.yaml"),
        differences="results/{dataset}/differences.csv",
        intervals="results/{dataset}/intervals.csv",
        neighbours=lambda w: f"results/{w.dataset}/neighbours/{first(w.dataset).name}.csv",
        targets=lambda w: label_set_files(w, "summary.json"),
        reported=source("paper/reported.csv"),
        literature=source("paper/literature.csv"),
        versus="results/{dataset}/versus_paper.csv",
        templates=[
            source("paper/templates/claims.tex.j2"),
            source("paper/templates/claims.html.j2"),
        ],
        code=code("reproduction.claims"),
    output:
        csv="results/{dataset}/claims.csv",
        parts="results/{dataset}/claim_parts.csv",
        tex="results/{dataset}/tables/claims.tex",
        html=report(
            "results/{dataset}/claims.html",
            category="Claims",
            labels={"what": "verdicts", "format": "HTML"},
            caption="../report/claims.rst",
        ),
    log:
        "results/{dataset}/logs/claims.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        templates=lambda w, input: os.path.dirname(input.templates[0]),
    shell:
        "emoword claims {input.variant} --claims {input.claims} --reported {input.reported}"
        " --literature {input.literature} --templates {params.templates}"
        " --csv {output.csv} --parts {output.parts} --tex {output.tex} --html {output.html}"
        " --record {log}.json > {log} 2>&1"
