"""What readers of trees share: damage is found, and left out where the user asks for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import damaged
from handmade import Tree, columns, write_tree

from forefold import io
from forefold.io.readers.gibuu import READER


def read(tree: Tree, damage: io.Damage | None, **options: Any) -> list[int]:
    source = io.Source("f", damage=damage, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forefold.io.root.tree", tree.opened)
        return [int(i) for record, _ in READER.iterate(source) for i in record.entry]


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 100])
def test_damaged_baskets(chunk: int) -> None:
    tree = Tree(columns(), edges=[0, 4, 8, 10, 12], bad=(5, 11))
    with pytest.raises(ValueError, match=r"f: damaged or cut ROOT file, cannot read entries"):
        read(tree, None, chunk=chunk)
    damage = io.Damage()
    assert read(tree, damage, chunk=chunk) == [0, 1, 2, 3, 8, 9]
    assert damage.events == 6
    damage = io.Damage()
    assert read(tree, damage, chunk=chunk, start=3, stop=6) == [3]
    assert damage.events == 2


def test_claims_beyond_the_baskets() -> None:
    tree = Tree(columns())
    tree.num_entries = 10**12
    with pytest.raises(ValueError, match="claims 1000000000000 entries, but a branch has 12"):
        read(tree, None)
    damage = io.Damage()
    assert len(read(tree, damage)) == 12
    assert damage.events == 10**12 - 12
    tree.num_entries = 7
    with pytest.raises(ValueError, match="claims 7 entries, but a branch has 12"):
        read(tree, None)
    tree.num_entries = -5
    with pytest.raises(ValueError, match="claims -5 entries"):
        read(tree, None)


def test_baskets_that_claim_too_much() -> None:
    tree = Tree(columns(), edges=[0, 12, 10**15])
    tree.num_entries = 10**15
    damage = io.Damage()
    assert read(tree, damage, chunk=10) == list(range(12))
    assert damage.events == 10**15 - 12
    assert tree.calls < 10


def test_bad_events_are_left_out() -> None:
    weight, flavor = np.ones(12), np.full(12, 2, "i4")
    weight[3], flavor[[5, 6]] = np.nan, 9
    damage = io.Damage()
    assert read(Tree(columns(weight=weight, flavor_ID=flavor)), damage) == [
        0,
        1,
        2,
        4,
        *range(7, 12),
    ]
    assert damage.events == 3
    assert damage.notes == [
        "f: entry 5: flavor_ID = 9, must be 1, 2 or 3",
        "f: entry 3 (event 3): weight = nan, must be a finite number",
    ]


def test_nothing_left(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "f", columns(2, weight=np.full(2, np.nan)), "RootTuple")
    damage = io.Damage()
    for call in (io.read, io.inspect):
        with pytest.raises(ValueError, match=r"f: no event of this file can be read \(.*nan"):
            call(path, damage=damage)


@pytest.mark.parametrize("seed", range(40))
def test_any_damage(gst_file: Path, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(damaged(gst_file.read_bytes(), seed))
    for damage in (None, io.Damage()):
        try:
            count = len(io.read(path, damage=damage))
        except (ValueError, OSError) as error:
            message, count = str(error), 300
        else:
            message = str(path)
        assert message.startswith(str(path))
        assert "\n" not in message
        assert count + (damage.events if damage else 0) >= 300


@pytest.mark.parametrize(("field", "shown"), [(-9, "808464432 entries"), (6, "808464432 bytes")])
def test_absurd_baskets(tmp_path: Path, field: int, shown: str) -> None:
    import uproot

    path = Path(write_tree(tmp_path / "f", columns(), "RootTuple", pieces=2))
    with uproot.open(path) as file:
        branch = file["RootTuple"]["Px"]
        at = int(branch.member("fBasketSeek")[1])
        keylen = int.from_bytes(path.read_bytes()[at + 14 : at + 16], "big")
    content = bytearray(path.read_bytes())
    place = at + (keylen + field if field < 0 else field)
    content[place : place + 4] = b"0000"
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=f"the basket at byte {at} claims .*{shown}"):
        io.read(path)
    damage = io.Damage()
    assert io.read(path, damage=damage).entry.tolist() == list(range(6))
    assert damage.events == 6
