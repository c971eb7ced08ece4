"""Derived word spaces, held to scikit-learn's PCA and to what they promise."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from emoword import cli
from emoword.spaces import geometry
from emoword.spaces.word_space import WordSpace

LABELS = {"anger": 1, "happiness": 1, "sadness": 1, "neutral": 1}
RATERS = {"frustration": 2, "excitement": 1, "tense": 1, "awe": 3}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of two label sets."""
    folders = []
    for name, words in (("S1", LABELS), ("S3", LABELS | RATERS)):
        folders.append(tmp_path_factory.mktemp(name))
        (folders[-1] / "classes.json").write_text(json.dumps(list(LABELS)))
        rows = [(f"u{i}", word, count) for i, (word, count) in enumerate(words.items())]
        table = pd.DataFrame(rows, columns=["utterance", "word", "count"])
        table.to_csv(folders[-1] / "words.csv", index=False)
    return folders


@pytest.fixture
def transformed(embedded_folder: Path, tmp_path: Path) -> Callable[..., WordSpace]:
    def make(kind: str, *options: object) -> WordSpace:
        out = tmp_path / kind
        command = [embedded_folder, "--transform", kind, *options, "--out", out]
        cli.main(["transform-space", *map(str, command)])
        return WordSpace.open(out)

    return make


def test_centred_words_have_no_mean(
    transformed: Callable[..., WordSpace], embedded: WordSpace
) -> None:
    space = transformed("centred")
    assert space.words() == embedded.words()
    wanted = embedded.vectors - np.mean(embedded.vectors, axis=0, dtype=np.float64)
    np.testing.assert_allclose(space.vectors, wanted, atol=1e-6)


@pytest.mark.parametrize("components", [None, 3])
def test_top_removed_is_the_rest_of_a_pca(
    transformed: Callable[..., WordSpace], embedded: WordSpace, components: int | None
) -> None:
    options = [] if components is None else ["--components", components]
    space = transformed("top_removed", *options)
    vectors = embedded.vectors.astype(np.float64)
    pca = PCA(components or 1, svd_solver="covariance_eigh").fit(vectors)  # 100 dimensions: one
    wanted = vectors - pca.inverse_transform(pca.transform(vectors))
    np.testing.assert_allclose(space.vectors, wanted, atol=1e-5)
    assert space.meta["components"] == str(components or 1)


def test_shuffled_words_of_labels_have_one_anothers_vectors(
    transformed: Callable[..., WordSpace], embedded: WordSpace, targets: list[Path]
) -> None:
    space = transformed("shuffled", "--targets", *targets)
    for group in (LABELS, RATERS):
        before, after = (s.vectors_of(list(group)) for s in (embedded, space))
        # the same vectors, so that how they lie to one another is the same as well
        assert sorted(map(tuple, before)) == sorted(map(tuple, after))
        assert not (before == after).all(axis=1).any()  # and none in its place
    others = [i for i in range(len(space)) if space.word(i) not in LABELS | RATERS]
    np.testing.assert_array_equal(space.vectors[others], embedded.vectors[others])
    again = transformed("shuffled", "--targets", *targets, "--seed", 1)
    assert (again.vectors != space.vectors).any()


def test_random_words_keep_their_lengths_alone(
    transformed: Callable[..., WordSpace],
    embedded: WordSpace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = transformed("random")
    np.testing.assert_allclose(space.norms, embedded.norms, rtol=1e-6)
    units = space.vectors / space.norms[:, None]
    # directions of the sphere: no mean, and variance 1/d along each axis
    assert np.abs(units.mean(0)).max() < 5 / np.sqrt(len(units) * space.dim)
    np.testing.assert_allclose(units.var(0), 1 / space.dim, rtol=0.1)
    monkeypatch.setattr(geometry, "PIECE", 1000)  # a matter of memory alone
    np.testing.assert_array_equal(transformed("random").vectors, space.vectors)


def test_a_vector_of_zeros_stays(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("a 1 2\nb 0 0\nc 3 -1\n")
    source = ["--format", "glove", "--source", tmp_path / "glove.txt", "--out", tmp_path / "s"]
    cli.main(["space", *map(str, source)])
    command = [tmp_path / "s", "--transform", "centred", "--out", tmp_path / "c"]
    cli.main(["transform-space", *map(str, command)])
    space = WordSpace.open(tmp_path / "c")
    assert space.vectors.tolist() == [[-1.0, 1.5], [0.0, 0.0], [1.0, -1.5]]


def test_mistakes_are_named(
    fails: Callable[..., str], embedded_folder: Path, tmp_path: Path
) -> None:
    inputs = ["transform-space", embedded_folder, "--out", tmp_path / "x"]
    assert "name them with --targets" in fails(*inputs, "--transform", "shuffled")
    top = ["--transform", "top_removed", "--components", 100]
    assert "--components 100: must be in 1..99" in fails(*inputs, *top)
