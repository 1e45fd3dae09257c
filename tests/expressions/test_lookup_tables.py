"""Tables against scipy and numpy, and against wrong input."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import hist
import numpy as np
import pytest
import uhi.io.json
from scipy.interpolate import RegularGridInterpolator

from forefold.expressions import parse
from forefold.expressions.compile import compile_formula
from forefold.expressions.tables import Table

RNG = np.random.default_rng(41)
AXES = [np.sort(RNG.uniform(0, 1, n)) for n in (5, 90, 4)]


def points(dimensions: int, n: int = 2000) -> Any:
    """Some inside, some outside, some on the grid."""
    x = RNG.uniform(-0.2, 1.2, (dimensions, n))
    for row, axis in zip(x, AXES, strict=False):
        row[:200] = RNG.choice(axis, 200)
    return x


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_bins_like_numpy(dimensions: int) -> None:
    axes, x = AXES[:dimensions], points(dimensions)
    values = RNG.normal(size=[axis.size - 1 for axis in axes])
    places, inside = [], np.ones(x.shape[1], bool)
    for axis, row in zip(axes, x, strict=True):
        index = np.searchsorted(axis, row, side="right") - 1
        places.append(np.clip(index, 0, axis.size - 2))
        inside &= (row >= axis[0]) & (row <= axis[-1])
    clamped = values[tuple(places)]
    assert np.array_equal(Table.from_lists(axes, values)(*x), clamped)
    for outside, number in (("nan", np.nan), (0.25, 0.25)):
        found = Table.from_lists(axes, values, outside=outside)(*x)  # type: ignore[arg-type]
        assert np.array_equal(found, np.where(inside, clamped, number), equal_nan=True)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_linear_like_scipy(dimensions: int) -> None:
    """Sums of up to 8 products of numbers of size 1: within some units of their last places."""
    axes, x = AXES[:dimensions], points(dimensions)
    values = RNG.uniform(0, 1, [axis.size for axis in axes])
    scipy = RegularGridInterpolator(axes, values, bounds_error=False, fill_value=np.nan)
    found = Table.from_lists(axes, values, "linear", "nan")(*x)
    np.testing.assert_allclose(found, scipy(x.T), rtol=0, atol=4e-15)
    moved = np.stack([np.clip(r, a[0], a[-1]) for r, a in zip(x, axes, strict=True)])
    found = Table.from_lists(axes, values, "linear")(*x)
    np.testing.assert_allclose(found, scipy(moved.T), rtol=0, atol=4e-15)


def test_linear_is_exact_at_the_points() -> None:
    values = RNG.normal(size=[axis.size for axis in AXES])
    grid = np.meshgrid(*AXES, indexing="ij")
    assert np.array_equal(Table.from_lists(AXES, values, "linear", -1.0)(*grid), values)


def test_edges_belong_to_the_bin_above_but_for_the_last() -> None:
    table = Table.from_lists([[0.0, 1.0, np.inf]], [1.0, 2.0], outside=-1.0)
    x = [-0.1, 0.0, np.nextafter(1.0, 0.0), 1.0, 1e300, np.inf, -np.inf]
    assert table(x).tolist() == [-1.0, 1.0, 1.0, 2.0, 2.0, 2.0, -1.0]


@pytest.mark.parametrize("outside", ["clamp", "nan", 3.0])
@pytest.mark.parametrize(("interpolation", "size"), [("none", 1), ("linear", 2)])
def test_unknown_coordinates_have_no_value(interpolation: Any, size: int, outside: Any) -> None:
    values = np.zeros((size, size))
    table = Table.from_lists([[0, 1], [0, 1]], values, interpolation, outside)
    assert np.isnan(table([np.nan, 0.5], [0.5, np.nan])).all()


def test_in_a_formula() -> None:
    tables = {
        "eff": Table.from_lists([[0, 1, 2], [0, 1, 2]], [[1, 2], [3, 4]], outside=0.0),
        "gain": Table.from_lists([[0, 2]], [1, 3], "linear"),
    }
    formula = parse(
        "0.5 * eff(p, gain(p) / 2) + gain(p)", {"p": "number"}, {"gain": 1, "eff": 2, "none": 3}
    )
    program = compile_formula(formula, ["theta", "p"], tables)
    p = RNG.uniform(-1, 3, 1000)
    assert program.needed == ("p",)
    found = program.evaluate([np.full(1000, np.nan), p])
    assert found.tobytes() == formula.evaluate({"p": p, **tables}).tobytes()
    # a call on constants is made once
    fixed = compile_formula(parse("gain(0.5) * p", {"p": "number"}, {"gain": 1}), ["p"], tables)
    assert fixed.prologue == 1
    assert fixed.evaluate([[2.0]]) == 3.0


def test_from_histograms() -> None:
    filled = hist.Hist.new.Var([0, 0.5, 2], name="p").Int(0, 3, name="k").Double()
    filled.fill([0.1, 0.1, 1.0, 5.0], [0, 0, 2, 1])
    text = json.dumps(filled, default=uhi.io.json.default)
    for given in (filled, text):
        table = Table.from_uhi(given, outside="nan")
        assert [axis.tolist() for axis in table.axes] == [[0, 0.5, 2], [0, 1, 2, 3]]
        assert table.values.tolist() == [[2, 0, 0], [0, 0, 1]]
    centres = Table.from_uhi(filled, "linear")
    assert [axis.tolist() for axis in centres.axes] == [[0.25, 1.25], [0.5, 1.5, 2.5]]


def test_from_any_histogram() -> None:
    """UHI's protocol promises intervals and values, no edges."""

    class Axis(list[tuple[float, float]]):
        traits = SimpleNamespace(discrete=False)

    histogram = SimpleNamespace(axes=[Axis([(0, 1), (1, 3)])], values=lambda: np.array([5, 6]))
    assert Table.from_uhi(histogram)([0.5, 2.0]).tolist() == [5.0, 6.0]


WRONG: list[tuple[Any, Any, dict[str, Any], str]] = [
    ([], [], {}, "t: 0 axes, from 1 to 3 are allowed"),
    ([[0, 1]] * 4, [[[[1]]]], {}, "t: 4 axes, from 1 to 3 are allowed"),
    ([[0, 1, 1]], [1, 2], {}, "t: axis 0: edges must increase, 1 follows 1"),
    ([[0, 1], [2, 1]], [[1]], {}, "t: axis 1: edges must increase, 1 follows 2"),
    ([[0, np.nan]], [1], {}, "t: axis 0: edges must increase, nan follows 0"),
    ([[0]], [], {}, "t: axis 0: a list of at least two edges is wanted"),
    ([0, 1], [1], {}, "t: axis 0: a list of at least two edges is wanted"),
    ([[0, 1, 2]], [1], {}, "t: values have shape (1,), the axes have (2,) bins"),
    (
        [[0, 1, 2]],
        [1, 2],
        {"interpolation": "linear"},
        "t: values have shape (2,), the axes have (3,) points",
    ),
    ([[0, 1]], [np.nan], {}, "t: nan among the values, only finite numbers are allowed"),
    ([[0, 1]], ["x"], {}, "t: values: lists of numbers, of one length on each level, are wanted"),
    (
        [[0, 1], [0, 1, 2]],
        [[1, 2], [3]],
        {},
        "t: values: lists of numbers, of one length on each level, are wanted",
    ),
    (
        [[0, np.inf]],
        [1, 2],
        {"interpolation": "linear"},
        "t: axis 0: infinite points cannot be interpolated",
    ),
    (
        [[0, 1]],
        [1],
        {"interpolation": "cubic"},
        "t: interpolation 'cubic', 'none' or 'linear' is allowed",
    ),
    (
        [[0, 1]],
        [1],
        {"outside": "zero"},
        "t: outside 'zero', 'clamp', 'nan' or a number is allowed",
    ),
]


@pytest.mark.parametrize(("axes", "values", "more", "message"), WRONG)
def test_wrong_tables(axes: Any, values: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        Table.from_lists(axes, values, name="t", **more)
    assert str(error.value) == message


def test_wrong_histograms_and_calls() -> None:
    with pytest.raises(ValueError, match="eff: not the text of a UHI histogram"):
        Table.from_uhi("{}", name="eff")
    with pytest.raises(ValueError, match="eff: not the text of a UHI histogram"):
        Table.from_uhi("no json", name="eff")
    categories = hist.Hist.new.StrCat(["a", "b"]).Double()
    with pytest.raises(ValueError, match="eff: axis 0: categories have no edges"):
        Table.from_uhi(categories, name="eff")
    with pytest.raises(ValueError, match="table: 2 arguments, it has 1 axes"):
        Table.from_lists([[0, 1]], [1])(1, 2)
