"""The event record: made by hand, joined, checked."""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forefold import events

FIELDS = {
    "event": "int64",
    "entry": "int64",
    "stream": "uint64",
    "process_id": "int32",
    "cc": "?bool",
    "nc": "?bool",
    "weight": "float64",
    "probe": "int64",
    "target": "int64",
    "source": "string",
}


def toy(**changes: Any) -> ak.Array:
    """Two events: a muon with a proton, and a bindino."""
    arguments: dict[str, Any] = {
        "counts": [2, 1],
        "pdgid": [13, 2212, 2000000101],
        "px": [0.1, 0.2, 0.0],
        "py": 0.0,
        "pz": [1.0, 0.4, 0.1],
        "energy": [1.01, 1.04, 0.02],
    }
    return events.build(**(arguments | changes))


def test_types() -> None:
    record = toy()
    for name, kind in FIELDS.items():
        assert str(record[name].type.content) == kind, name
    assert record.particles.layout.purelist_parameter("__record__") == "Momentum4D"
    assert record.probe_momentum.layout.purelist_parameter("__record__") == "Momentum4D"
    assert record.particles.fields == ["pdgid", "status", "px", "py", "pz", "energy"]
    assert str(record.particles.status.type) == "2 * var * int32"


def test_four_vectors() -> None:
    record = toy(probe_momentum=(0.0, 3.0, 4.0, 5.0))
    assert record.particles.pt[0, 0] == pytest.approx(0.1)
    assert record.particles.theta[0, 1] == pytest.approx(math.atan2(0.2, 0.4))
    assert record.particles.mass[0, 0] == pytest.approx(math.sqrt(1.01**2 - 1.01))
    assert record.probe_momentum.theta.tolist() == pytest.approx([math.atan2(3.0, 4.0)] * 2)


def test_defaults() -> None:
    record = toy()
    assert record.event.tolist() == record.entry.tolist() == [0, 1]
    assert record.cc.tolist() == record.nc.tolist() == [None, None]
    assert record.weight.tolist() == [1.0, 1.0]
    assert record.stream.tolist() == record.target.tolist() == [0, 0]
    assert record.source.tolist() == ["memory", "memory"]
    assert np.isnan(ak.to_numpy(record.probe_momentum.energy)).all()
    assert ak.all(record.particles.status == events.FINAL_STATE)


@pytest.mark.parametrize(
    "how",
    [
        {"counts": [2, 1]},
        {"counts": None, "offsets": [0, 2, 3]},
        {"counts": None, "pdgid": [[13, 2212], [2000000101]]},
        {"counts": None, "pdgid": ak.Array([[13, 2212], [2000000101]])},
        {"counts": None, "pdgid": ([13, 2212], [2000000101]), "pz": [[1.0, 0.4], [0.1]]},
    ],
)
def test_ways_to_say_where_events_end(how: dict[str, Any]) -> None:
    assert toy(**how).tolist()[0]["particles"] == toy().tolist()[0]["particles"]


def test_regular_arrays() -> None:
    record = events.build(pdgid=np.full((3, 2), 211), px=0.0, py=0.0, pz=1.0, energy=1.01)
    assert ak.num(record.particles).tolist() == [2, 2, 2]


def test_one_particle_an_event() -> None:
    assert len(events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0], energy=3.0)) == 2
    assert len(events.build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=3.0)) == 1


def test_no_particles_and_no_events() -> None:
    empty: list[float] = []
    none = events.build(counts=[0, 0], pdgid=empty, px=empty, py=empty, pz=empty, energy=empty)
    assert ak.num(none.particles).tolist() == [0, 0]
    nothing = events.build(counts=empty, pdgid=empty, px=0, py=0, pz=0, energy=0, cc=[])
    assert len(nothing) == 0
    events.check(none)
    events.check(nothing)


@pytest.mark.parametrize(
    "flags",
    [
        [True, None],
        ak.Array([True, None]),
        np.ma.masked_array([True, False], [False, True]),
    ],
)
def test_unknown_currents(flags: Any) -> None:
    assert toy(cc=flags, nc=False).cc.tolist() == [True, None]
    assert toy(cc=flags, nc=False).nc.tolist() == [False, False]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"px": [0.0, 1.0]}, r"px has shape \(2,\), must be a scalar or of shape \(3,\)"),
        ({"weight": [1.0]}, r"weight has shape \(1,\)"),
        ({"pdgid": [13.0, 2212.0, 22.0]}, "pdgid holds float64 values, must be whole numbers"),
        ({"energy": ["a", "b", "c"]}, "energy holds <U1 values, must be numbers"),
        ({"stream": -1}, "stream has values from -1 to -1, beyond the range of uint64"),
        ({"process_id": 2**40}, "process_id has values from 1099511627776"),
        ({"offsets": [0, 2, 3]}, "counts or offsets, not both"),
        ({"counts": None, "offsets": [1, 3]}, "offsets must start at 0"),
        ({"counts": None, "offsets": [0, 2, 1]}, "not decrease"),
        ({"counts": [4, -1]}, "counts must not be negative"),
        ({"counts": [1, 2], "pdgid": [[13, 2212], [22]]}, "pdgid has another number of particles"),
        ({"cc": [1, 2, 3]}, r"cc has shape \(3,\) and type bool"),
        ({"cc": np.array([1, 0])}, r"cc has shape \(2,\) and type int64, must be booleans"),
        ({"probe_momentum": (0.0, 1.0)}, "probe_momentum has 2 components"),
        ({"probe_momentum": (0.0, 0.0, 1.0, [1.0])}, "probe_momentum's energy has shape"),
    ],
)
def test_build_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        toy(**changes)


def test_largest_stream() -> None:
    assert toy(stream=2**64 - 1).stream.tolist() == [2**64 - 1] * 2


def test_concatenate_keeps_sources() -> None:
    joined = events.concatenate([toy(source="a"), toy(source="b")[1:], toy(source="a")])
    assert joined.source.tolist() == ["a", "a", "b", "a", "a"]
    assert joined[[4, 2]].source.tolist() == ["a", "b"]
    assert joined.particles.pt.ndim == 2
    assert joined.cc.tolist() == [None] * 5
    with pytest.raises(ValueError, match="no event records"):
        events.concatenate([])


def test_source_is_shared() -> None:
    record = events.build(pdgid=[13] * 1000, px=0, py=0, pz=1, energy=2, source="x" * 1000)
    assert record.source.layout.content.length == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"py": [0.0, math.nan, 0.0]},
            r"^memory: entry 0 \(event 7\), particle 1 \(pdgid 2212\): py = nan, must be a finite",
        ),
        ({"px": [math.inf, 0.0, 0.0]}, r"particle 0 \(pdgid 13\): px = inf"),
        (
            {"counts": [0, 3], "energy": [-0.5, 1.0, 1.0]},
            r"entry 1 \(event 9\), particle 0 .*energy = -0.5 GeV, must not be negative",
        ),
        ({"weight": [1.0, math.nan]}, r"entry 1 \(event 9\): weight = nan"),
        (
            {"probe_momentum": (0.0, 0.0, math.inf, 1.0)},
            r"entry 0 \(event 7\): probe momentum .* = \(0, 0, inf, 1\), must be four finite",
        ),
    ],
)
def test_check_refuses(changes: dict[str, Any], message: str) -> None:
    record = toy(event=[7, 9], **changes)
    with pytest.raises(ValueError, match=message):
        events.check(record)


def test_check_names_what_it_is_told() -> None:
    with pytest.raises(ValueError, match=r"^run\.root: entry 0"):
        events.check(toy(px=math.nan), "run.root")


def test_check_works_on_slices() -> None:
    record = toy(energy=[1.0, 1.0, 1.0], pdgid=[13, 13, 13], px=[0.0, 0.0, math.nan])
    events.check(record[:1])
    with pytest.raises(ValueError, match=r"entry 1 \(event 1\), particle 0"):
        events.check(record[[0, 1]])


def test_check_lets_pseudo_particles_be_odd() -> None:
    events.check(toy(energy=[1.0, 1.0, -0.02], px=[0.0, 0.0, math.nan]))
    events.check(toy(energy=[1.0, -1.0, 1.0], status=[1, 14, 1]))


def test_pseudo_particles() -> None:
    ids = [81, 100, -92, 2000000002, 2009900000, -2000010000]
    assert events.is_pseudo_particle(ids).all()
    assert not events.is_pseudo_particle([13, 80, 101, 2212, 1000180400, -1000060120]).any()


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=4), max_size=6))
def test_what_goes_in_comes_out(lists: list[list[float]]) -> None:
    counts = [len(part) for part in lists]
    flat = np.array([value for part in lists for value in part], dtype=np.float64)
    record = events.build(counts=counts, pdgid=211, px=flat, py=-flat, pz=2 * flat, energy=1e7)
    assert record.particles.px.tolist() == lists
    assert ak.num(record.particles).tolist() == counts
    events.check(record)


def test_additional_fields() -> None:
    record = events.build(
        pdgid=[[13, 2212], [211]],
        px=0.0,
        py=0.0,
        pz=1.0,
        energy=1.5,
        event_fields={"Q2": [0.5, 0.7], "charm": [True, False]},
        particle_fields={"first_mother": [0, 0, 1]},
    )
    assert record.Q2.tolist() == [0.5, 0.7]
    assert record.charm.tolist() == [True, False]
    assert record.particles.first_mother.tolist() == [[0, 0], [1]]
    with pytest.raises(ValueError, match="px is a field of every record"):
        events.build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.5, particle_fields={"px": [1.0]})
    with pytest.raises(ValueError, match="Q2 has shape"):
        events.build(pdgid=13, px=0.0, py=0.0, pz=1.0, energy=1.5, event_fields={"Q2": [1.0, 2.0]})


@pytest.mark.parametrize("pdgid", [3_000_000_000, -(2**40), 2**62])
def test_numbers_that_are_no_pdg_id(pdgid: int) -> None:
    wrong = events.build(pdgid=[[13], [pdgid]], px=0.0, py=0.0, pz=1.0, energy=1.5)
    with pytest.raises(ValueError, match=rf"entry 1 .*particle 0: pdgid = {pdgid}, must be from"):
        events.check(wrong)
    assert events.faulty(wrong).tolist() == [False, True]


def test_faulty_is_what_check_refuses() -> None:
    wrong = events.build(
        pdgid=13, px=0.0, py=0.0, pz=[1.0, 1.0], energy=1.5, probe_momentum=(0, 0, 2, [2, -2])
    )
    assert events.faulty(wrong).tolist() == [False, True]


def test_table_with_a_number_beyond_all_types() -> None:
    with pytest.raises(ValueError, match="event"):
        events.from_table(
            {
                "event": [2**63],
                "pdgid": [13],
                "px": [0.0],
                "py": [0.0],
                "pz": [1.0],
                "energy": [1.1],
            }
        )
