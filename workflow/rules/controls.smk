"""Fair controls in the same harness, and floors: Table A2."""


rule controls:
    """Table A2 of the configured dataset; and the differences that a claim of ours is about."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
            made=[
                "tables/tableA2.csv",
                "tables/tableA2.tex",
                "comparisons/controls/metrics.csv",
                "comparisons/controls/differences.csv",
            ],
        ),


rule control_table:
    """Table A2: the controls beside the default."""
    input:
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "controls")),
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=compared(w.dataset, "controls"),
        ),
        floors=lambda w: f"results/{w.dataset}/floors/{compared(w.dataset, 'controls')[0]}.csv",
        utterances="results/{dataset}/utterances.csv",
        controls=source("paper/controls.yaml"),
        schema=source("src/emoword/resources/controls.schema.yaml"),
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.controls"),
    output:
        csv=report(
            "results/{dataset}/tables/tableA2.csv",
            category="Tables",
            labels={"table": "A2", "format": "CSV"},
            caption="../report/controls.rst",
        ),
        tex="results/{dataset}/tables/tableA2.tex",
    log:
        "results/{dataset}/logs/tables/tableA2.log",
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword control-table {input.variants} --controls {input.controls}"
        " --template {input.template} --csv {output.csv} --tex {output.tex}"
        " --record {log}.json > {log} 2>&1"
