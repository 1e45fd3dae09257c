"""All observables of events in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.events.definitions import Definitions, definitions_of
from forefold.events.observables.catalogue import OBSERVABLES, SIDES, parted, sided
from forefold.events.observables.quantities import columns_of
from forefold.expressions.check import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.events.values import EventValues

__all__ = ["observables"]

_KEPT = ("event", "entry", "stream", "weight")


def observables(
    events: ak.Array,
    smeared: ak.Array | None = None,
    *,
    names: Iterable[str] | None = None,
    define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
    binding_energy: float = 0.034,
    thresholds: Mapping[str, float] | None = None,
) -> ak.Array:
    """Compute observables of events, true ones and, beside them, reconstructed ones.

    Parameters
    ----------
    events : ak.Array
        Event record.
    smeared : ak.Array, optional
        What `forefold.smear` made of these events, in the same order; without it there are only true observables.
    names : iterable of str, optional
        Which, of `forefold.events.observables.OBSERVABLES`; all if left out.
    define : mapping of str to str, optional
        Observables of your own: formulas by name, in the language of selections, in terms of these observables, of what the record
        says of an event, of particles that are named, such as ``mass(mu-, mu+)`` (see
        `forefold.events.observables.catalogue.OF_PARTICLES`), and of those before it. Names without a side are of the true event in
        ``NAME_true`` and of the reconstructed one in ``NAME_reco``; a formula all of whose names have one gives ``NAME``. A unit may
        stand behind the name: ``"pmiss [GeV/c]"``.
    binding_energy : float, GeV
        Of the nucleon, in `energy_qe` and `q2_qe`. MiniBooNE takes 0.034 for neutrinos on carbon.
    thresholds : mapping of str to float, GeV, optional
        Momenta below which particles are not counted, by name, such as ``{"p": 0.3, "pi+": 0.1}``: they apply to
        the multiplicities, the topology and the leading proton, to true and to reconstructed momenta. None by default.

    Returns
    -------
    ak.Array
        One row an event: ``event``, ``entry``, ``stream``, ``weight``, and for each name ``<name>_true`` and
        ``<name>_reco``. A number that needs what is not there is NaN, and ``<name>_reason_true`` (or ``_reco``)
        says why: a number of `forefold.events.observables.Reason`. Multiplicities and the topology always exist.

    Raises
    ------
    ValueError
        An unknown name or particle, a formula that is none, a threshold or binding energy that is no energy, or smeared events that are not
        made from `events`.

    Notes
    -----
    - The **lepton** is the charged lepton of the probe's flavour and charge (mu- for numu) with the highest momentum;
      true ones only in events that are not neutral-current.
    - The **leading proton** is the proton with the highest momentum, above the threshold if there is one.
    - **Reconstructed** observables use the detected particles with their reconstructed four-vectors, their identity
      and the direction of the probe. The energy of a neutrino is not seen: where the true observable uses it, the
      reconstructed one uses the visible energy (``enu_reco``). For probes that are charged leptons the energy is known.
    - ``energy_qe`` and ``q2_qe`` use the lepton alone, in both.
    - Nuclei, neutrinos and pseudo-particles are in no sum.

    References
    ----------
    Each formula's is in `forefold.events.observables.formulas`.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read(forefold.sample(), entries="0:100")
    >>> table = forefold.observables(events, forefold.smear(events, "nusmear-dune-cdr", rng=1))
    >>> bool((abs(table.visible_energy_true - events.probe_momentum.energy) < 10).to_numpy().all())
    True
    >>> from forefold.events.observables import Reason
    >>> Reason(int(table.missing_energy_reason_reco[0])).name
    'PROBE_ENERGY'
    >>> own = {"recoil [GeV]": "hadronic_energy - available_energy", "pair [GeV]": "mass(pi+, pi-)"}
    >>> forefold.observables(events, names=["w"], define=own).fields[-3:]
    ['recoil_reason_true', 'pair_true', 'pair_reason_true']
    """
    from forefold.events.values import EventValues

    own = definitions_of(define)
    chosen = _chosen(names, own)
    if smeared is None and "energy_reco" in getattr(events.particles, "fields", []):
        message = "these events are smeared; observables need the events that they were made from: observables(events, smeared)"
        raise ValueError(message)
    # what smeared events hold of their own may be made with other options; formulas and columns are of the same numbers
    bare = (
        None
        if smeared is None
        else smeared[[f for f in smeared.fields if parted(f)[0] not in OBSERVABLES]]
    )
    values = EventValues(
        events, bare, define=own, binding_energy=binding_energy, thresholds=thresholds
    )
    result: dict[str, Any] = {name: events[name] for name in _KEPT}
    sides = SIDES if smeared is not None else SIDES[:1]
    for side in sides:
        result |= columns_of(values.quantities(side), chosen, side)
    for definition in own.values():
        for name in definition.columns:
            if parted(name)[1] in (None, *sides):
                result |= _own_columns(values, name)
    return ak.zip(result, depth_limit=1)


def _own_columns(values: EventValues, name: str) -> dict[str, Any]:
    """Columns of one quantity by formula: values, and of a number the reasons why it has none."""
    value = values[name]
    if np.ma.isMaskedArray(value):
        return {name: ak.mask(np.ma.getdata(value), ~np.ma.getmaskarray(value))}
    base, side = parted(name)
    reason = f"{base}_reason" if side is None else sided(f"{base}_reason", side)
    good = np.isfinite(value)
    return {name: np.where(good, value, np.nan), reason: values.reason(name)}


def _chosen(names: Iterable[str] | None, own: Definitions) -> tuple[str, ...]:
    if names is None:
        return tuple(OBSERVABLES)
    chosen = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in OBSERVABLES and name not in own:
            hint = f" (define it: define={{'m': {name!r}}})"
            rest = hint if "(" in str(name) else known(str(name), [*OBSERVABLES, *own])
            message = f"unknown observable {name!r}{rest}"
            raise ValueError(message)
    return tuple(name for name in chosen if name in OBSERVABLES)
