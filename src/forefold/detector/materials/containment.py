"""Whether a straight track stays inside a box: an acceptance in closed form.

The vertex is anywhere in a fiducial box with equal probability, the track is a straight line of known length.  A box
is convex, so the track is inside if its end is; the coordinates of the vertex are independent, so the probability
is a product over the axes.  There is nothing to draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["DUNE_FAR", "DUNE_FAR_FIDUCIAL", "Box", "contained"]

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A box with edges along the axes of the record.

    Parameters
    ----------
    low, high : tuple of 3 float, cm
        Opposite corners.

    Raises
    ------
    ValueError
        A coordinate is not finite, or `low` is not below `high`.

    Examples
    --------
    >>> Box((0.0, 0.0, 0.0), (100.0, 100.0, 500.0)).size
    (100.0, 100.0, 500.0)
    """

    low: Point
    high: Point

    def __post_init__(self) -> None:
        """Check that the box has a volume."""
        for axis, low, high in zip("xyz", self.low, self.high, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                message = (
                    f"box: {axis} from {low!r} to {high!r} cm; the first must be below the second"
                )
                raise ValueError(message)

    @property
    def size(self) -> Point:
        """Lengths of the edges, cm."""
        x, y, z = (high - low for low, high in zip(self.low, self.high, strict=True))
        return x, y, z

    def inset(self, low: Point, high: Point) -> Box:
        """Return the box that is left when margins are taken off.

        Parameters
        ----------
        low, high : tuple of 3 float, cm
            Margins at the lower and at the upper faces.

        Raises
        ------
        ValueError
            Nothing is left.

        Examples
        --------
        >>> Box((0.0, 0.0, 0.0), (9.0, 9.0, 9.0)).inset((1.0, 1.0, 1.0), (2.0, 2.0, 3.0)).size
        (6.0, 6.0, 5.0)
        """
        (x0, y0, z0), (x1, y1, z1) = self.low, self.high
        return Box(
            (x0 + low[0], y0 + low[1], z0 + low[2]), (x1 - high[0], y1 - high[1], z1 - high[2])
        )


DUNE_FAR = Box((-695.0, -700.0, 0.0), (695.0, 700.0, 2530.0))
"""Active box of one DUNE far detector module in the Fast MC: \\|x\\| < 6.95 m, \\|y\\| < 7.00 m, 0 < z < 25.3 m.

Source: the Fast Monte Carlo of the conceptual design (arXiv:1512.06148, arXiv:1606.09550), in the public
configuration samkohn/DUNE-FD-calc, ``Fast-Monte-Carlo/Detector-Response/data.xml``.
"""

DUNE_FAR_FIDUCIAL = DUNE_FAR.inset((50.0, 50.0, 100.0), (50.0, 50.0, 250.0))
"""Fiducial box of the same configuration: margins of 0.5 m at the sides, 1.0 m in front, 2.5 m behind."""


def contained(
    length: ArrayLike,
    nx: ArrayLike,
    ny: ArrayLike,
    nz: ArrayLike,
    *,
    active: Box,
    fiducial: Box | None = None,
) -> NDArray[np.float64]:
    r"""Probability that a straight track from a vertex in the fiducial box ends inside the active box.

    Parameters
    ----------
    length : array_like, cm
        Length of the track; infinite is allowed.
    nx, ny, nz : array_like
        Direction cosines.
    active : Box
        What the track must not leave.
    fiducial : Box, optional
        Where the vertex is, with equal probability; the active box if it is not given.

    Returns
    -------
    ndarray
        From 0 to 1, in the broadcast shape; NaN where an argument is NaN.

    Raises
    ------
    ValueError
        The fiducial box is not inside the active one.

    Notes
    -----
    Along an axis on which the vertex is uniform in [f, F] and the active box is [a, A], the displacement is
    :math:`s = R n` and the share of vertices that stay inside is

    .. math:: \max\bigl(0, \min(F, A - s) - \max(f, a - s)\bigr) / (F - f) ,

    which is :math:`\max(0, 1 - R |n| / L)` where both boxes are the same.  Only +, -, x and / are used, so the bits
    do not depend on the machine.  Multiple scattering, interactions and energy loss outside the box are left out.

    Examples
    --------
    A track of 5 m along the beam, in the DUNE far detector, from anywhere and from the fiducial box:

    >>> float(contained(500.0, 0.0, 0.0, 1.0, active=DUNE_FAR).round(4))
    0.8024
    >>> float(contained(500.0, 0.0, 0.0, 1.0, active=DUNE_FAR, fiducial=DUNE_FAR_FIDUCIAL).round(4))
    0.8853
    """
    inner = active if fiducial is None else fiducial
    lengths = np.asarray(length, dtype=np.float64)
    probability = np.ones(np.broadcast(lengths, nx, ny, nz).shape)
    for axis, cosine in enumerate((nx, ny, nz)):
        n = np.asarray(cosine, dtype=np.float64)
        # an infinite track does not move along an axis that it is perpendicular to
        shift = np.multiply(
            lengths, n, where=n != 0.0, out=np.zeros(np.broadcast(lengths, n).shape)
        )
        probability = probability * _share(shift, axis, active, inner)
    return np.where(np.isnan(lengths), np.nan, probability)


def _share(shift: NDArray[np.float64], axis: int, active: Box, inner: Box) -> NDArray[np.float64]:
    """Share of vertices on one axis that a displacement leaves inside."""
    low, high = inner.low[axis], inner.high[axis]
    if not active.low[axis] <= low < high <= active.high[axis]:
        message = (
            f"fiducial box: {'xyz'[axis]} from {low!r} to {high!r} cm is not inside the active box, "
            f"{active.low[axis]!r} to {active.high[axis]!r} cm"
        )
        raise ValueError(message)
    first = np.maximum(low, active.low[axis] - shift)
    last = np.minimum(high, active.high[axis] - shift)
    share: NDArray[np.float64] = np.maximum(0.0, last - first) / (high - low)
    return share
