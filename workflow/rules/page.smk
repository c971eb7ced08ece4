"""A page of all of it, to look at."""

PAGE_FILES = ["index.html", "utterances.js", "details.js", "runs.js"]
PAGE_SOURCES = [
    "page.html.j2",
    "claims_list.html.j2",
    "page.css",
    "page.js",
    "map_view.js",
    "sound.js",
    "start.js",
]
PAGE_JUDGED = [
    "intervals.csv",
    "differences.csv",
    "claims.csv",
    "claim_parts.csv",
    "versus_paper.csv",
]
PAGE_FURTHER = [
    *(f"tables/tableA{number}.csv" for number in range(1, 9)),
    *(f"figures/unseen.{kind}" for kind in ("png", "pdf", "csv")),
    "comparisons/sensitivity/sensitivity.csv",
    "comparisons/sensitivity/verdicts.csv",
]


rule page:
    """The page of the configured dataset, under a name that is quickly typed."""
    input:
        f"results/{CONFIG.dataset}/report/index.html",


rule report_page:
    """One page that opens from disk: tables, figures, runs, and each utterance."""
    input:
        variant=variant_file,
        made=expand(
            "results/{{dataset}}/{file}",
            file=[
                "utterances.csv",
                "annotations.csv",
                "corpus.json",
                "config.json",
                "metrics.csv",
                *PAGE_JUDGED,
            ],
        ),
        decisions=lambda w: f"results/{w.dataset}/decisions/{first(w.dataset).name}.csv",
        nearest=lambda w: f"results/{w.dataset}/nearest/{first(w.dataset).name}.csv",
        neighbours=lambda w: f"results/{w.dataset}/neighbours/{first(w.dataset).name}.csv",
        sets=lambda w: [
            path
            for file in ("words.csv", "dropped.csv", "summary.json")
            for path in label_set_files(w, file)
        ],
        runs=lambda w: run_files(w, "run.json", "history.csv"),
        predictions=lambda w: table_run_files(w, "predictions.npy", "split.csv"),
        space=space_file,
        tables=expand("results/{{dataset}}/tables/table{n}.csv", n=TABLES),
        figures=expand(
            "results/{{dataset}}/figures/{figure}.{kind}",
            figure=FIGURES,
            kind=["png", "pdf"],
        ),
        # what nobody may have asked for is shown if it is there
        further=lambda w: [
            path
            for path in expand(
                "results/{dataset}/{file}", dataset=w.dataset, file=PAGE_FURTHER
            )
            if Path(path).exists()
        ],
        code=code("page.build")
        + [source(f"src/emoword/resources/page/{name}") for name in PAGE_SOURCES],
    output:
        # beside these: figures, styles, scripts, what is told seed by seed, and the demo's audio
        [f"results/{{dataset}}/report/{name}" for name in PAGE_FILES],
    log:
        "results/{dataset}/logs/page.log",
    benchmark:
        "results/{dataset}/benchmarks/page.tsv"
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        out=subpath(output[0], parent=True),
        # synthetic speech may be passed on
        options=lambda w: flags({"copy_audio": CONFIG.synthetic(w.dataset)}),
    shell:
        "emoword page {input.variant:q} {params.options} --out {params.out:q} --record {log:q}.json"
        " > {log:q} 2>&1"
