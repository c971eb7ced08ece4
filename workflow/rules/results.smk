"""Tables, figures, and the configuration beside them."""


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
        csv=report(
            "results/{dataset}/tables/table{number}.csv",
            category="Tables",
            labels={"table": "{number}", "format": "CSV"},
            caption="../report/table.rst",
        ),
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
        "emoword table {wildcards.number} {input.variant} --literature {input.literature}"
        " --reported {input.reported} --template {input.template} --csv {output.csv}"
        " --tex {output.tex} --json {output.json} --record {log}.json > {log} 2>&1"


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
        "(cp {input.template} {output.document} && cp {input.references} {output.references})"
        " > {log} 2>&1"


rule figure:
    """One figure, as PDF and PNG, and the numbers that it shows."""
    input:
        unpack(lambda w: figure_inputs(w.dataset, w.figure)),
        records=lambda w: figure_records(w.dataset, w.figure),
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
        options=lambda w: flags(Plan(CONFIG, w.dataset).figure_options()[w.figure]),
    shell:
        "emoword figure {wildcards.figure} {params.options} --pdf {output.pdf}"
        " --png {output.png} --data {output.data} --record {log}.json > {log} 2>&1"
