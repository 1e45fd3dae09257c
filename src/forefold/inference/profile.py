"""Profiles of the likelihood, and toys; what intervals and limits are made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.inference.minimum import Minimum, Objective, minimum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.model import Expected

    Array = NDArray[np.float64]

__all__ = ["Problem", "Thrown", "generator"]

_TRIES = (0.3, -0.3, 1.0)


class Thrown(NamedTuple):
    """A toy, or several in rows: counts, and what is measured of constrained parameters.

    Attributes
    ----------
    counts : ndarray, shape (..., n_reco)
    centre : ndarray, shape (..., k)
    """

    counts: Array
    centre: Array

    def of(self, rows: Any) -> Thrown:
        """Give some of them, or one."""
        return Thrown(self.counts[rows], self.centre[rows])


def generator(key: int, stream: int) -> np.random.Generator:
    """Give the random numbers of a stream; streams are independent."""
    return np.random.Generator(np.random.Philox(key=np.array([key, stream], dtype=np.uint64)))


@dataclass(frozen=True)
class Problem:
    """Data, and a model of them with one parameter of interest.

    Attributes
    ----------
    objective : Objective
    start : ndarray, shape (parameters,)
    fixed : ndarray of bool, shape (parameters,)
        Parameters that are known.
    place : int
        Of the parameter of interest.
    made_of : dict
        What citations go back to: names of the parameters that are ``free``, ``finite_simulation``, and ``provenance`` of the response.
    notes : tuple of str
        What a reader of any answer must know: axes of another name.
    axes : tuple
        Reconstructed axes, of hist.
    """

    objective: Objective
    start: Array
    fixed: NDArray[np.bool_]
    place: int
    made_of: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    axes: tuple[Any, ...] = ()

    @property
    def limits(self) -> tuple[float, float]:
        """Physical limits of the parameter of interest."""
        return float(self.objective.lower[self.place]), float(self.objective.upper[self.place])

    def best(self, near: Array | None = None) -> Minimum:
        """Minimise over all parameters."""
        return self.minimum(self.start if near is None else near, self.fixed)

    def at(self, value: float, near: Array | None = None) -> Minimum:
        """Minimise with the parameter of interest at a value."""
        start = np.array(self.start if near is None else near)
        start[self.place] = value
        return self.minimum(start, self.held)

    @property
    def held(self) -> NDArray[np.bool_]:
        """Parameters that stay where the one of interest has a value, shape (parameters,)."""
        held = self.fixed.copy()
        held[self.place] = True
        return held

    def minimum(self, start: Array, held: NDArray[np.bool_]) -> Minimum:
        """Minimise over what is not held; from other places, too, where that does not converge."""
        best = minimum(self.objective, start, held)
        if best.valid:
            return best
        width = np.sqrt(1.0 / np.maximum(np.diagonal(best.information), 1e-12))
        for shift in _TRIES:
            moved = np.where(held, start, start + shift * width)
            moved = np.clip(moved, self.objective.lower, self.objective.upper)
            moved = np.where(held, start, moved)
            again = minimum(self.objective, moved, held)
            if again.value < best.value or again.valid:
                best = again
            if best.valid:
                break
        return best

    def with_data(self, toy: Thrown) -> Problem:
        """Give the same model with other data, or those of several toys."""
        objective = replace(
            self.objective,
            data=toy.counts,
            constraint=self.objective.constraint.moved(toy.centre),
        )
        return replace(self, objective=objective)

    def ratio(self, value: float, best: Minimum, near: Array | None = None) -> float:
        """Give twice the logarithm of the likelihood ratio of the best to that at a value."""
        return max(2.0 * (self.at(value, best.x if near is None else near).value - best.value), 0.0)

    def expected(self, x: Array) -> Expected:
        """Expect counts that can be thrown.

        Raises
        ------
        ValueError
            The expectation is negative somewhere.
        """
        expected = self.objective.expectation(x)
        if np.any(expected.mean < -1e-9):
            i = int(np.argmin(expected.mean))
            message = f"toys: bin {i} expects {expected.mean[i]:g} counts where the parameter of interest is {x[self.place]:g}"
            raise ValueError(message)
        return expected

    def thrown(self, x: Array, n: int, key: int, stream: int) -> Thrown:
        """Throw toys of parameters: counts, the simulation's statistics, and measurements of constrained parameters.

        Raises
        ------
        ValueError
            The expectation is negative somewhere.
        """
        expected = self.expected(x)
        source = generator(key, stream)
        mean = np.maximum(expected.mean, 0.0)
        means = np.broadcast_to(mean, (n, len(mean)))
        if expected.covariance.any():
            means = mean + _spread(expected.covariance, source.standard_normal(means.shape))
        counts = source.poisson(np.maximum(means, 0.0)).astype(np.float64)
        constraint = self.objective.constraint
        return Thrown(counts, constraint.drawn(x[constraint.places], source, n))


def _spread(covariance: Array, noise: Array) -> Array:
    """Give normal numbers a covariance, or variances: with its symmetric square root, which may be singular."""
    if covariance.ndim == 1:
        return np.asarray(np.sqrt(np.maximum(covariance, 0.0)) * noise)
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(noise @ (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
