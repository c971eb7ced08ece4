"""What an auditor takes along: what seals the results, and an archive that verifies elsewhere."""


rule audit:
    """provenance.json and audit.zip of the configured dataset."""
    input:
        of_dataset(
            "provenance.json",
            "audit.zip",
        ),


rule provenance:
    """The records of all jobs and the sha256 of all files, when everything has been made."""
    input:
        rules.all.input,
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
        "emoword provenance results/{wildcards.dataset:q} --out {output:q} > {log:q} 2>&1"


rule archive:
    """What verify and trace need, in one zip that is an RO-Crate; no audio."""
    input:
        "results/{dataset}/provenance.json",
    output:
        "results/{dataset}/audit.zip",
    log:
        "results/{dataset}/logs/archive.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w: flags({"without_labels": has_iemocap(w.dataset)}),
    shell:
        "emoword archive results/{wildcards.dataset:q} {params.options} --out {output:q}"
        " > {log:q} 2>&1"
