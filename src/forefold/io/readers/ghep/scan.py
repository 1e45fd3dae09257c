"""GENIE's native event records: finding one's way through the bytes of many of them.

An entry is what ROOT's streamers write for ``genie::NtpMCEventRecord``. `scan` walks through every object of every
entry, compares names, versions and byte counts, and notes where things lie. The functions of
`forefold.io.readers.ghep.columns` then read from the places found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.io.readers.ghep.rootbytes import (
    BODY,
    BODY_END,
    CLASS,
    COUNT,
    EVENT,
    EXCLUSIVE,
    FINAL,
    INTS,
    MAP,
    MAP_N,
    NAME,
    NULL,
    NUMBER,
    OBJECT_BYTES,
    P4,
    PAIRED,
    PHASE,
    PROBE,
    PROCESS,
    RADIUS,
    REFERENCED,
    ROWS,
    SHIFT,
    SHORT,
    SIZE,
    TAIL,
    TARGET,
    UNKNOWN,
    VECTOR_BYTES,
    VERSION,
    VERTEX,
    WEIGHT,
    X4,
    N,
    counted,
    fail,
    is_plain_vector,
    known_class,
    lorentz_vector,
    matches,
    pointer,
    tbits,
    text,
    tobject,
    u2,
    u4,
    vector_tag,
    versioned,
)
from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["scan"]

_FINAL_STATE = 1
_BY_COLUMN = np.int64(0x1000)
_MEMBER_WISE = np.int64(0x4000)
_LEAST = 28 + 4 + 4 + 24 + 1 + OBJECT_BYTES  # bytes a particle takes at least
_EXCLUSIVE_BYTES = 64  # of the members of an XclsTag of version 5
_TARGET_BYTES = 21

_RECORD = text(b"\x17genie::NtpMCEventRecord\x00")
_EVENT_RECORD = text(b"genie::EventRecord\x00")
_PARTICLES = text(b"genie::GHepParticle;")
_INTERACTION = text(b"genie::Interaction\x00")
_INITIAL_STATE = text(b"genie::InitialState\x00")
_TARGET_NAME = text(b"genie::Target\x00")
_PROCESS_INFO = text(b"genie::ProcessInfo\x00")
_KINEMATICS = text(b"genie::Kinematics\x00")
_XCLS_TAG = text(b"genie::XclsTag\x00")
_PHASE_SPACE = text(b"genie::KPhaseSpace\x00")


@jit
def _initial_state(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through the initial state: probe, target, and their momenta."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    slot[PROBE] = p
    p = pointer(d, p + 4, end, _TARGET_NAME, 2, slot)
    if p < 0:
        return p
    start, last = slot[BODY], slot[BODY_END]
    if start + _TARGET_BYTES > last:
        return fail(slot, start, SIZE)
    slot[TARGET] = start
    # The hit nucleon's momentum, in some versions the hit electron's, in most a radius.
    start += _TARGET_BYTES
    while start + 8 < last or start + 4 == last:
        start = lorentz_vector(d, start, last, slot)
        if start < 0:
            return start
    if start + 8 == last:
        slot[RADIUS] = start
    elif start != last:
        return fail(slot, start, SIZE)
    for _ in range(2):
        p = lorentz_vector(d, p, end, slot)
        if p < 0:
            return p
    return p if p == end else fail(slot, p, SIZE)


@jit
def _kinematics(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through the kinematics: a map of numbers, the momenta of lepton and hadrons."""
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    if p + 10 > last:
        return fail(slot, p, SIZE)
    by_member = (u2(d, p + 4) & _MEMBER_WISE) != 0
    at = p + 6
    if by_member:
        # the version of the pairs, or 0 and a checksum
        at += 2 if u2(d, p + 6) != 0 else 6
    if at + 4 > last:
        return fail(slot, p, SIZE)
    n = u4(d, at)
    if at + 4 + 12 * n != last:
        return fail(slot, at, SIZE)
    slot[MAP], slot[MAP_N], slot[PAIRED] = at + 4, n, 0 if by_member else 1
    p = last
    for _ in range(2):
        p = lorentz_vector(d, p, end, slot)
        if p < 0:
            return p
    return p if p == end else fail(slot, p, SIZE)


@jit
def _interaction(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through the summary of the interaction."""
    p = pointer(d, p, end, _INITIAL_STATE, 1, slot)
    if p < 0:
        return p
    inner = _initial_state(d, slot[BODY], slot[BODY_END], slot)
    if inner < 0:
        return inner
    p = pointer(d, p, end, _PROCESS_INFO, 1, slot)
    if p < 0:
        return p
    if slot[BODY] + 8 != slot[BODY_END]:
        return fail(slot, p, SIZE)
    slot[PROCESS] = slot[BODY]
    p = pointer(d, p, end, _KINEMATICS, 2, slot)
    if p < 0:
        return p
    inner = _kinematics(d, slot[BODY], slot[BODY_END], slot)
    if inner < 0:
        return inner
    p = pointer(d, p, end, _XCLS_TAG, 99, slot)
    if p < 0:
        return p
    if slot[BODY_END] - slot[BODY] == _EXCLUSIVE_BYTES:  # version 5: others are passed
        slot[EXCLUSIVE] = slot[BODY]
    if p != end:
        p = pointer(d, p, end, _PHASE_SPACE, 99, slot)
    return p if p == end or p < 0 else fail(slot, p, SIZE)


@jit
def _particles(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through the particles, which lie column by column."""
    start = p + 6
    if start + OBJECT_BYTES + 1 > end:
        return fail(slot, p, SHORT)
    if u2(d, start) != 1 or (u4(d, start + 6) & REFERENCED) != 0:
        return fail(slot, start, VERSION)
    if (u4(d, start + 6) & _BY_COLUMN) == 0:
        return fail(slot, start, ROWS)
    # a name, then the class with its version, both as strings of a counted length
    at = start + OBJECT_BYTES
    at += 1 + int(d[at])
    if at + 1 > end:
        return fail(slot, at, SHORT)
    length = int(d[at])
    if length != len(_PARTICLES) + 1 or not matches(d, at + 1, end, _PARTICLES):
        return fail(slot, at, CLASS)
    at += 1 + length
    if at + 8 > end:
        return fail(slot, at, SHORT)
    if d[at - 1] not in (49, 50):  # version "1" or "2"
        return fail(slot, at - 1, VERSION)
    n = u4(d, at)
    at += 8
    if n * _LEAST > end - at:
        return fail(slot, at - 8, NUMBER)
    slot[N] = n
    for _ in range(n):
        if u2(d, at) != 1 or (d[at + 9] & 0x10) != 0:
            return fail(slot, at, VERSION)
        at += OBJECT_BYTES
    slot[INTS] = at
    for i in range(n, 2 * n):
        slot[FINAL] += u4(d, at + 4 * i) == _FINAL_STATE
    at += 28 * n
    slot[P4] = at
    tag = vector_tag(slot)
    for i in range(2 * n):
        if i == n:
            slot[X4] = at
        if at + VECTOR_BYTES <= end and is_plain_vector(d, at, tag):
            at += VECTOR_BYTES
        else:
            at = lorentz_vector(d, at, end, slot)
            if at < 0:
                return at
            tag = vector_tag(slot)
    if n == 0:
        slot[X4] = at
    slot[TAIL] = at
    return at + 25 * n if at + 25 * n == end else fail(slot, at, SIZE)


@jit
def _record(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through an event: particles, interaction, vertex, flags, weight and the like."""
    last = versioned(d, p, end, 1, 2, slot)
    if last < 0:
        return last
    if last != end:
        return fail(slot, p, COUNT)
    p += 6
    last = versioned(d, p, end, 4, 4, slot)
    if last < 0:
        return last
    inner = _particles(d, p, last, slot)
    if inner < 0:
        return inner
    p = pointer(d, last, end, _INTERACTION, 2, slot)
    if p < 0:
        return p
    inner = _interaction(d, slot[BODY], slot[BODY_END], slot)
    if inner < 0:
        return inner
    last = lorentz_vector(d, p, end, slot)
    if last < 0:
        return last
    slot[VERTEX] = last - 32 if last > p + 4 else 0
    p = tbits(d, last, end, True, slot)
    if p < 0:
        return p
    if end - p > 36:  # newer versions have a mask as well
        p = tbits(d, p, end, False, slot)
        if p < 0:
            return p
    if end - p not in (32, 36):
        return fail(slot, p, SIZE)
    slot[WEIGHT] = p
    slot[PHASE] = p + 32 if end - p == 36 else 0
    return end


@jit
def _entry(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Walk through one entry."""
    slot[SHIFT] = UNKNOWN
    if not matches(d, p, end, _RECORD):
        return fail(slot, p, NAME)
    p += len(_RECORD)
    last = versioned(d, p, end, 1, 1, slot)
    if last < 0:
        return last
    if last != end:
        return fail(slot, p, COUNT)
    p += 6
    last = versioned(d, p, end, 1, 1, slot)
    if last < 0:
        return last
    p = tobject(d, p + 6, last, slot)
    if p < 0:
        return p
    if versioned(d, p, last, 1, 1, slot) != last or p + 20 != last:
        return fail(slot, p, SIZE)
    slot[EVENT] = p + 16
    if last + 4 > end:
        return fail(slot, last, SHORT)
    if u4(d, last) == 0:
        return fail(slot, last, NULL)
    p = last
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    p = known_class(d, p + 4, last, _EVENT_RECORD, BODY, slot)
    if p < 0:
        return p
    if last != end or versioned(d, p, end, 1, 1, slot) != end:
        return fail(slot, p, COUNT)
    return _record(d, p + 6, end, slot)


@jit
def scan(
    d: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    slots: NDArray[np.int64],
    reasons: NDArray[np.int64],
) -> None:
    """Find out where things lie in each entry.

    Parameters
    ----------
    d : ndarray of uint8
        The bytes of many entries.
    starts, stops : ndarray of int64, shape (n,)
        Where each entry lies, within the bytes.
    slots : ndarray of int64, shape (n, SLOTS)
        To be filled; zeros.
    reasons : ndarray of int64, shape (n,)
        To be filled: 0, or what is wrong with the entry, an index into `REASONS`.
    """
    for i in range(len(starts)):
        end = _entry(d, starts[i], stops[i], slots[i])
        reasons[i] = -end if end < 0 else 0
