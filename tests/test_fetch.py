"""Fetching a file from a server that breaks off, changes the file, or is not there."""

import hashlib
import resource
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from emoword.cli import main

DATA = bytes(range(256)) * 40


class Server(ThreadingHTTPServer):
    """Serves DATA: ``cut`` bytes an answer at most, Range and If-Range as HTTP wants them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut = len(DATA)
        self.tag = '"one"'
        self.data = DATA
        self.ranges: list[str | None] = []
        self.status = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/glove.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        if asked and self.headers.get("If-Range") == server.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(server.data) - start))
        self.end_headers()
        self.wfile.write(server.data[start : start + server.cut])

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


def get(server: Server, out: Path, *options: str) -> None:
    main(["fetch", "--url", server.url, "--out", str(out), *options])


def test_whole_and_checked(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "data/glove.zip"
    get(server, out, "--sha256", hashlib.sha256(DATA).hexdigest().upper())
    assert out.read_bytes() == DATA
    assert [path.name for path in out.parent.iterdir()] == ["glove.zip"]


def test_resumes_where_it_broke_off(server: Server, tmp_path: Path) -> None:
    server.cut = 3000
    get(server, tmp_path / "glove.zip")
    assert (tmp_path / "glove.zip").read_bytes() == DATA
    assert server.ranges == [None, "bytes=2999-", "bytes=5998-", "bytes=8997-"]


@pytest.mark.parametrize(
    ("there", "tag", "asked"),
    [
        (DATA[:5000], '"one"', "bytes=4999-"),
        (DATA, '"one"', "bytes=10239-"),  # killed before it was renamed
        (b"old" * 100, '"zero"', "bytes=299-"),  # of another version: fetched again
        (b"old" * 100, "", None),  # of an unknown version: not trusted
    ],
)
def test_a_killed_fetch_is_taken_up_by_the_next(
    server: Server, tmp_path: Path, there: bytes, tag: str, asked: str | None
) -> None:
    (tmp_path / "glove.zip.part").write_bytes(there)
    (tmp_path / "glove.zip.part.etag").write_text(tag)
    get(server, tmp_path / "glove.zip")
    assert (tmp_path / "glove.zip").read_bytes() == DATA
    assert server.ranges == [asked]
    assert [path.name for path in tmp_path.iterdir()] == ["glove.zip"]


def test_a_server_that_breaks_off_and_cannot_resume_is_given_up(
    server: Server, tmp_path: Path, fails: Callable[..., str]
) -> None:
    server.cut, server.tag = 3000, ""
    message = fails("fetch", "--url", server.url, "--out", tmp_path / "glove.zip")
    assert "broke off after 3000 of 10240 bytes" in message
    assert server.ranges == [None, None]


def test_mistakes(server: Server, tmp_path: Path, fails: Callable[..., str]) -> None:
    out = tmp_path / "glove.zip"
    wrong = "0" * 64
    assert f"instead of {wrong}; removed" in fails(
        "fetch", "--url", server.url, "--out", out, "--sha256", wrong
    )
    assert "neither http nor https" in fails("fetch", "--url", "file:///x", "--out", out)
    server.status = 404
    message = fails("fetch", "--url", server.url, "--out", out)
    assert "404" in message
    server.status = 503
    assert "cannot be fetched (HTTP Error 503" in fails("fetch", "--url", server.url, "--out", out)
    assert not list(tmp_path.iterdir())
    out.write_text("mine")
    assert "is there already" in fails("fetch", "--url", server.url, "--out", out)
    assert out.read_text() == "mine"


def test_a_full_disk_is_not_taken_for_the_network(
    server: Server, tmp_path: Path, fails: Callable[..., str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        message = fails("fetch", "--url", server.url, "--out", tmp_path / "glove.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "cannot be fetched ([Errno 27] File too large); no network, or a full disk?" in message
    assert len(server.ranges) == 2  # the second brought nothing
    assert not (tmp_path / "glove.zip").exists()
    get(server, tmp_path / "glove.zip")  # there is room again
    assert (tmp_path / "glove.zip").read_bytes() == DATA


def test_no_network(server: Server, tmp_path: Path, fails: Callable[..., str]) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    message = fails("fetch", "--url", url, "--out", tmp_path / "glove.zip")
    assert "command where there is one, it resumes, or put the file at" in message
    assert not list(tmp_path.iterdir())
