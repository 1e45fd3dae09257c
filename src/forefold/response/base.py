"""What every response can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import unmasked
from forefold.response.distributions.base import arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    import hist
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Response"]


class Response(ABC):
    """P(observed | true): the probability density of what is observed of a true value. Its integral is the efficiency, at most one.

    A subclass gives `n_uniforms`, `_efficiency`, `_between`, `_pdf`, `_ppf` and `_sample`, which are handed arrays of float64 that are
    already broadcast. It is a frozen dataclass, so that nothing changes behind a matrix's back.
    `forefold.response.contract.check_response` holds it to the contract.

    See Also
    --------
    Smear : a family with a width and an efficiency; covers most of what is needed.
    """

    @property
    @abstractmethod
    def n_uniforms(self) -> int:
        """Uniforms that a draw takes."""

    def efficiency(self, true: ArrayLike) -> Array:
        """Probability to be detected, from 0 to 1.

        Parameters
        ----------
        true : array_like
            True values.

        Returns
        -------
        ndarray
            0 where `true` is NaN.
        """
        t = unmasked("true", true)
        return np.where(np.isnan(t), 0.0, self._efficiency(t))

    def between(self, low: ArrayLike, high: ArrayLike, true: ArrayLike) -> Array:
        """Probability to be observed from low to high, given that it is detected.

        Parameters
        ----------
        low, high, true : array_like
            They broadcast; low and high may be infinite.

        Returns
        -------
        ndarray
            NaN where the response has no value.
        """
        return self._between(*arrays(low, high, true))

    def cdf(self, observed: ArrayLike, true: ArrayLike) -> Array:
        """Probability to be observed at or below a value, given that it is detected: from 0 to 1.

        Parameters
        ----------
        observed, true : array_like
            They broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._cdf(*arrays(observed, true))

    def pdf(self, observed: ArrayLike, true: ArrayLike) -> Array:
        """Density of the observed value, given that it is detected; infinite at a point that has a probability.

        Parameters
        ----------
        observed, true : array_like
            They broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._pdf(*arrays(observed, true))

    def ppf(self, u: ArrayLike, true: ArrayLike) -> Array:
        """Quantile of the observed value, given that it is detected: the inverse of `cdf`.

        Parameters
        ----------
        u : array_like
            From 0 to 1.
        true : array_like
            True values.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._ppf(*arrays(u, true))

    def sample(self, true: ArrayLike, u: ArrayLike) -> Array:
        """One draw for each true value.

        Parameters
        ----------
        true : array_like, shape s
            True values.
        u : array_like, shape (n_uniforms,) + s
            Uniforms in the open interval (0, 1). The same uniforms give the same bits.

        Returns
        -------
        ndarray, shape s
            NaN where it is not detected.

        Raises
        ------
        ValueError
            If `u` has another shape.
        """
        t, rows = unmasked("true", true), unmasked("u", u)
        if rows.shape != (self.n_uniforms, *t.shape):
            message = f"u has shape {rows.shape}; {(self.n_uniforms, *t.shape)} is needed"
            raise ValueError(message)
        return self._sample(t, rows)

    def bin_probabilities(self, edges: ArrayLike, true: ArrayLike) -> Array:
        """Probability of every bin, given that it is detected.

        Parameters
        ----------
        edges : array_like, shape (k + 1,)
            Ascending; the outer ones may be infinite.
        true : array_like, shape s
            True values.

        Returns
        -------
        ndarray, shape s + (k,)
            One probability for each bin; the bins are the last axis.
        """
        e, t = unmasked("edges", edges), unmasked("true", true)
        return self.between(e[:-1], e[1:], t[..., None])

    def then(self, other: Response) -> Response:
        """Put another response behind this one: what this one observes is true to the other.

        Parameters
        ----------
        other : Response
            Response whose true value is what this one observes.

        Returns
        -------
        Response
            Associative; see `Composition` for its accuracy.

        Examples
        --------
        >>> from forefold.response.distributions import Normal
        >>> from forefold.response import Smear
        >>> both = Smear(Normal(), sigma=0.3).then(Smear(Normal(), sigma=0.4))
        >>> float(both.cdf(2.5, 2.0).round(6))
        0.841345
        """
        from forefold.response.composition import Composition

        return Composition((self, other))

    def matrix(
        self,
        true_edges: ArrayLike,
        reco_edges: ArrayLike,
        *,
        weights: Callable[[Any], Any] | None = None,
    ) -> hist.Hist[Any]:
        """Exact matrix ``R[true, reco]``: the probabilities of the bins, averaged over each true bin.

        Parameters
        ----------
        true_edges, reco_edges : array_like
            Finite and ascending.
        weights : callable, optional
            Density of the true values, as a function of an array; flat within each bin if not given.

        Returns
        -------
        hist.Hist
            Axes ``true`` (without flow) and ``reco`` (with flow). With flow, a row sums to its mean efficiency; a
            row whose weights are all zero is zero.

        Raises
        ------
        ValueError
            If edges do not ascend, or a weight is negative or not finite.

        Notes
        -----
        A true bin is integrated by Gauss-Legendre quadrature in panels of at most half a width of the response:
        errors are below 1e-9 where efficiency and width are smooth in the bin. Put an edge, or one of `Smear`'s
        `breaks`, where they jump.
        """
        from forefold.response.exact_matrix import exact_matrix

        return exact_matrix(self, true_edges, reco_edges, weights)

    @abstractmethod
    def _efficiency(self, true: Array) -> Array: ...

    @abstractmethod
    def _between(self, low: Array, high: Array, true: Array) -> Array: ...

    @abstractmethod
    def _pdf(self, observed: Array, true: Array) -> Array: ...

    @abstractmethod
    def _ppf(self, u: Array, true: Array) -> Array: ...

    @abstractmethod
    def _sample(self, true: Array, u: Array) -> Array: ...

    def _cdf(self, observed: Array, true: Array) -> Array:
        return self._between(np.full_like(observed, -np.inf), observed, true)

    def _breaks(self, reco_edges: Array) -> Array:
        """Give the true values at which the probabilities of bins may jump."""
        del reco_edges
        return np.empty(0)

    def _is_point(self) -> bool:
        """Whether the observed value is a function of the true one."""
        return False

    def _cost(self) -> int:
        """Values in memory for each pair of true value and bin."""
        return 1
