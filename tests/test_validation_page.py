"""docs/validation.md says what its script measures: rows are made again, and compared cell by cell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import forefold
from benchmarks import validation
from benchmarks.validation import PARTS

PAGE = Path(__file__).parent.parent / "docs" / "validation.md"
CELL = re.compile(r"(?<!\\)\|")

Rows = list[tuple[str, ...]]


def tables(text: str) -> dict[tuple[str, ...], Rows]:
    """Tables of a page, by the words above their columns."""
    found: dict[tuple[str, ...], Rows] = {}
    rows: Rows = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(tuple(cell.strip() for cell in CELL.split(line)[1:-1]))
        elif rows:
            found[rows[0]] = rows[2:]
            rows = []
    return found


def of_page(part: str, number: int = 0) -> Rows:
    return tables(PAGE.read_text(encoding="utf-8"))[tuple(PARTS[part][number].head.split("|"))]


def remade(part: str, key: Any, number: int = 0) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make the row of a key, and look it up on the page."""
    table = PARTS[part][number]
    return table.row(key), of_page(part, number)[table.keys.index(key)]


def test_the_page_has_the_tables_of_the_script_and_a_row_for_each_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert list(tables(text)) == [tuple(t.head.split("|")) for some in PARTS.values() for t in some]
    for part, some in PARTS.items():
        assert f"`{part}`" in text
        for number, table in enumerate(some):
            assert len(of_page(part, number)) == len(table.keys)
    assert [row[0] for row in of_page("cards")] == [f"`{name}`" for name in forefold.cards()]


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("cards", "zero-efficiency"),
        ("cards", "juno"),
        ("containment", (0.0, 4.0)),
        ("containment", (90.0, 0.5)),
        ("directions", "von-mises-fisher"),
        ("directions", "independent"),
        ("identification", "p"),
        ("pions", 5.0),
    ],
)
def test_rows_are_those_of_the_page(part: str, key: Any) -> None:
    made, told = remade(part, key)
    assert made == told


def test_every_closed_form_of_containment_is_that_of_the_page() -> None:
    told = [row[:4] for row in of_page("containment")]
    assert [validation.track_cells(*key) for key in PARTS["containment"][0].keys] == told


def test_formulas_are_those_of_the_page() -> None:
    """numpy's own functions differ by their last digit between processors, so deviations do."""
    for key in PARTS["formulas"][0].keys:
        made, told = remade("formulas", key)
        assert made[:2] == told[:2]
        assert max(float(made[2]), float(told[2])) < 1e-15
    for key in PARTS["formulas"][1].keys:
        made, told = remade("formulas", key, 1)
        assert made == told


def test_the_large_fit_is_that_of_the_page() -> None:
    pytest.importorskip("iminuit")
    told = [row[:3] for row in of_page("fits")]
    assert [validation.whole_cells(key) for key in PARTS["fits"][0].keys] == told


def test_what_the_page_says_of_its_numbers() -> None:
    numbers = of_page("cards")
    assert all(row[4] == "yes" and float(row[3]) < 5.0 for row in numbers)
    chances = [float(cell) for row in of_page("directions") for cell in row[1:]]
    assert (len(chances), min(chances)) == (25, 0.01)
    assert 1.0 - 0.99 ** len(chances) == pytest.approx(0.22, abs=0.005)
    for _, true, whole, mean, width in of_page("fits"):
        value, sigma = map(float, whole.split(" ± "))
        assert abs(value - float(true)) < 4.0 * sigma
        for text, centre in ((mean, 0.0), (width, 1.0)):
            value, sigma = map(float, text.split(" ± "))
            assert abs(value - centre) < 4.0 * sigma


def test_a_table_is_printed_as_the_page_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    PARTS["formulas"][1].print()
    assert tables(capsys.readouterr().out)[("wrong formula", "message")] == of_page("formulas", 1)
