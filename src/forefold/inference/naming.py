"""Axes with the bins of a response and another name: they may be of another quantity, and are noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forefold.matrix.axes import other_names

if TYPE_CHECKING:
    from forefold.matrix import ResponseMatrix

__all__ = ["named_otherwise", "names_noted"]


def named_otherwise(
    truth: Any,
    begin: Mapping[str, float],
    background: Any,
    variance: Any,
    matrix: ResponseMatrix,
) -> list[str]:
    """Note axes that have the bins of the matrix and another name, as `forefold.fold` does.

    Parameters
    ----------
    truth : histogram, array_like, mapping of str to these, or callable
    begin : mapping of str to float
        Parameters of a callable truth.
    background, variance : histogram, array_like, mapping of str to these, or None
    matrix : ResponseMatrix

    Returns
    -------
    list of str
        One note an axis.
    """
    spectra = truth(**begin) if callable(truth) else truth
    notes = []
    for what, source, axes in (
        ("truth", spectra, matrix.true_axes),
        ("background", background, matrix.reco_axes),
        ("background_variance", variance, matrix.reco_axes),
    ):
        several = source if isinstance(source, Mapping) else {"": source}
        for name, histogram in several.items():
            notes += names_noted(f"{what} {name!r}" if name else what, histogram, axes)
    return notes


def names_noted(what: str, source: Any, axes: tuple[Any, ...]) -> list[str]:
    """Note axes of a histogram or a prediction that are named otherwise than these; none of numbers."""
    source = getattr(source, "histogram", source)
    if not (hasattr(source, "axes") and hasattr(source, "values")):
        return []
    return other_names(axes, list(source.axes), what)
