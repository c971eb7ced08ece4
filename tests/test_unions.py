"""Several corpora as one: united, kept apart where they should be, and Table A4."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from scipy.spatial.distance import cdist
from sklearn.metrics import balanced_accuracy_score

from emoword import cli, layout
from emoword.features.frames import Features
from emoword.inference.model import load
from emoword.io.errors import InputError
from emoword.io.files import write_table
from emoword.layout import Place
from emoword.reproduction.leaks import check_leaks
from emoword.schemas import ANNOTATIONS, UTTERANCES
from emoword.settings import Config, laid_over, read_config, resolve
from emoword.spaces.word_space import WordSpace
from emoword.training.train import train
from many_variants import pretend, write_variants
from small_results import SETTINGS, random_frames, write_frames
from test_settings import CONFIG

TEMPLATE = Path(__file__).parents[1] / "paper/templates/table.tex.j2"
LABELS = {"one": ["anger", "joy", "sadness"], "two": ["anger", "joy"]}
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {},
    "shared": {"labels": {"classes": LABELS["two"]}},
    "own": {"training": {"corpora": "own"}},
    "others": {"training": {"corpora": "others", "standardise": "corpus"}},
}


def config(**union: Any) -> Config:
    own = {"kind": "iemocap", "folds": 2, "seeds": [0]}
    both = {**own, "kind": "union", "of": ["one", "two"], "folds": 0, "variants": list(VARIANTS)}
    training = {"epochs": 1, "validation": 0.3}
    both["settings"] = laid_over(SETTINGS, {"label_sets": ["S1"], "training": training})
    return read_config(
        {
            "datasets": {"one": own, "two": own, "both": {**both, **union}},
            "variants": VARIANTS,
            "spaces": {"embedded": {"format": "embedded"}},
            "upstreams": {"logmel": {"kind": "logmel"}},
        }
    )


def write_corpus(folder: Path, labels: list[str]) -> None:
    """24 utterances of four speakers, two a fold; the names are the same in every corpus."""
    folder.mkdir(parents=True)
    rows, said = [], []
    for i in range(24):
        speaker = i % 4
        label = labels[i // 4 % len(labels)]
        rows.append(
            (f"u{i}", f"{folder.name}/u{i}.wav", f"s{speaker}", speaker // 2 + 1, "", label)
        )
        said.append((f"u{i}", "E1", "observer", "label", "categorical", label, "x.txt", i))
    write_table(pd.DataFrame(rows, columns=UTTERANCES.needed), folder / "utterances.csv")
    write_table(pd.DataFrame(said, columns=ANNOTATIONS.names), folder / "annotations.csv")
    dropped = [{"what": "utterances", "reason": "the audio file is missing", "which": ["x"]}]
    about = {"folds": {"1": {"name": "A"}, "2": {"name": "B"}}, "dropped": dropped}
    (folder / "corpus.json").write_text(json.dumps({**about, "warnings": ["odd"]}))


@pytest.fixture(scope="module")
def results(embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two corpora, and their union with its frames; nothing is trained."""
    folder = tmp_path_factory.mktemp("union") / "results"
    for name, labels in LABELS.items():
        write_corpus(folder / name, labels)
    cli.main(["unite", str(folder / "one"), str(folder / "two"), "--out", str(folder / "both")])
    (folder / "spaces").mkdir()
    (folder / "spaces/embedded").symlink_to(embedded_folder)
    truth = dict(table_of(folder)[["utterance", "label"]].to_numpy())
    write_frames(folder / "both/features/logmel", random_frames(truth))
    return folder


@pytest.fixture(scope="module")
def places(results: Path, embedded_folder: Path) -> dict[str, Place]:
    return write_variants(results, config(), "both", embedded_folder)


def table_of(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "both/utterances.csv", keep_default_na=False)


# --- uniting ---


def test_nothing_of_one_corpus_is_taken_for_the_others(results: Path) -> None:
    table = table_of(results)
    assert list(table) == [*UTTERANCES.needed, "corpus"]
    assert table["utterance"].is_unique
    assert list(table.iloc[0]) == ["one/u0", "one/u0.wav", "one/s0", 1, "", "anger", "one"]
    assert list(table.iloc[-1]) == ["two/u23", "two/u23.wav", "two/s3", 4, "", "joy", "two"]
    assert (
        table.groupby("fold")["corpus"].unique().map(list).to_list()
        == [["one"]] * 2 + [["two"]] * 2
    )
    said = ANNOTATIONS.read(results / "both/annotations.csv")
    assert list(said["utterance"]) == list(table["utterance"])
    assert set(said["rater"]) == {"one/E1", "two/E1"}
    about = json.loads((results / "both/corpus.json").read_text())
    assert [own["name"] for own in about["folds"].values()] == ["one A", "one B", "two A", "two B"]
    assert [own["reason"] for own in about["dropped"]] == [
        f"{name}: the audio file is missing" for name in LABELS
    ]
    assert about["warnings"] == ["one: odd", "two: odd"]


def test_a_corpus_or_recording_that_comes_twice_is_refused(
    results: Path, tmp_path: Path, fails: Callable[..., str]
) -> None:
    out = tmp_path / "out"
    assert "no corpora" in fails("unite", "--out", out)
    assert "a corpus one is there already" in fails(
        "unite", results / "one", results / "one", "--out", out
    )
    write_corpus(tmp_path / "again", ["anger", "joy"])
    path = tmp_path / "again/utterances.csv"
    path.write_text(path.read_text().replace("again/u3.wav", "one/../one/u3.wav"))
    assert "again/u3: its recording is that of one/u3, too" in fails(
        "unite", results / "one", tmp_path / "again", "--out", out
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("union", "message"),
    [
        ({"folds": 5}, "datasets: 'both': folds: "),
        ({"of": ["one", "both"]}, "datasets: both: of: each one of one, two, once"),
        ({"of": ["one", "one"]}, "each one of one, two, once"),
    ],
)
def test_a_union_that_cannot_be_is_refused(union: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        config(**union)


def test_what_is_for_a_union_is_refused_elsewhere() -> None:
    changed = {**CONFIG, "variants": {**CONFIG["variants"], **VARIANTS}}
    for name in ("own", "others"):
        with pytest.raises(InputError, match=f"{name}: corpora, and .* polish is one corpus"):
            resolve(read_config(changed), "polish", name)


def test_a_union_with_the_demo_is_synthetic_and_rated_only_if_all_are() -> None:
    of = {name: own for name, own in CONFIG["datasets"].items() if name in ("demo", "polish")}
    both = {"kind": "union", "of": list(of), "seeds": [0]}
    made = read_config({**CONFIG, "datasets": {**of, "both": both}, "dataset": "both"})
    assert made.folds("both") == 10
    assert made.synthetic("both")
    assert not made.synthetic("polish")
    assert [made.rated(name) for name in ("demo", "polish", "both")] == [True, False, False]


# --- what is trained on ---


def trained(results: Path, place: Place) -> Place:
    """A variant without its baseline, and its runs, trained."""
    models = tuple(model for model in place.variant.models if model.loss == "lc")
    place = Place(msgspec.structs.replace(place.variant, models=models), place.root)
    name = f"variants/{place.variant.name}-lc.json"
    place.path(name).write_text(layout.as_json(place.variant))
    for model in models:
        vectors = place.path(place.variant.vectors["S1"])
        for fold in (1, 2, 3, 4):
            train(
                place.path(model.folder) / "settings.json",
                utterances=results / "both/utterances.csv",
                truth=place.targets("S1"),
                targets=place.targets("S1"),
                vectors=vectors,
                features=place.features,
                fold=fold,
                device="cpu",
                out=place.path(layout.run_folder(model.folder, fold, 0)),
            )
    return place


@pytest.fixture(scope="module")
def kept(results: Path, places: dict[str, Place]) -> dict[str, Place]:
    return {name: trained(results, places[name]) for name in ("own", "others")}


def run_of(place: Place, fold: int) -> Path:
    return place.path(layout.run_folder(place.variant.models[0].folder, fold, 0))


def parts_of(place: Place, fold: int) -> pd.Series:
    return pd.read_csv(run_of(place, fold) / "split.csv", index_col="utterance")["part"]


@pytest.mark.parametrize(("variant", "heard"), [("own", "two"), ("others", "one")])
def test_corpora_decide_what_is_learned_from(
    kept: dict[str, Place], variant: str, heard: str
) -> None:
    """Fold 3 is of the corpus `two`."""
    parts = parts_of(kept[variant], 3)
    corpus = parts.index.str.split("/").str[0]
    assert set(corpus[parts.isin(["train", "validation"])]) == {heard}
    assert set(corpus[parts == "test"]) == {"two"}
    learned = parts[parts.isin(["train", "validation"])]
    assert (parts == "test").sum() == 12
    assert len(learned) == (12 if variant == "own" else 24)
    assert (learned == "validation").sum() == round(0.3 * len(learned))
    assert (parts == "left out").sum() == 48 - 12 - len(learned)


def test_a_final_model_learns_from_all_corpora(
    results: Path, places: dict[str, Place], tmp_path: Path
) -> None:
    """It leaves no fold out, so that no corpus is its own or another's."""
    made_by = places["own"].path(places["own"].variant.models[0].folder) / "settings.json"
    with pytest.raises(InputError, match="corpora: own: a final model tests no corpus: use all"):
        train(
            made_by,
            utterances=results / "both/utterances.csv",
            truth=places["own"].targets("S1"),
            targets=places["own"].targets("S1"),
            vectors=places["own"].path(places["own"].variant.vectors["S1"]),
            features=places["own"].features,
            fold=0,
            device="cpu",
            out=tmp_path / "fold0-seed0",
        )


def test_frames_by_corpus_are_those_of_what_may_be_heard(kept: dict[str, Place]) -> None:
    """Of `two`, which is tested and not trained on: its other fold, of whatever label."""
    place = kept["others"]
    parts, frames = parts_of(place, 3), Features.open(place.features)
    weights = load_file(run_of(place, 3) / "weights.safetensors")
    assert not weights["input_mean"].any()  # the network itself standardises nothing
    for corpus, part in (("one", "train"), ("two", "left out")):
        names = [name for name in parts.index[parts == part] if str(name).startswith(corpus)]
        rows = np.concatenate([frames.of(str(name)).numpy() for name in names]).astype(np.float64)
        np.testing.assert_allclose(weights[f"input_mean.{corpus}"], rows.mean(0), rtol=1e-5)
        np.testing.assert_allclose(weights[f"input_std.{corpus}"], rows.std(0), rtol=1e-5)


def test_a_model_of_frames_by_corpus_predicts_nothing_else(kept: dict[str, Place]) -> None:
    with pytest.raises(InputError, match="standardised by corpus, and of what corpus"):
        load(run_of(kept["others"], 1))


# --- leaks ---


def said_of(results: Path, place: Place, tmp_path: Path) -> str:
    """What check-leaks says of a variant."""
    out, variant = tmp_path / "leaks.json", place.path(f"variants/{place.variant.name}-lc.json")
    try:
        check_leaks(variant, utterances=results / "both/utterances.csv", out=out)
    except InputError as error:
        assert not out.exists()
        return str(error)
    return json.dumps(json.loads(out.read_text()))


@pytest.mark.parametrize(
    ("variant", "fold", "named"),
    [
        ("others", 3, "two was not to be trained on; there is two/u"),
        ("own", 3, "two was alone to be trained on; there is one/u"),
    ],
)
def test_a_corpus_that_leaks_is_named(
    results: Path, kept: dict[str, Place], tmp_path: Path, variant: str, fold: int, named: str
) -> None:
    """One utterance that was left out is said to have been trained on."""
    place = kept[variant]
    assert '"leaks": 0' in said_of(results, place, tmp_path)
    (tmp_path / "leaks.json").unlink()
    run = run_of(place, fold)
    path = run / "split.csv"
    before = path.read_text()
    path.write_text(before.replace(",left out", ",train", 1))
    try:
        message = said_of(results, place, tmp_path)
    finally:
        path.write_text(before)
    assert message.startswith("LEAK: ")
    assert f"{run}: {named}" in message
    assert "the targets of its train part are not what" in message


def test_a_speaker_of_the_tested_corpus_in_training(
    results: Path, kept: dict[str, Place], tmp_path: Path
) -> None:
    """The test fold's own utterance, learned in a run that is to hear its corpus alone."""
    place = kept["own"]
    run = run_of(place, 3)
    path = run / "split.csv"
    before = path.read_text()
    path.write_text(before.replace("two/u1,test", "two/u1,train"))
    try:
        message = said_of(results, place, tmp_path)
    finally:
        path.write_text(before)
    assert "speakers of the test fold in training or validation: two/s1" in message


def test_frames_standardised_with_the_test_folds(
    results: Path, kept: dict[str, Place], tmp_path: Path
) -> None:
    place = kept["others"]
    path = run_of(place, 3) / "weights.safetensors"
    before = load_file(path)
    frames = Features.open(place.features)
    names = [name for name in table_of(results)["utterance"] if name.startswith("two")]
    rows = np.concatenate([frames.of(name).numpy() for name in names])
    save_file({**before, "input_mean.two": rows.mean(0)}, path)
    try:
        message = said_of(results, place, tmp_path)
    finally:
        save_file(before, path)
    assert "frames of two standardised by others than those that it may hear" in message


# --- Table A4 ---


def test_table_a4(
    results: Path, embedded: WordSpace, embedded_folder: Path, tmp_path: Path
) -> None:
    """Predictions made up at random; UA by scikit-learn, decided by scipy's distances."""
    own = config(seeds=[0, 1])
    folder = tmp_path / "results"
    (folder / "both").mkdir(parents=True)
    (folder / "spaces").symlink_to(results / "spaces")
    for name in ("utterances.csv", "annotations.csv"):
        (folder / "both" / name).write_bytes((results / "both" / name).read_bytes())
    places = write_variants(folder, own, "both", embedded_folder)
    table = table_of(folder)
    truth = table.set_index("utterance")["label"]
    rng, drawn = np.random.default_rng(3), {}

    def says(name: str, record: dict[str, Any]) -> Any:
        width = len(record["classes"]) if record["loss"] == "ce" else embedded.dim
        vector = rng.normal(size=width).astype(np.float32)
        if record["loss"] == "lc":  # half right
            vector += embedded.vectors_of([truth[name]])[0]
        drawn[name, record["variant"], record["loss"], record["seed"]] = vector
        return vector

    for place in places.values():
        pretend(place, table, says, seeds=(0, 1))
    csv, tex = tmp_path / "a4.csv", tmp_path / "a4.tex"
    files = [str(place.path(f"variants/{name}.json")) for name, place in places.items()]
    cli.main([
        "cross-corpus", *files, "--utterances", str(folder / "both/utterances.csv"),
        "--template", str(TEMPLATE), "--csv", str(csv), "--tex", str(tex),
    ])  # fmt: skip
    made = pd.read_csv(csv, keep_default_na=False)
    assert list(made["tested"].unique()) == ["one", "two"]

    def wanted(variant: str, loss: str, corpus: str, classes: list[str]) -> float:
        """The mean over seeds and folds of UA, among these classes."""
        known = list(places[variant].variant.settings.labels.classes)
        values = []
        for seed in (0, 1):
            for _, rows in table[
                (table["corpus"] == corpus) & table["label"].isin(classes)
            ].groupby("fold"):
                found = np.array([drawn[name, variant, loss, seed] for name in rows["utterance"]])
                scores: Any = found
                if loss == "ce":
                    scores = scores[:, [known.index(label) for label in classes]]
                else:
                    scores = -cdist(found, embedded.vectors_of(classes), "cosine")
                predicted = [classes[i] for i in scores.argmax(1)]
                values.append(balanced_accuracy_score(rows["label"], predicted))
        return float(np.mean(values))

    rows = {(r["tested"], r["variant"], r["model"]): r for r in made.to_dict("records")}
    shared = LABELS["two"]
    for (corpus, variant, model), row in rows.items():
        if not variant:
            assert model == "chance"
            assert float(row["UA shared labels"]) == 0.5
            assert float(row["UA own labels"]) == 1 / len(LABELS[corpus])
            continue
        loss = model.split()[1].lower()
        value = wanted(variant, loss, corpus, shared)
        assert float(row["UA shared labels"]) == pytest.approx(value)
        if set(LABELS[corpus]) <= set(places[variant].variant.settings.labels.classes):
            value = wanted(variant, loss, corpus, LABELS[corpus])
            assert float(row["UA own labels"]) == pytest.approx(value)
        else:
            assert row["UA own labels"] == ""
    for corpus in LABELS:
        ours, theirs = rows[corpus, "paper", "M1 LC"], rows[corpus, "shared", "baseline CE"]
        gap = float(ours["UA shared labels"]) - float(theirs["UA shared labels"])
        assert float(ours["UA - cross entropy"]) == pytest.approx(gap)
        alone = float(rows[corpus, "own", "M1 LC"]["UA shared labels"])
        assert float(ours["UA - alone"]) == pytest.approx(float(ours["UA shared labels"]) - alone)
        assert float(ours["UA - alone low"]) < gap + 1  # an interval is there
        assert theirs["UA - cross entropy"] == ""
    others = rows["one", "others", "M1 LC"]
    assert (others["trained on"], others["labels"]) == ("the others, by corpus", "all")
    assert "labels anger, joy, sadness" in tex.read_text()


def test_corpora_without_a_label_in_common(
    results: Path, tmp_path: Path, fails: Callable[..., str], places: dict[str, Place]
) -> None:
    table = table_of(results)
    mine = tmp_path / "utterances.csv"
    alone = table["utterance"].where(table["label"] != "anger")
    write_table(table.assign(corpus=alone.notna().map({True: "two", False: "one"})), mine)
    said = fails(
        "cross-corpus", places["paper"].path("variants/paper.json"), "--utterances", mine,
        "--template", TEMPLATE, "--csv", tmp_path / "a.csv", "--tex", tmp_path / "a.tex",
    )  # fmt: skip
    assert "the corpora share fewer than two classes: one: anger; two: joy, sadness" in said
