"""Damaged cards, and what loading them comes to: a card, or one line that names the file."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import forefold
from forefold.detector.load import card_source

__all__ = ["EVERY_KEY", "damaged", "originals", "outcomes"]

EVERY_KEY = """
schema = 1
name = "every-key"
title = "every key"
[sources]
me = "an example"
[parameters.shift]
value = 0.02
uncertainty = 0.01
limits = [-0.5, 0.5]
source = "me"
[tables.eff]
axes = [[0.0, 0.5, 1.0, 100.0]]
values = [0.5, 0.8, 0.95]
outside = "invalid"
[tables.migration]
axes = [[0.0, 1.0, 200.0], [0.0, 1.0, 2.0, 200.0]]
values = [[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]]
[tables.map]
axes = [[0.0, 1.0], [0.0, 3.2]]
values = [[1.0, 0.9], [0.8, 0.7]]
interpolation = "linear"
[containment]
material = "liquid-argon"
active = { low = [-695.0, -700.0, 0.0], high = [695.0, 700.0, 2530.0] }
source = "me"
[vertex]
position = { x = 1.0, y = 1.0, z = 0.5, distribution = "uniform", source = "me" }
time = 2.0
source = "me"
[[stage]]
kind = "pi0-decay"
source = "me"
[[stage]]
kind = "shower-merging"
angle_deg = 5.0
source = "me"
[[identification]]
particles = ["mu-"]
source = "me"
keep = "kinetic"
row = [{ as = "same", probability = "0.9" }, { as = "pi-", probability = 0.06 }, { as = "antiparticle", probability = 0.01 }]
[[rule]]
name = "mu"
type = "mu"
particles = ["mu-", -13]
source = "me"
threshold.kinetic_energy.ge = 0.03
threshold.reco.kinetic_energy.ge = 0.2
angle = { convention = "space", distribution = "von-mises-fisher", sigma_deg = 3.0 }
[rule.energy]
distribution = "mixture"
parts = [
  { weight = "contained", of = "momentum", distribution = "crystal-ball", constant = 0.02, alpha_low = 1.0, n_low = 3.0, alpha_high = 2.0, n_high = 5.0 },
  { of = "inverse-momentum", distribution = "normal", constant = 0.3 },
]
[[rule]]
name = "pi"
type = "pi"
particles = ["pi-", "pi+"]
source = "me"
when.momentum = { ge = 0.1, lt = 20.0 }
energy = { of = "kinetic", distribution = "truncated-normal", constant = 0.3, stochastic = 0.1, noise = 0.01, sum = "linear" }
angle = { convention = "independent", distribution = "normal", sigma_deg = "3.0 / p", sigma_phi_deg = 5.0 }
[[rule]]
name = "nucleons"
type = "p"
particles = ["p", "n"]
source = "me"
efficiency = "eff(p) * where(theta < 1, 1, 0.9) * map(p, theta)"
when.formula = "charge == 0 or p > 0.3"
energy = { of = "visible", distribution = "log-normal", resolution = "sqrt(0.02**2+0.15**2/max(KE,0.001))", scale = "1+shift" }
angle = { convention = "none", distribution = "none" }
[[rule]]
name = "last"
type = "rest"
particles = ["other"]
source = "me"
threshold.formula = "E > 0.1 and not isnan(phi)"
energy = { of = "total", distribution = "tabulated", table = "migration" }
angle = { convention = "polar", distribution = "normal", sigma_deg = 1.0 }
"""

_VALUES = (
    "nan", "-inf", "1e400", "-1.0", "0", "0.0", "1e300", "-1e-320", "9" * 400, "9" * 5000, "0xffffffffffffffffff", "true", '""', "'x'",
    "[]", "{}", "[[]]", "[1, 'a']", "[{}]", "{a = 1}", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", '"\\u0000"', '"\\n"',
    '"nan"', '"p"', '"p > 1"', '"1/0"', '"é√"', '"""\na\nb"""', '"other"', '"none"', '"mixture"', '["other"]', '["p", 13, true]',
    '"KE**KE**KE**KE"', '"1e999"', "[0.0, 1.0]", "[1.0, 0.0]", "[[0.0, 1.0]]", "[nan, nan]", "[99999999999999999999]", "99999999999999999999",
)  # fmt: skip
_KEYS = (
    "extends", "schema", "name", "title", "sources", "rule", "parameters", "tables", "identification", "stage", "containment", "when", "threshold",
    "energy", "angle", "parts", "weight", "table", "low", "tail", "before", "file", "limits", "source", "not_smeared", "below_mass", "schema_",
    "rules", "stages", '"a b"', '""', "é", "a.b.c", "__class__", "model_config", "self",
)  # fmt: skip
_FORMULAS: tuple[Callable[[random.Random], str], ...] = (
    lambda d: "(" * d.choice((30, 300, 9000)),
    lambda d: "-" * d.choice((30, 300, 9000)) + "1",
    lambda d: "not " * d.choice((30, 300, 2400)) + "true",
    lambda d: "1" + "+p" * d.choice((50, 2500, 4999, 20_000)),
    lambda d: "p" + "**p" * d.choice((50, 2500)),
    lambda d: "max(" * d.choice((50, 2400)) + "p",
    lambda _: "where(p>1," * 900 + "1" + ",2)" * 900,
    lambda d: "max(" + ",".join("p" for _ in range(d.choice((50, 4000)))) + ")",
    lambda d: "9" * d.choice((300, 9000)),
    lambda _: "p<" * 3000 + "p",
    lambda _: "eff(" * 900 + "p" + ")" * 900,
    lambda d: "".join(d.choice("pE()+-*/<>=.,0123456789 eKx'\\\"") for _ in range(d.choice((5, 40, 400)))).replace('"', "").replace("\\", ""),
)  # fmt: skip
_ASSIGNED = re.compile(r"([A-Za-z_.]+) = ([^,{}\[\]\n]+)")


def originals() -> list[str]:
    """Cards to damage: those that come along, and one with every key."""
    return [*(card_source(name) for name in forefold.cards()), *[EVERY_KEY] * 6]


def _lines(text: str, draw: random.Random) -> str:
    """Delete, repeat, swap or cut lines."""
    lines = text.split("\n")
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.randrange(5)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 3:
        del lines[i : i + draw.choice((2, 5, 20))]
    else:
        lines[i] = lines[i][: draw.randrange(len(lines[i]) + 1)]
    return "\n".join(lines)


def _assigned(text: str, draw: random.Random, change: Callable[[str, str], str]) -> str:
    """Change one `key = value`."""
    places = list(_ASSIGNED.finditer(text))
    if not places:
        return text
    found = draw.choice(places)
    return text[: found.start()] + change(found[1], found[2]) + text[found.end() :]


def _key(text: str, draw: random.Random) -> str:
    def renamed(key: str, value: str) -> str:
        at = draw.randrange(len(key))
        other = (draw.choice(_KEYS), key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], key * 2)
        return f"{draw.choice(other)} = {value}"

    return _assigned(text, draw, renamed)


def _value(text: str, draw: random.Random) -> str:
    return _assigned(text, draw, lambda key, _: f"{key} = {draw.choice(_VALUES)}")


def _formula(text: str, draw: random.Random) -> str:
    def changed(key: str, value: str) -> str:
        if value.startswith('"') and draw.random() < 0.5:
            return f"{key} = {value[: draw.randrange(1, len(value))]}" + '"'
        return f'{key} = "{draw.choice(_FORMULAS)(draw)}"'

    return _assigned(text, draw, changed)


def _nested(text: str, draw: random.Random) -> str:
    n = draw.choice((20, 200, 5000, 30_000))
    word = draw.choice(("[" * n + "1" + "]" * n, "{a = " * n + "1" + "}" * n, "[" * n))
    dotted = ".".join("a" for _ in range(n))
    if draw.random() < 0.3:
        return f"{dotted} = 1\n{text}" if draw.random() < 0.5 else f"{text}\n[{dotted}]\n"
    return _assigned(text, draw, lambda key, _: f"{key} = {word}")


def _table(text: str, draw: random.Random) -> str:
    """A table of another shape, in other order, or in another file."""
    axis = [draw.choice((0.0, 1.0, 2.0, -1.0, 5.0)) for _ in range(draw.randrange(4))]
    axes = [sorted(axis) if draw.random() < 0.6 else axis for _ in range(draw.randrange(1, 5))]
    values = draw.choice(
        ("[1.0]", "[[1.0]]", "[1.0, [1.0]]", "[]", "[[[[1.0]]]]", "['a']", "[true]", "[nan, 1.0]", "[1, 2, 3]")
    )  # fmt: skip
    block = f"\n[tables.t{draw.randrange(3)}]\naxes = {axes}\nvalues = {values}\n"
    if draw.random() < 0.4:
        file = draw.choice(('"."', '"none.json"', '""', '"\\u0000"', "3", '"/dev/null"', '"../x"', f'"{"a" * 400}"'))  # fmt: skip
        block = f"\n[tables.t]\nfile = {file}\n"
    return text + block


def _extended(text: str, draw: random.Random) -> str:
    """Extend itself, nothing, a folder, or a card that differs."""
    parent = draw.choice(
        ('"card.toml"', '"./card.toml"', '"."', '""', '"none.toml"', '"nusmear-defualt"', '"perfect"', '"dune-cdr-fastmc"', "[]", "{}",
         '"\\u0000.toml"', '"a\\nb.toml"', '"/"', f'"{"a" * 5000}.toml"', '"bdm-10kt"', '"/dev/null"')
    )  # fmt: skip
    lines = [line for line in text.split("\n") if not line.startswith("extends")]
    return _value("\n".join([f"extends = {parent}", *lines]), draw)


def _bytes(text: str, draw: random.Random) -> bytes:
    data = bytearray(text.encode())
    for _ in range(draw.choice((1, 3, 30))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    return bytes(data[: draw.randrange(len(data))] if draw.random() < 0.2 else data)


_WAYS = (_lines, _key, _value, _value, _formula, _nested, _table, _extended, _bytes)


def damaged(cards: list[str], seed: int) -> bytes:
    """Damage one of the cards, the same way for the same seed, once or a few times."""
    draw = random.Random(seed)
    text = draw.choice(cards)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        result = draw.choice(_WAYS)(text, draw)
        if isinstance(result, bytes):
            return result
        text = result
    return text.encode("utf-8", "surrogatepass")


def outcomes(seeds: Iterable[int], folder: Path) -> Counter[str]:
    """Count cards and clean errors; anything else is raised."""
    found: Counter[str] = Counter()
    cards, path = originals(), folder / "card.toml"
    for seed in seeds:
        path.write_bytes(damaged(cards, seed))
        try:
            card = forefold.load_card(path)
        except (ValueError, OSError) as error:
            message = str(error)
            assert str(path) in message, (seed, message)
            assert "\n" not in message, (seed, message)
            assert "pydantic" not in message, (seed, message)
            assert len(message) < 2000, (seed, len(message))
            found["clean error"] += 1
        else:
            assert str(card), seed
            found["card"] += 1
    return found
