"""The reader of NUISANCE flat trees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from handmade import jagged, write_tree

from forefold import io
from forefold.io.cross_sections import CrossSection
from forefold.io.readers.nuisance import READER

MOMENTUM = ("px", "py", "pz", "energy")
HALF_ULP = 2.0**-24
"""The flat tree holds float32: a value is off by at most this, relatively."""


@pytest.fixture(scope="session")
def nuisance_file(data: Path) -> Path:
    """The first 60 events of the sample as a flat tree."""
    return data / "nuisance_genie_numu_Ar40_60.root"


def flat_tree(n: int = 2, **changes: Any) -> dict[str, Any]:
    """The least branches: a muon and a proton an event."""
    columns: dict[str, Any] = {
        "Mode": np.ones(n, "i4"),
        "PDGnu": np.full(n, 14, "i4"),
        "pdg": jagged([[13, 2212]] * n, "i4"),
        "E": jagged([[1.5, 1.25]] * n, "f4"),
        "px": jagged([[0.0, 0.0]] * n, "f4"),
        "py": jagged([[0.0, 0.0]] * n, "f4"),
        "pz": jagged([[1.25, 0.5]] * n, "f4"),
    }
    return {key: value for key, value in (columns | changes).items() if value is not None}


def write(path: Path, columns: dict[str, Any]) -> str:
    return write_tree(path, columns, "FlatTree_VARS")


def test_modes(tmp_path: Path) -> None:
    modes = {
        1: 200, 2: 300, 11: 400, 16: 100, 21: 500, 26: 600, 31: 450, 36: 150, 41: 550, 46: 650,
        51: 250, 53: 350, -1: 200, -52: 250, 54: 703, 99: 0, 0: 0,
    }  # fmt: skip
    columns = flat_tree(len(modes), Mode=np.array(list(modes), "i4"))
    record = io.read(write(tmp_path / "f", columns))
    assert record.process_id.tolist() == list(modes.values())
    current = [(c, n) for c, n in zip(record.cc.tolist(), record.nc.tolist(), strict=True)]
    assert current[:6] == [(True, False)] * 6
    assert current[6:12] == [(False, True)] * 6
    assert current[12:15] == [(True, False), (False, True), (False, False)]
    assert current[15:] == [(False, True), (None, None)]


def test_what_is_missing_is_unknown(tmp_path: Path) -> None:
    record = io.read(write(tmp_path / "f", flat_tree()))
    assert record.target.tolist() == [0, 0]
    assert record.weight.tolist() == [1.0, 1.0]
    assert np.isnan(record.probe_momentum.pz.to_numpy()).all()
    whole = io.read(tmp_path / "f", final_state_only=False)
    assert whole.particles.tolist() == record.particles.tolist()


def test_weights(tmp_path: Path) -> None:
    columns = flat_tree(Weight=np.array([0.5, 2.0], "f4"), fScaleFactor=np.full(2, 3e-39))
    path = write(tmp_path / "f", columns)
    assert io.read(path).weight.tolist() == [0.5, 2.0]
    assert io.read(path, final_state_only=False).scale_factor.tolist() == [3e-39] * 2
    assert io.inspect(path).details["fScaleFactor"].startswith("3e-39 ")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (flat_tree(pdg=None), "the tree `FlatTree_VARS` lacks the branches pdg$"),
        (flat_tree(Mode=np.array([1, 1234], "i4")), "entry 1: Mode = 1234, must be from -99 to 99"),
        (flat_tree(E=jagged([[1.5, 1.25], [1.5]])), r"entry 1: .* pdg and E .* length \(2 and 1\)"),
    ],
)
def test_unlike_nuisance(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        io.read(write(tmp_path / "f", columns))


def test_agrees_with_gst(nuisance_file: Path) -> None:
    # the packaged sample holds the same events
    import forefold

    flat = io.read(nuisance_file)
    gst = io.read(forefold.sample(), entries="0:60")
    for name in ("entry", "probe", "target", "weight", "cc", "nc"):
        assert flat[name].tolist() == gst[name].tolist(), name
    # multi-pion events are a mode of their own in NEUT
    same = np.flatnonzero(
        flat.process_id.to_numpy() // 50 % 2 == gst.process_id.to_numpy() // 50 % 2
    )
    assert len(same) == 60
    real = flat.particles[flat.particles.pdgid != 2000000101]
    assert real.pdgid.tolist() == gst.particles.pdgid.tolist()
    for name in MOMENTUM:
        off = abs(real[name] - gst.particles[name])
        assert ak.all(off <= HALF_ULP * abs(gst.particles[name])), name
        off = abs(flat.probe_momentum[name] - gst.probe_momentum[name])
        assert ak.all(off <= HALF_ULP * abs(gst.probe_momentum[name])), name


def test_initial_state(nuisance_file: Path) -> None:
    final, whole = io.read(nuisance_file), io.read(nuisance_file, final_state_only=False)
    kept = whole.particles[whole.particles.status == 1]
    assert kept.tolist() == final.particles.tolist()
    initial = whole.particles[whole.particles.status == 0]
    assert initial.pdgid.tolist() == [[14, 1000180400]] * 60
    struck = whole.particles[whole.particles.status == 11]
    assert set(ak.flatten(struck.pdgid).tolist()) <= {
        2112,
        2212,
        2000000200,
        2000000201,
        2000000300,
    }


def test_describe(nuisance_file: Path) -> None:
    found = io.inspect(nuisance_file)
    assert found.format == "NUISANCE flat tree"
    assert found.events == 60


def total(path: str) -> CrossSection | None:
    return READER.describe(path).cross_section


def test_cross_section(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "Mode": np.array([1, 1], "i4"),
        "PDGnu": np.array([14, 14], "i4"),
        "fScaleFactor": np.full(2, 1e-42),
        "Weight": np.array([1.0, 3.0], "f4"),
    }
    found = total(write_tree(tmp_path / "a", columns, "FlatTree_VARS"))
    assert found is not None
    assert (found.unit, found.target_scale) == ("pb", "PerNucleon")
    assert found.value == pytest.approx(4e-6, rel=1e-14)
    del columns["Weight"]
    found = total(write_tree(tmp_path / "b", columns, "FlatTree_VARS"))
    assert found is not None
    assert found.value == pytest.approx(2e-6, rel=1e-14)
    columns["fScaleFactor"] = np.array([1e-42, 2e-42])  # files of several runs in one
    assert total(write_tree(tmp_path / "c", columns, "FlatTree_VARS")) is None
    columns["fScaleFactor"] = np.array([np.nan, np.nan])
    assert total(write_tree(tmp_path / "d", columns, "FlatTree_VARS")) is None
