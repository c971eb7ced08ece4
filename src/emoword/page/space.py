"""The word space as the page maps and queries it: vectors projected and quantised to bytes.

A similarity needs the direction of a prediction alone, and predictions keep to few directions:
those that hold most of them, `KEPT` of the space's, are enough to rank utterances by a word that
nobody chose beforehand. What is lost by that is measured (`error`) and said on the page.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emoword.evaluation.decide import read_run
from emoword.figures import map as map_figure
from emoword.figures.neighbours import read_predictions as read_listed
from emoword.figures.style import EMOTIONS, in_order
from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.labels.encoding import encode
from emoword.page.data import Shown
from emoword.settings import LabelSet
from emoword.spaces.geometry import unit
from emoword.spaces.word_space import WordSpace

NEAR = 5  # words near each label and each mean prediction, as in the figure
KEPT = 32  # directions
MOST = 20_000  # words that can be asked for, beside those that raters and predictions have
PLACES = 30_000  # steps from the map's middle to its edge
NOWHERE = -32_768  # of a prediction that there is not, or that has no direction

Floats = NDArray[np.floating[Any]]


def space_data(
    shown: Shown,
    predicted: Mapping[tuple[str, str], NDArray[np.float64]],
    targets: Mapping[LabelSet, pd.DataFrame],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The page's data of the map: `map`, and `map-{seed}` for each seed.

    Args:
        shown: what is shown.
        predicted: of `read_predictions`; if there are none, there is no map.
        targets: label set -> utterance, word, count.

    Yields:
        name, data. `map`: words [word, kind] and targets (label set -> places), variance (shares
        on the axes); words that can be asked for, their quantised vectors, and how far similarities
        are off, mean and most. `map-{seed}`: model -> places and quantised vectors of utterances.
    """
    if not predicted:
        return
    held = WordSpace.open(shown.place.space)
    labels = in_order(targets["S1"]["word"], EMOTIONS)
    listed = read_listed(shown.results / f"neighbours/{shown.variant}.csv", shown.loss, NEAR)
    spanning = map_figure.near_words(held, labels, listed["word"], NEAR)
    raters = {word for table in targets.values() for word in table["word"]}
    words = [*spanning, *sorted(raters.difference(spanning))]
    means = {
        name: np.unique(encode(table, list(dict.fromkeys(table["utterance"])), held), axis=0)
        for name, table in targets.items()
    }
    points, variance = places(
        held.vectors_of(words), len(spanning), [*means.values(), *predicted.values()]
    )
    reach = PLACES / max(np.nanmax(np.abs(np.concatenate(points))), 1e-9)
    spots = [spots_of(part * reach) for part in points]
    asked = list(dict.fromkeys([*words, *(held.word(i) for i in range(min(MOST, len(held))))]))
    directions = {key: directions_of(part) for key, part in predicted.items()}
    basis = main_directions(np.concatenate([*directions.values()]))
    told = {key: quantised(part @ basis) for key, part in directions.items()}
    vectors = unit(held.vectors_of(asked))
    codes, steps = quantised(vectors @ basis)
    # a part at a time: on IEMOCAP they are five thousand utterances by a thousand words each
    off = (
        np.abs((own * size) @ (codes * steps)[: len(words)].T - part @ vectors[: len(words)].T)
        for (own, size), part in zip(told.values(), directions.values(), strict=True)
    )
    ends = np.array([(part.mean(), part.max()) for part in off])
    kinds = dict.fromkeys(spanning, "near") | dict.fromkeys(labels, "label")
    yield (
        "map",
        {
            "variance": variance,
            "words": [[word, kinds.get(word, "rater")] for word in words],
            "places": encoded(spots[0]),
            "targets": dict(zip(means, map(encoded, spots[1 : 1 + len(means)]), strict=True)),
            "asked": asked,
            "vectors": encoded(codes),
            "scale": steps.tolist(),
            "dim": held.dim,
            "total": len(held),
            "error": [round(float(ends[:, 0].mean()), 4), round(float(ends[:, 1].max()), 3)],
        },
    )
    by_seed: dict[str, dict[str, Any]] = {}
    for ((model, seed), (own, size)), place in zip(
        told.items(), spots[1 + len(means) :], strict=True
    ):
        packed = {"places": encoded(place), "vectors": encoded(own), "scale": size.tolist()}
        by_seed.setdefault(seed, {})[model] = packed
    for seed, models in by_seed.items():
        yield f"map-{seed}", models


def read_predictions(
    shown: Shown, ids: Sequence[str]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """(Model, seed) -> predictions of the tables' loss, [utterances, dim]; NaN where there is none.

    Models that predict classes have no vectors in the space, and are left out.

    Args:
        shown: what is shown.
        ids: utterances that take part, in the page's order.

    Raises:
        InputError: a run predicts an utterance that takes no part.
    """
    dim = int(read_json(shown.place.space / "meta.json")["dim"])
    row = {name: i for i, name in enumerate(ids)}
    predicted: dict[tuple[str, str], NDArray[np.float64]] = {}
    for folder in sorted(shown.place.runs([shown.loss])):
        run = read_run(folder)
        if run.predictions.shape[1] != dim or run.record["model"] == "baseline":
            continue
        key = (str(run.record["model"]), str(run.record["seed"]))
        part = predicted.setdefault(key, np.full((len(ids), dim), np.nan))
        unknown = set(run.utterances).difference(row)
        if unknown:
            raise InputError(f"{folder}: {min(unknown)!r} takes no part by the label sets")
        part[[row[name] for name in run.utterances]] = run.predictions
    return dict(sorted(predicted.items()))


def directions_of(vectors: Floats) -> NDArray[np.float64]:
    """Vectors scaled to length one; zero where there is none."""
    return unit(np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0))


def places(
    words: Floats, spanning: int, parts: Sequence[Floats]
) -> tuple[list[Floats], list[float]]:
    """Where words and further vectors lie on the map of figures/map, and the axes' variance.

    Args:
        words: vectors, the first ``spanning`` of which span the map.
        spanning: how many.
        parts: further vectors.
    """
    rest = [words[spanning:], *parts]
    count = spanning + sum(map(len, rest))
    table = map_figure.numbers(
        pd.DataFrame(index=range(count)), words[:spanning], np.concatenate(rest)
    )
    points = table[["x", "y"]].to_numpy()
    ends = np.cumsum([len(words), *map(len, parts)])[:-1]
    return np.split(points, ends), table[["x_variance", "y_variance"]].iloc[0].tolist()


def spots_of(points: Floats) -> NDArray[np.int16]:
    """Places as whole numbers; what lies nowhere as `NOWHERE`."""
    whole: NDArray[np.int16] = np.where(np.isnan(points), NOWHERE, points.round()).astype(np.int16)
    return whole


def main_directions(vectors: Floats) -> Floats:
    """The orthonormal directions that hold most of the vectors' squared length [dim, KEPT]."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    axes = axes[:, ::-1][:, :KEPT]
    signs: Floats = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    return axes * signs


def quantised(values: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Columns as whole numbers from -127 to 127, and the step of each."""
    step = np.maximum(np.abs(values).max(axis=0), 1e-9) / 127
    return (values / step).round().astype(np.int8), step


def encoded(values: NDArray[Any]) -> str:
    """Base64 of the numbers, little-endian."""
    return b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")
