"""What hurried use would take silently: other units, rows apart, names of columns, masks, shared draws, degrees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_runs import Run
from numpy.typing import NDArray
from small_card import GOOD
from small_card import write as write_card

import forefold
from forefold import ResponseMatrix, events
from forefold.events.masses import misfit
from forefold.events.repeats import Repeats
from forefold.events.selection import Selection
from forefold.inference.card_fit import Migration, Pairs

MASS = {
    13: 0.1056583755,
    -211: 0.13957039,
    2212: 0.93827208943,
    11: 0.00051099895,
    1000180400: 37.22,
}


def beam(pdgid: int, low: float, high: float, n: int = 200) -> tuple[NDArray[Any], dict[str, Any]]:
    rng = np.random.default_rng(abs(pdgid))
    p = rng.uniform(low, high, n)
    cosine, phi = rng.uniform(-1, 1, n), rng.uniform(0, 6, n)
    sine = np.sqrt(1 - cosine**2)
    three = {"px": p * sine * np.cos(phi), "py": p * sine * np.sin(phi), "pz": p * cosine}
    return np.full(n, pdgid), three | {"energy": np.hypot(p, MASS[pdgid])}


@pytest.mark.parametrize("pdgid", [11, 13, -211, 2212, 1000180400])
@pytest.mark.parametrize(("low", "high"), [(0.0, 0.01), (0.2, 3.0), (50.0, 5000.0)])
@pytest.mark.parametrize("digits", [3, 5, 7, 17])
def test_energies_in_gev_are_not_doubted(pdgid: int, low: float, high: float, digits: int) -> None:
    """Also not where a table has so few digits that nothing is left of the mass."""
    ids, momentum = beam(pdgid, low, high)
    few = {
        name: np.array([float(f"{x:.{digits}g}") for x in column])
        for name, column in momentum.items()
    }
    assert misfit(ids, few) is None


@pytest.mark.parametrize("pdgid", [11, 13, -211, 2212])
@pytest.mark.parametrize(("unit", "factor"), [("MeV", 1e3), ("keV", 1e6), ("TeV", 1e-3)])
def test_another_unit(pdgid: int, unit: str, factor: float) -> None:
    ids, momentum = beam(pdgid, 0.0, 2.0)
    other = {name: column * factor for name, column in momentum.items()}
    words = misfit(ids, other)
    assert words is not None
    assert f"seem to be in {unit}: sqrt(E^2 - p^2) is {factor:g} times" in words
    other["energy"] = (momentum["energy"] - MASS[pdgid]) * factor
    words = misfit(ids, other)
    assert words is not None
    assert f"seem to be kinetic and in {unit}" in words


def test_energies_of_nothing_are_in_no_unit() -> None:
    ids, momentum = beam(13, 0.5, 2.0)
    assert misfit(ids, momentum | {"energy": np.zeros(200)}) is None


def test_half_of_the_particles_are_most() -> None:
    ids, momentum = beam(2212, 0.1, 4.0)
    for share, said in ((90, False), (110, True)):
        factor = np.where(np.arange(200) < share, 1e3, 1.0)
        mixed = {name: column * factor for name, column in momentum.items()}
        assert (misfit(ids, mixed) is not None) == said


def test_kinetic_energies() -> None:
    ids, momentum = beam(2212, 0.1, 4.0)
    kinetic = momentum | {"energy": momentum["energy"] - MASS[2212]}
    assert "seem to be kinetic: E is" in (misfit(ids, kinetic) or "")
    half = momentum | {
        "energy": np.where(np.arange(200) < 90, kinetic["energy"], momentum["energy"])
    }
    assert misfit(ids, half) is None


def test_photons_say_nothing_of_units() -> None:
    _, momentum = beam(11, 0.5, 500.0)
    assert (
        misfit(np.full(200, 22), {name: 1e3 * column for name, column in momentum.items()}) is None
    )
    assert misfit(np.zeros(0, dtype=np.int64), {name: np.zeros(0) for name in momentum}) is None


def test_memory_and_tables_are_doubted_alike(tmp_path: Path, run: Run) -> None:
    ids, momentum = beam(13, 0.2, 2.0, 30)
    mev = {name: 1e3 * column for name, column in momentum.items()}
    record = events.build(pdgid=ids, **mev)
    with pytest.warns(UserWarning, match=r"^memory: .* seem to be in MeV"):
        forefold.smear(record, "nusmear-default", rng=1, axis="z")
    table = tmp_path / "mev.csv"
    rows = zip(range(30), ids, *mev.values(), strict=True)
    lines = [",".join(map(repr, map(float, row))).replace(".0,", ",", 2) for row in rows]
    table.write_text("event,pdgid,px,py,pz,energy\n" + "\n".join(lines) + "\n")
    result = run(
        "smear",
        table,
        "-d",
        "nusmear-default",
        "--rng",
        1,
        "--axis",
        "z",
        "-q",
        "-o",
        tmp_path / "o.csv",
    )
    assert result.code == 0
    assert result.err.count("\n") == 1  # once, though it is read and smeared
    assert "seem to be in MeV" in result.err


def test_most_particles_off_shell(tmp_path: Path, run: Run) -> None:
    table = tmp_path / "off.csv"
    energies = (1.1, 0.99, 0.9, 0.97)
    rows = [f"{i},13,0,0,1,{energy}\n" for i, energy in enumerate(energies)]
    table.write_text("event,pdgid,px,py,pz,energy\n" + "".join(rows))
    result = run(
        "smear",
        table,
        "-d",
        "nusmear-default",
        "--rng",
        1,
        "--axis",
        "z",
        "-o",
        tmp_path / "o.parquet",
    )
    assert "off shell                   3   75.0 % (E below |p|: kinetic energies?)" in result.err
    again = run(
        "smear",
        table,
        "-d",
        "nusmear-default",
        "--rng",
        1,
        "--axis",
        "z",
        "-o",
        tmp_path / "w.parquet",
        "--workers",
        1,
    )
    assert "off shell                   3   75.0 %" in again.err


# ----- rows of one event that do not stand together


def test_numbers_that_come_again() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        numbers = Repeats()
        came: set[int] = set()
        for piece in rng.integers(0, 400, (12, 4)):
            first = None
            for number in piece.tolist():
                if number in came and first is None:
                    first = number
                came.add(number)
            assert numbers.add(piece) == first


def test_runs_of_numbers_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = Repeats()
    for start in range(0, 10**6, 1000):
        assert numbers.add(np.arange(start, start + 1000)) is None
    assert len(numbers._first) == 1
    monkeypatch.setattr("forefold.events.repeats._MOST", 10)
    assert numbers.add(np.arange(2_000_000, 2_000_100, 2)) is None
    assert len(numbers._first) == 10
    assert numbers.add([5]) is None  # forgotten
    assert numbers.add([2_000_098]) == 2_000_098


def rows(order: list[tuple[int, int]]) -> dict[str, Any]:
    momentum = 0.4
    return {
        "event": [event for event, _ in order],
        "pdgid": [pdgid for _, pdgid in order],
        "px": [0.0] * len(order),
        "py": [0.0] * len(order),
        "pz": [momentum] * len(order),
        "energy": [float(np.hypot(momentum, MASS[pdgid])) for _, pdgid in order],
    }


APART = [(4, 13), (5, 13), (6, 13), (4, 2212), (6, 2212)]
TOGETHER = [(6, 13), (6, 2212), (4, 13), (4, 2212), (5, 13)]


def csv_of(table: dict[str, Any], path: Path) -> Path:
    lines = [",".join(map(str, row)) for row in zip(*table.values(), strict=True)]
    path.write_text(",".join(table) + "\n" + "\n".join(lines) + "\n")
    return path


def parquet_of(table: dict[str, Any], path: Path) -> Path:
    pq.write_table(pa.table(table), path)
    return path


@pytest.mark.parametrize("write", [csv_of, parquet_of])
def test_rows_of_an_event_apart(
    write: Callable[[dict[str, Any], Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = r"event 4 comes again after other events: only neighbouring rows are one event"
    with pytest.warns(UserWarning, match=words):
        assert len(forefold.read(write(rows(APART), tmp_path / "t"))) == 5
    with pytest.warns(UserWarning, match=words):
        assert len(events.from_table(rows(APART))) == 5
    assert len(forefold.read(write(rows(TOGETHER), tmp_path / "u"))) == 3
    assert len(events.from_table(rows(TOGETHER))) == 3
    # a number that comes again in another block of rows, and in the part of another worker
    long = rows([(event, 13) for event in range(400)] + [(7, 2212)])
    monkeypatch.setattr("forefold.io.native.csv._BLOCK", 256)
    monkeypatch.setattr("forefold.io.native.parquet._ROWS", 16)
    with pytest.warns(UserWarning, match="event 7 comes again"):
        forefold.read(write(long, tmp_path / "v"), entries="390:")


def test_our_own_tables_of_several_files_are_right(
    gst_file: Path, ghep_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "both.csv"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forefold.convert([gst_file, ghep_file], out, entries="0:20")
        assert len(forefold.read(out)) == 40
        smeared = tmp_path / "smeared.csv"
        forefold.smear_files(
            [gst_file, ghep_file], "nusmear-default", smeared, rng=1, entries="0:20"
        )
        assert len(forefold.read_smeared(smeared)) == 40


# ----- columns that are not used


@pytest.mark.parametrize("name", ["Weight", "weights", "wght", "WGT", "evtwgt"])
@pytest.mark.parametrize("write", [csv_of, parquet_of])
def test_a_weight_of_another_name(
    write: Callable[[dict[str, Any], Path], Path], name: str, tmp_path: Path
) -> None:
    table = rows(TOGETHER) | {name: [2.0, 2.0, 3.0, 3.0, 4.0]}
    words = f"not used: the column {name} .name it 'weight' if it is that"
    with pytest.warns(UserWarning, match=words):
        forefold.read(write(table, tmp_path / "w"))
    with pytest.warns(UserWarning, match=words):
        events.from_table(table)
    table["weight"] = table.pop(name)
    assert forefold.read(write(table, tmp_path / "x")).weight.tolist() == [2.0, 3.0, 4.0]


def test_columns_of_lists_are_kept_and_named_only_where_they_look_like_one_that_is_lacking() -> (
    None
):
    lists = {
        name: [column[:2], column[2:]] for name, column in rows(TOGETHER).items() if name != "event"
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = events.from_table(lists | {"vertex_x": [0.5, 0.7], "mother": [[0, 1], [0, 1, 2]]})
    assert record.vertex_x.tolist() == [0.5, 0.7]
    with pytest.warns(UserWarning, match="not used: the column Weight"):
        events.from_table(lists | {"Weight": [0.5, 0.7]})
    with pytest.warns(UserWarning, match="not used: the columns remark, deep"):
        events.from_table(lists | {"remark": ["a", "b"], "deep": [[[1]], [[2]]]})


# ----- masks

HIDDEN = np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False])
THREE = [1.0, 2.0, 3.0]
MASKED: dict[str, Callable[[], Any]] = {
    "energy": lambda: events.build(pdgid=13, px=0.0, py=0.0, pz=THREE, energy=HIDDEN),
    "weight": lambda: events.build(pdgid=13, px=0.0, py=0.0, pz=THREE, energy=THREE, weight=HIDDEN),
    "length": lambda: events.build(pdgid=13, px=0.0, py=0.0, pz=THREE, energy=THREE, event_fields={"length": HIDDEN}),
    "pz": lambda: events.build(
        pdgid=[[13, 13], [13]], px=0.0, py=0.0, pz=ak.Array([[1.0, None], [2.0]]), energy=3.0
    ),
    "row 1: pz is missing": lambda: events.from_table(rows(TOGETHER) | {"pz": np.ma.masked_equal([1, 0, 2, 3, 4], 0)}),
    "a column": lambda: ResponseMatrix.from_columns(HIDDEN, THREE, true_axes="x=0:4:2"),
    "weight:": lambda: ResponseMatrix.from_columns(THREE, THREE, true_axes="x=0:4:2", weight=HIDDEN),
    "R": lambda: ResponseMatrix.from_array(np.ma.masked_less(np.eye(2), 0.5), [0, 1, 2], [0, 1, 2]),
    "efficiency": lambda: ResponseMatrix.from_array(
        np.eye(2), [0, 1, 2], [0, 1, 2], efficiency=np.ma.masked_array([0.5, 0.5], [False, True])
    ),
    "data": lambda: forefold.Experiment(THREE, np.eye(3), background=THREE).fit(HIDDEN),
    "true": lambda: forefold.card_response("nusmear-default", "mu-").efficiency(HIDDEN),
    "an argument": lambda: forefold.card_response("nusmear-default", "mu-").cdf(1.0, HIDDEN),
    "contents": lambda: Migration([0, 1, 2, 3], [0, 4], HIDDEN.reshape(3, 1)),
    "pdgid": lambda: Pairs.from_columns({"pdgid": np.ma.masked_equal([13, 11], 11), "energy_true": [1, 2], "energy_reco": [1, 2]}),
}  # fmt: skip


@pytest.mark.parametrize("what", MASKED)
def test_masked_values_are_refused(what: str) -> None:
    with pytest.raises(
        ValueError, match=what if "missing" in what else "masked, the first at"
    ) as error:
        MASKED[what]()
    assert what in str(error.value)


def test_a_mask_that_hides_nothing_is_none() -> None:
    whole = np.ma.masked_array(THREE)
    assert len(events.build(pdgid=13, px=0.0, py=0.0, pz=whole, energy=4.0, weight=whole)) == 3


# ----- chunks made in memory


def chunk(first: int, n: int = 50, **more: Any) -> ak.Array:
    pz = np.random.default_rng(first).uniform(0.5, 3.0, n)
    return events.build(
        pdgid=13, px=0.0, py=0.0, pz=pz, energy=np.hypot(pz, MASS[13]), probe=14,
        probe_momentum=(0.0, 0.0, pz + 1.0, pz + 1.0), cc=True, nc=False, **more,
    )  # fmt: skip


def test_chunks_that_share_their_draws() -> None:
    card = "nusmear-dune-cdr"
    axes: dict[str, Any] = {"true": "lepton_energy=0:4:2", "rng": 1}
    with pytest.warns(
        UserWarning, match=r"memory: stream 0, entry 0 comes twice: .*build\(stream="
    ) as caught:
        ResponseMatrix.from_events([chunk(1), chunk(2), chunk(3)], card, **axes)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="comes twice"):
        forefold.smear(events.concatenate([chunk(1), chunk(2)]), card, rng=1)
    with pytest.warns(UserWarning, match="comes twice"):
        ResponseMatrix.from_variations(
            (forefold.smear_variations(chunk(k), "dune-fd-uncertainties", rng=1) for k in range(2)),
            true="visible_energy=0:4:2",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ResponseMatrix.from_events([chunk(1), chunk(2, stream=1)], card, **axes)
        ResponseMatrix.from_events([chunk(1), chunk(2, entry=np.arange(50, 100))], card, **axes)
        muons: dict[str, Any] = {"true": "energy=0:4:2", "rng": 1, "of": "mu-"}
        ResponseMatrix.from_events([chunk(1), chunk(2, stream=2**64 - 1)], card, **muons)
        forefold.smear(chunk(1)[::-1], card, rng=1)


# ----- angles in degrees


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("lepton_theta < 30", "30"),
        ("abs(delta_phi_t) > 2 * 90", "180"),
        ("enu > 1 and not 20 <= proton_theta", "20"),
        ("angle(mu-, p) > 45", "45"),
    ],
)
def test_angles_in_degrees_in_a_selection(text: str, number: str) -> None:
    with pytest.warns(
        UserWarning, match=f"is in rad, from 0 to pi, and is compared with {number}:"
    ):
        Selection(text)


def test_angles_in_radians() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in (
            "lepton_theta < 3.1416",
            "lepton_theta * 180 / pi < 30",
            "lepton_theta < 30 * pi / 180",
            "enu > 50",
        ):
            Selection(text)


def test_degrees_on_the_command_line(run: Run, gst_file: Path) -> None:
    result = run("inspect", gst_file, "--where", "lepton_theta < 25")
    assert result.code == 0
    assert result.err.startswith(
        "forefold: warning: selection 'lepton_theta < 25': lepton_theta is in rad"
    )


def test_degrees_on_an_axis_and_in_a_card(gst_file: Path, tmp_path: Path) -> None:
    record = forefold.read(gst_file, entries="0:20")
    card = "nusmear-default"
    with pytest.warns(
        UserWarning, match="axis 'lepton_theta_true' is in rad, from 0 to pi, and ends at 180"
    ):
        ResponseMatrix.from_events(
            record, card, true="lepton_theta=0:180:9", reco="lepton_theta=0:3.15:9", rng=1
        )
    with pytest.warns(UserWarning, match="axis 'theta_reco' is in rad"):
        ResponseMatrix.from_events(
            record, card, true="theta=0:1:9", reco="theta=0,1,60", of="mu-", rng=1
        )
    with pytest.warns(
        UserWarning,
        match=r"efficiency: theta is in rad and is compared with 60: for degrees write 60 \* pi / 180",
    ):
        forefold.load_card(
            write_card(tmp_path, GOOD.replace("= 0.9\n", '= "where(theta < 60, 0.9, 0.1)"\n'))
        )
