"""Names and paths of the report, looked up in the configuration."""


def paper_tables(name):
    """The tables of the report: those of a plain run, and what comparisons were made."""
    folder = f"results/{name}/tables"
    fixed = [f"{folder}/table{number}.tex" for number in TABLES]
    fixed += [f"{folder}/claims.tex"]
    further = [*(f"tableA{number}" for number in range(1, 9)), "encodings"]
    further = [
        f"{folder}/{table}.tex" for table in (*further, "sensitivity", "readings")
    ]
    return fixed + [path for path in further if Path(path).exists()]
