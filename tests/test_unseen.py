"""Emotions never trained on: kept out of training, leaks of them, Table A5 and its figure."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import load_file
from scipy.spatial.distance import cdist
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score, recall_score

from emoword import cli, layout
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.labels.words import read_words
from emoword.layout import Place
from emoword.reproduction.leaks import check_leaks
from emoword.settings import Config, LabelSettings, TrainingSettings, read_config, resolve
from emoword.spaces.word_space import WordSpace
from emoword.training.split import left_out
from many_variants import pretend, write_variants
from small_results import CLASSES, SETTINGS, Small, write_corpus
from test_settings import CONFIG

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "paper/templates/table.tex.j2"
UNSEEN = {"epochs": 1, "unseen": ["joy"]}


# --- what is left out ---


def test_utterances_and_targets_of_an_unseen_word_are_left_out() -> None:
    """By hand: its class, a word of the target, and what is merged with it."""
    table = pd.DataFrame(
        {
            "utterance": list("abcde"),
            "fold": [1, 2, 2, 2, 2],
            "label": ["joy", "joy", *3 * ["fear"]],
        }
    )
    words = pd.DataFrame(
        [("a", "joy"), ("b", "joy"), ("c", "fear"), ("d", "fear"), ("d", "joy"), ("e", "fun")],
        columns=["utterance", "word"],
    )
    merge = LabelSettings(classes=("joy", "fear"), merge={"fun": "joy"})
    out = left_out(table, words, 1, TrainingSettings(unseen=("joy",)), merge)
    assert out == {"a", "b", "d", "e"}
    plain = LabelSettings(classes=("joy", "fear"), merge={})
    assert left_out(table, words, 1, TrainingSettings(unseen=("joy",)), plain) == {"a", "b", "d"}
    assert left_out(table, words, 1, TrainingSettings(), merge) == set()


def test_a_class_that_is_none_is_refused() -> None:
    changed = {**CONFIG, "variants": {**CONFIG["variants"], "x": {"training": UNSEEN}}}
    with pytest.raises(
        InputError, match=r"x: unseen: joy: not one of demo's classes \(anger, happ"
    ):
        resolve(read_config(changed), "demo", "x")


@pytest.fixture(scope="module")
def small(embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Joy is not learned, by M2 and the baseline; u3, of anger's class, is joy to a rater."""
    folder = tmp_path_factory.mktemp("unseen")
    made = Small.make(folder, embedded_folder, label_sets=["S1", "S2"], training=UNSEEN)
    annotations = made.root / "annotations.csv"
    rows = pd.read_csv(annotations)
    row = (rows["utterance"] == "u9") & (rows["rater"] == "E3") & (rows["kind"] == "label")
    write_table(rows.assign(text=rows["text"].mask(row, "joy")), annotations)
    out = made.targets("S2")
    tables = {"utterances": made.utterances, "annotations": annotations}
    cli_label_set(out, tables, embedded_folder)
    for model in made.variant.models:
        for fold in (1, 2, 3):
            made.train_model(model, fold, label_sets=["S1", "S2"], training=UNSEEN)
    return made


def cli_label_set(out: Path, tables: dict[str, Path], space: Path) -> None:
    options = [word for name, path in tables.items() for word in (f"--{name}", str(path))]
    cli.main(
        [
            "label-set",
            str(out / "settings.json"),
            *options,
            "--space",
            str(space),
            "--out",
            str(out),
        ]
    )


def run_of(small: Small, name: str, fold: int) -> Path:
    (model,) = (own for own in small.variant.models if own.name == name)
    return small.root / layout.run_folder(model.folder, fold, 0)


def test_a_run_learns_nothing_of_the_unseen(small: Small) -> None:
    assert small.truth["u9"] == "anger"
    for name, further in (("M1", set()), ("M2", {"u9"}), ("baseline", set())):
        run = run_of(small, name, 2)  # u9 is of fold 1
        parts = pd.read_csv(run / "split.csv", index_col="utterance")["part"]
        of_joy = {u for u, label in small.truth.items() if label == "joy"}
        assert set(parts.index[parts == "left out"]) == {
            u for u in of_joy | further if parts[u] != "test"
        }
        assert of_joy & set(parts.index[parts == "test"])
        heard = parts.index[parts == "train"]
        frames = np.concatenate([small.frames(str(u)) for u in heard]).astype(np.float64)
        weights = load_file(run / "weights.safetensors")
        np.testing.assert_allclose(weights["input_mean"], frames.mean(0), rtol=1e-5)
        record = json.loads((run / "run.json").read_text())
        assert record["classes"] == CLASSES
        # a class that was not to be learned is no sign of a collapse
        assert "joy" not in record["never_predicted"]


# --- leaks ---


def said_of(small: Small, tmp_path: Path) -> str:
    with pytest.raises(InputError, match=r"^LEAK: ") as found:
        check_leaks(small.variant_file, utterances=small.utterances, out=tmp_path / "leaks.json")
    return str(found.value)


def test_nothing_leaks_of_itself(small: Small, tmp_path: Path) -> None:
    out = tmp_path / "leaks.json"
    check_leaks(small.variant_file, utterances=small.utterances, out=out)
    assert json.loads(out.read_text())["leaks"] == 0


@pytest.mark.parametrize("name", ["M2", "baseline"])
def test_a_run_that_learned_all_is_caught(small: Small, tmp_path: Path, name: str) -> None:
    """In place of a run there lies one of the same model that was to learn everything."""
    run, kept = run_of(small, name, 2), tmp_path / "kept"
    run.rename(kept)
    model = next(own for own in small.variant.models if own.name == name)
    plain = {"epochs": 1, "unseen": []}
    try:
        small.train(
            run, model.loss, model.label_set, fold=2, label_sets=["S1", "S2"], training=plain
        )
        message = said_of(small, tmp_path)
    finally:
        for path in run.iterdir():
            path.unlink()
        run.rmdir()
        kept.rename(run)
    assert f"{run}: joy was to stay unseen, and is trained or validated on: u" in message


def test_the_word_in_one_training_target_is_caught(small: Small, tmp_path: Path) -> None:
    """A target that names joy and is trained on: the label set that the run saw is put back."""
    run, words = run_of(small, "M2", 2), small.targets("S2") / "words.csv"
    parts = pd.read_csv(run / "split.csv", index_col="utterance")["part"]
    name = str(parts.index[parts == "train"][0])
    before, table = words.read_text(), read_words(small.targets("S2"))
    more = pd.DataFrame([(name, "joy", 1)], columns=list(table))
    write_table(pd.concat([table, more]), words)
    try:
        message = said_of(small, tmp_path)
    finally:
        words.write_text(before)
    assert f"joy was to stay unseen, and is trained or validated on: {name}" in message
    assert f"{run}: the targets of its train part are not what S2 says" in message


# --- Table A5 ---


def test_ranks_are_places_among_all_neighbours(embedded: WordSpace) -> None:
    rng = np.random.default_rng(0)
    queries = embedded.vectors_of(["anger", "joy", "table"]) + rng.normal(0, 0.1, (3, embedded.dim))
    for word in ("joy", "the", "sorrow"):
        assert list(embedded.ranks(queries, word)) == places_of(word, queries, embedded)
    assert embedded.ranks(embedded.vectors_of(["joy"]), "joy") == 1


def places_of(word: str, queries: Any, space: WordSpace) -> list[int]:
    """By scipy's distances: how many words are nearer, and one."""
    distances = cdist(queries, space.vectors, "cosine")
    row = distances[:, space.index(word)]
    return [1 + int((own < least - 1e-9).sum()) for own, least in zip(distances, row, strict=True)]


def config() -> Config:
    own = {"kind": "iemocap", "folds": 3, "seeds": [0, 1]}
    variants: dict[str, Any] = {"paper": {}}
    for emotion in ("joy", "anger"):
        variants[emotion] = {"training": {"unseen": [emotion]}}
        variants[f"{emotion}_shuffled"] = {**variants[emotion], "space_transform": "shuffled"}
    chosen = {**own, "settings": {**SETTINGS, "label_sets": ["S1"]}, "variants": list(variants)}
    return read_config(
        {
            "datasets": {"tiny": chosen},
            "variants": variants,
            "spaces": {"embedded": {"format": "embedded"}},
            "upstreams": {"logmel": {"kind": "logmel"}},
        }
    )


Drawn = dict[tuple[str, str, str, int], Any]


@pytest.fixture(scope="module")
def pretended(
    embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Place], Drawn]:
    """Predictions of 48 utterances near a word that is right, or random; logits at random."""
    results = tmp_path_factory.mktemp("pretended") / "results"
    root = results / "tiny"
    root.mkdir(parents=True)
    write_corpus(root)
    (results / "spaces").mkdir()
    (results / "spaces/embedded").symlink_to(embedded_folder)
    made_by = config()
    places = write_variants(results, made_by, "tiny", embedded_folder)
    targets = places["paper"].targets("S1")
    cli.main([
        "transform-space", str(embedded_folder), "--transform", "shuffled",
        "--targets", str(targets), "--out", str(root / "spaces/embedded-shuffled"),
    ])  # fmt: skip
    table = pd.read_csv(root / "utterances.csv", keep_default_na=False)
    truth = table.set_index("utterance")["label"]
    rng, drawn = np.random.default_rng(5), Drawn()

    spaces = {name: WordSpace.open(place.space) for name, place in places.items()}

    def says(name: str, record: dict[str, Any]) -> Any:
        space = spaces[record["variant"]]
        if record["loss"] == "ce":
            vector = rng.normal(size=3).astype(np.float32)
        else:
            noise = rng.normal(0, 0.6, space.dim).astype(np.float32)
            vector = space.vectors_of([truth[name]])[0] * rng.integers(0, 2) + noise
        drawn[name, record["variant"], record["loss"], record["seed"]] = vector
        return vector

    for place in places.values():
        pretend(place, table, says, seeds=(0, 1))
    return places, drawn


@pytest.fixture(scope="module")
def a5(pretended: tuple[dict[str, Place], Drawn], tmp_path_factory: pytest.TempPathFactory) -> Path:
    places, _ = pretended
    folder = tmp_path_factory.mktemp("a5")
    files = [str(place.path(f"variants/{name}.json")) for name, place in places.items()]
    cli.main([
        "unseen", *files, "--utterances", str(places["paper"].path("utterances.csv")),
        "--template", str(TEMPLATE), "--csv", str(folder / "a5.csv"),
        "--tex", str(folder / "a5.tex"),
    ])  # fmt: skip
    return folder


def rows_of(a5: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The table by emotion, how, model."""
    rows = [
        {str(k): v for k, v in row.items()} for row in pd.read_csv(a5 / "a5.csv").to_dict("records")
    ]
    return {(row["emotion"], row["how"], row["model"]): row for row in rows}


def predicted(vectors: Any, space: WordSpace, classes: list[str]) -> list[str]:
    own = space.vectors_of(classes)
    own = own / np.linalg.norm(own, axis=1, keepdims=True)
    return [classes[i] for i in (np.stack(vectors) @ own.T).argmax(1)]


def measured_by_hand(
    pretended: tuple[dict[str, Place], Drawn],
    variant: str,
    emotion: str,
    how: str,
    without: str = "",
) -> tuple[float, float, float]:
    """Recall, UA of the others, harmonic mean of M1, mean over seeds, by scikit-learn."""
    places, drawn = pretended
    space = WordSpace.open(places[variant].space)
    table = pd.read_csv(places["paper"].path("utterances.csv"), keep_default_na=False)
    table = table[table["speaker"] != without]
    found = []
    for seed in (0, 1):
        vectors = [drawn[name, variant, "lc", seed] for name in table["utterance"]]
        classes = [c for c in CLASSES if how == "all" or c != emotion]
        said = np.array(predicted(vectors, space, classes))
        own = (table["label"] == emotion).to_numpy()
        recall = float((said[own] == emotion).mean())
        others = recall_score(
            table["label"][~own], said[~own], labels=[c for c in CLASSES if c != emotion],
            average="macro",
        )  # fmt: skip
        both = recall + others
        found.append((recall, float(others), 2 * recall * others / both if both else 0.0))
    a, b, c = np.mean(found, axis=0)
    return float(a), float(b), float(c)


@pytest.mark.parametrize(
    ("how", "variant", "among"),
    [
        ("never trained on", "{}", "all"),
        ("never, shuffled vectors", "{}_shuffled", "all"),
        ("never, nearest trained", "{}", "seen"),
        ("trained on", "paper", "all"),
    ],
)
def test_table_a5(
    pretended: tuple[dict[str, Place], Drawn], a5: Path, how: str, variant: str, among: str
) -> None:
    """Values and intervals: each speaker left out in turn, Student's t of the pseudo-values."""
    rows = rows_of(a5)
    means = []
    for emotion in ("joy", "anger"):
        row = rows[emotion, how, "M1 LC"]
        name = variant.format(emotion)
        whole = np.array(measured_by_hand(pretended, name, emotion, among))
        pseudo = [
            3 * whole - 2 * np.array(measured_by_hand(pretended, name, emotion, among, speaker))
            for speaker in ("s0", "s1", "s2")
        ]
        means.append((whole, pseudo))
        reach = student.ppf(0.975, 2) * np.std(pseudo, axis=0, ddof=1) / np.sqrt(3)
        names = ["recall", "UA of the others", "harmonic mean"]
        np.testing.assert_allclose([row[n] for n in names], whole, atol=1e-12)
        np.testing.assert_allclose([row[f"{n} low"] for n in names], whole - reach, atol=1e-9)
        if among == "seen":
            assert row["recall"] == 0
    whole, pseudo = (np.mean([own[i] for own in means], axis=0) for i in (0, 1))
    row = rows["mean of 2 emotions", how, "M1 LC"]
    reach = student.ppf(0.975, 2) * np.std(pseudo, axis=0, ddof=1) / np.sqrt(3)
    assert row["recall"] == pytest.approx(whole[0])
    assert row["harmonic mean high"] == pytest.approx(whole[2] + reach[2])


def test_the_words_place(
    pretended: tuple[dict[str, Place], Drawn], a5: Path, embedded: WordSpace
) -> None:
    places, drawn = pretended
    rows = rows_of(a5)
    table = pd.read_csv(places["paper"].path("utterances.csv"), keep_default_na=False)
    own = list(table["utterance"][table["label"] == "joy"])
    vectors = [drawn[name, "joy", "lc", seed] for name in own for seed in (0, 1)]
    ranks = places_of("joy", np.stack(vectors), embedded)
    row = rows["joy", "never trained on", "M1 LC"]
    assert row["median rank"] == np.median(ranks)
    assert row["in ten"] == pytest.approx(np.mean([rank <= 10 for rank in ranks]))
    listed = (ROOT / "src/emoword/resources/wordnet.synonyms.txt").read_text()
    (alike,) = [line.split() for line in listed.splitlines() if line.startswith("joy ")]
    assert "delight" in alike
    alike = [word for word in alike if word in embedded]
    ranks = np.min([places_of(word, np.stack(vectors), embedded) for word in alike], axis=0)
    assert row["synonym in ten"] == pytest.approx(np.mean(ranks <= 10))
    # what is said in place of joy has a place of its own: from the class's own vector
    said = predicted(vectors, embedded, ["anger", "sadness"])
    ranks = places_of("joy", embedded.vectors_of(said), embedded)
    assert rows["joy", "never, nearest trained", "M1 LC"]["median rank"] == np.median(ranks)
    shuffled = rows["joy", "never, shuffled vectors", "M1 LC"]
    assert np.isnan(shuffled["synonym in ten"])
    gap = row["recall"] - shuffled["recall"]
    assert row["recall - shuffled"] == pytest.approx(gap)
    assert ("joy", "never, shuffled vectors", "baseline CE") not in rows
    text = (a5 / "a5.tex").read_text()
    assert "mean of 2 emotions" in text
    assert "3 speakers, 2 seeds" in text


def test_cross_entropy_decides_by_its_outputs(
    pretended: tuple[dict[str, Place], Drawn], a5: Path
) -> None:
    places, drawn = pretended
    table = pd.read_csv(places["paper"].path("utterances.csv"), keep_default_na=False)
    values = []
    for seed in (0, 1):
        # the baseline of both spaces is one and the same run: the one that was written last
        logits = [drawn[name, "joy_shuffled", "ce", seed] for name in table["utterance"]]
        said = pd.Series(np.array(CLASSES)[np.stack(logits).argmax(1)], table.index)
        rest = table["label"] != "joy"
        with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
            values.append(balanced_accuracy_score(table["label"][rest], said[rest]))
    rows = rows_of(a5)
    row = rows["joy", "never trained on", "baseline CE"]
    assert row["UA of the others"] == pytest.approx(np.mean(values))


def test_the_figure_shows_the_table(a5: Path) -> None:
    out = {kind: a5 / f"unseen.{kind}" for kind in ("pdf", "png")}
    data = a5 / "unseen.csv"
    cli.main([
        "figure", "unseen", "--table", str(a5 / "a5.csv"), "--pdf", str(out["pdf"]),
        "--png", str(out["png"]), "--data", str(data), "--title-note", "made up",
    ])  # fmt: skip
    shown, table = pd.read_csv(data), pd.read_csv(a5 / "a5.csv")
    assert set(shown["model"]) == {"M1 LC"}
    assert len(shown) == 3 * 3  # three ways, two emotions and their mean
    merged = shown.merge(table, on=["emotion", "how", "model"], suffixes=("", " there"))
    assert (merged["harmonic mean"] == merged["harmonic mean there"]).all()
    assert Image.open(out["png"]).size[0] > 1000


def test_the_order_of_variants_is_minded(
    pretended: tuple[dict[str, Place], Drawn], tmp_path: Path, fails: Callable[..., str]
) -> None:
    places, _ = pretended
    files = [places[name].path(f"variants/{name}.json") for name in ("joy", "paper")]
    options = [
        "--utterances", places["paper"].path("utterances.csv"), "--template", TEMPLATE,
        "--csv", tmp_path / "a.csv", "--tex", tmp_path / "a.tex",
    ]  # fmt: skip
    assert "is trained on all first" in fails("unseen", *files, *options)
    assert "paper: a row of the table is of one unseen class" in fails(
        "unseen", files[1], files[1], *options
    )
