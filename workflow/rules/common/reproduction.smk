"""Names and paths of comparisons, looked up in the configuration."""

# readings of the raters' labels and comments, where there are raters
READINGS = (
    ["comparisons/sensitivity/readings.csv", "tables/readings.tex"]
    if CONFIG.rated(CONFIG.dataset)
    else []
)


def table_and(number, *files):
    """A table of the dataset that is run, and further files of its results."""
    return of_dataset(f"tables/table{number}.csv", f"tables/table{number}.tex", *files)


def options_of(*names):
    """Options of a command that are called as inputs are: `--lists FILE`."""
    return lambda w, input: flags({name: input[name] for name in names})


def of_compared(name, comparison, stage):
    """What a stage made of each of a comparison's variants."""
    variants = compared(name, comparison)
    return [f"results/{name}/{stage}/{variant}.csv" for variant in variants]


def compared_decisions(w):
    """What the runs of a comparison's variants decided; and of its rates, the best."""
    paths = of_compared(w.dataset, w.comparison, "decisions")
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


def table_inputs_of(name, variants, *runs):
    """What a table of variants reads, with these of their runs."""
    owns = [parts(name).variants[variant] for variant in variants]
    sets = [folder for own in owns for folder in own.targets.values()]
    files = ("run.json", "predictions.npy", "split.csv")
    return {
        "variants": variant_files(name, variants),
        "utterances": f"results/{name}/utterances.csv",
        "template": source("paper/templates/table.tex.j2"),
        "sets": [
            path for s in sets for path in below(name, s, "words.csv", "classes.json")
        ],
        "spaces": [below(name, own.space, "meta.json")[0] for own in owns],
        "runs": [path for run in runs for path in below(name, run, *files)],
    }


def decided_files(name, comparison):
    """What is behind the decisions of a comparison's variants, which no leak check stopped."""
    variants = compared(name, comparison)
    owns = [parts(name).variants[variant] for variant in variants]
    runs = [run for own in owns for run in own.runs([own.settings.table_loss, "ce"])]
    leaks = [f"results/{name}/leaks/{variant}.json" for variant in variants]
    return {**table_inputs_of(name, variants, *runs), "leaks": leaks}


def rater_inputs(name, variants):
    """What a table of raters and models reads of variants; without raters it says so."""
    further = {
        "annotations": f"results/{name}/annotations.csv",
        "synonyms": source("src/emoword/resources/wordnet.synonyms.txt"),
    }
    if not CONFIG.rated(name):
        return {**table_inputs_of(name, variants), **further}
    runs = [run for own in variants for run in parts(name).variants[own].runs()]
    stages = ("decisions", "nearest", "temperatures")
    made = [f"results/{name}/{stage}/{own}.csv" for own in variants for stage in stages]
    return {**table_inputs_of(name, variants, *runs), **further, "made": made}
