"""How sure the numbers are."""


rule intervals:
    """95% intervals of the numbers over all seeds, and differences between models."""
    input:
        decisions=decided,
        utterances="results/{dataset}/utterances.csv",
        code=code("statistics.intervals"),
    output:
        intervals="results/{dataset}/intervals.csv",
        differences="results/{dataset}/differences.csv",
    log:
        "results/{dataset}/logs/intervals.log",
    benchmark:
        "results/{dataset}/benchmarks/intervals.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword intervals {input.decisions:q} --utterances {input.utterances:q}"
        " --intervals {output.intervals:q} --differences {output.differences:q} --record {log:q}.json > {log:q} 2>&1"


use rule intervals as intervals_of_comparison with:
    input:
        decisions=compared_decisions,
        utterances="results/{dataset}/utterances.csv",
        code=code("statistics.intervals"),
    output:
        intervals="results/{dataset}/comparisons/{comparison}/intervals.csv",
        differences="results/{dataset}/comparisons/{comparison}/differences.csv",
    log:
        "results/{dataset}/logs/comparisons/{comparison}_intervals.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/{comparison}_intervals.tsv"
