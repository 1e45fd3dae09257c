"""The table of readers, plug-ins, and what is done about damage."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest

from forefold import events, io
from forefold.io.registry import Damage, Header, Source, choose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import awkward as ak


class MuonGun:
    """A reader such as another package may add."""

    name = "muon gun"

    def sniff(self, path: str) -> bool:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(4) == b"GUN!"

    def describe(self, path: str) -> Header:  # noqa: ARG002
        return Header(format="muon gun")

    def iterate(self, source: Source) -> Iterator[tuple[ak.Array, float]]:
        yield events.build(pdgid=13, px=0.0, py=0.0, pz=2.0, energy=2.1, source=source.path), 1.0


PLUGIN = MuonGun()


def test_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gun.dat"
    path.write_bytes(b"GUN! and smoke")
    with pytest.raises(ValueError, match="of no known format"):
        choose(str(path))
    point = EntryPoint("gun", f"{__name__}:PLUGIN", "forefold.readers")
    monkeypatch.setattr(EntryPoint, "load", lambda _: PLUGIN)
    monkeypatch.setattr(
        "forefold.io.registry.entry_points", lambda group: EntryPoints([point]).select(group=group)
    )
    assert io.read(path).particles.pdgid.tolist() == [[13]]


def test_damage_is_raised_or_counted() -> None:
    with pytest.raises(ValueError, match="a: entry 3: torn"):
        Source("a").lose(1, "a: entry 3: torn")
    damage = Damage()
    for i in range(12):
        Source("a", damage=damage).lose(2, f"a: entry {i}: torn")
    assert damage.events == 24
    assert damage.notes == [f"a: entry {i}: torn" for i in range(10)]
