"""Columns of smeared events on their way into a file and back."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from forefold.io.native.columns import Column, Schema, flatten, nest, restored, stored


def _smeared_of(fields: dict[str, object]) -> ak.Array:
    return ak.Array([{**fields, "particles": [{"pdgid": 13}]}])


def test_columns_there_and_back() -> None:
    array = ak.Array(
        [
            {"a": 1, "b": None, "c": "x", "d": None, "v": {"px": 1.0}, "particles": [{"k": 1.5}]},
            {"a": 2, "b": True, "c": "y", "d": 7, "v": {"px": 2.0}, "particles": []},
        ]
    )
    flat = flatten(array)
    assert list(flat.event) == ["a", "b", "c", "d", "v.px"]
    back = {
        name: restored(name, stored(column), column.type, column.words)
        for name, column in flat.event.items()
    }
    again = nest(type(flat)(back, flat.particle, flat.counts))
    assert again.tolist() == array.tolist()
    assert again.d.type == array.d.type


def test_columns_that_files_do_not_hold() -> None:
    with pytest.raises(ValueError, match=r"the field a holds var \* int64, which files do not"):
        flatten(_smeared_of({"a": [1, 2]}))


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (np.zeros(2, dtype=np.float32), "float64", None),
        (np.zeros((2, 2)), "float64", None),
        (np.array([2], dtype=np.uint8), "bool", None),
        (np.array([-2], dtype=np.int8), "?bool", None),
        (np.array([1], dtype=np.int32), "string", ["a"]),
        (np.array([0], dtype=np.int32), "string", None),
    ],
)
def test_columns_that_are_not_what_they_say(
    values: np.ndarray, kind: str, words: list[str] | None
) -> None:
    with pytest.raises(ValueError, match="the column x "):
        restored("x", values, kind, words)


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"event": {"a": "int64"}},
        {"event": [], "particle": {}},
        {"event": {"a": "object"}, "particle": {"b": "int64"}},
        {"event": {"a": "int64"}, "particle": {"a": "int64"}},
    ],
)
def test_schemas_that_are_none(given: object) -> None:
    with pytest.raises(ValueError, match="its schema"):
        Schema.of(given)


def test_order_of_a_schema() -> None:
    schema = {"event": {"a": "int64"}, "particle": {"b": "int64"}}
    assert Schema.ordered({"schema": schema, "order": [["a"], ["b"]]}).to_dict() == schema
    with pytest.raises(ValueError, match="order of its columns"):
        Schema.ordered({"schema": schema, "order": [["b"], ["a"]]})
    assert Column(np.zeros(1)).type == "float64"
