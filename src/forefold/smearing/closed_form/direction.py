"""Where the reconstructed direction is, in closed form: polar angle, azimuth, space angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forefold.response.distributions import Normal, TruncatedNormal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "DirectionDistribution",
    "cosine_cdf",
    "cosine_pdf",
    "cosine_span",
    "folded_cdf",
    "folded_pdf",
    "wrapped_pdf",
]

_TWO_PI = 2.0 * np.pi
_SQRT_2PI = np.sqrt(_TWO_PI)
_FAR = 9.0  # sigma; 1e-19 of a normal is beyond
_MOST_TURNS = 40  # a wrapped normal that is wider than this is uniform to all digits
_POINTS = 48
_NORMAL = Normal()
_COSINE = TruncatedNormal(0.0, 2.0)
_POLE_LEAST = 2.0**-53


def _turns(sigma: Array) -> Array:
    """Full turns that are looked at: as many as the widest distribution makes."""
    widest = float(np.max(sigma, initial=0.0))
    n = min(int(np.ceil(_FAR * widest / _TWO_PI)) + 1, _MOST_TURNS)
    return np.asarray(_TWO_PI * np.arange(-n, n + 1))


def wrapped_pdf(angle: Array, location: Array, sigma: Array) -> Array:
    """Density (1/rad) of a normal that is wound around the circle.

    Parameters
    ----------
    angle, location, sigma : ndarray, rad
        They broadcast; sigma is above 0.

    Returns
    -------
    ndarray
        As the arguments broadcast.
    """
    off = np.asarray(angle - location)
    off = off - _TWO_PI * np.round(off / _TWO_PI)
    wide = sigma > 8.0  # uniform to 1e-13
    density = np.zeros(np.broadcast_shapes(off.shape, np.shape(sigma)))
    width = np.where(wide, 1.0, sigma)
    for turn in _turns(np.where(wide, 0.0, sigma)):
        density += np.exp(-0.5 * np.square((off + turn) / width))
    return np.where(wide, 1.0 / _TWO_PI, density / (width * _SQRT_2PI))


def folded_pdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Density (1/rad) of a polar angle between 0 and pi: a normal brought back to the sphere.

    Parameters
    ----------
    theta, location, sigma : ndarray, rad
        Polar angle, true polar angle and width; they broadcast.

    Returns
    -------
    ndarray
        As the arguments broadcast.
    """
    inside = (theta >= 0.0) & (theta <= np.pi)
    both = wrapped_pdf(theta, location, sigma) + wrapped_pdf(-theta, location, sigma)
    return np.where(inside, both, 0.0)


def folded_cdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Probability of a polar angle of at most theta: a normal brought back to the sphere.

    Parameters
    ----------
    theta, location, sigma : ndarray, rad
        Polar angle, true polar angle and width; they broadcast.

    Returns
    -------
    ndarray
        As the arguments broadcast.
    """
    t = np.clip(theta, 0.0, np.pi)
    at = location - _TWO_PI * np.round(location / _TWO_PI)
    probability = np.zeros(np.broadcast_shapes(np.shape(t), np.shape(at), np.shape(sigma)))
    for turn in _turns(np.minimum(sigma, _MOST_TURNS)):
        probability = probability + _NORMAL.between(turn - t, turn + t, at, sigma)
    # a point at 0 or pi is at both ends of its interval
    point = (sigma == 0.0) & (t >= np.abs(at))
    probability = np.where(sigma > _MOST_TURNS, t / np.pi, np.where(point, 1.0, probability))
    return np.where(theta < 0.0, 0.0, np.where(theta >= np.pi, 1.0, probability))


def _versine(theta: Array) -> Array:
    """1 - cos(theta) = 2 sin^2(theta/2): it has its digits near the forward pole, where the cosine has none."""
    return np.asarray(2.0 * np.square(np.sin(0.5 * theta)))


def cosine_cdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Probability of a polar angle of at most theta.

    Parameters
    ----------
    theta, location : ndarray, rad
        They broadcast; the location is the true angle.
    sigma : ndarray
        Width of the cosine before the cut, above 0.

    Returns
    -------
    ndarray
        As the arguments broadcast.
    """
    t = np.clip(theta, 0.0, np.pi)
    probability = _COSINE.cdf(_versine(t), _versine(location), sigma)
    return np.where(theta < 0.0, 0.0, np.where(theta >= np.pi, 1.0, probability))


def cosine_pdf(theta: Array, location: Array, sigma: Array) -> Array:
    """Density (1/rad) of the polar angle between 0 and pi; parameters as for `cosine_cdf`.

    Notes
    -----
    Exactly on a pole it is not zero but tiny: a drawn cosine may round to there, and likelihood ratios go on.
    """
    inside = (theta >= 0.0) & (theta <= np.pi)
    density = _COSINE.pdf(_versine(theta), _versine(location), sigma) * np.maximum(
        np.sin(theta), _POLE_LEAST
    )
    return np.where(inside, density, 0.0)


def cosine_span(location: Array, sigma: Array, reach: float) -> tuple[Array, Array]:
    """Polar angles (rad) at which the cosine is `reach` sigma above and below the true one, on the sphere."""
    h = _versine(location)
    low, high = (np.clip(h + sign * reach * sigma, 0.0, 2.0) for sign in (-1.0, 1.0))
    return 2.0 * np.arcsin(np.sqrt(0.5 * low)), 2.0 * np.arcsin(np.sqrt(0.5 * high))


@dataclass(frozen=True)
class DirectionDistribution:
    """Distribution of reconstructed directions about true ones, by one angular convention; arrays of shape (m,), rad, to the axis.

    Attributes
    ----------
    convention : {"polar", "independent", "space", "none", "cosine"}
        Angular convention of the rule, see the page on cards.
    distribution : {"normal", "rayleigh", "half-normal", "von-mises-fisher", "none", "truncated-normal"}
        Distribution of the angle that the convention draws.
    theta, phi : ndarray
        True direction.
    sigma, sigma_phi : ndarray
        Of the polar or the space angle, or, with convention "cosine", of the cosine (no unit); of the azimuth.
    """

    convention: str
    distribution: str
    theta: Array
    phi: Array
    sigma: Array
    sigma_phi: Array

    def dimension(self) -> NDArray[np.int64]:
        """Where reconstructed directions lie: 0 a point, 1 a meridian, 2 a parallel of latitude, 3 the sphere."""
        if self.convention == "space":
            return np.where(self.sigma > 0.0, 3, 0)
        one, other = self.sigma > 0.0, self.sigma_phi > 0.0
        if self.convention != "independent":
            other = np.zeros_like(one)
        if self.convention == "none":
            one = other
        return np.where(one, 1, 0) + np.where(other, 2, 0)

    def span(self, reach: float) -> tuple[Array, Array]:
        """Polar angles `reach` widths below and above the true one, within 0 and pi."""
        if self.convention == "cosine":
            return cosine_span(self.theta, self.sigma, reach)
        width = 0.0 if self.convention == "none" else reach * self.sigma
        low, high = (np.clip(self.theta + off, 0.0, np.pi) for off in (-width, width))
        return low, high

    def width(self) -> Array:
        """Width of the angle, rad; of a cosine, half of what lies within one sigma of it."""
        if self.convention == "cosine":
            low, high = self.span(1.0)
            return np.asarray(0.5 * (high - low))
        return np.zeros_like(self.sigma) if self.convention == "none" else self.sigma

    def crossing(self) -> Array:
        """Probability that the direction goes beyond a pole, to the other side; conventions "polar" and "cosine" only."""
        if self.convention != "polar":
            return np.zeros_like(self.sigma)
        beyond = np.zeros_like(self.sigma)
        for turn in _turns(np.minimum(self.sigma, _MOST_TURNS)):
            beyond = beyond + _NORMAL.between(turn - np.pi, turn, self.theta, self.sigma)
        wide = np.where(self.sigma > _MOST_TURNS, 0.5, beyond)
        return np.where(self.sigma > 0.0, wide, 0.0)

    def space_angle(self, theta: Array, phi: Array) -> Array:
        """Angle to the true direction."""
        shape = np.broadcast_shapes(np.shape(theta), np.shape(phi), self.theta.shape)
        a = _unit(*(np.broadcast_to(own, shape) for own in (self.theta, self.phi)))
        b = _unit(*(np.broadcast_to(other, shape) for other in (theta, phi)))
        apart = np.sqrt(np.square(a - b).sum(axis=0))
        return np.asarray(2.0 * np.arctan2(apart, np.sqrt(np.square(a + b).sum(axis=0))))

    def density(self, theta: Array, phi: Array) -> Array:
        """Density of directions: per rad where `dimension` is a line, per steradian on the sphere, 1 on a point.

        Parameters
        ----------
        theta, phi : ndarray, shape (..., m), rad
            Reconstructed. They are taken to be on the line.
        """
        dimension = self.dimension()
        sigma = np.where(dimension > 0, self.sigma, 1.0)
        if self.convention == "space":
            alpha = self.space_angle(theta, phi)
            around = _TWO_PI * np.sin(alpha)
            pdf = self._alpha_pdf(alpha, sigma) / np.where(around > 0.0, around, np.nan)
            return np.asarray(np.where(dimension == 0, _on(alpha), pdf))
        sigma = np.where(self.sigma > 0.0, self.sigma, 1.0)
        if self.convention == "cosine":
            one_side = np.where(
                np.cos(phi - self.phi) < 0.0, 0.0, cosine_pdf(theta, self.theta, sigma)
            )
            return np.where(dimension == 0, _on(self.space_angle(theta, phi)), one_side)
        width = np.where(self.sigma_phi > 0.0, self.sigma_phi, 1.0)
        turn = np.asarray(phi - self.phi)
        if self.convention == "none":
            return np.where(dimension == 0, _on(self.space_angle(theta, phi)), 0.0)
        here, beyond = (wrapped_pdf(t, self.theta, sigma) for t in (theta, -theta))
        one, other = (wrapped_pdf(t, np.zeros(()), width) for t in (turn, turn + np.pi))
        far = np.cos(turn) < 0.0  # the azimuth says whether a pole was passed
        across = np.sin(theta)
        sphere = (here * one + beyond * other) / np.where(across > 0.0, across, np.nan)
        lines = (_on(self.space_angle(theta, phi)), np.where(far, beyond, here), one, sphere)
        return np.asarray(np.choose(dimension, np.broadcast_arrays(*lines)))

    def theta_pdf(self, theta: Array) -> Array:
        """Density (1/rad) of the polar angle on the sphere; 0 where it is exact."""
        if self.convention == "space":
            step = 1e-5
            low, high = np.maximum(theta - step, 0.0), np.minimum(theta + step, np.pi)
            return np.asarray((self.theta_cdf(high) - self.theta_cdf(low)) / (high - low))
        exact = (self.sigma == 0.0) | (self.convention == "none")
        pdf = cosine_pdf if self.convention == "cosine" else folded_pdf
        density = pdf(theta, self.theta, np.where(exact, 1.0, self.sigma))
        return np.where(exact, 0.0, density)

    def theta_cdf(self, theta: Array) -> Array:
        """Probability of a polar angle of at most theta."""
        if self.convention == "space":
            return self._space_theta_cdf(np.asarray(theta))
        exact = (self.sigma == 0.0) | (self.convention == "none")
        cdf = cosine_cdf if self.convention == "cosine" else folded_cdf
        probability = cdf(theta, self.theta, np.where(exact, 1.0, self.sigma))
        return np.where(exact, theta >= self.theta, probability)

    def space_angle_pdf(self, alpha: Array) -> Array:
        """Density (1/rad) of the angle between true and reconstructed direction; convention "space" only."""
        exact = self.sigma == 0.0
        return np.where(exact, 0.0, self._alpha_pdf(alpha, np.where(exact, 1.0, self.sigma)))

    def space_angle_cdf(self, alpha: Array) -> Array:
        """Probability of an angle of at most alpha; convention "space" only."""
        exact = self.sigma == 0.0
        probability = self._alpha_cdf(alpha, np.where(exact, 1.0, self.sigma))
        return np.where(exact, alpha >= 0.0, probability)

    def _alpha_pdf(self, alpha: Array, sigma: Array) -> Array:
        inside = (alpha >= 0.0) & (alpha <= np.pi)
        if self.distribution == "half-normal":
            return folded_pdf(alpha, np.zeros(()), sigma) * np.where(inside, 1.0, 0.0)
        k = 1.0 / np.square(sigma)
        if self.distribution == "von-mises-fisher":
            rest = -np.expm1(-2.0 * k)
            density = k * np.sin(alpha) * np.exp(-2.0 * k * np.square(np.sin(0.5 * alpha))) / rest
            return np.where(inside, density, 0.0)
        density = np.zeros(np.broadcast_shapes(np.shape(alpha), np.shape(sigma)))
        for turn in _turns(np.asarray(sigma)):
            for image in (turn + alpha, turn - alpha):
                height = np.exp(-0.5 * k * np.square(image)) * k * image
                density = density + np.where(image > 0.0, height, 0.0)
        return np.where(inside, density, 0.0)

    def _alpha_cdf(self, alpha: Array, sigma: Array) -> Array:
        a = np.clip(alpha, 0.0, np.pi)
        if self.distribution == "half-normal":
            return folded_cdf(np.asarray(alpha), np.zeros(()), sigma)
        k = 1.0 / np.square(sigma)
        if self.distribution == "von-mises-fisher":
            return np.expm1(-2.0 * k * np.square(np.sin(0.5 * a))) / np.expm1(-2.0 * k)
        probability = np.zeros(np.broadcast_shapes(np.shape(a), np.shape(sigma)))
        for turn in _turns(np.asarray(sigma)):
            low, high = (np.maximum(end, 0.0) for end in (turn - a, turn + a))
            part = np.exp(-0.5 * k * np.square(low)) - np.exp(-0.5 * k * np.square(high))
            probability = probability + np.where(high > low, part, 0.0)
        return np.where(alpha >= np.pi, 1.0, probability)

    def _space_theta_cdf(self, theta: Array) -> Array:
        """Integral over the space angle of the part of its circle that is within theta of the axis.

        Notes
        -----
        The circle of radius alpha about the true direction is wholly within, wholly without, or cut where |theta0 - theta| <
        alpha < min(theta0 + theta, 2 pi - theta0 - theta). There the substitution by a cosine takes the roots away
        from the ends.
        """
        t, at = np.broadcast_arrays(np.clip(theta, 0.0, np.pi), self.theta)
        sigma = np.where(self.sigma > 0.0, self.sigma, 1.0)
        low = np.abs(at - t)
        high = np.minimum(at + t, _TWO_PI - at - t)
        # within: small circles if theta is the larger angle, large ones if both reach over the far pole
        probability = np.where(t > at, self._alpha_cdf(low, sigma), 0.0)
        beyond = 1.0 - self._alpha_cdf(high, sigma)
        probability = probability + np.where(at + t > np.pi, beyond, 0.0)
        end = np.minimum(high, np.maximum(12.0 * sigma, low))
        x, w = np.polynomial.legendre.leggauss(_POINTS)
        for first, last in ((low, 0.5 * (low + end)), (0.5 * (low + end), end)):
            for s, weight in zip(0.5 * np.pi * (x + 1.0), 0.5 * np.pi * w, strict=True):
                alpha = 0.5 * (first + last) - 0.5 * (last - first) * np.cos(s)
                across = np.sin(at) * np.sin(alpha)
                cosine = (np.cos(t) - np.cos(at) * np.cos(alpha)) / np.where(
                    across > 0, across, 1.0
                )
                share = np.arccos(np.clip(cosine, -1.0, 1.0)) / np.pi
                step = 0.5 * (last - first) * np.sin(s) * weight
                probability = probability + step * share * self._alpha_pdf(alpha, sigma)
        probability = np.where(self.sigma > 0.0, probability, np.where(theta >= at, 1.0, 0.0))
        return np.where(theta < 0.0, 0.0, np.where(theta >= np.pi, 1.0, probability))


def _unit(theta: Array, phi: Array) -> Array:
    across = np.sin(theta)
    return np.stack([across * np.cos(phi), across * np.sin(phi), np.cos(theta)])


def _on(alpha: Array) -> Array:
    """1 where a direction is the true one, to the rounding of a stored angle."""
    return np.where(alpha < 1e-7, 1.0, 0.0)
