"""Names and paths of comparisons, looked up in the configuration."""

# readings of the raters' labels and comments, where there are raters
READINGS = (
    ["comparisons/sensitivity/readings.csv", "tables/readings.tex"]
    if CONFIG.rated(CONFIG.dataset)
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
