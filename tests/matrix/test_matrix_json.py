"""Matrices as UHI JSON, there and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from smeared_toys import CARD, NOTES, two_events

from forefold.matrix import (
    angle_matrix,
    energy_matrix,
    from_json,
    provenance,
    resolution_matrix,
    to_json,
)

if TYPE_CHECKING:
    pass


# ---------------------------------------------------------------- UHI JSON


@pytest.mark.parametrize("by_type", [False, True])
def test_json_gives_the_same_histogram_back(by_type: bool) -> None:
    card = CARD if by_type else None
    for make in (energy_matrix, angle_matrix):
        matrix: Any = make(two_events(weight=[0.1, 1 / 3], notes=NOTES), card)
        back: Any = from_json(to_json(matrix, {"input": "a.root", "events": 2}))
        assert back == matrix
        assert [a.label for a in back.axes] == [a.label for a in matrix.axes]
        assert back.name == matrix.name
        assert provenance(back) == {**provenance(matrix), "input": "a.root", "events": 2}


def test_json_of_the_resolution_matrix_gives_the_same_histogram_back() -> None:
    matrix: Any = resolution_matrix(two_events(), CARD)
    assert from_json(to_json(matrix)) == matrix


def test_provenance_says_how_events_were_smeared_and_selected() -> None:
    known = provenance(energy_matrix(two_events(notes=NOTES)))
    expected = {key: value for key, value in NOTES.items() if key != "card_text"}
    assert known == {**expected, "cc_only": False}


def test_json_keeps_to_the_uhi_schema() -> None:
    content = json.loads(to_json(energy_matrix(two_events(notes=NOTES), CARD)))
    assert content["uhi_schema"] == 1
    assert all(isinstance(value, str | float | int) for value in content["metadata"].values())


def test_json_takes_flat_notes_only() -> None:
    with pytest.raises(ValueError, match=r"provenance 'files' is a list"):
        to_json(energy_matrix(two_events()), {"files": ["a", "b"]})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not a UHI histogram: "),
        ("[]", "a JSON object is expected, found list"),
        ("3", "a JSON object is expected, found int"),
        ('{"uhi_schema": 1, "axes": []}', "'storage' is missing"),
        (
            '{"uhi_schema": 1, "axes": [{"type": "round"}], "storage": {"type": "double"}}',
            r"not a UHI histogram \(schema 1\): ",
        ),
    ],
)
def test_json_that_is_no_histogram_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_json(text)
