"""What commands that read and write JSON share: files, standard input and output, a picture beside."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from matplotlib.figure import Figure

__all__ = [
    "counted",
    "json_output",
    "read_contents",
    "read_named",
    "read_text",
    "refuse",
    "with_covariance",
]


def refuse(options: argparse.Namespace, defaults: Mapping[str, Any], why: str) -> None:
    """Refuse options that mean nothing here.

    Raises
    ------
    ValueError
        If one is not as it is by default.
    """
    for name, default in defaults.items():
        if getattr(options, name) != default:
            message = f"--{name.replace('_', '-')}: not {why}"
            raise ValueError(message)


def read_text(name: str) -> str:
    """Read a file, or standard input for ``-``.

    Raises
    ------
    ValueError
        If it is not text.
    OSError
        If it cannot be read.
    """
    if name == "-":
        return sys.stdin.read()
    from forefold.io.files import expand

    (path,) = expand(name)
    if _is_root(path):
        message = f"{name}: a ROOT file, where JSON is needed; a matrix comes in with 'forefold import root'"
        raise ValueError(message)
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        message = f"{name}: not a JSON file: it is no text"
        raise ValueError(message) from None


class _Write(Protocol):
    """Takes JSON, what people are told, and what makes a picture if one is asked for."""

    def __call__(
        self, text: str, summary: str, picture: Callable[[], Figure] | None = None
    ) -> None: ...


@contextmanager
def json_output(options: argparse.Namespace) -> Iterator[_Write]:
    """Give what writes text to a file, or to standard output, and a picture beside (``--plot``), and then tells people something.

    Files are written aside, and renamed together: a picture that cannot be written leaves no result behind.
    """
    from forefold.io.write import replace_together

    check_output(options)
    plot = getattr(options, "plot", None)
    paths = [path for path in (options.out, plot) if path not in (None, "-")]
    told: list[str] = []
    with replace_together(paths, options.overwrite) as asides:
        aside = dict(zip(paths, asides, strict=True))

        def write(text: str, summary: str, picture: Callable[[], Figure] | None = None) -> None:
            if plot and picture is not None:
                _draw(picture(), aside[plot], plot)
                summary = f"{summary}\n{plot}: the picture"
            if options.out == "-":
                print(text)
            else:
                aside[options.out].write_text(text + "\n", encoding="utf-8")
                summary = f"{options.out}: {summary}"
            told.append(summary)

        yield write
    if not options.quiet:
        sys.stderr.write("".join(told) + "\n")


def check_output(options: argparse.Namespace) -> None:
    """Refuse names of an output and of a picture before anything is computed."""
    if options.out != "-" and Path(options.out).suffix != ".json":
        message = f"{options.out}: written as .json (UHI), or to - (stdout)"
        raise ValueError(message)
    if plot := getattr(options, "plot", None):
        from forefold.plotting.style import check_name

        check_name(plot)


def draw_picture(figure: Figure, path: str, *, overwrite: bool) -> None:
    """Write a picture that stands alone."""
    from forefold.io.write import replace_aside

    with replace_aside(path, overwrite) as aside:
        _draw(figure, aside, path)


def _draw(figure: Figure, aside: Path, path: str) -> None:
    from forefold.plotting.style import check_name, figure_bytes

    aside.write_bytes(figure_bytes(figure, check_name(path), dpi=300))


def with_covariance(text: str) -> tuple[Any, Any]:
    """Read a spectrum, and the covariance of a published one; None of others."""
    from forefold.matrix.json import covariances_of, read_spectrum

    beside = covariances_of(text)
    return read_spectrum(text), sum(beside.values()) if beside else None


def counted(text: str) -> Any:
    """Read a spectrum whose errors are independent from bin to bin.

    Raises
    ------
    ValueError
        If it is a published one with correlated errors, which would be lost without a word.
    """
    import numpy as np

    spectrum, covariance = with_covariance(text)
    if covariance is not None and np.count_nonzero(covariance - np.diag(np.diagonal(covariance))):
        message = "errors of this spectrum are correlated from bin to bin, which counts only of the data of 'forefold unfold' and of what 'forefold fold' folds"
        raise ValueError(message)
    return spectrum


def _is_root(path: str) -> bool:
    """Tell whether a file is ROOT, or a place in one."""
    from forefold.io.source import local

    with local(path).open("rb") as file:
        return file.read(4) == b"root"


def read_contents(name: str, read: Any) -> Any:
    """Read a spectrum of a document, or of a ROOT file, ``FILE`` or ``FILE:PATH``; what is wrong with it names the file.

    Parameters
    ----------
    name : str
        File, or ``-`` for standard input.
    read : callable
        Takes the text of a spectrum: `counted`, `with_covariance` or `forefold.matrix.json.read_spectrum`.
    """
    from forefold.io.files import expand

    if name == "-" or not _is_root(expand(name)[0]):
        return read_named(name, read)
    from forefold.matrix.formats import import_spectrum

    return _named(name, import_spectrum(name, "root").to_json(), read)


def read_named(name: str, read: Any) -> Any:
    """Read a document; what is wrong with it names the file."""
    return _named(name, read_text(name), read)


def _named(name: str, text: str, read: Any) -> Any:
    try:
        return read(text)
    except ValueError as error:
        message = f"{'standard input' if name == '-' else name}: {error}"
        raise ValueError(message) from None
