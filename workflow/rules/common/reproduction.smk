"""Names and paths of comparisons, looked up in the configuration."""

# readings of the raters' labels and comments, where there are raters
READINGS = (
    ["comparisons/sensitivity/readings.csv", "tables/readings.tex"]
    if dataset(CONFIG.dataset).rated
    else []
)


def compared_decisions(w):
    """What the runs of a comparison's variants decided; and of its rates, the best."""
    variants = compared(w.dataset, w.comparison)
    paths = [f"results/{w.dataset}/decisions/{name}.csv" for name in variants]
    best = f"results/{w.dataset}/comparisons/rates/best_rate.csv"
    return [*paths, best] if w.comparison == "rates" else paths


def claim_comparisons(w):
    """Differences of the comparisons that claims are about, as far as they were made."""
    paths = [
        f"results/{w.dataset}/comparisons/{name}/differences.csv"
        for name in ("spaces", "controls", "rates")
        if name in CONFIG.comparisons_of(w.dataset)
    ]
    return [path for path in paths if Path(path).exists()]
