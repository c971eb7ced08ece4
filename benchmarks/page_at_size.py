r"""Make synthetic results of IEMOCAP's size, and measure their page in a real browser.

    python benchmarks/page_at_size.py --out /tmp/sized                        # 10,039 utterances
    python benchmarks/page_at_size.py --out /tmp/sized --utterances 200 --seeds 2

Utterances by label as in IEMOCAP (5,531 take part), raters' lines of that form, comments that are
random words. Targets, decisions, nearest words, metrics, tables and figures are made by emoword's
own stages, from predictions that are the targets with noise. Nothing is trained, and there is no
audio: the numbers mean nothing, the sizes and times do. Prints one line a measurement, as Markdown.
"""

import argparse
import csv
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoword import cli
from emoword.io.files import write_json, write_table
from emoword.labels.encoding import encode, read_targets
from emoword.spaces.word_space import WordSpace
from emoword.training.split import split

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
WRITTEN = {
    "anger": "Anger",
    "happiness": "Happiness",
    "excitement": "Excited",
    "sadness": "Sadness",
    "neutral": "Neutral",
    "frustration": "Frustration",
    "fear": "Fear",
    "surprise": "Surprise",
    "disgust": "Disgust",
    "other": "Other",
}
CLASSES = ["anger", "happiness", "sadness", "neutral"]
NOUNS = ["excited=excitement"]
LOSSES = ["mse", "mae", "lc"]
TURNS = 36  # utterances of one speaker in a dialogue
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
    head = ["utterance", "wav", "speaker", "fold", "style", "label"]
    write_table(pd.DataFrame(utterances, columns=head), results / "utterances.csv")
    head = ["utterance", "rater", "role", "kind", "source", "text", "file", "line"]
    write_table(pd.DataFrame(annotations, columns=head), results / "annotations.csv")
    write_json({"reader": "synthetic"}, results / "corpus.json")


def train_nothing(results: Path, space: WordSpace, seeds: int, losses: Sequence[str]) -> list[Path]:
    """Write runs whose predictions are the targets with noise; returns their folders."""
    targets = {s: read_targets(results / f"targets/paper/{s}.csv") for s in ("S1", "S2", "S3")}
    table = pd.read_csv(results / "utterances.csv", keep_default_na=False)
    truth = targets["S1"].set_index("utterance")["word"]
    table = table[table["utterance"].isin(truth.index)]
    table = table.assign(label=truth.loc[table["utterance"]].to_numpy()).reset_index(drop=True)
    folders = []
    pairs = [(s, loss) for s in targets for loss in losses] + [("S1", "ce")]
    for label_set, loss in pairs:
        for fold in range(1, 6):
            for seed in range(seeds):
                rng = np.random.default_rng(
                    [int(label_set[1]), len(loss), ord(loss[1]), fold, seed]
                )
                parts = split(table, CLASSES, fold, 0.2, seed)
                tested = list(parts["utterance"][parts["part"] == "test"])
                if loss == "ce":
                    predictions = rng.standard_normal((len(tested), len(CLASSES)))
                else:
                    target = encode(targets[label_set], tested, space)
                    scale = target.std() * 0.9
                    predictions = target + scale * rng.standard_normal(target.shape)
                folder = results / f"runs/paper/{label_set}-{loss}/fold{fold}-seed{seed}"
                folder.mkdir(parents=True)
                np.save(folder / "predictions.npy", predictions.astype(np.float32))
                write_table(parts, folder / "split.csv")
                losses = 0.1 * np.exp(-np.arange(100) / 20) + 0.01 * rng.random((2, 100))
                history = {"epoch": range(1, 101)}
                history |= dict(zip(("train_loss", "validation_loss"), losses, strict=True))
                write_table(pd.DataFrame(history), folder / "history.csv")
                write_json(record(label_set, loss, fold, seed, folder), folder / "run.json")
                folders.append(folder)
    return folders


def record(label_set: str, loss: str, fold: int, seed: int, folder: Path) -> dict[str, object]:
    """A run.json of a run that never ran, with the keys that the stages read."""
    model = "baseline" if loss == "ce" else f"M{label_set[1]}"
    return {
        "variant": "paper",
        "model": model,
        "label_set": label_set,
        "loss": loss,
        "fold": fold,
        "seed": seed,
        "epochs": 100,
        "best_epoch": 80,
        "spread": 0.3,
        "collapsed": False,
        "utterances": {},
        "settings": {"features": "features/none", "out": str(folder)},
        "device": "none",
        "machine": platform.machine(),
        "versions": {"numpy": np.__version__},
        "classes": CLASSES,
    }


def make(out: Path, size: int, seeds: int, losses: Sequence[str] = LOSSES) -> Path:
    """Make the results and their page below ``out``; returns the page's folder."""
    templates = Path(__file__).parent.parent / "paper" / "templates"
    results, space_folder = out / "sized", out / "space"
    cli.main(["space", "--format", "embedded", "--out", str(space_folder)])
    space = WordSpace.open(space_folder)
    corpus(size, space, results)
    call = f"""targets --utterances {results}/utterances.csv --annotations {results}/annotations.csv
        --space {space_folder} --classes {" ".join(CLASSES)} --merge excitement=happiness
        --nouns {" ".join(NOUNS)} --drop other --comments categorical attribute --lowercase
        --spelling --out {results}/targets/paper"""
    cli.main(call.split())
    folders = list(map(str, train_nothing(results, space, seeds, losses)))
    of_lc = [folder for folder in folders if "-lc/" in folder]
    common = ["--targets", f"{results}/targets/paper", "--space", str(space_folder)]
    decisions, near = f"{results}/decisions/paper.csv", f"{results}/nearest/paper.csv"
    cli.main(["decide", "--runs", *folders, *common, "--out", decisions, "--nearest", near])
    neighbours, means = (f"{results}/neighbours/paper{end}.csv" for end in ("", "_means"))
    mixed = ["--neighbours", neighbours, "--means", means]
    cli.main(["neighbours", "--runs", *of_lc, *common, *mixed])
    cli.main(["evaluate", "--decisions", decisions, "--out", f"{results}/metrics.csv"])
    literature = templates.parent / "literature.csv"
    for number in range(1, 7):
        call = f"""table {number} --metrics {results}/metrics.csv --neighbours {neighbours}
            --literature {literature} --template {templates}/table.tex.j2 --dataset sized --synthetic
            --csv {results}/tables/table{number}.csv --tex {results}/tables/table{number}.tex
            --json {results}/tables/table{number}.json"""
        cli.main(call.split())
    drawn = {
        "confusion": ["--decisions", decisions],
        "neighbours": ["--neighbours", neighbours],
        "curves": ["--history", *(f"{folder}/history.csv" for folder in folders)],
    }
    for figure, inputs in drawn.items():
        files = [f"--{kind}={results}/figures/{figure}.{kind}" for kind in ("pdf", "png")]
        data = f"--data={results}/figures/{figure}.csv"
        cli.main(["figure", figure, *inputs, *files, data])
    page = ["--results", str(results), "--runs", *folders, *common, "--synthetic"]
    start = time.perf_counter()
    cli.main(["page", *page, "--out", f"{results}/report"])
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

        some = next(csv.DictReader((page.parent / "targets/paper/S1.csv").open()))["utterance"]
        repeat("interactive: overview", ready("#overview"))
        repeat("interactive: list of utterances", ready("#utterances"))
        repeat("interactive: list, filtered by free text", ready("#utterances?q=anger"))
        repeat("interactive: one utterance", ready(f"#utterance/{some}"))

        def in_page(script: str) -> Callable[[], float]:
            def once() -> float:
                tab = opened("#utterances")
                value = float(tab.evaluate(script))
                tab.close()
                return value

            return once

        repeat("filter by label, until it is drawn", in_page(FILTER))
        repeat("longest frame while scrolling through the list", in_page(SCROLL))
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
