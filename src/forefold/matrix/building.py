"""Ways to make a response matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold._inputs import unmasked
from forefold.detector.load import load_card
from forefold.events.repeats import SharedDraws
from forefold.kernels.philox import random_key
from forefold.matrix import build as making
from forefold.matrix.contents import warn_of_nothing
from forefold.matrix.fill import Columns, Filler
from forefold.matrix.json import NOMINAL
from forefold.matrix.sources import filled, paired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    import hist
    from numpy.typing import ArrayLike

    from forefold.detector.load import Card
    from forefold.events.definitions import Definitions
    from forefold.events.selection import BackgroundCondition, Selection, SmearedSelection
    from forefold.matrix.axes import AxesLike
    from forefold.matrix.contents import Contents
    from forefold.matrix.sources import Missing
    from forefold.response import Response
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.particles import Axis
    from forefold.smearing.variations import Variations

__all__ = ["Building"]


class Building:
    """Part of `forefold.ResponseMatrix`: its constructors."""

    if TYPE_CHECKING:

        def __init__(self, contents: Contents) -> None: ...

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
            Named by what they hold: an observable of `forefold.observables` (``"enu"``), or with `of` a quantity of a particle:
            ``energy``, ``kinetic_energy``, ``momentum`` (GeV), ``theta`` (rad) or ``cos_theta``. Each is an axis of hist, a
            text such as ``"visible_energy=0:8:40"`` (also ``"q2=0,0.5,2"`` and ``"q2=0.1:10:20:log"``), or several in a list, or a mapping
            of names to edges. `reco` is as `true` if left out.
        of : str or int, optional
            Particle: each one is an entry. It is reconstructed if it is detected and taken for this kind; others that are
            taken for it are fakes.
        weight : str or None
            Field of the event with its weight; None for weights of 1.
        signal : str or Selection, optional
            Condition on true events, see `forefold.events.selection`: what is not signal has no truth, and is a fake if it is reconstructed.
        select : str or SmearedSelection, optional
            Condition on what is reconstructed, such as ``"topology_reco == '0pi' and n_mu_reco == 1"``, in terms of
            `forefold.events.selection.SMEARED_NAMES`. An event that is not selected is missed: it stays in the truth. A comparison with what has no
            value, such as the momentum of a particle that was lost, is not true.
        background : mapping of str to str, optional
            Names of what is selected and no signal, and conditions on true or smeared events, such as ``{"nc": "nc"}``: it is in `backgrounds`, and no
            fake. Of several conditions that hold the first one counts; what none holds of stays a fake.
        define : mapping of str to str, optional
            Observables of your own by formula, for axes and conditions; see `forefold.observables`.
        draws : int
            Draws of the detector for each event record, each with its share of the weight. Variances are by event, not by draw:
            they fall with the number of draws only as far as the scatter is the detector's.
        replicas : int
            Bootstrap replicas to fill beside: every event has a Poisson weight in each, which depends on `rng`, on the event and
            on the replica, and on nothing else, so that parts add.
        rng, axis, on_invalid
            See `forefold.smear`.
        binding_energy, thresholds
            See `forefold.observables`; they hold in conditions too.
        missing : {"stop", "accept"}
            Smeared events of which some were cut, ``smeared[passed]``, are an error: without them efficiencies are too high, and `select` is what was meant.
            Say ``"accept"`` if the cut was on what is true. It is noticed by holes among the entries that were smeared, which slices, masks,
            concatenations, pickles and forefold's files keep; not by a cut that took away the ends alone, nor in events put together anew.

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
        An event of which nothing is detected is missed, whatever its observables say. NaN is no truth, or not reconstructed. A reconstructed
        value outside the axes is missed; a true one outside makes a fake.

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
        pieces = paired(
            events, loaded, draws=draws, missing=missing, rng=key, axis=axis, on_invalid=on_invalid
        )
        contents = filled(
            pieces, true=true, reco=reco, of=of, weight=weight, signal=signal, select=select, background=background,
            define=define, draws=draws, replicas=replicas, rng=key, binding_energy=binding_energy, thresholds=thresholds,
        )  # fmt: skip
        warn_of_nothing(contents)
        return cls(contents)

    @classmethod
    def from_variations(
        cls, varied: Variations | Iterable[Variations], **settings: Any
    ) -> dict[str, Self]:
        """Fill one matrix a variation of the detector, with common random numbers.

        Parameters
        ----------
        varied : Variations, or an iterable of them
            From `forefold.smear_variations`, or chunks from `forefold.workflows.stream.vary_chunks`.
        **settings
            As `from_events`, less `card`, `draws`, `missing`, `axis` and `on_invalid`. Each variation selects anew, by its own reconstruction.

        Returns
        -------
        dict of str to ResponseMatrix
            ``"nominal"`` first. `forefold.fold` takes it whole.

        Examples
        --------
        >>> import forefold
        >>> events = forefold.read("events.gst.root")
        >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
        >>> found = forefold.ResponseMatrix.from_variations(varied, true="visible_energy=0:6:3")
        >>> len(found), list(found)[:2]
        (39, ['nominal', 'total_p0_up'])
        """
        from forefold.smearing.variations import Variations

        by_variation: dict[str, Contents] = {}
        shared = SharedDraws()
        for piece in [varied] if isinstance(varied, Variations) else varied:
            shared.add(piece.events)
            for name in piece:
                one = filled(paired((piece.events, piece[name]), None), **settings)
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
        """Fill a matrix from flat arrays of any quantity.

        Parameters
        ----------
        true, reco : array_like, shape (n,), or one for each axis
            NaN in `true` is no truth (a fake), NaN in `reco` is missed.
        true_axes, reco_axes : axes
            As in `from_events`, under any names.
        weight : array_like, shape (n,), optional
            1 if left out.
        replicas, rng
            See `from_events`.
        first : int
            Place of the first entry among all, so that pieces have the replicas of the whole.

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
        t = making.several(true, len(filler.true_axes))
        r = making.several(reco, len(filler.reco_axes))
        n = t[0].size
        w = np.ones(n) if weight is None else unmasked("weight", weight)
        entry = np.arange(n, dtype=np.uint64) + np.uint64(first)
        columns = [column.reshape(1, -1) for column in r]
        filler.add(Columns(t, columns, w, np.zeros(n, np.uint64), entry))
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
        """Take exact bin probabilities of a response: no sample, no statistics.

        Parameters
        ----------
        response : Response
            Such as `forefold.card_response`.
        true, reco : axis
            One of each, as in `from_events`; `reco` is as `true` if left out.
        true_spectrum : callable, optional
            Density of the true values, as a function of an array. Within a bin the response is averaged with it; flat if
            left out. It is also `truth`.

        Returns
        -------
        ResponseMatrix

        Raises
        ------
        ValueError
            If there are more axes, or the density is negative.

        Notes
        -----
        A matrix depends on what is assumed inside its true bins, by more where bins are wide: `forefold.matrix.in_bin_variation`
        says how much. A bin where the density is 0 is an empty row.

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
        return cls(making.of_response(response, true, reco, true_spectrum=true_spectrum))

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
        """Take a matrix of numbers, R[true, reco].

        Parameters
        ----------
        matrix : array_like, shape (n_true, n_reco), or that of all axes
            Rows sum to the efficiency; or to at most 1, if `efficiency` is given, which multiplies them.
        true, reco : axes
            As in `from_events`; edges will do.
        efficiency : array_like, shape (n_true,), optional
        truth : array_like, shape (n_true,), optional
            What is true in each bin; 1 if left out.
        entries : array_like, shape (n_true,), optional
            Entries of weight 1 that each row was made of: they are then `truth`, and the matrix has their statistics. Without, it is exact.
        variance : array_like, shape of `matrix`, optional
            Squared errors of its numbers, as published: taken for independent.
        signed : bool
            Numbers may be negative and rows sum to anything, as those of an additional smearing matrix A_C: it smears spectra (`forefold.fold`), and has no efficiency.

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
        >>> made = ResponseMatrix.from_array([[0.9, 0.1], [0.2, 0.8]], [0, 1, 2], [0, 1, 2], efficiency=[0.5, 1.0])
        >>> made.matrix.tolist()
        [[0.45, 0.05], [0.2, 0.8]]
        """
        return cls(
            making.of_array(
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
        return cls(making.of_histograms(counts, truth, fakes, backgrounds))
