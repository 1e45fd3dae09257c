"""GHEP against the gst that GENIE's own converter made of the same events, field by field.

gst drops what is unphysical and keeps only some particles: the primary lepton apart, no pseudo-particles, no lepton that
recoils from an electron.
"""

from __future__ import annotations

import sys
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from forefold import io

_EVENT = {
    "neu": "probe",
    "tgt": "target",
    "wght": "weight",
    "cc": "cc",
    "nc": "nc",
    "charm": "charm",
    "sea": "sea_quark",
    "hitnuc": "hit_nucleon",
    "hitqrk": "hit_quark",
    "resid": "resonance",
    "XSec": "xsec",
    "DXSec": "diff_xsec",
    "KPS": "phase_space",
    "vtxx": "vertex_x",
    "vtxy": "vertex_y",
    "vtxz": "vertex_z",
    "vtxt": "vertex_t",
}
_KINEMATICS = ("Q2", "W", "x", "y", "Q2s", "Ws", "xs", "ys", "ts")
_PROBE = {"Ev": "energy", "pxv": "px", "pyv": "py", "pzv": "pz"}
_HIT = {"En": "energy", "pxn": "px", "pyn": "py", "pzn": "pz"}
_LEPTON = {"fspl": "pdgid", "El": "energy", "pxl": "px", "pyl": "py", "pzl": "pz"}
_FINAL = {"pdgf": "pdgid", "Ef": "energy", "pxf": "px", "pyf": "py", "pzf": "pz"}
_ABSENT = {"resid": -99.0, "ts": -1.0, "W": -1.0, "x": -1.0, "y": -1.0}
_UNSET = -99999.0


def differences(ghep: str | Path, gst: str | Path) -> dict[str, tuple[int, float]]:
    """Compare every field that both files have.

    Returns
    -------
    dict
        By gst's name: how many values were compared, and the largest difference; infinite where only one of the two
        has a value, or where numbers of particles differ.
    """
    record = io.read(ghep, final_state_only=False)
    lean = io.read(ghep)
    summary = io.read(gst)
    with uproot.open(gst) as file:
        tree = file["gst"]
        names = [*_EVENT, *_KINEMATICS, *_PROBE, *_HIT, *_LEPTON, *_FINAL, "iev", "qel"]
        there = {name: tree[name].array() for name in names if name in tree}
    row = ak.to_numpy(there["iev"])
    physical = np.flatnonzero(ak.to_numpy(record.flags) == 0)
    table = {
        "(physical events)": _compare(row, physical),
        "event": _compare(row, record.event[row]),
    }
    record, lean = record[row], lean[row]
    for name in ("process_id", "cc", "nc"):
        table[f"({name})"] = _compare(summary[name], record[name])
    for name, ours in _EVENT.items():
        if name in there:
            table[name] = _compare(_known(name, there[name]), record[ours])
    for name in _KINEMATICS:
        table[name] = _compare(_known(name, there[name]), record[name])
    for name, ours in _PROBE.items():
        table[name] = _compare(there[name], record.probe_momentum[ours])
    particles = record.particles
    hit = ak.firsts(particles[(particles.status == 11) & (abs(particles.pdgid) > 1000)])
    for name, ours in _HIT.items():
        table[name] = _compare(there[name], ak.fill_none(hit[ours], 0.0))
    lepton = ak.firsts(particles[_leptons(particles)])
    for name, ours in _LEPTON.items():
        table[name] = _compare(there[name], lepton[ours])
    final = particles[_hadrons(particles, record.process_id)]
    table["nf"] = _compare(ak.num(there["pdgf"]), ak.num(final))
    for name, ours in _FINAL.items():
        table[name] = _compare(there[name], final[ours])
    stable = particles[particles.status == 1]
    for name in ("pdgid", "px", "py", "pz", "energy"):
        table[f"(lean {name})"] = _compare(lean.particles[name], stable[name])
    return table


def _known(name: str, theirs: ak.Array) -> ak.Array:
    """Take gst's numbers for an absent value as absent: ours are -1 for a resonance and NaN for the others."""
    absent = (theirs == _ABSENT.get(name, _UNSET)) | (theirs == _UNSET)
    return ak.where(absent, -1 if name == "resid" else np.nan, theirs) if ak.any(absent) else theirs


def _leptons(particles: ak.Array) -> ak.Array:
    """The primary lepton is the probe's first daughter."""
    return ak.local_index(particles) == particles.first_daughter[:, 0]


def _hadrons(particles: ak.Array, process_id: ak.Array) -> ak.Array:
    """What gst takes for the final state of the hadrons."""
    real = (abs(particles.pdgid) < 2_000_000_000) & (particles.first_mother != 0)
    return (particles.status == 1) & real & (abs(process_id) < 701)


def _compare(theirs: ak.Array, ours: ak.Array) -> tuple[int, float]:
    """Count the values and find the largest difference."""
    if ak.Array(theirs).ndim == 2:
        if not ak.all(ak.num(theirs) == ak.num(ours)):
            return len(theirs), float("inf")
        theirs, ours = ak.flatten(theirs), ak.flatten(ours)
    a = np.asarray(ak.to_numpy(ak.fill_none(theirs, -1)), dtype=np.float64)
    b = np.asarray(ak.to_numpy(ak.fill_none(ours, -1)), dtype=np.float64)
    if len(a) != len(b):
        return len(a), float("inf")
    both = ~(np.isnan(a) | np.isnan(b))
    if (np.isnan(a) != np.isnan(b)).any():
        return len(a), float("inf")
    return len(a), float(np.abs(a - b)[both].max(initial=0.0))


if __name__ == "__main__":
    for key, (count, largest) in differences(*sys.argv[1:]).items():
        print(f"{key:<20} {count:>8} {largest:.3g}")
