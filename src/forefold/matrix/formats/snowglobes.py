"""SNOwGLoBES: a smearing file of a channel in a detector, and its efficiency file.

The smearing file is an ``energy`` environment of GLoBES with all columns of every row; its bins stand elsewhere, in the preamble (run mode 0:
200 of 0.5 to 100 MeV, true and detected) or the channel file (run mode 1, such as coherent scattering: 200, too, and detected energies up to
10 keV). Efficiencies there are functions of the detected energy, so the efficiency of a matrix, a function of the true one, stays in the
columns, and the efficiency file holds ones.

References
----------
SNOwGLoBES 1.3 manual, sections "Run Mode", "Channel Files", "Detector Background and Efficiency"; its files glb/preamble.glb, channels/,
smear/ and effic/.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.events.particles import near
from forefold.io.files import expand
from forefold.io.write import replace_together
from forefold.matrix.axes import edges_of, parse_axis
from forefold.matrix.formats import globes_aedl as aedl
from forefold.matrix.formats.common import (
    EmptyRows,
    Exported,
    energies,
    left_out,
    one_axis,
    positive_rows,
    published_matrix,
    regular,
)
from forefold.matrix.formats.globes import efficiencies as globes_efficiencies
from forefold.matrix.formats.globes_rows import (
    check_probabilities,
    energy_environment,
    listed,
    matrix_of,
)
from forefold.matrix.formats.globes_tokens import Sources

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_WHAT = "SNOwGLoBES"
_FILE = re.compile(r"smear_([A-Za-z]\w*)_([A-Za-z0-9]+)\.dat", re.ASCII)
_MODE_0 = (200, 0.0005, 0.1)
_WORDS = 12  # of a line of a channel file that says the bins of its channel


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    unit: str | None = None,
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write ``smear_CHANNEL_DETECTOR.dat``, and beside it ``effic_CHANNEL_DETECTOR.dat``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis of energy on each side, each with bins of equal width.
    path : str or Path
        File named ``smear_CHANNEL_DETECTOR.dat``.
    unit : str, optional
        Unit of the axes, if their labels do not end in it; SNOwGLoBES uses GeV.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
        Its notes give the binning that the channel file must state.
    """
    place = Path(path)
    named = _FILE.fullmatch(place.name)
    if named is None:
        message = f"{path}: SNOwGLoBES finds files by name: smear_CHANNEL_DETECTOR.dat is needed, such as smear_nue_Ar40_ar40kt.dat"
        raise ValueError(message)
    true, reco = one_axis(matrix, _WHAT)
    edges = [energies(axis, unit, "GeV", _WHAT) for axis in (true, reco)]
    for axis, axis_edges in zip((true, reco), edges, strict=True):
        if not regular(axis_edges):
            message = f"axis {axis.name!r} has bins of several widths; SNOwGLoBES knows a number of bins, the lowest and the highest energy"
            raise ValueError(message)
    rows = positive_rows(matrix, _WHAT, empty_rows)
    smear = energy_environment(f"{named[1]}_smear", rows.T, full=True)
    beside = place.with_name(f"effic_{named[1]}_{named[2]}.dat")
    with replace_together([place, beside], overwrite) as (first, second):
        first.write_text(smear, encoding="utf-8", newline="")
        second.write_text(listed([1] * rows.shape[1]) + "\n", encoding="utf-8", newline="")
    notes = [_binning(edges), *left_out(matrix, _WHAT)]
    return Exported((place, beside), tuple(notes))


def _binning(edges: list[Array]) -> str:
    said = [
        (axis_edges.size - 1, float(axis_edges[0]), float(axis_edges[-1])) for axis_edges in edges
    ]
    if all(
        binning[0] == 200 and np.allclose(binning[1:], _MODE_0[1:], rtol=1e-9) for binning in said
    ):
        return "these are the bins of run mode 0"
    columns = " ".join(f"{n} {low:.12g} {high:.12g}" for n, low, high in said)
    return f"run mode 1, columns 7 to 12 of the channel file: {columns}"


def read(
    path: str | Path,
    *,
    true: str = "enu",
    reco: str = "energy",
    run_mode: int | None = None,
    channels: str | Path | None = None,
    efficiencies: str | Path | None = None,
) -> ResponseMatrix:
    """Read a smearing file and its efficiency file.

    Parameters
    ----------
    path : str or Path
    true, reco : str
        Axes, ``NAME=LOW:HIGH:BINS`` in GeV; or only their names, if `run_mode` or `channels` gives the bins.
    run_mode : {0}, optional
        Run mode 0 means 200 bins from 0.5 to 100 MeV on both sides.
    channels : str or Path, optional
        The channel file, which states the bins in run mode 1.
    efficiencies : str or Path, optional
        The efficiency file, or "none" for efficiencies of 1. If left out, it is ``effic_CHANNEL_DETECTOR.dat`` beside `path`, or in a folder ``effic``
        where `path` is in ``smear``: of the detector's name (SNOwGLoBES 1.3) or not (1.2).

    Returns
    -------
    ResponseMatrix
        Without uncertainties; multiplied by the efficiencies, which depend on the reconstructed energy.

    Raises
    ------
    ValueError
        If it is no smearing file, or its bins are not given; 200 bins alone do not imply run mode 0.

    Warns
    -----
    UserWarning
        If there is no efficiency file, and efficiencies are taken as 1.
    """
    place = Path(path)
    content = aedl.defined(Sources(place).tokens())
    name, cells = matrix_of(content, None, None)
    stated = _stated_bins(run_mode, channels, name.removesuffix("_smear"))
    if stated is None and not ("=" in true and "=" in reco):
        message = (
            f"the file has {cells.shape[1]} true and {cells.shape[0]} detected bins, and does not say where they stand (those of coherent scattering are "
            "200, too, and end at 10 keV): channels= (--channels FILE) takes them from the channel file, run_mode=0 (--run-mode 0) takes "
            "0.5 to 100 MeV on both sides, true= and reco= (--true, --reco NAME=LOW:HIGH:BINS in GeV) say them"
        )
        raise ValueError(message)
    axes: list[Any] = []
    for side, text, n in (("true", true, cells.shape[1]), ("reco", reco, cells.shape[0])):
        axis: Any = parse_axis(text) if "=" in text else _variable(text, (stated or {})[side])
        if len(axis) != n:
            message = f"the file has {n} {side} bins, and {len(axis)} were said, from {axis.edges[0]:g} to {axis.edges[-1]:g} GeV"
            raise ValueError(message)
        axes.append(axis)
    check_probabilities(name, content.matrices[name], cells, edges_of(axes[0]))
    efficiency, notes = _efficiencies(place, efficiencies, cells.shape[0])
    return published_matrix(cells.T * efficiency, axes[0], axes[1], notes=notes)


def _variable(name: str, bins: tuple[int, float, float]) -> Any:
    n, low, high = bins
    return parse_axis(f"{name}={low!r}:{high!r}:{n}")


def _stated_bins(
    run_mode: int | None, channels: str | Path | None, channel: str
) -> dict[str, tuple[int, float, float]] | None:
    """Give number, lower and upper limit of the bins of both sides, as the run mode or the channel file says them."""
    if run_mode is None and channels is None:
        return None
    if run_mode is not None and channels is not None:
        message = "run_mode and channels (--run-mode, --channels): give one of them"
        raise ValueError(message)
    if channels is None:
        if run_mode != 0:
            message = f"run_mode {run_mode!r}: 0 is possible; the bins of run mode 1 are in the channel file, channels= (--channels FILE)"
            raise ValueError(message)
        return {"true": _MODE_0, "reco": _MODE_0}
    (place,) = expand(channels)
    head: list[str] = []
    names = []
    for number, line in enumerate(
        Path(place).read_text(encoding="utf-8", errors="replace").splitlines(), 1
    ):
        words = line.split()
        if words and words[0] == "%":
            head = words[1:]
            continue
        named = words[1:2] if len(words) == _WORDS else words[:1]
        names += named
        if named == [channel]:
            bins = words[-6:] if len(words) == _WORDS else head
            where = f"{place}, line {number}"
            if not bins:
                message = f"{where}: no bins of channel {channel!r}; a channel file of run mode 0: run_mode=0 (--run-mode 0)"
                raise ValueError(message)
            return _numbers(bins, where)
    message = f"{place}: no channel {channel!r}{near(channel, names)}; there are: {', '.join(names) or 'none'}"
    raise ValueError(message)


def _numbers(words: list[str], where: str) -> dict[str, tuple[int, float, float]]:
    try:
        n, low, high, m, first, last = (float(word) for word in words)
        good = n == int(n) and m == int(m)
    except (ValueError, OverflowError):
        good = False
    if not good:
        message = f"{where}: bins are six numbers, BINS LOW HIGH of true and of detected energies, not {' '.join(words)[:80]!r}"
        raise ValueError(message)
    return {"true": (int(n), low, high), "reco": (int(m), first, last)}


def _efficiencies(place: Path, efficiencies: str | Path | None, n: int) -> tuple[Array, list[str]]:
    """Give efficiencies of detected bins, and where they are from."""
    if efficiencies is not None and str(efficiencies) == "none":
        return np.ones(n), []
    if efficiencies is not None:
        (name,) = expand(efficiencies)
        return _read_efficiencies(Path(name), n), [f"efficiency from {Path(name).name}"]
    name = place.name.replace("smear_", "effic_", 1)
    folder = place.absolute().parent
    candidates = [
        place.with_name(name),
        folder.parent / "effic" / name,
        folder.parent.parent / "effic" / folder.name / name,
    ]
    there = [path for path in candidates if name != place.name and path.is_file()]
    if not there:
        words = (
            f"no efficiency file {name} beside it, nor in effic/ or effic/{folder.name}/ beside smear/: efficiencies of 1 are taken; "
            "efficiencies= (--efficiencies FILE, or none) says which"
        )
        warnings.warn(words, stacklevel=5)
        return np.ones(n), [words]
    values = [_read_efficiencies(path, n) for path in there]
    if any(not np.array_equal(other, values[0]) for other in values):
        message = f"efficiency files differ: {', '.join(map(str, there))}; efficiencies= (--efficiencies FILE) says which one"
        raise ValueError(message)
    return values[0], [f"efficiency from {os.path.relpath(there[0], folder)}"]


def _read_efficiencies(path: Path, n: int) -> Array:
    """Read a list in braces."""
    try:
        rows = aedl.defined(Sources(path).tokens(), bare="effic").matrices.get("effic", [])
    except ValueError as error:
        message = f"{path.name}: {error}"
        raise ValueError(message) from None
    if len(rows) != 1:
        message = f"{path.name}: one list of efficiencies in braces is needed"
        raise ValueError(message)
    return globes_efficiencies(rows[0].values, n, path.name)
