"""Histograms out and in as UHI JSON, with their provenance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
import uhi.io.json

from forefold.matrix.irregular import check_bins

if TYPE_CHECKING:
    from collections.abc import Mapping

    import awkward as ak

__all__ = ["annotate", "from_json", "histogram_of", "provenance", "to_json"]

_PREFIX = "forefold_"
_KEPT = ("version", "card", "card_sha256", "rng", "axis")


def annotate(matrix: hist.Hist[Any], smeared: ak.Array, **settings: bool) -> hist.Hist[Any]:
    """Note on a histogram how its events were smeared and selected; returns the same histogram."""
    attributes = smeared.attrs.get("forefold") or {}
    notes: dict[str, Any] = {
        key: attributes[key] for key in _KEPT if attributes.get(key) is not None
    } | settings
    matrix.__dict__.update({f"{_PREFIX}{key}": value for key, value in notes.items()})
    return matrix


def provenance(matrix: hist.Hist[Any]) -> dict[str, Any]:
    """Return what a histogram knows of its making: card, its checksum, rng, selection, forefold's version.

    Parameters
    ----------
    matrix : hist.Hist[Any]
        From this package, or read back with `from_json`.

    Returns
    -------
    dict
        Empty for a histogram made elsewhere.
    """
    return {
        key.removeprefix(_PREFIX): value
        for key, value in vars(matrix).items()
        if key.startswith(_PREFIX)
    }


def to_json(matrix: hist.Hist[Any], provenance: Mapping[str, object] | None = None) -> str:
    """Write a histogram as UHI JSON (schema 1), which hist, boost-histogram and other tools read.

    Parameters
    ----------
    matrix : hist.Hist[Any]
        Any histogram.
    provenance : mapping, optional
        More to note in the metadata: texts, numbers or booleans (all that the schema takes).

    Returns
    -------
    str
        Contents, variances and flow bins are exact: `from_json` gives an equal histogram.

    Raises
    ------
    ValueError
        If a note is neither text, number nor boolean.

    Examples
    --------
    >>> import hist
    >>> matrix = hist.Hist(hist.axis.Regular(2, 0, 1, name="x"), storage=hist.storage.Weight())
    >>> text = to_json(matrix.fill([0.2, 0.7]), {"sample": "toy"})
    >>> from_json(text) == matrix
    True
    """
    content = matrix._to_uhi_()
    metadata: dict[str, Any] = dict(content.get("metadata", {}))
    for key, value in (provenance or {}).items():
        if not isinstance(value, str | float | int):
            message = f"provenance '{key}' is a {type(value).__name__}; UHI metadata takes texts, numbers and booleans"
            raise ValueError(message)
        metadata[f"{_PREFIX}{key}"] = value
    return json.dumps({**content, "metadata": metadata}, default=uhi.io.json.default)


def from_json(text: str) -> hist.Hist[Any]:
    """Read a histogram from UHI JSON.

    Parameters
    ----------
    text : str
        As written by `to_json`, or by any other tool that speaks UHI schema 1.

    Returns
    -------
    hist.Hist

    Raises
    ------
    ValueError
        If the text is not JSON or not a UHI histogram.

    Examples
    --------
    >>> from_json("{}")
    Traceback (most recent call last):
    ...
    ValueError: not a UHI histogram (schema 1): 'uhi_schema' is missing
    """
    try:
        content = json.loads(text, object_hook=uhi.io.json.object_hook)
    except json.JSONDecodeError as error:
        message = f"not a UHI histogram: {error}"
        raise ValueError(message) from None
    return histogram_of(content)


def histogram_of(content: Any) -> hist.Hist[Any]:
    """Make a histogram of what JSON holds.

    Parameters
    ----------
    content : dict
        UHI schema 1, with arrays.

    Returns
    -------
    hist.Hist

    Raises
    ------
    ValueError
        If it is not a UHI histogram.
    """
    if not isinstance(content, dict):
        message = f"not a UHI histogram (schema 1): a JSON object is expected, found {type(content).__name__}"
        raise ValueError(message)
    missing = [key for key in ("uhi_schema", "axes", "storage") if key not in content]
    if missing:
        message = f"not a UHI histogram (schema 1): '{missing[0]}' is missing"
        raise ValueError(message)
    if content["uhi_schema"] != 1:
        message = f"not a UHI histogram (schema 1): it is of schema {content['uhi_schema']!r}"
        raise ValueError(message)
    _check_numbers(content["storage"])
    try:
        histogram: hist.Hist[Any] = hist.Hist(content)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        message = f"not a UHI histogram (schema 1): {first}"
        raise ValueError(message) from None
    _check_texts(histogram)
    if histogram.storage_type is hist.storage.Weight:
        variances = np.asarray(histogram.variances(flow=True))
        if np.any(variances < 0.0):
            message = f"not a UHI histogram (schema 1): negative variance {variances.min():g}"
            raise ValueError(message)
    # hist makes attributes of all notes
    hidden = [key for key in vars(histogram) if hasattr(type(histogram), key)]
    if hidden:
        message = (
            f"not a UHI histogram (schema 1): a note is named {hidden[0]!r}, as what histograms do"
        )
        raise ValueError(message)
    return histogram


def _check_numbers(storage: Any) -> None:
    """Refuse axes without contents, which would be read as zeros."""
    if not isinstance(storage, dict) or "values" not in storage:
        kind = f" {storage['type']!r}" if isinstance(storage, dict) and "type" in storage else ""
        message = f"not a UHI histogram (schema 1): its storage{kind} has no 'values', axes alone are no contents"
        raise ValueError(message)
    for key, values in storage.items():
        if isinstance(values, np.ndarray) and values.dtype.kind not in "iuf":
            message = f"not a UHI histogram (schema 1): '{key}' of the storage are no numbers"
            raise ValueError(message)


def _check_texts(histogram: hist.Hist[Any]) -> None:
    """Refuse names and labels that are no texts."""
    for what, part in (
        ("the histogram", histogram),
        *(("an axis", axis) for axis in histogram.axes),
    ):
        for key in ("name", "label"):
            text = getattr(part, key, None)
            lacks = text is None and not (key == "name" and part is not histogram)
            if not (lacks or isinstance(text, str)):
                message = (
                    f"not a UHI histogram (schema 1): the {key} of {what} is a text, found {text!r}"
                )
                raise ValueError(message)
    for axis in histogram.axes:
        try:
            check_bins(axis)
        except ValueError as error:
            message = f"not a UHI histogram (schema 1): {error}"
            raise ValueError(message) from None
