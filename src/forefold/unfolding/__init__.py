"""Unfolding: from what a detector saw back to the truth, and how far to believe it.

Which method is for what, with its paper, is in the docstring of `unfold`.
"""

from __future__ import annotations

from forefold.unfolding.closure import Closure, closure
from forefold.unfolding.methods import METHODS
from forefold.unfolding.result import Unfolded
from forefold.unfolding.solution import Scan
from forefold.unfolding.uncertainty import multinomial
from forefold.unfolding.unfold import unfold

__all__ = ["METHODS", "Closure", "Scan", "Unfolded", "closure", "multinomial", "unfold"]


def __dir__() -> list[str]:
    return __all__
