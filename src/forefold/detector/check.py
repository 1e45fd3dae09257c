"""What a whole card must hold together, and what it may say but hardly means.

A block checks itself when it is read; here is what needs the card: `check` refuses, `unlikely` finds what is worth a warning.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forefold.detector.formulas import formulas, parsed
from forefold.detector.rule import candidates_of, kinetic_of
from forefold.detector.uncertainty import factor, uncertain
from forefold.detector.values import HIDDEN, QUANTITIES, TRACK, allowed
from forefold.detector.vertex import sourced_of
from forefold.events import particles as species
from forefold.events.commonest import NAMES
from forefold.expressions import FUNCTIONS, limits
from forefold.expressions.functions import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from forefold.detector import (
        Card,
        Containment,
        Correlation,
        Identification,
        Interval,
        Parameter,
        Position,
        Rule,
        ShiftBlock,
        StageBlock,
        TableBlock,
        Time,
        VertexBlock,
    )
    from forefold.detector.formulas import Formula
    from forefold.expressions import Expression

    _Sourced: TypeAlias = (
        Identification
        | Parameter
        | TableBlock
        | StageBlock
        | Containment
        | ShiftBlock
        | Correlation
    )

__all__ = ["check", "unlikely"]

_HIGH = 10.0
"""GeV; what a detector of neutrinos sees is mostly below, and MeV that were taken for GeV are above."""

_WIDEST = {"constant": 1.0, "resolution": 1.0, "stochastic": 2.0, "noise": 2.0}
"""Relative resolutions, at 1 GeV where they depend on the energy, that are hardly meant; calorimeters have 1.2/sqrt(E)."""

_WIDEST_ANGLE = 90.0

_ANGLES = ("theta", "phi")
_MOST_ANGLE = 3.15
"""rad; pi as people round it."""

_UNITS = {"kinetic_energy": "GeV", "momentum": "GeV/c"}
Loc = tuple[int | str, ...]


def check(card: Card) -> None:
    """Refuse a card that does not hold together.

    Parameters
    ----------
    card : Card
        Of which every block is right by itself.

    Raises
    ------
    ValueError
        The first thing that is wrong: a source that is not there, a formula that is none, a constant out of its range, stages in the
        wrong order, correlations that no random numbers have, identifications and rules that are never reached.
    """
    _sources(card)
    _formulas(card)
    _constant_values(card)
    _stages(card)
    _uncertainty(card)
    _taken_for_what_is_smeared(card)
    _identifications_are_reachable(card)
    _rules_are_reachable(card)


def _sources(card: Card) -> None:
    """Refuse keys of sources that are not in [sources]."""
    for rule in card.rules:
        blocks = (rule, rule.threshold, rule.energy, rule.angle)
        for key in (block.source for block in blocks if block is not None):
            if key is not None and key not in card.sources:
                near = species.near(key, card.sources)
                message = f"rule {rule.name!r}: source {key!r} is not in [sources]{near}"
                raise ValueError(message)
    sourced: dict[str, _Sourced | VertexBlock | Position | Time] = {
        **({"containment": card.containment} if card.containment else {}),
        **sourced_of(card.vertex),
        **{f"stage[{i + 1}]": block for i, block in enumerate(card.stages)},
        **{f"identification[{i + 1}]": block for i, block in enumerate(card.identification)},
        **{f"parameters.{name}": block for name, block in card.parameters.items()},
        **{f"tables.{name}": block for name, block in card.tables.items()},
        **{f"shift[{i + 1}]": block for i, block in enumerate(card.shifts)},
        **{f"correlation[{i + 1}]": block for i, block in enumerate(card.correlations)},
    }
    for where, block in sourced.items():
        if block.source is not None and block.source not in card.sources:
            near = species.near(block.source, card.sources)
            message = f"{where}: source {block.source!r} is not in [sources]{near}"
            raise ValueError(message)


def _formulas(card: Card) -> None:
    """Refuse a card whose formulas do not hold together; see `parsed`."""
    taken = dict.fromkeys((*QUANTITIES, *TRACK), "a quantity of the particle")
    taken |= dict.fromkeys(HIDDEN, "a quantity of the particle")
    taken |= dict.fromkeys((*FUNCTIONS, *RESERVED), "a word of the language")
    for room, names in (("parameters", card.parameters), ("tables", card.tables)):
        for name in names:
            if name in taken:
                message = f"{room}.{name}: the name is taken: it is {taken[name]}"
                raise ValueError(message)
        taken |= dict.fromkeys(names, f"in [{room}]")
    for rule in card.rules:
        for part in rule.energy.components():
            if part.table is not None and part.table not in card.tables:
                message = f"rule {rule.name!r}: table {part.table!r} is not in [tables]"
                raise ValueError(message)
            if part.table is not None and (wrong := card.tables[part.table].not_a_migration()):
                message = f"rule {rule.name!r}: table {part.table!r}: distribution 'tabulated' needs {wrong}"
                raise ValueError(message)
            if part.table is not None and (wrong := card.tables[part.table].too_full()):
                message = f"tables.{part.table}: {wrong}"
                raise ValueError(message)
    for formula in formulas(card):
        parsed(card, formula)


def _constants(card: Card) -> Iterator[tuple[Formula, Expression]]:
    """Find formulas of numbers that name parameters only."""
    for formula in formulas(card):
        if formula.kind == "number":
            expression = parsed(card, formula)
            if not expression.functions and set(expression.names) <= set(card.parameters):
                yield formula, expression


def _value(expression: Expression, values: dict[str, float]) -> float:
    columns = {name: np.array([values[name]]) for name in expression.names}
    with np.errstate(all="ignore"):
        return float(np.ravel(expression.evaluate(columns))[0])


def _wrong(formula: Formula, value: float) -> str:
    """Say what is wrong with a value of a formula; nothing if it is allowed."""
    limits = allowed(formula.where.rpartition(".")[2])
    if limits.holds(value):
        return ""
    found = "is not known" if np.isnan(value) else f"is {value:.6g}"
    return f"{formula.text!r} {found}, allowed: {limits}"


def _constant_values(card: Card) -> None:
    """Refuse formulas that have one value for all particles, and not an allowed one."""
    values = {name: block.value for name, block in card.parameters.items()}
    for formula, expression in _constants(card):
        wrong = _wrong(formula, _value(expression, values))
        if wrong:
            message = f"{formula.where}: {wrong}"
            raise ValueError(message)


def _stages(card: Card) -> None:
    """Refuse stages that stand where they can do nothing, and one that stands twice: it would draw the same random numbers again."""
    kinds = [block.kind for block in card.stages]
    for i, kind in enumerate(kinds):
        if kind in kinds[:i]:
            message = (
                f"stage[{i + 1}]: {kind!r} is there already, as stage[{kinds.index(kind) + 1}]"
            )
            raise ValueError(message)
        decays_later = "pi0-decay" in kinds[i + 1 :]
        if kind == "shower-merging" and "pi0-decay" not in kinds[:i]:
            message = f"stage[{i + 1}]: 'shower-merging' merges the photons of 'pi0-decay', which must stand before it"
            raise ValueError(message)
        if kind == "photon-conversion" and decays_later:
            message = f"stage[{i + 1}]: 'photon-conversion' must stand behind 'pi0-decay', or it misses its photons"
            raise ValueError(message)


def _uncertainty(card: Card) -> None:
    """Refuse names that are taken, and correlations that do not hold together."""
    seen: dict[str, str] = {name: f"[parameters.{name}]" for name in card.parameters}
    names: set[str] = set()
    for shift in card.shifts:
        if shift.name in names:
            message = f"two shifts are named {shift.name!r}"
            raise ValueError(message)
        names.add(shift.name)
        for pull in shift.pulls:
            if pull in seen:
                message = (
                    f"shift {shift.name!r}: its pull {pull!r} is also the name of {seen[pull]}"
                )
                raise ValueError(message)
            seen[pull] = f"a pull of shift {shift.name!r}"
    _correlations(card)


def _correlations(card: Card) -> None:
    known = uncertain(card)
    pairs: dict[frozenset[str], float] = {}
    for i, block in enumerate(card.correlations):
        where = f"correlation[{i + 1}]"
        for name in block.parameters:
            if name in card.parameters and name not in known:
                message = f"{where}: parameter {name!r} has no uncertainty"
                raise ValueError(message)
            if name not in known:
                there = f"there are {', '.join(known)}" if known else "nothing is uncertain here"
                message = f"{where}: {name!r} is no uncertain parameter and no pull of a shift"
                message += f"{species.near(name, list(known))}; {there}"
                raise ValueError(message)
        pair = frozenset(block.parameters)
        if pair in pairs:
            a, b = block.parameters
            message = f"{where}: the correlation of {a!r} and {b!r} is given twice"
            raise ValueError(message)
        pairs[pair] = block.value
    involved = [name for name in known if any(name in pair for pair in pairs)]
    factor(involved, pairs)


def _taken_for_what_is_smeared(card: Card) -> None:
    """Refuse to identify what the card does not smear, and to take anything for it."""
    for i, block in enumerate(card.identification):
        if all(card.left_out(pdgid) for pdgid in candidates_of(block)):
            first = next(candidates_of(block))
            message = (
                f"identification[{i + 1}]: particles: {species.name(first)} is a {card.left_out(first)}, which the card "
                "does not smear"
            )
            raise ValueError(message)
        for entry in block.row:
            if isinstance(entry.as_, str) and entry.as_ in {"same", "antiparticle"}:
                continue
            if word := card.left_out(entry.pdgid(0)):
                message = f"identification[{i + 1}]: {entry.as_!r} is a {word}, which the card does not smear"
                raise ValueError(message)


def _identifications_are_reachable(card: Card) -> None:
    """Refuse an identification of which earlier ones take all."""
    for i, block in enumerate(card.identification):
        takers: set[int] = set()
        for pdgid in candidates_of(block):
            earlier = (j for j in range(i) if card.identification[j].covers(pdgid))
            taker = next(earlier, None)
            if taker is None:
                break
            takers.add(taker + 1)
        else:
            who = " and ".join(f"identification[{j}]" for j in sorted(takers))
            verb = "takes" if len(takers) == 1 else "take"
            message = (
                f"identification[{i + 1}]: can never be reached: {who} {verb} all that it covers"
            )
            raise ValueError(message)


def _rules_are_reachable(card: Card) -> None:
    """Refuse rules of one name, a last one that does not hold for all, and rules that never match."""
    names = [rule.name for rule in card.rules]
    for name in names:
        if names.count(name) > 1:
            message = f"two rules are named {name!r}"
            raise ValueError(message)
    last = card.rules[-1]
    if last.particles != ("other",) or last.when is not None:
        message = f'the last rule ({last.name!r}) must be for particles = ["other"], without "when"'
        raise ValueError(message)
    for i, rule in enumerate(card.rules):
        if all(_lowest_left(card, pdgid, i) is None for pdgid in candidates_of(rule)):
            message = (
                f"rule {rule.name!r} can never match: its conditions exclude each other, "
                "or earlier rules or not_smeared take all that it covers"
            )
            raise ValueError(message)


def _lowest_left(card: Card, pdgid: int, i: int) -> float | None:
    """Lowest kinetic energy (GeV) of a particle that earlier rules leave for rule `i`; None if they leave nothing."""
    if card.left_out(pdgid):
        return None
    mass = species.mass(pdgid)
    low, high = card.rules[i].kinetic_range(mass)
    taken = [
        r.kinetic_range(mass)
        for r in card.rules[:i]
        if r.covers(pdgid) and (r.when is None or r.when.formula is None)
    ]
    for start, stop in sorted(taken):
        if start <= low < stop:
            low = stop
    return low if low < high else None


def unlikely(card: Card) -> Iterator[tuple[Loc, str]]:
    """Find what hides particles or their energy without a word.

    Thresholds that hide all that a rule could see, or all but the highest energies, or that another rule keeps from being
    reached; resolutions that were given in per cent, angles in degrees; parameters that do nothing, or harm.

    Parameters
    ----------
    card : Card

    Yields
    ------
    loc : tuple of int and str
        Keys and places in lists, from the outside.
    words : str
        Rule, key and value, and what is odd about them.
    """
    yield from _of_parameters(card)
    yield from _of_widths(card)
    yield from _of_angles(card)
    yield from _of_shadows(card)
    for i, rule in enumerate(card.rules):
        for word in rule.particles:
            if isinstance(word, int) and not species.is_listed(word):
                words = f"PDG {word} is not in the particle table: a mass is known where an event gives one"
                yield ("rule", i, "particles"), f"rule[{i + 1}] {rule.name!r}.particles: {words}"
        for keys, bound in _thresholds(rule):
            side = "gt" if bound.gt is not None else "ge"
            value = bound.ge if bound.gt is None else bound.gt
            assert value is not None
            words = _odd(rule, keys, value)
            if words:
                path = ("threshold", *keys, side)
                yield ("rule", i, *path), f"rule[{i + 1}] {rule.name!r}.{'.'.join(path)}: {words}"


def _of_parameters(card: Card) -> Iterator[tuple[Loc, str]]:
    named = {name for formula in formulas(card) for name in parsed(card, formula).names}
    for name in card.parameters:
        if name not in named:
            yield ("parameters", name), f"parameters.{name}: no formula names it"
    for name, words in _beyond_one_sigma(card):
        yield ("parameters", name), f"parameters.{name}: {words}"


def _of_angles(card: Card) -> Iterator[tuple[Loc, str]]:
    """Angles that are compared with what none reaches in radians."""
    for formula in formulas(card):
        for name, number in limits(parsed(card, formula).tree):
            if name in _ANGLES and abs(number) > _MOST_ANGLE:
                words = f"{name} is in rad and is compared with {number:g}: for degrees write {number:g} * pi / 180"
                yield (), f"{formula.where}: {words}"


def _of_widths(card: Card) -> Iterator[tuple[Loc, str]]:
    """Find resolutions and shifts above 1, which were meant in per cent, and angles that leave no direction."""
    for i, rule in enumerate(card.rules):
        where = f"rule[{i + 1}] {rule.name!r}"
        for j, drawn in enumerate(rule.energy.components()):
            path: Loc = ("energy", "parts", j) if rule.energy.parts else ("energy",)
            words = f"{where}.energy.parts[{j + 1}]" if rule.energy.parts else f"{where}.energy"
            for key, most in _WIDEST.items():
                value = getattr(drawn, key)
                if isinstance(value, float) and value > most:
                    yield ("rule", i, *path, key), f"{words}.{key}: {_per_cent(value)}"
            if isinstance(drawn.sigma, float) and drawn.sigma > _HIGH:
                said = f"{drawn.sigma:g} GeV; if MeV are meant, write {drawn.sigma / 1000:g}"
                yield ("rule", i, *path, "sigma"), f"{words}.sigma: {said}"
        for key in ("sigma_deg", "sigma_phi_deg"):
            angle = getattr(rule.angle, key)
            if isinstance(angle, float) and angle > _WIDEST_ANGLE:
                said = f"{angle:g} degrees leave nothing of the direction"
                yield ("rule", i, "angle", key), f"{where}.angle.{key}: {said}"
    for i, shift in enumerate(card.shifts):
        for key in ("p0", "p1", "p2", "resolution"):
            if getattr(shift, key) > 1.0:
                said = _per_cent(getattr(shift, key))
                yield ("shift", i, key), f"shift[{i + 1}] {shift.name!r}.{key}: {said}"


def _per_cent(value: float) -> str:
    return f"{value:g} is {100.0 * value:g} %; if {value:g} % is meant, write {value / 100.0:g}"


def _of_shadows(card: Card) -> Iterator[tuple[Loc, str]]:
    """Find thresholds below all that is left for their rule: the rule that takes what is there has another threshold."""
    for i, rule in enumerate(card.rules):
        for keys, bound in _thresholds(rule):
            if "reco" in keys:
                continue
            for pdgid in _common(rule):
                shadow = _shadow(card, i, pdgid, keys[0], bound.low)
                if shadow:
                    side = "gt" if bound.gt is not None else "ge"
                    path = ("threshold", *keys, side)
                    yield (
                        ("rule", i, *path),
                        f"rule[{i + 1}] {rule.name!r}.{'.'.join(path)}: {shadow}",
                    )
                    break


def _common(rule: Rule) -> Iterator[int]:
    """Particles of a rule; of classes, the common ones, since all others are taken as these are."""
    for word in rule.particles:
        if isinstance(word, str) and word in species.CLASSES:
            yield from (pdgid for pdgid in NAMES.values() if species.in_class(pdgid, word))
        else:
            yield word if isinstance(word, int) else species.pdgid(word)


def _shadow(card: Card, i: int, pdgid: int, quantity: str, threshold: float) -> str:
    """Say which rule has what lies between a threshold and the lowest energy that is left for its rule."""
    mass = species.mass(pdgid)
    start = kinetic_of(threshold, mass) if quantity == "momentum" else threshold
    lowest = _lowest_left(card, pdgid, i)
    if lowest is None or lowest <= start:
        return ""
    # what a rule itself says that it is not for is no riddle: only the rules before it count
    earlier = (r for r in card.rules[:i] if r.covers(pdgid) and _holds(r, mass, start))
    taker = next(earlier, None)
    if taker is None or (taker.when is not None and taker.when.formula is not None):
        return ""
    other = _own_threshold(taker, mass)
    if other is None or math.isclose(other, start, rel_tol=1e-9):
        return ""
    limit = f"p = {math.sqrt(lowest * (lowest + 2.0 * mass)):.3g} GeV/c"
    if taker.when is None or taker.when.momentum is None:
        limit = _energy(lowest)
    own = _energy(start) if quantity == "kinetic_energy" else f"{threshold:g} GeV/c"
    has = f"has {_energy(other)}" if other > 0.0 else "has none"
    return f"threshold {own} of {card.rules[i].name!r} is not reached below {limit}: rule {taker.name!r} {has}"


def _holds(rule: Rule, mass: float, energy: float) -> bool:
    low, high = rule.kinetic_range(mass)
    return low <= energy < high


def _own_threshold(rule: Rule, mass: float) -> float | None:
    """Kinetic energy below which a rule loses all; None if a formula says it."""
    block = rule.threshold
    if block is None:
        return 0.0
    if block.formula is not None:
        return None
    of_energy = 0.0 if block.kinetic_energy is None else block.kinetic_energy.low
    of_momentum = 0.0 if block.momentum is None else kinetic_of(block.momentum.low, mass)
    return max(of_energy, of_momentum)


def _energy(value: float) -> str:
    return f"{value:g} GeV" if value >= 1.0 else f"{1000.0 * value:g} MeV"


def _thresholds(rule: Rule) -> Iterator[tuple[tuple[str, ...], Interval]]:
    """Lower bounds on what is true, and on what is reconstructed, by their keys."""
    if rule.threshold is None:
        return
    reco = rule.threshold.reco
    for quantity in _UNITS:
        for keys, block in (((quantity,), rule.threshold), (("reco", quantity), reco)):
            bound = getattr(block, quantity, None)
            if bound is not None:
                yield keys, bound


def _odd(rule: Rule, keys: tuple[str, ...], value: float) -> str:
    quantity, unit = keys[-1], _UNITS[keys[-1]]
    when = getattr(rule.when, quantity, None)
    if "reco" not in keys and when is not None and value >= when.high:
        return f"{value:g} {unit} hides everything: the rule holds below {when.high:g} {unit} only"
    if value <= _HIGH:
        return ""
    return (
        f"{value:g} {unit} hides nearly everything; the unit is {unit}: "
        f"if M{unit[1:]} are meant, write {value / 1000:g}"
    )


def _beyond_one_sigma(card: Card) -> Iterator[tuple[str, str]]:
    """Find parameters whose uncertainty, within their limits, takes a formula of constants to a value that is not allowed."""
    values = {name: block.value for name, block in card.parameters.items()}
    named: set[str] = set()
    for formula, expression in _constants(card):
        for name in expression.names:
            block = card.parameters[name]
            low, high = block.limits or (-np.inf, np.inf)
            for sigma, sign in ((block.uncertainty, "+"), (-block.uncertainty, "-")):
                there = min(max(block.value + sigma, low), high)
                wrong = _wrong(formula, _value(expression, {**values, name: there}))
                if wrong and name not in named:
                    named.add(name)
                    yield (
                        name,
                        f"{sign}1 sigma ({there:g}) is beyond what {formula.where} allows: {wrong}; give it limits",
                    )
