r"""Fetch a public file: resumable, checked, and put in its place only when it is whole.

What was fetched so far lies beside it as FILE.part, and a later call goes on from there. Run it
where there is a network (a login node); the other stages need none.

    emoword fetch --url https://nlp.stanford.edu/data/glove.840B.300d.zip \
        --out data/glove.840B.300d.zip
"""

import argparse
import errno
import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from tqdm import tqdm

from emoword.io.errors import InputError
from emoword.spaces.writer import fingerprint

TRIES = 4  # in a row without a byte
TIMEOUT = 60  # seconds without a byte
PIECE = 1 << 20
# the disk's errors, not the network's: trying again helps nobody
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``emoword fetch``."""
    parser.add_argument("--url", required=True, help="http or https")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--sha256", help="what the file must have; another is refused")


def main(arguments: argparse.Namespace) -> None:
    """Run ``emoword fetch``."""
    url, out = arguments.url, arguments.out
    if not url.startswith(("http://", "https://")):
        raise InputError(f"--url {url}: is neither http nor https")
    if out.exists():
        raise InputError(f"{out}: is there already; remove it to fetch it again")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    failures = 0
    while True:
        before = size_of(part)
        try:
            transfer(url, part)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in DISK:
                raise InputError(f"{part}: cannot write here: {error.strerror}") from error
            failures = 0 if size_of(part) > before else failures + 1
            hopeless = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if hopeless or failures == TRIES:
                raise InputError(
                    f"{url}: cannot be fetched ({' '.join(str(error).split())}); no network here? "
                    f"Run the same command where there is one, or put the file at {out}"
                ) from error
            time.sleep(2**failures if failures else 0)
    sha256 = str(fingerprint(part)["sha256"])
    if arguments.sha256 and sha256 != arguments.sha256:
        part.unlink()
        raise InputError(f"{url}: has sha256 {sha256} instead of {arguments.sha256}; removed")
    part.replace(out)
    print(f"{out}: {out.stat().st_size} bytes, sha256 {sha256}")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def transfer(url: str, part: Path) -> None:
    """Fetch what ``part`` lacks of the file, or all of it if the server's has changed.

    Raises:
        OSError, http.client.HTTPException: the transfer broke off; what came is kept.
    """
    tag = part.with_name(f"{part.name}.etag")  # which version of the file the part is of
    request = urllib.request.Request(url, headers={"User-Agent": "emoword"})  # noqa: S310
    have = size_of(part)
    if have and tag.exists():
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag.read_text())
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310  http(s) only
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{have}":
            tag.unlink()
            return  # it was whole
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as stream:
        start = have if answer.status == 206 else 0
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if version:
            tag.write_text(version)
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        copy(answer, stream, start, total)
    if total is not None and size_of(part) != total:
        raise http.client.HTTPException(f"broke off after {size_of(part)} of {total} bytes")
    tag.unlink(missing_ok=True)


def copy(answer: IO[bytes], stream: IO[bytes], start: int, total: int | None) -> None:
    """Copy with a progress bar on a terminal."""
    with tqdm(
        desc="fetch", initial=start, total=total, unit="B", unit_scale=True, disable=None
    ) as bar:
        while piece := answer.read(PIECE):
            stream.write(piece)
            bar.update(len(piece))
