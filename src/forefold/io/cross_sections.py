"""The flux-averaged total cross-section of a run: who says it, in which unit, and when it may be passed on.

With sigma as in NuHepMC 1.0.0 (G.R.5; arXiv:2310.13211, section 3.1), the cross-section of the events in a bin is
sigma times the sum of their weights over the sum of all weights. Who says it:

- NuHepMC: the run (G.C.2), or the last event, as the best estimate of the run (E.C.4);
- NuWro: the mean weight, in cm2 per nucleon (so NuHepMC/nuwro2hepmc3 takes it);
- NUISANCE: `fScaleFactor` times the sum of weights, in cm2 per nucleon (so NUISANCE's own reader of flat trees);
- GiBUU: the sum of weights, in 1e-38 cm2 per nucleon, of a run that was made once (its wiki, perWeight);
- MARLEY: the first line of ASCII files, `flux_avg_xsec` of JSON ones, in MeV^-2 per atom (its manual).

GENIE's `gst`, GHEP and rootracker do not: the cross-section of an event there is that of the interaction that was
selected, and the total of the probe on the target, of which the flux average is a harmonic mean, stands nowhere.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.io import files
from forefold.io import root as rootfile
from forefold.io import source as remote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["PB_OF_CM2", "PB_OF_PER_MEV2", "CrossSection", "column", "of_hepmc", "passed_on"]

PB_OF_CM2 = 1e36
PB_OF_PER_MEV2 = 197.3269804**2 * 1e10
"""(hbar c)^2, CODATA 2018, in MeV^2 pb: 1 fm2 is 1e10 pb."""

_TOTAL = "NuHepMC.FluxAveragedTotalCrossSection"
_UNIT = "NuHepMC.Units.CrossSection.Unit"
_SCALE = "NuHepMC.Units.CrossSection.TargetScale"
# As NuHepMC/Spec's scripts/NuHepMC_update_standard.py brings 0.9 to 1.0.0.
_SCALES = {
    "PerTarget": "PerAtom",
    "PerTargetAtom": "PerAtom",
    "PerTargetNucleon": "PerNucleon",
}
_UNITS = ("pb", "cm2", "10-38 cm2")
_TARGETS = ("PerAtom", "PerNucleon")
_SAID = re.compile(
    r"([0-9.eE+-]+?)(?:\s*\+-\s*([0-9.eE+-]+))?\s+(pb|cm2|10-38 cm2)\s+(PerAtom|PerNucleon)"
)
_MARK = b"\nA 0 GenCrossSection "
_BLOCK = 1 << 21


@dataclass(frozen=True)
class CrossSection:
    """A flux-averaged total cross-section.

    Attributes
    ----------
    value : float
        In `unit`.
    unit, target_scale : str
        As NuHepMC has them (G.R.6): ``pb``, ``10-38 cm2``, ``cm2``; ``PerAtom``, ``PerNucleon``.
    origin : str
        Who says it.
    uncertainty : float, optional
        Statistical one, in `unit`.

    Examples
    --------
    >>> from forefold.io.cross_sections import CrossSection
    >>> print(CrossSection(1.184, "pb", "PerAtom", "estimate of the last event (E.C.4)", 0.049))
    1.184 +- 0.049 pb PerAtom, estimate of the last event (E.C.4)
    """

    value: float
    unit: str
    target_scale: str
    origin: str
    uncertainty: float | None = None

    def __str__(self) -> str:
        """Lay it out as text."""
        spread = "" if self.uncertainty is None else f" +- {self.uncertainty:.6g}"
        return f"{self.value:.6g}{spread} {self.unit} {self.target_scale}, {self.origin}"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, as JSON holds them."""
        return asdict(self)

    @classmethod
    def parse(cls, text: str) -> CrossSection:
        """Read what a user says: ``VALUE [+- UNCERTAINTY] UNIT TARGET``.

        Parameters
        ----------
        text : str
            Units ``pb``, ``cm2``, ``10-38 cm2``; targets ``PerAtom``, ``PerNucleon``.

        Returns
        -------
        CrossSection

        Raises
        ------
        ValueError
            The text is something else; the message says what is allowed.

        Examples
        --------
        >>> CrossSection.parse("1.18 +- 0.02 10-38 cm2 PerNucleon").unit
        '10-38 cm2'
        """
        match = _SAID.fullmatch(text.strip())
        if match is None:
            message = (
                f"cross-section: VALUE [+- UNCERTAINTY] UNIT TARGET is expected, with UNIT {', '.join(_UNITS)} and TARGET "
                f"{', '.join(_TARGETS)}, such as '1.18 pb PerAtom'; found {text!r}"
            )
            raise ValueError(message)
        value, spread, unit, target = match.groups()
        number = _number(value)
        if not number:
            message = f"cross-section: a finite number above 0 is expected, found {value!r}"
            raise ValueError(message)
        return cls(number, unit, target, "as the user said", _number(spread))

    @classmethod
    def of(cls, facts: Any) -> CrossSection | None:
        """Take it from JSON; None if that holds none."""
        if not isinstance(facts, dict):
            return None
        value, spread = _number(facts.get("value")), _number(facts.get("uncertainty"))
        unit, scale, origin = (facts.get(name) for name in ("unit", "target_scale", "origin"))
        if not value or not all(isinstance(word, str) and word for word in (unit, scale, origin)):
            return None
        return cls(value, str(unit), str(scale), str(origin), spread)


def _number(value: Any) -> float | None:
    """Give a finite number that is not negative, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def of_hepmc(path: str, header: bytes, attributes: Mapping[str, str]) -> CrossSection | None:
    """Find what a NuHepMC file says.

    Parameters
    ----------
    path : str
        File.
    header : bytes
        What precedes its events.
    attributes : mapping of str to str
        Those of the run.

    Returns
    -------
    CrossSection or None
        None also where the unit is not said. The numbers and the unit are those of the file; the scale has the
        name that NuHepMC 1.0.0 gives it.
    """
    unit, scale = attributes.get(_UNIT, ""), attributes.get(_SCALE, "")
    if not unit or not scale:
        return None
    scale = _SCALES.get(scale, scale)
    value = _number(attributes.get(_TOTAL))
    if value:
        spread = _number(attributes.get(f"{_TOTAL}Uncertainty"))
        return CrossSection(value, unit, scale, "as the run says (G.C.2)", spread)
    if "E.C.4" not in attributes.get("NuHepMC.Conventions", "").split() or remote.is_remote(path):
        return None
    value, spread = _last_estimate(path, _place_of_cv(header))
    if not value:
        return None
    return CrossSection(value, unit, scale, "the estimate of its last event (E.C.4)", spread)


def _place_of_cv(header: bytes) -> int:
    """Tell which of the weights is CV; the first, if none is."""
    for line in header.splitlines():
        if line.startswith(b"W "):
            names = line[2:].strip().split(b"\\|")
            return names.index(b"CV") if b"CV" in names else 0
    return 0


def _last_estimate(path: str, place: int) -> tuple[float | None, float | None]:
    """Read the GenCrossSection of the last event that has one.

    HepMC3 writes value and error of the first weight, numbers of accepted and attempted events, and value and error
    of each further weight.
    """
    tail, estimate = b"", b""
    with files.decoded(path) as (content, _):
        while True:
            block, fault = files.block(content, _BLOCK)
            tail += block
            at = tail.rfind(_MARK)
            if at >= 0:
                end = tail.find(b"\n", at + len(_MARK))
                if end >= 0:
                    estimate = tail[at + len(_MARK) : end]
                else:  # the line is cut here; a whole one may precede it
                    before = tail.rfind(_MARK, 0, at)
                    if before >= 0:
                        estimate = tail[before + len(_MARK) : tail.find(b"\n", before + 1)]
            if not block or fault is not None:
                break
            tail = tail[at if at >= 0 else -len(_MARK) :]
    words = estimate.split()
    first = 0 if place == 0 else 2 + 2 * place
    if len(words) < first + 2:
        return None, None
    return _number(words[first]), _number(words[first + 1])


def column(tree: Any, name: str, path: str) -> NDArray[np.float64] | None:
    """Read a branch of numbers; None if it is missing, empty or damaged.

    That it is damaged is said when the events are read.
    """
    if name not in tree.keys():  # noqa: SIM118 - a tree is no dictionary
        return None
    try:
        with rootfile.complaints(path, name):
            branch = tree[name]
            rootfile.check_baskets(path, [branch], 0, int(tree.num_entries))
            values = np.asarray(branch.array(library="np"), dtype=np.float64)
    except (OSError, ValueError, TypeError):
        return None
    return values if values.ndim == 1 and len(values) and np.isfinite(values).all() else None


def passed_on(provenance: Mapping[str, Any]) -> tuple[CrossSection | None, str]:
    """Tell the cross-section that the events of an output stand for.

    Parameters
    ----------
    provenance : mapping
        Of the output; it or each of its ``inputs`` may have a ``cross_section``.

    Returns
    -------
    CrossSection or None, str
        None where it is unknown, and in words where it comes from or why it is unknown.

    Examples
    --------
    >>> from forefold.io.cross_sections import passed_on
    >>> passed_on({"inputs": [{"path": "numu.gst.root"}]})
    (None, 'unknown: the input does not say it')
    """
    said = CrossSection.of(provenance.get("cross_section"))
    if said is not None:
        return said, said.origin
    inputs = provenance.get("inputs")
    inputs = inputs if isinstance(inputs, list) else []
    cross_sections = [CrossSection.of(one.get("cross_section")) for one in _dicts(inputs)]
    if provenance.get("where") is not None:
        # The sum of all weights, by which one would divide, is not in the output.
        return None, "unknown: these are not all events of the input, but those of a selection"
    if not cross_sections or any(one is None for one in cross_sections):
        return None, "unknown: the input does not say it"
    stated = [one for one in cross_sections if one is not None]
    if len(set(stated)) > 1:
        return None, "unknown: the inputs say different ones"
    return stated[0], f"of the input: {stated[0].origin}"


def _dicts(values: Sequence[Any]) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else {} for one in values]
