"""Frames of the audio, in shards."""


rule features:
    """The frames of one part of the utterances."""
    input:
        settings="results/{dataset}/features/{upstream}/settings.json",
        utterances="results/{dataset}/utterances.csv",
        audio=lambda w: audio_folder(w.dataset),
        model=lambda w: model_folder(w.upstream),
        code=code("features.extract"),
    output:
        frames="results/{dataset}/features/{upstream}/shard{k}of{n}/frames.npy",
        index="results/{dataset}/features/{upstream}/shard{k}of{n}/index.csv",
        meta="results/{dataset}/features/{upstream}/shard{k}of{n}/meta.json",
    log:
        "results/{dataset}/logs/features/{upstream}/shard{k}of{n}.log",
    benchmark:
        "results/{dataset}/benchmarks/features/{upstream}/shard{k}of{n}.tsv"
    wildcard_constraints:
        k=r"\d+",
        n=r"\d+",
    conda:
        "../../envs/emoword.yaml"
    resources:
        gpu=int(CONFIG.device != "cpu"),
    params:
        folder=subpath(output.meta, parent=True),
        device=device_flag(),
    shell:
        "emoword features {input.settings:q} --utterances {input.utterances:q}"
        " --shard {wildcards.k:q}/{wildcards.n:q} {params.device} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"
