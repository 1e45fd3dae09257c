"""Smeared events that are made by hand, for tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

from forefold.detector.load import fingerprint, load_card
from forefold.kernels import Fate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTIONAL = (
    "energy_reco",
    "theta_reco",
    "phi_reco",
    "px_reco",
    "py_reco",
    "pz_reco",
    "theta_drawn",
)
_NUCLEONS = (2212, 2112)


def particle(
    pdgid: int,
    energy_true: float,
    energy_reco: float | None = None,
    *,
    rule: int,
    fate: int | None = None,
    mass: float = 0.0,
    theta_true: float = 0.5,
    theta_drawn: float | None = None,
) -> dict[str, Any]:
    """One smeared particle; lost without a reconstructed energy, left out with rule -1."""
    detected = energy_reco is not None
    drawn = None if rule < 0 else theta_true if theta_drawn is None else theta_drawn
    if fate is None:
        fate = int(Fate.DETECTED if detected else Fate.BELOW_THRESHOLD)
    folded = None
    if detected and drawn is not None:
        turned = drawn % (2 * np.pi)
        folded = min(turned, 2 * np.pi - turned)
    return {
        "pdgid": pdgid,
        "energy_true": energy_true,
        "theta_true": theta_true,
        "detected": detected,
        "energy_reco": energy_reco,
        "theta_reco": folded,
        "phi_reco": 0.0 if detected else None,
        "px_reco": 0.0 if detected else None,
        "py_reco": 0.0 if detected else None,
        "pz_reco": 0.0 if detected else None,
        "fate": fate,
        "mass": mass,
        "theta_drawn": drawn,
        "rule": rule,
    }


def smeared_events(
    events: Sequence[Sequence[Mapping[str, Any]]],
    *,
    weight: Sequence[float] | None = None,
    cc: Sequence[bool | None] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> ak.Array:
    """Smeared events, each a list of `particle`, with the event fields of the record."""
    flat = [p for event in events for p in event]
    record: dict[str, Any] = {}
    for name, dtype in _dtypes().items():
        values = [p[name] for p in flat]
        if name in _OPTIONAL:
            column = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
            record[name] = ak.mask(
                ak.Array(column), np.array([v is not None for v in values], bool)
            )
        else:
            record[name] = np.array(values, dtype=dtype)
    n = len(events)
    particles = ak.unflatten(ak.zip(record, depth_limit=1), [len(event) for event in events])
    visible = np.array([_visible(event) for event in events]).reshape(n, 2)
    array = ak.zip(
        {
            "event": np.arange(n),
            "weight": np.array([1.0] * n if weight is None else weight, dtype=np.float64),
            "cc": ak.Array([True] * n if cc is None else list(cc)),
            "visible_energy_true": visible[:, 0],
            "visible_energy_reco": visible[:, 1],
            "particles": particles,
        },
        depth_limit=1,
    )
    array.attrs["forefold"] = dict(notes or {})
    return array


def _dtypes() -> dict[str, type]:
    fields = particle(13, 1.0, rule=0)
    special = {"pdgid": np.int64, "fate": np.uint16, "rule": np.int16, "detected": np.bool_}
    return {name: special.get(name, np.float64) for name in fields}


def _visible(event: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    true = reco = 0.0
    for p in event:
        if p["rule"] < 0:
            continue
        offset = p["mass"] if p["pdgid"] in _NUCLEONS else 0.0
        true += p["energy_true"] - offset
        reco += p["energy_reco"] - offset if p["detected"] else 0.0
    return true, reco


CARD = load_card("nusmear-dune-cdr")
MU, P, N, PI = (
    next(i for i, r in enumerate(CARD.rules) if r.type == t) for t in ("mu+-", "p", "n", "pi+-")
)
M_P, M_MU, M_PI = 0.938272, 0.105658, 0.139570
NOTES = {
    "version": "1.0",
    "card": CARD.name,
    "card_text": "...",
    "card_sha256": fingerprint(CARD)[1],
    "rng": 1,
    "axis": "probe",
}


def two_events(**options: Any) -> ak.Array:
    """Muon, proton and a lost proton; then a lost neutron, a neutrino and a pion."""
    return smeared_events(
        [
            [
                particle(13, 1.5, 1.2, rule=MU, mass=M_MU, theta_true=0.2, theta_drawn=0.3),
                particle(
                    2212, M_P + 0.4, M_P + 0.5, rule=P, mass=M_P, theta_true=1.0, theta_drawn=1.1
                ),
                particle(2212, M_P + 0.02, rule=P, mass=M_P, theta_true=2.0, theta_drawn=2.1),
            ],
            [
                particle(
                    2112, M_P + 0.3, rule=N, mass=M_P, fate=Fate.INEFFICIENCY, theta_drawn=-0.4
                ),
                particle(14, 5.0, rule=-1, fate=Fate.NEUTRINO),
                particle(211, 0.72, 0.95, rule=PI, mass=M_PI, theta_true=3.1, theta_drawn=3.2),
            ],
        ],
        **options,
    )
