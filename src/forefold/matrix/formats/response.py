"""A response made of a matrix, such as a published one: it smears values, composes with other responses, and gives matrices in other bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold.matrix.formats.common import one_axis
from forefold.response import Smear

if TYPE_CHECKING:
    from forefold.matrix import ResponseMatrix

__all__ = ["matrix_response"]


def matrix_response(matrix: ResponseMatrix) -> Smear:
    """Make a response, which smears single values, from a matrix, such as a published one.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side.

    Returns
    -------
    forefold.response.Smear
        Its efficiency is that of the true bin, and 0 outside the axis. Reconstructed values are spread evenly within each reconstructed
        bin. It smears values, composes with other responses (`then`), and gives a matrix in any bins.

    Raises
    ------
    ValueError
        If there are more axes, or an element is negative.

    Notes
    -----
    A matrix does not say how the response varies within its bins, so narrower bins bring no new information. The statistical
    uncertainty of the matrix is not carried over.

    Examples
    --------
    >>> import forefold
    >>> published = forefold.ResponseMatrix.from_array([[0.6, 0.2], [0.1, 0.8]], {"enu": [0, 1, 2]}, {"enu": [0, 1, 2]})
    >>> response = forefold.matrix_response(published)
    >>> response.efficiency([0.5, 1.5, 2.5]).round(3).tolist()
    [0.8, 0.9, 0.0]
    >>> forefold.ResponseMatrix.from_response(response, "enu=0:2:2").matrix.round(3).tolist()
    [[0.6, 0.2], [0.1, 0.8]]
    """
    true, reco = one_axis(matrix, "a response")
    rows = np.array(matrix.matrix)
    if (rows < 0.0).any():
        i, j = np.unravel_index(int(np.argmin(rows)), rows.shape)
        message = f"R[{i}, {j}] is {rows[i, j]:g}; a response has probabilities of 0 or more"
        raise ValueError(message)
    histogram: hist.Hist[Any] = hist.Hist(true, reco)
    histogram.view()[...] = rows
    return Smear.from_histogram(histogram)
