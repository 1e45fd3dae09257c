"""ROOT: a TH2D with the true axis as x and the reconstructed one as y, so that uproot reads R[true, reco].

``response`` holds probabilities with their statistical errors. ``counts`` (TH2D), ``truth``, ``fakes`` and ``background_NAME`` (TH1D)
hold the sums of weights, and are what a matrix is read back from; a file with ``response`` alone is read as probabilities.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import hist
import numpy as np

from forefold.matrix.formats.common import Exported, one_axis, unit_truth_note
from forefold.matrix.formats.hepdata_tables import axis_name
from forefold.matrix.formats.histograms import (
    contents_of,
    matrix_of,
    only_th1,
    opened,
    optional_histogram,
    read_histogram,
    titled,
    weighted,
    write_histograms,
)
from forefold.matrix.formats.spectra import PublishedSpectrum, published
from forefold.matrix.json import BACKGROUND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "read_spectrum", "write"]

_EVEN = 1e-9  # of the largest number of a covariance


def write(matrix: ResponseMatrix, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write histograms ``response``, ``counts``, ``truth``, ``fakes`` and ``background_NAME`` of each named background.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side.
    path : str or Path
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Exported
    """
    true, reco = one_axis(matrix, "a TH2")
    x, y = titled(true, "xaxis"), titled(reco, "yaxis")
    side = titled(reco, "xaxis")
    alone = {"response": weighted((x, y), matrix.matrix, matrix.variance, "R[true, reco]")}
    if matrix.errors_given:
        write_histograms(path, alone, overwrite)
        return Exported(
            (Path(path),), ("x is true, y is reconstructed; probabilities with errors",)
        )
    histograms = alone | {
        "counts": weighted((x, y), matrix.counts.values(), matrix.counts.variances(), "counts"),
        "truth": weighted((x,), matrix.truth.values(), matrix.truth.variances(), "truth"),
        **{
            name: weighted((side,), histogram.values(), histogram.variances(), name)
            for name, histogram in (
                ("fakes", matrix.fakes),
                *(
                    (f"{BACKGROUND}{name}", histogram)
                    for name, histogram in matrix.backgrounds.items()
                ),
            )
        },
    }
    write_histograms(path, histograms, overwrite)
    return Exported(
        (Path(path),),
        ("x is true, y is reconstructed; flow bins are not written", *unit_truth_note(matrix)),
    )


def read(
    path: str | Path,
    *,
    name: str | None = None,
    truth: str = "truth",
    fakes: str = "fakes",
    orientation: Literal["true-x", "true-y"] = "true-x",
    true: str = "",
    reco: str = "",
    smearing: bool = False,
) -> ResponseMatrix:
    """Read a TH2, of counts if there is a truth, else of probabilities, or of an additional smearing matrix.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        Name of the TH2; if left out, the one that ``FILE:PATH`` names, or ``counts`` if there is one, else ``response``.
    truth, fakes : str
        Names of TH1s of all true events and of the fakes, which are read if they are there; TH1s ``background_NAME`` become named backgrounds.
        They belong to counts: with `name` ``response`` they are not read.
    orientation : {"true-x", "true-y"}
        Whether x or y is the true axis.
    true, reco : str
        Names of the axes; if left out, those in their titles, or "energy".
    smearing : bool
        The TH2 is an additional smearing matrix A_C, whose rows are no probabilities; a TH2 with negative contents and without truth is always taken for one.

    Returns
    -------
    ResponseMatrix

    Raises
    ------
    ValueError
        If histograms are missing or their axes do not fit.
    """
    if orientation not in ("true-x", "true-y"):
        message = f"orientation {orientation!r}: true-x or true-y is possible"
        raise ValueError(message)
    with opened(path) as (file, inside):
        name = name or inside or None
        keys = [key.partition(";")[0] for key in file.keys()]  # noqa: SIM118 - not a dict
        chosen = name or ("counts" if "counts" in keys else "response")
        both = read_histogram(file, chosen, 2)
        alone = chosen == "response" or smearing
        total = None if alone else optional_histogram(file, truth, 1)
        beside = None if total is None else optional_histogram(file, fakes, 1)
        named = {
            key.removeprefix(BACKGROUND): contents_of(read_histogram(file, key, 1))
            for key in ([] if total is None else keys)
            if key.startswith(BACKGROUND)
        }
    if orientation == "true-y":
        both = both.project(1, 0)
    added = None if beside is None else contents_of(beside)
    return matrix_of(both, total, added, (true, reco), named, smearing=smearing)


def read_spectrum(
    path: str | Path,
    *,
    name: str | None = None,
    covariance: str | None = None,
    density: bool = False,
) -> PublishedSpectrum:
    """Read a TH1, TH2 or TH3 as a spectrum: a flux, data, a true spectrum; see `forefold.import_spectrum`.

    Parameters
    ----------
    path : str or Path
        A file, or ``FILE:PATH``.
    name : str, optional
        Name of the histogram; if left out, the one that ``FILE:PATH`` names, or the only TH1.
    covariance : str, optional
        Name of a TH2 in the same file or folder with the covariance of all bins, which replaces the errors of the histogram.
    density : bool
        Contents are densities: they and their errors are multiplied by the widths of the bins.

    Returns
    -------
    PublishedSpectrum

    Raises
    ------
    ValueError
        If there is no such histogram, contents or errors are not finite, or the shape of the covariance does not fit.
    """
    with opened(path) as (folder, inside):
        chosen = name or inside
        chosen = chosen or only_th1(folder)
        histogram = read_histogram(folder, chosen, "123")
        beside = None if covariance is None else read_histogram(folder, covariance, 2)
        unit = _unit_of_contents(folder[chosen])
    whole = None if beside is None else np.asarray(beside.values(), dtype=np.float64)
    return _spectrum(histogram, whole, unit, covariance or "", density)


def _spectrum(
    histogram: Any, whole: Array | None, unit: str, label: str, density: bool
) -> PublishedSpectrum:
    """Make a spectrum of a histogram of a file."""
    axes = [_axis(axis) for axis in histogram.axes]
    widths = np.ones(1)
    for axis in axes:
        widths = np.multiply.outer(widths, np.diff(axis.edges)).reshape(-1)
    factor = widths if density else np.ones(widths.size)
    unit = unit.partition("/")[0] if density else unit
    values = np.asarray(histogram.values(), dtype=np.float64).reshape(-1) * factor
    variances = None
    if histogram.storage_type is hist.storage.Weight:
        variances = np.asarray(histogram.variances(), dtype=np.float64).reshape(-1) * factor**2
    for what, array in (("contents", values), ("squared errors", variances)):
        if array is not None and not np.all(np.isfinite(array)):
            message = f"{what} of bin {int(np.argmin(np.isfinite(array)))} are not finite"
            raise ValueError(message)
    if whole is not None:
        return _with_covariance(axes, values, whole * np.outer(factor, factor), label)
    if variances is None:
        return published(axes, values, {}, (), "", unit)
    spectrum = published(
        axes, values, {"errors": np.sqrt(variances)}, (), "of the bins of the histogram"
    )
    if np.array_equal(values, variances):
        # as counts have them
        return replace(spectrum, covariances={}, notes=("errors are those of counts, √N",))
    return spectrum


def _with_covariance(axes: list[Any], values: Array, whole: Array, label: str) -> PublishedSpectrum:
    """Give a spectrum the covariance that is published beside it."""
    n = values.size
    if whole.shape != (n, n):
        message = f"covariance {label!r} has {' x '.join(map(str, whole.shape))} bins; {n} x {n} go with the spectrum"
        raise ValueError(message)
    uneven = np.abs(whole - whole.T) > _EVEN * np.abs(whole).max(initial=0.0)
    if not np.all(np.isfinite(whole)) or uneven.any() or np.any(np.diagonal(whole) < 0.0):
        message = f"covariance {label!r} is none: finite, symmetric numbers without negative variances are needed"
        raise ValueError(message)
    spectrum = published(axes, values, {label: np.sqrt(np.diagonal(whole))}, (), "")
    notes = (f"covariance {label}, in place of errors of bins",)
    return replace(spectrum, covariances={label: 0.5 * (whole + whole.T)}, notes=notes)


def _axis(axis: Any) -> Any:
    """Make an axis of one of a file; its title is the label, and without its unit the name."""
    title = axis.label or ""
    own = axis_name(title.partition("[")[0]) if title.strip() else ""
    return hist.axis.Variable(np.asarray(axis.edges, dtype=np.float64), name=own, label=title)


def _unit_of_contents(histogram: Any) -> str:
    """Give what stands in brackets at the end of the title of the axis of contents."""
    place = ("fYaxis", "fZaxis")[len(histogram.axes) - 1 :][:1]
    title = str(histogram.member(place[0]).member("fTitle")) if place else ""
    match = re.search(r"\[([^\]]*)\]\s*$", title)
    return match[1] if match else ""
