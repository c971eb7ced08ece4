"""Several corpora as one: utterances, speakers, raters and folds that are told apart by corpus."""

from collections.abc import Iterator
from os.path import normpath
from pathlib import Path

from emoword.corpora.corpus import Annotation, Corpus, Drop, Utterance, write_corpus
from emoword.io.errors import InputError
from emoword.io.files import read_json
from emoword.schemas import ANNOTATIONS, UTTERANCES


def unite(*corpora: Path, out: Path) -> None:
    """Make one corpus of several that were read.

    Labels stay as they are. The names of utterances, speakers and raters begin with that of their
    corpus, so that none is taken for one of another corpus (`emodb/03a01Fa`); folds are numbered
    on, those of the first corpus first. Written are, in OUT: utterances.csv (with a column
    `corpus`), annotations.csv, corpus.json. No audio is copied.

        emoword unite results/emodb results/polish --out results/emodb_polish

    Args:
        corpora: Folders with utterances.csv, annotations.csv and corpus.json; a folder's name is
            that of its corpus.
        out: Folder of the files.
    """
    write_corpus(united(corpora), {"reader": "unite", "source": " ".join(map(str, corpora))}, out)


def united(corpora: tuple[Path, ...]) -> Corpus:
    """All corpora, one after the other.

    Raises:
        InputError: two are of one name, or have a recording in common.
    """
    whole = Corpus([], [], {})
    first: dict[str, str] = {}
    for folder in corpora:
        name, begun = folder.name, len(whole.fold_names)
        if any(row.corpus == name for row in whole.utterances):
            raise InputError(f"{folder}: a corpus {name} is there already; rename a folder")
        about = read_json(folder / "corpus.json")
        for row in utterances_of(folder, begun):
            place = normpath(row.wav)
            if place in first:
                raise InputError(
                    f"{folder}/utterances.csv: {row.wav} is of {first[place]} already: a recording "
                    "would be learned and tested; leave it out of one of them"
                )
            first[place] = row.utterance
            whole.utterances.append(row)
        whole.annotations += annotations_of(folder)
        whole.fold_names |= {
            begun + int(fold): f"{name} {own['name']}" for fold, own in about["folds"].items()
        }
        whole.dropped += [
            Drop(own["what"], f"{name}: {own['reason']}", own["which"]) for own in about["dropped"]
        ]
        whole.warnings += [f"{name}: {said}" for said in about["warnings"]]
    return whole


def utterances_of(folder: Path, begun: int) -> Iterator[Utterance]:
    """The utterances of a corpus, under their names and folds in the union."""
    name, table = folder.name, UTTERANCES.read(folder / "utterances.csv")
    sexes = table.get("sex", [""] * len(table))
    for row, sex in zip(table[UTTERANCES.needed].itertuples(index=False), sexes, strict=True):
        own = Utterance(*row)
        yield own._replace(
            utterance=f"{name}/{own.utterance}",
            speaker=f"{name}/{own.speaker}",
            fold=begun + own.fold,
            corpus=name,
            sex=sex,
        )


def annotations_of(folder: Path) -> list[Annotation]:
    """The annotations of a corpus, under the names of the union."""
    name, table = folder.name, ANNOTATIONS.read(folder / "annotations.csv")
    own = [Annotation(*row) for row in table[ANNOTATIONS.names].itertuples(index=False)]
    return [
        row._replace(utterance=f"{name}/{row.utterance}", rater=f"{name}/{row.rater}")
        for row in own
    ]
