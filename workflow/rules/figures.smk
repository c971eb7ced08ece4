"""Figures, and the numbers that they show."""


rule figure:
    """One figure, as PDF and PNG, and the numbers that it shows."""
    input:
        made=lambda w: figure_inputs(w.dataset, w.figure),
        code=lambda w: code(cli.FIGURES[w.figure]),
    output:
        pdf="results/{dataset}/figures/{figure}.pdf",
        png=report(
            "results/{dataset}/figures/{figure}.png",
            category="Figures",
            labels={"figure": "{figure}"},
            caption="../report/figure.rst",
        ),
        data="results/{dataset}/figures/{figure}.csv",
    log:
        "results/{dataset}/logs/figures/{figure}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w: flags(plan(w.dataset).figure(w.figure).reads),
    shell:
        "emoword figure {wildcards.figure:q} {params.options} --pdf {output.pdf:q}"
        " --png {output.png:q} --data {output.data:q} --record {log:q}.json > {log:q} 2>&1"
