"""What a training reads: the word space, the targets, the frames."""


rule fetch:
    """Fetch the public file that a word space is made from."""
    output:
        "{file}",
    log:
        "results/logs/fetch/{file}.log",
    wildcard_constraints:
        file="|".join(map(re.escape, FETCHED)) or "(?!)",
    localrule: True  # compute nodes may have no network
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w: flags({**FETCHED[w.file], "out": w.file}),
    shell:
        "emoword fetch {params.options} > {log}"  # its progress bar stays on the terminal


rule space:
    """Make the memory-mapped store of a word space."""
    input:
        unpack(lambda w: space_files(w.space)),
        code=code("spaces.make"),
    output:
        vectors="results/spaces/{space}/vectors.npy",
        words="results/spaces/{space}/words.txt",
        offsets="results/spaces/{space}/offsets.npy",
        order="results/spaces/{space}/order.npy",
        meta="results/spaces/{space}/meta.json",
    log:
        "results/spaces/logs/{space}.log",
    benchmark:
        "results/spaces/benchmarks/{space}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.meta, parent=True),
        options=lambda w: space_flags(w.space),
    shell:
        "emoword space {params.options} --out {params.folder} --record {log}.json > {log} 2>&1"


rule transform_space:
    """Centre a word space, take its top components away, shuffle it, or make it random."""
    input:
        space="results/spaces/{space}/meta.json",
        targets=lambda w: (
            label_sets(w.dataset, variants(w.dataset)[0])
            if w.transform == "shuffled"
            else []
        ),
        code=code("spaces.transforms"),
    output:
        vectors="results/{dataset}/spaces/{space}-{transform}/vectors.npy",
        words="results/{dataset}/spaces/{space}-{transform}/words.txt",
        offsets="results/{dataset}/spaces/{space}-{transform}/offsets.npy",
        order="results/{dataset}/spaces/{space}-{transform}/order.npy",
        meta="results/{dataset}/spaces/{space}-{transform}/meta.json",
    log:
        "results/{dataset}/logs/spaces/{space}-{transform}.log",
    benchmark:
        "results/{dataset}/benchmarks/spaces/{space}-{transform}.tsv"
    wildcard_constraints:
        transform="centred|top_removed|shuffled|random",
    conda:
        "../../envs/emoword.yaml"
    params:
        space=subpath(input.space, parent=True),
        folder=subpath(output.meta, parent=True),
        options=lambda w, input: flags(
            {
                "transform": w.transform,
                "targets": folders_of(input.targets),
            }
        ),
    shell:
        "emoword transform-space --space {params.space} {params.options}"
        " --out {params.folder} --record {log}.json > {log} 2>&1"


rule targets:
    """Turn labels and comments into the words of label sets S1, S2 and S3."""
    input:
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        space=lambda w: f"results/spaces/{settings(w.dataset, w.variant)['space']}/meta.json",
        reported=lambda w: reported(w.dataset),
        code=code("labels.label_sets"),
    output:
        sets=expand(
            "results/{{dataset}}/targets/{{variant}}/{label_set}.csv",
            label_set=MODEL_OF,
        ),
        dropped="results/{dataset}/targets/{variant}/dropped.csv",
        classes="results/{dataset}/targets/{variant}/classes.json",
        summary="results/{dataset}/targets/{variant}/summary.json",
    log:
        "results/{dataset}/logs/targets/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/targets/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.summary, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: flags(
            {
                **settings(w.dataset, w.variant)["labels"],
                "reported": reported(w.dataset),
            }
        ),
    shell:
        "emoword targets --utterances {input.utterances} --annotations {input.annotations}"
        " --space {params.space} {params.options} --out {params.folder} --record {log}.json > {log} 2>&1"


rule features:
    """Turn audio into frames: one memory-mapped array and an index."""
    input:
        unpack(lambda w: features_inputs(w.dataset, w.upstream)),
    output:
        frames="results/{dataset}/features/{upstream}/frames.npy",
        index="results/{dataset}/features/{upstream}/index.csv",
        meta="results/{dataset}/features/{upstream}/meta.json",
    log:
        "results/{dataset}/logs/features/{upstream}.log",
    benchmark:
        "results/{dataset}/benchmarks/features/{upstream}.tsv"
    conda:
        "../../envs/emoword.yaml"
    resources:
        gpu=1,
    params:
        folder=subpath(output.meta, parent=True),
        options=lambda w: upstream_flags(w.dataset, w.upstream),
    shell:
        "emoword features --utterances {input.utterances} {params.options}"
        " --out {params.folder} --record {log}.json > {log} 2>&1"


rule features_shard:
    """The frames of one part of the utterances, where there are several GPUs or cores."""
    input:
        unpack(lambda w: features_inputs(w.dataset, w.upstream)),
    output:
        frames="results/{dataset}/features/{upstream}-shard{shard}/frames.npy",
        index="results/{dataset}/features/{upstream}-shard{shard}/index.csv",
        meta="results/{dataset}/features/{upstream}-shard{shard}/meta.json",
    log:
        "results/{dataset}/logs/features/{upstream}-shard{shard}.log",
    benchmark:
        "results/{dataset}/benchmarks/features/{upstream}-shard{shard}.tsv"
    wildcard_constraints:
        shard=r"\d+of\d+",
    conda:
        "../../envs/emoword.yaml"
    resources:
        gpu=1,
    params:
        folder=subpath(output.meta, parent=True),
        shard=lambda w: w.shard.replace("of", "/"),
        options=lambda w: upstream_flags(w.dataset, w.upstream),
    shell:
        "emoword features --utterances {input.utterances} {params.options} --shard {params.shard}"
        " --out {params.folder} --record {log}.json > {log} 2>&1"


rule join_features:
    """The frames of all shards as one array."""
    input:
        frames=lambda w: shards(w.dataset, w.upstream, "frames.npy"),
        index=lambda w: shards(w.dataset, w.upstream, "index.csv"),
        meta=lambda w: shards(w.dataset, w.upstream, "meta.json"),
        code=code("features.join"),
    output:
        frames="results/{dataset}/features/{upstream}/frames.npy",
        index="results/{dataset}/features/{upstream}/index.csv",
        meta="results/{dataset}/features/{upstream}/meta.json",
    log:
        "results/{dataset}/logs/features/{upstream}.log",
    benchmark:
        "results/{dataset}/benchmarks/features/{upstream}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.meta, parent=True),
        parts=lambda w, input: folders_of(input.meta),
    shell:
        "emoword join-features --parts {params.parts}"
        " --out {params.folder} --record {log}.json > {log} 2>&1"


# two rules make the same files: the number of shards says which
if config["feature_shards"] == 1:

    ruleorder: features > join_features

else:

    ruleorder: join_features > features
