"""Names and paths of tables, looked up in the configuration."""


def table_inputs(w):
    """The data of a table that lie in the results folder; floors of Tables 3 and 6."""
    folder, name = f"results/{w.dataset}", first(w.dataset).name
    if w.number in ("4", "5"):
        return f"{folder}/neighbours/{name}.csv"
    floors = f"{folder}/floors/{name}.csv"
    further = [floors] if w.number in ("3", "6") else []
    return [f"{folder}/metrics.csv", f"{folder}/intervals.csv", *further]
