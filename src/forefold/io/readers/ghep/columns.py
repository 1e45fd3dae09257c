"""GENIE's native event records: columns from the places that `forefold.io.readers.ghep.scan.scan` found.

Floating-point numbers are copied as bits: the caller looks at them as float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.io.readers.ghep.rootbytes import (
    EVENT,
    EXCLUSIVE,
    FLAGS,
    FLAGS_N,
    INTS,
    MAP,
    MAP_N,
    P4,
    PAIRED,
    PHASE,
    PROBE,
    PROCESS,
    RADIUS,
    TAIL,
    TARGET,
    VERTEX,
    WEIGHT,
    X4,
    N,
    i4,
    u4,
)
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EVENT_BITS",
    "EVENT_INTS",
    "PARTICLE_BITS",
    "PARTICLE_INTS",
    "fill_events",
    "fill_particles",
]

EVENT_INTS = (
    "event",
    "scattering",
    "interaction",
    "first_pdgid",  # of particle 0, the probe
    "first_status",
    "second_pdgid",  # of particle 1, the target
    "second_status",
    "probe",  # by the summary
    "target",
    "hit_nucleon",
    "hit_quark",
    "sea_quark",
    "strange",
    "charm",
    "strange_hadron",
    "charm_hadron",
    "resonance",
    "phase_space",
    "flags",
)
"""Whole numbers of an event, in the order of `fill_events`."""

EVENT_BITS = (
    "weight",
    "probability",
    "xsec",
    "diff_xsec",
    "px",  # of particle 0
    "py",
    "pz",
    "energy",
    "vertex_x",
    "vertex_y",
    "vertex_z",
    "vertex_t",
    "hit_radius",
    "x_running",
    "y_running",
    "Q2_running",
    "q2_running",
    "W_running",
    "t_running",
    "xs",
    "ys",
    "Q2s",
    "q2s",
    "Ws",
    "ts",
)
"""Floating-point numbers of an event, in the order of `fill_events`."""

PARTICLE_INTS = (
    "pdgid",
    "status",
    "rescatter",
    "first_mother",
    "last_mother",
    "first_daughter",
    "last_daughter",
)
"""Whole numbers of a particle; the first two in either mode."""

PARTICLE_BITS = (
    "px",
    "py",
    "pz",
    "energy",
    "vx",
    "vy",
    "vz",
    "vt",
    "polarisation_theta",
    "polarisation_phi",
    "removal_energy",
)
"""Floating-point numbers of a particle; the first four in either mode."""

_NAN = np.uint64(0x7FF8000000000000)
_32 = np.uint64(32)
_ABSENT = -1  # GENIE's number for no resonance
_RUNNING = 13  # row of the first running variable in EVENT_BITS
_SELECTED = 19
_FIRST_RUNNING, _FIRST_SELECTED, _KINDS = 1, 11, 6
_FLAG_BYTES = 7


@jit
def _f8(d: NDArray[np.uint8], p: int) -> np.uint64:
    return (np.uint64(u4(d, p)) << _32) | np.uint64(u4(d, p + 4))


@jit
def _i4_or(d: NDArray[np.uint8], p: int, offset: int, absent: int) -> int:
    """Read a number within an object, if that is there."""
    return i4(d, p + offset) if p != 0 else absent


@jit
def _u1_or(d: NDArray[np.uint8], p: int, offset: int) -> int:
    return int(d[p + offset]) if p != 0 else 0


@jit
def _after(d: NDArray[np.uint8], p: int) -> int:
    """Pass a pointer whose byte count is known to be right."""
    return p + 4 + (u4(d, p) & 0x3FFFFFFF)


@jit
def _kinematics(
    d: NDArray[np.uint8], slot: NDArray[np.int64], bits: NDArray[np.uint64], i: int
) -> None:
    n = slot[MAP_N]
    for k in range(n):
        if slot[PAIRED] == 1:
            key, value = i4(d, slot[MAP] + 12 * k), slot[MAP] + 12 * k + 4
        else:
            key, value = i4(d, slot[MAP] + 4 * k), slot[MAP] + 4 * n + 8 * k
        if _FIRST_RUNNING <= key < _FIRST_RUNNING + _KINDS:
            bits[_RUNNING + key - _FIRST_RUNNING, i] = _f8(d, value)
        elif _FIRST_SELECTED <= key < _FIRST_SELECTED + _KINDS:
            bits[_SELECTED + key - _FIRST_SELECTED, i] = _f8(d, value)


@jit
def fill_events(
    d: NDArray[np.uint8],
    slots: NDArray[np.int64],
    ints: NDArray[np.int64],
    bits: NDArray[np.uint64],
) -> None:
    """Read what belongs to the events.

    Parameters
    ----------
    d : ndarray of uint8
        The bytes that were scanned.
    slots : ndarray of int64, shape (n, SLOTS)
        What `scan` found, of good entries only.
    ints, bits : ndarray of int64 and uint64, shape (len(EVENT_INTS), n), (len(EVENT_BITS), n)
        To be filled.
    """
    for i in range(len(slots)):
        slot = slots[i]
        n, target, exclusive = slot[N], slot[TARGET], slot[EXCLUSIVE]
        ints[0, i] = u4(d, slot[EVENT])
        ints[1, i] = i4(d, slot[PROCESS])
        ints[2, i] = i4(d, slot[PROCESS] + 4)
        for k in range(2):
            ints[3 + 2 * k, i] = i4(d, slot[INTS] + 4 * k) if k < n else 0
            ints[4 + 2 * k, i] = i4(d, slot[INTS] + 4 * n + 4 * k) if k < n else -1
        ints[7, i] = i4(d, slot[PROBE])
        for k in range(3):  # after Z and A: target, hit nucleon, hit quark
            ints[8 + k, i] = i4(d, target + 8 + 4 * k)
        ints[11, i] = d[target + 20]
        ints[12, i] = _u1_or(d, exclusive, 0)
        ints[13, i] = _u1_or(d, exclusive, 1)
        ints[14, i] = _i4_or(d, exclusive, 2, 0)
        ints[15, i] = _i4_or(d, exclusive, 6, 0)
        ints[16, i] = _i4_or(d, exclusive, 46, _ABSENT)
        ints[17, i] = _i4_or(d, slot[PHASE], 0, 0)
        flags = np.int64(0)
        for k in range(min(slot[FLAGS_N], _FLAG_BYTES)):
            flags |= np.int64(d[slot[FLAGS] + k]) << (8 * k)
        ints[18, i] = flags
        for k in range(4):
            bits[k, i] = _f8(d, slot[WEIGHT] + 8 * k)
        first = _after(d, slot[P4]) if n > 0 and u4(d, slot[P4]) != 0 else 0
        for k in range(4):
            bits[4 + k, i] = _f8(d, first - 32 + 8 * k) if first > 0 else _NAN
            bits[8 + k, i] = _f8(d, slot[VERTEX] + 8 * k) if slot[VERTEX] > 0 else _NAN
        bits[12, i] = _f8(d, slot[RADIUS]) if slot[RADIUS] > 0 else _NAN
        bits[_RUNNING:, i] = _NAN
        _kinematics(d, slot, bits, i)


@jit
def _four(d: NDArray[np.uint8], p: int, bits: NDArray[np.uint64], first: int, row: int) -> None:
    """Read the four-vector that a pointer points to."""
    if u4(d, p) == 0:
        for k in range(4):
            bits[first + k, row] = _NAN
    else:
        end = _after(d, p)
        for k in range(4):
            bits[first + k, row] = _f8(d, end - 32 + 8 * k)


@jit
def fill_particles(
    d: NDArray[np.uint8],
    slots: NDArray[np.int64],
    final_only: bool,
    ints: NDArray[np.int64],
    bits: NDArray[np.uint64],
    bound: NDArray[np.bool_],
) -> int:
    """Read what belongs to the particles, in the order of the record.

    Parameters
    ----------
    d : ndarray of uint8
        The bytes that were scanned.
    slots : ndarray of int64, shape (n_events, SLOTS)
        What `scan` found, of good entries only.
    final_only : bool
        Read PDG id, status and momentum of particles with status 1, nothing else.
    ints : ndarray of int64, shape (2 or len(PARTICLE_INTS), n)
        To be filled.
    bits : ndarray of uint64, shape (4 or len(PARTICLE_BITS), n)
        To be filled.
    bound : ndarray of bool, shape (0 or n,)
        To be filled.

    Returns
    -------
    int
        Number of particles read.
    """
    row = 0
    for i in range(len(slots)):
        slot = slots[i]
        n, whole, p4, x4 = slot[N], slot[INTS], slot[P4], slot[X4]
        for k in range(n):
            status = i4(d, whole + 4 * (n + k))
            if not final_only or status == 1:
                ints[0, row] = i4(d, whole + 4 * k)
                ints[1, row] = status
                _four(d, p4, bits, 0, row)
                if not final_only:
                    for j in range(2, 7):
                        ints[j, row] = i4(d, whole + 4 * (j * n + k))
                    _four(d, x4, bits, 4, row)
                    x4 = _after(d, x4)
                    for j in range(3):
                        bits[8 + j, row] = _f8(d, slot[TAIL] + 8 * (j * n + k))
                    bound[row] = d[slot[TAIL] + 24 * n + k] != 0
                row += 1
            p4 = _after(d, p4)
    return row
