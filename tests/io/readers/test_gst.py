"""The reader of GENIE gst trees."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from forefold import events, io
from forefold.io import root as rootfile


def put(path: Path, content: bytes) -> str:
    """Write a file and give its name."""
    path.write_bytes(content)
    return str(path)


def gst_columns(n: int = 4, **changes: Any) -> dict[str, Any]:
    """The least branches that a gst tree needs: one muon and one proton an event."""
    counts = np.ones(n, dtype=np.int64)

    def jagged(value: float, kind: str = "f8") -> ak.Array:
        return ak.unflatten(np.full(n, value, dtype=kind), counts)

    columns: dict[str, Any] = {
        "iev": np.arange(n, dtype="i4"),
        "neu": np.full(n, 14, dtype="i4"),
        "tgt": np.full(n, 2212, dtype="i4"),
        "fspl": np.full(n, 13, dtype="i4"),
        "Ev": np.full(n, 2.0),
        "pxv": np.zeros(n),
        "pyv": np.zeros(n),
        "pzv": np.full(n, 2.0),
        "El": np.full(n, 1.01),
        "pxl": np.zeros(n),
        "pyl": np.zeros(n),
        "pzl": np.full(n, 1.0),
        "pdgf": jagged(2212, "i4"),
        "Ef": jagged(1.1),
        "pxf": jagged(0.0),
        "pyf": jagged(0.0),
        "pzf": jagged(0.5),
    }
    columns |= changes
    return {name: value for name, value in columns.items() if value is not None}


def write_tree(path: Path, columns: dict[str, Any], name: str = "gst") -> str:
    """Write one tree with uproot."""
    with uproot.recreate(path) as file:
        tree = file.mktree(name, {key: branch_kind(value) for key, value in columns.items()})
        if len(next(iter(columns.values()))):
            tree.extend(dict(columns))
    return str(path)


def branch_kind(value: Any) -> Any:
    return value.dtype if isinstance(value, np.ndarray) else value.type.content


def test_real_file(gst_file: Path) -> None:
    record = io.read(gst_file)
    assert len(record) == 300
    assert record.entry.tolist() == record.event.tolist() == list(range(300))
    assert set(record.source.tolist()) == {str(gst_file)}
    assert ak.all(record.probe == 14)
    assert ak.all(record.target == 1000180400)
    assert ak.all(record.particles.status == 1)
    assert ak.all(record.weight == 1.0)
    assert ak.all(record.cc != record.nc)


def test_against_the_tree_itself(gst_file: Path) -> None:
    with uproot.open(gst_file) as file:
        raw = file["gst"].arrays(["nf", "fspl", "El", "pzl", "pdgf", "Ef", "Ev", "cc", "W", "qel"])
    record = io.read(gst_file)
    assert ak.all(ak.num(record.particles) == raw.nf + 1)
    assert ak.all(record.particles.pdgid[:, 0] == raw.fspl)
    assert ak.all(record.particles.energy[:, 0] == raw.El)
    assert ak.all(record.particles.pz[:, 0] == raw.pzl)
    assert ak.all(record.particles.pdgid[:, 1:] == raw.pdgf)
    assert ak.all(record.particles.energy[:, 1:] == raw.Ef)
    assert ak.all(record.probe_momentum.energy == raw.Ev)
    assert ak.all(record.cc == raw.cc)
    assert ak.all((record.process_id // 50 == 4) == (raw.qel & raw.cc))


def test_all_particles(gst_file: Path) -> None:
    final, every = io.read(gst_file), io.read(gst_file, final_state_only=False)
    assert set(ak.flatten(every.particles.status).tolist()) == {0, 1, 14}
    # The final state keeps its place, and with it its random numbers.
    kept = every.particles[every.particles.status == 1]
    assert ak.all(
        ak.local_index(every.particles)[every.particles.status == 1] == ak.local_index(kept)
    )
    assert kept.tolist() == final.particles.tolist()
    probes = every.particles[every.particles.status == 0]
    assert ak.all(probes.pdgid == 14)
    assert ak.all(probes.energy[:, 0] == every.probe_momentum.energy)


@pytest.mark.parametrize("chunk", [1, 7, 100, 299, 300, 10**6])
def test_chunks_change_nothing(gst_file: Path, chunk: int) -> None:
    entries = "30:60" if chunk == 1 else None
    pieces = list(io.iterate(gst_file, chunk=chunk, entries=entries))
    assert max(map(len, pieces)) <= chunk
    whole = io.read(gst_file, entries=entries)
    assert events.concatenate(pieces).tolist() == whole.tolist()


FLAGS = {
    ("coh", False): 100, ("coh", True): 150, ("qel", False): 200, ("qel", True): 250, ("mec", False): 300,
    ("mec", True): 350, ("res", False): 400, ("res", True): 450, ("dis", False): 600, ("dis", True): 650,
    ("singlek", False): 601, ("dfr", False): 700, ("dfr", True): 750, ("imd", False): 701,
    ("imdanh", False): 702, ("nuel", None): 703, ("amnugamma", True): 751, ("norm", None): 0,
}  # fmt: skip


def test_processes(tmp_path: Path) -> None:
    n = len(FLAGS) + 1
    flags = {name: np.zeros(n, dtype=bool) for name, _ in FLAGS} | {
        name: np.zeros(n, dtype=bool) for name in ("cc", "nc", "em")
    }
    for row, (name, neutral) in enumerate(FLAGS):
        flags[name][row] = True
        flags["nc"][row] = neutral is True
        flags["cc"][row] = neutral is False
    flags["qel"][-1] = flags["em"][-1] = True
    record = io.read(write_tree(tmp_path / "f.root", gst_columns(n, **flags)))
    assert record.process_id.tolist() == [*FLAGS.values(), -200]
    assert record.nc.tolist() == flags["nc"].tolist()
    assert record.cc.tolist() == flags["cc"].tolist()


def test_least_branches(tmp_path: Path) -> None:
    record = io.read(
        write_tree(tmp_path / "f.root", gst_columns(fspl=np.array([13, 0, 14, 0], "i4")))
    )
    assert record.cc.tolist() == record.nc.tolist() == [None] * 4
    assert record.process_id.tolist() == [0] * 4
    assert record.weight.tolist() == [1.0] * 4
    assert record.particles.pdgid.tolist() == [[13, 2212], [2212], [14, 2212], [2212]]


def test_weights(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "f.root", gst_columns(wght=np.array([1.0, 0.5, 2.0, 0.0])))
    assert io.read(path).weight.tolist() == [1.0, 0.5, 2.0, 0.0]


def test_highest_cycle(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "f.root") as file:
        for n in (2, 3):
            columns = gst_columns(n)
            kinds = {
                key: value.dtype if isinstance(value, np.ndarray) else value.type.content
                for key, value in columns.items()
            }
            file.mktree("gst", kinds).extend(columns)
        assert len(file.keys()) == 2
    assert len(io.read(tmp_path / "f.root")) == 3


def test_colon_in_the_name(gst_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "a:b.root"
    shutil.copy(gst_file, path)
    assert len(io.read(path)) == 300


def test_any_suffix(gst_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "genie.hepmc3.gz"
    shutil.copy(gst_file, path)
    assert len(io.read(path)) == 300


def bad(name: str, value: float, row: int = 2) -> dict[str, Any]:
    """Columns with one number replaced."""
    column = gst_columns()[name]
    if isinstance(column, np.ndarray):
        column = column.copy()
        column[row] = value
    else:
        flat = ak.to_numpy(ak.flatten(column)).copy()
        flat[row] = value
        column = ak.unflatten(flat, np.ones(4, dtype=np.int64))
    return gst_columns(**{name: column})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Ef", -1.0, r"entry 2 \(event 2\), particle 1 \(pdgid 2212\): energy = -1 GeV"),
        ("El", np.nan, r"entry 2 \(event 2\), particle 0 \(pdgid 13\): energy = nan"),
        ("pxf", np.inf, r"entry 2 .*px = inf"),
        ("pzv", np.nan, r"entry 2 \(event 2\): the probe's pxv, pyv, pzv, Ev = 0, 0, nan, 2"),
    ],
)
def test_bad_numbers(tmp_path: Path, name: str, value: float, message: str) -> None:
    path = write_tree(tmp_path / "f.root", bad(name, value))
    for chunk in (1, 3, 100):
        with pytest.raises(ValueError, match=message):
            list(io.iterate(path, chunk=chunk))


def test_all_nan_probe_is_not_unknown(tmp_path: Path) -> None:
    nan = np.full(4, np.nan)
    path = write_tree(tmp_path / "f.root", gst_columns(Ev=nan, pxv=nan, pyv=nan, pzv=nan))
    with pytest.raises(ValueError, match=r"entry 0 .*must be finite numbers"):
        io.read(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (gst_columns(pdgf=None, El=None), "the tree `gst` lacks the branches El, pdgf"),
        (gst_columns(neu=gst_columns()["pdgf"]), "the branch neu of `gst` must hold one number"),
        (gst_columns(Ef=np.ones(4)), "the branch Ef of `gst` must hold a list per event"),
        (
            gst_columns(Ef=ak.unflatten(np.ones(8), np.full(4, 2))),
            "the branches pdgf and Ef of `gst` differ in length",
        ),
        (gst_columns(neu=np.full(4, 14.5)), "probe holds float64 values, must be whole numbers"),
    ],
)
def test_unlike_gst(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    path = write_tree(tmp_path / "f.root", columns)
    with pytest.raises(ValueError, match=message) as caught:
        io.read(path)
    assert str(caught.value).startswith(path)


def test_primary_particles_missing(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "f.root", gst_columns())
    with pytest.raises(ValueError, match="lacks the branches pdgi, Ei, pxi, pyi, pzi"):
        io.read(path, final_state_only=False)


def test_empty_tree(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "f.root", gst_columns(0))
    with pytest.raises(ValueError, match=r"f\.root: the tree `gst` holds no events"):
        io.read(path)


def test_other_tree(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "f.root", {"x": np.arange(3)}, name="ntuple")
    with pytest.raises(
        ValueError, match=r"without a tree that forefold reads .GENIE `gst`"
    ) as caught:
        io.read(path)
    assert str(caught.value).endswith("it holds: ntuple")


def test_empty_root_file(tmp_path: Path) -> None:
    uproot.recreate(tmp_path / "f.root").close()
    with pytest.raises(ValueError, match="it holds: nothing"):
        io.read(tmp_path / "f.root")


def test_gst_that_is_no_tree(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "f.root") as file:
        file["gst"] = np.histogram([1.0, 2.0])
    with pytest.raises(ValueError, match="`gst` is a TH1D, must be a TTree"):
        io.read(tmp_path / "f.root")


@pytest.mark.parametrize("size", [4, 30, 100, 300, 1000, 20_000, 100_000, 190_000, -200, -1])
def test_cut_file(gst_file: Path, tmp_path: Path, size: int) -> None:
    path = put(tmp_path / "cut.root", gst_file.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"cut\.root: .*ROOT file") as caught:
        io.read(path)
    assert "\n" not in str(caught.value)


def test_damaged_basket(gst_file: Path, tmp_path: Path) -> None:
    with uproot.open(gst_file) as file:
        basket = file["gst"]["Ef"].basket(0)
        start = (
            basket.member("fSeekKey", none_if_missing=True)
            or file["gst"]["Ef"].member("fBasketSeek")[0]
        )
    content = bytearray(gst_file.read_bytes())
    content[int(start) + 200] ^= 0xFF
    path = put(tmp_path / "flip.root", bytes(content))
    with pytest.raises(ValueError, match=r"flip\.root: damaged or cut ROOT file, cannot read ent"):
        io.read(path)


def test_names_of_processes(tmp_path: Path) -> None:
    columns = gst_columns(nuel=np.array([True, False, False, False]))
    found = io.inspect(write_tree(tmp_path / "f.root", columns))
    names = {process.process_id: process.name for process in found.processes}
    assert names == {703: "nu-e elastic", 0: "unknown"}
    # The counts of the lists, npdgf and so on, are branches too.
    assert int(found.details["branches"]) >= len(columns)


def test_large_files_are_not_mapped(gst_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mapped and read would count as memory of the process; the events are the same."""
    mapped = io.read(gst_file)
    monkeypatch.setattr("forefold.io.root._MAPPED_BYTES", 0)
    read = io.read(gst_file)
    assert read.particles.energy.tolist() == mapped.particles.energy.tolist()
    with (
        pytest.raises(ValueError, match="`gtree`"),
        rootfile.tree(str(gst_file), "gtree"),
    ):
        pass


def test_basket_beyond_the_file(gst_file: Path) -> None:
    """A place that no file has: without the check, the system's own error would come through."""

    class Branch:
        entry_offsets = (0, 300)

        def member(self, _: str) -> tuple[int, ...]:
            return (2**60,)

    with pytest.raises(ValueError, match=rf"a basket at byte {2**60} of {gst_file.stat().st_size}"):
        rootfile.check_baskets(str(gst_file), [Branch()], 0, 300)
