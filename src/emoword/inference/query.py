"""``emoword query``: a word -> the utterances whose predictions are nearest to it."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import soundfile
from cyclopts import Parameter
from cyclopts.validators import Number
from numpy.typing import NDArray

from emoword import __version__
from emoword.corpora import audio
from emoword.inference.results import Results
from emoword.inference.words import Term, combined
from emoword.io.errors import InputError, plain
from emoword.io.files import replacing, write_table
from emoword.layout import Place
from emoword.page.build import filled
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace


def query(
    folder: Path,
    /,
    *terms: Term,
    model: str = "M3",
    variant: str | None = None,
    most: Annotated[int, Parameter(validator=Number(gte=1))] = 10,
    csv: Path | None = None,
    play: Path | None = None,
) -> None:
    """Find the utterances whose predictions are nearest to a word, or to a sum of words.

    An utterance's prediction is that of the runs whose test fold it is in (with the loss of the
    tables, the mean over seeds). Beside it stand what its raters said: labels, and comments in
    quotation marks.

        emoword query results/demo relief
        emoword query results/demo anger -sadness --model M2 --most 20 --csv found.csv
        emoword query results/demo relief --play relief.html

    Args:
        folder: Results of a dataset.
        terms: Words of the word space; `-sadness` takes one away.
        model: M1, M2 or M3.
        variant: Of the settings; the default if not given.
        most: How many utterances.
        csv: Write all utterances there: rank, similarity, utterance, label, raters, wav.
        play: Write a page there that plays those that are shown: one file, which holds the audio.
    """
    results = Results.open(folder)
    found = ranked(results, terms, model, variant)
    if csv:
        write_table(found.assign(similarity=found["similarity"].round(6)), csv)
    if play:
        write_players(play, results.place(variant), found, f"{' '.join(terms)}: {model}", most)
    shown = found.head(most).drop(columns="wav")
    shown["similarity"] = [f"{value:.3f}" for value in shown["similarity"]]
    for name in ("utterance", "label", "raters"):
        shown[name] = shown[name].map(plain)
    print(shown.to_string(index=False))


def ranked(
    results: Results, terms: tuple[str, ...], model: str = "M3", variant: str | None = None
) -> pd.DataFrame:
    """Test utterances, nearest first: rank, similarity, utterance, label, raters, wav."""
    place = results.place(variant)
    vector = combined(WordSpace.open(place.space), terms)
    names, vectors = results.mean_predictions(model, variant)
    table = pd.DataFrame({"similarity": cosine(vectors, vector), "utterance": names})
    table = table.sort_values(["similarity", "utterance"], ascending=[False, True])
    table.insert(0, "rank", range(1, len(table) + 1))
    utterances = results.utterances().set_index("utterance").reindex(table["utterance"])
    table["label"] = utterances["label"].to_numpy()
    table["raters"] = table["utterance"].map(what_raters_said(results.annotations())).fillna("")
    return table.assign(wav=utterances["wav"].to_numpy())


def what_raters_said(annotations: pd.DataFrame) -> pd.Series:
    """Utterance -> ``E1 Anger; E2 Neutral "tense"``: labels, and comments in quotation marks."""
    rows = annotations[annotations["role"] == "observer"].drop_duplicates(
        ["utterance", "rater", "kind", "text"]
    )
    comment = rows["kind"] == "comment"
    said = rows["text"].mask(comment, '"' + rows["text"] + '"')
    by_rater = said.groupby([rows["utterance"], rows["rater"]], sort=False).agg(" ".join)
    told = by_rater.index.get_level_values("rater").astype(str) + " " + by_rater
    return told.groupby(level="utterance", sort=False).agg("; ".join)


def write_players(page: Path, place: Place, found: pd.DataFrame, asked: str, most: int) -> None:
    """Write a page that plays the first ``most`` utterances; one whose audio is missing says so."""
    rows = found.head(most).to_dict("records")
    for row in rows:
        try:
            # as the workflow was started where results/ lies, a relative path is one from there
            row["audio"] = as_flac(audio.read(place.root.parents[1] / row["wav"]))
        except InputError as error:
            row |= {"audio": "", "why": str(error)}
    about = {"asked": asked, "count": len(found), "variant": place.variant, "version": __version__}
    text = filled("play.html.j2", {"rows": rows, **about})
    with replacing(page) as made:
        made.write_text(text, encoding="utf-8")
    played = sum(bool(row["audio"]) for row in rows)
    print(f"{page}: {len(rows)} utterances, {played} with audio, {len(text) / 1e6:.1f} MB")


def as_flac(samples: NDArray[np.float32]) -> str:
    """Samples at 16 kHz [samples] as a FLAC file, base64."""
    file = BytesIO()
    soundfile.write(file, samples, audio.SAMPLE_RATE, format="FLAC")
    return b64encode(file.getvalue()).decode()
