"""SNOwGLoBES: a smearing file of a channel in a detector, and its efficiency file.

The smearing file is an ``energy`` environment of GLoBES with all columns of every row; its bins stand elsewhere, in the preamble (run mode 0:
200 of 0.5 to 100 MeV, true and detected) or the channel file (run mode 1). Efficiencies there are functions of the detected energy, so
the efficiency of a matrix, a function of the true one, stays in the columns, and the efficiency file holds ones.

References
----------
SNOwGLoBES 1.3 manual, sections "Run Mode", "Channel Files", "Detector Background and Efficiency"; its files glb/preamble.glb and
smear/.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.io.write import replace_together
from forefold.matrix.axes import parse_axis
from forefold.matrix.formats import globes_aedl as aedl
from forefold.matrix.formats.common import (
    EmptyRows,
    Exported,
    energies,
    left_out,
    named_edges,
    one_axis,
    positive_rows,
    published_matrix,
    regular,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_WHAT = "SNOwGLoBES"
_FILE = re.compile(r"smear_([A-Za-z]\w*)_([A-Za-z0-9]+)\.dat", re.ASCII)
_MODE_0 = (200, 0.0005, 0.1)


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
        One axis on each side, energies, bins of one width on each.
    path : str or Path
        Its name says channel and detector.
    unit : str, optional
        Of the axes, where their labels do not say it; SNOwGLoBES has GeV.
    empty_rows : {"stop", "lose"}
    overwrite : bool

    Returns
    -------
    Exported
        Its notes say what the channel file must.
    """
    place = Path(path)
    named = _FILE.fullmatch(place.name)
    if named is None:
        message = f"{path}: SNOwGLoBES finds files by name: smear_CHANNEL_DETECTOR.dat is needed, such as smear_nue_Ar40_ar40kt.dat"
        raise ValueError(message)
    true, reco = one_axis(matrix, _WHAT)
    edges = [energies(axis, unit, "GeV", _WHAT) for axis in (true, reco)]
    for axis, each in zip((true, reco), edges, strict=True):
        if not regular(each):
            message = f"axis {axis.name!r} has bins of several widths; SNOwGLoBES knows a number of bins, the lowest and the highest energy"
            raise ValueError(message)
    rows = positive_rows(matrix, _WHAT, empty_rows)
    smear = aedl.energy_environment(f"{named[1]}_smear", rows.T, full=True)
    beside = place.with_name(f"effic_{named[1]}_{named[2]}.dat")
    with replace_together([place, beside], overwrite) as (first, second):
        first.write_text(smear, encoding="utf-8", newline="")
        second.write_text(aedl.listed([1] * rows.shape[1]) + "\n", encoding="utf-8", newline="")
    notes = [_binning(edges), *left_out(matrix, _WHAT)]
    return Exported((place, beside), tuple(notes))


def _binning(edges: list[Array]) -> str:
    said = [(each.size - 1, float(each[0]), float(each[-1])) for each in edges]
    if all(each[0] == 200 and np.allclose(each[1:], _MODE_0[1:], rtol=1e-9) for each in said):
        return "these are the bins of run mode 0"
    columns = " ".join(f"{n} {low:.12g} {high:.12g}" for n, low, high in said)
    return f"run mode 1, columns 7 to 12 of the channel file: {columns}"


def read(path: str | Path, *, true: str | None = None, reco: str | None = None) -> ResponseMatrix:
    """Read a smearing file, with the efficiency file beside it if there is one.

    Parameters
    ----------
    path : str or Path
    true, reco : str, optional
        Axes, ``NAME=LOW:HIGH:BINS``, as the channel file says them; those of run mode 0 if left out and there are 200 bins.

    Returns
    -------
    ResponseMatrix
        Exact; efficiencies of the detected energy are in it.

    Raises
    ------
    ValueError
        If the file is none, or its bins are not known.
    """
    place = Path(path)
    _, rows = aedl.matrix_of(
        aedl.parsed(place.read_text(encoding="utf-8", errors="replace")), None, None
    )
    shape = rows.shape[::-1]
    axes: list[Any] = []
    for text, n, side, name in zip(
        (true, reco), shape, ("true", "reco"), ("enu", "energy"), strict=True
    ):
        if text is None:
            if n != _MODE_0[0]:
                message = f"the file has {n} {side} bins and does not say where; give {side}= (--{side}) as NAME=LOW:HIGH:BINS in GeV, from the channel file"
                raise ValueError(message)
            axes.append(named_edges(name, np.linspace(_MODE_0[1], _MODE_0[2], n + 1)))
        else:
            axes.append(parse_axis(text))
    named = _FILE.fullmatch(place.name)
    seen = place.with_name(place.name.replace("smear_", "effic_", 1)) if named else None
    if seen is not None and seen.exists():
        numbers = aedl.parsed("%e = " + seen.read_text(encoding="utf-8", errors="replace"))
        effic = numbers.lists.get("e", np.empty(0))
        if effic.size != shape[1]:
            message = f"{seen.name} holds {effic.size} efficiencies for {shape[1]} detected bins"
            raise ValueError(message)
        rows = rows * effic[:, None]
    return published_matrix(rows.T, axes[0], axes[1])
