"""Tables of HEPData as others write them: units, sides, errors row by row, keys that are there twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forefold

ROWS = [[0.7, 0.1], [0.2, 0.6]]
LOW = [(0.0, 1.0), (1.0, 2.0)]


def written(
    folder: Path,
    errors: list[Any] | None = None,
    headers: tuple[Any, Any] = (
        {"name": "True energy", "units": "GeV"},
        {"name": "Reco energy", "units": "GeV"},
    ),
) -> Path:
    places = [(i, j) for i in (0, 1) for j in (0, 1)]
    independent = [
        {
            "header": header,
            "values": [dict(zip(("low", "high"), LOW[p[k]], strict=True)) for p in places],
        }
        for k, header in enumerate(headers)
    ]
    rows: list[dict[str, Any]] = [{"value": ROWS[i][j]} for i, j in places]
    for row, each in zip(rows, errors or [], strict=False):
        row["errors"] = each
    dependent = [{"header": {"name": "R"}, "values": rows}]
    path = folder / "table.json"
    text = {"independent_variables": independent, "dependent_variables": dependent}
    path.write_text(json.dumps(text))
    return path


def described(matrix: forefold.ResponseMatrix) -> list[tuple[str, str]]:
    return [(axis.name, axis.label) for axis in (*matrix.true_axes, *matrix.reco_axes)]


def test_units_and_sides_of_headers_are_kept(tmp_path: Path) -> None:
    matrix = forefold.import_matrix(written(tmp_path), "hepdata")
    assert described(matrix) == [
        ("energy_true", "True energy [GeV]"),
        ("energy_reco", "Reco energy [GeV]"),
    ]
    # so that a format of energies takes it
    forefold.export_matrix(matrix, tmp_path / "g.dat", "globes")
    back = forefold.import_matrix(tmp_path / "g.dat", "globes")
    np.testing.assert_allclose(back.matrix, ROWS)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            ({"name": "E", "units": "MeV"}, {"name": "E", "units": "MeV"}),
            [("e_true", "True E [MeV]"), ("e_reco", "Reconstructed E [MeV]")],
        ),
        (
            ({"name": "Energy (true)"}, {"name": "Reconstructed energy"}),
            [("energy_true", "Energy (true)"), ("energy_reco", "Reconstructed energy")],
        ),
        (
            ({"name": "x"}, {"name": "y"}),
            [("x_true", "True x"), ("y_reco", "Reconstructed y")],
        ),
        (
            ({"name": "True"}, {"name": "Reco", "units": "GeV"}),
            [("true", "True"), ("reco", "Reco [GeV]")],
        ),
    ],
)
def test_axes_are_named_by_headers(
    headers: tuple[Any, Any], found: list[tuple[str, str]], tmp_path: Path
) -> None:
    matrix = forefold.import_matrix(written(tmp_path, headers=headers), "hepdata")
    assert described(matrix) == found


def test_labels_of_a_matrix_come_back(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    first = forefold.import_matrix(written(tmp_path), "hepdata")
    forefold.export_matrix(first, tmp_path / "out", "hepdata")
    assert described(forefold.import_matrix(tmp_path / "out", "hepdata")) == described(first)


def test_a_matrix_is_not_turned_without_a_word(tmp_path: Path) -> None:
    turned = ({"name": "Reco E", "units": "GeV"}, {"name": "True E", "units": "GeV"})
    path = written(tmp_path, headers=turned)
    with pytest.raises(ValueError, match="e_reco, e_true: true ones are needed first"):
        forefold.import_matrix(path, "hepdata")


STAT = {"symerror": 0.02, "label": "stat"}


def test_only_errors_that_are_read_are_told(tmp_path: Path) -> None:
    sides = {"asymerror": {"plus": 0.03, "minus": -0.01}, "label": "sys"}
    path = written(tmp_path, [[STAT, sides], [STAT]])
    assert "(errors of 2 cells (stat)," in repr(
        forefold.import_matrix(path, "hepdata", errors=["stat"])
    )
    whole = repr(forefold.import_matrix(path, "hepdata"))
    assert "(stat, sys; 1 asymmetric one made symmetric)" in whole


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ("stat", r"row 2: errors: a list .* is needed, found 'stat'"),
        ({"symerror": 0.1}, r"row 2: errors: a list"),
        ([0.1], r"row 2: errors: a list"),
        ([{"asymerror": {"plus": 1}, "label": "a"}], "row 2: asymerror of 'a' has no minus"),
        ([{"asymerror": {"minus": -1}, "label": "a"}], "row 2: asymerror of 'a' has no plus"),
        ([{"asymerror": 0.1, "label": "a"}], "row 2: asymerror of 'a' is '0.1'; plus and minus"),
        ([{"label": "a"}], "row 2: error 'a' has neither symerror nor asymerror"),
        ([{"symerror": "few", "label": "a"}], "row 2: error 'a' is 'few'"),
    ],
)
def test_what_is_wrong_with_errors_names_the_row(errors: Any, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, [[STAT], errors])
    with pytest.raises(ValueError, match=rf"table\.json: {words}") as told:
        forefold.import_matrix(path, "hepdata")
    assert "Error " not in str(told.value)


def test_a_blank_side_is_none(tmp_path: Path) -> None:
    sides = {"asymerror": {"plus": 0.04, "minus": ""}}
    found = forefold.import_matrix(written(tmp_path, [[sides]]), "hepdata")
    np.testing.assert_allclose(found.variance[0, 0], 0.02**2)


def test_a_key_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = written(tmp_path).read_text()
    twice = text.replace('"value": 0.7', '"value": 0.7, "value": 0.1')
    for name, words in {
        "twice.json": "the key 'value' is there twice in one object",
        "twice.yaml": "line 1: the key 'value' is there twice in one mapping",
    }.items():
        (tmp_path / name).write_text(twice)
        with pytest.raises(ValueError, match=f"{name}: {words}"):
            forefold.import_matrix(tmp_path / name, "hepdata")
    # a merge of YAML that is overruled is none
    merged = text.replace('{"value": 0.7', '{"<<": {"value": 0.3}, "value": 0.7')
    (tmp_path / "merged.yaml").write_text(merged.replace('"<<"', "<<"))
    found = forefold.import_matrix(tmp_path / "merged.yaml", "hepdata")
    np.testing.assert_allclose(found.matrix, ROWS)


def test_columns_of_one_name_are_told_apart_by_number_and_qualifiers(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = json.loads(path.read_text())
    (one,) = content["dependent_variables"]
    other = json.loads(json.dumps(one))
    for each in other["values"]:
        each["value"] *= 0.5
    for column, energy in ((one, 7000), (other, 8000)):
        column["qualifiers"] = [{"name": "SQRT(S)", "units": "GeV", "value": energy}]
    content["dependent_variables"] = [one, other]
    path.write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=r"R #1 \(SQRT\(S\) 7000 GeV\), R #2 \(SQRT\(S\) 8000 GeV\); say which"
    ):
        forefold.import_matrix(path, "hepdata")
    with pytest.raises(ValueError, match="no dependent variable 'R'"):
        forefold.import_matrix(path, "hepdata", name="R")
    first, second = (forefold.import_matrix(path, "hepdata", name=f"R #{k}") for k in (1, 2))
    np.testing.assert_allclose(first.matrix, ROWS)
    np.testing.assert_allclose(second.matrix, 0.5 * np.array(ROWS))
