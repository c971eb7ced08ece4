"""Names and paths of tables, looked up in the configuration."""


def table_inputs(w):
    """The data of a table that lie in the results folder; floors if they were made (controls)."""
    folder, name = f"results/{w.dataset}", first(w.dataset).name
    if w.number in ("4", "5"):
        return f"{folder}/neighbours/{name}.csv"
    floors = f"{folder}/floors/{name}.csv"
    further = [floors] if w.number in ("3", "6") and Path(floors).exists() else []
    return [f"{folder}/metrics.csv", f"{folder}/intervals.csv", *further]
