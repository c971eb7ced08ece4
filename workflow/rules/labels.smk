"""Label sets S1, S2, S3, and the vectors of their words."""


rule label_set:
    """Turn labels and comments into the words of label set S1, S2 or S3."""
    input:
        settings="results/{dataset}/targets/{label_set}/settings.json",
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        space=words_of,
        reported=lambda w: reported(w.dataset),
        code=code("labels.label_sets"),
    output:
        words="results/{dataset}/targets/{label_set}/words.csv",
        dropped="results/{dataset}/targets/{label_set}/dropped.csv",
        classes="results/{dataset}/targets/{label_set}/classes.json",
        summary="results/{dataset}/targets/{label_set}/summary.json",
    log:
        "results/{dataset}/logs/targets/{label_set}.log",
    benchmark:
        "results/{dataset}/benchmarks/targets/{label_set}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.summary, parent=True),
        options=lambda w, input: flags(
            {
                "space": os.path.dirname(input.space) if input.space else None,
                "reported": input.reported,
            }
        ),
    shell:
        "emoword label-set {input.settings:q} --utterances {input.utterances:q}"
        " --annotations {input.annotations:q} {params.options} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule encode:
    """Look up the vectors of a label set's words, so that training needs no word space."""
    input:
        words=lambda w: f"{label_set_of_vectors(w)}/words.csv",
        classes=lambda w: f"{label_set_of_vectors(w)}/classes.json",
        space=space_of_vectors,
        code=code("labels.vectors"),
    output:
        words="results/{dataset}/vectors/{vectors}/words.txt",
        vectors="results/{dataset}/vectors/{vectors}/vectors.npy",
    log:
        "results/{dataset}/logs/vectors/{vectors}.log",
    benchmark:
        "results/{dataset}/benchmarks/vectors/{vectors}.tsv"
    wildcard_constraints:
        vectors=r"S[123]-[\w.-]+",
    conda:
        "../../envs/emoword.yaml"
    params:
        targets=subpath(input.words, parent=True),
        space=subpath(input.space, parent=True),
        folder=subpath(output.vectors, parent=True),
    shell:
        "emoword encode {params.targets:q} --space {params.space:q} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"
