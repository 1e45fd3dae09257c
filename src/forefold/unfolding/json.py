"""Results as UHI JSON and back."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold._about import __version__
from forefold.unfolding.solution import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.unfolding.result import Unfolded

__all__ = ["from_json", "plain", "to_json"]

_ARRAYS = ("values", "smearing", "offset", "gain", "data", "background", "refolded")
_DICTS = ("covariances", "shifts")
_TEXTS = ("method", "chosen", "prior")
_NUMBERS = ("chi2", "ndf", "strength", "prior_shift", "condition")
_LISTS = ("notes", "warnings", "blind")
_SCAN = ("strengths", "criterion", "residual", "roughness")


def to_json(result: Unfolded) -> str:
    """Write a result; every number comes back as it was.

    Parameters
    ----------
    result : Unfolded

    Returns
    -------
    str
        UHI JSON (schema 1) of the histogram; the rest is JSON in its metadata, under ``forefold_unfolded``.
    """
    from forefold.matrix.uhi_json import to_json as histogram_json

    content: dict[str, Any] = {name: plain(getattr(result, name)) for name in _ARRAYS + _NUMBERS}
    for name in _DICTS:
        content[name] = {key: plain(value) for key, value in getattr(result, name).items()}
    content |= {name: getattr(result, name) for name in (*_TEXTS, "rank")}
    content |= {name: list(getattr(result, name)) for name in _LISTS}
    content["shape"] = list(result.shape)
    content["axes"] = bool(result.axes)
    content["reco_axes"] = [
        {"name": axis.name, "label": axis.label, "edges": np.asarray(axis.edges).tolist()}
        for axis in result.reco_axes
    ]
    if result.scan is not None:
        content["scan"] = {name: plain(getattr(result.scan, name)) for name in _SCAN}
        content["scan"]["rule"] = result.scan.rule
    unfolded = json.dumps(content, allow_nan=False)
    return histogram_json(result.histogram, {"version": __version__, "unfolded": unfolded})


def from_json(text: str) -> dict[str, Any]:
    """Read the attributes of a result.

    Parameters
    ----------
    text : str
        From `to_json`.

    Returns
    -------
    dict
        What `forefold.unfolding.Unfolded` is made of.

    Raises
    ------
    ValueError
        It is something else.
    """
    from forefold.matrix.uhi_json import from_json as read_histogram
    from forefold.matrix.uhi_json import provenance

    histogram = read_histogram(text)
    unfolded = provenance(histogram).get("unfolded")
    if unfolded is None:
        message = "not the result of an unfolding: the metadata have no 'forefold_unfolded'"
        raise ValueError(message)
    try:
        content = json.loads(str(unfolded))
        scan = content.pop("scan", None)
        fields: dict[str, Any] = {name: content[name] for name in (*_TEXTS, "rank")}
        fields |= {name: _array(content[name]) for name in _ARRAYS}
        fields |= {name: _number(content[name]) for name in _NUMBERS}
        fields |= {name: tuple(content[name]) for name in _LISTS}
        fields |= {name: {k: _array(v) for k, v in content[name].items()} for name in _DICTS}
        fields["shape"] = tuple(content["shape"])
        fields["axes"] = tuple(histogram.axes) if content["axes"] else ()
        fields["reco_axes"] = tuple(
            hist.axis.Variable(axis["edges"], name=axis["name"], label=axis["label"])
            for axis in content.get("reco_axes", ())
        )
        if scan is not None:
            fields["scan"] = Scan(scan["rule"], *(_array(scan[name]) for name in _SCAN))
    except (KeyError, TypeError, ValueError) as error:
        message = f"not the result of an unfolding: {type(error).__name__}: {error}"
        raise ValueError(message) from None
    return fields


def plain(value: Any) -> Any:
    """Give lists and numbers; JSON has no NaN and no infinity, so these are null and texts."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else str(number)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _array(value: Any) -> NDArray[np.float64]:
    return np.asarray(_numbers(value), dtype=np.float64)


def _numbers(value: Any) -> Any:
    return [_numbers(item) for item in value] if isinstance(value, list) else _number(value)
