"""What NuHepMC 1.0.0 requires (arXiv:2310.13211; NuHepMC/Spec), number by number, of what forefold writes.

The reference library reads the files. Numbers are those of 1.0.0: 0.9 had others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import pyhepmc
import pytest

import forefold
from forefold.io.provenance import UNKNOWN
from forefold.workflows.stream import smear_files

GENIE, ACHILLES = "genie_numu_Ar40_300", "achilles_numu_Ar40_20"
# what the input says of its cross-section, and who made it
INPUTS = {
    f"{GENIE}.gst.root": (None, [("GENIE", UNKNOWN)]),
    f"{GENIE}.ghep.root": (None, [("GENIE", "3.06.02")]),
    f"{GENIE}.hepmc3.gz": ((1.18456922, 0.0487481547, "pb", "PerAtom"), [("GENIE", "3.06.02")]),
    f"{ACHILLES}.hepmc3.gz": (
        (0.145047473, 0.0288073353, "pb", "PerAtom"),
        [("Achilles", "0.3.0")],
    ),
    "nuisance_genie_numu_Ar40_60.root": (
        (60 * 5.54294965e-6, None, "pb", "PerNucleon"),  # fScaleFactor, which is in cm2
        [("unknown generator", UNKNOWN), ("NUISANCE", UNKNOWN)],
    ),
}
WAYS = ("smear", "convert", "convert --all")


@dataclass
class Output:
    """A file that was written, as the library reads it."""

    run: Any
    facts: dict[str, str]
    events: list[Any]
    truth: ak.Array
    way: str
    total: tuple[float, float | None, str, str] | None
    tools: list[tuple[str, str]]

    def ids(self, what: str) -> set[int]:
        return {int(word) for word in self.facts[f"NuHepMC.{what}"].split()}

    def described(self, what: str) -> set[int]:
        """Numbers of a list, each of which has a name and a description."""
        found = self.ids(f"{what}IDs")
        for number in found:
            for part in ("Name", "Description"):
                assert self.facts[f"NuHepMC.{what}Info[{number}].{part}"].strip()
        return found


@pytest.fixture(scope="module", params=[f"{way}: {name}" for name in INPUTS for way in WAYS])
def output(
    request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Output:
    way, name = request.param.split(": ")
    out = tmp_path_factory.mktemp("nuhepmc") / "out.hepmc3"
    if way == "smear":
        smear_files(data / name, "nusmear-dune-cdr", out, rng=1, entries="0:40")
    else:
        forefold.convert(data / name, out, final_state_only=way == "convert", entries="0:40")
    with pyhepmc.open(out) as file:
        found = list(file)
    run = found[0].run_info
    facts = {key: str(value) for key, value in run.attributes.items()}
    truth = forefold.read(data / name, entries="0:40")
    return Output(run, facts, found, truth, way, *INPUTS[name])


def gr1(out: Output) -> None:
    """There is run information."""
    assert out.run is not None
    assert len(out.events) == len(out.truth)


def gr2(out: Output) -> None:
    """It names the version."""
    parts = ("Major", "Minor", "Patch")
    assert [int(out.facts[f"NuHepMC.Version.{part}"]) for part in parts] == [1, 0, 0]


def gr3(out: Output) -> None:
    """It names every program involved, and its version."""
    found = [(tool.name, tool.version) for tool in out.run.tools]
    assert found == [*out.tools, ("forefold", forefold.__version__)]
    assert all(name and version for name, version in found)


def gr4(out: Output) -> None:
    """It names the conventions that are followed, and these are."""
    found = out.facts["NuHepMC.Conventions"].split()
    timed = {len(str(event.attributes["lab_pos"]).split()) for event in out.events} == {4}
    assert set(found) == {
        "E.C.1",
        "G.S.2",
        *(["G.C.2"] if out.total else []),
        *(["E.C.5"] if timed else []),
    }
    assert len(found) == len(set(found))
    said = str(out.truth.source[0]).endswith((".ghep.root", ".hepmc3.gz"))
    assert timed == (said and out.way == "convert --all")


def gr5(out: Output) -> None:
    """It has the flux-averaged total cross-section, unless the input does not say it: then it says so."""
    name, said = "NuHepMC.FluxAveragedTotalCrossSection", out.facts["forefold.cross_section"]
    if out.total is None:
        assert name not in out.facts
        assert said.startswith("unknown: the input does not say it; so")
        assert "G.R.5 is not met" in said
        return
    value, spread, _, _ = out.total
    assert float(out.facts[name]) == pytest.approx(value, rel=1e-8)
    if spread is None:
        assert f"{name}Uncertainty" not in out.facts
    else:
        assert float(out.facts[f"{name}Uncertainty"]) == spread
    assert said.startswith("of the input: ")


def gr6(out: Output) -> None:
    """It has the unit of cross-sections, and of what."""
    unit, scale = (out.facts[f"NuHepMC.Units.CrossSection.{x}"] for x in ("Unit", "TargetScale"))
    assert (unit, scale) == (out.total[2:] if out.total else ("pb", "PerAtom"))


def gr7(out: Output) -> None:
    """The weight CV is declared and filled."""
    assert out.run.weight_names == ["CV"]
    assert [event.weights for event in out.events] == [[w] for w in out.truth.weight.tolist()]


def gr8(out: Output) -> None:
    """Processes are listed, each with name and description."""
    assert out.described("Process") == set(out.truth.process_id.tolist())


def gr9(out: Output) -> None:
    """So are statuses of vertices."""
    used = {vertex.status for event in out.events for vertex in event.vertices}
    assert used <= out.described("VertexStatus")


def gr10(out: Output) -> None:
    """So are statuses of particles."""
    used = {particle.status for event in out.events for particle in event.particles}
    assert used <= out.described("ParticleStatus")


def gr11(out: Output) -> None:
    """Numbers that are not PDG's are declared, each with a name of its own."""
    odd = out.ids("AdditionalParticleNumbers")
    used = {particle.pid for event in out.events for particle in event.particles}
    assert {pid for pid in used if pid == 0 or abs(pid) >= 2_000_000_000} == odd
    names = [out.facts[f"NuHepMC.AdditionalParticleNumber[{pid}].Name"] for pid in odd]
    assert all(names)
    assert len(set(names)) == len(odd)


def er1(out: Output) -> None:
    """Events are such as HepMC3 allows: vertices join what comes in to what goes out."""
    for event in out.events:
        for vertex in event.vertices:
            assert vertex.particles_in
            assert vertex.particles_out
        for particle in event.particles:
            if particle.status not in (4, 20):
                assert particle.production_vertex.id < 0
            assert all(map(math.isfinite, (particle.momentum.e, particle.momentum.pz)))


def er2(out: Output) -> None:
    """Numbers are unique and not negative."""
    numbers = [event.event_number for event in out.events]
    assert min(numbers) >= 0
    assert len(set(numbers)) == len(numbers)


def er3(out: Output) -> None:
    """Every event has its process."""
    found = [int(str(event.attributes["signal_process_id"])) for event in out.events]
    assert found == out.truth.process_id.tolist()


def er4(out: Output) -> None:
    """Every event has units."""
    for event in out.events:
        assert event.momentum_unit == pyhepmc.Units.GEV
        assert event.length_unit == pyhepmc.Units.MM


def er5(out: Output) -> None:
    """Every event has a place."""
    for event in out.events:
        place = [float(word) for word in str(event.attributes["lab_pos"]).split()]
        assert len(place) in (3, 4)
        assert place == [0.0] * len(place)  # none of these inputs has a geometry


def er6(out: Output) -> None:
    """Every event has one primary vertex, and none without status."""
    for event in out.events:
        states = [vertex.status for vertex in event.vertices]
        assert states.count(1) == 1
        assert 0 not in states


def er7(out: Output) -> None:
    """Every event has one beam particle and one target: those of the input."""
    for i, event in enumerate(out.events):
        (beam,) = [particle for particle in event.particles if particle.status == 4]
        (target,) = [particle for particle in event.particles if particle.status == 20]
        assert (beam.pid, target.pid) == (out.truth.probe[i], out.truth.target[i])


def er8(out: Output) -> None:
    """Every particle that comes in or goes out is there."""
    found = [[p.pid for p in event.particles if p.status == 1] for event in out.events]
    if out.way == "convert --all":  # in the order of the whole record
        assert [sorted(row) for row in found] == ak.sort(out.truth.particles.pdgid).tolist()
    else:
        assert found == out.truth.particles.pdgid.tolist()


def er9(out: Output) -> None:
    """Momenta are those of the lab."""
    for i, event in enumerate(out.events):
        found = sorted(p.momentum.pz for p in event.particles if p.status == 1)
        assert found == sorted(out.truth.particles.pz[i].tolist())
        (beam,) = [particle for particle in event.particles if particle.status == 4]
        assert beam.momentum.pz == out.truth.probe_momentum.pz[i]


def vr1(out: Output) -> None:
    """Statuses of vertices: 1, 2, or from 21 to 999."""
    found = {vertex.status for event in out.events for vertex in event.vertices}
    assert all(status in (1, 2) or 21 <= status <= 999 for status in found)
    assert found <= ({1, 201} if out.way == "smear" else {1})


def pr1(out: Output) -> None:
    """Statuses of particles: 1 to 4, 20, or from 21; what comes out of a detector has 201."""
    found = {particle.status for event in out.events for particle in event.particles}
    assert all(status in (1, 2, 3, 4, 20) or status >= 21 for status in found)
    assert found <= {1, 4, 20, {"smear": 201, "convert --all": 100}.get(out.way, 1)}


REQUIREMENTS: dict[str, Callable[[Output], None]] = {
    "G.R.1": gr1,
    "G.R.2": gr2,
    "G.R.3": gr3,
    "G.R.4": gr4,
    "G.R.5": gr5,
    "G.R.6": gr6,
    "G.R.7": gr7,
    "G.R.8": gr8,
    "G.R.9": gr9,
    "G.R.10": gr10,
    "G.R.11": gr11,
    "E.R.1": er1,
    "E.R.2": er2,
    "E.R.3": er3,
    "E.R.4": er4,
    "E.R.5": er5,
    "E.R.6": er6,
    "E.R.7": er7,
    "E.R.8": er8,
    "E.R.9": er9,
    "V.R.1": vr1,
    "P.R.1": pr1,
}


@pytest.mark.parametrize("number", REQUIREMENTS)
def test_requirement(output: Output, number: str) -> None:
    REQUIREMENTS[number](output)


def test_positions_are_millimetres_and_seconds(tmp_path: Path) -> None:
    from forefold import events
    from forefold.io.write import open_writer

    place = {"vertex_x": [1.5], "vertex_y": [-0.25], "vertex_z": [40.0], "vertex_t": [2e-6]}
    record = events.build(
        counts=[1], pdgid=[13], status=[1], px=[0.0], py=[0.0], pz=[1.0], energy=[1.1], event=[3],
        entry=[0], weight=1.0, process_id=200, probe=14, target=1000180400, source="here", stream=1,
        probe_momentum=[[0.0], [0.0], [2.0], [2.0]], event_fields=place,
    )  # fmt: skip
    out = tmp_path / "out.hepmc3"
    with open_writer(out, provenance={}, content="events") as writer:
        writer.write(record)
    with pyhepmc.open(out) as file:
        (event,) = list(file)
    found = [float(word) for word in str(event.attributes["lab_pos"]).split()]
    assert found == [1500.0, -250.0, 40000.0, 2e-6]
    tool = event.run_info.tools[0]
    assert (tool.name, tool.version) == ("unknown", UNKNOWN)


def test_the_document_has_what_the_input_says(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.hepmc3"
    forefold.convert(data / f"{GENIE}.hepmc3.gz", out, entries="0:1")
    with pyhepmc.open(out) as file:
        run = next(iter(file)).run_info
    (origin,) = json.loads(str(run.attributes["forefold.document"]))["provenance"]["inputs"]
    assert origin["tools"] == [["GENIE", "3.06.02", "-1"]]
    assert origin["cross_section"]["value"] == 1.18456922


@pytest.mark.parametrize(
    ("place", "length", "back"),
    [
        ("lab_pos 150 -25 4000 2e-06", "CM", [1500.0, -250.0, 40000.0, 2e-6]),
        ("LabPos 150 -25 4000", "CM", [1500.0, -250.0, 40000.0]),
        ("lab_pos 1500 -250 40000", "MM", [1500.0, -250.0, 40000.0]),
        ("lab_pos 1 2", "MM", [0.0] * 3),
        ("lab_pos here or there", "MM", [0.0] * 3),
        ("elsewhere 1 2 3", "MM", [0.0] * 3),
    ],
)
def test_positions_of_nuhepmc_stay(
    tmp_path: Path, place: str, length: str, back: list[float]
) -> None:
    path, out = tmp_path / "in.hepmc3", tmp_path / "out.hepmc3"
    run = "".join(f"A NuHepMC.Version.{x}\n" for x in ("Major 1", "Minor 0", "Patch 0"))
    path.write_text(
        f"HepMC::Version 3.03.01\nHepMC::Asciiv3-START_EVENT_LISTING\nW CV\n{run}"
        f"E 0 1 3\nU GEV {length}\nW 1\nA 0 signal_process_id 200\nA 0 {place}\n"
        "P 1 0 14 0 0 2 2 0 4\nP 2 0 1000180400 0 0 0 37.2 37.2 20\nV -1 1 [1,2]\n"
        "P 3 -1 13 0 0 1 1.0056 0.1057 1\nHepMC::Asciiv3-END_EVENT_LISTING\n"
    )
    forefold.convert(path, out, final_state_only=False)
    with pyhepmc.open(out) as file:
        (event,) = list(file)
    assert [float(word) for word in str(event.attributes["lab_pos"]).split()] == back
    conventions = str(event.run_info.attributes["NuHepMC.Conventions"]).split()
    assert ("E.C.5" in conventions) == (len(back) == 4)
    assert "vertex_x" not in forefold.read(path).fields
