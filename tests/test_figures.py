"""`emoword figure`: the numbers, the same bytes, texts that may be anything, what is missing."""

import json
import os
import re
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from emoword import cli
from emoword.figures import map as map_figure
from emoword.figures.style import (
    COLOURS,
    MODELS,
    Output,
    fitting,
    house_style,
    printable,
    text_width,
    wrapped,
)
from emoword.io.files import read_table
from emoword.reproduction.unseen_figure import METRICS as UNSEEN
from emoword.reproduction.unseen_figure import SHOWN
from emoword.spaces.neighbours import nearest_words
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

EMOTIONS = ["anger", "neutral", "happiness", "sadness"]
NEAR = [*EMOTIONS, "rage", "joy", "grief", "calm", "fury", "delight", "sorrow", "flat"]
HOSTILE = ["sad$ness_^{", "\\alpha$x$", "a" * 300, "W" * 40, "שלום", "مرحبا", "\x07bell\x1b[31m"]
HOSTILE += [
    "漢字😀",
    "e" + "\u0301" * 40,
    "\u202ereversed",
    "$",
    "=cmd(),\"'",
    "\u2028line",
    "%#&~",
]
DIM = 12
ENDS = (" low", "", " high")  # of an interval
SENTENCE = "synthetic demo: says nothing about the paper"
Inputs = dict[str, list[str]]
KEYS = ["variant", "model", "loss"]
HEADERS = {
    "neighbours": ["kind", *KEYS, "collapsed", "name", "words", "rank", "word", "similarity"],
    "means": [*KEYS, "name", *(f"v{i}" for i in range(DIM))],
    "decisions": [*KEYS, "fold", "seed", "collapsed", "utterance", "true", "predicted"],
    "nearest": ["variant", "of", "fold", "seed", "utterance", *(f"word {i}" for i in range(1, 6))],
    "claims": ["claim", "place", "says", "margin"],
    "parts": ["claim", "what", "measure", "value", "low", "high", "verdict"],
}


def write_inputs(
    folder: Path, models: Sequence[str], labels: Sequence[str], words: Sequence[str]
) -> Inputs:
    """The inputs of each kind of figure, of two folds; returns its options by kind."""
    rng = np.random.default_rng(2)
    # words in four clusters, so that each label has near words
    centres = np.tile(rng.normal(size=(4, DIM)), (len(words), 1))[: len(words)]
    vectors = (centres + 0.6 * rng.normal(size=centres.shape)).astype(np.float32)
    write_space([([w.encode() for w in words], vectors)], folder / "space", {})
    space = WordSpace.open(folder / "space")
    rows: dict[str, list[Any]] = {name: [] for name in HEADERS}
    for model, fold in [(model, fold) for model in models for fold in (1, 2)]:
        loss = "ce" if model == "baseline" else "lc"
        write_run(folder / "runs" / f"{model}-{loss}" / f"fold{fold}", model, loss, fold)
        predicted = rng.normal(size=(40, DIM)).astype(np.float32)
        np.save(folder / "runs" / f"{model}-{loss}" / f"fold{fold}" / "predictions.npy", predicted)
        for i, (true, other) in enumerate(rng.choice(labels, (40, 2))):
            answer = true if rng.random() < 0.5 else other
            rows["decisions"].append(["paper", model, loss, fold, 1, 0, f"u{i}", true, answer])
            near = [space.word(k) for k in nearest_words(space, predicted[i : i + 1], 5)[0][0]]
            rows["nearest"].append(["paper", model, fold, 1, f"u{i}", *near])
    for model, label in [(m, label) for m in models if m != "baseline" for label in labels]:
        mean = space.vectors_of([label])[0] + rng.normal(size=DIM) * 0.5
        rows["means"].append(["paper", model, "lc", label, *mean])
        found = zip(*(each[0] for each in nearest_words(space, mean[None], 6)), strict=True)
        for rank, (i, cosine) in enumerate(found, 1):
            row = ["prediction", "paper", model, "lc", "", label, "", rank, space.word(i), cosine]
            rows["neighbours"].append(row)
    for label_set, target in zip(("S1", "S2", "S3"), (words[0], *words[4:6]), strict=True):
        found = zip(
            *(each[0] for each in nearest_words(space, space.vectors_of([target]), 6)), strict=True
        )
        for rank, (i, cosine) in enumerate(found, 1):
            row = ["target", "paper", "", "", "", label_set, f"{target}:2 {words[1]}:1", rank]
            rows["neighbours"].append([*row, space.word(i), cosine])
    for i, (claim, margin) in enumerate(zip("abcd", ("", 0.02, 0.01, ""), strict=True)):
        rows["claims"].append([claim, words[i], " ".join(words[i::4]), margin])
    measures = {"a": ["class UA", "class WA"], "b": ["class UA"], "c": ["S2 cosine", "S3 cosine"]}
    for claim, name in [(claim, name) for claim, names in measures.items() for name in names]:
        for i, (value, reach) in enumerate(rng.normal(size=(5, 2)) / 30):
            ends = (value, value - abs(reach), value + abs(reach))
            verdict = ["supported", "contradicted", "undecided"][i % 3]
            rows["parts"].append([claim, f"{words[i]} - {words[i + 1]}", name, *ends, verdict])
    rows["parts"].append(["a", "one speaker - no interval", "class UA", 0.01, "", "", "undecided"])
    rows["parts"].append(["d", "a word", "", "", "", "", "supported"])
    listed = [
        {"emotion": word, "how": how, "model": "M1 LC"}
        | {f"{metric}{end}": 0.4 + i / 10 for metric in UNSEEN for i, end in enumerate(ENDS)}
        for word in labels
        for how in SHOWN
    ]
    pd.DataFrame(listed).to_csv(folder / "tableA5.csv", index=False)
    option = {name: [f"--{name}", f"{folder}/{name}.csv"] for name in HEADERS}
    for name, columns in HEADERS.items():
        pd.DataFrame(rows[name], columns=columns).to_csv(option[name][1], index=False)
    (folder / "frames").mkdir()
    (folder / "frames" / "meta.json").write_text('{"dim": 80}')
    spaced = ["--space", f"{folder}/space"]
    runs = sorted(str(path) for path in folder.glob("runs/M*/*"))
    return {
        "network": ["--features", f"{folder}/frames", *spaced],
        "neighbours": option["neighbours"] + option["nearest"] + option["decisions"],
        "map": [*option["neighbours"], *option["means"], *spaced, "--runs", *runs],
        "targets": option["neighbours"],
        "confusion": option["decisions"],
        "curves": ["--history", *sorted(map(str, folder.glob("runs/*/*/history.csv")))],
        "claims": option["claims"] + option["parts"],
        "unseen": ["--table", f"{folder}/tableA5.csv"],
    }


def write_run(folder: Path, model: str, loss: str, fold: int, **more: object) -> Path:
    """A run whose validation loss is lowest in epoch 5 + fold."""
    folder.mkdir(parents=True)
    record = {"model": model, "loss": loss, "fold": fold, "seed": 1, **more}
    (folder / "run.json").write_text(json.dumps(record))
    epochs = np.arange(1, 8 + 3 * fold)
    history = pd.DataFrame({"epoch": epochs, "train_loss": 1 / epochs})
    history["validation_loss"] = 0.3 + (epochs - 5 - fold) ** 2 / 50
    history.to_csv(folder / "history.csv", index=False)
    utterances = "".join(f"u{i},test\n" for i in range(40))
    (folder / "split.csv").write_text(f"utterance,part\n{utterances}")
    return folder / "history.csv"


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return write_inputs(tmp_path_factory.mktemp("whole"), MODELS, EMOTIONS, NEAR)


@pytest.fixture(scope="session")
def hostile_inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Own recordings (M1 and the baseline) with labels and words that are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    return write_inputs(folder, ["M1", "baseline"], ["anger", *HOSTILE[:5]], ["anger", *HOSTILE])


class Drawn(NamedTuple):
    """What `emoword figure` made."""

    figure: Figure
    numbers: pd.DataFrame
    path: Path  # without its suffix

    def texts(self) -> list[str]:
        return [text.get_text() for text in texts_of(self.figure)]


def command(kind: str, options: Sequence[str], path: Path) -> list[str]:
    files = ["--pdf", f"{path}.pdf", "--png", f"{path}.png", "--data", f"{path}.csv"]
    return ["figure", kind, *options, *files, "--title-note", SENTENCE]


def draw(kind: str, options: Sequence[str], path: Path) -> Drawn:
    """Run `emoword figure`; a warning is an error."""
    made: list[tuple[Figure, pd.DataFrame]] = []
    publish = Output.publish

    def kept(out: Output, draw: Callable[[pd.DataFrame], Figure], numbers: pd.DataFrame) -> None:
        def keep(numbers: pd.DataFrame) -> Figure:
            made.append((draw(numbers), numbers))
            return made[0][0]

        publish(out, keep, numbers)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(Output, "publish", kept)
        cli.main(command(kind, options, path))
    return Drawn(*made[0], path)


def numbers(kind: str, options: Sequence[str]) -> pd.DataFrame:
    """The numbers that a figure would show; nothing is drawn."""
    made: list[pd.DataFrame] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Output, "publish", lambda _out, _draw, table: made.append(table))
        cli.main(command(kind, options, Path("unused")))
    return made[0]


def refusal(kind: str, options: Sequence[str], path: Path = Path("unused")) -> str:
    """What the command line says of a mistake: one line."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(command(kind, options, path))
    assert "\n" not in str(stopped.value.code)
    return str(stopped.value.code)


Draw = Callable[[str, str], Drawn]


@pytest.fixture(scope="session")
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """Each figure of `inputs` and of `hostile_inputs`, drawn once."""

    @cache
    def draw_once(kind: str, which: str) -> Drawn:
        options = request.getfixturevalue(which)[kind]
        return draw(kind, options, tmp_path_factory.mktemp(which) / kind)

    return draw_once


def texts_of(figure: Figure) -> list[Text]:
    """All texts that are to be seen."""
    figure.draw_without_rendering()
    ticks = set()
    for axes in figure.findobj(Axes):
        assert isinstance(axes, Axes)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high or not axes.axison:
                    ticks |= {tick.label1, tick.label2}
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    return [text for text in texts if text.get_visible() and text not in ticks]


# --- the numbers -------------------------------------------------------------------------------


def test_confusion_counts_as_scikit_learn_does(inputs: Inputs) -> None:
    from sklearn.metrics import confusion_matrix

    table = numbers("confusion", inputs["confusion"])
    decisions = pd.read_csv(inputs["confusion"][1])
    assert list(dict.fromkeys(table["model"])) == list(MODELS)
    for model, own in decisions.groupby("model"):
        rows = table[table["model"] == model]
        for column, normalise in (("count", None), ("share", "true")):
            expected = confusion_matrix(
                own["true"], own["predicted"], labels=EMOTIONS, normalize=normalise
            )
            found = rows[column].to_numpy().reshape(4, 4)
            np.testing.assert_allclose(found, expected, atol=5e-7)
        assert set(rows["runs"]) == {2}


def test_confusion_says_ua_and_what_collapsed(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    rows = ["M1,mse,1,1,0,u1,anger,anger", "M1,lc,1,1,0,u1,anger,anger"]
    rows += ["M1,lc,1,1,0,u2,anger,anger", "M1,lc,2,1,1,u3,sadness,anger"]
    rows += ["M1,lc,2,1,1,u4,calm,anger", "baseline,ce,1,1,0,u1,anger,sadness"]
    path.write_text("\n".join([",".join(HEADERS["decisions"]), *(f"p,{row}" for row in rows), ""]))
    made = draw("confusion", ["--decisions", str(path)], tmp_path / "figure")
    table = made.numbers.set_index(["model", "true", "predicted"])
    assert tuple(table.loc[("M1", "anger", "anger"), ["count", "share"]]) == (2, 1)
    assert tuple(table.loc[("M1", "sadness", "anger"), ["count", "share"]]) == (1, 1)
    assert table["share"].isna()["baseline", "sadness", "sadness"]
    # the mean of the recalls 1, 0, 0; of a label without utterances there is none
    assert {"M1: UA 33.3", "baseline: UA 0.0"} <= set(made.texts())
    (note,) = [text for text in made.texts() if "Collapsed" in text]
    assert "Collapsed runs: M1 1 of 2." in note
    assert "M1 predicts anger for every utterance." in note


def test_map_is_scikit_learns_pca_of_unit_vectors(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.decomposition import PCA

    monkeypatch.setattr(map_figure, "CLOUD", 30)  # of 80 predictions of a model every third
    options = inputs["map"]
    table = numbers("map", [*options, "--words", "2"])
    kinds = dict(list(table.groupby("kind", sort=False)))
    words = pd.concat([kinds["label"], kinds["neighbour"]])
    space = WordSpace.open(Path(options[5]))
    means = pd.read_csv(options[3]).set_index(["model", "name"])
    order = list(kinds["prediction"][["model", "name"]].itertuples(index=False, name=None))
    clouds = [
        np.concatenate([np.load(f"{run}/predictions.npy") for run in options[7 + k :][:2]])[::3]
        for k in (0, 2, 4)
    ]
    vectors = [
        space.vectors_of(list(words["name"])),
        means.loc[order].filter(like="v").iloc[:, -DIM:].to_numpy(),
        *clouds,
    ]
    scaled = [np.float64(v) / np.linalg.norm(np.float64(v), axis=1)[:, None] for v in vectors]
    pca = PCA(n_components=2).fit(scaled[0])
    expected, found = pca.transform(np.concatenate(scaled)), table[["x", "y"]].to_numpy()
    sign = np.sign((expected * found).sum(axis=0))
    np.testing.assert_allclose(found, expected * sign, atol=2e-6)
    shares = table[["x_variance", "y_variance"]].iloc[0]
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_, atol=1e-6)
    # the labels, the words near them, and those near the mean predictions
    every = space.vectors / np.linalg.norm(space.vectors, axis=1)[:, None]
    near = pd.read_csv(options[1]).query("kind == 'prediction' and rank <= 2")
    shown = {space.word(int(i)) for row in scaled[0][:4] for i in np.argsort(-every @ row)[:3]}
    assert set(words["name"]) == shown | set(near["word"])
    assert list(kinds["label"]["name"]) == EMOTIONS


def test_neighbours_shows_words_similarities_and_shares(inputs: Inputs) -> None:
    table = numbers("neighbours", [*inputs["neighbours"], "--words", "2"])
    keys = list(table[["emotion", "model", "rank"]].itertuples(index=False, name=None))
    assert keys == [(e, m, r) for e in EMOTIONS for m in MODELS[:3] for r in (1, 2)]
    near, nearest, decisions = (pd.read_csv(inputs["neighbours"][i]) for i in (1, 3, 5))
    near = near[near["kind"] == "prediction"].set_index(["name", "model", "rank"]).loc[keys]
    assert list(table["word"]) == list(near["word"])
    np.testing.assert_array_equal(table["similarity"], near["similarity"])
    run = ["model", "fold", "utterance"]
    joined = decisions.merge(nearest.rename(columns={"of": "model"}), on=run)
    for row in table.to_dict("records"):
        own = joined[(joined["model"] == row["model"]) & (joined["true"] == row["emotion"])]
        share = (own[["word 1", "word 2"]] == row["word"]).any(axis=1).mean()
        assert row["share"] == pytest.approx(share, abs=1e-6)
    assert numbers("neighbours", inputs["neighbours"][:2])["share"].isna().all()


def test_targets_shows_their_words_and_the_nearest(drawn: Draw, inputs: Inputs) -> None:
    made = drawn("targets", "inputs")
    rows = pd.read_csv(inputs["targets"][1], keep_default_na=False)
    rows = rows[(rows["kind"] == "target") & (rows["rank"].astype(int) <= 5)]
    assert list(made.numbers["word"]) == list(rows["word"])
    assert list(dict.fromkeys(made.numbers["label_set"])) == ["S1", "S2", "S3"]
    own = made.numbers[made.numbers["own"]]
    assert set(own["word"]) <= {"anger", "neutral", "rage", "joy"}
    titles = [axes.get_title() for axes in made.figure.axes]
    assert titles == ["S1: anger ×2, neutral", "S2: neutral, rage ×2", "S3: joy ×2, neutral"]
    dots = np.concatenate([axes.lines[0].get_xdata() for axes in made.figure.axes])
    np.testing.assert_allclose(dots, rows["similarity"].astype(float))


def test_claims_shows_the_differences_with_their_claims(drawn: Draw, inputs: Inputs) -> None:
    made = drawn("claims", "inputs")
    assert len(made.numbers) == 5 * (2 + 1 + 2) + 1  # not the word
    margins = made.numbers.groupby("claim")["margin"].first()
    assert margins.to_dict() == {"a": 0, "b": 0.02, "c": 0.01}
    assert any(text.startswith("percentage points") for text in made.texts())
    assert any(text.startswith("cosine similarity") for text in made.texts())
    # a difference above zero, on the right, is the first one's advantage: its name stands there
    first, *_ = made.figure.axes
    assert [label.get_text() for label in first.get_yticklabels()][:2] == NEAR[1:3]
    (right,) = first.child_axes
    assert [label.get_text() for label in right.get_yticklabels()][:2] == NEAR[:2]
    assert right.yaxis.get_ticks_position() == "right"


def test_claims_without_differences_say_so(inputs: Inputs, tmp_path: Path) -> None:
    path = tmp_path / "parts.csv"
    options = [*inputs["claims"][:3], str(path)]
    parts = pd.read_csv(inputs["claims"][3])
    parts[parts["claim"] == "d"].to_csv(path, index=False)
    texts = draw("claims", options, tmp_path / "figure").texts()
    assert any("No claim about a difference" in text for text in texts)
    parts.assign(claim="z").to_csv(path, index=False)
    assert "z is not in" in refusal("claims", options)


def test_curves_take_the_run_from_its_json(tmp_path: Path) -> None:
    kinds = (("M3", "lc", True), ("baseline", "ce", False), ("M2", "mae", False))
    paths = [write_run(tmp_path / m, m, loss, 2, collapsed=gone) for m, loss, gone in kinds]
    for path in paths:
        path.write_text("epoch,train_loss,validation_loss\n1,3,2.5\n2,2,1.5\n3,1,1.5\n4,0,inf\n")
    made = draw("curves", ["--history", *map(str, paths)], tmp_path / "figure")
    runs = made.numbers.drop_duplicates("model").iloc[:, 1:6].to_numpy().tolist()
    assert runs == [
        ["M2", "mae", 2, 1, False],
        ["M3", "lc", 2, 1, True],
        ["baseline", "ce", 2, 1, False],
    ]
    # of two equal losses the first epoch is the best, as in training
    assert list(made.numbers.loc[made.numbers["best"], "epoch"]) == [2, 2, 2]
    assert any("Collapsed runs: M3 (log-cosh) 1 of 1." in text for text in made.texts())


def test_curves_mean_ends_with_the_shortest_run(drawn: Draw) -> None:
    axes = drawn("curves", "inputs").figure.axes[0]
    assert axes.get_title() == "log-cosh"
    own = [line for line in axes.lines if line.get_color() == COLOURS["M2"]]
    (line,) = [each for each in own if each.get_linewidth() > 1 and each.get_linestyle() == "-"][:1]
    epochs = np.arange(1, 11)
    runs = [0.3 + (epochs - 5 - fold) ** 2 / 50 for fold in (1, 2)]
    np.testing.assert_array_equal(line.get_xdata(), epochs)
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), np.mean(runs, axis=0))
    (dots,) = [each for each in own if each.get_marker() == "o"]
    np.testing.assert_array_equal(dots.get_xdata(), [6, 7])


def test_network_shapes_are_those_of_the_network(inputs: Inputs) -> None:
    import torch

    from emoword.settings import NetworkSettings
    from emoword.training.network import Network

    options = "--channels 5 6 9 --kernels 5 3 3 --pools 3 2 1 --lstm 4 --hidden 11 12"
    table = numbers("network", [*options.split(), *inputs["network"]])
    shape = NetworkSettings(
        channels=(5, 6, 9), kernels=(5, 3, 3), pools=(3, 2, 1), lstm=4, hidden=(11, 12)
    )
    network = Network(80, DIM, shape, "none").eval()
    frames = 41
    seen: list[tuple[int, ...]] = [(frames, 80)]
    for module in network.convolutions:
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out[0][0].shape)))
    for module in [*network.recurrent, *network.dense, network.output]:
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out[0].shape)))
    with torch.no_grad():
        network(torch.zeros(1, frames, 80), torch.tensor([frames]))
    rows: list[Any] = table[table["layer"] != "mean"].to_dict("records")
    found = [
        (row["width"],) if pd.isna(row["pooled"]) else (frames // row["pooled"], row["width"])
        for row in rows
    ]
    assert found == seen


def test_network_is_drawn_as_in_the_paper(drawn: Draw) -> None:
    texts = drawn("network", "inputs").texts()
    # as the paper's Figure 1 has it; pooling widths are ours, and a last BLSTM has no dropout
    stack = ["CNN-MP", "CNN-MP", "CNN", "BLSTM", "BLSTM", "MoT", "FC", "FC", "O"]
    assert [text for text in texts if text in stack][-9:] == stack
    sizes = ["hu=96, kw=15, mp=2", "hu=256, kw=5, mp=2", "hu=256, kw=3", "hu=64, do=0.5", "hu=64"]
    assert [t for t in texts if t.startswith("hu=")] == [*sizes, *["hu=1024, do=0.5"] * 2]
    assert {"(a) Network modules", "(b) Model", "Mean over Time"} <= set(texts)
    assert SENTENCE not in texts


# --- the files ---------------------------------------------------------------------------------


def test_same_input_same_bytes(drawn: Draw, inputs: Inputs, tmp_path: Path) -> None:
    """In another process, with another hash seed and with a matplotlibrc of the user's."""
    (tmp_path / "rc").write_text("axes.facecolor: red\nfont.size: 20\nlines.linewidth: 9\n")
    calls = [command(kind, inputs[kind], tmp_path / kind) for kind in ("map", "curves")]
    code = "import json, sys; from emoword import cli; [cli.main(c) for c in json.load(sys.stdin)]"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        input=json.dumps(calls).encode(),
        env={**os.environ, "PYTHONHASHSEED": "12", "MATPLOTLIBRC": str(tmp_path / "rc")},
    )
    for kind, suffix in [(k, s) for k in ("map", "curves") for s in (".pdf", ".png", ".csv")]:
        here = drawn(kind, "inputs").path.with_suffix(suffix)
        assert here.read_bytes() == (tmp_path / f"{kind}{suffix}").read_bytes(), here.name


@pytest.mark.parametrize("kind", cli.FIGURES)
def test_the_files_are_for_print(kind: str, drawn: Draw) -> None:
    made = drawn(kind, "inputs")
    pdf = made.path.with_suffix(".pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"/Subtype /Image" not in pdf  # vectors only
    ((width, _),) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    centimetres = 8 if kind == "network" else 17
    assert float(width) / 72 * 2.54 == pytest.approx(centimetres, abs=0.01)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    text = b"".join(zlib.decompress(stream) for stream in streams)
    sizes = set(map(float, re.findall(rb" ([\d.]+) Tf", text)))
    assert sizes <= {7, 8}
    assert 8 in sizes
    fonts = {name.split(b"+")[-1] for name in re.findall(rb"/BaseFont /([^\s/]+)", pdf)}
    assert b"STIXGeneral-Regular" in fonts
    others = {font for font in fonts if not font.startswith(b"STIXGeneral")}
    assert others <= {b"DejaVuSans"}  # for what the first one lacks
    with Image.open(made.path.with_suffix(".png")) as image:
        assert image.info["dpi"][0] == pytest.approx(200, abs=0.1)
        assert "Software" not in image.info
    names = sorted(path.name for path in made.path.parent.iterdir())
    assert names == [f"{kind}.{suffix}" for suffix in ("csv", "pdf", "png")]
    found = read_table(made.path.with_suffix(".csv"), list(made.numbers.columns))
    assert len(found) == len(made.numbers)


# --- what is hostile, missing, malformed -------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "column"), [("map", "name"), ("neighbours", "emotion"), ("confusion", "true")]
)
def test_hostile_words_and_only_m1(kind: str, column: str, drawn: Draw) -> None:
    made = drawn(kind, "hostile_inputs")
    # the CSV has the words as they are
    table = read_table(made.path.with_suffix(".csv"), [])
    assert {"anger", *HOSTILE[:5]} <= set(table[column])
    assert {"sad$ness_^{", "\\alpha$x$"} <= set(made.texts())
    assert any("Not in the input, so not shown: M2, M3." in text for text in made.texts())


@pytest.mark.parametrize("which", ["inputs", "hostile_inputs"])
@pytest.mark.parametrize("kind", cli.FIGURES)
def test_no_text_is_cut_off_or_under_another(kind: str, which: str, drawn: Draw) -> None:
    figure = drawn(kind, which).figure
    texts = texts_of(figure)
    boxes = {text: Text.get_window_extent(text) for text in texts}
    for text, box in boxes.items():  # upwards and downwards the page grows
        assert box.x0 > -1, text.get_text()
        assert box.x1 < figure.bbox.width + 1, text.get_text()
    level = [text for text in texts if text.get_rotation() in (0, 90)]
    for one, two in combinations(level, 2):
        # boxes have the room for ascenders and descenders: a few pixels are no overlap
        assert min(shared(boxes[one], boxes[two])) < 6, (one.get_text(), two.get_text())
    # the network and the targets are not about speech
    assert (SENTENCE in drawn(kind, which).texts()) == (kind not in ("network", "targets"))


def shared(a: Bbox, b: Bbox) -> tuple[float, float]:
    """How far two boxes overlap, in pixels."""
    return min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_words_of_the_map_keep_off_each_other_and_off_dots(seed: int) -> None:
    """Off each other always; off dots where there is room, as here."""
    points = np.random.default_rng(seed).uniform(0, 1, (16, 2))
    kinds = ["label"] * 4 + ["neighbour"] * 8 + ["prediction"] * 4
    table = pd.DataFrame({"kind": kinds, "name": [*NEAR, *EMOTIONS]})
    table = table.assign(x=points[:, 0], y=points[:, 1], model="M1", x_variance=0.5, y_variance=0.2)
    with house_style():
        figure = map_figure.draw(table)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert len(boxes) == len(NEAR)
    assert all(min(shared(a, b)) <= 0 for a, b in combinations(boxes, 2))
    dots = axes.transData.transform(points)
    assert not any(box.padded(-2).contains(*dot) for box in boxes for dot in dots)


def test_a_mean_without_direction_leaves_a_note(tmp_path: Path) -> None:
    options = write_inputs(tmp_path, ["M1"], EMOTIONS, NEAR)
    means = pd.read_csv(tmp_path / "means.csv")
    means.loc[1, "v3"] = np.nan
    means.loc[3, [f"v{i}" for i in range(DIM)]] = 0
    means.to_csv(tmp_path / "means.csv", index=False)
    near = pd.read_csv(tmp_path / "neighbours.csv")
    near.loc[near["name"] == "happiness", "similarity"] = np.nan
    near.to_csv(tmp_path / "neighbours.csv", index=False)
    texts = draw("map", options["map"], tmp_path / "map").texts()
    note = "Without a mean prediction, so not shown: M1 neutral, M1 sadness."
    assert any(note in text for text in texts)
    texts = draw("neighbours", options["neighbours"], tmp_path / "near").texts()
    assert texts.count("no predictions") == 1


def test_a_map_of_equal_words_is_a_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_figure, "ROUNDS", 20)
    words = ["anger", *(f"another{i}" for i in range(40))]
    options = [*write_inputs(tmp_path, ["M1"], ["anger"], words)["map"], "--words", "40"]
    vectors = np.ones((len(words), DIM), np.float32)
    write_space([([word.encode() for word in words], vectors)], tmp_path / "space", {})
    made = draw("map", options, tmp_path / "figure")
    points = made.numbers[made.numbers["kind"].isin(["label", "neighbour"])]
    assert not points[["x", "y", "x_variance", "y_variance"]].to_numpy().any()
    placed = len(set(made.texts()).intersection(words))
    assert 5 < placed < 41
    note = f"{41 - placed} words without room for their text are dots only."
    assert any(note in text for text in made.texts())


def test_a_label_without_a_direction_is_named(tmp_path: Path) -> None:
    options = write_inputs(tmp_path, ["M1"], ["anger"], NEAR)["map"]
    vectors = np.eye(len(NEAR), DIM, dtype=np.float32)
    vectors[0] = 0
    write_space([([word.encode() for word in NEAR], vectors)], tmp_path / "space", {})
    assert "label 'anger' is zero" in refusal("map", options)


PREDICTION = "prediction,p,M1,lc,,a,,1,w,0.5"
MALFORMED = [
    ("confusion", None, "no such file"),
    ("confusion", [], "no rows of models with loss 'lc'"),
    ("confusion", ["p,M1,mse,1,1,0,u,a,b"], "no rows of models with loss 'lc'"),
    ("confusion", ["p,M4,lc,1,1,0,u,a,b"], "unknown model 'M4'"),
    ("confusion", ["p,M1,l1,1,1,0,u,a,b"], "unknown loss 'l1'"),
    ("confusion", ["p,M1,lc,1,1,0,u,a,b", "q,M1,lc,1,1,0,u,a,b"], "several variants: p, q"),
    ("neighbours", [PREDICTION.replace("1,w", "one,w")], "column rank"),
    ("neighbours", [PREDICTION, PREDICTION], "line 3: a rank occurs twice"),
    ("curves", [], "has no epochs"),
    ("curves", ["1,1,2"], "run.json: no such file"),
]


@pytest.mark.parametrize(("kind", "rows", "message"), MALFORMED)
def test_malformed_input_is_named(
    kind: str, rows: list[str] | None, message: str, tmp_path: Path
) -> None:
    option = {"confusion": "decisions", "curves": "history"}.get(kind, kind)
    header = HEADERS.get(option, ["epoch", "train_loss", "validation_loss"])
    path = tmp_path / "in" / "input.csv"
    path.parent.mkdir()
    if rows is not None:
        path.write_text("\n".join([",".join(header), *rows, ""]))
    said = refusal(kind, [f"--{option}", str(path)], tmp_path / "figure")
    assert message in said
    assert str(path.parent) in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def test_means_of_another_space_or_given_twice_are_named(inputs: Inputs, tmp_path: Path) -> None:
    means = pd.read_csv(inputs["map"][3], dtype=str)
    options = [*inputs["map"][:3], str(tmp_path / "means.csv"), *inputs["map"][4:]]
    means.assign(v12="0.5").to_csv(options[3], index=False)
    assert "than the word space, which has 12" in refusal("map", options)
    means.assign(name="anger").to_csv(options[3], index=False)
    assert "line 3: this model and name were there before" in refusal("map", options)


def test_runs_and_sizes_that_do_not_fit_are_named(inputs: Inputs, tmp_path: Path) -> None:
    twice = next(path for path in inputs["curves"] if "M1" in path)
    assert "the run of model M1, loss lc, fold 1, seed 1 is given" in refusal(
        "curves", [*inputs["curves"], twice]
    )
    other = str(write_run(tmp_path / "run", "M1", "mse", 1).parent)
    np.save(f"{other}/predictions.npy", np.zeros((40, DIM), np.float32))
    assert "is not a run of loss 'lc'" in refusal("map", [*inputs["map"], other])
    (tmp_path / "run" / "run.json").write_text('{"model": "M1", "loss": "lc", "fold": 1}')
    assert "no key seed" in refusal("curves", ["--history", f"{other}/history.csv"])
    for options in ("--channels 96 256", "--hidden 0", "--dropout 1", "--chanels 1 2 3"):
        assert "the network: " in refusal("network", [*options.split(), *inputs["network"]])


def test_no_words_are_an_error_of_usage(inputs: Inputs, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(command("map", ["--words", "0", *inputs["map"]], Path("unused")))
    assert stopped.value.code == 2
    assert "for --words. Must be >= 1" in capsys.readouterr().err


# --- texts -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.floats(20, 200))
def test_any_text_fits(text: str, width: float) -> None:
    short = fitting(text, width, 7)
    assert text_width(short, 7) <= width or short == "…"
    assert "\n" not in short
    assert len(short) <= 60
    for line in wrapped(text, width, 7):
        assert text_width(line, 7) <= width or line == "…"


def test_printable_keeps_what_can_be_drawn() -> None:
    assert printable("naïve $x_1$ \\a שלום") == "naïve $x_1$ \\a שלום"
    assert printable("a\nb\x1b\u202e漢") == "a□b□□□"
    assert printable("x" * 100, 10) == "x" * 9 + "…"
    assert printable("e" + "\u0301" * 40) == "e\u0301\u0301"
