"""Histograms of a matrix as ROOT files hold them: shared by the plain layout and RooUnfold's."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold.events.particles import near
from forefold.io.source import parted, printable, size
from forefold.io.write import replace_aside
from forefold.matrix import ResponseMatrix
from forefold.matrix.formats.common import published_matrix
from forefold.matrix.formats.hepdata_tables import axis_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Histogram = hist.Hist[Any]

__all__ = [
    "contents_of",
    "matrix_of",
    "only_th1",
    "opened",
    "optional_histogram",
    "plain",
    "read_histogram",
    "titled",
    "weighted",
    "write_histograms",
]

_TH1 = re.compile(r"TH1[A-Z]")
_MOST = 1.5  # of a row: more are no probabilities that were rounded
_TITLE = re.compile(r"\s*([A-Za-z]\w*?)_(true|reco)\b", re.ASCII)


def titled(axis: Any, name: str) -> Any:
    """Make an axis for a file: its title says the name, and the unit in brackets."""
    unit = re.search(r"\[[^\]]*\]\s*$", axis.label or "")
    label = axis.name + (f" {unit[0].strip()}" if unit else "")
    return hist.axis.Variable(np.asarray(axis.edges), name=name, label=label)


def weighted(axes: tuple[Any, ...], values: Any, variances: Any, title: str) -> Histogram:
    """Make a weighted histogram of contents without flow."""
    histogram: Histogram = hist.Hist(*axes, storage=hist.storage.Weight(), label=title)
    view: Any = histogram.view()
    view["value"], view["variance"] = values, variances
    return histogram


def write_histograms(
    path: str | Path, histograms: Mapping[str, Histogram], overwrite: bool
) -> None:
    """Write histograms to a ROOT file, whole or not at all."""
    import uproot

    with replace_aside(path, overwrite=overwrite) as aside, uproot.recreate(aside) as file:
        for name, histogram in histograms.items():
            file[name] = histogram


class _RootFileError(ValueError):
    """What is said already in words."""


@contextmanager
def opened(path: str | Path) -> Iterator[tuple[Any, str]]:
    """Open a ROOT file; what is wrong with it is one line.

    Parameters
    ----------
    path : str or Path
        A file, or ``FILE:PATH`` for a folder or a histogram in it.

    Yields
    ------
    folder, name : directory of uproot, str
        `name` is that of the histogram that `path` names, or empty.
    """
    import uproot

    front, inside = parted(str(path))
    try:
        with uproot.open({front: None}) as file:
            held, said = size(front), file.file.fEND
            if 0 < held < said:
                message = f"the ROOT file is cut short: {held} of {said} bytes"
                raise _RootFileError(message)
            kinds = {key.partition(";")[0]: kind for key, kind in file.classnames().items()}
            if inside and kinds.get(inside, "").startswith("TDirectory"):
                yield file[inside], ""
            elif inside.rpartition("/")[0] in kinds:
                above, _, name = inside.rpartition("/")
                yield file[above], name
            else:
                yield file, inside
    except (_RootFileError, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # noqa: BLE001 - damage may raise anything in a decompressor or a streamer
        words = str(error).strip().splitlines() or [type(error).__name__]
        message = f"not a ROOT file that can be read: {words[0]}"
        raise ValueError(message) from None


def only_th1(folder: Any) -> str:
    """Give the name of the one-dimensional histogram of a folder that has one.

    Raises
    ------
    ValueError
        If it has none or several.
    """
    kinds = folder.classnames(recursive=False).items()
    names = [str(k).partition(";")[0] for k, kind in kinds if _TH1.fullmatch(kind)]
    unique = list(dict.fromkeys(names))
    if len(unique) != 1:
        listed = ", ".join(unique[:10]) or "none"
        message = f"{len(unique)} TH1s: {printable(listed)}; say which histogram is meant: FILE:PATH, or name= (--name)"
        raise _RootFileError(message)
    return unique[0]


def optional_histogram(file: Any, name: str, dimensions: int) -> Histogram | None:
    """Read a histogram of a ROOT file if there is one of this name; see `read_histogram`."""
    there = name in {key.partition(";")[0] for key in file.classnames()}
    return read_histogram(file, name, dimensions) if there else None


def read_histogram(file: Any, name: str, dimensions: int | str) -> Histogram:
    """Read a histogram of a ROOT file as one of hist; `dimensions` may be several, such as ``"123"``.

    Raises
    ------
    ValueError
        If there is none of this name, or it is something else.
    """
    keys = {key.partition(";")[0]: kind for key, kind in file.classnames().items()}
    if name not in keys:
        listed = ", ".join(f"{key} ({kind})" for key, kind in keys.items()) or "nothing"
        message = (
            f"no histogram {name!r}{near(name, keys)}; the file holds {printable(listed)[:300]}"
        )
        raise _RootFileError(message)
    if not re.fullmatch(rf"TH[{dimensions}][A-Z]", keys[name]):
        message = f"{name!r} is a {keys[name]}; a {' or '.join(f'TH{n}' for n in str(dimensions))} is needed"
        if keys[name].startswith("RooUnfold"):
            message += (
                " (write the histograms of a RooUnfoldResponse: Hresponse, Hmeasured, Htruth)"
            )
        raise _RootFileError(message)
    histogram: Histogram = file[name].to_hist()
    return histogram


def plain(axis: Any, fallback: str, side: str) -> Any:
    """Make an axis of one of a file: the name that is asked for, or that its title says; the title is the label, if forefold did not write it."""
    title = (axis.label or "").strip()
    own = _TITLE.match(title)
    name = own[1] if own else fallback or _named(title) or "energy"
    edges = np.asarray(axis.edges, dtype=np.float64)
    words: dict[str, Any] = {"label": title} if title and not own else {}
    return hist.axis.Variable(edges, name=f"{name}_{side}", **words)


def _named(title: str) -> str:
    """Make a name of a title, less its unit and its side; none of a title that says nothing."""
    name = axis_name(title.partition("[")[0]) if title else ""
    return "" if name in ("true", "reco") else name.removesuffix("_true").removesuffix("_reco")


def _errors(histogram: Histogram, values: Array) -> Array | None:
    """Give variances of probabilities, if a file holds any: without sums of squares, or with those of counts of 1, it does not."""
    if histogram.storage_type is not hist.storage.Weight:
        return None
    variances = np.asarray(histogram.variances(), dtype=np.float64)
    return None if np.array_equal(variances, values) else variances


def contents_of(histogram: Histogram) -> tuple[Array, Array]:
    """Give values and variances of a histogram."""
    values, variances = histogram.values(), histogram.variances()
    return np.asarray(values, dtype=np.float64), np.asarray(variances, dtype=np.float64)


def matrix_of(
    counts: Histogram,
    truth: Histogram | None,
    fakes: tuple[Array, Array] | None,
    names: tuple[str, str],
    backgrounds: Mapping[str, tuple[Array, Array]] | None = None,
    *,
    smearing: bool = False,
) -> ResponseMatrix:
    """Make a matrix of histograms over (true, reconstructed), without flow.

    Parameters
    ----------
    counts : hist.Hist
    truth : hist.Hist, optional
        Without it `counts` are probabilities.
    fakes : (values, variances), optional
    names : (str, str)
        Of the axes, where the file does not say them.
    backgrounds : mapping of str to (values, variances), optional
    smearing : bool
        These are numbers of an additional smearing matrix, whose rows are no probabilities.

    Returns
    -------
    ResponseMatrix
        Exact, if no variance is above 0. Errors of probabilities are taken for independent of each other; those that are the square root
        of the content are what ROOT makes where none were set, and are left.
    """
    sides = zip(counts.axes, names, ("true", "reco"), strict=True)
    true, reco = (plain(axis, name, side) for axis, name, side in sides)
    values = np.asarray(counts.values(), dtype=np.float64)
    if truth is None:
        largest = float(values.sum(axis=1).max(initial=0.0))
        signed = smearing or bool((values < 0.0).any())
        if largest > _MOST and not signed:
            message = (
                f"a true bin sums to {largest:.6g}, and a histogram of what is true is not read: name it with truth= (--truth) if these are counts; "
                "what RooUnfold takes is the format roounfold; if they are probabilities, say where the true axis is with orientation= (--orientation)"
            )
            raise ValueError(message)
        words = "variances of the histogram"
        return published_matrix(
            values, [true], [reco], _errors(counts, values), words, smearing=smearing
        )
    total = np.asarray(truth.values(), dtype=np.float64)
    if total.size != values.shape[0]:
        message = f"truth has {total.size} bins, the response {values.shape[0]} true ones"
        raise ValueError(message)
    spread = np.asarray(truth.variances(), dtype=np.float64)
    both = np.asarray(counts.variances(), dtype=np.float64)
    named = dict(backgrounds or {})
    beside = [*([] if fakes is None else [fakes]), *named.values()]
    if not spread.any() and not both.any() and not any(contents[0].any() for contents in beside):
        rows = values / np.where(total > 0.0, total, 1.0)[:, None]
        return ResponseMatrix.from_array(rows, [true], [reco], truth=total)
    added = None if fakes is None else weighted((reco,), *fakes, "fakes")
    return ResponseMatrix.from_histograms(
        weighted((true, reco), values, both, "counts"),
        weighted((true,), total, spread, "truth"),
        added,
        {name: weighted((reco,), *contents, name) for name, contents in named.items()},
    )
