"""What a fit gives: a card, with how well it is known and how well it describes the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold.detector import Card
from forefold.detector.toml import card_toml
from forefold.matrix.statistics import correlations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.inference.card_fit.goodness import Goodness

__all__ = ["Fit", "fitted_card"]

_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Fit:
    """A card that was fitted.

    Attributes
    ----------
    card : Card
        With the fitted values, their uncertainties and correlations.
    names : tuple of str
        Parameters that were free, in the order of `covariance`.
    values, uncertainties : dict of str to float
        Of these, and of a threshold that was looked for.
    covariance : ndarray, shape (n, n)
    goodness : dict of str to Goodness
        ``seen``, ``energy`` and ``angle`` of pairs, or ``matrix``.
    minus_log_likelihood : float
    size : int
        Particles that were fitted.
    far : int
        Of these (or of the cells of a matrix), those to which the card gives no probability: it cannot be right about them.
    valid : bool
        Whether a minimum was found and its curvature is known.
    source : str
        The data.
    trouble : str
        Why it is not valid.
    at_limit : tuple of str
        Parameters that went to one of their limits; they have no uncertainty (NaN).
    """

    card: Card
    names: tuple[str, ...]
    values: dict[str, float]
    uncertainties: dict[str, float]
    covariance: NDArray[np.float64]
    goodness: dict[str, Goodness]
    minus_log_likelihood: float
    size: int
    far: int
    valid: bool
    source: str
    trouble: str = ""
    at_limit: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether a minimum was found, and every particle (or cell) has a probability there."""
        return self.valid and not self.far

    @property
    def warnings(self) -> list[str]:
        """What is to be known before the numbers are used, a sentence each."""
        sentences = (
            []
            if self.valid
            else [f"no minimum was found: do not use these numbers ({self.trouble})"]
        )
        if self.far:
            sentences.append(
                f"{self.far} of {self.size:,} are where the card gives no probability: it cannot be right about them, "
                "and the fit does not see them"
            )
        sentences += [
            f"{name} is at its limit {self.values[name]:.6g}: it has no uncertainty, and those of the others hold for this value"
            for name in self.at_limit
        ]
        return sentences

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation matrix, shape (n, n)."""
        return correlations(self.covariance, np.nan)

    @property
    def toml(self) -> str:
        """The card as text."""
        return card_toml(self.card)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain lists and dicts."""
        return {
            "card": self.card.name,
            "source": self.source,
            "valid": self.valid,
            "size": self.size,
            "far": self.far,
            "minus_log_likelihood": self.minus_log_likelihood,
            "parameters": {
                name: {
                    "value": value,
                    "uncertainty": _or_none(self.uncertainties[name]),
                    "at_limit": name in self.at_limit,
                }
                for name, value in self.values.items()
            },
            "warnings": self.warnings,
            "names": list(self.names),
            "covariance": [[_or_none(value) for value in row] for row in self.covariance.tolist()],
            "goodness": {
                key: {"chi2": g.chi2, "ndf": g.ndf, "p_value": g.p_value}
                for key, g in self.goodness.items()
            },
        }

    def __str__(self) -> str:
        """Values, correlations and chi2."""
        lines = [f"{self.card.name}: {self.size:,} particles of {self.source}"]
        lines += [f"  {text}" for text in self.warnings]
        width = max(map(len, self.values))
        lines += [
            f"  {name:<{width}}  {value:12.6g} {self._spread(name)}"
            for name, value in self.values.items()
        ]
        matrix = self.correlation
        for i, name in enumerate(self.names):
            cells = [f"{c:6.2f}" if np.isfinite(c) else f"{'-':>6}" for c in matrix[i, : i + 1]]
            more = len(self.names) > 1
            lines += [f"  correlation {name:<{width}} {' '.join(cells)}"] if more else []
        lines += [f"  {key}: {test}" for key, test in self.goodness.items()]
        return "\n".join(lines)

    def _spread(self, name: str) -> str:
        """How well a value is known, in words."""
        if name in self.at_limit:
            return "at limit"
        width = self.uncertainties[name]
        return f"+- {width:.2g}" if np.isfinite(width) else "+- unknown"


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def fitted_card(
    card: Card,
    widths: dict[str, float],
    names: list[str],
    covariance: NDArray[np.float64],
    source: str,
    goodness: dict[str, Goodness],
) -> Card:
    """Write what was found into the card.

    Parameters
    ----------
    card : Card
        With the fitted values.
    widths : dict of str to float
        Uncertainties.
    names : list of str
        Order of the covariance.
    covariance : ndarray, shape (n, n)
    source : str
        The data.
    goodness : dict of str to Goodness

    Returns
    -------
    Card
    """
    said = card.model_dump(by_alias=True, exclude_defaults=True)
    said["sources"]["fit"] = f"fitted to {source}, by forefold {__version__}"
    tests = "; ".join(f"{key}: {value}" for key, value in goodness.items())
    before = said.get("description", "").strip()
    said["description"] = f"{before}\nGoodness of the fit: {tests}.".strip()
    for name, width in widths.items():
        block = said["parameters"][name]
        block["source"] = "fit"
        if np.isfinite(width):
            block["uncertainty"] = float(width)
        else:
            block.pop("uncertainty", None)
    if "correlations" in Card.model_fields:
        said["correlation"] = _correlations(names, covariance)
    return Card.model_validate(said)


def _correlations(names: list[str], covariance: NDArray[np.float64]) -> list[dict[str, Any]]:
    matrix = correlations(covariance, np.nan)
    return [
        {
            "parameters": [names[j], names[i]],
            "value": round(float(matrix[i, j]), _DIGITS),
            "source": "fit",
        }
        for i in range(len(names))
        for j in range(i)
        if np.isfinite(matrix[i, j]) and round(float(matrix[i, j]), _DIGITS) != 0.0
    ]
