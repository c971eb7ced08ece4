"""`emoword figure`: the numbers, the same bytes, texts that may be anything, what is missing."""

import argparse
import json
import os
import subprocess
import sys
import warnings
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
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from emoword import cli
from emoword.figures import figure as figures
from emoword.figures.labels import place
from emoword.figures.style import (
    COLOURS,
    MODELS,
    fitting,
    house_style,
    printable,
    save,
    text_size,
    wrapped,
)
from emoword.io.errors import InputError
from emoword.io.files import read_table
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space

EMOTIONS = ["anger", "happiness", "sadness", "neutral"]
HOSTILE = [
    "sad$ness_^{",
    "\\alpha$x$",
    "a" * 300,
    "W" * 40,
    "שלום",
    "مرحبا",
    "\x07bell\x1b[31m",
    "漢字😀",
    "e" + "\u0301" * 40,
    "\u202ereversed",
    "$",
    "=cmd(),\"'",
    "\u2028line",
    "%#&~",
]
NEAR_HEADER = "kind,variant,model,loss,collapsed,name,words,rank,word,similarity"
DECISIONS_HEADER = "variant,model,loss,fold,seed,collapsed,true,predicted"
DIM = 12
SENTENCE = "synthetic demo: says nothing about the paper"


def make_space(folder: Path, words: Sequence[str]) -> WordSpace:
    """Words in four clusters, so that each label has near words."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(4, DIM))
    vectors = np.array([centres[i % 4] + 0.6 * rng.normal(size=DIM) for i in range(len(words))])
    write_space([([w.encode() for w in words], vectors.astype(np.float32))], folder, {})
    return WordSpace.open(folder)


def write_inputs(
    folder: Path, models: Sequence[str], labels: Sequence[str], words: Sequence[str]
) -> dict[str, list[str]]:
    """The inputs of each kind of figure; returns its arguments by kind."""
    rng = np.random.default_rng(2)
    space = make_space(folder / "space", words)
    means, near, decisions = [], [], []
    for model in models:
        loss = "ce" if model == "baseline" else "lc"
        for i in range(200):
            true, other = rng.choice(labels, 2)
            answer = true if rng.random() < 0.5 else other
            decisions.append(["paper", model, loss, 1 + i % 5, 1, 0, true, answer])
        for fold in (1, 2):
            label_set = "S1" if model == "baseline" else f"S{model[1]}"
            run = folder / "runs" / "paper" / f"{label_set}-{loss}" / f"fold{fold}-seed1"
            run.mkdir(parents=True)
            epochs = np.arange(1, 8 + 3 * fold)
            history = pd.DataFrame({"epoch": epochs, "train_loss": 1 / epochs})
            history["validation_loss"] = 0.3 + (epochs - 5 - fold) ** 2 / 50
            history.to_csv(run / "history.csv", index=False)
        if model == "baseline":
            continue
        for label in labels:
            mean = space.vectors_of([label])[0] + rng.normal(size=DIM) * 0.5
            means.append(["paper", model, "lc", label, *mean])
            indices, cosines = space.nearest(mean[None], 6)
            for rank, (i, cosine) in enumerate(zip(indices[0], cosines[0], strict=True), 1):
                row = [
                    "prediction",
                    "paper",
                    model,
                    "lc",
                    "",
                    label,
                    "",
                    rank,
                    space.word(i),
                    cosine,
                ]
                near.append(row)
    near.append(["target", "paper", "", "", "", "example 1", "anger:1", 1, "rage", 0.9])
    pd.DataFrame(near, columns=NEAR_HEADER.split(",")).to_csv(
        folder / "neighbours.csv", index=False
    )
    columns = ["variant", "model", "loss", "name", *[f"v{i}" for i in range(DIM)]]
    pd.DataFrame(means, columns=columns).to_csv(folder / "means.csv", index=False)
    pd.DataFrame(decisions, columns=DECISIONS_HEADER.split(",")).to_csv(
        folder / "decisions.csv", index=False
    )
    neighbours = ["--neighbours", f"{folder}/neighbours.csv"]
    histories = sorted(str(path) for path in folder.glob("runs/*/*/*/history.csv"))
    return {
        "network": widths(folder, DIM, DIM),
        "neighbours": neighbours,
        "map": [*neighbours, "--means", f"{folder}/means.csv", "--space", f"{folder}/space"],
        "confusion": ["--decisions", f"{folder}/decisions.csv"],
        "curves": ["--history", *histories],
        "claims": write_claims(folder, words),
    }


def write_claims(folder: Path, words: Sequence[str]) -> list[str]:
    """The claims figure's inputs: four claims, one of them of a word; words stand everywhere."""
    rng = np.random.default_rng(3)
    says = [" ".join(words[i::4]) for i in range(4)]
    kinds = ["greater", "similar", "not_less", "contains"]
    margins = ["", "0.02", "0.01", ""]
    claims = pd.DataFrame({"claim": list("abcd"), "place": words[:4], "says": says, "kind": kinds})
    claims.assign(margin=margins, verdict="undecided").to_csv(folder / "claims.csv", index=False)
    parts = []
    measures = {"a": ["class UA", "class WA"], "b": ["class UA"], "c": ["S2 cosine", "S3 cosine"]}
    for claim, names in measures.items():
        for i in range(5):
            for name in names:
                value, reach = rng.normal(size=2) / 30
                ends = (value, value - abs(reach), value + abs(reach))
                verdict = ["supported", "contradicted", "undecided"][i % 3]
                parts.append([claim, f"{words[i]} - {words[i + 1]}", name, *ends, 0.5, verdict, ""])
    parts.append(["a", "one speaker - no interval", "class UA", 0.01, "", "", 1, "undecided", ""])
    parts.append(["d", "a word", "", "", "", "", "", "supported", "joy"])
    names = ["claim", "what", "measure", "value", "low", "high", "p", "verdict", "note"]
    pd.DataFrame(parts, columns=names).to_csv(folder / "parts.csv", index=False)
    return ["--claims", f"{folder}/claims.csv", "--parts", f"{folder}/parts.csv"]


def widths(folder: Path, of_input: int, of_output: int) -> list[str]:
    """The network figure's inputs: a folder of frames and a word space, as far as it reads them."""
    for name, dim in (("frames", of_input), ("vectors", of_output)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "meta.json").write_text(f'{{"dim": {dim}}}')
    return ["--features", str(folder / "frames"), "--space", str(folder / "vectors")]


def near_words() -> list[str]:
    return [*EMOTIONS, "rage", "joy", "grief", "calm", "fury", "delight", "sorrow", "flat"]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return write_inputs(tmp_path_factory.mktemp("whole"), MODELS, EMOTIONS, near_words())


@pytest.fixture(scope="session")
def hostile_inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Own recordings (M1 and the baseline) with labels and words that are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    return write_inputs(folder, ["M1", "baseline"], ["anger", *HOSTILE[:5]], ["anger", *HOSTILE])


def parse(kind: str, arguments: Sequence[str], out: Path = Path("unused")) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    figures.add_arguments(parser)
    return parser.parse_args([kind, *arguments, *outputs(out)])


def outputs(out: Path) -> list[str]:
    return ["--pdf", f"{out}.pdf", "--png", f"{out}.png", "--data", f"{out}.csv"]


def numbers(kind: str, arguments: Sequence[str]) -> pd.DataFrame:
    return figures.KINDS[kind][0].numbers(parse(kind, arguments))


class Drawn(NamedTuple):
    """What `emoword figure` made."""

    figure: Figure
    path: Path  # without its suffix

    def texts(self) -> set[str]:
        return {text.get_text() for text in texts_of(self.figure)}


def draw(kind: str, arguments: Sequence[str], path: Path) -> Drawn:
    """Run `emoword figure`; a warning is an error."""
    made: list[Figure] = []

    def keep(figure: Figure, pdf: Path, png: Path) -> None:
        made.append(figure)
        save(figure, pdf, png)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setattr(figures, "save", keep)
        figures.main(parse(kind, [*arguments, "--title-note", SENTENCE], path))
    return Drawn(made[0], path)


Draw = Callable[[str, str], Drawn]


@pytest.fixture(scope="session")
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """Each figure of `inputs` and of `hostile_inputs`, drawn once."""

    @cache
    def draw_once(kind: str, which: str) -> Drawn:
        arguments = request.getfixturevalue(which)[kind]
        return draw(kind, arguments, tmp_path_factory.mktemp(which) / kind)

    return draw_once


def texts_of(figure: Figure) -> list[Text]:
    """All texts that are to be seen."""
    figure.draw_without_rendering()
    ticks = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high or not axes.axison:
                    ticks |= {tick.label1, tick.label2}
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text() and text not in ticks
    ]


# --- the numbers -------------------------------------------------------------------------------


def test_confusion_counts_as_scikit_learn_does(inputs: dict[str, list[str]]) -> None:
    from sklearn.metrics import confusion_matrix

    table = numbers("confusion", inputs["confusion"])
    decisions = pd.read_csv(inputs["confusion"][1])
    assert list(dict.fromkeys(table["model"])) == list(MODELS)
    for model in MODELS:
        rows = table[table["model"] == model]
        own = decisions[decisions["model"] == model]
        for column, normalise in (("count", None), ("share", "true")):
            expected = confusion_matrix(
                own["true"], own["predicted"], labels=EMOTIONS, normalize=normalise
            )
            found = rows[column].to_numpy().reshape(4, 4)
            np.testing.assert_allclose(found, expected, atol=5e-7)
        assert set(rows["runs"]) == {5}


def test_confusion_takes_the_loss_and_counts_collapsed_runs(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(
        "variant,model,loss,fold,seed,collapsed,true,predicted\n"
        "paper,M1,mse,1,1,0,anger,anger\n"
        "paper,M1,lc,1,1,0,anger,anger\n"
        "paper,M1,lc,2,1,1,sadness,anger\n"
        "paper,baseline,ce,1,1,0,anger,sadness\n"
    )
    table = numbers("confusion", ["--decisions", str(path)])
    found = {(r.model, r.true, r.predicted): (r.count_, r.share) for r in rename(table)}
    assert found["M1", "anger", "anger"] == (1, 1)
    assert found["M1", "sadness", "anger"] == (1, 1)
    assert found["baseline", "anger", "sadness"] == (1, 1)
    assert np.isnan(found["baseline", "sadness", "sadness"][1])
    with house_style():
        _, notes = figures.KINDS["confusion"][0].draw(table)
    assert "Collapsed runs: M1 1 of 2." in notes
    assert "M1 predicts anger for every utterance." in notes
    assert numbers("confusion", ["--decisions", str(path), "--loss", "mse"])["count"].sum() == 2


def rename(table: pd.DataFrame) -> Any:
    # `count` is a method of a named tuple
    return table.rename(columns={"count": "count_"}).itertuples()


def test_map_is_scikit_learns_pca_of_unit_vectors(inputs: dict[str, list[str]]) -> None:
    from sklearn.decomposition import PCA

    table = numbers("map", [*inputs["map"], "--words", "3"])
    space = WordSpace.open(Path(inputs["map"][5]))
    words = table[table["kind"] != "prediction"]
    vectors = space.vectors_of(list(words["name"])).astype(np.float64)
    pca = PCA(n_components=2).fit(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    means = pd.read_csv(inputs["map"][3])
    predicted = table[table["kind"] == "prediction"]
    keys = ["model", "name"]
    means = means.set_index(keys).loc[list(predicted[keys].itertuples(index=False, name=None))]
    unit = means.filter(regex="^v[0-9]+$").to_numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = pca.transform(np.concatenate([vectors, unit]))
    found = pd.concat([words, predicted])[["x", "y"]].to_numpy()
    sign = np.sign((expected * found).sum(axis=0))
    np.testing.assert_allclose(found, expected * sign, atol=2e-6)
    shares = table[["x_variance", "y_variance"]].iloc[0]
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_, atol=1e-6)
    assert list(words["name"][:4]) == EMOTIONS
    assert set(words["kind"][:4]) == {"label"}
    assert len(predicted) == 12


def test_map_shows_the_labels_own_neighbours_and_the_predictions(
    inputs: dict[str, list[str]],
) -> None:
    table = numbers("map", [*inputs["map"], "--words", "2"])
    space = WordSpace.open(Path(inputs["map"][5]))
    expected = set(EMOTIONS)
    for label in EMOTIONS:
        query = space.vectors_of([label])[0].astype(np.float64)
        every = space.vectors.astype(np.float64)
        cosines = every @ query / np.linalg.norm(every, axis=1)
        expected |= {space.word(int(i)) for i in np.argsort(-cosines)[:3]}
    near = pd.read_csv(inputs["neighbours"][1])
    near = near[(near["kind"] == "prediction") & (near["rank"] <= 2)]
    assert set(table.loc[table["kind"] != "prediction", "name"]) == expected | set(near["word"])


def test_neighbours_shows_the_predictions_rows_in_order(inputs: dict[str, list[str]]) -> None:
    table = numbers("neighbours", [*inputs["neighbours"], "--words", "2"])
    assert len(table) == 4 * 3 * 2
    keys = list(table[["emotion", "model", "rank"]].itertuples(index=False, name=None))
    assert keys == [(e, m, r) for e in EMOTIONS for m in MODELS[:3] for r in (1, 2)]
    source = pd.read_csv(inputs["neighbours"][1])
    source = source[source["kind"] == "prediction"].set_index(["name", "model", "rank"])
    source = source.loc[keys]
    assert list(table["word"]) == list(source["word"])
    np.testing.assert_array_equal(table["similarity"], source["similarity"])


def test_claims_shows_the_differences_with_their_claims(drawn: Draw) -> None:
    figure = drawn("claims", "inputs")
    table = read_table(figure.path.with_suffix(".csv"), ["claim", "margin", "value"])
    assert len(table) == 5 * (2 + 1 + 2) + 1  # not the word
    margins = table.groupby("claim")["margin"].first()
    assert margins.astype(float).to_dict() == {"a": 0, "b": 0.02, "c": 0.01}
    assert len(figure.figure.axes) == 3
    assert any(text.startswith("percentage points") for text in figure.texts())
    assert any(text.startswith("cosine similarity") for text in figure.texts())


def test_claims_without_differences_say_so(tmp_path: Path) -> None:
    options = write_claims(tmp_path, near_words())
    parts = pd.read_csv(tmp_path / "parts.csv")
    parts[parts["claim"] == "d"].to_csv(tmp_path / "parts.csv", index=False)
    texts = draw("claims", options, tmp_path / "figure").texts()
    assert any("No claim about a difference" in text for text in texts)


def test_curves_take_the_run_from_its_json_else_from_its_path(tmp_path: Path) -> None:
    lines = "epoch,train_loss,validation_loss\n1,3,2.5\n2,2,1.5\n3,1,1.5\n4,0.5,inf\n"
    paths = []
    for name in ("somewhere", "paper/S2-mae/fold4-seed7", "paper/S1-ce/fold1-seed2"):
        (tmp_path / name).mkdir(parents=True)
        paths.append(tmp_path / name / "history.csv")
        paths[-1].write_text(lines)
    run = {"variant": "v", "model": "M3", "loss": "lc", "fold": 2, "seed": 5, "collapsed": True}
    (tmp_path / "somewhere" / "run.json").write_text(json.dumps(run))
    table = numbers("curves", ["--history", *map(str, paths)])
    runs = table.drop_duplicates(["variant", "model"]).drop(columns=["epoch", "best"])
    assert runs.iloc[:, :6].to_numpy().tolist() == [
        ["paper", "M2", "mae", 4, 7, False],
        ["paper", "baseline", "ce", 1, 2, False],
        ["v", "M3", "lc", 2, 5, True],
    ]
    # of two equal losses the first epoch is the best, as in training
    assert list(table.loc[table["best"], "epoch"]) == [2, 2, 2]
    with house_style():
        _, notes = figures.KINDS["curves"][0].draw(table)
    assert notes == ["Collapsed runs: M3 (log-cosh) 1 of 1."]


def test_curves_mean_ends_with_the_shortest_run(inputs: dict[str, list[str]]) -> None:
    table = numbers("curves", inputs["curves"])
    with house_style():
        figure, _ = figures.KINDS["curves"][0].draw(table)
    axes = next(axes for axes in figure.axes if axes.get_title() == "M2")
    thick = [line for line in axes.lines if line.get_linewidth() > 1]
    (line,) = [line for line in thick if line.get_color() == COLOURS["M2"]]
    epochs = np.arange(1, 11)
    runs = [0.3 + (epochs - 5 - fold) ** 2 / 50 for fold in (1, 2)]
    np.testing.assert_array_equal(line.get_xdata(), epochs)
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), np.mean(runs, axis=0))
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(dots.get_xdata(), [6, 7])


def test_network_shapes_are_those_of_the_network(tmp_path: Path) -> None:
    import torch

    from emoword.training.network import Network, Shape

    options = "--channels 5 6 9 --kernels 5 3 3 --pools 3 2 1 --lstm 4 --hidden 11 12"
    table = numbers("network", [*options.split(), *widths(tmp_path, 7, 8)])
    shape = Shape(7, 8, (5, 6, 9), (5, 3, 3), (3, 2, 1), 4, 2, (11, 12))
    network = Network(shape, "none").eval()
    frames = 41
    seen: list[tuple[int, ...]] = [(frames, 7)]
    for module in network.convolutions:
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out[0][0].shape)))
    for module in network.recurrent:
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out[0].shape)))
    for module in [*network.dense, network.output]:
        module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out[0].shape)))
    with torch.no_grad():
        network(torch.zeros(1, frames, 7), torch.tensor([frames]))
    rows: list[Any] = table[table["layer"] != "mean"].to_dict("records")
    found = [
        (row["width"],) if pd.isna(row["pooled"]) else (frames // row["pooled"], row["width"])
        for row in rows
    ]
    assert found == seen
    defaults = parse("network", widths(tmp_path, 7, 8))
    for name in ("channels", "kernels", "pools", "hidden"):
        assert tuple(getattr(defaults, name)) == getattr(Shape(1, 1), name)
    unpadded = numbers("network", ["--padding", "valid", *widths(tmp_path, 7, 8)])
    assert list(unpadded["padding"][:5].fillna("")) == ["", "none", "none", "none", ""]
    for name in ("lstm", "lstm_layers", "dropout", "padding"):
        assert getattr(defaults, name) == getattr(Shape(1, 1), name)


def test_network_says_what_a_layer_does(drawn: Draw) -> None:
    assert {
        "conv 96, kernel 15",
        "ReLU, max-pool 2",
        "bidirectional LSTM 2 × 64",
        "T/4 × 128",
        "fully connected 1024",
        "ReLU, dropout 0.5",
        f"linear → word vector, {DIM}",
        "linear → logit per class",
    } <= drawn("network", "inputs").texts()


# --- the files ---------------------------------------------------------------------------------


def test_same_input_same_bytes(drawn: Draw, inputs: dict[str, list[str]], tmp_path: Path) -> None:
    """In another process, with another hash seed and with a matplotlibrc of the user's.

    Not the other kinds, which add time but no new way of drawing.
    """
    kinds = ["map", "curves"]
    (tmp_path / "rc").write_text("axes.facecolor: red\nfont.size: 20\nlines.linewidth: 9\n")
    calls = [
        ["figure", kind, *inputs[kind], *outputs(tmp_path / kind), "--title-note", SENTENCE]
        for kind in kinds
    ]
    code = "import json, sys; from emoword import cli; [cli.main(c) for c in json.load(sys.stdin)]"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        input=json.dumps(calls).encode(),
        env={**os.environ, "PYTHONHASHSEED": "12", "MATPLOTLIBRC": str(tmp_path / "rc")},
    )
    for kind in kinds:
        for suffix in (".pdf", ".png", ".csv"):
            here = drawn(kind, "inputs").path.with_suffix(suffix)
            assert here.read_bytes() == (tmp_path / f"{kind}{suffix}").read_bytes(), here.name


@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_files_are_what_they_should_be(
    kind: str, drawn: Draw, inputs: dict[str, list[str]]
) -> None:
    path = drawn(kind, "inputs").path
    pdf = path.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert b"/Subtype /Image" not in pdf  # vectors only
    with Image.open(path.with_suffix(".png")) as image:
        assert image.info["dpi"][0] >= 150
        assert "Software" not in image.info
    assert sorted(p.name for p in path.parent.iterdir()) == [
        f"{kind}.{suffix}" for suffix in ("csv", "pdf", "png")
    ]
    table = numbers(kind, inputs[kind])
    found = read_table(path.with_suffix(".csv"), list(table.columns))
    assert len(found) == len(table)


# --- what is hostile, missing, malformed -------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "column"), [("map", "name"), ("neighbours", "emotion"), ("confusion", "true")]
)
def test_hostile_words_and_only_m1(kind: str, column: str, drawn: Draw) -> None:
    figure = drawn(kind, "hostile_inputs")
    # the CSV has the words as they are
    table = read_table(figure.path.with_suffix(".csv"), [])
    assert {"anger", *HOSTILE[:5]} <= set(table[column])
    assert {"sad$ness_^{", "\\alpha$x$"} <= figure.texts()
    assert any("Not in the input, so not shown: M2, M3." in text for text in figure.texts())


@pytest.mark.parametrize(
    ("kind", "which"),
    [
        (kind, which)
        for kind in figures.KINDS
        for which in ("inputs", "hostile_inputs")
        if (kind, which) != ("network", "hostile_inputs")
    ],
)
def test_no_text_is_cut_off_or_under_another(kind: str, which: str, drawn: Draw) -> None:
    figure = drawn(kind, which).figure
    texts = texts_of(figure)
    boxes = {text: text.get_window_extent() for text in texts}
    width, height = figure.bbox.size
    for text, box in boxes.items():
        inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
        assert inside, text.get_text()
    level = [text for text in texts if text.get_rotation() in (0, 90)]
    for one, two in combinations(level, 2):
        a, b = boxes[one], boxes[two]
        x = min(a.x1, b.x1) - max(a.x0, b.x0)
        y = min(a.y1, b.y1) - max(a.y0, b.y0)
        # boxes have the room for ascenders and descenders: a few pixels are no overlap
        assert min(x, y) < 5, (one.get_text(), two.get_text())
    assert SENTENCE in drawn(kind, which).texts()


def test_a_mean_without_direction_leaves_a_note(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path, ["M1"], EMOTIONS, near_words())
    means = pd.read_csv(tmp_path / "means.csv")
    means.loc[1, "v3"] = np.nan
    means.loc[2, [f"v{i}" for i in range(DIM)]] = 0
    means.to_csv(tmp_path / "means.csv", index=False)
    near = pd.read_csv(tmp_path / "neighbours.csv")
    near.loc[near["name"] == "happiness", "similarity"] = np.nan
    near.to_csv(tmp_path / "neighbours.csv", index=False)
    with house_style():
        _, notes = figures.KINDS["map"][0].draw(numbers("map", arguments["map"]))
        assert "Without a mean prediction, so not shown: M1 happiness, M1 sadness." in notes
        near_figure, _ = figures.KINDS["neighbours"][0].draw(
            numbers("neighbours", arguments["neighbours"])
        )
    assert [text.get_text() for text in texts_of(near_figure)].count("no predictions") == 1


def test_a_map_of_equal_words_is_a_point(tmp_path: Path) -> None:
    words = ["anger", *(f"another{i}" for i in range(60))]
    arguments = write_inputs(tmp_path, ["M1"], ["anger"], words)["map"]
    vectors = np.ones((len(words), DIM), np.float32)
    write_space([([word.encode() for word in words], vectors)], tmp_path / "space", {})
    table = numbers("map", [*arguments, "--words", "60"])
    assert not table[["x", "y", "x_variance", "y_variance"]].to_numpy()[:61].any()
    figure = draw("map", [*arguments, "--words", "60"], tmp_path / "figure")
    placed = len(figure.texts().intersection(words))
    assert 5 < placed < 61
    note = f"{61 - placed} words without room for their text are dots only."
    assert any(note in text for text in figure.texts())


def test_a_label_without_a_direction_is_named(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path, ["M1"], ["anger"], near_words())
    vectors = np.eye(len(near_words()), DIM, dtype=np.float32) - np.eye(1, DIM)
    words = [word.encode() for word in near_words()]
    write_space([(words, vectors.astype(np.float32))], tmp_path / "space", {})
    with pytest.raises(InputError, match="label 'anger' is zero"):
        numbers("map", arguments["map"])


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("confusion", None, "no such file"),
        ("confusion", "", "is empty"),
        ("confusion", "variant,model\np,M1\n", "no column loss, fold"),
        ("confusion", DECISIONS_HEADER + "\n", "has no rows"),
        ("confusion", DECISIONS_HEADER + "\np,M4,lc,1,1,0,a,b\n", "unknown model 'M4'"),
        ("confusion", DECISIONS_HEADER + "\np,M1,l1,1,1,0,a,b\n", "unknown loss 'l1'"),
        ("confusion", DECISIONS_HEADER + "\np,M1,lc,1,1,0,a,\n", "line 2: no predicted label"),
        ("confusion", DECISIONS_HEADER + "\np,M1,mse,1,1,0,a,b\n", "with loss lc"),
        (
            "confusion",
            DECISIONS_HEADER + "\np,M1,lc,1,1,0,a,b\nq,M1,lc,1,1,0,a,b\n",
            "several variants; choose with --variant one of: p, q",
        ),
        ("neighbours", NEAR_HEADER + "\nprediction,p,M1,lc,,a,,one,w,0.5\n", "column rank"),
        ("neighbours", NEAR_HEADER + "\nprediction,p,M1,lc,,a,,1,w,near\n", "column similarity"),
        ("neighbours", NEAR_HEADER + "\ntarget,p,,,,a,,1,w,0.5\n", "has no rows"),
        ("neighbours", NEAR_HEADER + "\nprediction,p,M1,mse,,a,,1,w,0.5\n", "with loss 'lc'"),
        (
            "neighbours",
            NEAR_HEADER + "\nprediction,p,M1,lc,,a,,1,w,0.5\nprediction,p,M1,lc,,a,,1,x,0.4\n",
            "line 3: a rank occurs twice",
        ),
        ("curves", "epoch,train_loss,validation_loss\n", "has no epochs"),
        ("curves", "epoch,train_loss,validation_loss\n1,a,2\n", "column train_loss"),
        ("curves", "epoch,train_loss,validation_loss\n1,1,2\n", "cannot tell which run"),
    ],
)
def test_malformed_input_is_named(
    kind: str, text: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "in" / "input.csv"
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    option = {"confusion": "--decisions", "neighbours": "--neighbours", "curves": "--history"}[kind]
    with pytest.raises(InputError) as error:
        figures.main(parse(kind, [option, str(path)], tmp_path / "figure"))
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "M9"}, "unknown model 'M9'"),
        ({"fold": "first"}, "fold must be an integer"),
        ({"seed": None}, "no key seed"),
    ],
)
def test_malformed_run_json_is_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    run = {"variant": "v", "model": "M1", "loss": "lc", "fold": 1, "seed": 1, **change}
    run = {key: value for key, value in run.items() if value is not None}
    (tmp_path / "run.json").write_text(json.dumps(run))
    path = tmp_path / "history.csv"
    path.write_text("epoch,train_loss,validation_loss\n1,1,2\n")
    with pytest.raises(InputError, match=message):
        numbers("curves", ["--history", str(path)])


def test_a_run_given_twice_is_named(inputs: dict[str, list[str]]) -> None:
    with pytest.raises(InputError, match="variant paper, model M1, loss lc, fold 1, seed 1"):
        numbers("curves", [*inputs["curves"], next(p for p in inputs["curves"] if "S1-lc" in p)])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("v11", None, "vectors of 11 numbers, but the word space .* has 12"),
        ("v3", None, "no column v3"),
        ("v3", "x", "column v3"),
        ("name", "anger", "line 3: this model and name were there before"),
        ("name", "unheard-of", "not in the word space: 'unheard-of'"),
        ("variant", "other", "several variants"),
    ],
)
def test_malformed_means_are_named(
    column: str, value: str | None, message: str, inputs: dict[str, list[str]], tmp_path: Path
) -> None:
    means = pd.read_csv(inputs["map"][3], dtype=str)
    if value is None:
        means = means.drop(columns=column)
    else:
        means.loc[1, column] = value
    means.to_csv(tmp_path / "means.csv", index=False)
    arguments = [*inputs["map"]]
    arguments[3] = str(tmp_path / "means.csv")
    with pytest.raises(InputError, match=message):
        numbers("map", arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--channels 96 256", "equally long, not 2, 3 and 3"),
        ("--hidden 0", "--hidden: must be 1 or more"),
        ("--dropout 1", "less than 1"),
    ],
)
def test_impossible_networks_are_named(options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        numbers("network", [*options.split(), *widths(tmp_path, 7, 8)])


def test_the_command_line_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [f"--{kind}={tmp_path}/f.{kind}" for kind in ("pdf", "png")]
    with pytest.raises(SystemExit) as stop:
        cli.main(["figure", "confusion", "--decisions", f"{tmp_path}/none.csv", *outputs])
    assert stop.value.code == f"emoword figure: {tmp_path}/none.csv: no such file"
    with pytest.raises(SystemExit):
        cli.main(["figure", "map", "--help"])
    assert "principal components" in capsys.readouterr().out


# --- texts and their places --------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.floats(20, 200))
def test_any_text_fits(text: str, width: float) -> None:
    short = fitting(text, width, 7)
    assert text_size(short, 7)[0] <= width or short == "…"
    assert "\n" not in short
    assert len(short) <= 60
    for line in wrapped(text, width, 7):
        assert text_size(line, 7)[0] <= width or line == "…"


def test_printable_keeps_what_can_be_drawn() -> None:
    assert printable("naïve $x_1$ \\a שלום") == "naïve $x_1$ \\a שלום"
    assert printable("a\nb\x1b\u202e漢") == "a□b□□□"
    assert printable("x" * 100, 10) == "x" * 9 + "…"
    assert printable("e" + "\u0301" * 40) == "e\u0301\u0301"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_places_overlap_nothing(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 200, (count, 2))
    sizes = rng.uniform((5, 5), (60, 12), (count, 2))
    obstacles = np.hstack([points - 1, points + 1])
    places = place(points, sizes, obstacles, (0, 0, 200, 200))
    boxes = [
        (p.x - w / 2, p.y - h / 2, p.x + w / 2, p.y + h / 2)
        for p, (w, h) in zip(places, sizes, strict=True)
        if p is not None
    ]
    for a, b in combinations([*boxes, *map(tuple, obstacles)], 2):
        if a in boxes or b in boxes:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    for box in boxes:
        assert min(box) >= 0
        assert max(box) <= 200


def test_a_lone_text_stands_right_of_its_point_and_a_full_frame_has_no_place() -> None:
    point, size = np.array([[50.0, 50.0]]), np.array([[20.0, 8.0]])
    nothing = np.empty((0, 4))
    (found,) = place(point, size, nothing, (0, 0, 100, 100))
    assert found is not None
    assert found.x > 60
    assert found.y == 50
    assert not found.leader
    assert place(point, size, np.array([[0.0, 0.0, 100.0, 100.0]]), (0, 0, 100, 100)) == [None]
