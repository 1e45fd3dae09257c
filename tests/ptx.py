"""The code of a graphics card, carried out on the processor one instruction after the other.

It knows the instructions that the kernel of `forefold.kernels.cuda_kernels.smear` is made of, and fails at others: no calls, no
shared memory. Products, sums, quotients and roots are those of Python's floats, which are IEEE's.
"""

from __future__ import annotations

import ctypes
import math
import re
import struct
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["Code", "flat"]

_MEMORY: dict[str, Any] = {
    "f64": ctypes.c_double,
    "u64": ctypes.c_uint64,
    "u32": ctypes.c_uint32,
    "u16": ctypes.c_uint16,
    "u8": ctypes.c_uint8,
}
_COMPARE: dict[str, Any] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: not a == b,  # noqa: SIM201 - beside the others
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _quotient(a: float, b: float) -> float:
    if b != 0.0 or math.isnan(a):
        return a / b if b != 0.0 else a
    return math.nan if a == 0.0 else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _root(a: float) -> float:
    return math.nan if a < 0.0 else math.sqrt(a)


def flat(values: tuple[Any, ...]) -> list[int]:
    """Arguments as a kernel has them: an array is seven words, or nine; its memory must stay where it is."""
    found: list[int] = []
    for value in values:
        if isinstance(value, np.ndarray):
            found += [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape]
            found += value.strides
        elif isinstance(value, tuple):
            found += flat(value)
        else:
            found.append(int(value))
    return found


class Code:
    """A kernel as text, made ready to be carried out."""

    def __init__(self, text: str) -> None:
        body = re.sub(r"\[\w+_param_(\d+)\]", r"[P\1]", text[text.index(".entry") :])
        body = body[body.index("{") + 1 : body.rindex("}")]
        self.steps: list[tuple[str, bool, list[str], list[str]]] = []
        self.labels: dict[str, int] = {}
        for line in body.splitlines():
            words = line.split("//")[0].strip()
            if not words or words.startswith("."):
                continue
            if words.endswith(":"):
                self.labels[words[:-1]] = len(self.steps)
                continue
            match = re.fullmatch(r"(?:@(!?)(%p\d+) )?([\w.]+)(?:\s+(.*))?;", words)
            assert match, words
            operands = [word.strip() for word in (match[4] or "").split(",") if word.strip()]
            self.steps.append((match[2] or "", match[1] == "!", match[3].split("."), operands))

    def run(self, parameters: list[int], thread: int) -> None:
        """Carry out one thread of a block of one thread."""
        r: dict[str, Any] = {"%tid.x": 0, "%ntid.x": 1, "%ctaid.x": thread, "%nctaid.x": 1 << 20}
        at = 0
        while True:
            condition, negated, name, operands = self.steps[at]
            at += 1
            if condition and r[condition] == negated:
                continue
            if name[0] == "ret":
                return
            if name[0] == "bra":
                at = self.labels[operands[0]]
            elif name[0] == "ld" and name[1] == "param":
                r[operands[0]] = parameters[int(operands[1][2:-1])]
            elif name[0] == "ld":
                kind = _MEMORY[name[-1]]
                r[operands[0]] = kind.from_address(self._place(r, operands[1])).value
            elif name[0] == "st":
                place = _MEMORY[name[-1]].from_address(self._place(r, operands[0]))
                place.value = self._value(r, operands[1])
            else:
                values = [self._value(r, word) for word in operands[1:]]
                r[operands[0]] = self._done(name, operands, values)

    @staticmethod
    def _place(r: dict[str, Any], word: str) -> int:
        register, _, shift = word[1:-1].partition("+")
        place: int = r[register]
        return (place + int(shift or 0)) & (2**64 - 1)

    @staticmethod
    def _value(r: dict[str, Any], word: str) -> Any:
        if word.startswith("%"):
            return r[word]
        if word.startswith("0d"):
            return struct.unpack(">d", bytes.fromhex(word[2:]))[0]
        return int(word, 0)

    def _done(self, name: list[str], operands: list[str], v: list[Any]) -> Any:
        what, kind = name[0], name[-1]
        if what in {"mov", "cvta"}:
            return self._moved(operands, v[0])
        if what == "selp":
            return v[0] if v[2] else v[1]
        if what == "setp":
            return self._compared(name[1], kind, v)
        if what == "cvt":
            return self._converted(name, v[0])
        if kind == "f64":
            return self._number(name, v)
        if kind == "pred":
            if what == "not":
                return not v[0]
            return {"and": v[0] & v[-1], "or": v[0] | v[-1], "xor": v[0] ^ v[-1]}[what]
        return self._whole(name, kind, v)

    @staticmethod
    def _moved(operands: list[str], value: Any) -> Any:
        number = operands[0].startswith("%fd")
        if number and isinstance(value, int):
            return struct.unpack("<d", struct.pack("<Q", value & (2**64 - 1)))[0]
        if not number and isinstance(value, float):
            return struct.unpack("<Q", struct.pack("<d", value))[0]
        return value

    @staticmethod
    def _compared(how: str, kind: str, v: list[Any]) -> bool:
        if kind == "f64":
            if math.isnan(v[0]) or math.isnan(v[1]):
                return how.endswith("u") and how != "u"
            return bool(_COMPARE[how.removesuffix("u")](v[0], v[1]))
        bits = int(kind[1:])
        if kind[0] == "s":
            return bool(_COMPARE[how](_signed(v[0], bits), _signed(v[1], bits)))
        mask = (1 << bits) - 1
        return bool(_COMPARE[how](v[0] & mask, v[1] & mask))

    @staticmethod
    def _converted(name: list[str], value: Any) -> Any:
        if name[1:] == ["rmi", "f64", "f64"]:
            return float(np.floor(value))
        if name[1:] == ["rzi", "s32", "f64"]:
            return int(value) & (2**32 - 1)
        to, of = name[1:]
        value = _signed(value, int(of[1:])) if of[0] == "s" else value & ((1 << int(of[1:])) - 1)
        return value & ((1 << int(to[1:])) - 1)

    @staticmethod
    def _number(name: list[str], v: list[float]) -> float:
        what = name[0]
        if what == "neg":
            return -v[0]
        if what == "abs":
            return abs(v[0])
        if what == "fma":  # rounded once
            if not all(map(math.isfinite, v)):
                return v[0] * v[1] + v[2]
            return float(Fraction(v[0]) * Fraction(v[1]) + Fraction(v[2]))
        if what == "add":
            return v[0] + v[1]
        if what == "sub":
            return v[0] - v[1]
        if what == "mul":
            return v[0] * v[1]
        if what == "div":
            return _quotient(v[0], v[1])
        assert what == "sqrt", name
        return _root(v[0])

    @staticmethod
    def _whole(name: list[str], kind: str, v: list[int]) -> int:
        what, bits = name[0], int(kind[1:])
        if kind[0] == "s":
            v = [_signed(x, bits) for x in v]
        mask = (1 << (2 * bits if "wide" in name else bits)) - 1
        found = {
            "add": lambda: v[0] + v[1],
            "sub": lambda: v[0] - v[1],
            "mul": lambda: v[0] * v[1],
            "neg": lambda: -v[0],
            "min": lambda: min(v[0], v[1]),
            "max": lambda: max(v[0], v[1]),
            "and": lambda: v[0] & v[1],
            "or": lambda: v[0] | v[1],
            "xor": lambda: v[0] ^ v[1],
            "shl": lambda: v[0] << v[1],
            "shr": lambda: (v[0] if kind[0] == "s" else v[0] & mask) >> v[1],
        }[what]()
        return found & mask
