"""Word spaces side by side: Table A1."""


rule compare_spaces:
    """Table A1 of the configured dataset; and the differences that a claim of the paper is about."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
            made=[
                "tables/tableA1.csv",
                "tables/tableA1.tex",
                "comparisons/spaces/differences.csv",
            ],
        ),


rule space_table:
    """UA and WA of M1 by word space, and the difference of each pair."""
    input:
        metrics="results/{dataset}/comparisons/spaces/metrics.csv",
        intervals="results/{dataset}/comparisons/spaces/intervals.csv",
        differences="results/{dataset}/comparisons/spaces/differences.csv",
        spaces=lambda w: [
            path
            for variant in compared(w.dataset, "spaces")
            for path in below(
                w.dataset, parts(w.dataset).variants[variant].space, "meta.json"
            )
        ],
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.spaces_comparison"),
    output:
        csv=report(
            "results/{dataset}/tables/tableA1.csv",
            category="Tables",
            labels={"table": "A1", "format": "CSV"},
            caption="../report/table.rst",
        ),
        tex="results/{dataset}/tables/tableA1.tex",
    log:
        "results/{dataset}/logs/tables/tableA1.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w, input: flags(
            {
                "variants": compared(w.dataset, "spaces"),
                "spaces": list(input.spaces),
                "aggregate": first(w.dataset).settings.aggregate,
                "dataset": w.dataset,
                "synthetic": dataset(w.dataset).synthetic,
            }
        ),
    shell:
        "emoword compare-spaces --metrics {input.metrics} --intervals {input.intervals}"
        " --differences {input.differences} {params.options} --template {input.template}"
        " --csv {output.csv} --tex {output.tex} --record {log}.json > {log} 2>&1"
