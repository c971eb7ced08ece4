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
from emoword.layout import Place
from emoword.settings import LabelSet
from emoword.spaces.geometry import unit
from emoword.spaces.word_space import WordSpace

NEAR = 5  # words near each label and each mean prediction, as in the figure
KEPT = 32  # directions
MOST = 20_000  # words that can be asked for, beside those that raters and predictions have
PLACES = 30_000  # steps from the map's middle to its edge
NOWHERE = -32_768  # of a prediction that there is not, or that has no direction

Floats = NDArray[np.floating[Any]]
Key = tuple[str, str]  # model, seed


def space_data(
    place: Place,
    predicted: Mapping[Key, NDArray[np.float64]],
    targets: Mapping[LabelSet, pd.DataFrame],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The page's data of the map, if anything is predicted: `map`, and `map-{seed}` for each seed.

    Yields:
        name, data. `map`: words [word, kind] and targets (label set -> places), variance (shares
        on the axes); words that can be asked for, their quantised vectors, and how far similarities
        are off, mean and most. `map-{seed}`: model -> places and quantised vectors of utterances.
    """
    if not predicted:
        return
    held = WordSpace.open(place.space)
    kinds = words_shown(place, held, targets)
    spanning = sum(kind != "rater" for kind in kinds.values())
    means = [
        np.unique(encode(table, list(dict.fromkeys(table["utterance"])), held), axis=0)
        for table in targets.values()
    ]
    (words, *spots), variance = places(
        held.vectors_of(list(kinds)), spanning, [*means, *predicted.values()]
    )
    asked, told = asked_for(held, list(kinds), predicted)
    about = {"variance": variance, "words": [list(item) for item in kinds.items()]}
    about |= {"places": words, "targets": dict(zip(targets, spots, strict=False))}
    yield "map", {**about, **asked}
    by_seed: dict[str, dict[str, Any]] = {}
    of_predictions = zip(told.items(), spots[len(means) :], strict=True)
    for ((model, seed), (own, size)), spot in of_predictions:
        packed = {"places": spot, "vectors": encoded(own), "scale": size.tolist()}
        by_seed.setdefault(seed, {})[model] = packed
    for seed, models in by_seed.items():
        yield f"map-{seed}", models


def words_shown(
    place: Place, held: WordSpace, targets: Mapping[LabelSet, pd.DataFrame]
) -> dict[str, str]:
    """Word -> kind: those that span the map (label, near), then what raters said (rater)."""
    labels, chosen = in_order(targets["S1"]["word"], EMOTIONS), place.variant
    listed = read_listed(
        place.path(f"neighbours/{chosen.name}.csv"), chosen.settings.table_loss, NEAR
    )
    spanning = map_figure.near_words(held, labels, listed["word"], NEAR)
    raters = {word for table in targets.values() for word in table["word"]}
    kinds = dict.fromkeys(spanning, "near") | dict.fromkeys(labels, "label")
    return kinds | dict.fromkeys(sorted(raters.difference(spanning)), "rater")


def asked_for(
    held: WordSpace, words: Sequence[str], predicted: Mapping[Key, NDArray[np.float64]]
) -> tuple[dict[str, Any], dict[Key, tuple[NDArray[np.int8], Floats]]]:
    """Words that can be asked for, with what the page has of them; and the predictions, quantised.

    How far similarities are off is measured by ``words``, those of the map; ``predicted`` are of
    `read_predictions`, [utterances, dim].
    """
    asked = list(dict.fromkeys([*words, *(held.word(i) for i in range(min(MOST, len(held))))]))
    directions = {
        key: unit(np.where(np.isfinite(part).all(axis=1, keepdims=True), part, 0))
        for key, part in predicted.items()
    }
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
    error = [round(float(ends[:, 0].mean()), 4), round(float(ends[:, 1].max()), 3)]
    about = {"asked": asked, "vectors": encoded(codes), "scale": steps.tolist()}
    return {**about, "dim": held.dim, "total": len(held), "error": error}, told


def read_predictions(place: Place, ids: Sequence[str]) -> dict[Key, NDArray[np.float64]]:
    """(Model, seed) -> predictions of the tables' loss, [utterances, dim]; NaN where there is none.

    ``ids`` are the utterances that take part, in the page's order. Models that predict classes have
    no vectors in the space, and are left out.

    Raises:
        InputError: a run predicts an utterance that takes no part.
    """
    dim = int(read_json(place.space / "meta.json")["dim"])
    row = {name: i for i, name in enumerate(ids)}
    predicted: dict[Key, NDArray[np.float64]] = {}
    for folder in sorted(place.runs([place.variant.settings.table_loss])):
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


def places(words: Floats, spanning: int, parts: Sequence[Floats]) -> tuple[list[str], list[float]]:
    """Where words and further vectors lie on the map of figures/map, and the axes' variance.

    The first ``spanning`` of ``words`` span the map; ``parts`` are further vectors. Places are
    whole numbers, encoded; what lies nowhere is at `NOWHERE`.
    """
    rest = np.concatenate([words[spanning:], *parts])
    empty = pd.DataFrame(index=range(spanning + len(rest)))
    table = map_figure.numbers(empty, words[:spanning], rest)
    points = table[["x", "y"]].to_numpy()
    points = points * PLACES / max(np.nanmax(np.abs(points)), 1e-9)
    whole = np.where(np.isnan(points), NOWHERE, points.round()).astype(np.int16)
    ends = np.cumsum([len(words), *map(len, parts)])[:-1]
    variance = table[["x_variance", "y_variance"]].iloc[0].tolist()
    return [encoded(part) for part in np.split(whole, ends)], variance


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
