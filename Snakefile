"""emoword: Stanley et al., Interspeech 2023, from corpus to Tables 1-6 and figures.

A datum travels one way: corpus -> label sets, features, word space -> runs -> decisions and
neighbours -> metrics -> tables and figures. Each rule's shell command can be pasted and run by hand.
"""

from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import min_version, update_config

min_version("9.20")
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))


configfile: str(ROOT / "config.yaml")


if ROOT != Path(workflow.basedir):
    # a module: where its importer gives a config, Snakemake does not read ours
    given, config = config, load_configfile(str(ROOT / "config.yaml"))
    update_config(config, given)


include: "workflow/rules/common.smk"
include: "workflow/rules/common/spaces.smk"
include: "workflow/rules/common/labels.smk"
include: "workflow/rules/common/features.smk"
include: "workflow/rules/common/tables.smk"
include: "workflow/rules/common/figures.smk"
include: "workflow/rules/common/reproduction.smk"
include: "workflow/rules/common/report.smk"


rule all:
    """Everything of the configured dataset."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
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


include: "workflow/rules/settings.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/spaces.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/reproduction.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/page.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/audit.smk"


report: "workflow/report/workflow.rst"


onsuccess:
    remove_checkpoints(CONFIG.dataset)
    print_outputs(CONFIG.dataset)
