"""GLoBES: smearing matrices written in AEDL to be included, and read from published experiments.

Rows of ``@energy`` are reconstructed bins and columns sampling points, that is true bins, both counted from 0; each row says the first
and the last column that it has numbers for. Columns sum to 1, and the efficiency stands beside, as pre-smearing efficiencies.

References
----------
P. Huber, J. Kopp, M. Lindner, W. Winter, GLoBES user's and experiment definition manual, sections "Introduction to the syntax of
AEDL" and "Manual energy smearing"; hep-ph/0407333, hep-ph/0701187.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forefold._about import __version__
from forefold.events.particles import near
from forefold.io.write import write_text_aside
from forefold.matrix.axes import edges_of, parse_axis
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
from forefold.matrix.formats.globes_rows import (
    check_probabilities,
    energy_environment,
    listed,
    matrix_of,
    name_of,
)
from forefold.matrix.formats.globes_tokens import Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["efficiencies", "read", "write"]

_MOST = 500  # that $bins and $sampling_points take; lists of widths take more
_SAME_BINS = 1e-9  # of the range
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
    """Write a matrix as AEDL, to be included in a ``.glb``.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side, energies.
    path : str or Path
    name : str
        Name of the ``energy`` environment; the list of efficiencies is ``%NAME_efficiency``.
    unit : str, optional
        Unit of the axes, if their labels do not end in it; GLoBES uses GeV.
    efficiency : {"pre", "inside"}
        ``"pre"`` writes efficiencies as a list for ``@pre_smearing_efficiencies``, and columns sum to 1; with ``"inside"`` columns sum to the efficiency.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
    """
    if efficiency not in ("pre", "inside"):
        message = f"efficiency {efficiency!r}: pre or inside is possible"
        raise ValueError(message)
    label = name_of(name)
    true, reco = one_axis(matrix, _WHAT)
    sampling, bins = (energies(axis, unit, "GeV", _WHAT) for axis in (true, reco))
    rows = positive_rows(matrix, _WHAT, empty_rows)
    share, row_efficiencies = shares(rows)
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
            f"%{label}_efficiency = {listed(row_efficiencies)}",
        ]
    write_text_aside(
        path,
        "\n".join(text) + "\n" + energy_environment(label, rows.T),
        overwrite=overwrite,
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
    return [*lines, f"${widths} = {listed(np.diff(edges))}"]


def read(
    path: str | Path,
    *,
    name: str | None = None,
    channel: str | None = None,
    true: str = "enu",
    reco: str = "energy",
    base: str | Path | None = None,
    constants: Mapping[str, float] | None = None,
) -> ResponseMatrix:
    """Read a smearing matrix of a ``.glb``, or of a file that one includes.

    Parameters
    ----------
    path : str or Path
        The file; files that it includes are read as well.
    name : str, optional
        Name of the ``energy`` environment; needed if there are several.
    channel : str, optional
        Name of a channel, instead of `name`: its matrix is read, with its efficiencies before and after the smearing.
    true, reco : str
        Names of the axes; or axes such as ``NAME=LOW:HIGH:BINS`` in GeV, if the files do not define the bins.
    base : str or Path, optional
        Folder in which included files are looked for, and outside of which none is read; that of `path` if left out.
    constants : mapping of str to float, optional
        Values of constants that the files use but do not define.

    Returns
    -------
    ResponseMatrix
        Without uncertainties; multiplied by the efficiency ``%NAME_efficiency`` if the files have that list.

    Raises
    ------
    ValueError
        If there is no such matrix or channel, or the bins are missing or do not fit; the message says file and line.

    Warns
    -----
    UserWarning
        If channels apply efficiencies to the matrix, which are only read with `channel`.
    """
    place = Path(path)
    sources = Sources(place, None if base is None else Path(base))
    content = aedl.defined(sources.tokens(), constants, bare=_bare_name(place))
    fields, pre, post = _of_channel(content, channel, name)
    true_axis, sampling = _axis(true, "--true", content.settings, aedl.sampling_edges)
    reco_axis, bins = _axis(reco, "--reco", content.settings, aedl.bin_edges)
    label, elements = matrix_of(content, fields[5] if fields else name, sampling.size - 1)
    rows = content.matrices[label]
    if len(rows) != bins.size - 1:
        message = f"{rows[0].place}: energy(#{label}) has {len(rows)} rows for {bins.size - 1} bins"
        raise ValueError(message)
    check_probabilities(label, rows, elements, sampling)
    assumed = ""
    if channel is None:
        pre = content.lists.get(f"{label}_efficiency")
        assumed = "" if pre is not None else _without(content, label)
    if assumed:
        warnings.warn(assumed, stacklevel=4)
    where = f"channel(#{channel})" if channel else f"%{label}_efficiency"
    before = efficiencies(pre, sampling.size - 1, f"{where}, before the smearing")
    after = efficiencies(post, bins.size - 1, f"{where}, after it")
    notes = [assumed] if assumed else []
    return published_matrix(
        elements.T * after, true_axis, reco_axis, efficiency=before, notes=notes
    )


def _bare_name(path: Path) -> str:
    """Name a matrix whose rows stand in no environment after its file."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in path.stem) or "_"


def efficiencies(values: Any, n: int, where: str) -> Array:
    """Check efficiencies of a file; ones if it has none.

    Raises
    ------
    ValueError
        If they are not `n` numbers from 0 to 1.
    """
    if values is None:
        return np.ones(n)
    if not isinstance(values, np.ndarray) or values.size != n:
        message = f"{where}: {np.size(values)} efficiencies for {n} bins"
        raise ValueError(message)
    bad = (values < 0.0) | (values > 1.0)
    if bad.any():
        k = int(np.argmax(bad))
        message = f"{where}: efficiency {k} is {values[k]:g}; 0 to 1 is possible"
        raise ValueError(message)
    return np.asarray(values)


def _of_channel(
    content: aedl.Definitions, channel: str | None, name: str | None
) -> tuple[list[str], Any, Any]:
    """Give the six fields of a channel, and its efficiencies before and after the smearing."""
    if channel is None:
        return [], None, None
    if name is not None:
        message = (
            "name and channel (--name, --channel): give one of them; a channel says its matrix"
        )
        raise ValueError(message)
    channels = content.environments["channel"]
    if channel not in channels or "channel" not in channels[channel]:
        names = ", ".join(channels) or "none"
        message = f"no channel {channel!r}{near(channel, channels)}; there are: {names}"
        raise ValueError(message)
    of = channels[channel]
    backgrounds = [
        f"@{key}" for key in ("pre_smearing_background", "post_smearing_background") if key in of
    ]
    if backgrounds:
        message = f"channel(#{channel}): {' and '.join(backgrounds)} is no part of a response, and is left out"
        warnings.warn(message, stacklevel=5)
    return (
        of["channel"],
        of.get("pre_smearing_efficiencies"),
        of.get("post_smearing_efficiencies"),
    )


def _without(content: aedl.Definitions, label: str) -> str:
    """Say which channels have efficiencies for a matrix."""
    names = [
        name
        for name, of in content.environments["channel"].items()
        if of.get("channel", [""])[-1] == label
        and {"pre_smearing_efficiencies", "post_smearing_efficiencies"} & set(of)
    ]
    if not names:
        return ""
    return (
        f"energy(#{label}) alone: efficiencies of channels that use it ({', '.join(names)}) are taken as 1; "
        "channel= (--channel) takes a channel with them"
    )


def _axis(
    text: str, option: str, settings: Mapping[str, Any], own: Callable[[Mapping[str, Any]], Array]
) -> tuple[Any, Array]:
    """Give an axis and its edges: those that were asked for, if the files have no others."""
    if "=" not in text:
        edges = own(settings)
        return named_edges(text, edges), edges
    axis = parse_axis(text)
    edges = edges_of(axis)
    try:
        theirs = own(settings)
    except ValueError:
        return axis, edges
    if theirs.size != edges.size or np.any(
        np.abs(theirs - edges) > _SAME_BINS * (edges[-1] - edges[0])
    ):
        message = (
            f"{option} {text}: the files say {theirs.size - 1} bins from {theirs[0]:g} to {theirs[-1]:g} GeV; "
            f"give {option} NAME alone"
        )
        raise ValueError(message)
    return axis, edges
