"""True or reconstructed spectra of events, as histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np

from forefold.detector.load import load_card
from forefold.events.definitions import definitions_of
from forefold.events.selection import selection_of, selection_of_smeared
from forefold.events.values import EventValues
from forefold.kernels.philox import random_key
from forefold.matrix.axes import side_axes, with_units
from forefold.matrix.entries import check_quantities, event_pairs, numbers, weights_of
from forefold.matrix.json import SPECTRUM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from forefold.detector.load import Card
    from forefold.events.definitions import Definitions
    from forefold.events.selection import Selection, SmearedSelection
    from forefold.matrix.axes import AxesLike, Side
    from forefold.matrix.entries import Missing
    from forefold.smearing.engine import OnInvalid
    from forefold.smearing.particles import Axis

__all__ = ["spectrum"]


def spectrum(
    events: Any,
    card: Card | str | Path | None = None,
    *,
    axes: AxesLike,
    side: Side | None = None,
    weight: str | None = "weight",
    signal: str | Selection | None = None,
    select: str | SmearedSelection | None = None,
    define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
    scale: float = 1.0,
    rng: int | np.random.Generator | None = None,
    axis: Axis = "probe",
    on_invalid: OnInvalid = "stop",
    binding_energy: float = 0.034,
    thresholds: Mapping[str, float] | None = None,
) -> hist.Hist[Any]:
    """Fill a true spectrum to fold, or a reconstructed one to unfold, from events.

    Parameters
    ----------
    events : ak.Array, pair, or an iterable of them
        Event records, smeared events, or pairs (events, smeared), as for `forefold.ResponseMatrix.from_events`.
    card : Card, str or Path, optional
        Detector that event records are smeared by; a true spectrum needs none.
    axes : axes
        As for `forefold.ResponseMatrix.from_events`, on one side.
    side : {"true", "reco"}, optional
        ``"reco"`` by default if events are smeared, else ``"true"``.
    weight, signal, select, define, rng, axis, on_invalid, binding_energy, thresholds
        As for `forefold.ResponseMatrix.from_events`. A reconstructed spectrum holds all selected events, signal or not, as data do.
    scale : float
        Factor of all weights, such as the exposure of data over that of the simulation.

    Returns
    -------
    hist.Hist
        Histogram with weighted storage, named ``spectrum``.

    Raises
    ------
    ValueError
        If a quantity is not known, a reconstructed spectrum is requested of events that are not smeared, or the scale is not above 0.

    Notes
    -----
    An event without a value, such as ``q2`` of a neutral-current event, is not in the spectrum, nor in its flow bins. An event without any detected
    particle is in no reconstructed spectrum.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> forefold.spectrum(events, axes="enu=0:6:3", signal="cc").values().tolist()
    [54.0, 92.0, 59.0]
    >>> seen = forefold.spectrum(events, "nusmear-dune-cdr", axes="visible_energy=0:6:3", rng=1)
    >>> [each.name for each in seen.axes]
    ['visible_energy_reco']
    """
    if side not in (None, "true", "reco"):
        message = f"side = {side!r}: 'true' or 'reco'"
        raise ValueError(message)
    if not 0.0 < scale < math.inf:
        message = f"scale = {scale!r}: a finite number above 0 is needed"
        raise ValueError(message)
    own, loaded = definitions_of(define), None if card is None else load_card(card)
    selected, cut = selection_of_smeared(select, own), None
    if signal is not None:
        cut = selection_of(signal, own)
    settings = {"rng": random_key(rng), "axis": axis, "on_invalid": on_invalid}
    options: dict[str, Any] = {"binding_energy": binding_energy, "thresholds": thresholds}
    filled: hist.Hist[Any] | None = None
    for record, smeared in _pieces(events, loaded, side, settings):
        if filled is None:
            side = side or ("true" if smeared is None else "reco")
            histogram_axes = with_units(side_axes(axes, side), own.units)
            filled = hist.Hist(*histogram_axes, storage=hist.storage.Weight(), name=SPECTRUM)
            check_quantities([histogram_axis.name for histogram_axis in histogram_axes], own)
        values = EventValues(record, smeared, define=own, **options)
        good = np.ones(values.events, dtype=np.bool_)
        for condition in (cut, selected):
            good &= True if condition is None else condition.passed(values)
        if side == "reco" and smeared is not None:
            good &= ak.to_numpy(smeared["n_detected"]) > 0
        columns = [numbers(values[histogram_axis.name]) for histogram_axis in filled.axes]
        for column in columns:
            good &= ~np.isnan(column)  # which is no value, and not one above the axis
        whole: Any = record if smeared is None else smeared
        filled.fill(
            *(column[good] for column in columns), weight=scale * weights_of(whole, weight)[good]
        )
    if filled is None:
        message = "no events were given"
        raise ValueError(message)
    for condition in (cut, selected):
        if condition is not None:
            condition.warn_of_nothing()
    return filled


def _pieces(
    events: Any, card: Card | None, side: Side | None, settings: Mapping[str, Any]
) -> Iterator[tuple[ak.Array | None, ak.Array | None]]:
    """Give records and what is smeared of them; records alone where neither a card nor smeared events are there."""
    one = isinstance(events, ak.Array | tuple)
    for item in [events] if one else events:
        alone = isinstance(item, ak.Array) and "visible_energy_true" not in item.fields
        if alone and card is None:
            if side == "reco":
                message = "a reconstructed spectrum of event records needs a card that they are smeared by"
                raise ValueError(message)
            yield item, None
            continue
        # what was cut away after smearing is missing from what is true, and not from what is reconstructed
        missing: Missing = "stop" if side == "true" else "accept"
        for record, (smeared,) in event_pairs(item, card, missing=missing, **settings):
            yield record, smeared
