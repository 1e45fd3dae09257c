"""From data to parameters: predictions, toys, fits, intervals and upper limits.

Which method is for what, with its paper, is in the docstring of `Experiment`; counting experiments have exact functions of their own.

>>> from forefold.inference import feldman_cousins, poisson_upper_limit
>>> round(poisson_upper_limit(0), 3)
2.996
>>> [round(end, 2) for end in feldman_cousins(1)]
[0.11, 4.36]
"""

from __future__ import annotations

from forefold.inference.counting import poisson_interval, poisson_upper_limit
from forefold.inference.expected_limit import ExpectedLimit
from forefold.inference.experiment import Coverage, Experiment
from forefold.inference.feldman_cousins import bounded_normal_interval, feldman_cousins, sensitivity
from forefold.inference.intervals import Interval
from forefold.inference.limits import Limit
from forefold.inference.parameters import Parameter
from forefold.inference.result import FitResult

__all__ = [
    "Coverage",
    "ExpectedLimit",
    "Experiment",
    "FitResult",
    "Interval",
    "Limit",
    "Parameter",
    "bounded_normal_interval",
    "feldman_cousins",
    "poisson_interval",
    "poisson_upper_limit",
    "sensitivity",
]


def __dir__() -> list[str]:
    return __all__
