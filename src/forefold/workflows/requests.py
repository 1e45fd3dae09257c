"""Histograms that may be asked for, as data."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import awkward as ak
    import hist

    from forefold.detector.load import Card
    from forefold.events.definitions import Definitions
    from forefold.events.selection import BackgroundCondition, Selection
    from forefold.matrix import ResponseMatrix
    from forefold.matrix.axes import AxesLike
    from forefold.matrix.contents import Contents
    from forefold.smearing.variations import Variations
    from forefold.workflows.job import Recipe

__all__ = ["NAMES", "AnyRequest", "MatrixRequest", "Request", "request_of"]

Smeared: TypeAlias = "ak.Array | Variations"
AnyRequest: TypeAlias = "Request | MatrixRequest"

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
    def named(cls, request: str | AnyRequest) -> AnyRequest:
        """Take a name for a request.

        Raises
        ------
        ValueError
            If there is no such histogram.
        """
        if not isinstance(request, str):
            return request
        if request not in NAMES:
            msg = f"unknown histogram {request!r}; known are {', '.join(NAMES)}"
            raise ValueError(msg)
        return cls(request)

    @classmethod
    def of_dict(cls, facts: Mapping[str, Any]) -> Request:
        """Make it from what `to_dict` gave."""
        span = facts["range"]
        return cls(**{**facts, "range": None if span is None else (span[0], span[1])})

    def to_dict(self) -> dict[str, Any]:
        """As JSON would hold it."""
        return asdict(self)

    def fill(self, recipe: Recipe, events: ak.Array, smeared: Smeared) -> list[hist.Hist[Any]]:
        """Fill it with one piece, nominal or varied; of a selection, with what is selected."""
        from forefold.matrix import varied_energy_matrix, varied_matrix
        from forefold.smearing.variations import Variations

        if not isinstance(smeared, Variations):
            return [self.of(recipe.selected(events, smeared), recipe.card, recipe.select)]
        if self.name != "energy" or recipe.select is not None:
            return [
                varied_matrix(
                    smeared,
                    lambda one: self.of(recipe.selected(events, one), recipe.card, recipe.select),
                )
            ]
        return [varied_energy_matrix(smeared, cc_only=self.cc_only, **self._axes)]

    def count(self, names: Sequence[str]) -> int:  # noqa: ARG002
        """Give how many histograms `fill` gives: one, whatever varies."""
        return 1

    def result(
        self,
        filled: Sequence[hist.Hist[Any]],
        names: Sequence[str],  # noqa: ARG002
        select: str | None = None,
    ) -> hist.Hist[Any]:
        """Give what was asked for of the sums of what `fill` gave; a selection that keeps nothing is warned of."""
        (histogram,) = filled
        if select is not None and not np.any(histogram.values(flow=True)):
            message = f"no event is selected: select {select!r} is true of none"
            warnings.warn(message, UserWarning, stacklevel=2)
        return histogram

    def of(self, smeared: ak.Array, card: Card, select: str | None = None) -> hist.Hist[Any]:
        """Fill it with one piece, which was selected by a condition or not at all."""
        histogram = self._of(smeared, card)
        if select is not None:
            histogram.__dict__["forefold_select"] = select
        return histogram

    def _of(self, smeared: ak.Array, card: Card) -> hist.Hist[Any]:
        from forefold.matrix import angle_matrix, energy_matrix, resolution_matrix

        split = card if self.name.endswith("-by-type") else None
        if self.name == "resolution":
            return resolution_matrix(smeared, card, cc_only=self.cc_only, **self._axes)
        if self.name.startswith("angle"):
            options = {"include_lost": self.include_lost, **self._axes}
            return angle_matrix(smeared, split, cc_only=self.cc_only, **options)
        return energy_matrix(smeared, split, cc_only=self.cc_only, **self._axes)

    @property
    def _axes(self) -> dict[str, Any]:
        settings = {"bins": self.bins, "range": self.range}
        return {key: value for key, value in settings.items() if value is not None}


@dataclass(frozen=True)
class MatrixRequest:
    """A response matrix to fill, or one a variation; made by `made`.

    Attributes
    ----------
    true, reco : tuple of hist axes
    of, weight, signal, background, define, draws, replicas
        See `forefold.ResponseMatrix.from_events`. What is selected is said by the recipe.
    """

    true: tuple[Any, ...]
    reco: tuple[Any, ...]
    of: str | None = None
    weight: str | None = "weight"
    signal: str | None = None
    background: Mapping[str, str] = field(default_factory=dict)
    define: Mapping[str, str] = field(default_factory=dict)
    draws: int = 1
    replicas: int = 0

    @classmethod
    def made(
        cls,
        true: AxesLike,
        reco: AxesLike = None,
        *,
        signal: str | Selection | None = None,
        background: Mapping[str, str | BackgroundCondition] | None = None,
        define: Definitions | Mapping[str, str] | Iterable[str] | None = None,
        **settings: Any,
    ) -> MatrixRequest:
        """Make one of axes and conditions as `forefold.ResponseMatrix.from_events` takes them.

        Raises
        ------
        ValueError
            What is asked for cannot be filled; it is said before a file is opened.

        Examples
        --------
        >>> request = MatrixRequest.made("enu=0:6:3", signal="cc", background={"neutral": "nc"})
        >>> request_of(request.to_dict()) == request
        True
        """
        from forefold.events.definitions import definitions_of
        from forefold.events.selection import backgrounds_of, selection_of
        from forefold.matrix.axes import side_axes

        sides = side_axes(true, "true")
        others = side_axes(sides if reco is None else reco, "reco")
        own = definitions_of(define)
        named = {
            name: condition.text for name, condition in backgrounds_of(background, own).items()
        }
        text = None if signal is None else selection_of(signal, own).text
        request = cls(sides, others, signal=text, background=named, define=own.texts, **settings)
        request.contents_of([])  # what is wrong with it is said here
        return request

    @classmethod
    def of_dict(cls, facts: Mapping[str, Any]) -> MatrixRequest:
        """Make it from what `to_dict` gave."""
        from forefold.matrix.axes import axis_of

        sides = {side: tuple(map(axis_of, facts[side])) for side in ("true", "reco")}
        return cls(**{**facts, **sides})

    def to_dict(self) -> dict[str, Any]:
        """As JSON would hold it."""
        from forefold.matrix.axes import axis_facts

        sides = {
            side: [axis_facts(axis) for axis in getattr(self, side)] for side in ("true", "reco")
        }
        rest = ("of", "weight", "signal", "draws", "replicas")
        facts = {name: getattr(self, name) for name in rest}
        names = {name: dict(getattr(self, name)) for name in ("background", "define")}
        return {**sides, **facts, **names}

    def contents_of(
        self,
        pieces: Iterable[tuple[ak.Array | None, Sequence[ak.Array]]],
        recipe: Recipe | None = None,
    ) -> Contents:
        """Fill the contents of a matrix with pieces of events and of what is reconstructed of them, one a draw."""
        from forefold.matrix.entries import fill_from_events

        return fill_from_events(
            pieces,
            true=self.true,
            reco=self.reco,
            of=self.of,
            weight=self.weight,
            signal=self.signal,
            select=None if recipe is None else recipe.select,
            background=self.background,
            define=self.define,
            draws=self.draws,
            replicas=self.replicas,
            rng=0 if recipe is None else recipe.rng,
        )

    def fill(self, recipe: Recipe, events: ak.Array, smeared: Smeared) -> list[hist.Hist[Any]]:
        """Fill its histograms with one piece, those of every variation one after the other."""
        from forefold.matrix.json import histograms_of
        from forefold.smearing.variations import Variations

        if isinstance(smeared, Variations):
            several = [[smeared[name]] for name in smeared]
        else:
            several = [[smeared, *(recipe.draw(events, k) for k in range(1, self.draws))]]
        filled = [self.contents_of([(events, draws)], recipe) for draws in several]
        return [histogram for held in filled for histogram in histograms_of(held).values()]

    def count(self, names: Sequence[str]) -> int:
        """Give how many histograms `fill` gives, with these variations."""
        return len(self._parts()) * (1 + len(names))

    def _parts(self) -> list[str]:
        from forefold.matrix.json import histograms_of

        return list(histograms_of(self.contents_of([])))

    def result(
        self,
        filled: Sequence[hist.Hist[Any]],
        names: Sequence[str],
        select: str | None = None,  # noqa: ARG002 - the matrix knows it
    ) -> dict[str, ResponseMatrix]:
        """Make matrices of the sums of what `fill` gave, ``"nominal"`` first, then variations by name."""
        from forefold.matrix import ResponseMatrix
        from forefold.matrix.contents import warn_of_nothing
        from forefold.matrix.json import NOMINAL, contents_of_histograms

        parts = self._parts()
        contents = {}
        for k, name in enumerate((NOMINAL, *names)):
            own = filled[k * len(parts) : (k + 1) * len(parts)]
            contents[name] = contents_of_histograms(dict(zip(parts, own, strict=True)))
        warn_of_nothing(contents[NOMINAL])
        return {name: ResponseMatrix(held) for name, held in contents.items()}


def request_of(facts: Mapping[str, Any]) -> Request | MatrixRequest:
    """Make a request from what its `to_dict` gave."""
    return MatrixRequest.of_dict(facts) if "true" in facts else Request.of_dict(facts)
