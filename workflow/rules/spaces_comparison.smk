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
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "spaces")),
        made=expand(
            "results/{{dataset}}/comparisons/spaces/{file}.csv",
            file=["metrics", "intervals", "differences"],
        ),
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
        comparison=lambda w, input: os.path.dirname(input.made[0]),
    shell:
        "emoword compare-spaces {input.variants} --comparison {params.comparison}"
        " --template {input.template} --csv {output.csv} --tex {output.tex}"
        " --record {log}.json > {log} 2>&1"
