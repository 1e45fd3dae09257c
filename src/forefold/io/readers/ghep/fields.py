"""What a GHEP record says beyond the four-momenta of the final state.

==================================== ===================================================================================
field of an event                    meaning
==================================== ===================================================================================
``W, Q2, x, y``                      from the lepton's momentum, for a nucleon at rest: those of gst; GeV, GeV^2
``Ws, Q2s, xs, ys, ts``              as the generator selected them: those of gst
``W_running, Q2_running, ...``       as the last step of the generator left them
``xsec, diff_xsec``                  cross-section and differential one of the event, 1e-38 cm2 (/ GeV^n)
``phase_space``                      GENIE's number of the space in which `diff_xsec` is meant
``probability``                      of the interaction along the flux ray
``vertex_x, _y, _z, _t``             in the detector, m and s
``scattering, interaction``          GENIE's numbers
``hit_nucleon, hit_quark``           PDG ids, 0 = none; `sea_quark` tells whether that is from the sea
``hit_radius``                       where the hit nucleon was, fm
``resonance``                        GENIE's number, -1 = none
``charm, strange``                   whether such a hadron is made, and `charm_hadron, strange_hadron` which
``flags``                            GENIE's flags of an unphysical event, 0 = none
==================================== ===================================================================================

Of a particle: ``rescatter``, ``first_mother``, ``last_mother``, ``first_daughter``, ``last_daughter`` (positions in the
record, -1 = none), ``vx, vy, vz`` (fm from the centre of the nucleus), ``vt``, ``polarisation_theta``,
``polarisation_phi`` (rad, NaN = none), ``removal_energy`` (GeV), ``bound``. What is not in the record is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["event_fields", "particle_fields"]

_AREA = 0.1973269804**2 * 1e12  # GeV^-2 in 1e-38 cm2: (hbar c)^2, CODATA 2018, as in GENIE 3.06
_NUCLEON_MASS = 0.938918747  # GeV, the mean of proton and neutron, as in GENIE 3.06
_UNSET = -999.0  # GENIE's polarisation of a particle that has none
_INITIAL = 0
_COHERENT = 5
_WHOLE = (
    "scattering",
    "interaction",
    "hit_nucleon",
    "hit_quark",
    "strange_hadron",
    "charm_hadron",
    "resonance",
    "phase_space",
    "flags",
)
_YES_NO = ("sea_quark", "strange", "charm")
_REAL = (
    "probability",
    "vertex_x",
    "vertex_y",
    "vertex_z",
    "vertex_t",
    "hit_radius",
    "xs",
    "ys",
    "Ws",
    "ts",
    "x_running",
    "y_running",
    "W_running",
    "t_running",
)
_MOMENTUM = ("px", "py", "pz", "energy")

Columns = dict[str, "NDArray[Any]"]


def event_fields(
    whole: Columns, real: Columns, particle: Columns, offsets: NDArray[np.int64]
) -> Columns:
    """Make the fields of the events.

    Parameters
    ----------
    whole, real : dict of ndarray, shape (n_events,)
        Numbers of the events, by the kernel's names.
    particle : dict of ndarray, shape (n_particles,)
        Numbers of all particles of the record.
    offsets : ndarray of int64, shape (n_events + 1,)
        Where each event's particles start.

    Returns
    -------
    dict of ndarray, shape (n_events,)
        See the module's table.
    """
    fields: Columns = {name: whole[name] for name in _WHOLE}
    fields |= {name: whole[name] != 0 for name in _YES_NO}
    fields |= {name: real[name] for name in _REAL}
    with np.errstate(all="ignore"):  # numbers of damaged events may be anything
        fields |= {name: real[name] * _AREA for name in ("xsec", "diff_xsec")}
    for name, negative in (("Q2s", "q2s"), ("Q2_running", "q2_running")):
        fields[name] = np.where(np.isnan(real[name]), -real[negative], real[name])
    return fields | _measured(whole, real, particle, offsets)


def _measured(
    whole: Columns, real: Columns, particle: Columns, offsets: NDArray[np.int64]
) -> Columns:
    """W, Q2, x and y of a lepton that leaves a nucleon at rest, as GENIE's converter to gst has them."""
    counts = np.diff(offsets)
    daughter = np.full(len(counts), -1, dtype=np.int64)
    there = counts > 0
    daughter[there] = particle["first_daughter"][offsets[:-1][there]]
    has_lepton = there & (whole["first_status"] == _INITIAL) & (daughter > 0) & (daughter < counts)
    lepton = np.where(has_lepton, offsets[:-1] + daughter, 0)
    on_nucleon = (whole["hit_nucleon"] != 0) | (whole["scattering"] == _COHERENT)
    with np.errstate(all="ignore"):
        px, py, pz, transfer = (
            np.where(has_lepton, real[name] - particle[name][lepton], np.nan)
            if has_lepton.any()
            else np.full(len(counts), np.nan)
            for name in _MOMENTUM
        )
        q2 = px * px + py * py + pz * pz - transfer * transfer
        transfer = np.where(on_nucleon, transfer, np.nan)
        return {
            "Q2": q2,
            "W": np.sqrt(_NUCLEON_MASS**2 + 2.0 * _NUCLEON_MASS * transfer - q2),
            "x": 0.5 * q2 / (_NUCLEON_MASS * transfer),
            "y": transfer / real["energy"],
        }


def particle_fields(particle: Columns, bound: NDArray[np.bool_]) -> Columns:
    """Make the fields of the particles.

    Parameters
    ----------
    particle : dict of ndarray, shape (n_particles,)
        Numbers of all particles, by the kernel's names.
    bound : ndarray of bool, shape (n_particles,)
        Whether each is bound.

    Returns
    -------
    dict of ndarray, shape (n_particles,)
        See the module's table.
    """
    fields = {
        name: value
        for name, value in particle.items()
        if name not in (*_MOMENTUM, "pdgid", "status")
    }
    for name in ("polarisation_theta", "polarisation_phi"):
        fields[name] = np.where(fields[name] == _UNSET, np.nan, fields[name])
    return fields | {"bound": bound}
