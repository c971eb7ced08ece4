"""What hangs on what the paper leaves open: each alternative alone against the default."""


rule sensitivity:
    """The sensitivity table of the configured dataset, and the ledger of choices."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
            made=[
                "comparisons/sensitivity/sensitivity.csv",
                "comparisons/sensitivity/verdicts.csv",
                "comparisons/sensitivity/metrics.csv",
                "tables/sensitivity.tex",
                "tables/choices.tex",
            ],
        ),


rule sensitivity_table:
    """Each alternative's change in UA, WA and the claims' verdicts."""
    input:
        decisions=lambda w: expand(
            "results/{dataset}/decisions/{variant}.csv",
            dataset=w.dataset,
            variant=compared(w.dataset, "sensitivity"),
        ),
        neighbours=lambda w: expand(
            "results/{dataset}/neighbours/{variant}.csv",
            dataset=w.dataset,
            variant=compared(w.dataset, "sensitivity"),
        ),
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "sensitivity")),
        targets=lambda w: [
            path
            for own in map(
                parts(w.dataset).variants.get, compared(w.dataset, "sensitivity")
            )
            for folder in own.targets.values()
            for path in below(w.dataset, folder, "summary.json")
        ],
        utterances="results/{dataset}/utterances.csv",
        choices=source("paper/choices.yaml"),
        claims=source("paper/claims.yaml"),
        reported=source("paper/reported.csv"),
        schema=source("src/emoword/resources/choices.schema.yaml"),
        template=source("paper/templates/sensitivity.tex.j2"),
        code=code("reproduction.sensitivity"),
    output:
        csv=report(
            "results/{dataset}/comparisons/sensitivity/sensitivity.csv",
            category="Sensitivity",
            labels={"what": "differences", "format": "CSV"},
            caption="../report/sensitivity.rst",
        ),
        verdicts=report(
            "results/{dataset}/comparisons/sensitivity/verdicts.csv",
            category="Sensitivity",
            labels={"what": "verdicts", "format": "CSV"},
            caption="../report/sensitivity.rst",
        ),
        tex="results/{dataset}/tables/sensitivity.tex",
    log:
        "results/{dataset}/logs/comparisons/sensitivity_table.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/sensitivity_table.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword sensitivity {input.variants} --choices {input.choices} --claims {input.claims}"
        " --reported {input.reported} --template {input.template}"
        " --csv {output.csv} --verdicts {output.verdicts} --tex {output.tex}"
        " --record {log}.json > {log} 2>&1"


rule choices:
    """The ledger of what the paper leaves open, as LaTeX."""
    input:
        choices=source("paper/choices.yaml"),
        schema=source("src/emoword/resources/choices.schema.yaml"),
        template=source("paper/templates/choices.tex.j2"),
        code=code("reproduction.choices"),
    output:
        "results/{dataset}/tables/choices.tex",
    log:
        "results/{dataset}/logs/tables/choices.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword choices {input.choices} --template {input.template} --out {output}"
        " --record {log}.json > {log} 2>&1"
