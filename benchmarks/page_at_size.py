r"""Make synthetic results of IEMOCAP's size, and measure their page in a real browser.

    python benchmarks/page_at_size.py --out /tmp/sized                        # 10,039 utterances
    python benchmarks/page_at_size.py --out /tmp/sized --utterances 200 --seeds 2

Utterances by label as in IEMOCAP (5,531 take part), raters' lines of that form, comments that are
random words. Targets, decisions, nearest words, metrics, tables and figures are made by emoword's
own stages, from predictions that are the targets with noise. Nothing is trained, and there is no
audio: the numbers mean nothing, the sizes and times do. Prints one line a measurement, as Markdown.
"""

import argparse
import itertools
import json
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import torch

from emoword import cli, layout
from emoword.evaluation.decide import decide
from emoword.evaluation.evaluate import evaluate
from emoword.evaluation.neighbours import neighbours
from emoword.features.device import surroundings
from emoword.io.files import write_json, write_table
from emoword.labels.encoding import encode
from emoword.labels.label_sets import label_set
from emoword.labels.words import read_classes, read_label_sets
from emoword.layout import Parts, Place
from emoword.page.build import page as make_page
from emoword.schemas import ANNOTATIONS, UTTERANCES
from emoword.settings import Config, read_config
from emoword.spaces.word_space import WordSpace
from emoword.training.split import split
from emoword.training.train import described

PAPER = Path(__file__).parent.parent / "paper"
# IEMOCAP's labels (Busso et al. 2008; the first five are the paper's 5,531); "" has no majority
LABELS = {
    "anger": 1103,
    "happiness": 595,
    "excitement": 1041,
    "sadness": 1084,
    "neutral": 1708,
    "frustration": 1849,
    "fear": 40,
    "surprise": 107,
    "disgust": 2,
    "other": 3,
    "": 2507,
}
WRITTEN = {label: label.capitalize() for label in LABELS if label} | {"excitement": "Excited"}
LOSSES = ["mse", "mae", "lc"]
TURNS = 36  # utterances of one speaker in a dialogue
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def corpus(size: int, space: WordSpace, results: Path) -> None:
    """Write utterances.csv, annotations.csv and corpus.json for ``size`` utterances."""
    rng = np.random.default_rng(0)
    weights = np.array(list(LABELS.values())) / sum(LABELS.values())
    counts = np.maximum(1, np.round(weights * size).astype(int))
    counts[-1] += size - counts.sum()
    labels = rng.permutation(np.repeat(list(LABELS), counts))
    words = [space.word(i) for i in range(200, 3000)]
    names = list(WRITTEN)
    utterances, annotations = [], []
    for i, label in enumerate(labels):
        fold, turn = 1 + i * 5 // size, i % (2 * TURNS)
        sex, part = "FM"[turn % 2], f"Ses{fold:02d}F_impro{1 + i // (2 * TURNS) % 99:02d}"
        name = f"{part}_{sex}{turn // 2:03d}x{i:05d}"
        wav = f"corpus/Session{fold}/sentences/wav/{part}/{name}.wav"
        utterances.append((name, wav, f"Ses{fold:02d}{sex}", fold, "improvised", label))
        for rater in range(4):
            role, who = ("self", f"{sex}{fold}") if rater == 3 else ("observer", f"E{1 + rater}")
            agrees = label and rng.random() < 0.7
            said = WRITTEN[label if agrees else names[rng.integers(len(names))]]
            where = (f"corpus/Session{fold}/dialog/EmoEvaluation/{part}.txt", 4 + 8 * turn + rater)
            annotations.append((name, who, role, "label", "categorical", said, *where))
            if rng.random() < 0.3:
                text = str(words[rng.integers(len(words))])
                annotations.append((name, who, role, "comment", "attribute", text, *where))
    for rows, schema in ((utterances, UTTERANCES), (annotations, ANNOTATIONS)):
        write_table(pd.DataFrame(rows, columns=schema.needed), results / schema.file)
    write_json({"reader": "synthetic"}, results / "corpus.json")


def configuration(seeds: int, losses: Sequence[str]) -> Config:
    """The paper's settings, with the embedded word space."""
    chosen = {"space": "embedded", "upstream": "none", "losses": list(losses)}
    sized = {"kind": "demo", "folds": 5, "seeds": list(range(seeds)), "settings": chosen}
    return read_config(
        {
            "datasets": {"sized": sized},
            "spaces": {"embedded": {"format": "embedded"}},
            "upstreams": {"none": {"kind": "logmel"}},
        }
    )


def train_nothing(place: Place, parts: Parts, space: WordSpace) -> None:
    """Write runs whose predictions are the targets with noise."""
    targets = read_label_sets(place)
    classes = read_classes(place.targets("S1"))
    truth = targets["S1"].set_index("utterance")["word"]
    table = pd.read_csv(place.path("utterances.csv"), keep_default_na=False)
    table = table[table["utterance"].isin(truth.index)]
    table = table.assign(label=truth.loc[table["utterance"]].to_numpy()).reset_index(drop=True)
    folds = range(1, place.variant.folds + 1)
    for model, fold, seed in itertools.product(place.variant.models, folds, place.variant.seeds):
        key = [int(model.label_set[1]), len(model.loss), ord(model.loss[1]), fold, seed]
        rng = np.random.default_rng(key)
        parted = split(table, classes, fold, 0.2, seed)
        tested = list(parted["utterance"][parted["part"] == "test"])
        if model.loss == "ce":
            predictions = rng.standard_normal((len(tested), len(classes)))
        else:
            target = encode(targets[model.label_set], tested, space)
            scale = target.std() * 0.9
            predictions = target + scale * rng.standard_normal(target.shape)
        folder = place.path(layout.run_folder(model.folder, fold, seed))
        folder.mkdir(parents=True)
        np.save(folder / "predictions.npy", predictions.astype(np.float32))
        write_table(parted, folder / "split.csv")
        falling = 0.1 * np.exp(-np.arange(100) / 20) + 0.01 * rng.random((2, 100))
        history = {"epoch": range(1, 101)}
        history |= dict(zip(("train_loss", "validation_loss"), falling, strict=True))
        write_table(pd.DataFrame(history), folder / "history.csv")
        made_by = parts.models[Path(model.folder).name]
        record = described(made_by, fold, seed) | surroundings(torch.device("cpu"), 0)
        record |= {"epochs": 100, "best_epoch": 80, "spread": 0.3, "collapsed": False}
        record |= {"utterances": {}, "classes": classes, "settings": msgspec.to_builtins(made_by)}
        write_json(record, folder / "run.json")


def make(out: Path, size: int, seeds: int, losses: Sequence[str] = LOSSES) -> Path:
    """Make the results and their page below ``out``; returns the page's folder."""
    results, space = out / "sized", out / "spaces/embedded"
    cli.main(["space", "--format", "embedded", "--out", str(space)])
    corpus(size, WordSpace.open(space), results)
    parts = layout.parts_of(configuration(seeds, losses), "sized")
    variant = results / "variants/paper.json"
    variant.parent.mkdir()
    variant.write_text(layout.as_json(parts.variants["paper"]))
    place = layout.read_variant(variant)
    for name, made_by in parts.label_sets.items():
        folder = results / "targets" / name
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(layout.as_json(made_by))
        label_set(
            folder / "settings.json",
            utterances=results / "utterances.csv",
            annotations=results / "annotations.csv",
            space=space,
            out=folder,
        )
    train_nothing(place, parts, WordSpace.open(space))
    decisions, near = results / "decisions/paper.csv", results / "nearest/paper.csv"
    decide(variant, out=decisions, nearest=near)
    words = results / "neighbours/paper.csv"
    neighbours(variant, out=words, means=results / "neighbours/paper_means.csv")
    evaluate(decisions, out=results / "metrics.csv")
    for number in range(1, 7):
        call = f"""table {number} {variant} --literature {PAPER}/literature.csv
            --reported {PAPER}/reported.csv --template {PAPER}/templates/table.tex.j2
            --csv {results}/tables/table{number}.csv --tex {results}/tables/table{number}.tex
            --json {results}/tables/table{number}.json"""
        cli.main(call.split())
    drawn = {
        "confusion": ["--decisions", decisions],
        "neighbours": ["--neighbours", words],
        "curves": ["--history", *(run / "history.csv" for run in place.runs())],
    }
    for figure, inputs in drawn.items():
        files = [f"--{kind}={results}/figures/{figure}.{kind}" for kind in ("pdf", "png")]
        data = f"--data={results}/figures/{figure}.csv"
        cli.main(["figure", figure, *map(str, inputs), *files, data])
    start = time.perf_counter()
    make_page(variant, out=results / "report")
    print(f"page made in {time.perf_counter() - start:.1f} s")
    return results / "report"


def say(what: str, value: str) -> None:
    """Print a row of the table."""
    print(f"| {what} | {value} |", flush=True)


def sizes(page: Path) -> None:
    """Print what the page's files weigh."""
    kinds: dict[str, int] = {}
    for path in page.iterdir():
        name = "figures" if path.name.startswith("figure-") else path.name
        kinds[name] = kinds.get(name, 0) + path.stat().st_size
    for name, size in sorted(kinds.items(), key=lambda item: -item[1]):
        say(name, f"{size / 1e6:.2f} MB")
    say("all", f"{sum(kinds.values()) / 1e6:.2f} MB")


def measure(page: Path, times: int) -> None:
    """Open the page in Chromium, ``times`` times each, and print medians and extremes."""
    from playwright.sync_api import Page, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        say("browser", f"Chromium {browser.version}")

        def opened(address: str) -> Page:
            tab = browser.new_page(viewport={"width": 1280, "height": 860})
            tab.goto((page / "index.html").resolve().as_uri() + address)
            tab.wait_for_selector("html[data-ready]")
            return tab

        def repeat(what: str, once: Callable[[], float]) -> None:
            found = [once() for _ in range(times)]
            middle = statistics.median(found)
            say(what, f"{middle:.0f} ms ({min(found):.0f} to {max(found):.0f}, {times} times)")

        def ready(address: str) -> Callable[[], float]:
            def once() -> float:
                tab = opened(address)
                value = float(tab.evaluate("document.documentElement.dataset.ready"))
                tab.close()
                return value

            return once

        (words,) = page.parent.glob("targets/S1-*/words.csv")
        some = pd.read_csv(words)["utterance"].iloc[0]
        repeat("interactive: overview", ready("#overview"))
        repeat("interactive: list of utterances", ready("#utterances"))
        repeat("interactive: list, filtered by free text", ready("#utterances?q=anger"))
        repeat("interactive: one utterance", ready(f"#utterance/{some}"))
        repeat("interactive: map", ready("#map"))

        def in_page(script: str, address: str = "#utterances") -> Callable[[], float]:
            def once() -> float:
                tab = opened(address)
                value = float(tab.evaluate(script))
                tab.close()
                return value

            return once

        repeat("filter by label, until it is drawn", in_page(FILTER))
        repeat("longest frame while scrolling through the list", in_page(SCROLL))
        repeat("query of the map by a word, until it is drawn", in_page(QUERY, "#map"))
        repeat("longest frame while hovering over the map", in_page(HOVER, "#map"))
        browser.close()


FILTER = """async () => {
  const before = document.querySelector("#utterances .dt-info").textContent;
  const select = document.querySelector("#filters [name=label]");
  const start = performance.now();
  select.value = "sadness";
  select.dispatchEvent(new Event("input", { bubbles: true }));
  while (document.querySelector("#utterances .dt-info").textContent === before)
    await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""
SCROLL = """async () => {
  const body = document.querySelector("#utterances .dt-scroll-body");
  let longest = 0, last = performance.now();
  for (let step = 0; step < 120; step++) {
    body.scrollTop += body.scrollHeight / 120;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}"""
QUERY = """async () => {
  const form = document.getElementById("ask");
  const start = performance.now();
  form.elements.q.value = "relief";
  form.requestSubmit();
  while (!document.querySelector("#answer table")) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""
HOVER = """async () => {
  const canvas = document.getElementById("space");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  let longest = 0, last = performance.now();
  for (let step = 0; step < 120; step++) {
    const clientX = left + width * step / 120;
    const clientY = top + height * (0.5 + 0.3 * Math.sin(step));
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}"""


def main() -> None:
    """Make, weigh, measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for results and page")
    parser.add_argument("--utterances", type=int, default=sum(LABELS.values()))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--times", type=int, default=7, help="of each measurement")
    parser.add_argument("--page", type=Path, help="measure this page; make nothing")
    arguments = parser.parse_args()
    page = arguments.page or make(arguments.out, arguments.utterances, arguments.seeds)
    print("\n| what | |\n|---|---|")
    sizes(page)
    measure(page, arguments.times)
    print(json.dumps({"machine": platform.platform(), "python": platform.python_version()}))


if __name__ == "__main__":
    main()
