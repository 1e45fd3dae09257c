"""Fit a card to a full simulation, or to a published migration matrix."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.detector.formulas import formulas, parsed
from forefold.detector.load import load_card
from forefold.events import particles as species
from forefold.inference.card_fit.goodness import of_matrix, of_pairs
from forefold.inference.card_fit.likelihood import TERMS, PairLikelihood
from forefold.inference.card_fit.migration import Migration, MigrationLikelihood, read_migration
from forefold.inference.card_fit.minimum import minimised
from forefold.inference.card_fit.pairs import Pairs, read_pairs
from forefold.inference.card_fit.result import Fit, fitted_card
from forefold.inference.card_fit.template import Template
from forefold.io.files import from_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forefold.detector import Card

__all__ = ["fit_card"]

_SPACINGS = 5


def fit_card(
    data: Pairs | Migration | Mapping[str, Any] | str | Path,
    template: Template | Card | str | Path,
    *,
    fixed: Sequence[str] = (),
    **settings: Any,
) -> Fit:
    """Fit the parameters of a card by maximum likelihood.

    Parameters
    ----------
    data : Pairs, Migration, mapping, str or Path
        Pairs of true and reconstructed values (see `Pairs.from_columns`; files: `read_pairs`), or a migration matrix (files:
        `read_migration`).
    template : Template, Card, str or Path
        What is fitted: a family and a law, or any card (its name or file), of which the ``[parameters]`` are free.
    fixed : sequence of str
        Parameters that keep their values.
    **settings
        ``events``, ``quantity`` and ``particle`` of a matrix in a file; see `Migration`.

    Returns
    -------
    Fit
        Its `~Fit.card` says the data and their checksum as its source.

    Raises
    ------
    ValueError
        The data or the card are not valid, the card has no parameters, or stages or an identification; or nothing in the data
        tells of a parameter: an angle without columns of angles, an efficiency of a matrix without `Migration.generated`.
    OSError
        A file cannot be read.

    Notes
    -----
    Pairs: unbinned, with the exact density of the card for the true values of each; a migration matrix: multinomial in each
    row, with the exact probability of each cell. Uncertainties are those of the second derivatives of the likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> u = np.random.default_rng(1)
    >>> true = u.uniform(0.5, 5.0, 2000)
    >>> pairs = {"pdgid": np.full(2000, 13), "energy_true": true, "energy_reco": true * (1.02 + 0.1 * u.normal(size=2000))}
    >>> template = Template(("mu-",), distribution="normal", free=("constant", "scale"))
    >>> found = fit_card(pairs, template)
    >>> {name: round(value, 2) for name, value in found.values.items()}
    {'mu_constant': 0.1, 'mu_scale': 1.02}
    """
    card = template.card() if isinstance(template, Template) else load_card(template)
    _check(card, fixed)
    pairs_or_migration = _loaded(data, settings)
    held: dict[str, float] = {}
    likelihood: PairLikelihood | MigrationLikelihood
    if isinstance(pairs_or_migration, Pairs):
        pairs = _covered(pairs_or_migration, card)
        if isinstance(template, Template) and template.threshold:
            card, held = _threshold(pairs, card, f"{template.prefix}_threshold")
    elif isinstance(template, Template) and template.threshold:
        message = "a sharp threshold is looked for in pairs only; a matrix has an efficiency"
        raise ValueError(message)
    free = [name for name in card.parameters if name not in {*fixed, *held}]
    places = _places(card, free)
    if isinstance(pairs_or_migration, Pairs):
        _tell_of_angles(pairs, card, places)
        likelihood = PairLikelihood(pairs)
    else:
        _no_angles(pairs_or_migration, card, places)
        only_seen = places["seen"] - places["energy"]
        likelihood = MigrationLikelihood(
            pairs_or_migration.with_missing() if only_seen else pairs_or_migration
        )
    groups: list[tuple[tuple[str, ...], list[str]]] = [(TERMS, free)]
    if isinstance(likelihood, PairLikelihood):
        groups = _groups(card, places, free)
    minimum = minimised(likelihood, card, groups)
    best = minimum.card
    if isinstance(likelihood, MigrationLikelihood):
        goodness = of_matrix(likelihood, best, len(free))
    else:
        numbers = {key: len(names) for key, names in places.items()}
        goodness = of_pairs(likelihood.whole, best, numbers)
    order, covariance = minimum.names, minimum.covariance
    widths = dict(zip(order, np.sqrt(np.diag(covariance)).tolist(), strict=True)) | held
    return Fit(
        card=fitted_card(best, widths, order, covariance, pairs_or_migration.source, goodness),
        names=tuple(order),
        values={name: best.parameters[name].value for name in widths},
        uncertainties=widths,
        covariance=covariance,
        goodness=goodness,
        minus_log_likelihood=likelihood(best),
        size=likelihood.size,
        far=likelihood.far(best),
        valid=minimum.valid,
        trouble=minimum.trouble,
        at_limit=minimum.at_limit,
        source=pairs_or_migration.source,
    )


def _check(card: Card, fixed: Sequence[str]) -> None:
    if card.stages or card.identification:
        message = f"card {card.name}: stages and identification are not fitted: fit the rules without them"
        raise ValueError(message)
    for name in fixed:
        if name not in card.parameters:
            near = species.near(name, list(card.parameters))
            message = f"fixed: no parameter {name!r}{near}; there are: {', '.join(card.parameters) or 'none'}"
            raise ValueError(message)
    if not set(card.parameters) - set(fixed):
        message = f"card {card.name}: nothing is free: give [parameters] that formulas name"
        raise ValueError(message)


def _loaded(data: Any, settings: Mapping[str, Any]) -> Pairs | Migration:
    if isinstance(data, (Pairs, Migration)):
        return data
    if not isinstance(data, (str, Path)):
        return Pairs.from_columns(data)
    path = Path(from_home(data))
    if path.suffix == ".json" or (path.suffix == ".csv" and _first_line(path).count("true_low")):
        return read_migration(path, **settings)
    return read_pairs(path)


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(10_000)


def _covered(pairs: Pairs, card: Card) -> Pairs:
    """Leave out particles of which the card says nothing that could be fitted."""
    kinds = np.unique(pairs.pdgid)
    about = [
        not card.left_out(int(pdg))
        and any(card.rules[k].efficiency != 0.0 for k in card.candidates(int(pdg)))
        for pdg in kinds
    ]
    kept = pairs.rows(np.isin(pairs.pdgid, kinds[np.array(about, dtype=np.bool_)]))
    if not kept.seen.any():
        message = f"{pairs.source}: none of the particles that card {card.name} is about was seen"
        raise ValueError(message)
    return kept


def _threshold(pairs: Pairs, card: Card, name: str) -> tuple[Card, dict[str, float]]:
    """Find a sharp threshold: the likelihood is largest at the slowest particle that was seen.

    The mean distance to the next ones is how far that lies above the true threshold.
    """
    detected = pairs.rows(pairs.seen)
    mass = np.array([species.mass(int(pdg)) for pdg in detected.pdgid])
    slowest = np.sort(detected.energy_true - mass)[: _SPACINGS + 1]
    value = math.nextafter(float(slowest[0]), 0.0) if slowest[0] > 0.0 else 0.0
    width = float(slowest[-1] - slowest[0]) / max(slowest.size - 1, 1)
    # the engine finds the kinetic energy from the four-vector, with a rounding of its own
    value = max(0.0, value - 1e-12 * float(detected.energy_true.max()))
    return card.with_parameters({name: value}), {name: width}


def _places(card: Card, free: list[str]) -> dict[str, set[str]]:
    """Tell which parameters are fitted to what is seen, to energies and to angles."""
    places: dict[str, set[str]] = {"seen": set(), "energy": set(), "angle": set()}
    for formula in formulas(card):
        key = "energy"
        if ".angle." in formula.where:
            key = "angle"
        elif formula.where.endswith(".efficiency") or ".threshold." in formula.where:
            key = "seen"
        places[key] |= {name for name in parsed(card, formula).names if name in free}
    return places


def _name(data: Pairs | Migration) -> str:
    """Call data by their file, without its checksum."""
    return data.source.partition(", SHA-256 ")[0]


def _no_angles(matrix: Migration, card: Card, places: Mapping[str, set[str]]) -> None:
    """Refuse to fit angles to a matrix of energies."""
    only = places["angle"] - places["seen"] - places["energy"]
    if only:
        message = f"{_name(matrix)}: card {card.name}: {', '.join(sorted(only))}: an angle is fitted to pairs only; a matrix has none"
        raise ValueError(message)


def _tell_of_angles(pairs: Pairs, card: Card, places: Mapping[str, set[str]]) -> None:
    """Refuse to fit angles of which no column tells."""
    only = places["angle"] - places["seen"] - places["energy"]
    recorded = {
        "polar": pairs.theta_reco is not None,
        "cosine": pairs.theta_reco is not None,
        "space": pairs.opening() is not None,
        "independent": False,
    }
    conventions = [rule.angle.convention for rule in card.rules]
    wanted = [word for word in dict.fromkeys(conventions) if word != "none"]
    if not only or any(recorded[word] for word in wanted):
        return
    needed = {
        "polar": "theta_true and theta_reco",
        "cosine": "theta_true and theta_reco",
        "space": "space_angle, or theta_true, phi_true, theta_reco and phi_reco",
    }
    columns = " or ".join(dict.fromkeys(needed[word] for word in wanted if word in needed))
    message = f"{_name(pairs)}: card {card.name}: {', '.join(sorted(only))}: an angle is to be fitted, but "
    message += f"there are no columns {columns}" if columns else "independent angles are not fitted"
    raise ValueError(message)


def _groups(
    card: Card, places: Mapping[str, set[str]], free: list[str]
) -> list[tuple[tuple[str, ...], list[str]]]:
    """Split the likelihood into sums that share no parameter: each is minimised on its own."""
    reco = any(rule.threshold is not None and rule.threshold.reco for rule in card.rules)
    groups: list[tuple[set[str], set[str]]] = []
    for term in TERMS:
        terms, names = {term}, set(places[term])
        for other in list(groups):
            if names & other[1] or (reco and "seen" in other[0] and term == "energy"):
                groups.remove(other)
                terms, names = terms | other[0], names | other[1]
        groups.append((terms, names))
    unused = set(free).difference(*places.values())
    if unused:
        message = f"card {card.name}: no formula names {', '.join(sorted(unused))}: there is nothing to fit it to"
        raise ValueError(message)
    return [
        (tuple(sorted(terms)), [name for name in free if name in names])
        for terms, names in groups
        if names
    ]
