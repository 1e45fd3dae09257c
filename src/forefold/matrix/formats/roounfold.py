"""RooUnfold: the histograms of a ``RooUnfoldResponse(measured, truth, response)``.

``response`` is a TH2D of what is true and measured, x measured and y true; ``measured`` holds that and the fakes (those of named
backgrounds too), ``truth`` that and the missed ones, which RooUnfold finds as differences. Flow bins are empty: what is true outside the axes is a fake,
and what is reconstructed outside is missed, as in forefold.

References
----------
RooUnfold's class documentation of RooUnfoldResponse; T. Adye, arXiv:1105.1160.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forefold.matrix.formats.common import Exported, one_axis, unit_truth_note
from forefold.matrix.formats.histograms import (
    matrix_of,
    opened,
    read_histogram,
    titled,
    weighted,
    write_histograms,
)

if TYPE_CHECKING:
    from forefold.matrix import ResponseMatrix

__all__ = ["read", "write"]

_ROUNDING = 1e-9


def write(matrix: ResponseMatrix, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write histograms ``response``, ``measured`` and ``truth``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side.
    path : str or Path
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Exported
    """
    true, reco = one_axis(matrix, "RooUnfold's layout")
    x, y, own = titled(reco, "xaxis"), titled(true, "yaxis"), titled(true, "xaxis")
    counts, fakes = matrix.counts, matrix.not_signal
    values, variances = np.asarray(counts.values()), np.asarray(counts.variances())
    if (
        matrix.errors_given
    ):  # of probabilities: counts with these errors would be read as another sample
        variances = np.zeros_like(values)
    measured = values.sum(axis=0) + np.asarray(fakes.values())
    spread = variances.sum(axis=0) + np.asarray(fakes.variances())
    histograms = {
        "response": weighted((x, y), values.T, variances.T, "response"),
        "measured": weighted((x,), measured, spread, "measured"),
        "truth": weighted((own,), matrix.truth.values(), matrix.truth.variances(), "truth"),
    }
    write_histograms(path, histograms, overwrite)
    notes = ["x of response is measured, y is true", *unit_truth_note(matrix)]
    if matrix.errors_given:
        notes.append("errors of the matrix are not written: they are of probabilities")
    return Exported((Path(path),), tuple(notes))


def read(
    path: str | Path,
    *,
    name: str = "response",
    measured: str = "measured",
    truth: str = "truth",
    true: str = "",
    reco: str = "",
) -> ResponseMatrix:
    """Read a matrix from the histograms of a RooUnfoldResponse.

    Parameters
    ----------
    path : str or Path
    name, measured, truth : str
        Names of the histograms.
    true, reco : str
        Names of the axes; if left out, those in their titles, or "energy".

    Returns
    -------
    ResponseMatrix

    Raises
    ------
    ValueError
        If a histogram is missing, or ``measured`` has less in a bin than the response.
    """
    with opened(path) as (file, _):
        both = read_histogram(file, name, 2)
        measured_histogram = read_histogram(file, measured, 1)
        total = read_histogram(file, truth, 1)
    both = both.project(1, 0)
    if len(measured_histogram.axes[0]) != len(both.axes[1]):
        message = f"{measured} has {len(measured_histogram.axes[0])} bins, {name} {len(both.axes[1])} measured ones (x)"
        raise ValueError(message)
    all_measured, matched = (
        np.asarray(measured_histogram.values()),
        np.asarray(both.values()).sum(axis=0),
    )
    fakes = all_measured - matched
    fakes[np.abs(fakes) <= _ROUNDING * np.maximum(np.abs(all_measured), np.abs(matched))] = 0.0
    if np.any(fakes < 0.0):
        k = int(np.argmin(fakes))
        message = f"{measured} holds {all_measured[k]:g} in bin {k}, {name} {matched[k]:g}; what is measured holds the matched ones and the fakes"
        raise ValueError(message)
    spread = np.asarray(measured_histogram.variances()) - np.asarray(both.variances()).sum(axis=0)
    return matrix_of(
        both, total, (fakes, np.where(fakes > 0.0, np.maximum(spread, 0.0), 0.0)), (true, reco)
    )
