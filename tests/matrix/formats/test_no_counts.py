"""Numbers that are not what they would be taken for: means, axes alone, cross sections, words and times of day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from cli_runs import Run, refused

import forefold
from forefold.matrix import from_json, to_json
from forefold.matrix.contents import are_counts

EDGES = [0.0, 1.0, 2.5]
ROWS = [[0.6, 0.2], [0.1, 0.8]]
MEANS = [hist.storage.Mean(), hist.storage.WeightedMean()]


def axis(name: str = "e") -> Any:
    return hist.axis.Variable(EDGES, name=name)


def means(storage: Any, *axes: Any) -> Any:
    made: Any = hist.Hist(*(axes or (axis(),)), storage=storage)
    made.fill(*([0.5, 0.6, 2.0] for _ in made.axes), sample=[3.0, 5.0, 7.0])
    return made


def matrix() -> forefold.ResponseMatrix:
    return forefold.ResponseMatrix.from_array(ROWS, {"e": EDGES}, {"e": EDGES}, truth=[50.0, 70.0])


USES: dict[str, Callable[[Any, Path], Any]] = {
    "fold": lambda h, _: forefold.fold(h, matrix()),
    "unfold": lambda h, _: forefold.unfold(h, matrix(), method="inversion"),
    "background": lambda h, _: forefold.unfold(
        [40.0, 60.0], matrix(), method="inversion", background=h
    ),
    "prior": lambda h, _: forefold.unfold(
        [40.0, 60.0], matrix(), method="bayes", iterations=2, prior=h
    ),
    "truth": lambda h, _: forefold.Experiment(h, matrix()),
    "data": lambda h, _: forefold.Experiment(matrix().truth, matrix()).fit(h),
    "pyhf": lambda h, p: forefold.export_matrix(matrix(), p / "ws.json", "pyhf", signal=h),
}


@pytest.mark.parametrize("storage", MEANS)
@pytest.mark.parametrize("use", list(USES))
def test_means_are_no_contents(use: str, storage: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of kind MEAN, whose values are means"):
        USES[use](means(storage), tmp_path)


@pytest.mark.parametrize("storage", MEANS)
def test_means_in_files_are_no_contents(storage: Any, tmp_path: Path, run: Run) -> None:
    path, stored = tmp_path / "means.json", tmp_path / "R.json"
    stored.write_text(matrix().to_json())
    path.write_text(to_json(means(storage)))
    assert from_json(path.read_text()).kind == "MEAN"  # a histogram all the same
    with pytest.raises(ValueError, match=r"means\.json: a spectrum: .* means"):
        forefold.import_spectrum(path, "uhi")
    for command in (
        ("fold", path, stored),
        ("unfold", path, stored, "--method", "inversion"),
        ("fit", path, stored),
        ("limit", path, stored),
        ("import", "uhi", path, "--spectrum"),
    ):
        refused(run(*map(str, command)), "means.json: a spectrum: a histogram of kind MEAN")
    path.write_text(to_json(means(storage, axis("e_true"), axis("e_reco"))))
    with pytest.raises(ValueError, match=r"means\.json: the histogram: .* means"):
        forefold.import_matrix(path, "uhi")
    counts = means(storage, axis("t"), axis("r"))
    with pytest.raises(ValueError, match="counts: a histogram of kind MEAN"):
        forefold.ResponseMatrix.from_histograms(counts, hist.Hist(axis("t")))


@pytest.mark.parametrize("kind", ["int", "double", "weighted", "mean", "weighted_mean"])
def test_axes_without_contents_are_no_histogram(kind: str, tmp_path: Path, run: Run) -> None:
    content = json.loads(to_json(hist.Hist(axis())))
    content["storage"] = {"type": kind}
    path = tmp_path / "axes.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"its storage '{kind}' has no 'values'"):
        from_json(path.read_text())
    refused(
        run("import", "uhi", str(path), "--spectrum"),
        f"axes.json: not a UHI histogram (schema 1): its storage '{kind}' has no 'values'",
    )
    # neither is a part of a matrix
    parts = json.loads(matrix().to_json())
    parts["truth"]["storage"] = {"type": "weighted"}
    with pytest.raises(ValueError, match="storage 'weighted' has no 'values'"):
        forefold.ResponseMatrix.from_json(json.dumps(parts))


@pytest.mark.parametrize("values", [[True, False, True, True], ["1", "2", "3", "4"], [None] * 4])
def test_contents_are_numbers(values: Any) -> None:
    content = json.loads(to_json(hist.Hist(axis())))
    content["storage"]["values"] = values
    with pytest.raises(ValueError, match="not a UHI histogram"):
        from_json(json.dumps(content))


@pytest.mark.parametrize("place", ["axes", "metadata"])
@pytest.mark.parametrize("key", ["label", "name"])
@pytest.mark.parametrize("value", [True, 3, 0.5])
def test_names_and_labels_are_texts(place: str, key: str, value: Any) -> None:
    parts = json.loads(matrix().to_json())
    target = parts["truth"]["axes"][0] if place == "axes" else parts["truth"]
    target["metadata"][key] = value
    with pytest.raises(ValueError, match=rf"the {key} of .* is a text, found {value!r}"):
        forefold.ResponseMatrix.from_json(json.dumps(parts))


def table(values: str, header: str = "{name: n}", low: str = "0") -> str:
    return (
        "independent_variables:\n- header: {name: e, units: GeV}\n"
        f"  values: [{{low: {low}, high: 1}}, {{low: 1, high: 2.5}}]\n"
        f"dependent_variables:\n- header: {header}\n  values: [{values}]\n"
    )


ODD = ["yes", "no", "on", "true", "1:30", "1:30.5", ".nan", ".inf", "-.inf", "010", "0x1f", "1_000"]
ODD += ["'-'", "''", "~", "1e999", "2020-01-01"]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_number_in_a_table_is_refused(odd: str, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(table(f"{{value: 3}}, {{value: {odd}}}"))
    with pytest.raises(ValueError, match=r"t\.yaml: n: a number .* value of row 2: .* no finite"):
        forefold.import_spectrum(path, "hepdata")
    path.write_text(table("{value: 3}, {value: 4}", low=odd))
    with pytest.raises(ValueError, match=r"t\.yaml: e: every row needs .*: low of row 1: "):
        forefold.import_spectrum(path, "hepdata")
    if odd in ("''", "~"):  # an empty side of an error is 0, as HEPData has it
        return
    path.write_text(table(f"{{value: 3, errors: [{{symerror: {odd}, label: a}}]}}, {{value: 4}}"))
    with pytest.raises(ValueError, match=r"t\.yaml: row 1: error 'a' is .*finite number"):
        forefold.import_spectrum(path, "hepdata")


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "true", "null", '"1_0"'])
def test_what_is_no_number_in_json_is_refused(odd: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    text = (
        '{"independent_variables": [{"header": {"name": "e"}, "values": [{"low": 0, "high": 1}]}],'
        '"dependent_variables": [{"header": {"name": "n"}, "values": [{"value": ODD}]}]}'
    )
    path.write_text(text.replace("ODD", odd))
    with pytest.raises(ValueError, match=r"t\.json: n: .* value of row 1: .* no finite number"):
        forefold.import_spectrum(path, "hepdata")


def test_numbers_as_others_write_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(
        table("{value: 1e-05}, {value: '+3.50E+2'}", header="{name: on, units: events}")
    )
    found = forefold.import_spectrum(path, "hepdata", name="on")
    np.testing.assert_array_equal(found.values, [1e-5, 350.0])


@pytest.mark.parametrize(
    ("unit", "values", "counts"),
    [
        ("", (12.0, 7.0), True),
        ("events", (12.5, 7.0), True),
        ("Number of events / bin", (12.5, 7.0), True),
        ("events per bin", (12.5, 7.0), True),
        ("pb/GeV", (12.0, 7.0), False),
        ("", (3.1e-39, 8.2e-39), False),
        ("events/GeV", (12.0, 7.0), False),
    ],
)
def test_only_counts_are_taken_for_counts(
    unit: str, values: tuple[float, float], counts: bool, tmp_path: Path, run: Run
) -> None:
    path, stored, data = tmp_path / "t.yaml", tmp_path / "R.json", tmp_path / "d.json"
    stored.write_text(matrix().to_json())
    path.write_text(
        table(", ".join(f"{{value: {v}}}" for v in values), f"{{name: n, units: '{unit}'}}")
    )
    found = forefold.import_spectrum(path, "hepdata")
    assert found.covariance is None
    assert ("counts" in found.notes[0]) is counts
    data.write_text(found.to_json())
    # what was said at import is known afterwards
    for given in (found, found.histogram, from_json(data.read_text())):
        if counts:
            result = forefold.unfold(given, matrix(), method="inversion")
            assert np.all(np.diag(result.covariance) > 0.0)
            continue
        with pytest.raises(ValueError, match="data without errors, and of no counts"):
            forefold.unfold(given, matrix(), method="inversion")
        with pytest.raises(ValueError, match="data without errors, and of no counts"):
            forefold.Experiment(matrix().truth, matrix()).fit(given)
    folded = forefold.fold(found.histogram, matrix())
    np.testing.assert_allclose(folded.values, np.array(values) @ np.array(ROWS))
    back = forefold.unfold(found, matrix(), method="inversion", covariance=np.square(values))
    np.testing.assert_allclose(back.values @ np.array(ROWS), values, rtol=1e-9)
    asked = run("unfold", str(data), str(stored), "--method", "inversion")
    assert asked.code == (0 if counts else 2)


def test_a_density_of_events_is_made_counts(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(table("{value: 12}, {value: 8}", "{name: n, units: events/GeV}"))
    found = forefold.import_spectrum(path, "hepdata", density=True)
    np.testing.assert_allclose(found.values, [12.0, 12.0])
    assert "taken for counts" in found.notes[0]


@pytest.mark.parametrize("unit", ["events/GeV", "1e-38 cm2/GeV/nucleon", "cm$^2$ GeV$^{-1}$"])
def test_values_per_energy_are_noted_unless_widths_are_asked_for(unit: str, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    errors = "{value: 12, errors: [{symerror: 3}]}, {value: 8, errors: [{symerror: 2}]}"
    path.write_text(table(errors, f"{{name: n, units: '{unit}'}}"))
    found = forefold.import_spectrum(path, "hepdata")
    assert found.values.tolist() == [12.0, 8.0]
    assert f"values in {unit} are taken as they are: density=True" in found.notes[-1]
    asked = forefold.import_spectrum(path, "hepdata", density=True)
    assert not any("taken as they are" in note for note in asked.notes)
    np.testing.assert_allclose(asked.values, [12.0, 12.0])
    path.write_text(path.read_text().replace("units: GeV", "units: MeV", 1))
    with pytest.raises(ValueError, match=r"t\.yaml: values are in .*, and bins of e in MeV"):
        forefold.import_spectrum(path, "hepdata", density=True)
    path.write_text(table(errors, "{name: n, units: 1e-38 cm2/nucleon}"))
    notes = forefold.import_spectrum(path, "hepdata").notes
    assert not any("taken as they are" in note for note in notes)


def test_negative_variances_and_other_schemas_are_no_histogram(tmp_path: Path) -> None:
    content = json.loads(to_json(hist.Hist(axis(), storage=hist.storage.Weight())))
    content["storage"]["variances"][1] = -1.0
    path = tmp_path / "h.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"h\.json: .* negative variance -1"):
        forefold.import_spectrum(path, "uhi")
    with pytest.raises(ValueError, match="it is of schema 2"):
        from_json(json.dumps(content | {"uhi_schema": 2}))


def test_masks_and_imaginary_parts_are_not_dropped() -> None:
    response = [[0.5, 0.3], [0.1, 0.7]]
    masked = np.ma.masked_greater([10.0, 99.0], 50.0)
    with pytest.raises(ValueError, match="the spectrum: 1 of 2 values is masked"):
        forefold.fold(masked, response)
    with pytest.raises(ValueError, match="matrix: 1 of 4 values is masked"):
        forefold.fold([1.0, 2.0], np.ma.masked_equal(response, 0.1))
    for values, matrix in (([1j, 2.0], response), ([1.0, 2.0], np.array(response) + 1j)):
        with pytest.raises(ValueError, match="complex numbers; real ones are needed"):
            forefold.fold(np.array(values), matrix)


def test_next_to_nothing_is_no_counts() -> None:
    assert are_counts([0.0, 0.0])
    assert are_counts([1e-3, 0.0])
    assert not are_counts([1e-9, -1e-9])
    with pytest.raises(ValueError, match="data without errors, and of no counts"):
        forefold.unfold([4e-39, 6e-39], matrix(), method="inversion")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((1, 0), "1 of 2 rows has no error where others have: the variance of row 2 is 0"),
        ((1, 1), ""),
        ((0, 0), ""),
    ],
)
def test_rows_without_an_error_among_others_are_said(
    rows: tuple[int, ...], words: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "t.yaml"
    error = ", errors: [{symerror: 2, label: A}]"
    path.write_text(table(", ".join(f"{{value: 9{error * k}}}" for k in rows)))
    read = run("import", "hepdata", str(path), "--spectrum", "-o", str(tmp_path / "o.json"))
    assert read.code == 0
    assert ("no error where" in read.err) is bool(words)
    assert words in read.err


def test_an_error_that_is_stated_as_nothing_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(
        table("{value: 9, errors: [{symerror: 2}]}, {value: 0, errors: [{symerror: 0}]}")
    )
    found = forefold.import_spectrum(path, "hepdata")
    assert not any("no error where" in each for each in found.notes)
    np.testing.assert_array_equal(np.diag(found.covariances["error"]), [4.0, 0.0])
