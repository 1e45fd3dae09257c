"""Matrices of true against reconstructed quantities, filled from smeared events; with an axis for the variation of the detector, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np

from forefold.events import particles as species
from forefold.matrix.uhi_json import annotate
from forefold.smearing.particle_columns import (
    ParticleColumns,
    card_of,
    limits,
    particle_columns,
    selected,
    type_indices,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from forefold.detector.load import Card
    from forefold.smearing.variations import Variations

__all__ = [
    "angle_matrix",
    "energy_matrix",
    "resolution_matrix",
    "varied_energy_matrix",
    "varied_matrix",
]

_STRAIGHT = 180.0


def energy_matrix(
    smeared: ak.Array,
    card: Card | str | Path | None = None,
    *,
    bins: int = 100,
    range: tuple[float, float] = (0.0, 7.0),
    cc_only: bool = False,
) -> hist.Hist[Any]:
    """Event energy, true against reconstructed: ``R[true, reco]``, or by particle type.

    The energy of an event is the sum over its particles that are neither neutrino nor nucleus: kinetic energy
    for p and n, total energy for all others; what is not detected counts 0. Without `card` every event is
    filled once with that sum. With `card` there is an axis ``type`` in front, and an event is filled once for
    each type it holds, with the sum over the particles of that type: an event without such a particle is not
    filled, one whose particles of that type are all lost is filled at 0.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.
    card : Card, str or Path, optional
        The card they were smeared with; asks for the split by type.
    bins : int
        Bins of both axes.
    range : tuple of float, GeV
        Limits of both axes. Events outside go to underflow and overflow and stay in the totals.
    cc_only : bool
        Charged-current events only.

    Returns
    -------
    hist.Hist
        Axes (``type``,) ``energy_true``, ``energy_reco`` in GeV; filled with the event weights, variances kept.

    Raises
    ------
    ValueError
        If these are not smeared events, were smeared with another card, or do not say what is charged current.

    Notes
    -----
    Additive: the matrix of two chunks is the sum of their matrices. The default binning is that of NuSmear's
    published macro.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 5-7.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.events.build(
    ...     pdgid=[[13]], px=0.0, py=[[0.0]], pz=[[2.0]], energy=[[2.0028]]
    ... )
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> matrix = energy_matrix(forefold.smear(events, card, rng=1, axis="z"))
    >>> [axis.name for axis in matrix.axes], matrix.sum(flow=True).value
    (['energy_true', 'energy_reco'], 1.0)
    """
    split = None if card is None else card_of(smeared, card)
    span = limits(range)
    matrix: hist.Hist[Any] = hist.Hist(
        *_type_axis(split),
        hist.axis.Regular(bins, *span, name="energy_true", label="True energy [GeV]"),
        hist.axis.Regular(bins, *span, name="energy_reco", label="Reconstructed energy [GeV]"),
        storage=hist.storage.Weight(),
        name="energy_matrix",
        label="events",
    )
    chosen = selected(smeared, cc_only)
    particles = particle_columns(chosen)
    if split is None:
        true, reco = (_numpy(chosen[f"visible_energy_{which}"]) for which in ("true", "reco"))
        matrix.fill(energy_true=true, energy_reco=reco, weight=particles.weight)
    else:
        _fill_energy_by_type(matrix, particles, split)
    return annotate(matrix, smeared, cc_only=cc_only)


def _fill_energy_by_type(matrix: hist.Hist[Any], particles: ParticleColumns, card: Card) -> None:
    indices = type_indices(particles.rule, card)
    true, reco = particles.visible_true(), particles.visible_reco()
    for index, label in enumerate(card.types):
        of_type = indices == index
        rows = particles.event[of_type]
        has_type = np.bincount(rows, minlength=particles.events) > 0
        matrix.fill(
            type=label,
            energy_true=np.bincount(rows, true[of_type], particles.events)[has_type],
            energy_reco=np.bincount(rows, reco[of_type], particles.events)[has_type],
            weight=particles.weight[has_type],
        )


def angle_matrix(
    smeared: ak.Array,
    card: Card | str | Path | None = None,
    *,
    bins: int = 100,
    range: tuple[float, float] = (0.0, _STRAIGHT),
    cc_only: bool = False,
    include_lost: bool = False,
) -> hist.Hist[Any]:
    """Polar angle of each particle, true against reconstructed: ``R[true, reco]``, or by particle type.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.
    card : Card, str or Path, optional
        The card they were smeared with; asks for an axis ``type`` in front.
    bins : int
        Bins of both axes.
    range : tuple of float, degrees
        Limits of both axes. The last bin holds 180 degrees itself.
    cc_only : bool
        Charged-current events only.
    include_lost : bool
        Fill lost particles too, at the angle drawn for them, as NuSmear's C++ does.

    Returns
    -------
    hist.Hist
        Axes (``type``,) ``theta_true``, ``theta_reco`` in degrees; filled once a particle with the weight of
        its event, variances kept.

    Raises
    ------
    ValueError
        If these are not smeared events, were smeared with another card, or do not say what is charged current.

    References
    ----------
    I. Vohra, arXiv:2209.05260, Figs. 8-11.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.events.build(
    ...     pdgid=[[13]], px=0.0, py=[[2.0]], pz=[[0.0]], energy=[[2.0028]]
    ... )
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> angle_matrix(forefold.smear(events, card, rng=1, axis="z"), card)["mu+-", 50, :].sum().value
    1.0
    """
    split = None if card is None else card_of(smeared, card)
    span = limits(range)
    matrix: hist.Hist[Any] = hist.Hist(
        *_type_axis(split),
        hist.axis.Regular(bins, *span, name="theta_true", label="True angle [°]"),
        hist.axis.Regular(bins, *span, name="theta_reco", label="Reconstructed angle [°]"),
        storage=hist.storage.Weight(),
        name="angle_matrix",
        label="particles",
    )
    particles = particle_columns(selected(smeared, cc_only))
    reco = np.where(particles.detected, particles.theta_reco, _folded(particles.theta_drawn))
    true, reco = _degrees(particles.theta_true), _degrees(reco)
    filled = particles.smeared if include_lost else particles.detected
    weight = particles.weight[particles.event]
    if split is None:
        matrix.fill(theta_true=true[filled], theta_reco=reco[filled], weight=weight[filled])
    else:
        indices = type_indices(particles.rule, split)
        for index, label in enumerate(split.types):
            chosen = filled & (indices == index)
            matrix.fill(
                type=label, theta_true=true[chosen], theta_reco=reco[chosen], weight=weight[chosen]
            )
    return annotate(matrix, smeared, cc_only=cc_only, include_lost=include_lost)


def resolution_matrix(
    smeared: ak.Array,
    card: Card | str | Path,
    *,
    bins: int = 16,
    range: tuple[float, float] = (0.03, 10.0),
    cc_only: bool = False,
) -> hist.Hist[Any]:
    """Reconstructed over true energy of each detected particle, against its true energy, by type.

    The energy is the one the card smears: kinetic where the rule says so, total otherwise. This is what
    `forefold.plotting.resolution_figure` draws: the median is the bias, the 68 % band the resolution.

    Parameters
    ----------
    smeared : ak.Array
        Events from `forefold.smear`.
    card : Card, str or Path
        The card they were smeared with.
    bins : int
        Bins of true energy, equally wide in its logarithm.
    range : tuple of float, GeV
        Limits of the true energy.
    cc_only : bool
        Charged-current events only.

    Returns
    -------
    hist.Hist
        Axes ``type``, ``energy_true`` (GeV, logarithmic), ``energy_ratio`` (300 bins from 0 to 3); filled once
        a detected particle with the weight of its event.

    Raises
    ------
    ValueError
        If these are not smeared events, were smeared with another card, or do not say what is charged current.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.events.build(
    ...     pdgid=[[13]], px=0.0, py=[[0.0]], pz=[[2.0]], energy=[[2.0028]]
    ... )
    >>> card = forefold.load_card("nusmear-dune-cdr")
    >>> resolution_matrix(forefold.smear(events, card, rng=1, axis="z"), card)["mu+-", 2.0j, :].sum(flow=True).value
    1.0
    """
    split = card_of(smeared, card)
    span = limits(range)
    matrix: hist.Hist[Any] = hist.Hist(
        *_type_axis(split),
        hist.axis.Variable(
            np.geomspace(*span, bins + 1), name="energy_true", label="True energy [GeV]"
        ),
        hist.axis.Regular(300, 0.0, 3.0, name="energy_ratio", label="Reconstructed / true energy"),
        storage=hist.storage.Weight(),
        name="resolution_matrix",
        label="particles",
    )
    particles = particle_columns(selected(smeared, cc_only))
    indices = type_indices(particles.rule, split)
    true, reco = smeared_energies(particles, split)
    filled = particles.detected & (true > 0.0)
    weight = particles.weight[particles.event]
    for index, label in enumerate(split.types):
        chosen = filled & (indices == index)
        ratio = reco[chosen] / true[chosen]
        matrix.fill(type=label, energy_true=true[chosen], energy_ratio=ratio, weight=weight[chosen])
    return annotate(matrix, smeared, cc_only=cc_only)


def smeared_energies(
    particles: ParticleColumns, card: Card
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return true and reconstructed energy in GeV of the kind that each particle's rule smears; else the total one."""
    words = [{part.of for part in rule.energy.components()} for rule in card.rules] + [{"total"}]
    rule = np.where(particles.smeared, particles.rule, -1)
    kinetic = np.array([word == {"kinetic"} for word in words])[rule]
    visible = np.array([word == {"visible"} for word in words])[rule]
    pairs = (
        (particles.energy_true, particles.pdgid, particles.mass_true),
        (particles.energy_reco, particles.pdgid_reco, particles.mass),
    )
    true, reco = (
        energy - np.where(kinetic | visible & np.isin(pdgid, species.NUCLEONS), mass, 0.0)
        for energy, pdgid, mass in pairs
    )
    return true, reco


def _type_axis(card: Card | None) -> tuple[hist.axis.StrCategory, ...]:
    if card is None:
        return ()
    return (
        hist.axis.StrCategory(list(card.types), name="type", label="Particle type", overflow=False),
    )


def _folded(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring an angle drawn outside 0 to pi back to the sphere."""
    turned = np.mod(theta, 2.0 * np.pi)
    return np.where(turned > np.pi, 2.0 * np.pi - turned, turned)


def _degrees(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    # The axes are half open: straight back belongs to the last bin, not to the overflow.
    return np.minimum(np.degrees(theta), np.nextafter(_STRAIGHT, 0.0))


def _numpy(values: ak.Array) -> NDArray[np.float64]:
    return np.asarray(ak.to_numpy(values), dtype=np.float64)


def _variation_axis(varied: Variations) -> hist.axis.StrCategory:
    return hist.axis.StrCategory(
        list(varied), name="variation", label="Variation of the detector", overflow=False
    )


def varied_matrix(varied: Variations, fill: Callable[[ak.Array], hist.Hist[Any]]) -> hist.Hist[Any]:
    """Fill one histogram a variation and put them side by side.

    Parameters
    ----------
    varied : Variations
        From `forefold.smear_variations`.
    fill : callable
        Makes a histogram of smeared events, such as `forefold.angle_matrix`.

    Returns
    -------
    hist.Hist
        The same with an axis ``variation`` in front: ``"nominal"`` and the names of the variations.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
    >>> varied_matrix(varied, forefold.angle_matrix).shape
    (39, 100, 100)
    """
    whole: hist.Hist[Any] | None = None
    for i, name in enumerate(varied):
        one = fill(varied[name])
        if whole is None:
            whole = hist.Hist(
                _variation_axis(varied),
                *one.axes,
                storage=one.storage_type(),
                name=one.name,
                label=one.label,
            )
            whole.__dict__.update(
                {key: value for key, value in vars(one).items() if key.startswith("forefold_")}
            )
        whole.view(flow=True)[i, ...] = one.view(flow=True)
    assert whole is not None
    return whole


def varied_energy_matrix(
    varied: Variations,
    *,
    bins: int = 100,
    range: tuple[float, float] = (0.0, 7.0),
    cc_only: bool = False,
) -> hist.Hist[Any]:
    """Event energy, true against reconstructed, for the nominal detector and each variation.

    Parameters
    ----------
    varied : Variations
        From `forefold.smear_variations`.
    bins, range, cc_only
        See `forefold.energy_matrix`.

    Returns
    -------
    hist.Hist
        Axes ``variation``, ``energy_true``, ``energy_reco`` (GeV). The slice of a variation is `forefold.energy_matrix` of
        its events, and ``project("variation", "energy_reco")`` has the spectra. Additive over chunks.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
    >>> matrix = varied_energy_matrix(varied)
    >>> matrix["nominal", :, :] == forefold.energy_matrix(varied.nominal)
    True
    """
    span = limits(range)
    nominal = varied.nominal
    matrix: hist.Hist[Any] = hist.Hist(
        _variation_axis(varied),
        hist.axis.Regular(bins, *span, name="energy_true", label="True energy [GeV]"),
        hist.axis.Regular(bins, *span, name="energy_reco", label="Reconstructed energy [GeV]"),
        storage=hist.storage.Weight(),
        name="energy_matrix",
        label="events",
    )
    rows = np.arange(len(nominal))
    if cc_only:
        selected(nominal, cc_only)  # refuses events that do not say
        rows = rows[ak.to_numpy(ak.fill_none(nominal["cc"], False))]
    true = nominal["visible_energy_true"].to_numpy()[rows]
    weight = np.asarray(nominal["weight"].to_numpy(), dtype=np.float64)[rows]
    for name, reco in zip(varied, varied.visible_energy_reco, strict=True):
        matrix.fill(variation=name, energy_true=true, energy_reco=reco[rows], weight=weight)
    return annotate(matrix, nominal, cc_only=cc_only)
