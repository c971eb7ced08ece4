"""Names and paths of comparisons, looked up in the configuration."""

# readings of the raters' labels and comments, where there are raters
READINGS = (
    ["comparisons/sensitivity/readings.csv", "tables/readings.tex"]
    if dataset(CONFIG.dataset).rated
    else []
)


def claim_comparisons(w):
    """Differences of the comparisons that claims are about, as far as they were made."""
    paths = [
        f"results/{w.dataset}/comparisons/{name}/differences.csv"
        for name in ("spaces", "controls")
        if name in CONFIG.comparisons_of(w.dataset)
    ]
    return [path for path in paths if Path(path).exists()]


def rater_inputs(name, variants):
    """What a table of raters and models reads of variants."""
    if not dataset(name).rated:
        # ... which says that there is none
        return {"variants": variant_files(name, variants), "sets": []}
    made = [
        f"results/{name}/{stage}/{variant}.csv"
        for variant in variants
        for stage in ("decisions", "nearest", "temperatures")
    ]
    owns = [parts(name).variants[variant] for variant in variants]
    runs = [run for own in owns for run in own.runs()]
    sets = [folder for own in owns for folder in own.targets.values()]
    return {
        "variants": variant_files(name, variants),
        "made": made,
        "runs": [
            path
            for run in runs
            for path in below(name, run, "run.json", "predictions.npy", "split.csv")
        ],
        "sets": [path for s in sets for path in below(name, s, "words.csv")],
        "spaces": [below(name, own.space, "meta.json")[0] for own in owns],
    }
