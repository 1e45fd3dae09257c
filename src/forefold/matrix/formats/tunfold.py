"""TUnfold: one TH2D of what is true (x) and measured (y), whose flow bins hold the rest.

TUnfold asks for the misses in the underflow or overflow of the measured axis: the sum over all its bins, these too, is what is true in a bin, and the efficiency
is the share inside (``kHistMapOutputHoriz``). What is measured without truth stands in the flow bins of the true axis.

References
----------
S. Schmitt, J. Instrum. 7 (2012) T10003, arXiv:1205.6201, section 3; ROOT's class documentation of TUnfold.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import hist
import numpy as np

from forefold.matrix.formats.common import Exported, one_axis, unit_truth_note, with_notes
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

_NAME = "response"


def write(matrix: ResponseMatrix, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write a histogram ``response``.

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
        Misses are in the underflow of y, fakes in the underflow of x.
    """
    true, reco = one_axis(matrix, "TUnfold's histogram")
    histogram: Any = hist.Hist(
        titled(true, "xaxis"),
        titled(reco, "yaxis"),
        storage=hist.storage.Weight(),
        label=_NAME,
    )
    view = histogram.view(flow=True)
    sides = {"value": "values", "variance": "variances"}
    for key, of in sides.items():
        inside, missed, fakes = (
            np.asarray(getattr(part, of)(), dtype=np.float64)
            for part in (matrix.counts, matrix.misses, matrix.not_signal)
        )
        if key == "variance" and matrix.errors_given:
            break
        view[key][1:-1, 1:-1], view[key][1:-1, 0], view[key][0, 1:-1] = inside, missed, fakes
    write_histograms(path, {_NAME: histogram}, overwrite)
    notes = ["x is true, y is measured (kHistMapOutputHoriz); misses are in the underflow of y"]
    if matrix.errors_given:
        notes.append("errors of the matrix are not written: they are of probabilities")
    return Exported((Path(path),), (*notes, *unit_truth_note(matrix)))


def read(
    path: str | Path,
    *,
    name: str | None = None,
    orientation: Literal["true-x", "true-y"] = "true-x",
    true: str = "",
    reco: str = "",
) -> ResponseMatrix:
    """Read a TH2 of counts with its flow bins.

    Parameters
    ----------
    path : str or Path
        A file, or ``FILE:PATH``.
    name : str, optional
        Name of the TH2; if left out, the one that ``FILE:PATH`` names, or ``response``.
    orientation : {"true-x", "true-y"}
        Whether x or y is the true axis, ``kHistMapOutputHoriz`` or ``kHistMapOutputVert``.
    true, reco : str
        Names of the axes; if left out, those in their titles, or "energy".

    Returns
    -------
    ResponseMatrix

    Raises
    ------
    ValueError
        If there is no such TH2, or its contents are not finite.
    """
    if orientation not in ("true-x", "true-y"):
        message = f"orientation {orientation!r}: true-x or true-y is possible"
        raise ValueError(message)
    with opened(path) as (file, inside):
        both: Any = read_histogram(file, name or inside or _NAME, 2)
    if orientation == "true-y":
        both = both.project(1, 0)
    values, variances = (
        np.asarray(method(flow=True), dtype=np.float64) for method in (both.values, both.variances)
    )
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(variances))):
        message = "contents or errors of the histogram are not finite"
        raise ValueError(message)
    total = weighted((both.axes[0],), values[1:-1].sum(axis=1), variances[1:-1].sum(axis=1), "")
    fakes = tuple(array[[0, -1], 1:-1].sum(axis=0) for array in (values, variances))
    matrix = matrix_of(both, total, (fakes[0], fakes[1]), (true, reco))
    if np.any(values[1:-1][:, [0, -1]]):
        return matrix
    note = "the flow bins of the measured axis are empty: nothing is missed, if TUnfold's convention was kept"
    return with_notes(matrix, "", [note])
