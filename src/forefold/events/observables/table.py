"""All observables of events in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak

from forefold.events import particles as species
from forefold.events.observables.catalogue import OBSERVABLES
from forefold.events.observables.final_state import made, seen
from forefold.events.observables.quantities import ALWAYS, MEASURED, Quantities

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forefold.events.observables.final_state import FinalState

__all__ = ["checked_limits", "columns_of", "observables"]

_KEPT = ("event", "entry", "stream", "weight")


def observables(
    events: ak.Array,
    smeared: ak.Array | None = None,
    *,
    names: Iterable[str] | None = None,
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
        An unknown name or particle, a threshold or binding energy that is no energy, or smeared events that are not
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
    """
    chosen = _chosen(names)
    limits = checked_limits(binding_energy, thresholds)
    result: dict[str, Any] = {name: events[name] for name in _KEPT}
    states: list[tuple[str, FinalState]] = [("true", made(events))]
    if smeared is not None:
        states.append(("reco", seen(events, smeared)))
    for suffix, state in states:
        quantities = Quantities(state, binding_energy=binding_energy, thresholds=limits)
        result |= columns_of(quantities, chosen, suffix)
    return ak.zip(result, depth_limit=1)


def checked_limits(
    binding_energy: float, thresholds: Mapping[str, float] | None
) -> dict[int, float]:
    """Give thresholds by PDG identifier.

    Raises
    ------
    ValueError
        There is no such particle, or a threshold or the binding energy is no energy.
    """
    _check_energy("binding_energy", binding_energy)
    limits = {species.pdgid(name): value for name, value in (thresholds or {}).items()}
    for name, value in (thresholds or {}).items():
        _check_energy(f"the threshold of {name}", value)
    return limits


def columns_of(quantities: Quantities, names: Iterable[str], suffix: str) -> dict[str, Any]:
    """Columns of some observables, under their full names."""
    return dict(_columns(quantities, names, suffix))


def _columns(
    quantities: Quantities, names: Iterable[str], suffix: str
) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in MEASURED:
            found = quantities.measured(name)
            yield f"{name}_{suffix}", found.value
            if name not in ALWAYS:
                yield f"{name}_reason_{suffix}", found.reason
        elif name == "topology":
            yield f"{name}_{suffix}", quantities.topology()
        elif name == "n_particles":
            yield f"{name}_{suffix}", quantities.state.total
        else:
            yield f"{name}_{suffix}", quantities.count(name.removeprefix("n_"))


def _chosen(names: Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return tuple(OBSERVABLES)
    chosen = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in OBSERVABLES:
            near = species.near(str(name), list(OBSERVABLES))
            message = f"unknown observable {name!r}{near}; known: {', '.join(OBSERVABLES)}"
            raise ValueError(message)
    return chosen


def _check_energy(what: str, value: float) -> None:
    if not 0.0 <= value < float("inf"):
        message = f"{what} = {value!r}: must be a number of GeV, 0 or more"
        raise ValueError(message)
