"""Hand-made GHEP entries: what ROOT's streamers write, put together again from numbers."""

from __future__ import annotations

import struct
from typing import Any

TOBJECT = b"\0\x01" + b"\0\0\0\0" + b"\x02\0\0\0"


def counted(version: int, body: bytes) -> bytes:
    """An object after its byte count and version."""
    return struct.pack(">IH", 0x40000000 | len(body) + 2, version) + body


CLASSES = (
    "EventRecord",
    "Interaction",
    "InitialState",
    "Target",
    "ProcessInfo",
    "Kinematics",
    "XclsTag",
    "KPhaseSpace",
)


def odd_entries() -> list[bytes]:
    """Make entries whose byte counts fit, but in which an object is not what it should be."""
    names = [*(f"genie::{name}".encode() for name in CLASSES), b"TLorentzVector", b"TBits"]
    changes = ("null", "version", "long", 0, 4, 12, 15, 16, 20, 30, 38, -1, -8)
    made = [Entry(changed={name: change}).build() for name in names for change in changes]
    whole = Entry().build()
    made += [whole[:size] for size in range(0, 400, 3)]
    for at in range(0, len(whole), 2):
        made.append(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
    return made


class Entry:
    """The bytes of one event; attributes may be changed before `build`."""

    def __init__(self, **changes: Any) -> None:
        # pdg, status, rescatter, mothers, daughters
        self.whole = [
            (14, 0, -1, -1, -1, 2, 2),
            (1000180400, 0, -1, -1, -1, -1, -1),
            (13, 1, -1, 0, -1, -1, -1),
            (2212, 1, 3, 1, -1, -1, -1),
        ]
        self.momenta: list[Any] = [
            (0.0, 0.0, 2.0, 2.0), (0.0, 0.0, 0.0, 37.2), (0.3, 0.0, 0.4, 0.9), (0.0, 0.1, 0.2, 1.0),
        ]  # fmt: skip
        self.positions: list[Any] = [(1.0, 2.0, 3.0, 4.0 + i) for i in range(4)]
        self.tails = [(-999.0, -999.0, 0.0), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), (0.7, 0.8, 0.9)]
        self.bound = [False, False, False, True]
        self.count: int | None = None
        self.number = 7
        self.name = b"genie::NtpMCEventRecord"
        self.bits = b"\0\0\x10\0"
        self.clones = b"genie::GHepParticle;2"
        self.kinematics = {11: 0.25, 12: 0.5, 14: -1.5, 15: 1.2, 99: 3.0}
        self.paired = False
        self.pair_version = 0
        self.process = (1, 2)
        self.target = (18, 40, 1000180400, 2112, 0)
        self.extra_vectors = 1
        self.radius: float | None = 2.5
        self.exclusive = 5
        self.phase_space = True
        self.vertex: Any = (0.1, 0.2, 0.3, 0.4)
        self.flags: bytes | None = b"\x03\x80"
        self.mask = True
        self.tail = struct.pack(">4di", 0.5, 1e-3, 2e-10, 3e-10, 4)
        # names of classes: what to do to their objects, with byte counts that fit
        self.changed: dict[bytes, str | int] = {}
        self.__dict__.update(changes)
        self.seen: dict[bytes, int] = {}

    def build(self) -> bytes:
        """Put the entry together, from the outside to the inside, so that references are right."""
        # Two passes: the first finds where the class names come to stand.
        self.seen = {}
        first = self._build()
        places = {
            name: first.index(b"\xff\xff\xff\xff" + name) for name in (b"TLorentzVector", b"TBits")
            if b"\xff\xff\xff\xff" + name in first
        }  # fmt: skip
        self.seen = {}
        self.places = places
        return self._build()

    places: dict[bytes, int] = {}  # noqa: RUF012

    def _class(self, name: bytes) -> bytes:
        if name in self.seen:
            return struct.pack(">I", 0x80000000 | (self.places.get(name, 0) + 72))
        self.seen[name] = 1
        return b"\xff\xff\xff\xff" + name + b"\0"

    def _pointer(self, name: bytes, version: int, body: bytes) -> bytes:
        if name in self.changed:
            change = self.changed[name]
            if change == "null":
                return b"\0\0\0\0"
            version += 1000 if change == "version" else 0
            body = body[:change] if isinstance(change, int) else body
            body += bytes(12) if change == "long" else b""
        content = self._class(name) + counted(version, body)
        return struct.pack(">I", 0x40000000 | len(content)) + content

    def _vector(self, four: Any) -> bytes:
        if four is None:
            return b"\0\0\0\0"
        space = counted(3, TOBJECT + struct.pack(">3d", *four[:3]))
        return self._pointer(b"TLorentzVector", 4, TOBJECT + space + struct.pack(">d", four[3]))

    def _bits(self, content: bytes | None) -> bytes:
        if content is None:
            return b"\0\0\0\0"
        body = struct.pack(">II", 8 * len(content), len(content)) + b"\x01" + content
        return self._pointer(b"TBits", 1, TOBJECT + body)

    def _particles(self) -> bytes:
        n = len(self.whole) if self.count is None else self.count
        name = b"\x14genie::GHepParticles" + bytes([len(self.clones)]) + self.clones
        head = b"\0\x01\0\0\0\0" + self.bits + name + struct.pack(">II", n, 0)
        columns = b"".join(struct.pack(">i", row[k]) for k in range(7) for row in self.whole)
        vectors = b"".join(self._vector(four) for four in [*self.momenta, *self.positions])
        tails = b"".join(struct.pack(">d", row[k]) for k in range(3) for row in self.tails)
        content = TOBJECT * len(self.whole) + columns + vectors + tails + bytes(self.bound)
        return counted(4, head + content)

    def _map(self) -> bytes:
        n = struct.pack(">I", len(self.kinematics))
        if self.paired:
            pairs = [struct.pack(">id", *pair) for pair in self.kinematics.items()]
            return counted(3, n + b"".join(pairs))
        kind = struct.pack(">H", self.pair_version) + (b"" if self.pair_version else b"CHEK")
        keys = b"".join(struct.pack(">i", key) for key in self.kinematics)
        values = b"".join(struct.pack(">d", value) for value in self.kinematics.values())
        return counted(0x400A, kind + n + keys + values)

    def _interaction(self) -> bytes:
        target = TOBJECT + struct.pack(">5i?", *self.target, True)
        initial = TOBJECT + struct.pack(">i", 14)
        target += b"".join(self._vector((0, 0, 0, i)) for i in range(self.extra_vectors))
        target += b"" if self.radius is None else struct.pack(">d", self.radius)
        initial += self._pointer(b"genie::Target", 2, target)
        initial += self._vector((0, 0, 2, 2)) + self._vector(None)
        body = TOBJECT + self._pointer(b"genie::InitialState", 1, initial)
        process = TOBJECT + struct.pack(">2i", *self.process)
        body += self._pointer(b"genie::ProcessInfo", 1, process)
        kinematics = TOBJECT + self._map() + self._vector((0, 0, 1, 1)) + self._vector(None)
        body += self._pointer(b"genie::Kinematics", 2, kinematics)
        exclusive = struct.pack(
            ">??ii9iii?i?i", True, True, 3122, 4122, *range(9), 2, 3, True, 4, True, 5
        )
        exclusive = exclusive if self.exclusive == 5 else exclusive[:38]
        body += self._pointer(b"genie::XclsTag", self.exclusive, TOBJECT + exclusive)
        if self.phase_space:
            body += self._pointer(b"genie::KPhaseSpace", 2, TOBJECT + b"\0\0\0\x08")
        return self._pointer(b"genie::Interaction", 2, body)

    def _build(self) -> bytes:
        header = counted(1, TOBJECT + struct.pack(">I", self.number))
        base = counted(1, TOBJECT + header)
        # in the order of writing, because the first vector carries the name
        record = self._particles() + self._interaction() + self._vector(self.vertex)
        record += self._bits(self.flags)
        record += self._bits(b"\xff\xff") if self.mask else b""
        record = counted(2, record + self.tail)
        event = self._pointer(b"genie::EventRecord", 1, record)
        return bytes([len(self.name)]) + self.name + b"\0" + counted(1, base + event)
