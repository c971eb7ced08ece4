"""Several corpora as one: utterances, speakers, raters and folds that are told apart by corpus."""

from os.path import normpath
from pathlib import Path

import pandas as pd

from emoword.corpora.corpus import Corpus, Drop, repeated, write_corpus
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
    if not corpora:
        raise InputError("no corpora: name the folders of those that are to be one")
    if same := repeated(folder.name for folder in corpora):
        folder = corpora[same[0]]
        raise InputError(f"{folder}: a corpus {folder.name} is there already; rename a folder")
    tables, said = [], []
    whole = Corpus(pd.DataFrame(), pd.DataFrame(), {})
    for folder in corpora:
        name, begun, about = folder.name, len(whole.fold_names), read_json(folder / "corpus.json")
        table = named(UTTERANCES.read(folder / "utterances.csv"), name, "utterance", "speaker")
        table = table.assign(corpus=name, fold=begun + table["fold"])
        tables.append(table.reindex(columns=UTTERANCES.names, fill_value=""))
        annotations = ANNOTATIONS.read(folder / "annotations.csv")
        said.append(named(annotations, name, "utterance", "rater")[ANNOTATIONS.names])
        for fold, own in about["folds"].items():
            whole.fold_names[begun + int(fold)] = f"{name} {own['name']}"
        for own in about["dropped"]:
            whole.dropped.append(Drop(own["what"], f"{name}: {own['reason']}", own["which"]))
        whole.warnings += [f"{name}: {warning}" for warning in about["warnings"]]
    whole.utterances = pd.concat(tables, ignore_index=True)
    whole.annotations = pd.concat(said, ignore_index=True)
    if same := repeated(map(normpath, whole.utterances["wav"])):
        again, before = (whole.utterances["utterance"][place] for place in same)
        told = f"its recording is that of {before}, too, and would be learned and tested"
        raise InputError(f"{again}: {told}; leave it out of one corpus")
    write_corpus(whole, {"reader": "unite", "source": " ".join(map(str, corpora))}, out)


def named(table: pd.DataFrame, corpus: str, *columns: str) -> pd.DataFrame:
    """The table of a corpus, whose name begins the cells of these columns."""
    return table.assign(**{column: f"{corpus}/" + table[column] for column in columns})
