"""Bins of two quantities that are no grid: one axis of numbered bins that keeps their limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import Run, refused

import forefold
from forefold.matrix import Prediction, from_json, to_json
from forefold.matrix.axes import bin_name, side_axes
from forefold.matrix.irregular import bin_labels, bin_limits, irregular_axis

# slices of the cosine, each with its own bins of momentum
COSINE = np.array([[-1.0, 0.0], [-1.0, 0.0], [0.0, 0.6], [0.0, 0.6], [0.0, 0.6], [0.6, 1.0]])
MOMENTUM = np.array([[0.0, 0.4], [0.4, 2.0], [0.0, 0.3], [0.3, 0.7], [0.7, 2.0], [0.1, 2.5]])
LIMITS = {"cos_theta_mu": COSINE, "p_mu": MOMENTUM}
VALUES = np.array([5.0, 7.0, 11.0, 13.0, 17.0, 19.0])
ROWS = np.diag([0.5, 0.55, 0.6, 0.65, 0.7, 0.75]) + 0.05 * np.eye(6, k=1)


def column(name: str, limits: Any, unit: str = "") -> Any:
    return {
        "header": {"name": name} | ({"units": unit} if unit else {}),
        "values": [{"low": a, "high": b} for a, b in np.asarray(limits).tolist()],
    }


def table(path: Path, independent: list[Any], values: Any, name: str = "n") -> Path:
    rows = [{"value": float(v), "errors": [{"symerror": 1.0, "label": "a"}]} for v in values]
    dependent = [{"header": {"name": name}, "values": rows}]
    path.write_text(
        json.dumps({"independent_variables": independent, "dependent_variables": dependent})
    )
    return path


def spectrum(folder: Path, values: Any = VALUES, momentum: Any = MOMENTUM) -> Path:
    both = [column("cos theta_mu", COSINE), column("p_mu", momentum, "GeV/c")]
    return table(folder / "xsec.json", both, values)


def response(folder: Path) -> Path:
    """All cells but those that are 0, reconstructed bins as true ones."""
    i, j = np.nonzero(ROWS)
    both = [
        column("True cos", COSINE[i]),
        column("True p", MOMENTUM[i], "GeV/c"),
        column("Reco cos", COSINE[j]),
        column("Reco p", MOMENTUM[j], "GeV/c"),
    ]
    return table(folder / "R.json", both, ROWS[i, j], "R")


def test_rows_are_bins_in_their_order(tmp_path: Path) -> None:
    found = forefold.import_spectrum(spectrum(tmp_path), "hepdata")
    np.testing.assert_array_equal(found.values, VALUES)
    (axis,) = found.histogram.axes
    assert (len(axis), axis.name) == (6, "cos_theta_mu_p_mu")
    for key, each in bin_limits(axis).items():
        np.testing.assert_array_equal(each, LIMITS[key])
    assert bin_labels(axis) == {"cos_theta_mu": "cos theta_mu", "p_mu": "p_mu [GeV/c]"}
    assert "6 irregular bins are one axis of numbered bins, which keeps their limits" in found.notes
    assert bin_name([axis], 3) == "bin 3 (cos_theta_mu 0 to 0.6, p_mu 0.3 to 0.7)"
    wide = forefold.import_spectrum(tmp_path / "xsec.json", "hepdata", density=True)
    areas = np.diff(COSINE, axis=1)[:, 0] * np.diff(MOMENTUM, axis=1)[:, 0]
    np.testing.assert_allclose(wide.values, VALUES * areas)
    np.testing.assert_allclose(np.diag(wide.covariances["a"]), areas**2)


def test_limits_come_back_from_files(tmp_path: Path) -> None:
    found = forefold.import_spectrum(spectrum(tmp_path), "hepdata")
    (tmp_path / "s.json").write_text(found.to_json())
    back = forefold.import_spectrum(tmp_path / "s.json", "uhi")
    for key, each in bin_limits(back.histogram.axes[0]).items():
        np.testing.assert_array_equal(each, LIMITS[key])
    assert from_json(to_json(found.histogram)) == found.histogram


def test_a_grid_stays_one_and_a_hole_makes_it_irregular(tmp_path: Path) -> None:
    x, y = [[0, 1], [1, 2], [0, 1], [1, 2]], [[0, 1], [0, 1], [1, 3], [1, 3]]
    whole = table(tmp_path / "g.json", [column("x", x), column("y", y)], [1, 2, 3, 4])
    assert forefold.import_spectrum(whole, "hepdata").histogram.values().tolist() == [
        [1, 3],
        [2, 4],
    ]
    holed = table(tmp_path / "h.json", [column("x", x[:3]), column("y", y[:3])], [1, 2, 3])
    found = forefold.import_spectrum(holed, "hepdata").histogram
    assert found.values().tolist() == [1, 2, 3]
    assert bin_limits(found.axes[0])["y"].tolist() == y[:3]
    gap = table(tmp_path / "gap.json", [column("x", [[0, 1], [2, 3]])], [1, 2])
    assert bin_limits(forefold.import_spectrum(gap, "hepdata").histogram.axes[0])["x"].tolist() == [
        [0, 1],
        [2, 3],
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((3, [0.2, 0.7]), r"bins 2 \(cos_theta_mu 0 to 0\.6, p_mu 0 to 0\.3\) and 3 overlap"),
        ((1, [0.4, 0.4]), r"p_mu: row 2 is 0\.4 to 0\.4; the lower limit comes first"),
        ((4, [0.3, 0.7]), "bins 3 .* and 4 overlap"),
    ],
)
def test_bins_that_are_none_are_refused(change: Any, words: str, tmp_path: Path) -> None:
    momentum = MOMENTUM.copy()
    momentum[change[0]] = change[1]
    with pytest.raises(ValueError, match=rf"xsec\.json: {words}"):
        forefold.import_spectrum(spectrum(tmp_path, momentum=momentum), "hepdata")


def test_a_matrix_of_irregular_bins_folds_such_a_spectrum(tmp_path: Path, run: Run) -> None:
    found = forefold.import_matrix(response(tmp_path), "hepdata", errors=[])
    np.testing.assert_array_equal(found.matrix, ROWS)
    assert [axis.name for axis in (*found.true_axes, *found.reco_axes)] == [
        "cos_p_true",
        "cos_p_reco",
    ]
    assert "6 irregular bins are one axis" in repr(found)
    np.testing.assert_array_equal(bin_limits(found.reco_axes[0])["p_reco"], MOMENTUM)
    assert forefold.ResponseMatrix.from_json(found.to_json()) == found
    own = [column("cos", COSINE), column("p", MOMENTUM, "GeV/c")]
    theory = forefold.import_spectrum(table(tmp_path / "t.json", own, VALUES), "hepdata")
    with pytest.raises(ValueError, match="has bins of cos, p, the matrix of cos_true, p_true"):
        forefold.fold(theory.histogram, found)
    own = [column("True cos", COSINE), column("True p", MOMENTUM, "GeV/c")]
    theory = forefold.import_spectrum(table(tmp_path / "t.json", own, VALUES), "hepdata")
    folded = forefold.fold(theory.histogram, found)
    np.testing.assert_allclose(folded.values, VALUES @ ROWS)
    assert bin_limits(folded.histogram.axes[0])["cos_reco"].tolist() == COSINE.tolist()
    result = forefold.unfold(folded, found, method="inversion")
    np.testing.assert_allclose(result.values, VALUES, rtol=1e-9)
    stored, model, out = (tmp_path / f"{name}.json" for name in ("Rm", "m", "o"))
    stored.write_text(found.to_json())
    model.write_text(theory.to_json())
    assert run("fold", str(model), str(stored), "-o", str(out)).code == 0
    there = Prediction.from_json(out.read_text())
    np.testing.assert_allclose(there.values, VALUES @ ROWS)
    shifted = MOMENTUM.copy()
    shifted[5] = [0.2, 2.5]
    other = [column("True cos", COSINE), column("True p", shifted, "GeV/c")]
    model.write_text(
        forefold.import_spectrum(table(tmp_path / "u.json", other, VALUES), "hepdata").to_json()
    )
    refused(
        run("fold", str(model), str(stored)),
        "has bin 5 at p_true 0.2 to 2.5, the matrix at 0.1 to 2.5",
    )


def test_a_matrix_of_irregular_bins_goes_out_and_comes_in(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    found = forefold.import_matrix(response(tmp_path), "hepdata", errors=[])
    forefold.export_matrix(found, tmp_path / "out", "hepdata")
    back = forefold.import_matrix(tmp_path / "out", "hepdata", true_axes=2)
    np.testing.assert_allclose(back.matrix, ROWS)
    for mine, other in zip(
        (*back.true_axes, *back.reco_axes), (*found.true_axes, *found.reco_axes), strict=True
    ):
        assert bin_limits(mine).keys() == bin_limits(other).keys()
        for a, b in zip(bin_limits(mine).values(), bin_limits(other).values(), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"has irregular bins, .* none are joined"):
        found.rebin(cos_p_reco=2)


def test_a_cell_in_two_rows_is_refused(tmp_path: Path) -> None:
    path = response(tmp_path)
    content = json.loads(path.read_text())
    for each in (*content["independent_variables"], *content["dependent_variables"]):
        each["values"].append(each["values"][2])
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"R\.json: rows 3 and 12 are of the same bin"):
        forefold.import_matrix(path, "hepdata")


def test_an_axis_of_irregular_bins_keeps_them_under_another_name() -> None:
    axis = irregular_axis(LIMITS)
    (made,) = side_axes(axis, "true")
    assert made.name == "cos_theta_mu_p_mu_true"
    np.testing.assert_array_equal(bin_limits(made)["p_mu"], MOMENTUM)
    with pytest.raises(ValueError, match=r"limits of shapes \(2, 2\), \(6, 2\)"):
        irregular_axis({"a": MOMENTUM, "b": COSINE[:2]})
    with pytest.raises(ValueError, match="bin 1 is a 0 to inf; finite limits"):
        irregular_axis({"a": [[0.0, 1.0], [0.0, np.inf]]})


@pytest.mark.parametrize(
    "notes",
    ["{", "3", '{"p": 3}', '{"p": {"label": "p", "bins": [[0, 1]]}}', '{"p": {"bins": []}}'],
)
def test_limits_in_files_must_be_limits(notes: str, tmp_path: Path) -> None:
    found = forefold.import_spectrum(spectrum(tmp_path), "hepdata").histogram
    content = json.loads(to_json(found))
    content["axes"][0]["metadata"]["forefold_bins"] = notes
    with pytest.raises(ValueError, match="limits of the irregular bins of axis"):
        from_json(json.dumps(content))
