r"""Pack what verify and trace need into one zip file, an RO-Crate (https://w3id.org/ro/crate).

    emoword archive results/demo --workflow Snakefile --also config.yaml workflow/rules/*.smk \
        --out results/demo/audit.zip

Elsewhere: `emoword verify audit.zip`, or unpack it and look around. In it are all files that the
jobs read and wrote, as provenance.json lists them, but for audio, frames, weights (their sha256 is
recorded) and single files above 64 MiB (a large word space); and, with --without-labels, whatever
says of an utterance more than which part of a run it was in: IEMOCAP's licence forbids to pass on
its labels and comments. `emoword verify --corpus` recomputes these from a copy of the corpus.
left_out.json names each file that is not in it, with the reason. The same files give the same zip,
byte for byte.
"""

import argparse
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from emoword.audit.crate import crate_metadata
from emoword.audit.records import Ledger, ledger, root_of
from emoword.io.errors import InputError
from emoword.io.files import read_json, replacing

LARGEST = 64 * 2**20
# what of an utterance a table may tell without telling a label
HARMLESS = {"utterance", "part", "start", "frames"}
AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".sph", ".m4a", ".aac", ".opus"}
TIME = (1980, 1, 1, 0, 0, 0)
HOW_TO = """What is behind the numbers in results/, packed by `emoword archive`.

    emoword verify audit.zip          recomputes what needs no training, and compares
    unzip -d audit audit.zip          then, for example:
    emoword trace audit/results/demo/tables/table1.csv M1 "LC UA"

left_out.json says what is not in here, and why. ro-crate-metadata.json describes files and jobs.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword archive``."""
    add = parser.add_argument
    add("folder", type=Path, help="results of a dataset, with provenance.json")
    add("--workflow", type=Path, required=True, help="the Snakefile")
    add("--also", type=Path, nargs="*", default=[], help="more files of the workflow")
    add("--without-labels", action="store_true", help="no labels and comments of utterances")
    add("--out", type=Path, required=True, help="the zip to write")


def main(arguments: argparse.Namespace) -> None:
    """Write the zip."""
    provenance = read_json(arguments.folder / "provenance.json")
    jobs = ledger(root_of(arguments.folder), provenance["jobs"])
    more = [entry["path"] for entry in provenance["unrecorded"]]
    more += [str(path) for path in (arguments.workflow, *arguments.also)]
    more.append(str(arguments.folder / "provenance.json"))
    kept, left_out = choose(jobs, more, arguments.without_labels)
    names = member_names(kept)
    crate = crate_metadata(jobs, names, str(arguments.workflow), provenance)
    texts = {
        "README.md": HOW_TO,
        "left_out.json": json.dumps(left_out, indent=2, sort_keys=True) + "\n",
        "ro-crate-metadata.json": json.dumps(crate, indent=2, sort_keys=True) + "\n",
    }
    with (
        replacing(arguments.out) as made,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, text in texts.items():
            archive.writestr(member(name), text)
        for path, name in sorted(names.items(), key=lambda item: item[1]):
            with archive.open(member(name), "w") as to, Path(path).open("rb") as of:
                while block := of.read(2**20):
                    to.write(block)
    reasons = pd.Series(list(left_out.values()), dtype=str).value_counts()
    print(f"{len(names)} files, {arguments.out.stat().st_size / 1e6:.1f} MB")
    for reason, count in reasons.items():
        print(f"left out: {count} {reason}")


def member(name: str) -> zipfile.ZipInfo:
    """The head of a file in the zip: no time, no owner."""
    info = zipfile.ZipInfo(name, TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def choose(
    jobs: Ledger, more: Iterable[str], without_labels: bool
) -> tuple[list[str], dict[str, str]]:
    """What goes into the zip, and path -> reason of what does not."""
    files = {path for job in jobs.jobs.values() for path in (*job.inputs, *job.outputs)}
    kept, left_out = list(dict.fromkeys(more)), dict[str, str]()
    for path in sorted(files - set(kept)):
        reason = why_not(jobs, path, without_labels)
        if reason:
            left_out[path] = reason
        else:
            kept.append(path)
    return kept, left_out


def why_not(jobs: Ledger, path: str, without_labels: bool) -> str:
    """Why a file is left out; nothing if it is not."""
    file = jobs.file(path)
    if Path(path).is_absolute():
        return "outside the folder of the workflow"
    if file.suffix.lower() in AUDIO:
        return "audio"
    if file.name == "frames.npy":
        return "frames"
    if file.name == "weights.safetensors":
        return "weights"
    if not file.is_file():
        return "not there any more"
    if file.stat().st_size > LARGEST:
        return f"larger than {LARGEST // 2**20} MiB"
    if without_labels and tells_labels(jobs, path):
        return "labels or comments"
    return ""


def tells_labels(jobs: Ledger, path: str) -> bool:
    """Whether a file says what raters said of an utterance."""
    readers = {job.stage for job in jobs.readers.get(path, ())}
    if path not in jobs.maker and readers & {"read-iemocap", "read-recordings"}:
        return not path.endswith("reported.csv")
    if Path(path).suffix != ".csv":
        return False
    columns = set(pd.read_csv(jobs.file(path), nrows=0).columns)
    return "utterance" in columns and not columns <= HARMLESS


def member_names(paths: Iterable[str]) -> dict[str, str]:
    """Path -> name in the zip: as below the working folder, or below what holds it and the rest."""
    paths = list(paths)
    ups = max(os.path.normpath(path).split("/").count("..") for path in paths)
    here = Path.cwd()
    top = here.parents[ups - 1] if ups else here
    return {p: str(Path(os.path.normpath(here / p)).relative_to(top)) for p in paths}


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder results/DATASET: as it is, or of a zip, unpacked while this lasts.

    Raises:
        InputError: the zip is none, is no archive of ours, or would unpack elsewhere.
    """
    if path.suffix != ".zip":
        yield path
        return
    with TemporaryDirectory(prefix="emoword-archive-") as scratch:
        try:
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    unpack(archive, info, Path(scratch), path)
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: cannot be unpacked: {error}") from error
        found = sorted(Path(scratch).glob("**/results/*/provenance.json"))
        if len(found) != 1:
            raise InputError(f"{path}: {len(found)} files results/DATASET/provenance.json in it")
        yield found[0].parent


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, path: Path) -> None:
    """Unpack one file into a folder, or refuse.

    Raises:
        InputError: it would be written elsewhere, or is a link.
    """
    name = Path(info.filename)
    is_link = (info.external_attr >> 28) == 0o12
    if name.is_absolute() or ".." in name.parts or "\\" in info.filename or is_link:
        raise InputError(f"{path}: {info.filename!r} leads out of the archive; nothing is unpacked")
    archive.extract(info, folder)
