"""RMF and ARF as the missions ship them: packed, named by what they hold, falling, a little below 0, of no width."""

from __future__ import annotations

import gzip
import lzma
import sys
from pathlib import Path
from typing import Any

import format_matrices
import mutations
import numpy as np
import pytest
from astropy.io import fits

import forefold

ROWS = np.array([[0.7, 0.2, 0.0, 0.1], [0.1, 0.5, 0.3, 0.0], [0.0, 0.05, 0.15, 0.6]])
ENERGY = np.array([0.5, 1.0, 2.5, 4.0])
CHANNELS = np.array([0.25, 1.0, 2.0, 3.0, 5.0])


def ragged(parts: Any) -> Any:
    found = np.empty(len(parts), dtype=object)
    found[:] = [np.asarray(each) for each in parts]
    return found


def rmf(
    path: Path,
    rows: Any = ROWS,
    energy: Any = ENERGY,
    channels: Any = CHANNELS,
    *,
    first: int = 1,
    names: tuple[str, str] = ("MATRIX", "EBOUNDS"),
    kinds: tuple[str, str] | None = None,
    unit: str = "keV",
) -> Path:
    """Write a response by astropy: 32 bits, one group a row; edges may fall."""

    def sides(edges: Any) -> tuple[Any, Any]:
        pairs = np.sort(np.column_stack([edges[:-1], edges[1:]]), axis=1)
        return pairs[:, 0], pairs[:, 1]

    n = np.shape(rows)[1]
    column = fits.Column
    (a, b), (c, d) = sides(energy), sides(channels)
    matrix = fits.BinTableHDU.from_columns(
        [
            column("ENERG_LO", "E", unit, array=a),
            column("ENERG_HI", "E", unit, array=b),
            column("N_GRP", "I", array=np.ones(len(rows))),
            column("F_CHAN", "I", array=np.full(len(rows), first)),
            column("N_CHAN", "I", array=np.full(len(rows), n)),
            column("MATRIX", "PE()", array=ragged(rows)),
        ],
        name=names[0],
    )
    matrix.header["TLMIN4"] = first
    bounds = fits.BinTableHDU.from_columns(
        [
            column("CHANNEL", "I", array=first + np.arange(n)),
            column("E_MIN", "E", unit, array=c),
            column("E_MAX", "E", unit, array=d),
        ],
        name=names[1],
    )
    for table, kind in zip((matrix, bounds), kinds or (), strict=False):
        table.header["HDUCLAS2"] = kind
    fits.HDUList([fits.PrimaryHDU(), matrix, bounds]).writeto(path, overwrite=True)
    return path


def arf(path: Path, values: Any, energy: Any = ENERGY, unit: str = "keV") -> Path:
    column = fits.Column
    pairs = np.sort(np.column_stack([energy[:-1], energy[1:]]), axis=1)
    table = fits.BinTableHDU.from_columns(
        [
            column("ENERG_LO", "E", unit, array=pairs[:, 0]),
            column("ENERG_HI", "E", unit, array=pairs[:, 1]),
            column("SPECRESP", "E", "cm**2", array=values),
        ],
        name="SPECRESP",
    )
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return path


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_responses_are_read_as_plain_ones(pack: Any, tmp_path: Path) -> None:
    plain = rmf(tmp_path / "a.rmf")
    packed = tmp_path / "b.rmf.gz"
    packed.write_bytes(pack(plain.read_bytes()))
    found = forefold.import_matrix(packed, "ogip")
    np.testing.assert_array_equal(found.matrix, forefold.import_matrix(plain, "ogip").matrix)
    np.testing.assert_allclose(found.matrix, ROWS, rtol=1e-6)
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"b\.rmf\.gz: the compressed file is cut short"):
        forefold.import_matrix(packed, "ogip")


def test_a_packed_arf_beside_is_found_and_said(tmp_path: Path) -> None:
    rows = ROWS / ROWS.sum(axis=1, keepdims=True)
    rmf(tmp_path / "a.rmf", rows)
    area = arf(tmp_path / "plain.arf", [30.0, 45.0, 60.0])
    (tmp_path / "a.arf.gz").write_bytes(gzip.compress(area.read_bytes()))
    found = forefold.import_matrix(tmp_path / "a.rmf", "ogip", area=100.0)
    np.testing.assert_allclose(found.efficiency, [0.3, 0.45, 0.6], rtol=1e-6)
    assert "efficiency from a.arf.gz" in repr(found)
    assert "efficiency from a.arf.gz" in repr(forefold.ResponseMatrix.from_json(found.to_json()))


@pytest.mark.parametrize("name", ["RSP_MATRIX", "SWIFT RESPONSE"])
def test_tables_are_known_by_what_their_headers_say(name: str, tmp_path: Path) -> None:
    path = rmf(tmp_path / "a.rmf", names=(name, "BOUNDS"), kinds=("RSP_MATRIX", "EBOUNDS"))
    np.testing.assert_allclose(forefold.import_matrix(path, "ogip").matrix, ROWS, rtol=1e-6)
    path = rmf(tmp_path / "a.rmf", names=(name, "BOUNDS"))
    with pytest.raises(ValueError, match=rf"there are 0; the file has: {name}, BOUNDS"):
        forefold.import_matrix(path, "ogip")


@pytest.mark.parametrize("true", [1, -1])
@pytest.mark.parametrize("reco", [1, -1])
def test_falling_energies_are_turned_round_with_their_numbers(
    true: int, reco: int, tmp_path: Path
) -> None:
    """Gratings disperse in wavelength, so that channels fall in energy."""
    path = rmf(tmp_path / "a.rmf", ROWS[::true, ::reco], ENERGY[::true], CHANNELS[::reco])
    found = forefold.import_matrix(path, "ogip")
    np.testing.assert_allclose(found.matrix, ROWS, rtol=1e-6)
    np.testing.assert_allclose(found.true_axes[0].edges, ENERGY * 1e-6, rtol=1e-6)
    np.testing.assert_allclose(found.reco_axes[0].edges, CHANNELS * 1e-6, rtol=1e-6)
    # an ARF may fall where its RMF does not
    arf(tmp_path / "a.arf", [0.6, 0.5, 0.4], ENERGY[::-1])
    seen = forefold.import_matrix(path, "ogip", area=1.0)
    np.testing.assert_allclose(seen.matrix, ROWS * [[0.4], [0.5], [0.6]], rtol=1e-6)


def test_cells_a_little_below_zero_are_set_to_it_and_said(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[0, 2], rows[2, 0] = -0.004, -0.0025
    found = forefold.import_matrix(rmf(tmp_path / "a.rmf", rows), "ogip")
    np.testing.assert_allclose(found.matrix, ROWS, rtol=1e-6)
    assert "2 cells of MATRIX below 0, down to -0.004, are set to 0" in repr(found)
    rows[1, 3] = -0.02  # of a row of 0.88
    with pytest.raises(
        ValueError, match=r"MATRIX: true bin 1 has -0\.02 in channel 3, and -0\.02 in all"
    ):
        forefold.import_matrix(rmf(tmp_path / "a.rmf", rows), "ogip")
    rows[1, 3] = np.nan
    with pytest.raises(ValueError, match="row 1 of MATRIX has nan in channel 4"):
        forefold.import_matrix(rmf(tmp_path / "a.rmf", rows), "ogip")


def test_bins_that_are_none_are_named_with_table_number_and_unit(tmp_path: Path) -> None:
    wrong = ENERGY.copy()
    wrong[2] = wrong[1]
    with pytest.raises(
        ValueError, match=r"a\.rmf: MATRIX: bin 1 is 1 to 1 MeV, of no width; each bin must end"
    ):
        forefold.import_matrix(rmf(tmp_path / "a.rmf", energy=wrong, unit="MeV"), "ogip")
    path = rmf(tmp_path / "a.rmf")
    with fits.open(path) as file:
        file["EBOUNDS"].data["E_MIN"][3] = 3.5
        file.writeto(tmp_path / "gap.rmf")
    with pytest.raises(ValueError, match=r"EBOUNDS: bin 2 ends at 3 and bin 3 starts at 3\.5 keV"):
        forefold.import_matrix(tmp_path / "gap.rmf", "ogip")
    with fits.open(path) as file:
        file["EBOUNDS"].data["E_MAX"][3] = 2.0
        file.writeto(tmp_path / "turned.rmf")
    with pytest.raises(ValueError, match="EBOUNDS: bin 3 is 3 to 2 keV; each bin must end above"):
        forefold.import_matrix(tmp_path / "turned.rmf", "ogip")


def test_rows_of_areas_are_divided_by_what_is_said(tmp_path: Path) -> None:
    path = rmf(tmp_path / "a.rsp", ROWS * 250.0, names=("SPECRESP MATRIX", "EBOUNDS"))
    with pytest.raises(
        ValueError, match=r"true bin 0 \(0\.5 to 1 keV\) sums to 250; .*of areas in cm².*area="
    ):
        forefold.import_matrix(path, "ogip")
    found = forefold.import_matrix(path, "ogip", area=250.0)
    np.testing.assert_allclose(found.matrix, ROWS, rtol=1e-6)
    for bad in (0.0, -1.0, np.inf):
        with pytest.raises(ValueError, match="number of cm² above 0"):
            forefold.import_matrix(path, "ogip", area=bad)


def test_rows_of_rounded_numbers_are_scaled_and_said(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[0, 0] = 0.706
    found = forefold.import_matrix(rmf(tmp_path / "a.rmf", rows), "ogip")
    np.testing.assert_allclose(found.matrix[0], rows[0] / 1.006, rtol=1e-6)
    np.testing.assert_allclose(found.matrix[1:], rows[1:], rtol=1e-6)
    assert "1 row summed to 1 + 0.006 at most, and was scaled to 1" in repr(found)


def test_an_rmf_of_several_groups_is_read_by_the_memo(tmp_path: Path) -> None:
    """Channels from 1, which EBOUNDS says, and a row of two groups."""
    path = rmf(tmp_path / "a.rmf")
    with fits.open(path) as file:
        bounds, energy = file["EBOUNDS"].copy(), file["MATRIX"].data
        column = fits.Column
        columns = [
            column("ENERG_LO", "E", "keV", array=energy["ENERG_LO"]),
            column("ENERG_HI", "E", "keV", array=energy["ENERG_HI"]),
            column("N_GRP", "I", array=[2, 0, 1]),
            column("F_CHAN", "PI()", array=ragged([[1, 4], [0], [2]])),
            column("N_CHAN", "PI()", array=ragged([[2, 1], [0], [2]])),
            column("MATRIX", "PD()", array=ragged([[0.5, 0.2, 0.3], [0.0], [0.25, 0.5]])),
        ]
        table = fits.BinTableHDU.from_columns(columns, name="MATRIX")
        whole = fits.HDUList([fits.PrimaryHDU(), table, bounds])
        whole.writeto(tmp_path / "groups.rmf")
        table.header["TLMIN4"] = 2
        whole.writeto(tmp_path / "shifted.rmf")
    found = forefold.import_matrix(tmp_path / "groups.rmf", "ogip")
    expected = [[0.5, 0.2, 0.0, 0.3], [0.0, 0.0, 0.0, 0.0], [0.0, 0.25, 0.5, 0.0]]
    np.testing.assert_array_equal(found.matrix, expected)
    with pytest.raises(ValueError, match="row 0 of MATRIX: channels 1 to 2 are not among the 4"):
        forefold.import_matrix(tmp_path / "shifted.rmf", "ogip")


def test_without_astropy_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rmf(tmp_path / "a.rmf")
    monkeypatch.setitem(sys.modules, "astropy.io", None)
    for do in (
        lambda: forefold.import_matrix(path, "ogip"),
        lambda: forefold.export_matrix(format_matrices.exact(), tmp_path / "b.rmf", "ogip"),
    ):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'forefold\[fits\]'"):
            do()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.rmf"]


def test_damaged_responses_are_refused_or_read_as_they_are(tmp_path: Path) -> None:
    """Sums of what is written tell of every changed number."""
    whole = tmp_path / "whole.rmf"
    forefold.export_matrix(format_matrices.exact(), whole, "ogip")
    whole.with_suffix(".arf").unlink()
    expected = forefold.import_matrix(whole, "ogip").matrix
    found = mutations.outcomes(
        whole.read_bytes(),
        range(30),
        tmp_path / "damaged.rmf",
        lambda path: forefold.import_matrix(path, "ogip"),
        lambda each: np.array_equal(each.matrix, expected),
    )
    assert found["wrong"] == 0
    assert found["clean error"] > 15


def test_an_edited_file_with_old_sums_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.rmf"
    forefold.export_matrix(format_matrices.exact(), path, "ogip", area=2.0)
    content = path.read_bytes()
    with fits.open(path) as file:
        file["MATRIX"].data["ENERG_LO"][0] *= 1.1
        file.writeto(tmp_path / "old.rmf")
        file.writeto(tmp_path / "new.rmf", checksum=True)
    with pytest.raises(ValueError, match=r"old\.rmf: .*MATRIX.*checksum=True"):
        forefold.import_matrix(tmp_path / "old.rmf", "ogip")
    assert forefold.import_matrix(tmp_path / "new.rmf", "ogip").exact
    forefold.export_matrix(format_matrices.exact(), path, "ogip", area=2.0, overwrite=True)
    assert path.read_bytes() == content
