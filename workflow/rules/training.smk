"""One training a job: a model, a fold, a seed."""


rule train:
    """Train one model on all folds but one, and predict that one."""
    input:
        settings="results/{dataset}/runs/{model}/settings.json",
        utterances="results/{dataset}/utterances.csv",
        truth=lambda w: f"{label_set_of_run(w, 'S1')}/words.csv",
        classes=lambda w: f"{label_set_of_run(w, 'S1')}/classes.json",
        targets=lambda w: f"{label_set_of_run(w)}/words.csv",
        vectors=lambda w: [f"{f}/vectors.npy" for f in [vectors_of_run(w)] if f],
        frames=lambda w: feature_files(w.dataset, made_by(w).upstream, "frames.npy"),
        index=lambda w: feature_files(w.dataset, made_by(w).upstream, "index.csv"),
        about=lambda w: feature_files(w.dataset, made_by(w).upstream, "meta.json"),
        code=code("training.train"),
    output:
        weights="results/{dataset}/runs/{model}/fold{fold}-seed{seed}/weights.safetensors",
        history="results/{dataset}/runs/{model}/fold{fold}-seed{seed}/history.csv",
        split="results/{dataset}/runs/{model}/fold{fold}-seed{seed}/split.csv",
        predictions="results/{dataset}/runs/{model}/fold{fold}-seed{seed}/predictions.npy",
        record="results/{dataset}/runs/{model}/fold{fold}-seed{seed}/run.json",
    log:
        "results/{dataset}/logs/runs/{model}/fold{fold}-seed{seed}.log",
    benchmark:
        "results/{dataset}/benchmarks/runs/{model}/fold{fold}-seed{seed}.tsv"
    conda:
        "../../envs/emoword.yaml"
    resources:
        gpu=int(CONFIG.device != "cpu"),
    params:
        truth=subpath(input.truth, parent=True),
        targets=subpath(input.targets, parent=True),
        vectors=lambda w: flags({"vectors": vectors_of_run(w)}),
        features=lambda w: f"results/{w.dataset}/features/{made_by(w).upstream}",
        device=device_flag(),
        folder=subpath(output.record, parent=True),
    shell:
        "emoword train {input.settings:q} --utterances {input.utterances:q} --truth {params.truth:q}"
        " --targets {params.targets:q} {params.vectors} --features {params.features:q}"
        " --fold {wildcards.fold:q} --seed {wildcards.seed:q} {params.device} --out {params.folder:q}"
        " --record {log:q}.json > {log:q} 2>&1"
