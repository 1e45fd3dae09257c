"""Unfolding: from what a detector saw back to the truth, and how far to believe it.

Which method is for what, with its paper, is in the docstring of `unfold`.
"""

from __future__ import annotations

from forefold.unfolding.front import unfold
from forefold.unfolding.methods import METHODS
from forefold.unfolding.result import Unfolded
from forefold.unfolding.solution import Scan
from forefold.unfolding.study import Closure, closure
from forefold.unfolding.uncertainty import multinomial

__all__ = ["METHODS", "Closure", "Scan", "Unfolded", "closure", "multinomial", "unfold"]


def __dir__() -> list[str]:
    return __all__
