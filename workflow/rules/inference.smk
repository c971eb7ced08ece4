"""Are the utterances of a word found: Table A3, made when asked for."""


rule retrieval:
    """Table A3 of the configured dataset."""
    input:
        expand(
            "results/{dataset}/tables/tableA3.{kind}",
            dataset=CONFIG.dataset,
            kind=["csv", "tex"],
        ),


rule retrieval_table:
    """Average precision of finding the utterances whose raters wrote a word."""
    input:
        variant=variant_file,
        runs=lambda w: table_run_files(w, "predictions.npy", "run.json", "split.csv"),
        sets=label_set_files,
        annotations="results/{dataset}/annotations.csv",
        space=space_file,
        leaks=lambda w: f"results/{w.dataset}/leaks/{first(w.dataset).name}.json",
        template=source("paper/templates/table.tex.j2"),
        code=code("inference.retrieval"),
    output:
        csv=report(
            "results/{dataset}/tables/tableA3.csv",
            category="Tables",
            labels={"table": "A3", "format": "CSV"},
            caption="../report/retrieval.rst",
        ),
        tex="results/{dataset}/tables/tableA3.tex",
    log:
        "results/{dataset}/logs/tables/tableA3.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword retrieval {input.variant} --template {input.template} --csv {output.csv}"
        " --tex {output.tex} --record {log}.json > {log} 2>&1"
