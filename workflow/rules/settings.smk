"""The configuration and its parts, each beside the results that it makes."""


rule config:
    """What results are made with: the configuration, complete; a variant; a part of it."""
    output:
        "results/{dataset}/config.json",
    log:
        "results/{dataset}/logs/config.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        text=lambda w: json.dumps({**config, "dataset": w.dataset}, indent=2),
    shell:
        "printf '%s\\n' {params.text:q} > {output:q} 2> {log:q}"


use rule config as variant with:
    # the settings of a variant, and where its label sets, space, frames and runs lie
    output:
        "results/{dataset}/variants/{variant}.json",
    log:
        "results/{dataset}/logs/variants/{variant}.log",
    localrule: True  # not inherited
    params:
        text=lambda w: layout.as_json(of_variant(w)),


use rule config as settings with:
    # what a label set, a model or frames are made by, in the same folder
    output:
        "results/{dataset}/{part}/{name}/settings.json",
    log:
        "results/{dataset}/logs/settings/{part}/{name}.log",
    wildcard_constraints:
        part="targets|features|runs",
        name=r"[\w.-]+",
    localrule: True  # not inherited
    params:
        text=settings_of,
