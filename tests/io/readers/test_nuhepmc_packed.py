"""HepMC listings that are compressed, cut or damaged as files."""

from __future__ import annotations

import gzip
import lzma
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hepmc_toys import put

from forefold import io

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_cut_text(bare: bytes, tmp_path: Path, fraction: float) -> None:
    path = put(tmp_path / "cut", bare[: int(len(bare) * fraction)])
    with pytest.raises(ValueError, match=r"cut: entry \d+: the file is cut short"):
        io.read(path)


def test_cut_between_events(bare: bytes, tmp_path: Path) -> None:
    at = [match.start() + 1 for match in re.finditer(rb"\nE ", bare)]
    path = put(tmp_path / "cut", bare[: at[100]])
    with pytest.raises(ValueError, match=r"cut: entry 99: the file is cut short in or after this"):
        io.read(path)
    assert len(io.read(path, entries=(0, 99))) == 99
    assert len(io.read(path, entries=(50, 98))) == 48


def test_cut_in_header(bare: bytes, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="cut: the HepMC3 file is cut short before the first event"
    ):
        io.read(put(tmp_path / "cut", bare[:2000]))


@pytest.mark.parametrize("size", [3, 15, 300, 50_000, 200_000, -9, -1])
def test_cut_gzip(genie_hepmc_file: Path, tmp_path: Path, size: int) -> None:
    path = put(tmp_path / "cut.gz", genie_hepmc_file.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"cut\.gz: .*the compressed file is cut short$"):
        io.read(path)


@pytest.mark.parametrize("at", [2, 5000, 150_000, -6])
def test_damaged_gzip(genie_hepmc_file: Path, tmp_path: Path, at: int) -> None:
    content = bytearray(genie_hepmc_file.read_bytes())
    content[at] ^= 0xFF
    with pytest.raises(ValueError, match=r"bad\.gz: .*(compressed file is|cut short|malformed)"):
        io.read(put(tmp_path / "bad.gz", bytes(content)))


def test_gzip_members(bare: bytes, tmp_path: Path) -> None:
    half = len(bare) // 2
    path = put(tmp_path / "two.gz", gzip.compress(bare[:half]) + gzip.compress(bare[half:]))
    assert len(io.read(path)) == 300


@pytest.mark.parametrize("packing", ["gz", "xz", "zst", "two gz", "two xz", "two zst"])
def test_compressed(bare: bytes, tmp_path: Path, packing: str) -> None:
    packers: dict[str, Callable[[bytes], bytes]]
    packers = {"gz": gzip.compress, "xz": lzma.compress, "zst": zstd.compress}
    pack = packers[packing.removeprefix("two ")]
    half = len(bare) // 2
    parts = [bare[:half], bare[half:]] if packing.startswith("two") else [bare]
    content = b"".join(pack(part) for part in parts)
    if packing == "two xz":
        content += bytes(8)  # padding is allowed
    packed = put(tmp_path / "a", content)
    plain = put(tmp_path / "b", bare)
    names = ["entry", "event", "process_id", "particles"]
    assert io.read(packed)[names].tolist() == io.read(plain)[names].tolist()
    cut = put(tmp_path / "c", content[: len(content) * 3 // 4])
    with pytest.raises(ValueError, match="c: the compressed file is cut short"):
        io.read(cut)
    damage = io.Damage()
    assert 100 < len(io.read(cut, damage=damage)) < 300
    assert damage.events == 1
    broken = bytearray(content)
    broken[len(content) // 3] ^= 0xFF
    broken[len(content) // 3 + 7] ^= 0xFF
    with pytest.raises(ValueError, match=r"the compressed file is damaged|malformed|unexpected"):
        io.read(put(tmp_path / "d", bytes(broken)))


def test_zstd_needs_a_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("forefold.io.source.import_module", refuse)
    path = put(tmp_path / "a", zstd.compress(b"text"))
    with pytest.raises(ValueError, match=r"a: compressed with zstd; to read it, pip install"):
        io.read(path)


@pytest.mark.parametrize("start", [b"hmpb", b"HepMC3::Protobuf"])
def test_protobuf(tmp_path: Path, start: bytes) -> None:
    with pytest.raises(ValueError, match="HepMC3 in protobuf, which pyhepmc cannot read"):
        io.read(put(tmp_path / "a", start + bytes(100)))
