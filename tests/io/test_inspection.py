"""What `inspect` finds in a file."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from forefold import io
from forefold.io.inspection import Inspection, inspect_file


def listing(path: Path, events: list[tuple[int, float]]) -> str:
    """Write events of given process and weight, without probe or target."""
    lines = ["HepMC::Version 3.03.01", "HepMC::Asciiv3-START_EVENT_LISTING", "W CV"]
    lines.append("A NuHepMC.Version.Major 1")
    for number, (process_id, weight) in enumerate(events):
        lines += [f"E {number} 0 1", "U GEV MM", f"W {weight}"]
        lines += [f"A 0 signal_process_id {process_id}", "P 1 0 13 0 0 1 1.1 0.1 1"]
    path.write_text("\n".join([*lines, "HepMC::Asciiv3-END_EVENT_LISTING", ""]))
    return str(path)


def shown(found: Inspection) -> str:
    """What a terminal shows."""
    console = Console(width=100, file=StringIO())
    with console.capture() as capture:
        console.print(found)
    return capture.get()


def test_gst(gst_file: Path) -> None:
    found = io.inspect(gst_file)
    assert (found.format, found.events, found.path) == ("GENIE gst", 300, str(gst_file))
    assert found.details == {"branches": "99 as in GENIE 3.06"}
    assert [(beam.pdgid, beam.count) for beam in found.beams] == [(14, 300)]
    assert 0.2 <= (found.beams[0].energy_min or 0) < (found.beams[0].energy_mean or 0)
    assert (found.beams[0].energy_max or 99) <= 10.0
    assert [(t.pdgid, t.name, t.count) for t in found.targets] == [(1000180400, "Ar40", 300)]
    assert sum(process.count for process in found.processes) == 300
    assert sum(process.fraction for process in found.processes) == pytest.approx(1.0)
    assert found.processes[1].name == "quasielastic CC"
    assert found.weights.equal
    assert found.weights.sum == 300.0
    record = io.read(gst_file)
    muons = record.particles[record.particles.pdgid == 13].energy
    (muon,) = (kind for kind in found.particles if kind.pdgid == 13)
    assert muon.count == np.sum([len(row) for row in muons])
    assert muon.energy_mean == pytest.approx(np.mean([e for row in muons for e in row]))
    counts = [kind.count for kind in found.particles]
    assert counts == sorted(counts, reverse=True)


def test_genie_hepmc(gst_file: Path, genie_hepmc_file: Path) -> None:
    gst, hepmc = io.inspect(gst_file), io.inspect(genie_hepmc_file)
    assert hepmc.format == "NuHepMC 0.9.0"
    assert hepmc.generator == ("GENIE 3.06.02",)
    assert hepmc.details["tune"] == "G18_02a_00_000"
    assert hepmc.beams == gst.beams
    assert [p.count for p in hepmc.processes] == [p.count for p in gst.processes]
    assert [p.current for p in hepmc.processes] == [p.current for p in gst.processes]
    assert hepmc.processes[0].name == "COH-Weak[CC]"


def test_achilles(achilles_hepmc_file: Path) -> None:
    found = io.inspect(achilles_hepmc_file)
    assert found.format == "NuHepMC 1.0.0"
    assert found.generator == ("Achilles 0.3.0",)
    assert found.events == 20
    assert found.weights.sum == pytest.approx(float(np.sum(io.read(achilles_hepmc_file).weight)))


def test_pieces_change_nothing(gst_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = io.inspect(gst_file)
    monkeypatch.setattr(
        "forefold.io.inspection.Source", lambda name, **_: io.Source(name, chunk=70)
    )
    seen: list[tuple[float | None, int]] = []
    pieces = inspect_file(gst_file, progress=lambda *now: seen.append(now))
    assert [count for _, count in seen] == [70, 140, 210, 280, 300]
    assert pieces.processes == whole.processes
    assert pieces.targets == whole.targets
    assert [p.count for p in pieces.particles] == [p.count for p in whole.particles]


def test_json(gst_file: Path, tmp_path: Path) -> None:
    for path in (gst_file, listing(tmp_path / "toy", [(200, 1.0)])):
        found = io.inspect(path)
        again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert again["events"] == found.events
        assert again["beams"][0]["name"] == found.beams[0].name


def test_text(gst_file: Path) -> None:
    found = io.inspect(gst_file)
    for text in (str(found), shown(found)):
        for word in (str(gst_file.name), "GENIE gst", "Ar40", "quasielastic CC", "mu-"):
            assert word in text
        assert "GeV" in text
    assert not any(line != line.rstrip() for line in str(found).splitlines())


def test_weights_and_currents(tmp_path: Path) -> None:
    chosen = [(703, 0.0), (-200, 0.5), (0, 0.0), (0, 1.5)]
    found = io.inspect(listing(tmp_path / "toy", chosen))
    names = {process.process_id: process.name for process in found.processes}
    assert names == {703: "neutrino-lepton", -200: "quasielastic EM", 0: "unknown"}
    assert {p.process_id: p.fraction for p in found.processes} == {703: 0.0, -200: 0.25, 0: 0.75}
    assert not found.weights.equal
    assert "0 to 1.5" in str(found)


def test_weights_that_cancel(tmp_path: Path) -> None:
    found = io.inspect(listing(tmp_path / "toy", [(200, 1.0), (200, -1.0)]))
    assert found.processes[0].fraction == 0.0


def test_one_file_only(gst_file: Path) -> None:
    with pytest.raises(ValueError, match="matches 3 files, give one"):
        io.inspect(str(gst_file.parent / "genie*300.g*"))
