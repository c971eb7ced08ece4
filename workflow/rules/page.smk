"""A page of all of it, to look at; and the graph of the rules, which it draws."""


rule page:
    """The page of the configured dataset, under a name that is quickly typed."""
    input:
        f"results/{config['dataset']}/report/index.html",


rule rulegraph:
    """The rules and what they hand on, as Snakemake sees them."""
    input:
        config="results/{dataset}/config.json",
        rules=[source("Snakefile"), *rule_files()],
    output:
        "results/{dataset}/rulegraph.dot",
    log:
        "results/{dataset}/logs/rulegraph.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "snakemake --snakefile {input.rules[0]} --configfile {input.config} --rulegraph dot"
        " --forceall results/{wildcards.dataset}/report/index.html > {output} 2> {log}"


rule report_page:
    """One page that opens from disk: tables, figures, runs, and each utterance."""
    input:
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        corpus="results/{dataset}/corpus.json",
        config="results/{dataset}/config.json",
        metrics="results/{dataset}/metrics.csv",
        intervals="results/{dataset}/intervals.csv",
        claims=expand(
            "results/{{dataset}}/{name}.csv",
            name=["claims", "claim_parts", "versus_paper"],
        ),
        decisions=lambda w: f"results/{w.dataset}/decisions/{variants(w.dataset)[0]}.csv",
        nearest=lambda w: f"results/{w.dataset}/nearest/{variants(w.dataset)[0]}.csv",
        neighbours=lambda w: f"results/{w.dataset}/neighbours/{variants(w.dataset)[0]}.csv",
        dropped=lambda w: f"{targets_folder(w.dataset, variants(w.dataset)[0])}/dropped.csv",
        records=lambda w: expand(
            "{run}/{file}",
            run=run_folders(w.dataset, variants(w.dataset)[0]),
            file=["run.json", "history.csv"],
        ),
        space=lambda w: f"{space_folder(w.dataset, variants(w.dataset)[0])}/meta.json",
        tables=expand("results/{{dataset}}/tables/table{n}.csv", n=TABLES),
        figures=expand(
            "results/{{dataset}}/figures/{figure}.{kind}",
            figure=FIGURES,
            kind=["png", "pdf"],
        ),
        judged=expand("results/{{dataset}}/{file}", file=PAGE_JUDGED),
        # what nobody may have asked for is shown if it is there
        further=lambda w: [
            path
            for path in expand(
                "results/{dataset}/{file}", dataset=w.dataset, file=PAGE_FURTHER
            )
            if Path(path).exists()
        ],
        rulegraph="results/{dataset}/rulegraph.dot",
        code=code("page.build")
        + [source(f"src/emoword/resources/page/{name}") for name in PAGE_SOURCES],
    output:
        # beside these: figures, styles, scripts, and nearest-{seed}.js
        [f"results/{{dataset}}/report/{name}" for name in PAGE_FILES],
    log:
        "results/{dataset}/logs/page.log",
    benchmark:
        "results/{dataset}/benchmarks/page.tsv"
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        results=subpath(input.utterances, parent=True),
        runs=lambda w, input: folders_of(input.records),
        targets=subpath(input.dropped, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: page_flags(w.dataset),
        out=subpath(output[0], parent=True),
    shell:
        "emoword page --results {params.results} --runs {params.runs} --targets {params.targets}"
        " --space {params.space} --rulegraph {input.rulegraph} {params.options}"
        " --out {params.out} > {log} 2>&1"
