"""The reader of NuWro's own trees.

No real file may be distributed with the project: these hold the branches under the names by which
uproot gives those of real ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import jagged, write_tree

from forefold import io
from forefold.io.cross_sections import CrossSection
from forefold.io.readers.nuwro import READER

FLAGS = ("qel", "res", "dis", "coh", "mec", "hyp", "lep", "nc", "cc", "res_delta")


def particles(group: str, pdg: list[list[int]], energy: float) -> dict[str, Any]:
    """Particles along z, of one energy (MeV)."""
    branches: dict[str, Any] = {f"e/{group}/{group}.pdg": jagged(pdg, "i4")}
    for name, value in (("t", energy), ("x", 0.0), ("y", 0.0), ("z", energy / 2)):
        branches[f"e/{group}/{group}.{name}"] = jagged([[value] * len(row) for row in pdg])
    return branches


def event1(flags: list[str], probe: int = 14) -> dict[str, Any]:
    """An event for each list of flags."""
    n = len(flags)
    columns: dict[str, Any] = {"e/weight": np.full(n, 1e-38)}
    for name in FLAGS:
        columns[f"e/flag/flag.{name}"] = np.array([name in text.split() for text in flags])
    columns |= {
        "e/par/par.nucleus_p": np.full(n, 6, "i4"),
        "e/par/par.nucleus_n": np.full(n, 6, "i4"),
    }
    columns |= particles("in", [[probe, 2112]] * n, 1000.0)
    columns |= particles("out", [[13, 2212]] * n, 750.0)
    return columns | particles("post", [[13, 2212, 2112]] * n, 500.0)


def write(path: Path, columns: dict[str, Any]) -> str:
    return write_tree(path, columns, "treeout")


def test_units_and_lists(tmp_path: Path) -> None:
    path = write(tmp_path / "f", event1(["qel cc", "qel cc"]))
    record = io.read(path)
    assert record.particles.pdgid.tolist() == [[13, 2212, 2112]] * 2
    assert record.particles.energy.tolist() == [[0.5] * 3] * 2
    assert record.particles.pz.tolist() == [[0.25] * 3] * 2
    assert record.probe.tolist() == [14, 14]
    assert record.probe_momentum.energy.tolist() == [1.0, 1.0]
    assert record.target.tolist() == [1000060120] * 2
    assert record.weight.tolist() == [1e-38] * 2
    whole = io.read(path, final_state_only=False)
    assert whole.particles.pdgid.tolist() == [[13, 2212, 2112, 14, 2112, 13, 2212]] * 2
    assert whole.particles.status.tolist() == [[1, 1, 1, 0, 11, 14, 14]] * 2
    assert io.inspect(path).format == "NuWro event1"


def test_processes(tmp_path: Path) -> None:
    wanted = {
        "qel cc": 200, "qel nc": 250, "res cc": 500, "res cc res_delta": 400, "res nc": 550,
        "dis nc": 650, "coh cc": 100, "mec cc": 300, "hyp cc": 201, "lep nc": 750, "cc": 0,
    }  # fmt: skip
    record = io.read(write(tmp_path / "f", event1(list(wanted))))
    assert record.process_id.tolist() == list(wanted.values())
    assert record.cc.tolist() == ["cc" in text for text in wanted]
    assert record.nc.tolist() == ["nc" in text for text in wanted]


def test_electrons(tmp_path: Path) -> None:
    record = io.read(write(tmp_path / "f", event1(["qel nc"], probe=11)))
    assert record.process_id.tolist() == [-200]
    assert record.nc.tolist() == [False]


def test_old_files(tmp_path: Path) -> None:
    columns = event1(["res cc"])
    for name in ("e/flag/flag.res_delta", "e/par/par.nucleus_p"):
        del columns[name]
    record = io.read(write(tmp_path / "f", columns))
    assert record.process_id.tolist() == [400]
    assert record.target.tolist() == [0]


@pytest.mark.parametrize(
    ("protons", "neutrons", "target"),
    [(1, 0, 2212), (0, 1, 2112), (18, 22, 1000180400), (0, 0, 0), (-1, 5, 0)],
)
def test_targets(tmp_path: Path, protons: int, neutrons: int, target: int) -> None:
    columns = event1(["qel cc"])
    columns["e/par/par.nucleus_p"][:] = protons
    columns["e/par/par.nucleus_n"][:] = neutrons
    assert io.read(write(tmp_path / "f", columns)).target.tolist() == [target]


def test_no_probe(tmp_path: Path) -> None:
    columns = event1(["qel cc"]) | particles("in", [[]], 0.0)
    record = io.read(write(tmp_path / "f", columns))
    assert record.probe.tolist() == [0]
    assert np.isnan(record.probe_momentum.energy.to_numpy()).all()


def test_what_uproot_cannot_read(tmp_path: Path) -> None:
    path = write(tmp_path / "f", {"e": np.zeros(3)})
    with pytest.raises(
        ValueError, match=r"lacks the branches weight.*convert it with nuwro2hepmc3"
    ):
        io.read(path)


def total(path: str) -> CrossSection | None:
    return READER.describe(path).cross_section


def test_cross_section(tmp_path: Path) -> None:
    columns = event1(["qel cc", "res cc", "dis nc"])
    columns["e/weight"] = np.full(3, 4.63e-38)
    found = total(write(tmp_path / "a", columns))
    assert found is not None
    assert (found.unit, found.target_scale, found.uncertainty) == ("pb", "PerNucleon", None)
    assert found.value == pytest.approx(0.0463, rel=1e-15)
    columns["e/weight"] = np.array([1e-38, 2e-38, 3e-38])
    found = total(write(tmp_path / "b", columns))
    assert found is not None
    assert found.value == pytest.approx(0.02, rel=1e-15)
    assert found.uncertainty == pytest.approx(0.01 * np.sqrt(2 / 9), rel=1e-14)
    for bad in (0.0, np.nan):
        columns["e/weight"] = np.full(3, bad)
        assert total(write(tmp_path / "c", columns)) is None


@pytest.mark.parametrize(("missing", "named"), [(("hyp", "lep"), "hip"), (("hyp", "lep"), None)])
def test_flags_that_not_all_releases_have(
    tmp_path: Path, missing: tuple[str, ...], named: str | None
) -> None:
    columns = event1(["qel cc", "hyp cc"])
    hyperon = columns["e/flag/flag.hyp"]
    columns = {key: value for key, value in columns.items() if key[-3:] not in missing}
    if named:
        columns[f"e/flag/flag.{named}"] = hyperon
    record = io.read(write(tmp_path / "f", columns))
    assert record.process_id.tolist() == [200, 201 if named else 0]
