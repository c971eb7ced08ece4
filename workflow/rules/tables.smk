"""The paper's tables; Table 4's words also without a corpus."""


rule table:
    """One of the paper's tables, as CSV and LaTeX."""
    input:
        variant=variant_file,
        made=table_inputs,
        space=space_file,
        literature=source("paper/literature.csv"),
        reported=source("paper/reported.csv"),
        template=source("paper/templates/table.tex.j2"),
        code=code("tables.paper_tables"),
    output:
        csv=csv_in_report("{number}", "table"),
        tex="results/{dataset}/tables/table{number}.tex",
        json="results/{dataset}/tables/table{number}.json",
    log:
        "results/{dataset}/logs/tables/table{number}.log",
    wildcard_constraints:
        number="[1-6]",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword table {wildcards.number:q} {input.variant:q} --literature {input.literature:q}"
        " --reported {input.reported:q} --template {input.template:q} --csv {output.csv:q}"
        " --tex {output.tex:q} --json {output.json:q} --record {log:q}.json > {log:q} 2>&1"


rule tables_document:
    """A small LaTeX document that holds all six tables."""
    input:
        tables=expand("results/{{dataset}}/tables/table{n}.tex", n=TABLES),
        template=source("paper/tables.tex"),
        references=source("paper/refs.bib"),
    output:
        document="results/{dataset}/tables/tables.tex",
        references="results/{dataset}/tables/refs.bib",
    log:
        "results/{dataset}/logs/tables/document.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "(cp {input.template:q} {output.document:q} && cp {input.references:q} {output.references:q})"
        " > {log:q} 2>&1"


rule table4:
    """All 20 words beside the paper's."""
    input:
        f"results/table4/{parts('iemocap').variants['paper'].settings.space}.csv",


rule target_words:
    """The words nearest to the paper's four example targets."""
    input:
        space="results/spaces/{space}/meta.json",
        reported=source("paper/reported.csv"),
        code=code("reproduction.table4"),
    output:
        "results/table4/{space}.csv",
    log:
        "results/table4/logs/{space}.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        space=subpath(input.space, parent=True),
    shell:
        "emoword table4 --space {params.space:q} --reported {input.reported:q} --out {output:q}"
        " --record {log:q}.json 2>&1 | tee {log:q}"
