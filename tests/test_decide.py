"""Decisions and neighbours from runs written by hand; expected numbers by scipy and by eye."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike
from scipy.spatial.distance import cosine

from emoword.evaluation.decide import decide, ranked_words, words_near
from emoword.evaluation.floors import floors
from emoword.evaluation.neighbours import neighbours, typical_examples
from emoword.io.errors import InputError
from emoword.layout import Model
from emoword.settings import LabelSet
from emoword.spaces.word_space import WordSpace
from small_results import write_words
from variant_files import write_variant

CLASSES = ["anger", "sadness"]
TARGETS = {
    "S1": [("a", "anger", 1), ("b", "sadness", 1), ("c", "anger", 1)],
    "S2": [("a", "anger", 2), ("a", "frustration", 1), ("b", "sadness", 1)],
    "S3": [
        *[("a", "anger", 2), ("a", "frustration", 1), ("b", "sadness", 1)],
        *[("c", "anger", 2), ("c", "frustration", 1)],
    ],
}
M1 = Model(name="M1", label_set="S1", loss="lc", folder="m1")
M2 = Model(name="M2", label_set="S2", loss="lc", folder="m2")
BASELINE = Model(name="baseline", label_set="S1", loss="ce", folder="base")


class Results:
    """The results of a variant whose word space is the embedded one."""

    def __init__(self, root: Path, embedded: WordSpace) -> None:
        self.root = root
        self.said = embedded.vectors_of(["frustration", "anger", "anger"]) * [[2.0], [1.0], [0.5]]
        (root / "space").symlink_to(embedded.folder)
        self.write_run(M2, self.said)
        self.write_run(BASELINE, [[0.2, 0.1], [-1.0, 3.0], [0.0, 1.0]])
        for name, rows in TARGETS.items():
            write_words(root / name, rows, CLASSES)

    def write_run(self, model: Model, predictions: ArrayLike, **more: object) -> Path:
        """Of the first fold and seed; x is trained on, y validated on."""
        folder = self.root / model.folder / "fold1-seed0"
        folder.mkdir(parents=True, exist_ok=True)
        record: dict[str, object] = {"model": model.name, "loss": model.loss, "fold": 1, "seed": 0}
        record |= {"collapsed": False, "classes": CLASSES, "label_set": model.label_set, **more}
        (folder / "run.json").write_text(json.dumps(record))
        rows = [("x", "train"), ("a", "test"), ("b", "test"), ("y", "validation"), ("c", "test")]
        pd.DataFrame(rows, columns=["utterance", "part"]).to_csv(folder / "split.csv", index=False)
        np.save(folder / "predictions.npy", np.asarray(predictions, dtype=np.float32))
        return folder

    def variant(self, *models: Model, **settings: Any) -> Path:
        targets = {name: name for name in TARGETS}
        return write_variant(self.root, folds=1, models=models, targets=targets, **settings)

    def decide(self, *models: Model, **settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        """decisions.csv and nearest.csv."""
        out, nearest = self.root / "d.csv", self.root / "n.csv"
        decide(self.variant(*models, **settings), out=out, nearest=nearest)
        return pd.read_csv(out), pd.read_csv(nearest, keep_default_na=False)

    def neighbours(self, **settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        """neighbours.csv and means.csv of M2."""
        out, means = self.root / "n.csv", self.root / "m.csv"
        neighbours(self.variant(M2, **settings), out=out, means=means)
        return pd.read_csv(out, keep_default_na=False), pd.read_csv(means)


@pytest.fixture
def results(tmp_path: Path, embedded: WordSpace) -> Results:
    return Results(tmp_path, embedded)


def nearest_words(space: WordSpace, query: np.ndarray) -> dict[str, float]:
    """The ten words nearest to a vector with their similarities, by float64 brute force."""
    vectors = np.asarray(space.vectors, dtype=np.float64)
    exact = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return {space.word(int(i)): float(exact[i]) for i in np.argsort(-exact)[:10]}


def vector(space: WordSpace, word: str) -> np.ndarray:
    found: np.ndarray = space.vectors_of([word])[0].astype(np.float64)
    return found


def test_decisions(results: Results, embedded: WordSpace) -> None:
    table, _ = results.decide(M2, BASELINE)
    assert list(table["variant"].unique()) == ["paper"]
    assert list(table["model"]) == ["M2"] * 3 + ["baseline"] * 3
    assert list(table["utterance"]) == ["a", "b", "c"] * 2
    assert list(table["true"]) == ["anger", "sadness", "anger"] * 2
    # frustration is nearer to anger than to sadness
    assert list(table["predicted"]) == ["anger"] * 3 + ["anger", "sadness", "sadness"]
    anger, frustration, sadness = (vector(embedded, w) for w in ("anger", "frustration", "sadness"))
    mixture = (2 * anger + frustration) / 3
    assert table["cosine_S1"][0] == pytest.approx(1 - cosine(frustration, anger))
    assert table["cosine_S2"][0] == pytest.approx(1 - cosine(frustration, mixture), abs=1e-6)
    assert table["cosine_S2"][1] == pytest.approx(1 - cosine(anger, sadness))
    assert np.isnan(table["cosine_S2"][2])  # c has no words in S2
    assert table["cosine_S3"][2] == pytest.approx(1 - cosine(anger, mixture), abs=1e-6)
    assert table["cosine_S1"][3:].isna().all()  # the baseline predicts no vector
    # a: l1 anger, l2 frustration; ten nearest of `frustration` hold both; b has no l2
    assert table["S2_l1"][:2].tolist() == [1, float("sadness" in nearest_words(embedded, anger))]
    assert table["S2_l2"][0] == 1
    assert np.isnan(table["S2_l2"][1])
    assert np.isnan(table["S2_l1"][2])
    assert table["S3_l1"][2] == 1


OTHERS = ["frustration", "excitement", "calm", "joy", "fear", "pride", "grief", "rage", "awe"]
WORDS = [*CLASSES, *OTHERS]
SOFT = Model(name="M3", label_set="S3", loss="soft_words", folder="soft")


def logits_of(*rows: dict[str, float]) -> list[list[float]]:
    """Logits by word; those of words that are not named are lower, and fall."""
    return [[row.get(word, -5.0 - i) for i, word in enumerate(WORDS)] for row in rows]


def test_soft_labels_over_all_words_are_decided_among_the_classes(results: Results) -> None:
    rows = logits_of(
        {"frustration": 9.0, "sadness": 1.0, "anger": 0.0},  # the largest is no class
        {"sadness": 1.0, "anger": 0.5, "excitement": 0.5},
        {"sadness": 1.2, "anger": 0.5, "excitement": 0.4},
    )
    results.write_run(SOFT, rows, outputs=WORDS)
    table, near = results.decide(SOFT)
    assert list(table["predicted"]) == ["sadness"] * 3
    # excitement counts as anger: e^.5 + e^.5 = 3.30 > e^1 = 2.72; e^.5 + e^.4 = 3.14 < e^1.2 = 3.32
    table, near = results.decide(SOFT, labels={"merge": {"excitement": "anger"}})
    assert list(table["predicted"]) == ["sadness", "anger", "sadness"]
    assert "cosine_S1" not in table  # no vectors
    assert set(near["of"]) == {"S1", "S2", "S3"}  # nor nearest words


def test_of_soft_labels_the_ten_most_probable_words_are_what_table_6_counts(
    results: Results,
) -> None:
    rows = logits_of({}, {"sadness": -90.0}, {})
    results.write_run(SOFT, rows, outputs=WORDS)
    tenth, eleventh = WORDS[9:]
    write_words(results.root / "S3", [("a", tenth, 2), ("a", eleventh, 1)], CLASSES)
    table, _ = results.decide(SOFT)
    # a: anger, frustration; b: sadness, which is last; c has no words in S2
    assert table["S2_l1"][:2].tolist() == [1, 0]
    assert table["S2_l2"][0] == 1
    assert np.isnan(table["S2_l1"][2])
    assert (table["S3_l1"][0], table["S3_l2"][0]) == (1, 0)
    # of ten words all would be
    results.write_run(SOFT, [row[:10] for row in rows], outputs=WORDS[:10])
    table, _ = results.decide(SOFT)
    assert not [name for name in table if str(name).endswith(("l1", "l2"))]


def test_what_the_paper_leaves_open_is_a_choice(results: Results) -> None:
    table, _ = results.decide(M2, BASELINE, decision="smallest", table6_missing_l2="miss")
    # the least similar of anger and sadness; the baseline's logits are no similarities
    assert list(table["predicted"]) == ["sadness"] * 3 + ["anger", "sadness", "sadness"]
    assert table["S2_l2"][1] == 0  # b has no l2: a miss
    assert np.isnan(table["S2_l2"][2])  # c has no words at all


def test_ranked_words_and_their_ties(results: Results) -> None:
    rows = [("a", "anger", 2), ("a", "fear", 1), ("a", "joy", 1)]  # joy is named more often overall
    rows += [("b", "joy", 2), ("c", "sadness", 1), ("c", "fear", 1)]
    rows += [("d", "disgust", 1), ("d", "calm", 1)]  # as often: the alphabet decides
    table = pd.DataFrame(rows, columns=["utterance", "word", "count"])
    frequent, rare = ranked_words(table), ranked_words(table, ties="rare")
    assert frequent["a"] == ("anger", "joy", "fear")
    assert rare["a"] == ("anger", "fear", "joy")
    assert frequent["b"] == rare["b"] == ("joy",)
    assert (frequent["c"], rare["c"]) == (("fear", "sadness"), ("sadness", "fear"))
    assert frequent["d"] == rare["d"] == ("calm", "disgust")
    alphabet = ranked_words(table, ties="alphabet")
    assert (alphabet["a"], alphabet["c"]) == (("anger", "fear", "joy"), ("fear", "sadness"))
    # `table6_ties` reaches the decisions: of b's words cheer is the rarer one
    words = [("a", "anger", 2), ("b", "anger", 1), ("b", "cheer", 1), ("c", "anger", 1)]
    write_words(results.root / "S2", words, CLASSES)
    hits = {ties: results.decide(M2, table6_ties=ties)[0] for ties in ("frequent", "rare")}
    assert hits["frequent"]["S2_l1"][1] == hits["rare"]["S2_l2"][1] == 1
    assert hits["frequent"]["S2_l2"][1] == hits["rare"]["S2_l1"][1] == 0


def test_the_nearest_words_are_kept(results: Results, embedded: WordSpace) -> None:
    _, table = results.decide(M2, BASELINE)
    # of M2's run three predictions, none of the baseline's; targets where an utterance has words
    rows = list(table[["of", "fold", "seed", "utterance"]].itertuples(index=False, name=None))
    assert rows == [("M2", "1", "0", name) for name in "abc"] + [
        (name, "", "", utterance)
        for name, utterances in (("S1", "abc"), ("S2", "ab"), ("S3", "abc"))
        for utterance in utterances
    ]
    anger, frustration = (vector(embedded, word) for word in ("anger", "frustration"))
    of_a = table[table["utterance"] == "a"].set_index("of").to_dict("index")
    for of, query in (("M2", frustration), ("S2", 2 * anger + frustration)):
        found = {of_a[of][f"word {k}"]: of_a[of][f"similarity {k}"] for k in range(1, 11)}
        wanted = nearest_words(embedded, query)
        assert list(found) == list(wanted)
        assert found == pytest.approx(wanted, abs=1e-6)
    of_s3 = table[table["of"] == "S3"].drop(columns="utterance").to_numpy().tolist()
    assert of_s3[0] == of_s3[2], "a and c have the same target"
    # only of the loss that the tables show
    assert set(results.decide(M2, losses=("mse",), table_loss="mse")[1]["of"]) == set(TARGETS)


def test_rows_as_numpy_2_0_0_numbers_them(
    embedded: WordSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = embedded.vectors_of(["anger", "sadness", "anger"])
    wanted, unique = words_near("abc", vectors, embedded), np.unique

    def columns(*given: Any, **options: Any) -> Any:
        found = unique(*given, **options)
        return (found[0], found[1][:, None]) if options.get("return_inverse") else found

    monkeypatch.setattr(np, "unique", columns)
    pd.testing.assert_frame_equal(words_near("abc", vectors, embedded), wanted)


def test_neighbours(results: Results, embedded: WordSpace) -> None:
    table, means = results.neighbours()
    first = table[(table["kind"] == "target") & (table["rank"] == 1)]
    examples = list(first[["name", "words", "word"]].itertuples(index=False, name=None))
    # the most frequent target of S1, and the mixture of S2; S3 has no other one
    assert examples == [("S1", "anger:1", "anger"), ("S2", "anger:2 frustration:1", "anger")]
    mean = (2 * vector(embedded, "frustration") + 0.5 * vector(embedded, "anger")) / 2  # of a and c
    vectors = means.set_index("name")[[f"v{i}" for i in range(100)]]
    np.testing.assert_allclose(vectors.loc["anger"].astype(float), mean, atol=1e-6)
    of_anger = table[(table["kind"] == "prediction") & (table["name"] == "anger")]
    wanted = nearest_words(embedded, mean)
    assert list(of_anger["word"]) == list(wanted)
    assert list(of_anger["similarity"]) == pytest.approx(list(wanted.values()), abs=1e-6)
    assert list(of_anger["rank"]) == list(range(1, 11))


def test_neighbours_by_what_was_decided(results: Results, embedded: WordSpace) -> None:
    table, _ = results.neighbours(table5_by="predicted")
    own = table[table["kind"] == "prediction"]
    # all three are decided to be anger: there is no mean of sadness
    assert set(own["name"]) == {"anger"}
    frustration, anger = vector(embedded, "frustration"), vector(embedded, "anger")
    wanted = nearest_words(embedded, (2 * frustration + 1.5 * anger) / 3)
    assert list(own["word"][own["kind"] == "prediction"]) == list(wanted)


def test_neighbours_by_vote(results: Results, embedded: WordSpace) -> None:
    table, _ = results.neighbours(table5="vote")
    of_anger = table[(table["kind"] == "prediction") & (table["name"] == "anger")]
    # of a and c, whose predictions are `frustration` and `anger`: what both have in their five
    words = ("frustration", "anger")
    fives = [list(nearest_words(embedded, vector(embedded, word)))[:5] for word in words]
    votes = {word: sum(word in five for five in fives) / 2 for five in fives for word in five}
    assert dict(zip(of_anger["word"], of_anger["similarity"], strict=True)) == votes
    assert of_anger["similarity"].is_monotonic_decreasing


def test_typical_examples_are_of_different_emotions_and_show_comments() -> None:
    """One of S1, one of S2, two of S3, as in the paper's Table 4."""

    def words(rows: str) -> pd.DataFrame:
        cells = [(row.split()[0], word) for row in rows.split(",") for word in row.split()[1:]]
        return pd.DataFrame(cells, columns=["utterance", "word"]).assign(count=1)

    sets: dict[LabelSet, pd.DataFrame] = {
        "S1": words("a joy, b joy, c anger, d anger, e sadness, f fear, g joy"),
        "S2": words("a joy awe, b joy awe, c anger awe, d anger, e sadness, f fear, g joy awe"),
        "S3": words(
            "a joy awe, b joy awe, c anger awe, d anger calm, e sadness calm, f fear tense, g joy"
        ),
    }
    found = [(own.label_set, " ".join(own.words)) for own in typical_examples(sets)]
    # joy is the most frequent of S1; of S2's mixtures those of joy are left out; of S3's with a
    # word from a comment those of joy and anger, and then of sadness: the first in the alphabet
    wanted = [("S1", "joy"), ("S2", "anger awe"), ("S3", "calm sadness"), ("S3", "fear tense")]
    assert found == wanted
    assert typical_examples({"S1": sets["S1"]}) == []


def test_examples_may_be_given(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    given_ = (("S3", "tense", "guarded", "tense"), ("S1", "joy"), ("S1", "qwxzk"))
    table, _ = results.neighbours(table4_examples=given_)
    examples = table[table["kind"] == "target"][["name", "words"]].drop_duplicates()
    assert examples.to_numpy().tolist() == [["S3", "guarded:1 tense:2"], ["S1", "joy:1"]]
    assert "an example of S1 is left out" in capsys.readouterr().out
    with pytest.raises(InputError, match="one is S1, S2 or S3 and words, not guarded tense"):
        results.neighbours(table4_examples=(("guarded", "tense"),))


def test_files_that_disagree_are_refused(results: Results) -> None:
    folder = results.write_run(M2, np.zeros((2, 100)))
    with pytest.raises(InputError, match="2 predictions for 3 test utterances"):
        results.decide(M2)
    for content in (b"no array", b""):
        (folder / "predictions.npy").write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            results.decide(M2)
    (folder / "run.json").unlink()
    with pytest.raises(InputError, match=r"run.json: no such file"):
        results.decide(M2)
    (results.root / "variants/paper.json").write_text('{"name": "paper"}')
    with pytest.raises(InputError, match=r"paper.json: not the settings of this version"):
        decide(results.root / "variants/paper.json", out=folder, nearest=folder)


def test_constant_predictors(results: Results, embedded: WordSpace) -> None:
    """x alone is trained on: the mean of its words is said of everything."""
    for name, rows in TARGETS.items():
        own = [("x", "sadness", 1), ("y", "anger", 1)]
        own = own if name == "S1" else [("x", "sadness", 3), ("x", "joy", 1)]
        write_words(results.root / name, rows + own, CLASSES)
    for model in (M1, M2):
        results.write_run(model, np.ones((3, 100)))
    floors(results.variant(M1, M2, BASELINE), out=results.root / "f.csv")
    table = pd.read_csv(results.root / "f.csv").set_index(["model", "utterance"])
    models = list(dict.fromkeys(table.index.get_level_values(0)))
    assert models == ["mean_S1", "majority", "mean_S2"]
    assert set(table["loss"]) == {"constant"}
    assert set(table["predicted"]) == {"sadness"}
    anger, sadness, joy = (vector(embedded, word) for word in ("anger", "sadness", "joy"))
    wanted = pytest.approx(1 - cosine((3 * sadness + joy) / 4, anger), abs=1e-6)
    assert table["cosine_S1"]["mean_S2", "a"] == wanted
    assert table["S2_l1"]["majority", "b"] == 1  # b's first word is sadness
