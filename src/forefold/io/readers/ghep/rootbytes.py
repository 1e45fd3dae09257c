"""What ROOT's streamers write, big-endian, passed object by object.

A step of a walk gives the position after what it passed, or minus the reason why it cannot (see `REASONS`), and notes in
the slot `AT` where that was. Nothing is read before it is known to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

REASONS = (
    "",
    "it ends early",
    "it must start with the class name genie::NtpMCEventRecord",
    "a byte count does not fit what it counts",
    "an object of an unexpected version",
    "an object of an unexpected class",
    "an impossible number of particles",
    "its particles are not stored column by column",
    "an object that must be there is null",
    "an object has more or less in it than it should",
)
"""What can be wrong with an entry, by number."""

(SHORT, NAME, COUNT, VERSION, CLASS, NUMBER, ROWS, NULL, SIZE) = range(1, 10)

(
    AT,  # where the walk ended, for messages
    EVENT,  # the header's event number
    N,  # number of particles
    FINAL,  # how many of them have status 1
    INTS,  # the column of PDG ids; status and five others follow
    P4,  # the first four-momentum
    X4,  # the first position
    TAIL,  # polarisation's theta; phi, removal energy and bound follow
    PROBE,  # the initial state's probe
    TARGET,  # the target's Z, A, PDG ids ...
    RADIUS,  # where the hit nucleon was
    PROCESS,  # scattering and interaction types
    MAP,  # first key of the kinematics
    MAP_N,  # number of keys
    PAIRED,  # 1: keys and values alternate; 0: all keys come first
    EXCLUSIVE,  # the exclusive state's flags
    VERTEX,  # x of the vertex
    FLAGS,  # bytes of the event's flags
    FLAGS_N,  # number of these
    WEIGHT,  # weight, probability, cross-sections
    PHASE,  # number of the phase space
    SHIFT,  # of references to classes against positions
    VECTOR,  # where the name TLorentzVector stands
    BITS,  # where the name TBits stands
    BODY,  # of the object that was passed last
    BODY_END,
) = range(26)
SLOTS = 26
"""Number of places that `scan` notes of each entry; 0 where a thing is not there."""

UNKNOWN = -(1 << 62)  # of SHIFT, before the first reference
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_COUNTED = np.int64(0x40000000)
_NEW_CLASS = np.int64(0xFFFFFFFF)
_OLD_CLASS = np.int64(0x80000000)
REFERENCED = np.int64(0x10)
OBJECT_BYTES = 10  # bytes of a TObject
VECTOR_BYTES = 72  # of a pointer to a four-vector
_PLAIN_COUNT = 0x40000044  # its byte counts and versions, the latter with the TObject's
_PLAIN_VECTOR, _PLAIN_VECTOR_VERSION = 0x4000003C, 0x00040001
_PLAIN_SPACE, _PLAIN_SPACE_VERSION = 0x40000024, 0x00030001


def text(name: bytes) -> NDArray[np.uint8]:
    """Make bytes comparable in compiled code."""
    return np.frombuffer(name, dtype=np.uint8)


_LORENTZ = text(b"TLorentzVector\x00")
_TBITS = text(b"TBits\x00")


@jit
def u2(d: NDArray[np.uint8], p: int) -> int:
    """Read two bytes as a number without sign."""
    q = np.uint64(p)
    return int((np.int64(d[q]) << 8) | np.int64(d[q + _1]))


@jit
def u4(d: NDArray[np.uint8], p: int) -> int:
    """Read four bytes as a number without sign."""
    q = np.uint64(p)  # without sign, or every index would be compared with 0
    high = (np.int64(d[q]) << 24) | (np.int64(d[q + _1]) << 16)
    return int(high | (np.int64(d[q + _2]) << 8) | np.int64(d[q + _3]))


@jit
def i4(d: NDArray[np.uint8], p: int) -> int:
    """Read four bytes as a number with sign."""
    value = u4(d, p)
    return value - (value >> 31 << 32)


@jit
def fail(slot: NDArray[np.int64], p: int, reason: int) -> int:
    """Note where the walk ends and give the reason why."""
    slot[AT] = p
    return -reason


@jit
def matches(d: NDArray[np.uint8], p: int, end: int, name: NDArray[np.uint8]) -> bool:
    """Tell whether these bytes come next."""
    if p + len(name) > end:
        return False
    for i in range(len(name)):  # noqa: SIM110 - compiled code knows no generators
        if d[np.uint64(p + i)] != name[np.uint64(i)]:
            return False
    return True


@jit
def counted(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Read a byte count; give where the bytes end that it counts."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    count = u4(d, p)
    last = p + 4 + (count & 0x3FFFFFFF)
    if (count & _COUNTED) == 0 or last > end:
        return fail(slot, p, COUNT)
    return last


@jit
def versioned(
    d: NDArray[np.uint8], p: int, end: int, least: int, most: int, slot: NDArray[np.int64]
) -> int:
    """Read a byte count and a version between `least` and `most`; give the end."""
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    if p + 6 > last:
        return fail(slot, p, COUNT)
    if not least <= u2(d, p + 4) <= most:
        return fail(slot, p + 4, VERSION)
    return last


@jit
def tobject(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Pass a TObject."""
    if p + OBJECT_BYTES > end:
        return fail(slot, p, SHORT)
    if u2(d, p) != 1 or (u4(d, p + 6) & REFERENCED) != 0:
        return fail(slot, p, VERSION)
    return p + OBJECT_BYTES


@jit
def known_class(
    d: NDArray[np.uint8],
    p: int,
    end: int,
    name: NDArray[np.uint8],
    known: int,
    slot: NDArray[np.int64],
) -> int:
    """Pass a class: its name at first (noted in the slot `known`), later a reference to that."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    tag = u4(d, p)
    if tag == _NEW_CLASS:
        if not matches(d, p + 4, end, name):
            return fail(slot, p, CLASS)
        slot[known] = p
        return p + 4 + len(name)
    # A reference is the place of the name, counted from somewhere before the entry.
    shift = (tag & ~_OLD_CLASS) - slot[known]
    if (
        (tag & _OLD_CLASS) == 0
        or slot[known] == 0
        or (slot[SHIFT] != UNKNOWN and slot[SHIFT] != shift)
    ):
        return fail(slot, p, CLASS)
    slot[SHIFT] = shift
    return p + 4


@jit
def pointer(
    d: NDArray[np.uint8],
    p: int,
    end: int,
    name: NDArray[np.uint8],
    most: int,
    slot: NDArray[np.int64],
) -> int:
    """Pass a pointer to an object of a class; note where the object lies, after its version and TObject."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    if u4(d, p) == 0:
        return fail(slot, p, NULL)
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    slot[BODY] = 0  # these classes come once in an event, so with their names
    body = known_class(d, p + 4, last, name, BODY, slot)
    if body < 0:
        return body
    inner = versioned(d, body, last, 1, most, slot)
    if inner < 0:
        return inner
    if inner != last:
        return fail(slot, body, COUNT)
    start = tobject(d, body + 6, last, slot)
    if start < 0:
        return start
    slot[BODY] = start
    slot[BODY_END] = last
    return last


@jit
def vector_tag(slot: NDArray[np.int64]) -> int:
    """Give the reference to the class that a four-vector has, as far as it is known by now."""
    return int(_OLD_CLASS | (slot[VECTOR] + slot[SHIFT]))


@jit
def is_plain_vector(d: NDArray[np.uint8], p: int, tag: int) -> bool:
    """Tell whether the 72 bytes from here are what almost every four-vector looks like."""
    return (
        u4(d, p) == _PLAIN_COUNT
        and u4(d, p + 4) == tag
        and u4(d, p + 8) == _PLAIN_VECTOR
        and u4(d, p + 12) == _PLAIN_VECTOR_VERSION
        and (d[p + 23] & 0x10) == 0
        and u4(d, p + 24) == _PLAIN_SPACE
        and u4(d, p + 28) == _PLAIN_SPACE_VERSION
        and (d[p + 39] & 0x10) == 0
    )


@jit
def lorentz_vector(d: NDArray[np.uint8], p: int, end: int, slot: NDArray[np.int64]) -> int:
    """Pass a pointer to a TLorentzVector; its four numbers are the last 32 bytes, unless it is null."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    if u4(d, p) == 0:
        return p + 4
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    body = known_class(d, p + 4, last, _LORENTZ, VECTOR, slot)
    if body < 0:
        return body
    if last - body != VECTOR_BYTES - 8:
        return fail(slot, p, COUNT)
    if versioned(d, body, last, 4, 4, slot) != last:
        return fail(slot, body, VERSION)
    if tobject(d, body + 6, last, slot) < 0:
        return fail(slot, body, VERSION)
    if versioned(d, body + 16, last, 3, 3, slot) != last - 8:
        return fail(slot, body, VERSION)
    if tobject(d, body + 22, last, slot) < 0:
        return fail(slot, body, VERSION)
    return last


@jit
def tbits(d: NDArray[np.uint8], p: int, end: int, note: bool, slot: NDArray[np.int64]) -> int:
    """Pass a pointer to a TBits."""
    if p + 4 > end:
        return fail(slot, p, SHORT)
    if u4(d, p) == 0:
        return p + 4
    last = counted(d, p, end, slot)
    if last < 0:
        return last
    body = known_class(d, p + 4, last, _TBITS, BITS, slot)
    if body < 0:
        return body
    if versioned(d, body, last, 1, 1, slot) != last:
        return fail(slot, body, VERSION)
    start = tobject(d, body + 6, last, slot)
    if start < 0:
        return start
    if start + 9 > last:
        return fail(slot, start, SHORT)
    n = u4(d, start + 4) if d[start + 8] != 0 else np.int64(0)
    if start + 9 + n != last:
        return fail(slot, start, SIZE)
    if note:
        slot[FLAGS] = start + 9
        slot[FLAGS_N] = n
    return last
