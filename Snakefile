"""emoword: Stanley et al., Interspeech 2023, from corpus to Tables 1-6 and figures.

A datum travels one way: corpus -> targets, features, word space -> runs -> decisions and neighbours
-> metrics -> tables and figures. Each rule's shell command can be pasted and run by hand.
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/rules/common.smk"


check_names(config["dataset"])


rule all:
    """Everything of the configured dataset."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=config["dataset"],
            made=[
                "config.json",
                "metrics.csv",
                "tables/tables.tex",
                "claims.html",
                "report/index.html",
            ]
            + expand("tables/table{n}.{kind}", n=TABLES, kind=["csv", "tex"])
            + expand("figures/{figure}.{kind}", figure=FIGURES, kind=["pdf", "png"]),
        ),


include: "workflow/rules/corpus.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/controls.smk"
include: "workflow/rules/sensitivity.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/spaces_comparison.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/audit.smk"


report: "workflow/report/workflow.rst"


onsuccess:
    remove_checkpoints(config["dataset"])
    print_outputs(config["dataset"])
