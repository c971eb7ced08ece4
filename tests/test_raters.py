"""Raters as the yardstick: measures against scipy, scikit-learn and krippendorff; Table A6."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist
from scipy.spatial.distance import cosine as distance
from scipy.special import log_softmax
from scipy.stats import entropy
from sklearn.calibration import calibration_curve

from emoword import cli
from emoword.evaluation.decide import decide, read_run
from emoword.evaluation.distributions import BINS, brier, calibration, jensen_shannon
from emoword.evaluation.evaluate import evaluate
from emoword.evaluation.temperature import cross_entropy, fit_temperature
from emoword.io.files import write_table
from emoword.labels.label_sets import label_set
from emoword.labels.raters import alpha, shares
from emoword.layout import RunSettings, read_settings
from emoword.reproduction.yardstick import agreement, counted, majority
from emoword.schemas import ANNOTATIONS
from emoword.spaces.word_space import WordSpace
from emoword.training.network import network_of, read_weights
from small_results import CLASSES, Small

TEMPLATE = Path(__file__).parents[1] / "paper/templates/table.tex.j2"
RESOURCES = Path(__file__).parents[1] / "src/emoword/resources"
Floats = NDArray[np.float64]
SEEDS = st.integers(0, 10_000)


def distributions(seed: int, n: int, classes: int) -> Floats:
    """Made-up ones, with zeros among them."""
    counts = np.random.default_rng(seed).integers(0, 4, (n, classes)).astype(float)
    counts[:, 0] += counts.sum(axis=1) == 0
    return shares(counts)


# --- agreement ---


@given(SEEDS, st.integers(2, 5), st.integers(2, 12))
def test_alpha_is_the_packages(seed: int, values: int, utterances: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, (utterances, values)).astype(float)
    speakers = np.arange(utterances) % 3
    pairable = counts[counts.sum(axis=1) > 1]
    assume((pairable.sum(axis=0) > 0).sum() > 1)
    found, without = alpha(counts, speakers)
    wanted = krippendorff.alpha(value_counts=counts.astype(int), level_of_measurement="nominal")
    assert found == pytest.approx(wanted)
    for speaker in range(min(3, utterances)):
        rest = counts[speakers != speaker]
        if (rest[rest.sum(axis=1) > 1].sum(axis=0) > 0).sum() > 1:
            wanted = krippendorff.alpha(
                value_counts=rest.astype(int), level_of_measurement="nominal"
            )
            assert without[speaker] == pytest.approx(wanted)


def test_alpha_of_one_value_is_unknown() -> None:
    assert np.isnan(alpha(np.array([[3.0], [2.0]]), np.array([0, 1]))[0])


def test_two_labels_of_a_rater_are_one_value() -> None:
    rows = [("u", "A", "joy"), ("u", "A", "awe"), ("u", "B", "awe"), ("u", "B", "joy")]
    rows += [("v", "A", "joy"), ("v", "B", "joy"), ("w", "A", "joy"), ("w", "B", "awe")]
    said = counted(pd.DataFrame(rows, columns=["utterance", "rater", "word"]))
    found, _ = agreement(said, pd.Series("s", index=["u", "v", "w"]))
    codes = [[0, 1, 1], [0, 1, 2]]  # both; joy; awe
    assert found == pytest.approx(krippendorff.alpha(codes, level_of_measurement="nominal"))


# --- distributions ---


@given(SEEDS, st.integers(2, 5))
def test_jensen_shannon_and_brier(seed: int, classes: int) -> None:
    said, wanted = distributions(seed, 5, classes), distributions(seed + 1, 5, classes)
    middle = (said + wanted) / 2
    bits = (entropy(said, middle, 2, axis=1) + entropy(wanted, middle, 2, axis=1)) / 2
    assert jensen_shannon(said, wanted) == pytest.approx(bits, abs=1e-9)
    squares = [
        sum((a - b) ** 2 for a, b in zip(p, q, strict=True))
        for p, q in zip(said, wanted, strict=True)
    ]
    assert brier(said, wanted) == pytest.approx(squares)


@given(SEEDS)
def test_calibration_is_scikit_learns_where_raters_agree(seed: int) -> None:
    random = np.random.default_rng(seed)
    first = random.random(40)
    said = np.stack([first, 1 - first], axis=1)
    right = random.random(40) < 0.7
    best = said.argmax(axis=1)
    wanted = np.eye(2)[np.where(right, best, 1 - best)]
    groups = random.integers(0, 4, 40)

    def ece(rows: NDArray[np.bool_]) -> float:
        confident = said[rows].max(axis=1)
        true, predicted = calibration_curve(right[rows], confident, n_bins=BINS)
        filled = np.histogram(confident, np.linspace(0, 1, BINS + 1))[0]
        weights = filled[filled > 0] / filled.sum()
        return float((weights * np.abs(true - predicted)).sum())

    found, without = calibration(said, wanted, groups)
    assert found == pytest.approx(ece(np.ones(40, bool)))
    for group in range(groups.max() + 1):
        assert without[group] == pytest.approx(ece(groups != group))


def test_calibration_against_raters_who_differ() -> None:
    said = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7]])
    wanted = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    found, _ = calibration(said, wanted, np.array([0, 0, 1]))
    assert found == pytest.approx((2 * abs(0.9 - 0.75) + abs(0.7 - 1)) / 3)


# --- temperature ---


@given(SEEDS, st.floats(0.05, 20))
def test_the_temperature_of_the_lowest_cross_entropy(seed: int, true: float) -> None:
    scores = np.random.default_rng(seed).normal(size=(30, 3))
    wanted = np.exp(log_softmax(scores / true, axis=1))
    # where the raters are what the scores say at a temperature, it is found
    assert fit_temperature(scores, wanted) == pytest.approx(true, rel=1e-3)
    noisy = distributions(seed, 30, 3)
    found = cross_entropy(scores, noisy, fit_temperature(scores, noisy))
    lowest = min(cross_entropy(scores, noisy, float(t)) for t in np.geomspace(1e-3, 1e3, 400))
    assert found <= lowest + 1e-9


# --- the yardstick ---


def test_the_others_majority() -> None:
    words = ["anger", "excitement", "frustration", "happiness"]
    counts = [[2, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1], [1, 0, 2, 0], [1, 1, 0, 1]]
    classes, merge = ["anger", "happiness"], {"excitement": "happiness"}
    found = majority(pd.DataFrame(counts, columns=words), classes, merge)
    # a tie; excitement is happiness; frustration is no class
    assert list(found) == ["anger", "", "happiness", "", "happiness"]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory, embedded_folder: Path) -> Small:
    """Trained on three folds, with what Table A6 reads; raters differ at random."""
    small = Small.make(tmp_path_factory.mktemp("rated"), embedded_folder)
    random = np.random.default_rng(1)
    rows = ANNOTATIONS.read(small.root / "annotations.csv")
    labels = rows["kind"] == "label"
    strange = labels & (random.random(len(rows)) < 0.4)
    rows.loc[strange, "text"] = random.choice([*CLASSES, "frustration"], int(strange.sum()))
    write_table(rows, small.root / "annotations.csv")
    for name, folder in small.variant.targets.items():
        out = small.root / folder
        label_set(
            out / "settings.json",
            utterances=small.utterances,
            annotations=small.root / "annotations.csv",
            space=None if name == "S1" else embedded_folder,
            out=out,
        )
    for model in small.variant.models:
        for fold in (1, 2, 3):
            small.train_model(model, fold)
    for folder in ("decisions", "nearest", "temperatures"):
        (small.root / folder).mkdir()
    decide(
        small.variant_file,
        out=small.root / "decisions/paper.csv",
        nearest=small.root / "nearest/paper.csv",
    )
    out = small.root / "temperatures/paper.csv"
    cli.main(["temperature", str(small.variant_file), "--out", str(out)])
    return small


@pytest.fixture(scope="module")
def table(rated: Small, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    folder = tmp_path_factory.mktemp("table")
    files = ["--template", str(TEMPLATE), "--csv", str(folder / "a.csv")]
    cli.main(["raters", str(rated.variant_file), *files, "--tex", str(folder / "a.tex")])
    rows = pd.read_csv(folder / "a.csv").to_dict("records")
    assert "Raters as the yardstick" in (folder / "a.tex").read_text()
    return {(str(row["against"]).split()[1], str(row["who"])): row for row in rows}


def test_against_all_raters_it_is_the_papers_tables(
    rated: Small, table: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    evaluate(rated.root / "decisions/paper.csv", out=tmp_path / "m.csv")
    metrics = pd.read_csv(tmp_path / "m.csv", dtype={"fold": str, "seed": str})
    metrics = metrics[(metrics["fold"] == "mean") & (metrics["seed"] == "all")]
    known = metrics.set_index(["model", "measured_on", "metric"])["value"]
    for model in ("M1", "M2", "M3"):
        row = table["all", f"{model} LC"]
        assert row["S2 cosine"] == pytest.approx(known[model, "S2", "cosine"])
        for rank in ("l1", "l2"):
            assert row[f"S2 {rank}"] == pytest.approx(known[model, "S2", f"top10_{rank}"])
    assert ("all", "a rater") not in table


def others(rated: Small) -> list[tuple[str, str, list[str], list[str]]]:
    """Utterance, rater, his or her labels, and those of the others, where both said something."""
    rows = ANNOTATIONS.read(rated.root / "annotations.csv")
    rows = rows[rows["kind"] == "label"]
    return [
        (str(name), str(rater), list(own["text"]), list(rest["text"]))
        for name, group in rows.groupby("utterance")
        for rater, own in group.groupby("rater")
        if len(rest := group[group["rater"] != rater])
    ]


def test_a_rater_and_models_against_the_other_raters(
    rated: Small, table: dict[tuple[str, str], Any], embedded: WordSpace
) -> None:
    pairs = others(rated)
    fold_of = pd.read_csv(rated.utterances).set_index("utterance")["fold"]
    folder = next(m.folder for m in rated.variant.models if m.name == "M2")
    heard: dict[str, NDArray[np.float32]] = {}
    for fold in (1, 2, 3):
        run = read_run(rated.root / folder / f"fold{fold}-seed0")
        heard |= dict(zip(run.utterances, run.predictions, strict=True))

    def mean(words: list[str]) -> Floats:
        vectors: Floats = embedded.vectors_of(words).astype(float)
        return np.asarray(vectors.mean(axis=0))

    def by_fold(values: Sequence[tuple[str, float]]) -> float:
        found = pd.Series([value for _, value in values])
        return float(found.groupby([fold_of[name] for name, _ in values]).mean().mean())

    own = [(name, 1 - distance(mean(said), mean(rest))) for name, _, said, rest in pairs]
    assert table["the", "a rater"]["S2 cosine"] == pytest.approx(by_fold(own))
    of_model = [(name, 1 - distance(heard[name], mean(rest))) for name, _, _, rest in pairs]
    assert table["the", "M2 LC"]["S2 cosine"] == pytest.approx(by_fold(of_model), abs=1e-7)

    lines = (RESOURCES / "wordnet.synonyms.txt").read_text().splitlines()
    alike = {line.split()[0]: set(line.split()) for line in lines}
    words, all_vectors = embedded.words(), np.asarray(embedded.vectors, float)
    found = []
    for name, _, _, rest in pairs:
        near = {words[i] for i in cdist(heard[name][None], all_vectors, "cosine")[0].argsort()[:10]}
        right = set.union(*(alike[word] for word in rest))
        met = [bool(alike[word] & near) for word in set(rest)]
        found.append((name, len(near & right) / 10, float(np.mean(met))))
    row = table["the", "M2 LC"]
    assert row["S2 precision"] == pytest.approx(by_fold([one[:2] for one in found]))
    assert row["S2 recall"] == pytest.approx(by_fold([(name, met) for name, _, met in found]))

    vectors = {name: mean([name]) for name in CLASSES}
    hits = []
    for name, _, said, rest in pairs:
        (first, most), *more = Counter(rest).most_common()
        if first in CLASSES and not any(count == most for _, count in more):
            nearest = min(CLASSES, key=lambda c: distance(vectors[c], mean(said)))
            hits.append((fold_of[name], first, nearest == first))
    frame = pd.DataFrame(hits, columns=["fold", "true", "hit"])
    ua = frame.groupby(["fold", "true"])["hit"].mean().groupby("fold").mean().mean()
    assert table["the", "a rater"]["UA"] == pytest.approx(ua)

    divergences = []
    for name, _, said, rest in pairs:
        p, q = (np.array([words.count(c) for c in CLASSES], float) for words in (said, rest))
        if p.any() and q.any():
            p, q = p / p.sum(), q / q.sum()
            bits = (entropy(p, (p + q) / 2, 2) + entropy(q, (p + q) / 2, 2)) / 2
            divergences.append((name, float(bits)))
    assert table["the", "a rater"]["JS"] == pytest.approx(by_fold(divergences))


def test_temperatures_are_fitted_on_the_validation_part(rated: Small) -> None:
    found = pd.read_csv(rated.root / "temperatures/paper.csv")
    assert set(found["loss"]) == {"lc", "ce"}
    assert len(found) == 4 * 3
    assert (found["fitted"] <= found["unscaled"] + 1e-9).all()
    # the baseline's of a fold that has learned something (others want no end of temperature), by
    # another optimiser, from one utterance at a time
    model = next(m for m in rated.variant.models if m.loss == "ce")
    run = rated.root / model.folder / "fold3-seed0"
    split = pd.read_csv(run / "split.csv")
    made_by = read_settings(run.parent / "settings.json", RunSettings)
    network = network_of(made_by, read_weights(run / "weights.safetensors"), 4, "").eval()
    rows = ANNOTATIONS.read(rated.root / "annotations.csv")
    rows = rows[(rows["kind"] == "label") & rows["text"].isin(CLASSES)]
    counts = pd.crosstab(rows["utterance"], rows["text"])[CLASSES]
    held = split["utterance"][split["part"] == "validation"]
    names = [str(name) for name in held if name in counts.index]
    with torch.inference_mode():
        logits = np.stack(
            [
                network(
                    torch.from_numpy(rated.frames(name))[None],
                    torch.tensor([len(rated.frames(name))]),
                )[0].numpy()
                for name in names
            ]
        ).astype(float)
    wanted = shares(counts.loc[names].to_numpy(float))
    best = minimize_scalar(
        lambda log: float(-(wanted * log_softmax(logits * np.exp(log), axis=1)).sum(axis=1).mean()),
        method="brent",
    )
    own = found[(found["loss"] == "ce") & (found["fold"] == 3)].iloc[0]
    assert own["utterances"] == len(names)
    assert own["fitted"] == pytest.approx(best.fun, rel=1e-5)
    assert own["temperature"] == pytest.approx(float(np.exp(-best.x)), rel=1e-2)


def test_no_temperature_where_frames_are_standardised_by_corpus(
    rated: Small, tmp_path: Path, fails: Callable[..., str]
) -> None:
    """Their statistics are of corpora, and the weights of a run hold those of several."""
    own = tmp_path / "by_corpus.json"
    settings = json.loads(rated.variant_file.read_text())
    settings["settings"].setdefault("training", {})["standardise"] = "corpus"
    own.write_text(json.dumps(settings))
    said = fails("temperature", own, "--out", tmp_path / "t.csv")
    assert "standardised by corpus" in said


def test_without_raters_there_is_no_table(tmp_path: Path, embedded_folder: Path) -> None:
    small = Small.make(tmp_path, embedded_folder, label_sets=["S1"])
    write_table(pd.DataFrame(columns=ANNOTATIONS.names), small.root / "annotations.csv")
    files = ["--template", str(TEMPLATE), "--csv", str(tmp_path / "a.csv")]
    cli.main(["raters", str(small.variant_file), *files, "--tex", str(tmp_path / "a.tex")])
    assert "rat" in (tmp_path / "a.csv").read_text()
