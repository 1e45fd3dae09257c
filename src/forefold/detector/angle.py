"""How a direction is smeared."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from forefold.detector.values import Degrees, Scatter, Strict, Word

__all__ = ["Angle"]

_ALLOWED = {
    "polar": ("normal",),
    "independent": ("normal",),
    "space": ("rayleigh", "half-normal", "von-mises-fisher"),
    "none": ("none",),
    "cosine": ("truncated-normal",),
}


class Angle(Strict):
    """How a direction is smeared.

    ``polar``: the polar angle to the incident particle gets a one-dimensional Gaussian of ``sigma_deg`` degrees,
    the azimuth is kept; beyond the poles the direction goes over to the other side. ``independent``: the azimuth
    gets a Gaussian of ``sigma_phi_deg`` too. ``space``: the direction is turned by a space angle, at a uniform azimuth
    about itself: ``rayleigh`` (a Gaussian of ``sigma_deg`` in each of two transverse directions), ``half-normal``, or
    ``von-mises-fisher`` (concentration 1/sigma^2). ``cosine``: the cosine of the polar angle gets a Gaussian of
    ``sigma_cos_theta``, cut to -1 to 1 by the inverse of its cdf (nothing is thrown again); the azimuth is kept. ``none``: kept.
    """

    convention: Literal["polar", "independent", "space", "none", "cosine"]
    distribution: Literal[
        "normal", "rayleigh", "half-normal", "von-mises-fisher", "none", "truncated-normal"
    ]
    sigma_deg: Degrees | None = None
    sigma_phi_deg: Degrees | None = None
    sigma_cos_theta: Scatter | None = None
    source: Word | None = None

    @model_validator(mode="after")
    def _fits(self) -> Angle:
        allowed = _ALLOWED[self.convention]
        if self.distribution not in allowed:
            message = f"convention {self.convention!r} goes with distribution {' or '.join(map(repr, allowed))}"
            raise ValueError(message)
        if (self.sigma_cos_theta is not None) != (self.convention == "cosine"):
            message = "sigma_cos_theta goes with convention 'cosine', and only with it"
            raise ValueError(message)
        if (self.convention in {"none", "cosine"}) == (self.sigma_deg is not None):
            message = "give sigma_deg, unless the convention is 'none' or 'cosine'"
            raise ValueError(message)
        if (self.sigma_phi_deg is not None) != (self.convention == "independent"):
            message = "sigma_phi_deg goes with convention 'independent', and only with it"
            raise ValueError(message)
        return self
