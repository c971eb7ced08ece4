"""Fair controls in the same harness, and floors: Table A2."""


rule controls:
    """Table A2 of the configured dataset; and the differences that a claim of ours is about."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=config["dataset"],
            made=[
                "tables/tableA2.csv",
                "tables/tableA2.tex",
                "comparisons/controls/metrics.csv",
                "comparisons/controls/differences.csv",
            ],
        ),


rule floors:
    """What predictors reach that always say the same: from the training parts, without training."""
    input:
        records=lambda w: expand("{run}/run.json", run=table_runs(w.dataset, w.variant)),
        predictions=lambda w: expand(
            "{run}/predictions.npy", run=table_runs(w.dataset, w.variant)
        ),
        splits=lambda w: expand("{run}/split.csv", run=table_runs(w.dataset, w.variant)),
        sets=lambda w: label_sets(w.dataset, w.variant),
        targets=lambda w: f"{targets_folder(w.dataset, w.variant)}/classes.json",
        space=lambda w: f"{space_folder(w.dataset, w.variant)}/meta.json",
        leaks="results/{dataset}/leaks/{variant}.json",
        code=code("evaluation.floors"),
    output:
        "results/{dataset}/floors/{variant}.csv",
    log:
        "results/{dataset}/logs/floors/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/floors/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        runs=lambda w, input: folders_of(input.records),
        targets=subpath(input.targets, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: flags(
            {
                "label_sets": settings(w.dataset, w.variant)["label_sets"],
                **decision_options(w.dataset, w.variant),
            }
        ),
    shell:
        "emoword floors --variant {wildcards.variant} --runs {params.runs}"
        " --targets {params.targets} --space {params.space} {params.options}"
        " --out {output} --record {log}.json > {log} 2>&1"


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
        template=source("paper/templates/tableA2.tex.j2"),
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
        options=lambda w: default_flags(w.dataset, compared(w.dataset, "controls")[0]),
    shell:
        "emoword control-table --decisions {input.decisions} --floors {input.floors}"
        " --utterances {input.utterances} --controls {input.controls}"
        " --template {input.template} {params.options}"
        " --csv {output.csv} --tex {output.tex} --record {log}.json > {log} 2>&1"
