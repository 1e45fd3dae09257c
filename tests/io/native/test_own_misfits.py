"""Files of ours that were changed: what does not fit is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from mutations import outcomes
from written_kinds import ALL

import forefold


@pytest.mark.parametrize("kind", ALL)
def test_cut_short(written: dict[str, Path], tmp_path: Path, kind: str) -> None:
    content = written[kind].read_bytes()
    path = tmp_path / f"cut{kind}"
    if ".csv" in kind:
        (tmp_path / f"{path.name}.json").write_bytes(Path(f"{written[kind]}.json").read_bytes())
    for size in np.linspace(0, len(content) - 1, 41).astype(int):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=str(path)) as caught:
            forefold.read_smeared(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".root", ".h5", ".hepmc3"])
def test_mutations(written: dict[str, Path], smeared: ak.Array, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bad{kind}"
    if kind == ".csv":
        Path(f"{path}.json").write_bytes(Path(f"{written[kind]}.json").read_bytes())

    def good(back: ak.Array) -> bool:
        names = back.fields if kind == ".csv" else smeared.fields
        return all(
            ak.array_equal(back[name], smeared[name], equal_nan=True)
            for name in names
            if name != "particles"
        ) and all(
            ak.array_equal(back.particles[name], smeared.particles[name], equal_nan=True)
            for name in back.particles.fields
        )

    n = {".csv": 300, ".parquet": 300}.get(kind, 60)
    found = outcomes(written[kind].read_bytes(), range(n), path, forefold.read_smeared, good)
    assert found["wrong"] == 0, found
    assert found.total() == n


@pytest.mark.parametrize("name", [b"n_detected", b"visible_energy_reco"])
def test_a_damaged_name_of_a_column(name: bytes, written: dict[str, Path], tmp_path: Path) -> None:
    """The footer of Parquet has no checksum: the column would be missing."""
    content = written[".parquet"].read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    at = content.index(name, len(content) - footer)
    path = tmp_path / "bad.parquet"
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    for read in (forefold.read_smeared, forefold.read):
        with pytest.raises(ValueError, match=r"bad\.parquet: damaged or cut parquet file \("):
            read(path)


@pytest.mark.parametrize("change", ["rolled", "dropped", "renamed"])
def test_parquet_lists_that_are_not_those_of_the_counts(
    written: dict[str, Path], tmp_path: Path, change: str
) -> None:
    """Pages have checksums; a table that was put together anew has right ones."""
    table = pq.read_table(written[".parquet"])
    lists = table["particles"].to_pylist()
    if change == "rolled":
        lists, words = lists[-1:] + lists[:-1], "entry 0 has n_particles"
    elif change == "dropped":
        lists[7], words = lists[7][1:], "entry 7 has n_particles"
    else:  # as many as before, and other fates
        lists[3][0] |= {"fate": 2 if lists[3][0]["fate"] & 1 else 1}
        words = "entry 3 has n_detected"
    index = table.schema.names.index("particles")
    changed = pa.array(lists, table.schema.field(index).type)
    path = tmp_path / "changed.parquet"
    pq.write_table(table.set_column(index, table.schema.field(index), changed), path)
    with pytest.raises(ValueError, match=rf"changed\.parquet: damaged .* {words} = "):
        forefold.read_smeared(path)
    if change == "dropped":  # what is before is read, and entries are counted in the file
        assert len(forefold.read_smeared(path, entries="0:7")) == 7
        with pytest.raises(ValueError, match="entry 7 has"):
            forefold.read_smeared(path, entries="5:9")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.__delitem__("offsets"), "cannot read the dataset offsets"),
        (lambda f: f["offsets"].resize((5,)), "offsets has 5 values, 301 were written"),
        (lambda f: f["offsets"].__setitem__(3, 10**12), "offsets that do not increase"),
        (lambda f: f["offsets"].__setitem__(0, 1), "offsets that leave particles out"),
        (lambda f: f["particles/fate"].resize((10**12,)), "claims 1000000000000 values"),
        (lambda f: f["events/cc"].__setitem__(2, 5), "values from 0 to 5, allowed are -1 to 1"),
        (lambda f: f.__delitem__("provenance"), "cannot read the dataset provenance"),
    ],
)
def test_hdf5_that_does_not_fit(
    written: dict[str, Path], tmp_path: Path, change: Callable[[object], object], message: str
) -> None:
    import h5py

    path = tmp_path / "bad.h5"
    path.write_bytes(written[".h5"].read_bytes())
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(ValueError, match=message):
        forefold.read_smeared(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("A forefold.document ", "A forefold.doc ", "lacks the attribute forefold.document"),
        ('"schema"', '"scheme"', "its schema does not name"),
        ('document {"content"', 'document ["content"', "its provenance is no JSON"),
        ("A 0 forefold.event.rng", "", ""),
        ("\nA 0 forefold.event.entry 5\n", "\n", "SHA-256 differs"),
    ],
)
def test_nuhepmc_that_does_not_fit(
    written: dict[str, Path], tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "bad.hepmc3"
    path.write_text(written[".hepmc3"].read_text().replace(old, new))
    if message:
        with pytest.raises(ValueError, match=message):
            forefold.read_smeared(path)
    else:
        assert len(forefold.read_smeared(path)) == 300


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nA 0 forefold.event.entry 5\n", "\n", "events lack the attribute forefold.event.entry"),
        ("event.entry 5\n", "event.entry 5 6\n", "does not hold one value"),
        ("event.entry 5\n", "event.entry five\n", "invalid literal"),
        ("particles.pdgid 13 ", "particles.pdgid ", "has another number of values"),
    ],
)
def test_nuhepmc_events_that_do_not_fit(
    written: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    message: str,
) -> None:
    path = tmp_path / "bad.hepmc3"
    text = written[".hepmc3"].read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    digest = json.loads(text.split("forefold.document ")[1].split("\n")[0].replace("\\\\", "\\"))
    monkeypatch.setattr("forefold.io.native.nuhepmc._body_digest", lambda _: digest["body_sha256"])
    with pytest.raises(ValueError, match=message):
        forefold.read_smeared(path)


def rewritten(source: Path, out: Path, facts: dict[str, object], **branches: object) -> Path:
    """Make a ROOT file of ours again, with other facts or branches."""
    with uproot.open(source) as file:
        about = json.loads(str(file["forefold_provenance"])) | facts
        arrays = file["forefold"].arrays()
        columns = {name: branches.get(name, arrays[name]) for name in arrays.fields if name != "n"}
    counts = branches.get("n", arrays.n)
    with uproot.recreate(out) as file:
        file["forefold"] = {**columns, "n": counts}
        file["forefold_provenance"] = json.dumps(about)
    return out


def test_root_that_does_not_fit(written: dict[str, Path], tmp_path: Path) -> None:
    good, path = written[".root"], tmp_path / "bad.root"
    with uproot.open(good) as file:
        arrays = file["forefold"].arrays()
    with pytest.raises(ValueError, match="the tree has 300 entries, 5 were written"):
        forefold.read_smeared(rewritten(good, path, {"events": 5}))
    with pytest.raises(ValueError, match="its schema and the order of its columns do not fit"):
        forefold.read_smeared(rewritten(good, path, {"order": []}))
    with pytest.raises(ValueError, match="the branch weight holds lists"):
        forefold.read_smeared(rewritten(good, path, {}, weight=arrays.mass))
    with pytest.raises(ValueError, match="the branch fate does not hold `n` values an entry"):
        forefold.read_smeared(rewritten(good, path, {}, fate=arrays.fate[:, :1]))
    with pytest.raises(ValueError, match=r"CRC-32 differs"):
        forefold.read_smeared(rewritten(good, path, {}, mass=arrays.mass * 2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1\n", ",2\n", "detected does not fit fate = 2"),
        (",1\n", ",\n", "fate is missing"),
        ("event,", "number,", "neither ROOT nor HepMC|not a file of smeared"),
    ],
)
def test_csv_rows_that_do_not_fit(
    written: dict[str, Path], tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(written[".csv"].read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        forefold.read_smeared(path)
