"""Spectra that were published: contents, and covariances by source."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import hist
import numpy as np
import uhi.io.json

from forefold.events.particles import near
from forefold.matrix.contents import ERRORS, UNKNOWN, are_counts, shape_of
from forefold.matrix.formats.registry import check_settings, read_from
from forefold.matrix.json import SPECTRUM, numbered

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["PublishedSpectrum", "import_spectrum", "published", "without_errors"]

SPECTRA = ("hepdata", "root", "uhi")
_COUNTED = ("count", "counts", "event", "events", "entries", "number", "of", "per", "bin")


@dataclass(frozen=True)
class PublishedSpectrum:
    """A spectrum read from a file, with the covariance of its errors.

    Attributes
    ----------
    histogram : hist.Hist
        Spectrum whose variances are the diagonal of `covariance`; a histogram of counts is unchanged.
    covariances : dict of str to ndarray, shape (n, n)
        Covariance by label of the errors, with bins in C order; empty for counts, and for a spectrum without errors.
    notes : tuple of str
        Which errors were read, and what was changed.
    """

    histogram: hist.Hist[Any]
    covariances: dict[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> Array:
        """Contents, in C order over the axes; shape (n,)."""
        return np.asarray(self.histogram.values(), dtype=np.float64).reshape(-1)

    @property
    def covariance(self) -> Array | None:
        """Sum of `covariances`, shape (n, n); None for counts, which have Poisson errors, and for a spectrum without errors."""
        if not self.covariances:
            return None
        return np.asarray(sum(self.covariances.values()))

    def to_json(self) -> str:
        """Write as UHI JSON, which `forefold fold` and `forefold unfold` take.

        Returns
        -------
        str
            Histograms ``spectrum``, ``covariance`` and ``covariance_<label>``, over numbers of bins; one histogram of counts.
        """
        from forefold.matrix import to_json

        if self.covariance is None:
            return to_json(self.histogram)
        parts: dict[str, Any] = {SPECTRUM: self.histogram._to_uhi_()}
        parts["covariance"] = numbered(self.covariance)
        parts |= {
            f"covariance_{key}": numbered(covariance)
            for key, covariance in self.covariances.items()
        }
        return json.dumps(parts, default=uhi.io.json.default)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, shape_of(tuple(self.histogram.axes))))
        lines = [f"PublishedSpectrum of {self.values.sum():.6g} in {shape} bins"]
        for name, covariance in self.covariances.items():
            spread = np.sqrt(max(float(covariance.sum()), 0.0))
            lines.append(f"  total +- {spread:.4g} from {name}")
        lines += [f"  note: {text}" for text in self.notes]
        return "\n".join(lines)


def published(
    axes: Sequence[Any],
    values: Array,
    shifts: Mapping[str, Array],
    correlated: Sequence[str],
    words: str,
    unit: str = "",
) -> PublishedSpectrum:
    """Make a spectrum of contents and errors by label.

    Parameters
    ----------
    axes : sequence of hist axes
    values : ndarray, shape (n,)
    shifts : mapping of str to ndarray, shape (n,)
        Errors with their signs.
    correlated : sequence of str
        Labels whose errors move all bins together; those of the others are independent from bin to bin.
    words : str
        What was done to the errors.
    unit : str
        Of the contents.

    Returns
    -------
    PublishedSpectrum

    Raises
    ------
    ValueError
        If there is no such label.
    """
    correlated = [correlated] if isinstance(correlated, str) else correlated
    for label in correlated:
        if label not in shifts:
            message = f"no errors {label!r}{near(label, list(shifts))} that could be correlated; there are {', '.join(shifts) or 'none'}"
            raise ValueError(message)
    covariances = {
        label: np.outer(shift, shift) if label in correlated else np.diag(np.square(shift))
        for label, shift in shifts.items()
    }
    storage: Any = hist.storage.Weight() if covariances else hist.storage.Double()
    histogram: hist.Hist[Any] = hist.Hist(*axes, storage=storage, name=SPECTRUM)
    shape = shape_of(tuple(axes))
    view: Any = histogram.view()
    if not covariances:
        view[...] = values.reshape(shape)
        return without_errors(histogram, unit)
    view["value"] = values.reshape(shape)
    view["variance"] = np.diagonal(sum(covariances.values())).reshape(shape)
    alone = [label for label in covariances if label not in correlated]
    notes = [f"errors: {words}"]
    notes += [f"independent from bin to bin: {', '.join(alone)}"] if alone else []
    notes += [f"all bins together: {', '.join(correlated)}"] if correlated else []
    return PublishedSpectrum(histogram, covariances, tuple(notes))


def without_errors(histogram: hist.Hist[Any], unit: str = "") -> PublishedSpectrum:
    """Make a spectrum from contents without errors: either counts, which have Poisson errors, or other numbers.

    Parameters
    ----------
    histogram : hist.Hist
    unit : str
        Unit of the contents; one that is neither empty nor a word for counts means that they are no counts.

    Returns
    -------
    PublishedSpectrum
        If they are no counts, the histogram is marked, so that fits and unfolding, which need errors, refuse it.
    """
    words = re.findall(r"[a-z]+", unit.lower())
    if all(word in _COUNTED for word in words) and are_counts(histogram.values()):
        return PublishedSpectrum(
            histogram, {}, ("no errors are read: contents are taken for counts",)
        )
    vars(histogram)[ERRORS] = UNKNOWN
    why = f"in {unit}" if unit else f"which sum to {float(np.sum(histogram.values())):.4g}"
    note = f"no errors are read, and contents {why} have none by themselves: they can be folded; 'unfold' asks for covariance=, fits refuse them"
    return PublishedSpectrum(histogram, {}, (note,))


def import_spectrum(
    path: str | os.PathLike[str], format: str, **settings: Any
) -> PublishedSpectrum:
    """Read a published spectrum with its errors.

    Parameters
    ----------
    path : str or path
    format : {"hepdata", "root", "uhi"}
        A table of HEPData (YAML or JSON), a TH1, TH2 or TH3 of a ROOT file, or one histogram of UHI JSON.
    **settings
        For ``hepdata``: ``name``, the header of the dependent variable; ``errors``, labels to read (all if left out); ``correlated``, labels whose
        errors are fully correlated between bins; ``density=True`` multiplies values per unit by the widths of the bins. For ``root``: ``name`` of the
        histogram, unless `path` is ``FILE:PATH``; ``covariance``, the name of a TH2; and ``density``.

    Returns
    -------
    PublishedSpectrum
        A histogram with variances, and the covariance by label.

    Raises
    ------
    ValueError
        If the format or a setting is not known, or the file is damaged or of another format; the message names the file.
    OSError
        If it cannot be read.

    See Also
    --------
    import_matrix : for a matrix.

    Notes
    -----
    The covariances of the labels are summed. A table of HEPData does not state how errors are correlated: errors of a label are independent from bin to
    bin unless it is in `correlated`. An asymmetric error is replaced by half the difference of its sides, ``(plus - minus) / 2``, or by the larger
    side if both have the same sign.

    Examples
    --------
    >>> import forefold
    >>> table = '''{"independent_variables": [{"header": {"name": "enu", "units": "GeV"}, "values": [{"low": 0, "high": 1}, {"low": 1, "high": 3}]}],
    ... "dependent_variables": [{"header": {"name": "events"}, "values": [
    ...   {"value": 40, "errors": [{"symerror": 6, "label": "stat"}, {"asymerror": {"plus": "5%", "minus": "-5%"}, "label": "sys,flux"}]},
    ...   {"value": 60, "errors": [{"symerror": 8, "label": "stat"}, {"asymerror": {"plus": 4, "minus": -2}, "label": "sys,flux"}]}]}]}'''
    >>> with open("table.json", "w") as file:
    ...     _ = file.write(table)
    >>> spectrum = forefold.import_spectrum("table.json", "hepdata", correlated=["sys,flux"])
    >>> spectrum.covariance.round(6).tolist()
    [[40.0, 6.0], [6.0, 73.0]]
    >>> spectrum
    PublishedSpectrum of 100 in 2 bins
      total +- 10 from stat
      total +- 5 from sys,flux
      note: errors: stat, sys,flux; 1 asymmetric one made symmetric
      note: independent from bin to bin: stat
      note: all bins together: sys,flux
    """
    format = format.lower()
    if format not in SPECTRA:
        message = f"format {format!r}{near(format, list(SPECTRA))}: spectra are read from {', '.join(SPECTRA)}"
        raise ValueError(message)
    reader = import_module(f"forefold.matrix.formats.{format}").read_spectrum
    check_settings(reader, format, settings)
    spectrum: PublishedSpectrum = read_from(reader, path, format, settings)[0]
    return spectrum
