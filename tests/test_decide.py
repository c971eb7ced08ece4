"""Decisions and neighbours from runs written by hand; expected numbers by scipy and by eye."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cosine

from emoword import cli
from emoword.labels.encoding import ranked_words
from emoword.spaces.word_space import WordSpace

CLASSES = ["anger", "sadness"]
TARGETS = {
    "S1": [("a", "anger", 1), ("b", "sadness", 1), ("c", "anger", 1)],
    "S2": [("a", "anger", 2), ("a", "frustration", 1), ("b", "sadness", 1)],
    "S3": [
        ("a", "anger", 2),
        ("a", "frustration", 1),
        ("b", "sadness", 1),
        ("c", "anger", 2),
        ("c", "frustration", 1),
    ],
}


def write_run(folder: Path, model: str, loss: str, predictions: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    record: dict[str, object] = {"model": model, "loss": loss, "fold": 1, "seed": 0}
    record |= {"collapsed": False, "classes": CLASSES}
    (folder / "run.json").write_text(json.dumps(record))
    rows = [("x", "train"), ("a", "test"), ("b", "test"), ("y", "validation"), ("c", "test")]
    pd.DataFrame(rows, columns=["utterance", "part"]).to_csv(folder / "split.csv", index=False)
    np.save(folder / "predictions.npy", predictions.astype(np.float32))
    return folder


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    folder = tmp_path / "targets"
    folder.mkdir()
    for name, rows in TARGETS.items():
        table = pd.DataFrame(rows, columns=["utterance", "word", "count"])
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    return folder


@pytest.fixture
def runs(tmp_path: Path, embedded: WordSpace) -> list[Path]:
    said = embedded.vectors_of(["frustration", "anger", "anger"]) * [[2.0], [1.0], [0.5]]
    logits = np.array([[0.2, 0.1], [-1.0, 3.0], [0.0, 1.0]])
    return [
        write_run(tmp_path / "m2", "M2", "lc", said),
        write_run(tmp_path / "base", "baseline", "ce", logits),
    ]


def test_decisions(
    runs: list[Path], targets: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "decisions.csv"
    inputs = ["--runs", *runs, "--targets", targets, "--space", embedded_folder, "--out", out]
    cli.main(["decide", *map(str, inputs)])
    table = pd.read_csv(out)
    assert list(table["utterance"]) == ["a", "b", "c"] * 2
    assert list(table["true"]) == ["anger", "sadness", "anger"] * 2
    # frustration is nearer to anger than to sadness
    assert list(table["predicted"]) == ["anger"] * 3 + ["anger", "sadness", "sadness"]
    anger, frustration, sadness = (
        embedded.vectors_of([w])[0].astype(float) for w in ("anger", "frustration", "sadness")
    )
    mixture = (2 * anger + frustration) / 3
    assert table["cosine_S1"][0] == pytest.approx(1 - cosine(frustration, anger))
    assert table["cosine_S2"][0] == pytest.approx(1 - cosine(frustration, mixture), abs=1e-6)
    assert table["cosine_S2"][1] == pytest.approx(1 - cosine(anger, sadness))
    assert np.isnan(table["cosine_S2"][2])  # c has no words in S2
    assert table["cosine_S3"][2] == pytest.approx(1 - cosine(anger, mixture), abs=1e-6)
    assert table["cosine_S1"][3:].isna().all()  # the baseline predicts no vector
    # a: l1 anger, l2 frustration; ten nearest of `frustration` hold both; b has no l2
    assert table["S2_l1"][:3].tolist()[:2] == [1, float(near(embedded, "anger", "sadness"))]
    assert table["S2_l2"][0] == 1
    assert np.isnan(table["S2_l2"][1])
    assert np.isnan(table["S2_l1"][2])
    assert table["S3_l1"][2] == 1


def test_what_the_paper_leaves_open_is_a_choice(
    runs: list[Path], targets: Path, embedded_folder: Path, tmp_path: Path
) -> None:
    inputs = ["--runs", *runs, "--targets", targets, "--space", embedded_folder]
    choices = ["--decision", "smallest", "--ties", "rare", "--missing-l2", "miss"]
    cli.main(["decide", *map(str, inputs), *choices, "--out", str(tmp_path / "d.csv")])
    table = pd.read_csv(tmp_path / "d.csv")
    # the least similar of anger and sadness; the baseline's logits are no similarities
    assert list(table["predicted"]) == ["sadness"] * 3 + ["anger", "sadness", "sadness"]
    assert table["S2_l2"][1] == 0  # b has no l2: a miss
    assert np.isnan(table["S2_l2"][2])  # c has no words at all


def test_ties_go_to_the_frequent_or_the_rare_word() -> None:
    rows = [("a", "joy", 1), ("a", "anger", 1), ("b", "joy", 1), ("c", "awe", 1), ("c", "joy", 1)]
    table = pd.DataFrame(rows, columns=["utterance", "word", "count"])
    assert ranked_words(table)["a"] == ("joy", "anger")
    assert ranked_words(table, ties="rare")["a"] == ("anger", "joy")


def test_the_nearest_words_are_kept(
    runs: list[Path], targets: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    out = ["--out", tmp_path / "d.csv", "--nearest", tmp_path / "n.csv"]
    inputs = ["--runs", *runs, "--targets", targets, "--space", embedded_folder]
    cli.main(["decide", *map(str, [*inputs, *out])])
    table = pd.read_csv(tmp_path / "n.csv", keep_default_na=False)
    # of M2's run three predictions, none of the baseline's; targets where an utterance has words
    rows = list(table[["of", "fold", "seed", "utterance"]].itertuples(index=False, name=None))
    assert rows == [("M2", "1", "0", name) for name in "abc"] + [
        (name, "", "", utterance)
        for name, utterances in (("S1", "abc"), ("S2", "ab"), ("S3", "abc"))
        for utterance in utterances
    ]
    vectors = np.asarray(embedded.vectors, dtype=np.float64)
    anger, frustration = (vectors[embedded.index(w)] for w in ("anger", "frustration"))
    of_a = table[table["utterance"] == "a"].set_index("of").to_dict("index")
    for of, query in (("M2", frustration), ("S2", 2 * anger + frustration)):
        row = of_a[of]
        exact = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
        order = np.argsort(-exact)[:10]
        assert [row[f"word {k}"] for k in range(1, 11)] == [embedded.word(i) for i in order]
        found = [row[f"similarity {k}"] for k in range(1, 11)]
        assert found == pytest.approx(exact[order].tolist(), abs=1e-6)
    of_s3 = table[table["of"] == "S3"].drop(columns="utterance").to_numpy().tolist()
    assert of_s3[0] == of_s3[2], "a and c have the same target"


def near(space: WordSpace, word: str, other: str) -> bool:
    """Whether ``other`` is among the ten nearest of ``word``."""
    return other in nearest_words(space, word)


def nearest_words(space: WordSpace, word: str) -> list[str]:
    """The ten words nearest to ``word``, by float64 brute force."""
    vectors = np.asarray(space.vectors, dtype=np.float64)
    query = vectors[space.index(word)]
    similarity = vectors @ query / np.linalg.norm(vectors, axis=1)
    return [space.word(int(i)) for i in np.argsort(-similarity)[:10]]


def test_neighbours(
    runs: list[Path], targets: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    outputs = ["--neighbours", tmp_path / "n.csv", "--means", tmp_path / "m.csv"]
    inputs = ["--runs", runs[0], "--targets", targets, "--space", embedded_folder]
    cli.main(["neighbours", *map(str, [*inputs, *outputs])])
    table = pd.read_csv(tmp_path / "n.csv", keep_default_na=False)
    example = table[table["kind"] == "target"]
    assert set(example["words"]) == {"anger:2 frustration:1"}  # of a and c
    assert list(example["word"])[:2] == ["anger", "frustration"]
    means = pd.read_csv(tmp_path / "m.csv").set_index("name")
    said = embedded.vectors_of(["frustration", "anger"]).astype(float) * [[2.0], [0.5]]
    vector = means.loc["anger", [f"v{i}" for i in range(100)]].to_numpy(dtype=float)
    np.testing.assert_allclose(vector, said.mean(0), atol=1e-6)  # of a and c
    of_anger = table[(table["kind"] == "prediction") & (table["name"] == "anger")]
    assert of_anger["word"].iloc[0] == "frustration"
    assert list(of_anger["rank"]) == list(range(1, 11))
    assert (of_anger["similarity"].diff()[1:] <= 0).all()


def test_neighbours_by_vote(
    runs: list[Path], targets: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    outputs = ["--neighbours", tmp_path / "n.csv", "--means", tmp_path / "m.csv"]
    inputs = ["--runs", runs[0], "--targets", targets, "--space", embedded_folder, "--by", "vote"]
    cli.main(["neighbours", *map(str, [*inputs, *outputs])])
    table = pd.read_csv(tmp_path / "n.csv", keep_default_na=False)
    of_anger = table[(table["kind"] == "prediction") & (table["name"] == "anger")]
    # of a and c, whose predictions are `frustration` and `anger`: what both have in their five
    fives = [set(nearest_words(embedded, word)[:5]) for word in ("frustration", "anger")]
    votes = {word: sum(word in five for five in fives) / 2 for five in fives for word in five}
    assert dict(zip(of_anger["word"], of_anger["similarity"], strict=True)) == votes
    assert of_anger["similarity"].is_monotonic_decreasing


def test_examples_may_be_given(
    runs: list[Path], targets: Path, embedded_folder: Path, tmp_path: Path
) -> None:
    outputs = ["--neighbours", tmp_path / "n.csv", "--means", tmp_path / "m.csv"]
    inputs = ["--runs", runs[0], "--targets", targets, "--space", embedded_folder]
    words = ["--example", "guarded", "tense", "tense", "--example", "joy"]
    cli.main(["neighbours", *map(str, [*inputs, *words, *outputs])])
    table = pd.read_csv(tmp_path / "n.csv", keep_default_na=False)
    examples = table[table["kind"] == "target"]["words"].drop_duplicates()
    assert list(examples) == ["tense:2 guarded:1", "joy:1"]


def test_files_that_disagree_are_refused(
    runs: list[Path], targets: Path, embedded_folder: Path, fails: Callable[..., str]
) -> None:
    np.save(runs[0] / "predictions.npy", np.zeros((2, 100), dtype=np.float32))
    inputs = ["--targets", targets, "--space", embedded_folder, "--out", targets / "d.csv"]
    assert "2 predictions for 3 test utterances" in fails("decide", "--runs", runs[0], *inputs)
    (runs[0] / "predictions.npy").write_bytes(b"no array")
    assert "cannot be read" in fails("decide", "--runs", runs[0], *inputs)
    assert "run.json: no such file" in fails("decide", "--runs", targets, *inputs)


def test_constant_predictors(
    targets: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    """x alone is trained on (see write_run): the mean of its words is said of everything."""
    for name in ("S1", "S2", "S3"):
        with (targets / f"{name}.csv").open("a") as file:
            file.write("x,sadness,1\ny,anger,1\n" if name == "S1" else "x,sadness,3\nx,joy,1\n")
    runs = []
    for model, label_set in (("M1", "S1"), ("M2", "S2")):
        run = write_run(tmp_path / model, model, "lc", np.ones((3, 100)))
        record = json.loads((run / "run.json").read_text()) | {"label_set": label_set}
        (run / "run.json").write_text(json.dumps(record))
        runs.append(run)
    inputs = ["--runs", *runs, "--targets", targets, "--space", embedded_folder]
    cli.main(["floors", *map(str, inputs), "--out", str(tmp_path / "floors.csv")])
    table = pd.read_csv(tmp_path / "floors.csv").set_index(["model", "utterance"])
    models = list(dict.fromkeys(table.index.get_level_values(0)))
    assert models == ["mean_S1", "majority", "mean_S2"]
    assert set(table["loss"]) == {"constant"}
    assert set(table["predicted"]) == {"sadness"}
    anger, sadness, joy = embedded.vectors_of(["anger", "sadness", "joy"]).astype(float)
    mean = (3 * sadness + joy) / 4
    wanted = pytest.approx(1 - cosine(mean, anger), abs=1e-6)
    assert table["cosine_S1"]["mean_S2", "a"] == wanted
    assert table["S2_l1"]["majority", "b"] == 1  # b's first word is sadness
