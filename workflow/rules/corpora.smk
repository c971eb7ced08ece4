"""A corpus -> utterances.csv (one row an utterance) and annotations.csv (one row a label or comment)."""


rule demo:
    """Synthesise the miniature corpus, in IEMOCAP's own layout."""
    input:
        code=code("demo.corpus"),
    output:
        corpus=directory("results/{dataset}/corpus"),
    log:
        "results/{dataset}/logs/demo.log",
    benchmark:
        "results/{dataset}/benchmarks/demo.tsv"
    wildcard_constraints:
        dataset=of_kind("demo"),
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w: flags(demo_options(dataset(w.dataset))),
    shell:
        "emoword demo {params.options} --out {output.corpus:q} --record {log:q}.json > {log:q} 2>&1"


rule read_iemocap:
    """Read a corpus: IEMOCAP in place (or the demo, in its layout), own recordings, several as one."""
    input:
        root=lambda w: corpus_files(w.dataset),
        expected=lambda w: reported(w.dataset),
        code=code("corpora.iemocap"),
    output:
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        report="results/{dataset}/corpus.json",
    log:
        "results/{dataset}/logs/read_iemocap.log",
    benchmark:
        "results/{dataset}/benchmarks/read_iemocap.tsv"
    wildcard_constraints:
        dataset=of_kind("demo", "iemocap"),
    conda:
        "../../envs/emoword.yaml"
    params:
        command="read-iemocap",
        corpus=lambda w: corpus_root(w.dataset),
        options=lambda w: flags(
            {**reader_options(dataset(w.dataset)), "expected": reported(w.dataset)}
        ),
        folder=subpath(output.report, parent=True),
    shell:
        "emoword {params.command} {params.corpus:q} {params.options} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"


use rule read_iemocap as read_recordings with:
    # a CSV of own recordings, and one of annotations if there is one
    input:
        table=lambda w: dataset(w.dataset).table,
        rated=lambda w: dataset(w.dataset).annotations_table or [],
        code=code("corpora.recordings"),
    log:
        "results/{dataset}/logs/read_recordings.log",
    benchmark:
        "results/{dataset}/benchmarks/read_recordings.tsv"
    wildcard_constraints:
        dataset=of_kind("recordings"),
    params:
        command="read-recordings",
        corpus=lambda w: dataset(w.dataset).table,
        options=lambda w, input: flags(
            {**reader_options(dataset(w.dataset)), "annotations_table": input.rated}
        ),
        folder=subpath(output.report, parent=True),


use rule read_iemocap as unite with:
    # one corpus of several, each read by its own rule
    input:
        files=lambda w: expand(
            "results/{corpus}/{file}",
            corpus=CONFIG.corpora(w.dataset),
            file=["utterances.csv", "annotations.csv", "corpus.json"],
        ),
        code=code("corpora.union"),
    log:
        "results/{dataset}/logs/unite.log",
    benchmark:
        "results/{dataset}/benchmarks/unite.tsv"
    wildcard_constraints:
        dataset=of_kind("union"),
    params:
        command="unite",
        corpus=lambda w: expand("results/{corpus}", corpus=CONFIG.corpora(w.dataset)),
        options="",
        folder=subpath(output.report, parent=True),
