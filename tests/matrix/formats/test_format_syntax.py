"""GLoBES and SNOwGLoBES files, read by a small parser that was written from their manuals, not from the writer."""

from __future__ import annotations

import re
from pathlib import Path

import format_matrices
import numpy as np
import pytest

import forefold


class Aedl:
    """AEDL as the GLoBES manual describes it: tokens, one at a time; what it does not know is an error."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/", "", text)
        pattern = (
            r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?)|([$%#@]?[A-Za-z][A-Za-z0-9_]*)|([{}<>():;,=]))"
        )
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            token = re.compile(pattern).match(text, at)
            assert token, f"not AEDL: {text[at : at + 30]!r}"
            self.tokens.append(token[1] or token[2] or token[3])
            at = token.end()
        self.scalars: dict[str, float] = {}
        self.lists: dict[str, list[float]] = {}
        self.energy: dict[str, list[list[float]]] = {}
        while self.tokens:
            self.statement()

    def take(self, expected: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert expected is None or token == expected, f"{token!r} where {expected!r} is needed"
        return token

    def statement(self) -> None:
        name = self.take()
        if name == "energy":
            self.environment()
            return
        assert name[0] in "$%"
        self.take("=")
        if self.tokens[0] == "{":
            self.lists[name] = self.numbers()
        else:
            self.scalars[name] = float(self.take())

    def environment(self) -> None:
        self.take("(")
        name = self.take()
        assert name.startswith("#")
        for token in (")", "<", "@energy", "="):
            self.take(token)
        rows = [self.numbers()]
        while self.tokens[0] == ":":
            self.take(":")
            rows.append(self.numbers())
        self.take(";")
        self.take(">")
        self.energy[name] = rows

    def numbers(self) -> list[float]:
        self.take("{")
        found = [float(self.take())]
        while self.tokens[0] == ",":
            self.take(",")
            found.append(float(self.take()))
        self.take("}")
        return found

    def kernel(self, name: str, bins: int, points: int) -> np.ndarray:
        """K_ij: bins are rows, sampling points columns, both from 0."""
        rows = self.energy[name]
        assert len(rows) == bins
        found = np.zeros((bins, points))
        for i, (first, last, *values) in enumerate(rows):
            assert 0 <= first <= last <= points - 1
            assert len(values) == last - first + 1
            found[i, int(first) : int(last) + 1] = values
        return found


def _read(path: Path) -> Aedl:
    text = path.read_text(encoding="ascii")
    assert text.endswith("\n")
    return Aedl(text)


def test_globes_columns_sum_to_one_and_efficiencies_stand_beside(tmp_path: Path) -> None:
    matrix = format_matrices.filled(even=True)
    forefold.export_matrix(matrix, tmp_path / "dune.dat", "globes", name="dune")
    file = _read(tmp_path / "dune.dat")
    assert (file.scalars["$bins"], file.scalars["$sampling_points"]) == (9, 8)
    assert (file.scalars["$emin"], file.scalars["$emax"]) == (0.5, 5.0)
    assert (file.scalars["$sampling_min"], file.scalars["$sampling_max"]) == (0.5, 4.5)
    kernel = file.kernel("#dune", 9, 8)
    np.testing.assert_allclose(kernel.sum(axis=0), 1.0, rtol=1e-14)
    seen = np.array(file.lists["%dune_efficiency"])
    np.testing.assert_array_equal(seen, matrix.efficiency)
    # GLoBES: n_i = sum over sampling points of rate_j, pre-smearing efficiency_j and K_ij
    rate = np.asarray(matrix.truth.values())
    np.testing.assert_allclose(
        kernel @ (seen * rate), forefold.fold(matrix.truth, matrix).values, rtol=1e-13
    )


def test_globes_efficiency_may_stay_in_the_columns(tmp_path: Path) -> None:
    matrix = format_matrices.exact()
    forefold.export_matrix(matrix, tmp_path / "dune.dat", "globes", efficiency="inside")
    file = _read(tmp_path / "dune.dat")
    kernel = file.kernel("#response", 6, 5)
    np.testing.assert_allclose(kernel.sum(axis=0), matrix.efficiency, rtol=1e-14)
    np.testing.assert_array_equal(kernel.T, matrix.matrix)
    assert "%response_efficiency" not in file.lists
    back = forefold.import_matrix(tmp_path / "dune.dat", "globes")
    np.testing.assert_array_equal(back.matrix, matrix.matrix)


def test_globes_widths_add_up_to_the_range(tmp_path: Path) -> None:
    forefold.export_matrix(format_matrices.exact(), tmp_path / "dune.dat", "globes")
    file = _read(tmp_path / "dune.dat")
    assert "$bins" not in file.scalars
    sums = [sum(file.lists[name]) for name in ("$binsize", "$sampling_stepsize")]
    ends = [file.scalars[name] for name in ("$emax", "$emin", "$sampling_max", "$sampling_min")]
    np.testing.assert_allclose(sums, [ends[0] - ends[1], ends[2] - ends[3]], rtol=1e-15)


def test_globes_has_gev_whatever_the_axes_have(tmp_path: Path) -> None:
    matrix = forefold.ResponseMatrix.from_array([[0.5]], {"t": [1.0, 3.0]}, {"t": [2.0, 4.0]})
    with pytest.raises(
        ValueError, match=r"axis 't_true': GLoBES holds energies, and its label says no unit"
    ):
        forefold.export_matrix(matrix, tmp_path / "a.dat", "globes")
    forefold.export_matrix(matrix, tmp_path / "a.dat", "globes", unit="MeV")
    file = _read(tmp_path / "a.dat")
    assert file.scalars["$sampling_max"] == 0.003
    assert file.scalars["$emin"] == 0.002


def test_globes_more_bins_than_it_counts_become_widths(tmp_path: Path) -> None:
    edges = np.linspace(0.0, 6.0, 602)
    matrix = forefold.ResponseMatrix.from_array(np.eye(601), {"enu": edges}, {"energy": edges})
    forefold.export_matrix(matrix, tmp_path / "a.dat", "globes")
    file = _read(tmp_path / "a.dat")
    assert len(file.lists["$binsize"]) == 601
    back = forefold.import_matrix(tmp_path / "a.dat", "globes")
    np.testing.assert_array_equal(back.matrix, matrix.matrix)


def test_globes_reads_what_others_write(tmp_path: Path) -> None:
    path = tmp_path / "other.glb"
    path.write_text(
        '%!GLoBES\n$version="3.0.0"\n$emin = 1.0 // GeV\n$emax = 4.0\n$bins = 3\n'
        "/* a declaration, a resolution, and a matrix */\nenergy(#later)<>\n"
        "energy(#gauss)<\n @type = 1\n @sigma_e = {0.15, 0.0, 0.0}\n>\n"
        "energy(#later)<\n  @energy = {0,1, 0.8, 2e-1}:\n   {0,2,0.1,.7,0.1}: {2,2,0.9};\n>\n"
    )
    found = forefold.import_matrix(path, "globes", name="later")
    np.testing.assert_array_equal(found.matrix, [[0.8, 0.1, 0.0], [0.2, 0.7, 0.0], [0.0, 0.1, 0.9]])
    assert found.true_axes[0].edges.tolist() == found.reco_axes[0].edges.tolist() == [1, 2, 3, 4]


def test_snowglobes_rows_are_whole_and_efficiencies_ones(tmp_path: Path) -> None:
    matrix = format_matrices.filled(even=True)
    path = tmp_path / "smear_nue_Ar40_ar40kt.dat"
    found = forefold.export_matrix(matrix, path, "snowglobes")
    assert found.notes[0] == "run mode 1, columns 7 to 12 of the channel file: 8 0.5 4.5 9 0.5 5"
    file = _read(path)
    assert all(row[:2] == [0, 7] for row in file.energy["#nue_Ar40_smear"])
    kernel = file.kernel("#nue_Ar40_smear", 9, 8)
    np.testing.assert_allclose(kernel.sum(axis=0), matrix.efficiency, rtol=1e-14)
    np.testing.assert_array_equal(kernel.T, matrix.matrix)
    lines = path.read_text().splitlines()
    assert sum("{" in line for line in lines) == 9  # a row a line, as its readers take them
    effic = (tmp_path / "effic_nue_Ar40_ar40kt.dat").read_text()
    assert effic == "{1, 1, 1, 1, 1, 1, 1, 1, 1}\n"


def test_snowglobes_default_bins_are_known(tmp_path: Path) -> None:
    edges = np.linspace(0.5, 100.0, 201)
    rows = np.eye(200) * 0.9
    matrix = forefold.ResponseMatrix.from_array(rows, {"e": edges}, {"e": edges})
    path = tmp_path / "smear_ibd_halo1.dat"
    found = forefold.export_matrix(matrix, path, "snowglobes", unit="MeV")
    assert found.notes == ("these are the bins of run mode 0",)
    (tmp_path / "effic_ibd_halo1.dat").write_text("{" + ",".join(["0.36"] * 200) + "}")
    with pytest.raises(ValueError, match=r"does not say where they stand .*run_mode=0"):
        forefold.import_matrix(path, "snowglobes")  # 200 bins are those of coherent scattering, too
    back = forefold.import_matrix(path, "snowglobes", run_mode=0)
    np.testing.assert_allclose(back.matrix, rows * 0.36, rtol=1e-15)
    np.testing.assert_allclose(back.true_axes[0].edges, edges / 1000.0, rtol=1e-14)


def test_hepdata_small_numbers_are_numbers_in_yaml(tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-05, without a point, for a word."""
    yaml = pytest.importorskip("yaml")
    rows = [[1e-5, 0.5, 2.5e-17], [3e-20, 0.0, 1.0]]
    matrix = forefold.ResponseMatrix.from_array(
        rows, {"t": [0.0, 1e-7, 1.0]}, {"t": [0, 1, 2, 1e20]}
    )
    forefold.export_matrix(matrix, tmp_path / "sub", "hepdata")
    table = yaml.safe_load((tmp_path / "sub" / "response.yaml").read_text())
    values = [each["value"] for each in table["dependent_variables"][0]["values"]]
    assert values == [cell for row in rows for cell in row]
    limits = [each["high"] for each in table["independent_variables"][1]["values"]]
    assert limits[:3] == [1.0, 2.0, 1e20]
    assert [type(each) for each in (*values, *limits)] == [float] * 12
