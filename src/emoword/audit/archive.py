"""Pack what verify and trace need into one zip, an RO-Crate (https://w3id.org/ro/crate)."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from emoword import __version__
from emoword.audit.archives import LARGEST
from emoword.audit.provenance import sources
from emoword.audit.recording import Hashed
from emoword.audit.results import Provenance, opened
from emoword.io.errors import InputError
from emoword.io.files import replacing

AUDIO = (".wav", ".flac", ".mp3", ".ogg", ".sph", ".m4a", ".aac", ".opus")
HEAVY = {"frames.npy": "frames", "weights.safetensors": "weights"}
# what says of an utterance more than in which part of a run it was
TELLING = ["utterances.csv", "annotations.csv", "corpus/*", "targets/*.csv", "vectors/*"]
TELLING += ["decisions/*", "nearest/*", "linear/*", "floors/*", "report/*", "logs/*.log"]
BESIDE = ("README.md", "ro-crate-metadata.json")
TIME = (1980, 1, 1, 0, 0, 0)
HOW_TO = """What is behind the numbers in results/, packed by `emoword archive`.

    emoword verify audit.zip          recomputes what needs no training, and compares
    emoword trace results/DATASET/tables/table1.csv M1 "LC UA"      once it is unpacked

provenance.json names all files with their sha256, also those that are not in here: audio, frames,
weights, final models, files above 64 MiB and, where a licence demands it, what raters said of
utterances.
"""


def archive(
    folder: Path, /, *, spaces: Path | None = None, without_labels: bool = False, out: Path
) -> None:
    """Pack what verify and trace need into one zip, which is an RO-Crate.

    In it are all files that provenance.json lists but audio, frames, weights, final models and
    files above 64 MiB; and this repository's rules, templates and numbers of the paper. The same
    files give the same zip, byte for byte.

        emoword archive results/demo --out results/demo/audit.zip

    Args:
        folder: Results of a dataset, with provenance.json.
        spaces: Where the word spaces lie, if not beside the dataset's folder.
        without_labels: Leave out what says of an utterance more than which part of a run it was
            in: IEMOCAP's licence forbids to pass on its labels and comments. `emoword verify
            --corpus` recomputes these from a copy of the corpus.
        out: The zip.
    """
    with opened(folder, spaces) as results:
        provenance, seal = results.provenance, f"{results.folder}/provenance.json"
        if provenance is None:
            raise InputError(f"{folder}/provenance.json: no such file; see emoword provenance")
        left = Counter[str]()
        packed = {**sources(), seal: results.files[seal]}
        for name, what in provenance.files.items():
            if name not in results.files:
                raise InputError(f"{name}: not there any more; gather provenance.json again")
            if reason := left_out(results.below(name), what, without_labels):
                left[reason] += 1
            else:
                packed[name] = results.files[name]
    crate = crate_metadata(provenance, packed)
    texts = (HOW_TO, json.dumps(crate, indent=1) + "\n")
    with replacing(out) as made, zipfile.ZipFile(made, "w") as zipped:
        for name, text in zip(BESIDE, texts, strict=True):
            zipped.writestr(member(name), text)
        for name, path in sorted(packed.items()):
            zipped.writestr(member(name), path.read_bytes())
    print(f"{len(packed)} files, {out.stat().st_size / 1e6:.1f} MB")
    print(*(f"left out: {count} {reason}" for reason, count in left.items()), sep="\n")


def member(name: str) -> zipfile.ZipInfo:
    """The head of a file in the zip: no time, no owner."""
    info = zipfile.ZipInfo(name, TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info


def left_out(name: str, what: Hashed | None, without_labels: bool = True) -> str:
    """Why a file, named as seen from the results, is not packed; empty if it is."""
    base = name.rpartition("/")[2]
    if base.lower().endswith(AUDIO):
        return "audio"
    if base in HEAVY:
        return HEAVY[base]
    if name.startswith("final/"):
        return "final models"
    if what and what.bytes > LARGEST:
        return f"above {LARGEST // 2**20} MiB"
    telling = without_labels and any(fnmatchcase(name, pattern) for pattern in TELLING)
    return "what raters said" if telling else ""


# ------------------------------------------------------------------------------ as an RO-Crate

CRATE = {"@id": "https://w3id.org/ro/crate/1.1"}
WORKFLOW_CRATE = {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"}
LICENCE = {"@id": "https://spdx.org/licenses/MIT"}
SNAKEMAKE = {"@id": "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"}
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".npy": "application/octet-stream",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".html": "text/html",
}
WORKFLOW = {
    "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
    "name": "emoword, from corpus to Tables 1 to 6",
    "version": __version__,
    "license": LICENCE,
    "programmingLanguage": SNAKEMAKE,
    "conformsTo": {"@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"},
}
README = {"encodingFormat": "text/markdown", "about": {"@id": "./"}}
FURTHER: dict[str, dict[str, Any]] = {"Snakefile": WORKFLOW, "README.md": README}


def crate_metadata(provenance: Provenance, names: Iterable[str]) -> dict[str, Any]:
    """The files as a Workflow RO-Crate 1.0, the Snakefile as their main entity."""
    hashes = {**provenance.files, **provenance.sources}
    files = [file_entity(name, hashes.get(name)) for name in ("README.md", *sorted(names))]
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [CRATE, WORKFLOW_CRATE],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"emoword: results of the dataset {provenance.dataset}",
        "description": "Emotion label encoding with word embeddings (Stanley et al., Interspeech "
        "2023), reproduced: results, records of the jobs that made them, what recomputes them.",
        "datePublished": max(record.ended for record in provenance.records.values()),
        "license": LICENCE,
        "conformsTo": WORKFLOW_CRATE,
        "mainEntity": {"@id": "Snakefile"},
        "hasPart": [{"@id": file["@id"]} for file in files],
    }
    licence = {**LICENCE, "@type": "CreativeWork", "name": "MIT", "url": LICENCE["@id"]}
    language = {
        **SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": "https://doi.org/10.1093/bioinformatics/bts480",
        "url": "https://snakemake.github.io",
    }
    return {
        "@context": [
            "https://w3id.org/ro/crate/1.1/context",
            "https://w3id.org/ro/terms/workflow-run/context",
        ],
        "@graph": [about, root, *files, licence, language],
    }


def file_entity(name: str, what: Hashed | None) -> dict[str, Any]:
    """What is said of a file."""
    kind = TYPES.get(Path(name).suffix, "text/plain")
    said = {"@id": name, "@type": "File", "name": name, "encodingFormat": kind}
    size = {"sha256": what.sha256, "contentSize": str(what.bytes)} if what else {}
    return {**said, **size, **FURTHER.get(name, {})}
