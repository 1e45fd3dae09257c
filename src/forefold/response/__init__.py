"""Responses: P(observed | true), with an efficiency of at most one.

A `Response` answers three questions: `~Response.efficiency` (is it detected?), `~Response.cdf` with `~Response.pdf` and `~Response.ppf` (where is it
seen?), and `~Response.sample` (one draw from given uniforms). `~Response.then` puts one after the other, `~Response.matrix` gives
the exact matrix of a binning.

>>> from forefold.response.distributions import LogNormal
>>> from forefold.response import Smear
>>> detector = Smear(LogNormal(), sigma=lambda energy: 0.3 * energy**0.5, efficiency=0.9)
>>> print(detector)
Response from 2 uniforms a draw
  seen with efficiency 0.9
  observed as LogNormal()
  about the true value
  with sigma = <lambda>(true)
>>> matrix = detector.matrix([1.0, 2.0, 4.0], [0.0, 1.0, 2.0, 4.0])
>>> matrix.values().round(4).tolist()
[[0.1251, 0.6455, 0.1293], [0.0, 0.0853, 0.7178]]
>>> matrix.values(flow=True).sum(axis=1).round(12).tolist()
[0.9, 0.9]
"""

from __future__ import annotations

from forefold.response.base import Response
from forefold.response.composition import Composition
from forefold.response.registry import registered
from forefold.response.smear import Identity, Smear
from forefold.response.smear_values import smear_values

__all__ = ["Composition", "Identity", "Response", "Smear", "registered", "smear_values"]
