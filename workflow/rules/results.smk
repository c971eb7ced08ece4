"""Tables, figures, and the configuration beside them."""


def table_inputs(w):
    """The data of a table that lie in the results folder; floors if they were made (controls)."""
    folder, name = f"results/{w.dataset}", first(w.dataset).name
    if w.number in ("4", "5"):
        return f"{folder}/neighbours/{name}.csv"
    floors = f"{folder}/floors/{name}.csv"
    further = [floors] if w.number in ("3", "6") and Path(floors).exists() else []
    return [f"{folder}/metrics.csv", f"{folder}/intervals.csv", *further]


def figure_inputs(name, figure):
    """The data files of a figure; the network's is drawn from the configuration alone."""
    own = first(name)
    folder = f"results/{name}"
    if figure == "claims":
        return {"claims": f"{folder}/claims.csv", "parts": f"{folder}/claim_parts.csv"}
    if figure == "confusion":
        return {"decisions": f"{folder}/decisions/{own.name}.csv"}
    if figure == "curves":
        return {"history": [f"{folder}/{run}/history.csv" for run in own.runs()]}
    space = below(name, own.space, "meta.json")[0]
    if figure == "network":
        frames = feature_files(name, own.settings.upstream, "meta.json")[0]
        return {"features": frames, "space": space}
    neighbours = f"{folder}/neighbours/{own.name}.csv"
    if figure == "neighbours":
        nearest, decisions = (
            f"{folder}/{stage}/{own.name}.csv" for stage in ("nearest", "decisions")
        )
        return {"neighbours": neighbours, "nearest": nearest, "decisions": decisions}
    runs = [f"{folder}/{run}/predictions.npy" for run in own.table_runs()]
    means = f"{folder}/neighbours/{own.name}_means.csv"
    return {"neighbours": neighbours, "means": means, "space": space, "runs": runs}


def figure_records(name, figure):
    """What lies beside histories and predictions: which run it is, of which utterances."""
    own = first(name)
    if figure == "curves":
        return [f"results/{name}/{run}/run.json" for run in own.runs()]
    runs = own.table_runs() if figure == "map" else []
    return [
        f"results/{name}/{run}/{file}"
        for run in runs
        for file in ("run.json", "split.csv")
    ]


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
