"""The response matrix: how it is made, what it holds, its statistical uncertainty, and how it is rebinned, drawn and written."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold._html import notebook
from forefold._inputs import unmasked
from forefold.detector.load import load_card
from forefold.events.repeats import SharedDraws
from forefold.kernels.philox import random_key
from forefold.matrix import build, rebin
from forefold.matrix.axes import bin_name, limits_of
from forefold.matrix.contents import (
    SIGNED,
    SPECTRUM,
    UNKNOWN,
    Contents,
    as_matrix,
    empty,
    shape_of,
    shares,
    warn_of_nothing,
)
from forefold.matrix.description import description
from forefold.matrix.entries import event_pairs, fill_from_events
from forefold.matrix.fill import Entries, Filler
from forefold.matrix.json import NOMINAL, read_document, written_document
from forefold.matrix.uncertainty import (
    Method,
    Moments,
    check_method,
    dirichlet,
    dirichlet_moments,
    element_variance,
    folded_covariance,
    row_covariances,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    import hist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from forefold.detector.load import Card
    from forefold.events.definitions import Definitions
    from forefold.events.selection import BackgroundCondition, Selection, SmearedSelection
    from forefold.matrix.axes import AxesLike
    from forefold.matrix.entries import Missing
    from forefold.response import Response
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.particles import Axis
    from forefold.smearing.variations import Variations

    Array = NDArray[np.float64]

__all__ = ["ResponseMatrix"]

_RANK_TOLERANCE = 1e-12


class ResponseMatrix:
    """Response matrix R[true, reco]: probability that an event of a true bin is reconstructed in a bin; rows sum to the efficiency.

    Make one with `from_events` (a sample), `from_columns` (arrays), `from_response` (closed form, exact), `from_array` (numbers)
    or `from_histograms`. Matrices of parts of a sample are added with ``+``. A matrix never changes after it is made.

    Parameters
    ----------
    contents : Contents
        Sums of weights. Use one of the methods above rather than this.

    Notes
    -----
    - **Axes**: any number of true and of reconstructed axes. `matrix`, `efficiency` and the like are flat in C order over the bins
      of all axes of a side, without flow bins.
    - **Misses**: events inside the true axes that are not reconstructed, or are reconstructed outside the reconstructed axes. They make a row sum to less than 1.
    - **Fakes**: reconstructed events without truth, or with a truth outside the true axes. They are in no row of the matrix but in `fakes`;
      those that pass the condition of a background are in `backgrounds` instead, under its name.
    - `counts` and `truth` keep their flow bins, so that no weight disappears: what is in flow bins of the true axes counts as fakes, what
      is in those of the reconstructed axes as misses.
    - **Weights** may be negative. If the weights of a true bin sum to less than 0, asking for `matrix` is an error; a negative element is kept.
    - **Empty rows**: a true bin without events has zeros in `matrix` and `efficiency`, and is True in `empty_rows`. `forefold.fold`
      refuses a spectrum with content in such a bin.

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

    @classmethod
    def from_events(
        cls,
        events: Any,
        card: Card | str | Path | None = None,
        *,
        true: AxesLike,
        reco: AxesLike = None,
        of: str | int | None = None,
        weight: str | None = "weight",
        signal: str | Selection | None = None,
        select: str | SmearedSelection | None = None,
        background: Mapping[str, str | BackgroundCondition] | None = None,
        define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
        draws: int = 1,
        replicas: int = 0,
        rng: int | np.random.Generator | None = None,
        axis: Axis = "probe",
        on_invalid: OnInvalid = "stop",
        binding_energy: float = 0.034,
        thresholds: Mapping[str, float] | None = None,
        missing: Missing = "stop",
    ) -> Self:
        """Fill a matrix from events, or from chunks of them one after the other.

        Parameters
        ----------
        events : ak.Array, pair, or an iterable of them
            Event records (then with `card`), smeared events, or pairs (events, smeared). An iterable is read once, so
            that memory stays bounded: ``forefold.iterate(files)``, or `forefold.workflows.stream.smear_chunks`.
        card : Card, str or Path, optional
            Detector that event records are smeared by.
        true, reco : axes
            Named by their quantity: an observable of `forefold.observables` (``"enu"``), or with `of` a quantity of a particle:
            ``energy``, ``kinetic_energy``, ``momentum`` (GeV), ``theta`` (rad) or ``cos_theta``. Each is an axis of hist, a
            text such as ``"visible_energy=0:8:40"`` (also ``"q2=0,0.5,2"`` and ``"q2=0.1:10:20:log"``), or several in a list, or a mapping
            of names to edges. `reco` is as `true` if left out.
        of : str or int, optional
            Kind of particle, such as ``"mu-"``: fill one entry for each such particle instead of one for each event. It counts as reconstructed if it
            is detected and identified as this kind; other particles that are identified as this kind are fakes.
        weight : str or None
            Name of the field with the weight of an event; None for weights of 1.
        signal : str or Selection, optional
            Condition on true events that defines the signal, see `forefold.events.selection`. Other events have no truth, and are fakes if they are reconstructed.
        select : str or SmearedSelection, optional
            Condition on what is reconstructed, such as ``"topology_reco == '0pi' and n_mu_reco == 1"``, in terms of
            `forefold.events.selection.SMEARED_NAMES`. An event that is not selected counts as missed and stays in the truth. A comparison with a quantity
            that has no value, such as the momentum of a lost particle, is false.
        background : mapping of str to str, optional
            Names and conditions, on true or smeared events, of events that are selected but are no signal, such as ``{"nc": "nc"}``. They are in
            `backgrounds` instead of `fakes`. If several conditions hold, the first one counts; if none holds, the event stays a fake.
        define : mapping of str to str, optional
            Observables of your own by formula, for axes and conditions; see `forefold.observables`.
        draws : int
            How often the detector is drawn for each event record; each draw has an equal share of the weight. The draws of one event are correlated,
            and the variances know it: more draws reduce the scatter of the detector, not that of the events.
        replicas : int
            Number of bootstrap replicas to fill as well. In each replica an event has a Poisson weight that depends only on `rng`, the event and
            the replica, so that matrices of parts of a sample can be added.
        rng, axis, on_invalid
            See `forefold.smear`.
        binding_energy, thresholds
            See `forefold.observables`; they hold in conditions too.
        missing : {"stop", "accept"}
            Smeared events of which some were cut, ``smeared[passed]``, are an error: without them efficiencies are too high, and `select` is what was meant.
            Say ``"accept"`` if the cut was on true quantities. A cut is recognised by gaps among the entry numbers, which slices, masks,
            concatenations, pickles and forefold's files keep. A cut that removed only the first or last events, or events that were rebuilt, are not recognised.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If a quantity is not known, a weight is not finite, events were cut after they were smeared, or `forefold.smear` refuses.

        Warns
        -----
        UserWarning
            If no event is selected, a background takes none, or events of two chunks share their random numbers: chunks made in memory
            need a `stream` each.

        Notes
        -----
        An event without any detected particle is missed, whatever its observables are. NaN on a true axis means no truth, NaN on a
        reconstructed axis means not reconstructed. An event reconstructed outside the axes is missed; one with a truth outside the axes is a fake.

        Examples
        --------
        >>> import forefold
        >>> chunks = forefold.iterate("events.gst.root", chunk=100)
        >>> matrix = forefold.ResponseMatrix.from_events(
        ...     chunks, "nusmear-dune-cdr", true="enu=0:6:3", reco="visible_energy=0:6:4", rng=1, signal="cc"
        ... )
        >>> [axis.name for axis in (*matrix.true_axes, *matrix.reco_axes)]
        ['enu_true', 'visible_energy_reco']
        >>> matrix.matrix.shape, matrix.fakes.sum().value
        ((3, 4), 73.0)

        Of charged-current events without pions, those that look it; others that do are a background:

        >>> matrix = forefold.ResponseMatrix.from_events(
        ...     forefold.read("events.gst.root"), "nusmear-dune-cdr", true="enu=0:6:3", rng=1, signal="cc and topology == '0pi'",
        ...     select="topology_reco == '0pi' and n_mu_reco == 1", background={"pions": "cc and topology != '0pi'"}
        ... )
        >>> matrix.reco.sum().value, matrix.backgrounds["pions"].sum().value, matrix.fakes.sum().value
        (84.0, 13.0, 1.0)
        """
        loaded = None if card is None else load_card(card)
        key = random_key(rng)
        pieces = event_pairs(
            events, loaded, draws=draws, missing=missing, rng=key, axis=axis, on_invalid=on_invalid
        )
        contents = fill_from_events(
            pieces, true=true, reco=reco, of=of, weight=weight, signal=signal, select=select, background=background,
            define=define, draws=draws, replicas=replicas, rng=key, binding_energy=binding_energy, thresholds=thresholds,
        )  # fmt: skip
        warn_of_nothing(contents)
        return cls(contents)

    @classmethod
    def from_variations(
        cls, varied: Variations | Iterable[Variations], **settings: Any
    ) -> dict[str, Self]:
        """Fill one matrix for each variation of the detector, with common random numbers.

        Parameters
        ----------
        varied : Variations, or an iterable of them
            From `forefold.smear_variations`, or chunks from `forefold.workflows.stream.vary_chunks`.
        **settings
            Keywords of `from_events`, except `card`, `draws`, `missing`, `axis` and `on_invalid`. The selection is applied to each variation with its own reconstruction.

        Returns
        -------
        dict of str to ResponseMatrix
            Matrices by name of the variation, ``"nominal"`` first; `forefold.fold` takes the whole dict.

        Examples
        --------
        >>> import forefold
        >>> events = forefold.read("events.gst.root")
        >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
        >>> matrices = forefold.ResponseMatrix.from_variations(varied, true="visible_energy=0:6:3")
        >>> len(matrices), list(matrices)[:2]
        (39, ['nominal', 'total_p0_up'])
        """
        from forefold.smearing.variations import Variations

        by_variation: dict[str, Contents] = {}
        shared = SharedDraws()
        for piece in [varied] if isinstance(varied, Variations) else varied:
            shared.add(piece.events)
            for name in piece:
                one = fill_from_events(event_pairs((piece.events, piece[name]), None), **settings)
                by_variation[name] = by_variation[name] + one if name in by_variation else one
        if not by_variation:
            message = "no events were given"
            raise ValueError(message)
        warn_of_nothing(by_variation[NOMINAL])
        return {name: cls(contents) for name, contents in by_variation.items()}

    @classmethod
    def from_columns(
        cls,
        true: ArrayLike | Sequence[ArrayLike],
        reco: ArrayLike | Sequence[ArrayLike],
        *,
        true_axes: AxesLike,
        reco_axes: AxesLike = None,
        weight: ArrayLike | None = None,
        replicas: int = 0,
        rng: int | np.random.Generator | None = None,
        first: int = 0,
    ) -> Self:
        """Fill a matrix from one-dimensional arrays of any quantity.

        Parameters
        ----------
        true, reco : array_like, shape (n,), or one for each axis
            Values of each entry. NaN in `true` means no truth (a fake), NaN in `reco` means missed.
        true_axes, reco_axes : axes
            As in `from_events`, but with any names.
        weight : array_like, shape (n,), optional
            1 if left out.
        replicas, rng
            See `from_events`.
        first : int
            Number of the first entry in the whole sample: with it, replicas of pieces add up to the replicas of the whole.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If columns and axes do not go together, or a weight is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from forefold import ResponseMatrix
        >>> true, reco = np.array([0.5, 0.6, 1.5, 9.0]), np.array([0.4, np.nan, 1.7, 0.2])
        >>> matrix = ResponseMatrix.from_columns(true, reco, true_axes="time=0:2:2")
        >>> matrix.matrix.tolist(), matrix.fakes.values().tolist()
        ([[0.5, 0.0], [0.0, 1.0]], [1.0, 0.0])
        """
        filler = Filler(true_axes, reco_axes, replicas=replicas, rng=rng)
        t = build.axis_columns(true, len(filler.true_axes))
        r = build.axis_columns(reco, len(filler.reco_axes))
        n = t[0].size
        w = np.ones(n) if weight is None else unmasked("weight", weight)
        entry = np.arange(n, dtype=np.uint64) + np.uint64(first)
        columns = [column.reshape(1, -1) for column in r]
        filler.add(Entries(t, columns, w, np.zeros(n, np.uint64), entry))
        return cls(filler.contents({"version": __version__, "made": "columns"}))

    @classmethod
    def from_response(
        cls,
        response: Response,
        true: AxesLike,
        reco: AxesLike = None,
        *,
        true_spectrum: Callable[[Any], Any] | None = None,
    ) -> Self:
        """Compute the exact bin probabilities of a response, without a sample and thus without statistical uncertainty.

        Parameters
        ----------
        response : Response
            Such as `forefold.card_response`.
        true, reco : axis
            One of each, as in `from_events`; `reco` is as `true` if left out.
        true_spectrum : callable, optional
            Density of the true values, as a function of an array; flat if left out. The response is averaged over each true bin with this
            density, and its integrals become `truth`.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If there are more axes, or the density is negative.

        Notes
        -----
        A matrix depends on the spectrum assumed inside its true bins, the more the wider they are; `forefold.matrix.in_bin_variation`
        tells how much. A bin where the density is 0 is an empty row.

        Examples
        --------
        >>> import forefold
        >>> from forefold import ResponseMatrix
        >>> matrix = ResponseMatrix.from_response(
        ...     forefold.card_response("nusmear-dune-cdr", "mu-"), "kinetic_energy=0:2:2", "kinetic_energy=0,1,2,4"
        ... )
        >>> matrix.matrix.round(3).tolist()
        [[0.915, 0.055, 0.0], [0.08, 0.816, 0.104]]
        """
        return cls(build.of_response(response, true, reco, true_spectrum=true_spectrum))

    @classmethod
    def from_array(
        cls,
        matrix: ArrayLike,
        true: AxesLike,
        reco: AxesLike,
        *,
        efficiency: ArrayLike | None = None,
        truth: ArrayLike | None = None,
        entries: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        signed: bool = False,
    ) -> Self:
        """Make a matrix from an array of numbers, R[true, reco].

        Parameters
        ----------
        matrix : array_like, shape (n_true, n_reco), or that of all axes
            Rows sum to the efficiency. With `efficiency`, rows sum to at most 1 and are multiplied by it.
        true, reco : axes
            As in `from_events`, or arrays of bin edges.
        efficiency : array_like, shape (n_true,), optional
            Probability to be reconstructed, if the rows do not hold it already.
        truth : array_like, shape (n_true,), optional
            Content of the true spectrum in each bin; 1 if left out.
        entries : array_like, shape (n_true,), optional
            Number of entries of weight 1 that each row was made of. They become `truth`, and the matrix has their statistical uncertainty. Without them it is exact.
        variance : array_like, shape of `matrix`, optional
            Squared errors of the elements, such as published ones; they are taken as independent.
        signed : bool
            Allow negative elements and rows with any sum, as an additional smearing matrix A_C has. Such a matrix can smear spectra (`forefold.fold`), but has no efficiency.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If shapes do not fit, a number is negative or not finite, or a row sums to more than 1.

        Examples
        --------
        >>> from forefold import ResponseMatrix
        >>> matrix = ResponseMatrix.from_array([[0.9, 0.1], [0.2, 0.8]], [0, 1, 2], [0, 1, 2], efficiency=[0.5, 1.0])
        >>> matrix.matrix.tolist()
        [[0.45, 0.05], [0.2, 0.8]]
        """
        return cls(
            build.of_array(
                matrix,
                true,
                reco,
                efficiency=efficiency,
                truth=truth,
                entries=entries,
                variance=variance,
                signed=signed,
            )
        )

    @classmethod
    def from_histograms(
        cls,
        counts: hist.Hist[Any],
        truth: hist.Hist[Any],
        fakes: hist.Hist[Any] | None = None,
        backgrounds: Mapping[str, hist.Hist[Any]] | None = None,
    ) -> Self:
        """Take counts that were filled elsewhere.

        Parameters
        ----------
        counts : hist.Hist
            True axes, then reconstructed ones: what is true and reconstructed.
        truth : hist.Hist
            Over the true axes: all that is true, the missed ones too.
        fakes : hist.Hist, optional
            Over the reconstructed axes: what is reconstructed without truth, and in none of `backgrounds`.
        backgrounds : mapping of str to hist.Hist, optional
            Over the reconstructed axes: what is reconstructed without truth, by name.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If axes do not match, contents are not finite, or more is reconstructed than true.

        Examples
        --------
        >>> import hist
        >>> from forefold import ResponseMatrix
        >>> x, y = hist.axis.Regular(2, 0, 2, name="x"), hist.axis.Regular(2, 0, 2, name="y")
        >>> counts = hist.Hist(x, y).fill([0.5, 1.5], [0.5, 1.2])
        >>> ResponseMatrix.from_histograms(counts, hist.Hist(x).fill([0.5, 0.7, 1.5])).efficiency.tolist()
        [0.5, 1.0]
        """
        return cls(build.of_histograms(counts, truth, fakes, backgrounds))

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
        """Whether the elements are probabilities without any uncertainty, neither statistical nor given."""
        return self._contents.exact

    @property
    def errors_given(self) -> bool:
        """Whether `variance` was given, as for a published matrix; elements are then taken as independent of each other."""
        return self._contents.independent

    @property
    def knows_truth(self) -> bool:
        """Whether `truth` is a true spectrum; False for a matrix of probabilities alone, where it is 1 in every bin."""
        return self._contents.provenance.get(SPECTRUM) != UNKNOWN

    @property
    def signed(self) -> bool:
        """Whether elements may be negative, as those of an additional smearing matrix A_C; rows are then no probabilities, and there is no efficiency."""
        return bool(self._contents.provenance.get(SIGNED, False))

    @property
    def draws(self) -> int:
        """Number of draws of the detector for each event."""
        drawn = self._contents.oversampled
        return 1 if drawn is None else drawn.draws

    @property
    def provenance(self) -> dict[str, Any]:
        """How it was made: source, card and its checksum, random numbers, selection, version."""
        return dict(self._contents.provenance)

    @cached_property
    def fakes(self) -> hist.Hist[Any]:
        """Reconstructed events whose truth is outside the true axes, or that have none and are in no background; over the reconstructed axes."""
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
        """Reconstructed events that are no signal, by the name of the background whose condition they pass; over the reconstructed axes. Do not change it."""
        return dict(self._contents.backgrounds)

    @cached_property
    def not_signal(self) -> hist.Hist[Any]:
        """Sum of `fakes` and `backgrounds`, which are all reconstructed events that are in no row; over the reconstructed axes."""
        return _summed("not_signal", [self.fakes, *self.backgrounds.values()])

    @cached_property
    def misses(self) -> hist.Hist[Any]:
        """True events that are not reconstructed inside the axes; over the true axes. The variances hold for one draw an event."""
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
        """All reconstructed events, with fakes and backgrounds; over the reconstructed axes."""
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
                f"true {bin_name(self.true_axes, i)}: the weights sum to {total[i]:g}; negative weights need so "
                "many events that every bin's sum is positive: take wider bins or more events"
            )
            raise ValueError(message)
        counts = as_matrix(self.counts.values(), self.true_axes, self.reco_axes)
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
        """Whether a true bin has no events, shape (n_true,)."""
        return np.asarray(self._total == 0.0)

    @property
    def migration(self) -> Array:
        """Migration matrix, rows over efficiency, shape (n_true, n_reco); rows sum to 1, or to 0 where nothing is reconstructed."""
        efficiency = self.efficiency
        return np.asarray(self.matrix / np.where(efficiency != 0.0, efficiency, 1.0)[:, None])

    @property
    def purity(self) -> Array:
        """Fraction of the events reconstructed in a bin, with fakes and backgrounds, that are true in the same bin; shape (n,), NaN in empty bins.

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
        """Fraction of the events reconstructed in a bin that are signal of any true bin, the purity of a selection; shape (n_reco,), NaN in empty bins."""
        total = np.asarray(self.reco.values(), dtype=np.float64).reshape(-1)
        other = np.asarray(self.not_signal.values(), dtype=np.float64).reshape(-1)
        return shares(total - other, total)

    @property
    def stability(self) -> Array:
        """Fraction of the events true in a bin and reconstructed anywhere, flow bins too, that are reconstructed in the same bin; shape (n,).

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
        counts = as_matrix(self.counts.values(), self.true_axes, self.reco_axes)
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

    @cached_property
    def _moments(self) -> Moments:
        held = self._contents
        total = np.asarray(held.truth.values(), dtype=np.float64).reshape(-1)
        square = np.asarray(held.truth.variances(), dtype=np.float64).reshape(-1)
        own = as_matrix(held.counts.variances(), held.true_axes, held.reco_axes)
        drawn = held.oversampled
        if held.independent:
            none = np.zeros_like(own)
            return Moments(self.matrix, total, np.zeros_like(total), none, own)
        if drawn is None:
            return Moments(self.matrix, total, square, own, own)
        return Moments(self.matrix, total, square, drawn.linear, drawn.pairs)

    @property
    def variance(self) -> Array:
        """Variance of every element of `matrix`, shape (n_true, n_reco): weighted multinomial, or as given; 0 of an exact matrix."""
        return element_variance(self._moments)

    @property
    def effective_entries(self) -> Array:
        """Effective number of entries of each row, (sum of w)² / sum of w²; shape (n_true,).

        Infinite for an exact matrix, 0 for an empty row. Several draws of one event count once here; `equivalent_entries` counts what they
        add. If errors were given, this equals `equivalent_entries`.
        """
        entries = self._of_weights()
        return self._of_variances(entries) if self._contents.independent else entries

    def _of_weights(self) -> Array:
        square, total = self._moments.square, self._moments.total
        none: Array = np.where(total > 0.0, np.inf, 0.0)
        return np.asarray(np.divide(np.square(total), square, out=none, where=square > 0.0))

    @property
    def equivalent_entries(self) -> Array:
        """Number of entries of weight 1, with one draw each, that would give the summed variance of a row; shape (n_true,).

        With several draws an event it is larger than `effective_entries`, but by less than the number of draws, since the event itself is drawn once.
        """
        return self._of_variances(self._of_weights())

    def _of_variances(self, otherwise: Array) -> Array:
        of_one = (self.matrix * (1.0 - self.matrix)).sum(axis=1)
        total = self.variance.sum(axis=1)
        good = (total > 0.0) & (of_one > 0.0)
        with np.errstate(over="ignore"):  # as good as infinite
            return np.asarray(np.divide(of_one, total, out=otherwise, where=good))

    def moments(self, method: Method = "multinomial", *, prior: float = 0.5) -> Moments:
        """Give the moments from which the covariance of any folded spectrum can be computed.

        Parameters
        ----------
        method : {"multinomial", "dirichlet", "bootstrap"}
            See `covariance`.
        prior : float
            See `covariance`.

        Returns
        -------
        Moments

        Raises
        ------
        ValueError
            As `covariance`.
        """
        check_method(method)
        if method == "multinomial":
            return self._moments
        if method == "bootstrap":
            rows = self.replicas - self.replicas.mean(axis=0)
            own = np.einsum("bij,bik->ijk", rows, rows) / (len(rows) - 1)
            none = np.zeros(own.shape[:2])
            return Moments(none, np.ones(len(own)), none[:, 0], none, own)
        alpha, total = self._dirichlet(prior)
        return dirichlet_moments(alpha, total)

    def row_covariance(self, method: Method = "multinomial", *, prior: float = 0.5) -> Array:
        """Give the covariance of every row of `matrix`; rows are independent of each other.

        Parameters
        ----------
        method : {"multinomial", "dirichlet", "bootstrap"}
            See `covariance`.
        prior : float
            See `covariance`.

        Returns
        -------
        ndarray, shape (n_true, n_reco, n_reco)
        """
        return row_covariances(self.moments(method, prior=prior))

    def covariance(
        self, truth: ArrayLike, method: Method = "multinomial", *, prior: float = 0.5
    ) -> Array:
        """Give the covariance of a folded spectrum, ``truth @ matrix``, due to the limited statistics of the matrix.

        Parameters
        ----------
        truth : array_like, shape (n_true,)
        method : {"multinomial", "dirichlet", "bootstrap"}
            ``multinomial``: error propagation to first order for ratios of weighted sums, with the draws of one event taken together. An element without
            entries has no variance. Given errors are used as they are, independent of each other. ``dirichlet``: the posterior of each row with its
            `equivalent_entries`, so that elements without entries have a variance too; it is too large where entries are few. ``bootstrap``: the
            scatter of the replicas that were filled, which includes all correlations between bins.
        prior : float
            For ``dirichlet``: pseudo-entries of each reconstructed bin, and of the misses; 0.5 is Jeffreys's prior, 1 a flat one.

        Returns
        -------
        ndarray, shape (n_reco, n_reco)

        Raises
        ------
        ValueError
            If `truth` has another length, there is no such method, or bootstrap without replicas.

        Examples
        --------
        >>> import forefold
        >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3]], [0, 1], [0, 1, 2], entries=100)
        >>> matrix.covariance([10.0]).round(6).tolist()
        [[0.25, -0.15], [-0.15, 0.21]]
        """
        t = unmasked("truth", truth).reshape(-1)
        if t.size != self.matrix.shape[0]:
            message = f"truth has {t.size} bins, the matrix has {self.matrix.shape[0]} true ones"
            raise ValueError(message)
        if method == "bootstrap":
            folded = np.einsum("i,bij->bj", t, self.replicas)
            return np.asarray(np.atleast_2d(np.cov(folded, rowvar=False)))
        return folded_covariance(self.moments(method, prior=prior), t)

    @property
    def replicas(self) -> Array:
        """Matrices of the bootstrap replicas, shape (replicas, n_true, n_reco).

        Raises
        ------
        ValueError
            If none were filled.
        """
        replicas = self._contents.replicas
        if replicas is None or len(replicas.truth) < 2:
            message = "bootstrap: no replicas were filled; give from_events(..., replicas=200)"
            raise ValueError(message)
        total = replicas.truth[:, :, None]
        return np.divide(
            replicas.counts, total, out=np.zeros_like(replicas.counts), where=total != 0.0
        )

    def _dirichlet(self, prior: float) -> tuple[Array, Array]:
        if not 0.0 < prior < np.inf:
            message = f"prior = {prior!r}: a finite number above 0 is needed"
            raise ValueError(message)
        if np.any(self.matrix < 0.0) or np.any(self.matrix.sum(axis=1) > 1.0 + 1e-9):
            message = "dirichlet: a cell is negative, or a row sums to more than 1; probabilities are needed: take method='multinomial'"
            raise ValueError(message)
        entries = np.minimum(self.equivalent_entries, 1e300)
        return dirichlet(self.matrix, entries, prior)

    def toys(
        self,
        n: int,
        *,
        rng: int | np.random.Generator | None = None,
        prior: float = 1e-3,
    ) -> Array:
        """Draw matrices from the Dirichlet posterior of the rows, for toys with the statistical uncertainty of the matrix.

        Parameters
        ----------
        n : int
            How many matrices.
        rng : int, numpy Generator or None
            As in `forefold.smear`.
        prior : float
            See `covariance`; near 0 by default, so that the mean of the toys is the matrix.

        Returns
        -------
        ndarray, shape (n, n_true, n_reco)
            Empty rows are 0; an exact matrix is repeated unchanged.
        """
        if self._contents.exact:
            return np.repeat(self.matrix[None], n, axis=0)
        generator = np.random.Generator(np.random.Philox(random_key(rng)))
        alpha, total = self._dirichlet(prior)
        missed = np.maximum(total - alpha.sum(axis=1), prior)
        gammas = generator.standard_gamma(
            np.column_stack([alpha, missed]), (n, *missed.shape, alpha.shape[1] + 1)
        )
        rows = gammas[..., :-1] / gammas.sum(axis=-1, keepdims=True)
        rows[:, self._moments.total == 0.0] = 0.0
        return np.asarray(rows)

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
            True spectrum with which rows are averaged where true bins are joined; 1 weighs all bins alike. A matrix of probabilities without a true
            spectrum needs it; a matrix that was filled with events has its own.
        **factors : int
            How many neighbouring bins are joined, by name of the axis.

        Returns
        -------
        ResponseMatrix
            The matrix that filling the wider bins would have given.

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
        return type(self)(rebin.rebinned(self._contents, factors, truth))

    def project(
        self,
        true: Sequence[str] | None = None,
        reco: Sequence[str] | None = None,
        *,
        truth: Any = None,
    ) -> ResponseMatrix:
        """Keep these axes and sum over all others, with their flow bins, as if the matrix had been filled without them.

        Parameters
        ----------
        true, reco : sequence of str, optional
            Names of axes to keep; all of the side if left out.
        truth : histogram or array_like, shape (n_true,), or float, optional
            As in `rebin`, since summing over a true axis joins its bins.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If there is no such axis; if the matrix has replicas or several draws an event, which are kept without flow bins; or if a true axis is
            removed and no true spectrum is known.
        """
        return type(self)(rebin.projected(self._contents, true, reco, truth))

    def peek(self, ax: Axes | None = None) -> Figure:
        """Draw the matrix, with efficiency and purity, as a figure that is ready to print.

        Parameters
        ----------
        ax : Axes, optional
            Draw the matrix alone into these axes.

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
        return description(self)

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
