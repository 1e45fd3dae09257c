"""Inputs behind URLs: the same events, the same bits; one line where it cannot be."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import awkward as ak
import fsspec
import pytest

import forefold
from forefold import cli, io
from forefold.io import files
from forefold.io import source as remote

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Server(SimpleHTTPRequestHandler):
    """A server whose mood is the first folder of a path.

    `parts` gives parts of files, as real servers do; `whole` only whole files, `cut` half of what it promised,
    and a number is the answer itself.
    """

    sent: ClassVar[list[int]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        _, mood, *names = self.path.partition("?")[0].split("/")
        file = Path(self.directory, *names)
        if mood.isdecimal() or not file.is_file():
            self.send_response(int(mood) if mood.isdecimal() else 404)
            self.send_header("Location", self.path)
            self.end_headers()
            return
        content = file.read_bytes()
        first, _, last = self.headers.get("Range", "bytes=-").removeprefix("bytes=").partition("-")
        first = first if mood == "parts" else ""
        start = int(first) if first else 0
        stop = int(last) + 1 if first and last else len(content)
        part = content[start:stop]
        self.send_response(206 if first else 200)
        if first:
            end = start + len(part) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if body:
            self.sent.append(len(part))
            self.wfile.write(part[: len(part) // 2] if mood == "cut" else part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    """The small real files behind a server on this machine."""
    pytest.importorskip("aiohttp")
    with _serving(data) as address:
        yield address


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
    assert len(io.read(f"{served}/parts/{gst_file.name}")) == 300
    assert io.inspect(f"{served}/parts/{gst_file.name}?key=a:b&list=[1]").events == 300


@pytest.mark.parametrize("kind", ["parquet", "h5", "root", "csv", "hepmc3"])
def test_own_files_behind_a_url(gst_file: Path, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("aiohttp")
    events, smeared = tmp_path / f"events.{kind}", tmp_path / f"smeared.{kind}"
    assert cli.main(["convert", str(gst_file), str(events), "-q"]) == 0
    command = ["smear", str(gst_file), "-d", "nusmear-default", "--rng", "1", "-q"]
    assert cli.main([*command, "-o", str(smeared)]) == 0
    with _serving(tmp_path) as address:
        there = io.read(f"{address}/parts/{events.name}", entries="7:20")
        again = forefold.read_smeared(f"{address}/parts/{smeared.name}")
    here = io.read(events, entries="7:20")
    assert there.particles.energy.tolist() == here.particles.energy.tolist()
    assert there.stream.tolist() == here.stream.tolist()
    assert len(again) == 300


def test_looking_at_a_file_asks_for_little_of_it(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    (tmp_path / "long").write_bytes(bytes(1 << 20))
    with _serving(tmp_path) as address:
        _Server.sent.clear()
        assert files.head(f"{address}/parts/long", 512) == bytes(512)
    assert sum(_Server.sent) < 100_000


def test_text_of_a_server_without_parts(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    lines = ["event,pdgid,px,py,pz,energy", *(f"{i},13,0,0,{i}.5,{i}.75" for i in range(300_000))]
    (tmp_path / "long.csv").write_text("\n".join(lines) + "\n")  # longer than a block of fsspec
    with _serving(tmp_path) as address:
        record = io.read(f"{address}/whole/long.csv")
    assert record.event.tolist() == list(range(300_000))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("404/x.root", "no such file"),
        ("parts/x.root", "no such file"),
        ("403/x.root", "cannot be read: the server answers 403 Forbidden"),
        ("500/x.hepmc3", "cannot be read: the server answers 500 Internal Server Error"),
        ("302/x.hepmc3", "cannot be read: the server redirects without end"),
        ("whole/{gst}", r"gives files only as a whole \(no range requests\), .* download"),
        ("cut/{gst}", "cannot be read: Response payload is not completed"),
        ("parts/*.root", "patterns work on local files only; give the URL of each file"),
    ],
)
def test_what_a_server_may_say(served: str, gst_file: Path, path: str, message: str) -> None:
    url = f"{served}/{path.format(gst=gst_file.name)}"
    with pytest.raises((OSError, ValueError), match=message) as caught:
        io.read(url)
    assert str(caught.value).startswith(f"{url}: ")
    assert "\n" not in str(caught.value)


def test_no_server_at_all() -> None:
    pytest.importorskip("aiohttp")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        url = f"http://127.0.0.1:{server.server_port}/x.root"
    with pytest.raises(OSError, match=r"cannot be read: .*[Cc]onnect") as caught:
        io.read(url)
    assert str(caught.value).startswith(f"{url}: ")


def test_outputs_are_local(gst_file: Path) -> None:
    with pytest.raises(ValueError, match=r"s3://b/o.parquet: outputs are local files"):
        forefold.convert(gst_file, "s3://b/o.parquet")


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
