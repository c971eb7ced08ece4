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
        options=lambda w: flags(
            {
                "utterances": dataset(w.dataset).utterances,
                "seed": dataset(w.dataset).synthesis_seed,
                "emotions": dataset(w.dataset).emotions,
            }
        ),
    shell:
        "emoword demo {params.options} --out {output.corpus:q} --record {log:q}.json > {log:q} 2>&1"


rule read_iemocap:
    """Read IEMOCAP in place (or the demo, which has its layout): raters, labels, comments, lines."""
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
        root=lambda w: corpus_root(w.dataset),
        folder=subpath(output.report, parent=True),
        options=lambda w: flags(
            {
                "folds": dataset(w.dataset).folds,
                "expected": reported(w.dataset),
                "skip_missing_audio": dataset(w.dataset).skip_missing_audio,
            }
        ),
    shell:
        "emoword read-iemocap {params.root:q} {params.options} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule read_recordings:
    """Read a CSV of own recordings, and one of annotations if there is one."""
    input:
        unpack(lambda w: recording_tables(w.dataset)),
        code=code("corpora.recordings"),
    output:
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        report="results/{dataset}/corpus.json",
    log:
        "results/{dataset}/logs/read_recordings.log",
    benchmark:
        "results/{dataset}/benchmarks/read_recordings.tsv"
    wildcard_constraints:
        dataset=of_kind("recordings"),
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.report, parent=True),
        options=lambda w: flags(
            {
                "annotations_table": dataset(w.dataset).annotations_table,
                "folds": dataset(w.dataset).folds,
                "skip_missing_audio": dataset(w.dataset).skip_missing_audio,
            }
        ),
    shell:
        "emoword read-recordings {input.table:q} {params.options} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule unite:
    """Make one corpus of several, each read by its own rule."""
    input:
        files=lambda w: expand(
            "results/{corpus}/{file}",
            corpus=CONFIG.corpora(w.dataset),
            file=["utterances.csv", "annotations.csv", "corpus.json"],
        ),
        code=code("corpora.union"),
    output:
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        report="results/{dataset}/corpus.json",
    log:
        "results/{dataset}/logs/unite.log",
    benchmark:
        "results/{dataset}/benchmarks/unite.tsv"
    wildcard_constraints:
        dataset=of_kind("union"),
    conda:
        "../../envs/emoword.yaml"
    params:
        corpora=lambda w: expand("results/{corpus}", corpus=CONFIG.corpora(w.dataset)),
        folder=subpath(output.report, parent=True),
    shell:
        "emoword unite {params.corpora:q} --out {params.folder:q} --record {log:q}.json > {log:q} 2>&1"
