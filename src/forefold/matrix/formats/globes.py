"""GLoBES: a manual smearing matrix in AEDL, ready to include.

Rows of ``@energy`` are reconstructed bins and columns sampling points, that is true bins, both counted from 0; each row says the first
and the last column that it has numbers for. Columns sum to 1, and the efficiency stands beside, as pre-smearing efficiencies.

References
----------
P. Huber, J. Kopp, M. Lindner, W. Winter, GLoBES user's and experiment definition manual, sections "Introduction to the syntax of
AEDL" and "Manual energy smearing"; hep-ph/0407333, hep-ph/0701187.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from forefold._about import __version__
from forefold.io.write import write_text_aside
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
    shares,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_MOST = 500  # that $bins and $sampling_points take; lists of widths take more
_WHAT = "GLoBES"


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    name: str = "response",
    unit: str | None = None,
    efficiency: Literal["pre", "inside"] = "pre",
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write a file to include in a ``.glb``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side, energies.
    path : str or Path
    name : str
        Of the ``energy`` environment; the list of efficiencies is ``%NAME_efficiency``.
    unit : str, optional
        Of the axes, where their labels do not say it; GLoBES has GeV.
    efficiency : {"pre", "inside"}
        In a list for ``@pre_smearing_efficiencies``, and columns sum to 1; or columns sum to the efficiency.
    empty_rows : {"stop", "lose"}
    overwrite : bool

    Returns
    -------
    Exported
    """
    if efficiency not in ("pre", "inside"):
        message = f"efficiency {efficiency!r}: pre or inside is possible"
        raise ValueError(message)
    label = aedl.name_of(name)
    true, reco = one_axis(matrix, _WHAT)
    sampling, bins = (energies(axis, unit, "GeV", _WHAT) for axis in (true, reco))
    rows = positive_rows(matrix, _WHAT, empty_rows)
    share, seen = shares(rows)
    beside = efficiency == "pre"
    rows = share if beside else rows
    n, m = matrix.matrix.shape
    about = (
        f"{n} sampling points ({true.name}), {m} bins ({reco.name}); made by forefold {__version__}"
    )
    text = [
        f"/* {about} */",
        *_bins("bins", "binsize", "emin", "emax", bins),
        *_bins("sampling_points", "sampling_stepsize", "sampling_min", "sampling_max", sampling),
    ]
    if beside:
        text += [
            f"/* for channels: @pre_smearing_efficiencies = copy(%{label}_efficiency) */",
            f"%{label}_efficiency = {aedl.listed(seen)}",
        ]
    write_text_aside(
        path, "\n".join(text) + "\n" + aedl.energy_environment(label, rows.T), overwrite=overwrite
    )
    notes = left_out(matrix, _WHAT)
    if beside:
        notes.insert(
            0, f"give channels of #{label}: @pre_smearing_efficiencies = copy(%{label}_efficiency)"
        )
    return Exported((Path(path),), tuple(notes))


def _bins(count: str, widths: str, low: str, high: str, edges: Array) -> list[str]:
    lines = [f"${low} = {float(edges[0])!r}", f"${high} = {float(edges[-1])!r}"]
    if regular(edges) and edges.size - 1 <= _MOST:
        return [f"${count} = {edges.size - 1}", *lines]
    return [*lines, f"${widths} = {aedl.listed(np.diff(edges))}"]


def read(
    path: str | Path, *, name: str | None = None, true: str = "enu", reco: str = "energy"
) -> ResponseMatrix:
    """Read a smearing matrix of a ``.glb`` or an included file, with its bins.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        Of the ``energy`` environment, where there are several.
    true, reco : str
        Names of the axes.

    Returns
    -------
    ResponseMatrix
        Exact; with the efficiency ``%NAME_efficiency`` if the file has that list.

    Raises
    ------
    ValueError
        If the file has no such matrix, no bins, or they do not go together.
    """
    found = aedl.parsed(Path(path).read_text(encoding="utf-8", errors="replace"))
    bins = _edges(found, "bins", "binsize", "emin", "emax", None)
    sampling = _edges(
        found, "sampling_points", "sampling_stepsize", "sampling_min", "sampling_max", bins
    )
    label, rows = aedl.matrix_of(found, name, sampling.size - 1)
    if rows.shape[0] != bins.size - 1:
        message = f"energy(#{label}) has {rows.shape[0]} rows for {bins.size - 1} bins"
        raise ValueError(message)
    seen = found.lists.get(f"{label}_efficiency")
    return published_matrix(
        rows.T, named_edges(true, sampling), named_edges(reco, bins), efficiency=seen
    )


def _edges(
    found: aedl.Definitions, count: str, widths: str, low: str, high: str, default: Array | None
) -> Array:
    """Give edges; the sampling ones are the bins' where the file does not say them."""
    scalars = found.scalars
    if default is not None and not {count, widths, low, high} & set(scalars):
        return default
    first = _value(scalars, low, None if default is None else default[0])
    if widths in scalars:
        try:
            steps = np.array([float(part) for part in scalars[widths].strip("{}").split(",")])
        except ValueError:
            message = f"${widths}: a list of numbers is needed"
            raise ValueError(message) from None
        if not np.all(np.isfinite(steps) & (steps > 0.0)):
            message = f"${widths}: widths above 0 are needed"
            raise ValueError(message)
        return np.asarray(first + np.concatenate([[0.0], np.cumsum(steps)]))
    last = _value(scalars, high, None if default is None else default[-1])
    n = _value(scalars, count, None if default is None else default.size - 1)
    if not (0 < n <= aedl.LARGEST and n == int(n) and first < last):
        message = f"${count} = {n:g} from ${low} = {first:g} to ${high} = {last:g}: 1 to {aedl.LARGEST} bins, the lower limit first, are needed"
        raise ValueError(message)
    return np.linspace(first, last, int(n) + 1)


def _value(scalars: dict[str, str], name: str, default: float | None) -> float:
    if name not in scalars:
        if default is not None:
            return float(default)
        known = ", ".join(f"${each}" for each in scalars) or "none"
        message = (
            f"${name} is missing (found: {known}); bins are $bins or $binsize with $emin and $emax"
        )
        raise ValueError(message)
    try:
        value = float(scalars[name])
    except ValueError:
        message = (
            f"${name} = {scalars[name][:40]}: a number is needed; expressions are not evaluated"
        )
        raise ValueError(message) from None
    if not np.isfinite(value):
        message = f"${name} = {value}: a finite number is needed"
        raise ValueError(message)
    return value
