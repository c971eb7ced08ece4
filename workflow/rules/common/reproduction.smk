"""Names and paths of claims, looked up in the configuration."""


def claim_comparisons(w):
    """Differences of the comparisons that claims are about, as far as they were made."""
    paths = [
        f"results/{w.dataset}/comparisons/{name}/differences.csv"
        for name in ("spaces", "controls")
        if name in CONFIG.comparisons_of(w.dataset)
    ]
    return [path for path in paths if Path(path).exists()]
