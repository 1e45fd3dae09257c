"""Cards to be fitted: the parameters of a card are what is free, and formulas say where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from forefold.detector import Card
from forefold.detector.identification import known_particles
from forefold.events import particles as species

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Template"]

_ENERGY: dict[str, tuple[float, tuple[float, float]]] = {
    "constant": (0.1, (0.0, 10.0)),
    "stochastic": (0.1, (0.0, 10.0)),
    "noise": (0.02, (0.0, 10.0)),
    "sigma": (0.1, (0.0, 1e3)),
    "scale": (1.0, (0.05, 20.0)),
    "offset": (0.0, (-100.0, 100.0)),
    "alpha_low": (1.5, (0.05, 20.0)),
    "n_low": (3.0, (1.01, 100.0)),
    "alpha_high": (1.5, (0.05, 20.0)),
    "n_high": (3.0, (1.01, 100.0)),
}
_TAIL = {"tail_fraction": (0.1, (0.0, 0.5)), "tail_constant": (0.5, (0.0, 10.0))}
_TAIL |= {"tail_scale": (1.0, (0.05, 20.0))}
_EFFICIENCY: dict[str, tuple[float, tuple[float, float]]] = {
    "efficiency": (0.9, (0.0, 1.0)),
    "midpoint": (0.1, (0.0, 1e3)),
    "turnon": (0.05, (1e-6, 1e3)),
}
_ANGLE: dict[str, tuple[float, tuple[float, float]]] = {
    "angle": (5.0, (0.0, 360.0)),
    "scattering": (1.0, (0.0, 360.0)),
}
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ALL = {**_ENERGY, **_TAIL, **_EFFICIENCY, **_ANGLE, "threshold": (0.0, (0.0, 1e3))}
_OF = ("total", "kinetic", "visible", "momentum", "inverse-momentum")
_DISTRIBUTIONS = ("log-normal", "normal", "truncated-normal", "crystal-ball", "uniform")
_SUMS = ("quadrature", "linear")
_CURVES = ("none", "constant", "turn-on")
_ANGLES = ("none", "polar", "rayleigh", "half-normal", "von-mises-fisher")


@dataclass(frozen=True)
class Template:
    """A card of one rule that is to be fitted.

    Attributes
    ----------
    particles : tuple of str or int
        That the rule is for.
    of : str
        What is smeared, as in a card: ``total``, ``kinetic``, ``momentum``, ...
    distribution : {"log-normal", "normal", "truncated-normal", "crystal-ball", "uniform"}
        As in a card; for others give a card as the template.
    free : tuple of str
        Terms of the energy that are fitted: ``constant``, ``stochastic``, ``noise`` (or ``sigma``, GeV), ``scale``,
        ``offset``, the shape of a Crystal Ball function (``alpha_low``, ``n_low``, ``alpha_high``, ``n_high``), and for a
        second, wider component ``tail_fraction``, ``tail_constant``, ``tail_scale``.
    sum : {"quadrature", "linear"}
        How the terms of the width are joined.
    efficiency : {"none", "constant", "turn-on"}
        ``constant``: a number ``efficiency``; ``turn-on``: efficiency / (1 + exp(-(KE - midpoint)/turnon)).
    threshold : bool
        Whether a sharp threshold on the true kinetic energy is looked for.
    angle : {"none", "polar", "rayleigh", "half-normal", "von-mises-fisher"}
        Of a width ``angle`` degrees, with ``scattering`` in `free` in quadrature with scattering/(p/GeV).
    start : mapping of str to float
        Values to begin with; of terms that are not free, the values that stay.
    name : str
        Of the card.
    label : str
        What names of parameters begin with; made from the first particle if it is empty.

    Examples
    --------
    >>> card = Template(("mu-", "mu+"), free=("constant", "scale"), efficiency="constant").card()
    >>> card.rules[0].energy.constant, card.rules[0].efficiency
    ('mu_constant', 'mu_efficiency')
    """

    particles: tuple[str | int, ...]
    of: str = "total"
    distribution: str = "log-normal"
    free: tuple[str, ...] = ("constant", "stochastic")
    sum: str = "quadrature"
    efficiency: str = "none"
    threshold: bool = False
    angle: str = "none"
    start: Mapping[str, float] = field(default_factory=dict)
    name: str = "fitted"
    label: str = ""

    def __post_init__(self) -> None:
        allowed = {*_ENERGY, *_TAIL, "scattering"}
        for term in self.free:
            if term not in allowed:
                message = f"unknown term {term!r}{species.near(term, sorted(allowed))}; allowed: "
                message += ", ".join(sorted(allowed))
                raise ValueError(message)
        for key in self.start:
            if key not in _ALL:
                message = f"start: unknown term {key!r}{species.near(key, list(_ALL))}; allowed: "
                message += ", ".join(_ALL)
                raise ValueError(message)
        for what, value, choices in (
            ("of", self.of, _OF),
            ("distribution", self.distribution, _DISTRIBUTIONS),
            ("sum", self.sum, _SUMS),
            ("efficiency", self.efficiency, _CURVES),
            ("angle", self.angle, _ANGLES),
        ):
            if value not in choices:
                message = f"{what}: found {value!r}{species.near(value, list(choices))}; allowed: {', '.join(choices)}"
                raise ValueError(message)
        if not re.fullmatch(_NAME, self.name):
            message = f"name: found {self.name!r}; letters, digits, '.', '_' and '-' are allowed, a letter or digit first"
            raise ValueError(message)
        if not self.particles:
            message = "particles: at least one name, class or PDG identifier is needed"
            raise ValueError(message)
        known_particles(self.particles)

    @property
    def prefix(self) -> str:
        """What names of parameters begin with."""
        word = self.label or re.sub(r"\W+", "_", str(self.particles[0])).strip("_")
        return word if re.match(r"[A-Za-z_]", word) else f"pdg_{word}"

    def card(self) -> Card:
        """Make the card.

        Raises
        ------
        ValueError
            It does not keep to the schema.
        """
        free: list[str] = []
        rule: dict[str, Any] = {
            "name": self.prefix,
            "type": self.prefix,
            "particles": list(self.particles),
            "source": "fit",
            "energy": self._energy(free),
            "angle": self._angle(free),
        }
        if self.threshold:
            free.append("threshold")
            rule["threshold"] = {"formula": f"KE >= {self.prefix}_threshold"}
        if self.efficiency != "none":
            rule["efficiency"] = self._efficiency(free)
        rules = [rule] if self.particles == ("other",) else [rule, _REST]
        said = {
            "schema": 1,
            "name": self.name,
            "title": f"fitted: {', '.join(map(str, self.particles))}",
            "not_smeared": ["pseudo-particle"],
            "sources": {"fit": "to be fitted", "none": "nothing is known of these"},
            "parameters": {f"{self.prefix}_{key}": self._parameter(key) for key in free},
            "rule": rules,
        }
        if len(rules) == 1:
            del said["sources"]["none"]  # type: ignore[attr-defined]
        try:
            return Card.model_validate(said)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            message = f"template: {first['msg'].removeprefix('Value error, ')}"
            raise ValueError(message) from None

    def _parameter(self, key: str) -> dict[str, Any]:
        value, limits = _ALL[key]
        return {"value": float(self.start.get(key, value)), "limits": limits, "source": "fit"}

    def _term(self, key: str, free: list[str]) -> str | float:
        if key in self.free or key in {*_EFFICIENCY, "angle"}:
            free.append(key)
            return f"{self.prefix}_{key}"
        return float(self.start[key])

    def _energy(self, free: list[str]) -> dict[str, Any]:
        terms = [key for key in _ENERGY if key in self.free or key in self.start]
        common = {"of": self.of, "distribution": self.distribution, "sum": self.sum}
        energy: dict[str, Any] = {**common, **{key: self._term(key, free) for key in terms}}
        if "tail_fraction" not in self.free and "tail_fraction" not in self.start:
            return energy
        weight = self._term("tail_fraction", free)
        tail: dict[str, Any] = {**common, "weight": weight}
        for key in ("constant", "scale"):
            name = f"tail_{key}"
            if name in self.free or name in self.start:
                tail[key] = self._term(name, free)
        if "offset" in energy:
            tail["offset"] = energy["offset"]
        return {"distribution": "mixture", "parts": [tail, energy]}

    def _efficiency(self, free: list[str]) -> str:
        plateau = self._term("efficiency", free)
        if self.efficiency == "constant":
            return str(plateau)
        at, width = (self._term(key, free) for key in ("midpoint", "turnon"))
        return f"{plateau} / (1 + exp(-(KE - {at}) / {width}))"

    def _angle(self, free: list[str]) -> dict[str, Any]:
        if self.angle == "none":
            return {"convention": "none", "distribution": "none"}
        width = self._term("angle", free)
        if "scattering" in self.free:
            width = f"sqrt({width}**2 + ({self._term('scattering', free)} / p)**2)"
        if self.angle == "polar":
            return {"convention": "polar", "distribution": "normal", "sigma_deg": width}
        return {"convention": "space", "distribution": self.angle, "sigma_deg": width}


_REST = {
    "name": "not fitted",
    "type": "other",
    "particles": ["other"],
    "source": "none",
    "efficiency": 0.0,
    "energy": {"of": "total", "distribution": "none"},
    "angle": {"convention": "none", "distribution": "none"},
}
