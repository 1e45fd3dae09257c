"""The response matrix: what it holds, and what follows from that."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._html import notebook
from forefold.matrix import rebin as grouping
from forefold.matrix.axes import cell_name, limits_of
from forefold.matrix.building import Building
from forefold.matrix.contents import (
    SIGNED,
    SPECTRUM,
    UNKNOWN,
    Contents,
    empty,
    inside,
    shape_of,
    shares,
)
from forefold.matrix.describing import described
from forefold.matrix.json import read_document, written_document
from forefold.matrix.uncertainty import Uncertainty

if TYPE_CHECKING:
    from collections.abc import Sequence

    import hist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ResponseMatrix"]

_RANK_TOLERANCE = 1e-12


class ResponseMatrix(Building, Uncertainty):
    """What is reconstructed of what is true, bin by bin: R[true, reco], whose rows sum to the efficiency.

    Made by `from_events` (a sample), `from_columns` (flat arrays), `from_response` (closed form, exact), `from_array` (numbers)
    or `from_histograms`. Matrices of parts of a sample add with ``+``. It does not change once it is made.

    Parameters
    ----------
    contents : Contents
        Sums of weights; use one of the methods above.

    Notes
    -----
    - **Axes**: any number of true and of reconstructed ones. `matrix`, `efficiency` and the like are flat in C order over the bins
      of all axes of a side, without flow bins.
    - **Missed**: true inside the true axes, and not reconstructed, or outside the reconstructed axes. The row sums to less than 1.
    - **Fakes**: reconstructed, and truth outside the true axes, or without truth. They are in no row; `fakes` has them. Those that a
      condition names are in `backgrounds` instead, each under its name.
    - `counts` and `truth` keep their flow bins, so that no weight disappears: those of the true axes are fakes, those of
      the reconstructed axes are missed.
    - **Weights** may be negative. A true bin whose sum is negative is an error when `matrix` is asked for; a negative cell stays.
    - **Empty rows**: a bin of which nothing is true has zeros in `matrix` and `efficiency`, and is True in `empty_rows`. `forefold.fold`
      refuses content in such a bin.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> matrix = forefold.ResponseMatrix.from_events(
    ...     events, "nusmear-dune-cdr", true="visible_energy=0:6:3", rng=1
    ... )
    >>> matrix.matrix.round(3).tolist()
    [[0.929, 0.027, 0.0], [0.158, 0.772, 0.059], [0.0, 0.206, 0.778]]
    >>> matrix.efficiency.round(3).tolist()
    [0.956, 0.99, 0.984]
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    @property
    def true_axes(self) -> tuple[Any, ...]:
        """Axes of what is true: their names end in ``_true``."""
        return self._contents.true_axes

    @property
    def reco_axes(self) -> tuple[Any, ...]:
        """Axes of what is reconstructed: their names end in ``_reco``."""
        return self._contents.reco_axes

    @property
    def counts(self) -> hist.Hist[Any]:
        """Sums of weights over true and reconstructed axes, with flow bins and variances; do not change it."""
        return self._contents.counts

    @property
    def truth(self) -> hist.Hist[Any]:
        """Sums of weights of all that is true, over the true axes; do not change it."""
        return self._contents.truth

    @property
    def exact(self) -> bool:
        """Whether this is made of probabilities, without statistics of a sample and without errors."""
        return self._contents.exact

    @property
    def errors_given(self) -> bool:
        """Whether `variance` was given, as of a published matrix: cells are then taken for independent of each other."""
        return self._contents.independent

    @property
    def knows_truth(self) -> bool:
        """Whether `truth` is a spectrum; False of probabilities alone, where it is only 1 in every bin."""
        return self._contents.provenance.get(SPECTRUM) != UNKNOWN

    @property
    def signed(self) -> bool:
        """Whether rows are no probabilities: cells may be negative, as those of an additional smearing matrix A_C, and there is no efficiency."""
        return bool(self._contents.provenance.get(SIGNED, False))

    @property
    def draws(self) -> int:
        """Draws of each event."""
        drawn = self._contents.oversampled
        return 1 if drawn is None else drawn.draws

    @property
    def provenance(self) -> dict[str, Any]:
        """What it was made of."""
        return dict(self._contents.provenance)

    @cached_property
    def fakes(self) -> hist.Hist[Any]:
        """What is reconstructed with truth outside the true axes, or without truth and in no background, over the reconstructed axes."""
        both = empty(self.reco_axes, "fakes")
        n = math.prod(shape_of(self.true_axes, flow=True))
        out = np.ones(shape_of(self.true_axes, flow=True), dtype=np.bool_)
        out[(slice(1, -1),) * out.ndim] = False
        view: Any = both.view(flow=True)
        alone: Any = self._contents.alone.view(flow=True)
        counts: Any = self.counts.view(flow=True)
        for key in ("value", "variance"):
            rows = counts[key].reshape(n, -1)[out.reshape(-1)].sum(axis=0)
            view[key] = alone[key] + rows.reshape(view.shape)
        return both

    @property
    def backgrounds(self) -> dict[str, hist.Hist[Any]]:
        """What is reconstructed and no signal, by the name of the condition that took it, over the reconstructed axes; do not change it."""
        return dict(self._contents.backgrounds)

    @cached_property
    def not_signal(self) -> hist.Hist[Any]:
        """All that is reconstructed and in no row, over the reconstructed axes: `fakes` and `backgrounds`."""
        return _summed("not_signal", [self.fakes, *self.backgrounds.values()])

    @cached_property
    def misses(self) -> hist.Hist[Any]:
        """What is true and not reconstructed inside the axes, over the true axes; its variances hold for one draw an event."""
        histogram = empty(self.true_axes, "misses")
        view: Any = histogram.view()
        axes = tuple(range(len(self.true_axes), len(self.counts.axes)))
        for key, of in (("value", "values"), ("variance", "variances")):
            total, reconstructed = (np.asarray(getattr(h, of)()) for h in (self.truth, self.counts))
            view[key] = total - reconstructed.sum(axis=axes)
        sign = -1.0 if self.errors_given else 1.0
        view["variance"] = np.maximum(sign * view["variance"], 0.0)
        return histogram

    @cached_property
    def reco(self) -> hist.Hist[Any]:
        """All that is reconstructed, fakes and backgrounds too, over the reconstructed axes."""
        matched = empty(self.reco_axes, "reco")
        n = math.prod(shape_of(self.true_axes, flow=True))
        view: Any = matched.view(flow=True)
        counts: Any = self.counts.view(flow=True)
        for key in ("value", "variance"):
            view[key] = counts[key].reshape(n, -1).sum(axis=0).reshape(view.shape)
        return _summed("reco", [self._contents.alone, *self.backgrounds.values(), matched])

    @cached_property
    def _total(self) -> Array:
        return np.asarray(self.truth.values(), dtype=np.float64).reshape(-1)

    @cached_property
    def matrix(self) -> Array:
        """R[true, reco], shape (n_true, n_reco), flat in C order without flow bins: rows sum to `efficiency`.

        Raises
        ------
        ValueError
            If the weights of a true bin sum to less than 0.
        """
        total = self._total
        if np.any(total < 0.0):
            i = int(np.argmin(total))
            message = (
                f"true {cell_name(self.true_axes, i)}: the weights sum to {total[i]:g}; negative weights need so "
                "many events that every bin's sum is positive: take wider bins or more events"
            )
            raise ValueError(message)
        counts = inside(self.counts.values(), self.true_axes, self.reco_axes)
        rows = counts / np.where(total > 0.0, total, 1.0)[:, None]
        rows[total == 0.0] = 0.0
        rows.flags.writeable = False
        return rows

    @property
    def efficiency(self) -> Array:
        """Probability to be reconstructed inside the reconstructed axes, shape (n_true,); 0 in empty rows.

        Raises
        ------
        ValueError
            If the matrix smears spectra, and its rows are no probabilities (`signed`).
        """
        if self.signed:
            message = "this matrix smears spectra, as A_C does: its rows are no probabilities, and it has no efficiency"
            raise ValueError(message)
        return np.asarray(self.matrix.sum(axis=1))

    @property
    def empty_rows(self) -> NDArray[np.bool_]:
        """True bins of which nothing is true, shape (n_true,)."""
        return np.asarray(self._total == 0.0)

    @property
    def migration(self) -> Array:
        """Where the reconstructed ones go, shape (n_true, n_reco): rows sum to 1, or to 0 where nothing is reconstructed."""
        efficiency = self.efficiency
        return np.asarray(self.matrix / np.where(efficiency != 0.0, efficiency, 1.0)[:, None])

    @property
    def purity(self) -> Array:
        """Of what is reconstructed in a bin, fakes and backgrounds too, the share that is true in it; shape (n,), NaN where nothing is.

        Raises
        ------
        ValueError
            If true and reconstructed bins differ.
        """
        own = self._own_bins("purity")
        total = np.asarray(self.reco.values(), dtype=np.float64).reshape(-1)
        return shares(own, total)

    @property
    def signal_fraction(self) -> Array:
        """Of what is reconstructed in a bin, the share that is signal of any true bin: the purity of a selection; shape (n_reco,), NaN where nothing is."""
        total = np.asarray(self.reco.values(), dtype=np.float64).reshape(-1)
        other = np.asarray(self.not_signal.values(), dtype=np.float64).reshape(-1)
        return shares(total - other, total)

    @property
    def stability(self) -> Array:
        """Of what is true in a bin and reconstructed anywhere, flow too, the share that is reconstructed in it; shape (n,).

        Raises
        ------
        ValueError
            If true and reconstructed bins differ.
        """
        own = self._own_bins("stability")
        cut = (slice(1, -1),) * len(self.true_axes)
        reconstructed = np.asarray(self.counts.values(flow=True), dtype=np.float64)[cut]
        total = reconstructed.reshape(own.size, -1).sum(axis=1)
        return shares(own, total)

    def _own_bins(self, what: str) -> Array:
        from forefold.matrix.axes import matching

        try:
            matching(self.true_axes, self.reco_axes, "the reconstructed side")
        except ValueError as error:
            message = f"{what} needs the same bins true and reconstructed; {error}"
            raise ValueError(message) from None
        counts = inside(self.counts.values(), self.true_axes, self.reco_axes)
        return np.asarray(np.diagonal(counts), dtype=np.float64)

    @cached_property
    def _singular_values(self) -> Array:
        return np.asarray(np.linalg.svd(self.matrix[~self.empty_rows], compute_uv=False))

    @property
    def rank(self) -> int:
        """Rank of the matrix: singular values above 1e-12 of the largest."""
        values = self._singular_values
        return int((values > _RANK_TOLERANCE * values.max(initial=0.0)).sum())

    @property
    def condition_number(self) -> float:
        """Largest over smallest singular value, without empty rows; infinite where the rank is not full."""
        values = self._singular_values
        if values.size == 0 or self.rank < values.size:
            return math.inf
        return float(values[0] / values[-1])

    def __add__(self, other: ResponseMatrix) -> ResponseMatrix:
        if not isinstance(other, ResponseMatrix):
            return NotImplemented
        return type(self)(self._contents + other._contents)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResponseMatrix):
            return NotImplemented
        return written_document(self._contents) == written_document(other._contents)

    __hash__ = None  # type: ignore[assignment]

    def rebin(self, *, truth: Any = None, **factors: int) -> ResponseMatrix:
        """Join neighbouring bins.

        Parameters
        ----------
        truth : histogram or array_like, shape (n_true,), or float, optional
            True spectrum over which rows of probabilities are the mean where true bins are joined; a matrix that knows none needs it, and
            1 is as much in every bin. Filled matrices have their own.
        **factors : int
            By name of the axis: how many bins become one.

        Returns
        -------
        ResponseMatrix
            What filling the wider bins would have given.

        Raises
        ------
        ValueError
            If there is no such axis, its bins are no multiple of the factor, or true bins are joined of which no spectrum is known.

        Examples
        --------
        >>> import forefold
        >>> fine = forefold.ResponseMatrix.from_array([[0.5, 0.3], [0.2, 0.6]], [0, 1, 2], [0, 1, 2])
        >>> fine.rebin(true=2, truth=[30.0, 10.0]).matrix.round(3).tolist()
        [[0.425, 0.375]]
        """
        return type(self)(grouping.rebinned(self._contents, factors, truth))

    def project(
        self,
        true: Sequence[str] | None = None,
        reco: Sequence[str] | None = None,
        *,
        truth: Any = None,
    ) -> ResponseMatrix:
        """Sum over all axes but these, their flow bins included: what filling without them would have given.

        Parameters
        ----------
        true, reco : sequence of str, optional
            Names of axes to keep; all of the side if left out.
        truth : histogram or array_like, shape (n_true,), or float, optional
            As of `rebin`: a true axis less joins bins, too.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If there is no such axis, the matrix has replicas or several draws an event, whose moments are not known outside, or a true axis
            goes of which no spectrum is known.
        """
        return type(self)(grouping.projected(self._contents, true, reco, truth))

    def peek(self, ax: Axes | None = None) -> Figure:
        """Draw the matrix, with efficiency and purity; print-ready.

        Parameters
        ----------
        ax : Axes, optional
            Draw the matrix alone there.

        Returns
        -------
        Figure
        """
        from forefold import plotting

        return plotting.response_matrix_figure(self, ax=ax)

    def to_json(self) -> str:
        """Write as UHI JSON: one file of named histograms, with the provenance in the metadata of ``counts``.

        Returns
        -------
        str
            `from_json` gives an equal matrix.
        """
        return written_document(self._contents)

    @classmethod
    def from_json(cls, text: str) -> ResponseMatrix:
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If the text is no response matrix, or one of a later version.
        """
        return cls(read_document(text))

    def __repr__(self) -> str:
        return described(self)

    def _repr_html_(self) -> str:
        """Show it in a notebook, with truth and efficiency of each true bin."""
        truth = np.asarray(self.truth.values(), dtype=np.float64).reshape(-1)
        head, columns = ["true bin", "truth", "efficiency"], [truth, self.efficiency]
        rows = (
            (limits_of(self.true_axes, i), *(f"{column[i]:.4g}" for column in columns))
            for i in range(truth.size)
        )
        return notebook(repr(self), head, rows)


def _summed(name: str, parts: list[hist.Hist[Any]]) -> hist.Hist[Any]:
    """Add weighted histograms over the same axes, in their order."""
    total = empty(tuple(parts[0].axes), name)
    view: Any = total.view(flow=True)
    for part in parts:
        content: Any = part.view(flow=True)
        for key in ("value", "variance"):
            view[key] += content[key]
    return total
