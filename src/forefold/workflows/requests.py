"""Histograms that may be asked for, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import awkward as ak
    import hist

    from forefold.detector.load import Card
    from forefold.smearing.variations import Variations

__all__ = ["NAMES", "Request"]

NAMES = ("energy", "energy-by-type", "angle", "angle-by-type", "resolution")
"""Histograms that there are."""


@dataclass(frozen=True)
class Request:
    """A histogram to fill: ``energy``, ``angle`` (each also ``-by-type``) or ``resolution``.

    Attributes
    ----------
    name : str
    cc_only : bool
        Charged-current events only.
    include_lost : bool
        See `forefold.angle_matrix`.
    bins : int or None
    range : tuple of float or None
        GeV or degrees; None is the histogram's own.
    """

    name: str
    cc_only: bool = False
    include_lost: bool = False
    bins: int | None = None
    range: tuple[float, float] | None = None

    @classmethod
    def named(cls, request: str | Request) -> Request:
        """Take a name for a request.

        Raises
        ------
        ValueError
            If there is no such histogram.
        """
        if isinstance(request, cls):
            return request
        if request not in NAMES:
            msg = f"unknown histogram {request!r}; known are {', '.join(NAMES)}"
            raise ValueError(msg)
        return cls(str(request))

    @classmethod
    def of_dict(cls, facts: Mapping[str, Any]) -> Request:
        """Make it from what `to_dict` gave."""
        span = facts["range"]
        return cls(**{**facts, "range": None if span is None else (span[0], span[1])})

    def to_dict(self) -> dict[str, Any]:
        """As JSON would hold it."""
        return asdict(self)

    def of(self, smeared: ak.Array, card: Card) -> hist.Hist[Any]:
        """Fill it with one piece."""
        from forefold.matrix import angle_matrix, energy_matrix, resolution_matrix

        split = card if self.name.endswith("-by-type") else None
        if self.name == "resolution":
            return resolution_matrix(smeared, card, cc_only=self.cc_only, **self._axes)
        if self.name.startswith("angle"):
            options = {"include_lost": self.include_lost, **self._axes}
            return angle_matrix(smeared, split, cc_only=self.cc_only, **options)
        return energy_matrix(smeared, split, cc_only=self.cc_only, **self._axes)

    def of_variations(self, varied: Variations, card: Card) -> hist.Hist[Any]:
        """Fill it with one piece, nominal and varied."""
        from forefold.matrix import varied_energy_matrix, varied_matrix

        if self.name != "energy":
            return varied_matrix(varied, lambda smeared: self.of(smeared, card))
        return varied_energy_matrix(varied, cc_only=self.cc_only, **self._axes)

    @property
    def _axes(self) -> dict[str, Any]:
        given = {"bins": self.bins, "range": self.range}
        return {key: value for key, value in given.items() if value is not None}
