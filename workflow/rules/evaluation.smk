"""What the predictions say: decisions, nearest words, metrics."""


rule decide:
    """What each run decided on each test utterance, and how near it came."""
    input:
        variant=variant_file,
        runs=lambda w: run_files(w, "run.json", "predictions.npy", "split.csv"),
        sets=label_set_files,
        space=space_file,
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
    shell:
        "emoword decide {input.variant:q} --out {output.decisions:q} --nearest {output.nearest:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule neighbours:
    """The nearest words of example targets and of the models' mean predictions."""
    input:
        variant=variant_file,
        runs=lambda w: table_run_files(w, "run.json", "predictions.npy", "split.csv"),
        sets=lambda w: label_set_files(w) + label_set_files(w, "classes.json"),
        space=space_file,
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
    shell:
        "emoword neighbours {input.variant:q} --out {output.neighbours:q} --means {output.means:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule floors:
    """What predictors reach that always say the same: from the training parts, without training."""
    input:
        variant=variant_file,
        runs=lambda w: table_run_files(w, "run.json", "predictions.npy", "split.csv"),
        sets=label_set_files,
        space=space_file,
        leaks="results/{dataset}/leaks/{variant}.json",
        code=code("evaluation.floors"),
    output:
        "results/{dataset}/floors/{variant}.csv",
    log:
        "results/{dataset}/logs/floors/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/floors/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword floors {input.variant:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"


rule linear:
    """What linear models reach on mean and deviation of the same frames, on the same splits."""
    input:
        variant=variant_file,
        runs=lambda w: table_run_files(w, "run.json", "predictions.npy", "split.csv"),
        frames=lambda w: feature_files(w.dataset, of_variant(w).settings.upstream),
        sets=label_set_files,
        space=space_file,
        leaks="results/{dataset}/leaks/{variant}.json",
        code=code("evaluation.linear_reference"),
    output:
        "results/{dataset}/linear/{variant}.csv",
    log:
        "results/{dataset}/logs/linear/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/linear/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword linear {input.variant:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"


rule best_rate:
    """Each run at the learning rate that its validation part chose."""
    input:
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "rates")),
        decisions=lambda w: of_compared(w.dataset, "rates", "decisions"),
        histories=lambda w: [
            f"results/{w.dataset}/{run}/history.csv"
            for variant in compared(w.dataset, "rates")
            for run in parts(w.dataset).variants[variant].runs()
        ],
        code=code("evaluation.best_rate"),
    output:
        "results/{dataset}/comparisons/rates/best_rate.csv",
    log:
        "results/{dataset}/logs/comparisons/best_rate.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword best-rate {input.variants:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"


rule temperature:
    """How sharp each run's class scores should be, fitted on its validation part."""
    input:
        variant=variant_file,
        runs=lambda w: run_files(w, "run.json", "weights.safetensors", "split.csv"),
        frames=lambda w: feature_files(w.dataset, of_variant(w).settings.upstream),
        truth=lambda w: label_set_files(w) + label_set_files(w, "classes.json"),
        annotations="results/{dataset}/annotations.csv",
        space=space_file,
        leaks="results/{dataset}/leaks/{variant}.json",
        code=code("evaluation.temperature"),
    output:
        "results/{dataset}/temperatures/{variant}.csv",
    log:
        "results/{dataset}/logs/temperatures/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/temperatures/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword temperature {input.variant:q} --out {output:q} --record {log:q}.json > {log:q} 2>&1"


rule evaluate:
    """Count UA, WA, cosine similarities and top-10 accuracies of all variants."""
    input:
        utterances="results/{dataset}/utterances.csv",
        decisions=decided,
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
        "emoword evaluate {input.decisions:q} --utterances {input.utterances:q} --out {output:q}"
        " --record {log:q}.json > {log:q} 2>&1"


use rule evaluate as compare with:
    input:
        utterances="results/{dataset}/utterances.csv",
        decisions=compared_decisions,
        code=code("evaluation.evaluate"),
    output:
        "results/{dataset}/comparisons/{comparison}/metrics.csv",
    log:
        "results/{dataset}/logs/comparisons/{comparison}.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/{comparison}.tsv"
