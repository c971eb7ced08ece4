"""Made when asked for: Table A3, are the utterances of a word found; models for use."""


rule retrieval:
    """Table A3 of the configured dataset."""
    input:
        of_dataset("tables/tableA3.csv", "tables/tableA3.tex"),


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
        csv=csv_in_report("A3", "retrieval"),
        tex="results/{dataset}/tables/tableA3.tex",
    log:
        "results/{dataset}/logs/tables/tableA3.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword retrieval {input.variant:q} --template {input.template:q} --csv {output.csv:q}"
        " --tex {output.tex:q} --record {log:q}.json > {log:q} 2>&1"


rule final:
    """A final model for each label set of the configured dataset: trained on all folds, exported."""
    input:
        expand(
            "results/{dataset}/final/{final}",
            dataset=CONFIG.dataset,
            final=first(CONFIG.dataset).final(),
        ),


rule export:
    """Export a final model; its card's numbers are those of the folds."""
    input:
        variant=variant_file,
        run=lambda w: below(w.dataset, final_run(w), "run.json")[0],
        weights=lambda w: below(w.dataset, final_run(w), "weights.safetensors")[0],
        space=space_file,
        numbers=expand(
            "results/{{dataset}}/{file}",
            file=["metrics.csv", "intervals.csv", "utterances.csv", "config.json"],
        ),
        # S1's summary, the settings of the model and of its frames
        summary=lambda w: label_set_files(w, "summary.json")[0],
        made_by=lambda w: [
            f"results/{w.dataset}/{folder}/settings.json"
            for folder in (Path(final_run(w)).parent, first(w.dataset).features)
        ],
        template=source("src/emoword/resources/card.md.j2"),
        code=code("inference.export"),
    output:
        directory("results/{dataset}/final/{final}"),
    log:
        "results/{dataset}/logs/final/{final}.log",
    wildcard_constraints:
        final=r"M[123]",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        run=subpath(input.run, parent=True),
    shell:
        "emoword export {params.run:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"
