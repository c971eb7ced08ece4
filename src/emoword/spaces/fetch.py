r"""Fetch a public file: resumable, checked, and put in its place only when it is whole.

What was fetched so far lies beside it as FILE.part; a later call resumes there. Run it where there
is a network (a login node); the other stages need none.

    emoword fetch --url https://nlp.stanford.edu/data/glove.840B.300d.zip \
        --out data/glove.840B.300d.zip
"""

import argparse
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from emoword.io.errors import InputError
from emoword.io.files import sha256_of

TIMEOUT = 60  # seconds without a byte
PIECE = 1 << 20
NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword fetch``."""
    parser.add_argument("--url", required=True, help="http or https")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--sha256", default="", help="what the file must have; another is refused")


def main(arguments: argparse.Namespace) -> None:
    """Run ``emoword fetch``."""
    out: Path = arguments.out
    sha256 = fetch(arguments.url, out, arguments.sha256)
    print(f"{out}: {out.stat().st_size} bytes, sha256 {sha256}")


def fetch(url: str, out: Path, sha256: str = "") -> str:
    """Fetch ``url`` as the file ``out``; returns its sha256, which must be ``sha256`` if given.

    A transfer that breaks off is resumed as long as each try brings some bytes.

    Raises:
        InputError: it cannot be fetched, has another sha256, or cannot be written.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url}: is neither http nor https")
    if out.exists():
        raise InputError(f"{out}: is there already; remove it to fetch it again")
    out.parent.mkdir(parents=True, exist_ok=True)
    part, whole = out.with_name(f"{out.name}.part"), False
    while not whole:
        before = _size(part)
        try:
            whole = _resume(url, part)
        except NETWORK as error:
            if _size(part) <= before:
                raise InputError(
                    f"{url}: cannot be fetched ({' '.join(str(error).split())}); no network here? "
                    f"Run the same command where there is one, or put the file at {out}"
                ) from error
        except OSError as error:
            said = error.strerror or error
            raise InputError(f"{part}: {said}; run the same command again to resume") from error
    found = sha256_of(part)
    if sha256 and found != sha256:
        part.unlink()
        raise InputError(f"{url}: has sha256 {found} instead of {sha256}; removed")
    part.replace(out)
    return found


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _resume(url: str, part: Path) -> bool:
    """Fetch what ``part`` lacks of the file, or all of it if the server's has changed.

    Returns:
        Whether the file is whole now.
    """
    tag = part.with_name(f"{part.name}.etag")  # which version of the file the part is of
    request = urllib.request.Request(url, headers={"User-Agent": "emoword"})  # noqa: S310
    have = _size(part) if tag.exists() else 0
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag.read_text())
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310  http(s) only
    except urllib.error.HTTPError as error:
        if error.code != 416 or error.headers.get("Content-Range") != f"bytes */{have}":
            raise
        tag.unlink()
        return True  # it was whole
    with answer, part.open("ab" if answer.status == 206 else "wb") as stream:
        start = stream.tell()
        if version := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
            tag.write_text(version)
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        with tqdm(initial=start, total=total, unit="B", unit_scale=True, disable=None) as bar:
            while piece := answer.read(PIECE):
                stream.write(piece)
                bar.update(len(piece))
    if total is not None and _size(part) != total:
        raise http.client.IncompleteRead(b"", total - _size(part))
    tag.unlink(missing_ok=True)
    return True
