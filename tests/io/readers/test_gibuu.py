"""The reader of GiBUU's RootTuple, in the layout that GiBUU's code writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import jagged, write_tree

from forefold import io
from forefold.io.cross_sections import CrossSection
from forefold.io.readers.gibuu import READER


def root_tuple(n: int = 2, **changes: Any) -> dict[str, Any]:
    """A proton and a pion an event, beside the lepton."""
    columns: dict[str, Any] = {
        "weight": np.linspace(0.5, 1.0, n),
        "barcode": jagged([[2212, 211]] * n, "i4"),
        "evType": np.ones(n, "i4"),
        "process_ID": np.full(n, 2, "i4"),
        "flavor_ID": np.full(n, 2, "i4"),
        "numRuns": np.full(n, 7, "i4"),
        "numEnsembles": np.full(n, 100, "i4"),
        "nucleus_A": np.full(n, 40, "i4"),
        "nucleus_Z": np.full(n, 18, "i4"),
    }
    for axis, value in (("E", 1.0), ("Px", 0.0), ("Py", 0.25), ("Pz", 0.5)):
        columns[axis] = jagged([[value, value / 2]] * n)
        columns[f"lepIn_{axis}"] = np.full(n, 4 * value)
        columns[f"lepOut_{axis}"] = np.full(n, 2 * value)
    return {key: value for key, value in (columns | changes).items() if value is not None}


def write(path: Path, columns: dict[str, Any]) -> str:
    return write_tree(path, columns, "RootTuple")


def test_lepton_comes_first(tmp_path: Path) -> None:
    path = write(tmp_path / "f", root_tuple(barcode=jagged([[2212, 211], []], "i4"), **{
        axis: jagged([[1.0, 0.5], []]) for axis in ("E", "Px", "Py", "Pz")
    }))  # fmt: skip
    record = io.read(path)
    assert record.particles.pdgid.tolist() == [[13, 2212, 211], [13]]
    assert record.particles.energy.tolist() == [[2.0, 1.0, 0.5], [2.0]]
    assert record.particles.pz.tolist() == [[1.0, 1.0, 0.5], [1.0]]
    assert record.weight.tolist() == [0.5, 1.0]
    assert record.probe.tolist() == [14, 14]
    assert record.probe_momentum.energy.tolist() == [4.0, 4.0]
    assert record.target.tolist() == [1000180400] * 2
    whole = io.read(path, final_state_only=False)
    assert whole.particles.pdgid.tolist() == [[13, 2212, 211, 14], [13, 14]]
    assert whole.particles.status.tolist() == [[1, 1, 1, 0], [1, 0]]
    assert whole.particles.energy.tolist() == [[2.0, 1.0, 0.5, 4.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("process", "flavor", "probe", "lepton"),
    [
        (2, 1, 12, 11), (2, 2, 14, 13), (2, 3, 16, 15), (-2, 2, -14, -13), (3, 1, 12, 12),
        (-3, 2, -14, -14), (1, 1, 11, 11), (-1, 1, -11, -11),
    ],
)  # fmt: skip
def test_leptons(tmp_path: Path, process: int, flavor: int, probe: int, lepton: int) -> None:
    columns = root_tuple(process_ID=np.full(2, process, "i4"), flavor_ID=np.full(2, flavor, "i4"))
    record = io.read(write(tmp_path / "f", columns))
    assert record.probe.tolist() == [probe] * 2
    assert record.particles.pdgid[:, 0].tolist() == [lepton] * 2
    assert record.cc.tolist() == [abs(process) == 2] * 2
    assert record.nc.tolist() == [abs(process) == 3] * 2
    expected = {1: -200, 2: 200, 3: 250}[abs(process)]
    assert record.process_id.tolist() == [expected] * 2


def test_event_types(tmp_path: Path) -> None:
    wanted = {
        1: 200, 2: 400, 3: 401, 31: 401, 32: 500, 33: 501, 34: 600, 35: 300, 36: 301, 37: 502, 38: 0
    }  # fmt: skip
    columns = root_tuple(len(wanted), evType=np.array(list(wanted), "i4"))
    assert io.read(write(tmp_path / "f", columns)).process_id.tolist() == list(wanted.values())


def test_what_is_bound_stays_inside(tmp_path: Path) -> None:
    path = write(tmp_path / "f", root_tuple(
        barcode=jagged([[2212, 2112, -211, 111], [2112]], "i4"),
        E=jagged([[0.937, 0.938, 0.1379, 0.138], [0.9]]),
        **{axis: jagged([[0.0] * 4, [0.0]]) for axis in ("Px", "Py", "Pz")},
    ))  # fmt: skip
    assert io.read(path).particles.pdgid.tolist() == [[13, 2112, 111], [13]]
    whole = io.read(path, final_state_only=False)
    assert whole.particles.pdgid.tolist() == [[13, 2212, 2112, -211, 111, 14], [13, 2112, 14]]
    assert whole.particles.status.tolist() == [[1, 14, 1, 14, 1, 0], [1, 14, 0]]


def test_describe(tmp_path: Path) -> None:
    found = io.inspect(write(tmp_path / "f", root_tuple()))
    assert found.format == "GiBUU RootTuple"
    assert (found.details["numRuns"], found.details["numEnsembles"]) == ("7", "100")


def test_targets(tmp_path: Path) -> None:
    nucleons, protons = np.array([1, 1, 12, 0], "i4"), np.array([1, 0, 6, 0], "i4")
    columns = root_tuple(4, nucleus_A=nucleons, nucleus_Z=protons)
    record = io.read(write(tmp_path / "f", columns))
    assert record.target.tolist() == [2212, 2112, 1000060120, 0]
    columns = root_tuple(nucleus_A=None)
    assert io.read(write(tmp_path / "g", columns)).target.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (root_tuple(process_ID=None), "lacks the branches process_ID .GiBUU writes them"),
        (root_tuple(flavor_ID=np.array([2, 9], "i4")), "entry 1: flavor_ID = 9, must be 1, 2 or 3"),
        (root_tuple(process_ID=np.array([0, 2], "i4")), "entry 0: process_ID = 0, must be 1, 2, 3"),
        (root_tuple(Px=jagged([[1.0, 1.0], [1.0]])), "entry 1: the branches barcode and Px"),
    ],
)
def test_unlike_gibuu(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        io.read(write(tmp_path / "f", columns))


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"numRuns": np.ones(2, "i4")}, 1.5),
        ({"numRuns": np.full(2, 7, "i4")}, None),  # one file of seven, or seven in one?
        ({"numRuns": None}, None),
        ({"numRuns": np.ones(2, "i4"), "process_ID": np.full(2, 1, "i4")}, None),
        ({"numRuns": np.ones(2, "i4"), "weight": np.zeros(2)}, None),
    ],
)
def test_cross_section(tmp_path: Path, changes: dict[str, Any], value: float | None) -> None:
    found = READER.describe(write(tmp_path / "f", root_tuple(**changes))).cross_section
    origin = "GiBUU's sum of weights"
    assert found == (CrossSection(value, "10-38 cm2", "PerNucleon", origin) if value else None)
