"""Inputs behind URLs: the same events, the same bits; one line where it cannot be."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import awkward as ak
import fsspec
import pytest

import forefold
from forefold import cli, io
from forefold.io import remote

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Ranges(SimpleHTTPRequestHandler):
    """A server of files that also serves parts of them, as real ones do."""

    def do_GET(self) -> None:
        content = Path(self.translate_path(self.path)).read_bytes()
        first, _, last = self.headers.get("Range", "bytes=-").removeprefix("bytes=").partition("-")
        start = int(first) if first else 0
        stop = int(last) + 1 if last else len(content)
        part = content[start:stop]
        self.send_response(206 if first else 200)
        if first:
            end = start + len(part) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    """The small real files behind a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(data))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def memory(gst_file: Path, genie_hepmc_file: Path) -> Iterator[str]:
    """Files in the memory of fsspec, a protocol that needs nothing installed."""
    system = fsspec.filesystem("memory")
    for path in (gst_file, genie_hepmc_file):
        system.pipe(f"/remote/{path.name}", path.read_bytes())
    yield "memory://remote"
    system.rm("/remote", recursive=True)


@pytest.mark.parametrize("which", ["gst_file", "genie_hepmc_file"])
def test_same_events_and_bits(memory: str, request: pytest.FixtureRequest, which: str) -> None:
    local: Path = request.getfixturevalue(which)
    here, there = io.read(local), io.read(f"{memory}/{local.name}")
    assert there.source[0] == f"{memory}/{local.name}"
    one, two = (forefold.smear(e, "nusmear-default", rng=1).particles for e in (here, there))
    for name in one.fields:
        assert ak.all(ak.fill_none(one[name] == two[name], True))
        assert ak.all(ak.is_none(one[name], axis=-1) == ak.is_none(two[name], axis=-1))


def test_smear_of_a_url(memory: str, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.parquet"
    url = f"{memory}/{gst_file.name}"
    command = ["smear", url, "-d", "nusmear-default", "--rng", "1", "-q", "-o", str(out)]
    assert cli.main(command) == 0
    about = forefold.read_smeared(out).attrs["forefold"]["inputs"][0]
    assert about["path"] == url
    assert about["bytes"] == gst_file.stat().st_size
    assert "sha256" not in about


def test_http(served: str, gst_file: Path) -> None:
    pytest.importorskip("aiohttp")
    assert len(io.read(f"{served}/{gst_file.name}")) == 300
    assert io.inspect(f"{served}/{gst_file.name}").events == 300


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://remote/none.root", "none.root: no such file"),
        ("nonsense://x/y.root", "nonsense://x/y.root: .*nonsense"),
    ],
)
def test_what_cannot_be_reached(memory: str, url: str, message: str) -> None:
    assert memory
    with pytest.raises((OSError, ValueError), match=message) as caught:
        io.read(url)
    assert "\n" not in str(caught.value)


def test_missing_protocol_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        message = "Install s3fs to access S3"
        raise ImportError(message)

    monkeypatch.setattr(fsspec.core, "url_to_fs", absent)
    with pytest.raises(ValueError, match=r"s3://b/f.root: what reads .* Install s3fs"):
        remote.size("s3://b/f.root")
