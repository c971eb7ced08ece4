"""Names and paths that the rules share, looked up in the configuration. Nothing here computes."""

import json
import os
import re
import shlex
import shutil
from functools import cache, wraps

try:
    from emoword import cli, layout, settings
    from emoword.io.closure import closure
    from emoword.io.errors import InputError
    from emoword.pipeline import (
        Plan,
        demo_options,
        option_words,
        reader_options,
        space_options,
    )
except ModuleNotFoundError:
    raise WorkflowError(
        "emoword is not installed here: start with ./run instead of snakemake, "
        "or `source .venv/bin/activate` first"
    ) from None

TABLES = [1, 2, 3, 4, 5, 6]
FIGURES = [
    name for name in cli.FIGURES if name != "unseen"
]  # which is made when asked for


def in_one_line(function):
    """A mistake in the configuration is one line, and no traceback."""

    @wraps(function)
    def asked(*arguments):
        try:
            return function(*arguments)
        except InputError as error:
            raise WorkflowError(str(error)) from None

    return asked


CONFIG = in_one_line(settings.read_config)(config)


wildcard_constraints:
    dataset=r"[A-Za-z0-9][\w.]*",
    variant=r"[A-Za-z0-9][\w.]*",
    space=r"[A-Za-z0-9][\w.]*",
    upstream=r"[A-Za-z0-9][\w.]*",
    comparison=r"[A-Za-z0-9][\w.]*",
    label_set=r"S[123]-[\w.-]+",
    model=r"S[123]-[\w.-]+",
    fold=r"\d+",
    seed=r"\d+",


def source(path):
    """A file of the repository, wherever the results lie: `--directory`, an importer's folder."""
    return os.path.relpath(ROOT / path)


def code(*modules):
    """The files of the package that these modules are made of: inputs, so that an edit re-runs."""
    return [os.path.relpath(path) for path in closure(*modules)]


@cache
@in_one_line
def dataset(name):
    """A block of `datasets`."""
    return settings.one(CONFIG, "datasets", name)


@cache
@in_one_line
def plan(name):
    """The commands of a dataset."""
    return Plan(CONFIG, name)


def parts(name):
    """All that may be made of a dataset: variants, label sets, vectors, models."""
    return plan(name).parts


def part(w, kind, name):
    """What makes one of the `label_sets`, `vectors` or `models`."""
    known = getattr(parts(w.dataset), kind)
    if name not in known:
        raise WorkflowError(
            f"results/{w.dataset}: no variant of the configuration has {name}"
        )
    return known[name]


@in_one_line
def compared(name, comparison):
    """The variants of a comparison."""
    return CONFIG.compared(name, comparison)


def first(name):
    """The variant that tables and figures show."""
    return plan(name).first


def variant_file(w):
    """The file of the wildcards' variant, else of the one that tables show."""
    return f"results/{w.dataset}/variants/{of_variant(w).name}.json"


def variant_files(name, variants):
    return expand(
        "results/{dataset}/variants/{variant}.json", dataset=name, variant=variants
    )


def of_variant(w):
    """The variant that the wildcards name, else the one that tables show."""
    name = getattr(w, "variant", None) or first(w.dataset).name
    return parts(w.dataset).variants[name]


def of_dataset(*files):
    """Files of the results of the dataset that is run."""
    return [f"results/{CONFIG.dataset}/{file}" for file in files]


def csv_in_report(number, caption):
    """A table as CSV, which Snakemake's report shows."""
    return report(
        f"results/{{dataset}}/tables/table{number}.csv",
        category="Tables",
        labels={"table": number, "format": "CSV"},
        caption=f"../report/{caption}.rst",
    )


def below(name, folder, *files):
    """Files in a folder below the dataset's; `..` is resolved, as Snakemake compares names."""
    return [os.path.normpath(f"results/{name}/{folder}/{file}") for file in files]


def label_set_files(w, file="words.csv"):
    """A file of each label set of a variant."""
    return [f"results/{w.dataset}/{f}/{file}" for f in of_variant(w).targets.values()]


def vector_files(w):
    """The vectors of each label set of a variant."""
    folders = of_variant(w).vectors.values()
    return [f"results/{w.dataset}/{folder}/vectors.npy" for folder in folders]


def space_file(w):
    return below(w.dataset, of_variant(w).space, "meta.json")[0]


def run_files(w, *files, losses=None):
    """Files of the runs of a variant (losses: of these alone)."""
    runs = of_variant(w).runs(losses)
    return [f"results/{w.dataset}/{run}/{file}" for run in runs for file in files]


def decided(w):
    """What models, and linear ones on the same frames, decided in all variants of a plain run."""
    return expand(
        "results/{dataset}/{stage}/{variant}.csv",
        dataset=w.dataset,
        stage=["decisions", "linear"],
        variant=dataset(w.dataset).variants,
    )


def table_run_files(w, *files):
    """Files of the runs behind Tables 3 to 6: one loss."""
    return run_files(w, *files, losses=[of_variant(w).settings.table_loss])


def final_run(w):
    """The run of a final model, without a test fold."""
    runs = of_variant(w).final()
    if w.final not in runs:
        raise WorkflowError(f"results/{w.dataset}/final/{w.final}: no such model")
    return runs[w.final]


def feature_files(name, upstream, file="index.csv"):
    """A file of each shard of the frames."""
    count = CONFIG.feature_shards
    folder = f"results/{name}/features/{upstream}"
    return [f"{folder}/shard{k}of{count}/{file}" for k in range(1, count + 1)]


def settings_of(w):
    """What a part of the results is made by, as JSON: of a label set, a model, or frames."""
    if w.part == "features":
        return layout.as_json(
            in_one_line(layout.feature_settings)(CONFIG, w.dataset, w.name)
        )
    kind = "label_sets" if w.part == "targets" else "models"
    return layout.as_json(part(w, kind, w.name))


def made_by(w):
    """The settings of the wildcards' model."""
    return part(w, "models", w.model)


def label_set_of_run(w, label_set=None):
    """The folder of the label set that a model is trained on; S1: by which it is split."""
    settings_ = made_by(w)
    behind = layout.label_set_settings(settings_, label_set or settings_.label_set)
    return f"results/{w.dataset}/targets/{layout.target_name(behind)}"


def vectors_of_run(w):
    """The folder of the vectors that a model is trained on, if it is."""
    name = layout.vectors_of_run(made_by(w))
    return f"results/{w.dataset}/vectors/{name}" if name else ""


def of_kind(*kinds):
    """A regular expression of the names of the datasets of these kinds."""
    names = [name for name, own in CONFIG.datasets.items() if own.kind in kinds]
    return "|".join(map(re.escape, names)) or "(?!)"


def has_iemocap(name):
    """Whether a dataset is IEMOCAP, or a union with it."""
    corpora = in_one_line(CONFIG.corpora)(name).values()
    return any(own.kind == "iemocap" for own in corpora)


def corpus_root(name):
    """Where a corpus in IEMOCAP's layout lies."""
    if dataset(name).kind == "demo":
        return f"results/{name}/corpus"
    return CONFIG.iemocap_root or "iemocap_root"


def corpus_files(name):
    """What is read of a corpus in IEMOCAP's layout: the demo, or the raters' files."""
    root = Path(corpus_root(name))
    if dataset(name).kind == "demo":
        return str(root)
    return sorted(map(str, root.glob("Session*/dialog/EmoEvaluation/*.txt")))


def audio_folder(name):
    """The audio, where emoword makes it; a user's own is watched by nobody."""
    corpora = CONFIG.corpora(name).items()
    return [corpus_root(one) for one, own in corpora if own.kind == "demo"]


def reported(name):
    """What the paper says of the corpus and its targets; nothing is compared with the demo's."""
    return [] if dataset(name).kind != "iemocap" else source("paper/reported.csv")


def flags(options):
    """{"batch_size": 16, "pools": [2, 2]} -> `--batch-size 16 --pools 2 2`, quoted for a shell."""
    return shlex.join(option_words(options))


def device_flag():
    """The device, where it is not what is there: commands stay alike on all machines."""
    return "" if CONFIG.device == "auto" else f"--device {CONFIG.device}"


def print_outputs(name):
    """How a run ends: with the result, or, where files were asked for, with their names."""
    jobs = workflow.dag.targetjobs
    if {job.rule.name for job in jobs} & {"all", "audit", "page"}:
        shell("emoword summary results/{name}")
    else:
        made = [str(path) for job in jobs for path in job.output or job.input]
        print(*(f"made: {path}" for path in sorted(made)), sep="\n")


def remove_checkpoints(name):
    """A run that is whole, and everything asked for made: its checkpoint has no use any more."""
    end = ".checkpoint.safetensors"
    for path in Path(f"results/{name}/runs").rglob(f"*{end}"):
        if (path.with_name(path.name.removesuffix(end)) / "run.json").exists():
            path.unlink()


if has_iemocap(CONFIG.dataset) and not CONFIG.iemocap_root:
    raise WorkflowError(
        "iemocap_root is not set: add `--config iemocap_root=/path/to/IEMOCAP_full_release` "
        "(the folder that holds Session1 .. Session5)"
    )
parts(CONFIG.dataset)
