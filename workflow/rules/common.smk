"""Every function that the rules use. Nothing here computes; it only looks things up in config."""

import json
import os
import re
import shlex
import shutil
from functools import cache

from emoword.io.closure import closure
from snakemake.utils import validate

validate(config, schema="../schemas/config.schema.yaml", set_default=False)

if not shutil.which("emoword"):
    raise WorkflowError(
        "the command emoword is not on the PATH: start with ./run instead of snakemake, "
        "or `source .venv/bin/activate` first"
    )

MODEL_OF = {"S1": "M1", "S2": "M2", "S3": "M3"}
TABLES = [1, 2, 3, 4, 5, 6]
FIGURES = ["network", "map", "neighbours", "confusion", "curves", "claims"]
PAGE_FILES = ["index.html", "utterances.js", "details.js", "runs.js"]
PAGE_JUDGED = [
    "intervals.csv",
    "differences.csv",
    "claims.csv",
    "claim_parts.csv",
    "versus_paper.csv",
]
PAGE_FURTHER = [
    "tables/tableA1.csv",
    "tables/tableA2.csv",
    "comparisons/sensitivity/sensitivity.csv",
    "comparisons/sensitivity/verdicts.csv",
]
PAGE_SOURCES = ["page.html.j2", "page.css", "page.js", "start.js"]


wildcard_constraints:
    dataset=r"[A-Za-z0-9][\w.]*",
    variant=r"[A-Za-z0-9][\w.]*",
    space=r"[A-Za-z0-9][\w.]*",
    upstream=r"[A-Za-z0-9][\w.]*",
    label_set="S[123]",
    loss="mse|mae|lc|ce|cosine|soft|triplet",
    comparison=r"[A-Za-z0-9][\w.]*",
    fold=r"\d+",
    seed=r"\d+",


def source(path):
    """A file of the repository, wherever `--directory` puts the results."""
    return os.path.relpath(Path(workflow.basedir) / path)


def block(kind, name):
    """config[kind][name], or one line that says which names there are."""
    if name not in config[kind]:
        known = ", ".join(sorted(config[kind]))
        raise WorkflowError(f"config: {kind} has no {name!r}; it has {known}")
    return config[kind][name]


def merged(base, changes):
    """`base` with `changes` laid over it, block by block; maps of words are replaced whole."""
    result = dict(base)
    for key, value in changes.items():
        inner = key in ("labels", "network", "training")
        result[key] = merged(base[key], value) if inner else value
    return result


def settings(dataset, variant):
    """The settings of a variant: defaults, then the dataset's own, then the variant's."""
    own = block("datasets", dataset).get("settings", {})
    return merged(merged(config["defaults"], own), block("variants", variant))


def variants(dataset):
    """The variants of a dataset that are run; the tables show the first."""
    return block("datasets", dataset).get("variants", ["paper"])


def comparisons(dataset):
    """Comparison -> its variants: those for every dataset, and the dataset's own."""
    own = block("datasets", dataset).get("comparisons", {})
    return {**config["comparisons"], **own}


def compared(dataset, comparison):
    """The variants of a comparison, or one line that says which comparisons there are."""
    known = comparisons(dataset)
    if comparison not in known:
        raise WorkflowError(
            f"config: {dataset} has no comparison {comparison!r}; "
            f"it has {', '.join(sorted(known)) or 'none'}"
        )
    for variant in known[comparison]:
        check_variant(dataset, variant)
    return known[comparison]


def known_variants(dataset):
    """All variants that may be run; a plain run and a comparison share what they can."""
    names = list(variants(dataset))
    for comparison in comparisons(dataset).values():
        names += comparison
    return list(dict.fromkeys(names))


def first_alike(dataset, variant, choices):
    """The first variant with the same choices(variant): what these make is computed once."""
    wanted = choices(variant)
    for other in known_variants(dataset):
        if choices(other) == wanted:
            return other
    return variant


def of_kind(*kinds):
    """A regular expression of the names of the datasets of these kinds."""
    names = [n for n, d in config["datasets"].items() if d["kind"] in kinds]
    return "|".join(map(re.escape, names)) or "(?!)"


def corpus_root(dataset):
    """Where a corpus in IEMOCAP's layout lies."""
    if config["datasets"][dataset]["kind"] == "demo":
        return f"results/{dataset}/corpus"
    return config["iemocap_root"] or "iemocap_root"


def corpus_files(dataset):
    """What is read of a corpus in IEMOCAP's layout: the demo, or the raters' files."""
    root = Path(corpus_root(dataset))
    if is_synthetic(dataset):
        return str(root)
    return sorted(map(str, root.glob("Session*/dialog/EmoEvaluation/*.txt")))


def audio_folder(dataset):
    """The audio, where it is ours to make anew; a user's own is watched by nobody."""
    return corpus_root(dataset) if is_synthetic(dataset) else []


def reported(dataset):
    """What the paper says of the corpus and its targets; nothing is compared with the demo's."""
    if config["datasets"][dataset]["kind"] != "iemocap":
        return []
    return source("paper/reported.csv")


def recording_tables(dataset):
    """The CSV files of own recordings."""
    own = config["datasets"][dataset]
    keys = ("table", "annotations_table")
    return {key: own[key] for key in keys if own.get(key)}


EMBEDDED_CUTS = {
    "embedded": "glove.6B.100d.cut.txt.xz",
    "embedded-bert": "all-MiniLM-L6-v2.static.cut.txt.xz",
    "bert": "glove.6B.100d.cut.txt.xz",  # the default word list
}


def space_files(space):
    """What a space is made from. What is not there is left to the command, which says what to do."""
    chosen = block("spaces", space)
    named = {key: chosen.get(key, "") for key in ("source", "words")}
    named["keep"] = chosen.get("filter", {}).get("words", "")
    if chosen["format"] in EMBEDDED_CUTS:
        cut = EMBEDDED_CUTS[chosen["format"]]
        named["embedded"] = source(f"src/emoword/resources/{cut}")
    return {
        key: path
        for key, path in named.items()
        if path and (Path(path).exists() or path in FETCHED)
    }


def space_flags(space):
    """The options of `emoword space`; where the source is fetched from is not for it."""
    chosen = dict(block("spaces", space))
    own = dict(chosen.pop("filter", {}))
    own["keep"] = own.pop("words", None)
    for key in ("url", "sha256"):
        chosen.pop(key, None)
    return flags({**chosen, **own})


def fetched():
    """Sources that are not there and have an address: path -> options of `emoword fetch`.

    One that is there is never an output of a rule, so that Snakemake removes nobody's file; nor is
    an absolute path, which a user wrote: a slip in it is an error, and no download.
    """
    return {
        own["source"]: {"url": own["url"], "sha256": own.get("sha256")}
        for own in config["spaces"].values()
        if own.get("url")
        and not Path(own["source"]).is_absolute()
        and not Path(own["source"]).exists()
    }


FETCHED = fetched()


def model_folder(upstream):
    """The model's configuration and weights, where it is a folder and not a hub name."""
    model = Path(block("upstreams", upstream).get("model", ""))
    names = (
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
        "pytorch_model.bin",
    )
    return [str(model / name) for name in names if (model / name).is_file()]


def features_inputs(dataset, upstream):
    """What frames are computed from."""
    return {
        "utterances": f"results/{dataset}/utterances.csv",
        "audio": audio_folder(dataset),
        "model": model_folder(upstream),
        "code": code("features.extract"),
    }


def shards(dataset, upstream, file):
    """A file of each part of the frames that are computed apart."""
    count = config["feature_shards"]
    folder = f"results/{dataset}/features/{upstream}"
    return [f"{folder}-shard{k}of{count}/{file}" for k in range(1, count + 1)]


def labels_in_classes(dataset):
    """The labels of utterances that take part in some variant; None: each may.

    A label becomes a noun, is merged, and then is one of the classes or not (emoword targets).
    """
    taken = set()
    for variant in known_variants(dataset):
        labels = settings(dataset, variant)["labels"]
        if not labels["classes"]:
            return None
        classes = set(labels["classes"])
        classes |= {old for old, new in labels["merge"].items() if new in classes}
        taken |= classes | {
            old for old, new in labels["nouns"].items() if new in classes
        }
    return sorted(taken)


def device_flag():
    """The device, where it is not what is there: commands stay alike on all machines."""
    return {"device": None if config["device"] == "auto" else config["device"]}


def upstream_flags(dataset, upstream):
    chosen = block("upstreams", upstream)
    options = {key: value for key, value in chosen.items() if key != "kind"}
    labels = labels_in_classes(dataset)
    return flags(
        {"labels": labels, "upstream": chosen["kind"], **options, **device_flag()}
    )


def training_flags(dataset, variant, loss):
    chosen = settings(dataset, variant)
    training = dict(chosen["training"])
    baseline_rate = training.pop("baseline_learning_rate")
    if loss == "ce":
        training["learning_rate"] = baseline_rate
    return flags({**chosen["network"], **training, **device_flag()})


def example_flags(dataset, variant):
    """The targets of Table 4: given as words, or the most frequent of the richest label set."""
    chosen = settings(dataset, variant)
    examples = [flags({"example": words}) for words in chosen["table4_examples"]]
    chosen_by = flags({"by": chosen["table5"]})
    examples = examples or [flags({"example_set": max(chosen["label_sets"])})]
    return " ".join([*examples, chosen_by])


def table_runs(dataset, variant):
    """The runs behind Tables 3 to 6: one loss."""
    return run_folders(dataset, variant, [settings(dataset, variant)["table_loss"]])


def folders_of(files):
    return sorted({str(Path(file).parent) for file in files})


def check_names(dataset):
    """Refuse, before anything runs, names that the config does not define."""
    own = block("datasets", dataset)
    for variant in variants(dataset):
        check_variant(dataset, variant)
    if own["kind"] == "iemocap" and not config["iemocap_root"]:
        raise WorkflowError(
            "iemocap_root is not set: add `--config iemocap_root=/path/to/IEMOCAP_full_release` "
            "(the folder that holds Session1 .. Session5)"
        )


def check_variant(dataset, variant):
    """Refuse what a variant asks for and the config or the dataset has not got."""
    own = block("datasets", dataset)
    chosen = settings(dataset, variant)
    block("spaces", chosen["space"])
    block("upstreams", chosen["upstream"])
    sizes = [len(chosen["network"][key]) for key in ("channels", "kernels", "pools")]
    if len(set(sizes)) > 1:
        raise WorkflowError(
            f"config: {variant}: network: channels, kernels, pools: unequal"
        )
    rated = "annotations_table" in own or own["kind"] != "recordings"
    if set(chosen["label_sets"]) != {"S1"} and not rated:
        raise WorkflowError(
            f"config: {variant}: S2 and S3 need ratings: give {dataset} an annotations_table, "
            "or write label_sets: [S1] in its settings"
        )
    if chosen["table_loss"] not in chosen["losses"]:
        raise WorkflowError(
            f"config: {variant}: table_loss {chosen['table_loss']} is none of losses"
        )


@cache
def targets_folder(dataset, variant):
    """The label sets of a variant; a transformed space has the words of the space it is made of."""

    def choices(name):
        chosen = settings(dataset, name)
        return chosen["labels"], chosen["space"]

    return f"results/{dataset}/targets/{first_alike(dataset, variant, choices)}"


@cache
def trained_by(dataset, variant, label_set, loss):
    """The variant under whose name the runs of `variant` lie: the first that trains alike.

    What makes S2 is no matter to a model of S1. The baseline and soft labels predict classes, and
    share their runs whatever the word space.
    """

    def choices(name):
        chosen = settings(dataset, name)
        space = chosen["space"], chosen["space_transform"]
        return (
            labels_behind(chosen["labels"], label_set),
            chosen["upstream"],
            None if loss in ("ce", "soft") else space,
            training_flags(dataset, name, loss),
        )

    return first_alike(dataset, variant, choices)


def labels_behind(labels, label_set):
    """The choices of `labels` that a label set hangs on."""
    of_comments = ("comments", "spelling", "lowercase", "comment_nouns")
    of_raters = ("merge_raters", "self_reports", "missing_words", "drop")
    unused = {"S1": of_comments + of_raters, "S2": of_comments, "S3": ()}[label_set]
    if not labels["classes"]:  # then every label that is not dropped is a class
        unused = [key for key in unused if key != "drop"]
    return {key: value for key, value in labels.items() if key not in unused}


def label_sets(dataset, variant):
    """The files of a variant's label sets."""
    folder = targets_folder(dataset, variant)
    return [f"{folder}/{name}.csv" for name in settings(dataset, variant)["label_sets"]]


def space_folder(dataset, variant):
    """The word space of a variant; transformed spaces are of a dataset, as its words are shuffled."""
    chosen = settings(dataset, variant)
    if chosen["space_transform"] == "none":
        return f"results/spaces/{chosen['space']}"
    return f"results/{dataset}/spaces/{chosen['space']}-{chosen['space_transform']}"


def features_folder(dataset, variant):
    return f"results/{dataset}/features/{settings(dataset, variant)['upstream']}"


def run_folders(dataset, variant, losses=None):
    """The folders of a variant's runs: label sets x losses (None: all, and the baseline)."""
    chosen = settings(dataset, variant)
    pairs = [(s, l) for s in chosen["label_sets"] for l in losses or chosen["losses"]]
    if losses is None:
        pairs.append(("S1", "ce"))
    folders = [
        f"results/{dataset}/runs/{trained_by(dataset, variant, s, l)}/{s}-{l}"
        for s, l in pairs
    ]
    return [
        f"{folder}/fold{fold}-seed{seed}"
        for folder in folders
        for fold in range(1, block("datasets", dataset)["folds"] + 1)
        for seed in block("datasets", dataset)["seeds"]
    ]


def flags(options):
    """{"batch_size": 16, "pools": [2, 2]} -> `--batch-size 16 --pools 2 2`, quoted for a shell.

    True is a flag alone; False, None and an empty value are left out; a map is written key=value,
    without the keys that a configuration of its own set to null.
    """
    words = []
    for name, value in options.items():
        if value is False or value is None or value == "" or value == [] or value == {}:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if isinstance(value, dict):
            words += [
                f"{key}={item}" for key, item in value.items() if item is not None
            ]
        elif isinstance(value, list):
            words += [str(item) for item in value]
        elif value is not True:
            words.append(str(value))
    return shlex.join(words)


def code(*modules):
    """The files of the package that these modules are made of: inputs, so that an edit re-runs."""
    return [os.path.relpath(path) for path in closure(*modules)]


def print_outputs(dataset):
    """What was made, and how to look at it."""
    folder = f"results/{dataset}"
    made = {
        "open": f"{folder}/report/index.html, in a browser: all of it, down to each utterance",
        "tables": f"{folder}/tables/table1.csv .. table6.csv, and the same as .tex",
        "figures": f"{folder}/figures/*.png, and the same as .pdf",
        "numbers": f"{folder}/metrics.csv, counted from {folder}/decisions/*.csv",
        "claims": f"{folder}/claims.html: which of the paper's claims hold (claims.csv)",
        "look": f"column -s, -t < {folder}/tables/table1.csv",
        "paper": f"./run --cores 1 {folder}/paper.pdf (needs LaTeX; says what to install)",
        "audit": "results/README.md says what each file is and how to make it by hand",
        "verify": f"emoword verify {folder} recomputes all but the trainings, and compares",
        "report": f"./run --report {folder}/report.zip",
    }
    if Path(f"{folder}/tables/tables.tex").exists():
        print(
            f"\n{dataset}: done.", *(f"  {k:8} {v}" for k, v in made.items()), sep="\n"
        )
        if is_synthetic(dataset):
            print(
                "The demo's speech is synthetic: its numbers say nothing about the paper."
            )


def remove_checkpoints(dataset):
    """A run that is whole, and everything asked for made: its checkpoint has no use any more."""
    end = ".checkpoint.safetensors"
    for path in Path(f"results/{dataset}/runs").rglob(f"*{end}"):
        if (path.with_name(path.name.removesuffix(end)) / "run.json").exists():
            path.unlink()


def is_synthetic(dataset):
    return config["datasets"][dataset]["kind"] == "demo"


def table_inputs(dataset, number):
    """The data files of a table, by the name of its option."""
    first = variants(dataset)[0]
    metrics = f"results/{dataset}/metrics.csv"
    space = f"{space_folder(dataset, first)}/meta.json"
    if number in ("4", "5"):
        neighbours = f"results/{dataset}/neighbours/{first}.csv"
        return {"neighbours": neighbours, "space": space}
    if number == "2":
        return {"metrics": metrics, "literature": source("paper/literature.csv")}
    intervals = f"results/{dataset}/intervals.csv"
    if number == "6":
        return {"metrics": metrics, "intervals": intervals, "space": space}
    return {"metrics": metrics, "intervals": intervals}


def table_flags(dataset):
    first = variants(dataset)[0]
    return flags(
        {
            "dataset": dataset,
            "variant": first,
            "aggregate": settings(dataset, first)["aggregate"],
            "loss": settings(dataset, first)["table_loss"],
            "synthetic": is_synthetic(dataset),
        }
    )


def figure_inputs(dataset, figure):
    """The data files of a figure; the network's is drawn from the configuration alone."""
    first = variants(dataset)[0]
    folder = f"results/{dataset}"
    if figure == "claims":
        return {
            "claims": f"{folder}/claims.csv",
            "parts": f"{folder}/claim_parts.csv",
        }
    if figure == "confusion":
        return {"decisions": f"{folder}/decisions/{first}.csv"}
    if figure == "curves":
        return {
            "history": [f"{run}/history.csv" for run in run_folders(dataset, first)]
        }
    if figure == "network":
        return {
            "features": f"{features_folder(dataset, first)}/meta.json",
            "space": f"{space_folder(dataset, first)}/meta.json",
        }
    neighbours = f"{folder}/neighbours/{first}.csv"
    if figure == "neighbours":
        return {"neighbours": neighbours}
    return {
        "neighbours": neighbours,
        "means": f"{folder}/neighbours/{first}_means.csv",
        "space": f"{space_folder(dataset, first)}/meta.json",
    }


def figure_records(dataset, figure):
    """The learning curves say which runs collapsed: run.json lies beside each history.csv."""
    runs = run_folders(dataset, variants(dataset)[0]) if figure == "curves" else []
    return [f"{run}/run.json" for run in runs]


def figure_flags(dataset, figure):
    first = variants(dataset)[0]
    chosen = settings(dataset, first)
    options = figure_inputs(dataset, figure)
    for key in ("features", "space"):
        if key in options:
            options[key] = str(Path(options[key]).parent)
    if figure in ("map", "neighbours", "confusion"):
        options["loss"] = chosen["table_loss"]
    if figure == "network":
        options.update(chosen["network"])
    if is_synthetic(dataset):
        options["title_note"] = "synthetic speech: says nothing about the paper"
    return flags(options)


def page_flags(dataset):
    first = variants(dataset)[0]
    chosen = settings(dataset, first)
    return flags(
        {
            "variant": first,
            "loss": chosen["table_loss"],
            "aggregate": chosen["aggregate"],
            "synthetic": is_synthetic(dataset),
        }
    )


def decision_options(dataset, variant):
    """How predictions are judged, where the paper leaves it open."""
    chosen = settings(dataset, variant)
    return {
        "decision": chosen["decision"],
        "ties": chosen["table6_ties"],
        "missing_l2": chosen["table6_missing_l2"],
    }


def claim_comparisons(dataset):
    """Differences of the comparisons that claims are about, as far as they were made."""
    paths = {
        name: f"results/{dataset}/comparisons/{name}/differences.csv"
        for name in ("spaces", "controls")
        if name in comparisons(dataset)
    }
    return {name: path for name, path in paths.items() if Path(path).exists()}


def claim_flags(dataset):
    first = variants(dataset)[0]
    return flags(
        {
            "dataset": dataset,
            "corpus": config["datasets"][dataset]["kind"],
            "variant": first,
            "aggregate": settings(dataset, first)["aggregate"],
            "comparison": claim_comparisons(dataset),
        }
    )


def default_flags(dataset, variant):
    """What the tables of controls and alternatives are held against."""
    chosen = settings(dataset, variant)
    return flags(
        {
            "dataset": dataset,
            "variant": variant,
            "loss": chosen["table_loss"],
            "aggregate": chosen["aggregate"],
            "synthetic": is_synthetic(dataset),
        }
    )


def target_summaries(dataset, comparison):
    """Variant -> the counts of its label sets."""
    return {
        variant: f"{targets_folder(dataset, variant)}/summary.json"
        for variant in compared(dataset, comparison)
    }


def sensitivity_flags(dataset):
    first, *others = compared(dataset, "sensitivity")
    usual = settings(dataset, first)["aggregate"]
    over = {name: settings(dataset, name)["aggregate"] for name in others}
    other = flags({"other_aggregate": {k: v for k, v in over.items() if v != usual}})
    return f"{default_flags(dataset, first)} {other}"


def paper_tables(dataset):
    """The tables of the report: those of a plain run, and what comparisons were made."""
    folder = f"results/{dataset}/tables"
    fixed = [f"{folder}/table{number}.tex" for number in TABLES]
    fixed += [f"{folder}/claims.tex", f"{folder}/versus_paper.tex"]
    made = [f"{folder}/{name}.tex" for name in ("tableA1", "tableA2", "sensitivity")]
    return fixed + [path for path in made if Path(path).exists()]


def paper_flags(dataset):
    first = variants(dataset)[0]
    chosen = settings(dataset, first)
    return flags(
        {
            "dataset": dataset,
            "kind": config["datasets"][dataset]["kind"],
            "variant": first,
            "aggregate": chosen["aggregate"],
            "loss": chosen["table_loss"],
        }
    )


def rule_files():
    """The files of the rules: the graph of the rules is made from them."""
    folder = Path(workflow.basedir) / "workflow" / "rules"
    return [source(path) for path in sorted(folder.glob("*.smk"))]


def workflow_files():
    """The files beside the Snakefile that say how everything was made."""
    root = Path(workflow.basedir)
    found = ["config.yaml", "LICENSE"]
    found += sorted(
        str(path.relative_to(root))
        for folder, ending in (("rules", "smk"), ("schemas", "yaml"))
        for path in (root / "workflow" / folder).glob(f"*.{ending}")
    )
    return [source(path) for path in found if (root / path).exists()]


def is_licensed(dataset):
    """Whether the corpus may not be passed on, its labels and comments neither."""
    return config["datasets"][dataset]["kind"] == "iemocap"
