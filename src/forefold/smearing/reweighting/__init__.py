"""From one detector to another without a draw: likelihood ratios of smeared events, and their derivatives.

`reweight` gives the weights that turn a sample that one card gave into that of another card; `scores` the derivatives with respect to
the card's parameters.
"""

from __future__ import annotations

from forefold.smearing.reweighting.derivatives import scores
from forefold.smearing.reweighting.weights import Weights, reweight

__all__ = ["Weights", "reweight", "scores"]
