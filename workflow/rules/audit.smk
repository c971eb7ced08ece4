"""What an auditor takes along: all records in one file, and an archive that verifies elsewhere."""


def workflow_files():
    """The files beside the Snakefile that say how everything was made."""
    root = Path(workflow.basedir)
    rules_ = sorted((root / "workflow" / "rules").glob("*.smk"))
    return [source(path.relative_to(root)) for path in rules_] + [source("config.yaml")]


rule audit:
    """provenance.json and audit.zip of the configured dataset."""
    input:
        expand(
            "results/{dataset}/{made}",
            dataset=CONFIG.dataset,
            made=["provenance.json", "audit.zip"],
        ),


rule provenance:
    """The records of all jobs, gathered when everything has been made."""
    input:
        made=rules.all.input,
        config="results/{dataset}/config.json",
        document="results/{dataset}/tables/tables.tex",
        references="results/{dataset}/tables/refs.bib",
    output:
        "results/{dataset}/provenance.json",
    log:
        "results/{dataset}/logs/provenance.log",
    wildcard_constraints:
        dataset=re.escape(CONFIG.dataset),
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword provenance results/{wildcards.dataset} --also {input.config}"
        " {input.document} {input.references} --out {output} > {log} 2>&1"


rule archive:
    """What verify and trace need, in one zip that is an RO-Crate; no audio."""
    input:
        provenance="results/{dataset}/provenance.json",
        workflow=source("Snakefile"),
        also=workflow_files(),
    output:
        "results/{dataset}/audit.zip",
    log:
        "results/{dataset}/logs/archive.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(input.provenance, parent=True),
        options=lambda w: flags(
            {"without_labels": dataset(w.dataset).kind == "iemocap"}
        ),
    shell:
        "emoword archive {params.folder} --workflow {input.workflow} --also {input.also}"
        " {params.options} --out {output} > {log} 2>&1"
