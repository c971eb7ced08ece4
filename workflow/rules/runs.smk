"""One training a job, and what its predictions say."""


rule train:
    """Train one fold, loss, label set and seed, and predict the fold that was left out."""
    input:
        utterances="results/{dataset}/utterances.csv",
        targets=lambda w: f"{targets_folder(w.dataset, w.variant)}/{w.label_set}.csv",
        truth=lambda w: f"{targets_folder(w.dataset, w.variant)}/S1.csv",
        classes=lambda w: f"{targets_folder(w.dataset, w.variant)}/classes.json",
        frames=lambda w: f"{features_folder(w.dataset, w.variant)}/frames.npy",
        index=lambda w: f"{features_folder(w.dataset, w.variant)}/index.csv",
        about=lambda w: f"{features_folder(w.dataset, w.variant)}/meta.json",
        space=lambda w: f"{space_folder(w.dataset, w.variant)}/meta.json",
        code=code("training.train"),
    output:
        weights="results/{dataset}/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/weights.safetensors",
        history="results/{dataset}/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/history.csv",
        split="results/{dataset}/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/split.csv",
        predictions="results/{dataset}/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/predictions.npy",
        record="results/{dataset}/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}/run.json",
    log:
        "results/{dataset}/logs/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}.log",
    benchmark:
        "results/{dataset}/benchmarks/runs/{variant}/{label_set}-{loss}/fold{fold}-seed{seed}.tsv"
    conda:
        "../../envs/emoword.yaml"
    resources:
        gpu=1,
    params:
        folder=subpath(output.record, parent=True),
        targets=subpath(input.targets, parent=True),
        features=subpath(input.frames, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: training_flags(w.dataset, w.variant, w.loss),
    shell:
        "emoword train --utterances {input.utterances} --features {params.features}"
        " --targets {params.targets} --space {params.space} --variant {wildcards.variant}"
        " --label-set {wildcards.label_set} --loss {wildcards.loss} --fold {wildcards.fold}"
        " --seed {wildcards.seed} {params.options} --out {params.folder} --record {log}.json > {log} 2>&1"


rule decide:
    """What each run decided on each test utterance, and how near it came."""
    input:
        records=lambda w: expand(
            "{run}/run.json", run=run_folders(w.dataset, w.variant)
        ),
        predictions=lambda w: expand(
            "{run}/predictions.npy", run=run_folders(w.dataset, w.variant)
        ),
        splits=lambda w: expand(
            "{run}/split.csv", run=run_folders(w.dataset, w.variant)
        ),
        sets=lambda w: label_sets(w.dataset, w.variant),
        targets=lambda w: f"{targets_folder(w.dataset, w.variant)}/classes.json",
        space=lambda w: f"{space_folder(w.dataset, w.variant)}/meta.json",
        leaks="results/{dataset}/leaks/{variant}.json",
        code=code("evaluation.decide"),
    output:
        decisions="results/{dataset}/decisions/{variant}.csv",
        nearest="results/{dataset}/nearest/{variant}.csv",
    log:
        "results/{dataset}/logs/decisions/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/decisions/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        runs=lambda w, input: folders_of(input.records),
        targets=subpath(input.targets, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: flags(
            {
                "label_sets": settings(w.dataset, w.variant)["label_sets"],
                "rank_loss": settings(w.dataset, w.variant)["table_loss"],
                **decision_options(w.dataset, w.variant),
            }
        ),
    shell:
        "emoword decide --variant {wildcards.variant} --runs {params.runs} --targets {params.targets} --space {params.space}"
        " {params.options} --out {output.decisions} --nearest {output.nearest} --record {log}.json > {log} 2>&1"


rule neighbours:
    """The nearest words of example targets and of the models' mean predictions."""
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
        code=code("evaluation.neighbours"),
    output:
        neighbours="results/{dataset}/neighbours/{variant}.csv",
        means="results/{dataset}/neighbours/{variant}_means.csv",
    log:
        "results/{dataset}/logs/neighbours/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/neighbours/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        runs=lambda w, input: folders_of(input.records),
        targets=subpath(input.targets, parent=True),
        space=subpath(input.space, parent=True),
        options=lambda w: example_flags(w.dataset, w.variant),
    shell:
        "emoword neighbours --variant {wildcards.variant} --runs {params.runs} --targets {params.targets}"
        " --space {params.space} {params.options} --neighbours {output.neighbours}"
        " --means {output.means} --record {log}.json > {log} 2>&1"


rule check_leaks:
    """Whether test data leaked into training; if so, nothing is decided, and so not evaluated."""
    input:
        records=lambda w: expand(
            "{run}/run.json", run=run_folders(w.dataset, w.variant)
        ),
        weights=lambda w: expand(
            "{run}/weights.safetensors", run=run_folders(w.dataset, w.variant)
        ),
        splits=lambda w: expand(
            "{run}/split.csv", run=run_folders(w.dataset, w.variant)
        ),
        utterances="results/{dataset}/utterances.csv",
        sets=lambda w: label_sets(w.dataset, w.variant),
        targets=lambda w: f"{targets_folder(w.dataset, w.variant)}/classes.json",
        frames=lambda w: f"{features_folder(w.dataset, w.variant)}/frames.npy",
        space=lambda w: f"{space_folder(w.dataset, w.variant)}/meta.json",
        code=code("reproduction.leaks"),
    output:
        "results/{dataset}/leaks/{variant}.json",
    log:
        "results/{dataset}/logs/leaks/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/leaks/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        runs=lambda w, input: folders_of(input.records),
        targets=subpath(input.targets, parent=True),
        features=subpath(input.frames, parent=True),
        space=subpath(input.space, parent=True),
    shell:
        "emoword check-leaks --utterances {input.utterances} --targets {params.targets}"
        " --features {params.features} --space {params.space} --runs {params.runs}"
        " --out {output} --record {log}.json > {log} 2>&1"


rule evaluate:
    """Count UA, WA, cosine similarities and top-10 accuracies of all variants."""
    input:
        utterances="results/{dataset}/utterances.csv",
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=variants(w.dataset),
        ),
        code=code("evaluation.evaluate"),
    output:
        "results/{dataset}/metrics.csv",
    log:
        "results/{dataset}/logs/evaluate.log",
    benchmark:
        "results/{dataset}/benchmarks/evaluate.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword evaluate --decisions {input.decisions} --utterances {input.utterances} --out {output} --record {log}.json > {log} 2>&1"


rule compare:
    """Count the same metrics for the variants of a comparison."""
    input:
        utterances="results/{dataset}/utterances.csv",
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=compared(w.dataset, w.comparison),
        ),
        code=code("evaluation.evaluate"),
    output:
        "results/{dataset}/comparisons/{comparison}/metrics.csv",
    log:
        "results/{dataset}/logs/comparisons/{comparison}.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/{comparison}.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword evaluate --decisions {input.decisions} --utterances {input.utterances} --out {output} --record {log}.json > {log} 2>&1"
