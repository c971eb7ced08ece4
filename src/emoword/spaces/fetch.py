"""Fetch a public file: resumable, checked, and put in its place only when it is whole."""

import http.client
import urllib.request
from pathlib import Path

from tqdm import tqdm

from emoword.io.errors import InputError
from emoword.io.files import sha256_of

TIMEOUT = 60  # seconds without a byte
PIECE = 1 << 20


def fetch(*, url: str, out: Path, sha256: str = "") -> None:
    r"""Fetch a public file: resumable, checked, and put in its place only when it is whole.

    What was fetched so far lies beside it as OUT.part; a later call resumes there. Run it where
    there is a network (a login node); the other commands need none.

        emoword fetch --url https://nlp.stanford.edu/data/glove.840B.300d.zip \
            --out data/glove.840B.300d.zip

    Args:
        url: http or https.
        out: The file.
        sha256: What the file must have; another is refused.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url}: is neither http nor https")
    if out.exists():
        raise InputError(f"{out}: is there already; remove it to fetch it again")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.part")
    while True:  # as long as each try brings some bytes
        before = _size(part)
        try:
            _resume(url, part)
            break
        except (OSError, http.client.HTTPException) as error:
            if _size(part) <= before:
                said = " ".join(str(error).split())
                raise InputError(
                    f"{url}: cannot be fetched ({said}); no network, or a full disk? Run the same "
                    f"command where there is one, it resumes, or put the file at {out}"
                ) from error
    found = sha256_of(part)
    if sha256 and found != sha256.lower():
        part.unlink()
        raise InputError(f"{url}: has sha256 {found} instead of {sha256}; removed")
    part.replace(out)
    print(f"{out}: {out.stat().st_size} bytes, sha256 {found}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _resume(url: str, part: Path) -> None:
    """Fetch what ``part`` lacks of the file, or all of it if the server's has changed."""
    tag = part.with_name(f"{part.name}.etag")  # which version of the file the part is of
    version = tag.read_text() if tag.exists() else ""
    have = max(0, _size(part) - 1) if version else 0  # a whole file has nothing more to ask for
    request = urllib.request.Request(url, headers={"User-Agent": "emoword"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  http(s) only
        start = have if answer.status == 206 else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        bar = tqdm(initial=start, total=total, unit="B", unit_scale=True, disable=None)
        with part.open("ab") as stream, bar:
            stream.truncate(start)
            tag.write_text(answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
            while piece := answer.read(PIECE):
                stream.write(piece)
                bar.update(len(piece))
    if total is not None and _size(part) != total:
        raise http.client.HTTPException(f"broke off after {_size(part)} of {total} bytes")
    tag.unlink()
