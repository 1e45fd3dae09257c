"""Tables as input, and events converted from one format to another."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from mutations import outcomes

import forefold
from forefold import events, io
from forefold.cli import main
from forefold.events.table import REQUIRED
from forefold.io.registry import Damage

OWN = (".parquet", ".root", ".h5")
ROWS: dict[str, list[Any]] = {
    "event": [7, 7, 8],
    "pdgid": [13, 2212, 211],
    "px": [0.0, 0.1, 0.0],
    "py": [0.0, 0.0, 0.2],
    "pz": [1.0, 0.4, 0.5],
    "energy": [1.0056, 1.0241, 0.5591],
}
NESTED = {
    "pdgid": [[13, 2212], [], [211]],
    "px": [[0.0, 0.1], [], [0.0]],
    "py": [[0.0, 0.0], [], [0.2]],
    "pz": [[1.0, 0.4], [], [0.5]],
    "energy": [[1.0056, 1.0241], [], [0.5591]],
}


@pytest.mark.parametrize(
    "make",
    [dict, pd.DataFrame, pa.table, ak.Array, lambda t: {k: np.array(v) for k, v in t.items()}],
)
def test_rows(make: Callable[[Any], Any]) -> None:
    record = events.from_table(make(ROWS))
    columns: dict[str, Any] = {key: ROWS[key] for key in REQUIRED}
    plain = events.build(counts=[2, 1], event=[7, 8], **columns)
    assert record.type == plain.type
    assert ak.array_equal(record, plain, equal_nan=True)


@pytest.mark.parametrize("make", [dict, pa.table, ak.Array])
def test_lists(make: Callable[[Any], Any]) -> None:
    record = events.from_table(make(NESTED), first=5)
    assert record.event.tolist() == [5, 6, 7]
    assert record.entry.tolist() == [5, 6, 7]
    assert record.particles.pdgid.tolist() == NESTED["pdgid"]
    assert record.particles.energy.tolist() == NESTED["energy"]


def test_record_of_records(gst_file: Path) -> None:
    truth = forefold.read(gst_file, entries="0:20")
    truth["x"] = np.arange(20)
    back = events.from_table(ak.to_arrow_table(truth, extensionarray=False))
    assert back.type == truth.type or set(back.fields) == set(truth.fields)
    for name in back.fields:
        assert ak.array_equal(back[name], truth[name], equal_nan=True), name


def test_columns_of_events() -> None:
    more = {
        "weight": [2.0, 2.0, 0.5],
        "cc": [True, True, None],
        "nc": [0, 0, 1],
        "probe": [14, 14, -14],
        "probe_px": 0.0 * np.ones(3),
        "probe_py": 0.0 * np.ones(3),
        "probe_pz": [2.0, 2.0, 3.0],
        "probe_energy": [2.0, 2.0, 3.0],
        "status": [1, 0, 1],
        "stream": np.array([2**64 - 1] * 3, dtype=np.uint64),
        "source": ["a", "a", "b"],
        "comment": ["x", "y", "z"],
    }
    with pytest.warns(UserWarning, match="^memory: not used: the column comment$"):
        record = events.from_table(ROWS | more)
    assert record.weight.tolist() == [2.0, 0.5]
    assert record.cc.tolist() == [True, None]
    assert record.nc.tolist() == [False, True]
    assert record.probe_momentum.pz.tolist() == [2.0, 3.0]
    assert record.particles.status.tolist() == [[1, 0], [1]]
    assert record.stream.tolist() == [2**64 - 1] * 2
    assert record.source.tolist() == ["a", "b"]
    del more["comment"]
    assert events.from_table(ROWS | more, stream=3).stream.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"pdgid": [13]}, "lacks the columns px, py, pz, energy, event; it has pdgid"),
        ({}, "lacks the columns .* it has nothing"),
        ("csv", "str is no table"),
        (ROWS | {"weight": [1.0, 2.0, 1.0]}, "row 1: weight differs"),
        (ROWS | {"px": [0.0, None, 0.0]}, "row 1: px is missing"),
        (ROWS | {"px": ["a", "b", "c"]}, "column px holds string, must hold one number a row"),
        (ROWS | {"px": [0.0, 0.0]}, "px has shape"),
        (ROWS | {"pdgid": [13.5, 1.0, 2.0]}, "pdgid holds float64 values, must be whole numbers"),
        (ROWS | {"cc": [2, 2, 1]}, "the column cc holds int64, must hold true and false"),
        (ROWS | {"probe_pz": [1.0] * 3}, "lacks the columns probe_px, probe_py, probe_energy"),
        (NESTED | {"px": [[0.0], [], [0.0]]}, "row 0: px holds another number of particles"),
        (NESTED | {"px": [0.0, 1.0, 2.0]}, "px does not hold a list a row"),
        (NESTED | {"pdgid": [1, 2, 3]}, "pdgid holds one number a row, other columns hold lists"),
        (NESTED | {"pdgid": [[1, 2], None, [3]]}, "row 1: the list of particles is missing"),
        (NESTED | {"px": [[0.0, None], [], [0.0]]}, "row 1: px is missing"),
    ],
)
def test_tables_that_are_none(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^here: .*{message}") as caught:
        events.from_table(table, source="here")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("kind", OWN)
def test_converted_events_are_the_same(
    gst_file: Path, achilles_hepmc_file: Path, tmp_path: Path, kind: str, final: bool
) -> None:
    """The record, its streams included: converted events are smeared to the same bits."""
    for i, path in enumerate((gst_file, achilles_hepmc_file)):
        out = tmp_path / f"{i}{kind}"
        truth = forefold.read(path, final_state_only=final)
        assert forefold.convert(path, out, final_state_only=final, chunk=77) == len(truth)
        back = forefold.read(out, final_state_only=final)
        assert back.type == truth.type
        assert ak.array_equal(back, truth, equal_nan=True)
        one, two = (forefold.smear(e, "nusmear-default", rng=1) for e in (truth, back))
        assert ak.array_equal(one, two, equal_nan=True)
        assert set(forefold.read(out, stream=5).stream.tolist()) == {5}
        part = forefold.read(out, entries="3:9", final_state_only=final)
        assert part.event.tolist() == truth.event[3:9].tolist()
        assert str(path) in str(io.inspect(out))
        with pytest.raises(ValueError, match="the range of entries starts at"):
            forefold.read(out, entries="300:")


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("kind", [".csv", ".csv.gz"])
def test_csv(gst_file: Path, tmp_path: Path, kind: str, final: bool) -> None:
    """One row a particle in the generator's order; gst has the initial state after the final one."""
    out = tmp_path / f"out{kind}"
    truth = forefold.read(gst_file, final_state_only=final)
    forefold.convert(gst_file, out, final_state_only=final, chunk=77)
    data = out.read_bytes()
    rows = list(
        csv.DictReader((gzip.decompress(data) if "gz" in kind else data).decode().split("\n"))
    )
    assert list(rows[0]) == ["event", "pdgid", "status", "px", "py", "pz", "energy"]
    flat = ak.flatten(truth.particles)
    for name in ("px", "py", "pz", "energy"):
        assert [float(row[name]) for row in rows] == flat[name].tolist()
    for name in ("pdgid", "status"):
        assert [int(row[name]) for row in rows] == flat[name].tolist()
    back = forefold.read(out)
    for name in ("px", "py", "pz", "energy", "pdgid", "status"):
        assert ak.array_equal(back.particles[name], truth.particles[name])
    assert back.event.tolist() == truth.event.tolist()
    assert forefold.read(out, entries="100:120").event.tolist() == list(range(100, 120))
    assert io.inspect(out).events == 300
    with pytest.raises(ValueError, match="the range of entries starts at 300"):
        forefold.read(out, entries="300:")


@pytest.mark.parametrize("final", [True, False])
def test_nuhepmc(achilles_hepmc_file: Path, tmp_path: Path, final: bool) -> None:
    out = tmp_path / "out.hepmc3.gz"
    truth = forefold.read(achilles_hepmc_file, final_state_only=final)
    forefold.convert(achilles_hepmc_file, out, final_state_only=final)
    back, known = forefold.read(out), forefold.read(achilles_hepmc_file)
    for name in ("px", "py", "pz", "energy", "pdgid"):
        assert ak.array_equal(back.particles[name], known.particles[name])
    for name in ("event", "weight", "process_id", "probe", "target"):
        assert back[name].tolist() == known[name].tolist()
    whole = forefold.read(out, final_state_only=False)
    assert ak.num(whole.particles).tolist() == (ak.num(truth.particles) + 2).tolist()
    assert set(ak.flatten(whole.particles.status).tolist()) == {1, 4, 20} | ({100} - {100 * final})


def test_smeared_to_another_format(gst_file: Path, tmp_path: Path) -> None:
    from forefold.workflows.stream import smear_files

    smear_files(gst_file, "nusmear-default", tmp_path / "a.root", rng=2)
    assert forefold.convert(tmp_path / "a.root", tmp_path / "b.parquet") == 300
    one, two = (forefold.read_smeared(tmp_path / name) for name in ("a.root", "b.parquet"))
    assert ak.array_equal(one, two, equal_nan=True)
    about = two.attrs["forefold"]
    assert one.attrs["forefold"].items() <= about.items()
    assert about["converted"]["inputs"][0]["path"].endswith("a.root")


def test_command_line(gst_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    assert main(["convert", str(gst_file), str(out), "--entries", "0:30"]) == 0
    assert capsys.readouterr().err == f"{out}: 30 events\n"
    assert main(["convert", str(gst_file), str(out)]) == 2
    assert "out.csv: exists already; --overwrite" in capsys.readouterr().err
    assert main(["convert", "-q", "--all", "--overwrite", str(gst_file), str(out)]) == 0
    assert capsys.readouterr().err == ""
    assert 14 in ak.flatten(forefold.read(out, final_state_only=False).particles.pdgid)
    assert main(["smear", str(out), "-d", "nusmear-default", "-o", str(tmp_path / "s.h5")]) == 2
    assert "no incident particle to refer polar angles to; use axis 'z'" in capsys.readouterr().err


def write_csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


HEAD = "event,pdgid,px,py,pz,energy\n"


def test_foreign_csv(tmp_path: Path) -> None:
    text = 'energy, "event" ,pdgid,px,py,pz,remark\r\n1.5,1,13,0,0,1,a b\r\n2.5,1,22,0,0,2.5,\r\n3,4,22,0,0,3,c\r\n'
    with pytest.warns(UserWarning, match="any.name: not used: the column remark$"):
        back = forefold.read(write_csv(tmp_path / "any.name", text))
    assert back.event.tolist() == [1, 4]
    assert back.particles.energy.tolist() == [[1.5, 2.5], [3.0]]
    assert back.particles.status.tolist() == [[1, 1], [1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "holds no events"),
        (HEAD + "1,13,0,0,1,1", "its last line does not end"),
        (HEAD + "1,13,0,0,1\n", "Expected 6 columns, got 5"),
        (HEAD + "1,muon,0,0,1,1\n", "muon"),
        (HEAD + "1,13,0,0,nan,1\n", "pz = nan, must be a finite number"),
        (HEAD + "1,13,0,0,,1\n", "row 0: pz is missing"),
        (HEAD + ",13,0,0,1,1\n", "a row has no number of its event"),
        (HEAD + "1,13,0,0,1,-1\n", "energy = -1 GeV, must not be negative"),
        (HEAD.replace("py", "px") + "1,13,0,0,1,1\n", "two columns of the name px"),
        (HEAD.replace("py", "qy") + "1,13,0,0,1,1\n", "lacks the columns py"),
        ("event,pdgid,energy_true,fate\n1,13,1,1\n", "lacks the columns theta_true, detected"),
    ],
)
def test_csv_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forefold.read(write_csv(tmp_path / "bad.csv", text))


def test_bad_events_of_a_table_are_left_out(tmp_path: Path) -> None:
    rows = [
        "1,13,0,0,1,1.1",
        "2,13,0,0,1,-1.1",
        "3,13,0,0,1,1.2",
        "4,13,0,0,inf,1.2",
        "5,13,0,0,1,1.3",
    ]
    damage = Damage()
    back = forefold.read(
        write_csv(tmp_path / "bad.csv", HEAD + "\n".join(rows) + "\n"), damage=damage
    )
    assert back.event.tolist() == [1, 3, 5]
    assert back.entry.tolist() == [0, 2, 4]
    assert damage.events == 2
    assert "entry 1 (event 2), particle 0 (pdgid 13): energy = -1.1 GeV" in damage.notes[0]


def test_events_larger_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forefold.io.native.csv._BLOCK", 256)
    rows = [f"{i // 40},22,0,0,{i + 1},{i + 1}\n" for i in range(400)]
    path = write_csv(tmp_path / "long.csv", HEAD + "".join(rows))
    pieces = list(io.iterate(path, chunk=3))
    assert [len(piece) for piece in pieces] == [1] * 10 or max(map(len, pieces)) <= 3
    back = forefold.read(path)
    assert ak.num(back.particles).tolist() == [40] * 10
    assert ak.flatten(back.particles.energy).tolist() == list(range(1, 401))
    monkeypatch.setattr("forefold.io.native.rows._MOST_ROWS", 30)
    with pytest.raises(ValueError, match="event 0 has more than 30 rows"):
        forefold.read(path)


@pytest.mark.parametrize("flat", [True, False])
def test_foreign_parquet(tmp_path: Path, flat: bool) -> None:
    path = tmp_path / "any.parquet"
    pq.write_table(pa.table(ROWS if flat else NESTED), path)
    back = forefold.read(path)
    assert back.particles.pdgid.tolist() == ([[13, 2212], [211]] if flat else NESTED["pdgid"])
    assert io.inspect(path).format == "parquet table"
    pq.write_table(pa.table({key: value for key, value in ROWS.items() if key != "event"}), path)
    with pytest.raises(ValueError, match="one row a particle and lacks the column event"):
        forefold.read(path)
    pq.write_table(pa.table(NESTED).slice(0, 0), path)
    with pytest.raises(ValueError, match="the table holds no events"):
        forefold.read(path)


def test_changed_csv(gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    forefold.convert(gst_file, out, entries="0:3")
    text = out.read_text()
    out.write_text(text.replace("2112", "2212", 1))
    with pytest.raises(ValueError, match=r"its rows do not fit out\.csv\.json"):
        forefold.read(out)
    Path(f"{out}.json").write_text("{}")
    assert len(forefold.read(out)) == 3


@pytest.mark.parametrize("kind", [".csv", *OWN])
def test_mutations(gst_file: Path, tmp_path: Path, kind: str) -> None:
    source, path = tmp_path / f"good{kind}", tmp_path / f"bad{kind}"
    forefold.convert(gst_file, source, entries="0:40", chunk=15)
    if kind == ".csv":
        Path(f"{path}.json").write_bytes(Path(f"{source}.json").read_bytes())
    truth = forefold.read(source)

    def good(back: ak.Array) -> bool:
        return back.event.tolist() == truth.event.tolist() and all(
            ak.array_equal(back.particles[name], truth.particles[name])
            for name in ("pdgid", "status", "px", "py", "pz", "energy")
        )

    n = 300 if kind in (".csv", ".parquet") else 60
    found = outcomes(source.read_bytes(), range(n), path, forefold.read, good)
    assert found["wrong"] == 0, found


@pytest.mark.parametrize("kind", [".parquet", ".h5"])
def test_skipping_damage(
    gst_file: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / f"out{kind}"
    monkeypatch.setattr("forefold.io.blocks.BLOCK", 100)
    forefold.convert(gst_file, out, chunk=100)
    data = bytearray(out.read_bytes())
    at = int(len(data) * 0.55) if kind == ".parquet" else 0
    if not at:
        import h5py

        with h5py.File(out, "a") as file:
            file["offsets"][250] = 0
    else:
        data[at] ^= 255
        out.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r"damaged or cut"):
        forefold.read(out)
    damage = Damage()
    pieces = list(io.iterate(out, chunk=100, damage=damage))
    read = sum(map(len, pieces))
    assert 0 < read < 300
    assert damage.events == 300 - read
    assert len(damage.notes) == 1
