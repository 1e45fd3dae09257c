"""UHI JSON: one histogram of R[true, reco], which hist, boost-histogram and others read.

A matrix of forefold is UHI JSON too, of several histograms (`forefold.ResponseMatrix.to_json`), and keeps everything; this is for tools that take one.

References
----------
UHI serialization, schema 1 (https://uhi.readthedocs.io/en/latest/serialization.html).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold.io.write import write_text_aside
from forefold.matrix import ResponseMatrix, to_json
from forefold.matrix.contents import refuse_means, shape_of
from forefold.matrix.formats.common import Exported, how_many_true, left_out, published_matrix
from forefold.matrix.formats.spectra import PublishedSpectrum, without_errors
from forefold.matrix.json import covariances_of
from forefold.matrix.json import read_spectrum as spectrum_of
from forefold.matrix.uhi_json import from_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["read", "read_spectrum", "write"]


def write(matrix: ResponseMatrix, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write the probabilities with their statistical variances as one histogram.

    Parameters
    ----------
    matrix : ResponseMatrix
        With any number of axes; the true ones come first in the histogram.
    path : str or Path
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Exported
    """
    axes = (*matrix.true_axes, *matrix.reco_axes)
    histogram: hist.Hist[Any] = hist.Hist(*axes, storage=hist.storage.Weight(), name="response")
    view: Any = histogram.view()
    view["value"] = matrix.matrix.reshape(shape_of(axes))
    if not matrix.exact:
        view["variance"] = np.asarray(matrix.variance).reshape(shape_of(axes))
    notes = {"true_axes": len(matrix.true_axes), "kind": "response"}
    write_text_aside(path, to_json(histogram, notes) + "\n", overwrite=overwrite)
    return Exported((Path(path),), tuple(left_out(matrix, "one histogram", statistics=False)))


def read(
    path: str | Path, *, true_axes: int | None = None, smearing: bool = False
) -> ResponseMatrix:
    """Read a histogram of probabilities, or a matrix of forefold.

    Parameters
    ----------
    path : str or Path
    true_axes : int, optional
        How many axes are true; these come first. If left out, those whose name ends in ``_true``, or else half of them.
    smearing : bool
        The histogram is an additional smearing matrix A_C, whose rows are no probabilities; one with negative contents is always taken for one.

    Returns
    -------
    ResponseMatrix
        Variances of a single histogram become errors of independent elements; without variances the matrix is exact.

    Raises
    ------
    ValueError
        If the file holds no such histogram, or rows sum to more than 1.
    """
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}"
        raise ValueError(message) from None
    if isinstance(content, dict) and content and "uhi_schema" not in content:
        return ResponseMatrix.from_json(text)
    histogram = from_json(text)
    refuse_means(histogram, "the histogram")
    n = how_many_true([axis.name for axis in histogram.axes], true_axes)
    axes = list(histogram.axes)
    weighted = histogram.storage_type is hist.storage.Weight
    variance = np.asarray(histogram.variances()) if weighted else None
    words = "variances of the histogram"
    return published_matrix(
        np.asarray(histogram.values()), axes[:n], axes[n:], variance, words, smearing=smearing
    )


def read_spectrum(path: str | Path) -> PublishedSpectrum:
    """Read a spectrum, with its variances if it has any; see `forefold.import_spectrum`.

    Parameters
    ----------
    path : str or Path
        UHI JSON of one histogram, or what `PublishedSpectrum.to_json` wrote.

    Returns
    -------
    PublishedSpectrum
    """
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    histogram = spectrum_of(text)
    if histogram.storage_type is not hist.storage.Weight:
        return without_errors(histogram)
    whole = covariances_of(text)
    if whole:
        return PublishedSpectrum(histogram, whole)
    variances = np.asarray(histogram.variances(), dtype=np.float64).reshape(-1)
    notes = ("variances of the histogram, independent from bin to bin",)
    return PublishedSpectrum(histogram, {"variances": np.diag(variances)}, notes)
