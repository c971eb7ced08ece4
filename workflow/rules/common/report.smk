"""Names and paths of the report, looked up in the configuration."""


def paper_tables(name):
    """The tables of the report: those of a plain run, and what comparisons were made."""
    folder = f"results/{name}/tables"
    fixed = [f"{folder}/table{number}.tex" for number in TABLES]
    fixed += [f"{folder}/claims.tex"]
    made = [
        f"{folder}/{table}.tex"
        for table in (
            "tableA1",
            "tableA2",
            "tableA3",
            "tableA4",
            "tableA5",
            "tableA6",
            "tableA7",
            "tableA8",
            "encodings",
            "sensitivity",
            "readings",
        )
    ]
    return fixed + [path for path in made if Path(path).exists()]
