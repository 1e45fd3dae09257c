"""ROOT: a TH2D with the true axis as x and the reconstructed one as y, so that uproot reads R[true, reco].

``response`` holds probabilities with their statistical errors. ``counts`` (TH2D), ``truth``, ``fakes`` and ``background_NAME`` (TH1D)
hold the sums of weights, and are what a matrix is read back from; a file with ``response`` alone is read as probabilities.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forefold.matrix.formats.common import Exported, of_ones, one_axis
from forefold.matrix.formats.histograms import (
    contents_of,
    matrix_of,
    opened,
    optional_histogram,
    read_histogram,
    titled,
    weighted,
    write_histograms,
)
from forefold.matrix.json import BACKGROUND

if TYPE_CHECKING:
    from forefold.matrix import ResponseMatrix

__all__ = ["read", "write"]


def write(matrix: ResponseMatrix, path: str | Path, *, overwrite: bool = False) -> Exported:
    """Write histograms ``response``, ``counts``, ``truth``, ``fakes`` and ``background_NAME`` of each named background.

    Parameters
    ----------
    matrix : ResponseMatrix
        One axis on each side.
    path : str or Path
    overwrite : bool

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
    found = alone | {
        "counts": weighted((x, y), matrix.counts.values(), matrix.counts.variances(), "counts"),
        "truth": weighted((x,), matrix.truth.values(), matrix.truth.variances(), "truth"),
        **{
            name: weighted((side,), each.values(), each.variances(), name)
            for name, each in (
                ("fakes", matrix.fakes),
                *((f"{BACKGROUND}{name}", each) for name, each in matrix.backgrounds.items()),
            )
        },
    }
    write_histograms(path, found, overwrite)
    return Exported(
        (Path(path),),
        ("x is true, y is reconstructed; flow bins are not written", *of_ones(matrix)),
    )


def read(
    path: str | Path,
    *,
    name: str | None = None,
    truth: str = "truth",
    fakes: str = "fakes",
    orientation: Literal["true-x", "true-y"] = "true-x",
    true: str = "energy",
    reco: str = "energy",
) -> ResponseMatrix:
    """Read a TH2, of counts if there is a truth, else of probabilities.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        Of the TH2: ``counts`` if there is one, else ``response``.
    truth, fakes : str
        Of TH1s, if they are there: all that is true, and what is reconstructed without truth; TH1s ``background_NAME`` are named backgrounds.
        They go with counts: for `name` ``response`` they are not read.
    orientation : {"true-x", "true-y"}
        Where the true axis is.
    true, reco : str
        Names of the axes, where the titles do not say them.

    Returns
    -------
    ResponseMatrix

    Raises
    ------
    ValueError
        If histograms are missing or do not go together.
    """
    if orientation not in ("true-x", "true-y"):
        message = f"orientation {orientation!r}: true-x or true-y is possible"
        raise ValueError(message)
    with opened(path) as file:
        keys = [key.partition(";")[0] for key in file.keys()]  # noqa: SIM118 - not a dict
        chosen = name or ("counts" if "counts" in keys else "response")
        both = read_histogram(file, chosen, 2)
        total = None if chosen == "response" else optional_histogram(file, truth, 1)
        alone = None if total is None else optional_histogram(file, fakes, 1)
        named = {
            key.removeprefix(BACKGROUND): contents_of(read_histogram(file, key, 1))
            for key in ([] if total is None else keys)
            if key.startswith(BACKGROUND)
        }
    if orientation == "true-y":
        both = both.project(1, 0)
    added = None if alone is None else contents_of(alone)
    return matrix_of(both, total, added, (true, reco), named)
