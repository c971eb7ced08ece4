"""Fair controls in the same harness, and floors: Table A2."""


def default_flags(own):
    """What the tables of controls are held against."""
    return flags(
        {
            "dataset": own.dataset,
            "variant": own.name,
            "loss": own.settings.table_loss,
            "aggregate": own.settings.aggregate,
            "synthetic": own.synthetic,
        }
    )


rule controls:
    """Table A2 of the configured dataset."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
            made=[
                "tables/tableA2.csv",
                "tables/tableA2.tex",
                "comparisons/controls/metrics.csv",
            ],
        ),


rule control_table:
    """Table A2: the controls beside the default."""
    input:
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
    params:
        options=lambda w: default_flags(
            parts(w.dataset).variants[compared(w.dataset, "controls")[0]]
        ),
    shell:
        "emoword control-table --decisions {input.decisions} --floors {input.floors}"
        " --utterances {input.utterances} --controls {input.controls}"
        " --template {input.template} {params.options}"
        " --csv {output.csv} --tex {output.tex} --record {log}.json > {log} 2>&1"
