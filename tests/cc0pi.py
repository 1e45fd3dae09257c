"""A selection of charged-current events without pions, and the same counted by numpy from the particles, bin by bin."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

import forefold

__all__ = [
    "AXES",
    "BACKGROUND",
    "CARD",
    "EDGES",
    "SELECT",
    "SETTINGS",
    "SIGNAL",
    "Counted",
    "counted",
    "same",
]

CARD = Path(__file__).parent / "data" / "nd280_like.toml"
SIGNAL = "cc and topology == '0pi'"
SELECT = "topology_reco == '0pi' and n_mu_reco == 1 and p_mu_reco > 0.1"
BACKGROUND = {"one_pi": "cc and n_pi == 1", "neutral": "nc", "any_cc": "cc"}
EDGES = np.array([0.0, 0.3, 0.6, 1.0, 2.0, 4.0])
AXES = "lepton_momentum=0,0.3,0.6,1,2,4"
SETTINGS: dict[str, Any] = {
    "true": AXES,
    "reco": AXES,
    "signal": SIGNAL,
    "select": SELECT,
    "background": BACKGROUND,
}


class Counted(NamedTuple):
    """Numbers of events: of what is true and selected, true, selected, and of what the selected ones are."""

    counts: NDArray[np.float64]
    truth: NDArray[np.float64]
    selected: NDArray[np.float64]
    fakes: NDArray[np.float64]
    backgrounds: dict[str, NDArray[np.float64]]


def counted(events: ak.Array, smeared: ak.Array) -> Counted:
    """Count by plain numpy and awkward, without observables, selections and matrices of forefold."""
    cc = np.asarray(ak.to_numpy(ak.fill_none(events.cc, False)))
    final = events.particles[events.particles.status == 1]
    pions = _number(final.pdgid, 211, 111)
    other = _strange(final.pdgid)
    size = np.sqrt(final.px**2 + final.py**2 + final.pz**2)
    signal = cc & (pions == 0) & (other == 0)
    p_true = np.where(cc, _largest(size[final.pdgid == 13]), np.nan)

    seen = smeared.particles[smeared.particles.detected]
    kind = ak.fill_none(seen.pdgid_reco, 0)
    momentum = np.sqrt(seen.px_reco**2 + seen.py_reco**2 + seen.pz_reco**2)
    quiet = (_number(kind, 211, 111) == 0) & (_strange(kind) == 0)
    # the lepton of a muon neutrino is a mu-; a mu+ counts as a muon
    p_muon, p_lepton = _largest(momentum[abs(kind) == 13]), _largest(momentum[kind == 13])
    passed = quiet & (_number(kind, 13) == 1) & (np.nan_to_num(p_muon) > 0.1)

    row, column = _bin(p_true), _bin(p_lepton)
    selected = passed & (column >= 0)
    true = signal & (row >= 0)
    named = {"one_pi": cc & (pions == 1), "neutral": ~cc, "any_cc": cc}
    left = selected & ~signal
    backgrounds = {}
    for name, mask in named.items():
        backgrounds[name] = _count(column, left & mask)
        left = left & ~mask
    fakes = left | (selected & signal & (row < 0))
    n = len(EDGES) - 1
    both = np.bincount((row * n + column)[true & selected], minlength=n * n).reshape(n, n)
    return Counted(
        both.astype(float),
        _count(row, true),
        _count(column, selected),
        _count(column, fakes),
        backgrounds,
    )


def same(matrix: forefold.ResponseMatrix, wanted: Counted) -> None:
    """Compare every bin, exactly; and the sums."""
    found = {name: each.values() for name, each in matrix.backgrounds.items()}
    np.testing.assert_array_equal(matrix.counts.values(), wanted.counts)
    np.testing.assert_array_equal(matrix.truth.values(), wanted.truth)
    np.testing.assert_array_equal(matrix.reco.values(), wanted.selected)
    np.testing.assert_array_equal(matrix.fakes.values(), wanted.fakes)
    assert list(found) == list(wanted.backgrounds)
    for name, each in found.items():
        np.testing.assert_array_equal(each, wanted.backgrounds[name], name)
    signal = wanted.counts.sum(axis=0)
    np.testing.assert_array_equal(matrix.misses.values(), wanted.truth - wanted.counts.sum(axis=1))
    np.testing.assert_array_equal(
        signal + sum(found.values()) + matrix.fakes.values(), matrix.reco.values()
    )
    np.testing.assert_array_equal(
        matrix.misses.values() + matrix.counts.values().sum(axis=1), matrix.truth.values()
    )
    np.testing.assert_array_equal(matrix.signal_fraction, signal / wanted.selected)
    np.testing.assert_allclose(
        matrix.efficiency, wanted.counts.sum(axis=1) / wanted.truth, rtol=1e-15
    )


def _number(kinds: ak.Array, *which: int) -> NDArray[np.int64]:
    inside = ak.zeros_like(kinds, dtype=bool)
    for each in which:
        inside = inside | (abs(kinds) == each)
    return np.asarray(ak.to_numpy(ak.sum(inside, axis=1)), dtype=np.int64)


def _strange(kinds: ak.Array) -> NDArray[np.int64]:
    """Mesons that are no pions, and baryons that are no nucleons; nuclei and pseudo-particles are neither."""
    size = abs(kinds)
    meson = (size > 100) & (size < 1000) & (size != 211) & (size != 111)
    baryon = (size > 1000) & (size < 6000) & (size != 2112) & (size != 2212)
    return np.asarray(ak.to_numpy(ak.sum(meson | baryon, axis=1)), dtype=np.int64)


def _largest(values: ak.Array) -> NDArray[np.float64]:
    return np.asarray(ak.to_numpy(ak.fill_none(ak.max(values, axis=1), np.nan)))


def _bin(values: NDArray[np.float64]) -> NDArray[np.int64]:
    found = np.searchsorted(EDGES, values, side="right") - 1
    return np.where(np.isnan(values) | (found >= len(EDGES) - 1), -1, found)


def _count(bins: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.bincount(bins[mask], minlength=len(EDGES) - 1).astype(float)
