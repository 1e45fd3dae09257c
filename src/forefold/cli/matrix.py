"""Response matrices and folding, as commands."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from forefold.cli.progress import progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from matplotlib.figure import Figure

    from forefold.cli.progress import Report
    from forefold.matrix import ResponseMatrix

__all__ = [
    "axes_of",
    "counted",
    "fold_spectrum",
    "json_output",
    "read_named",
    "read_text",
    "refuse",
    "response_matrix",
    "with_covariance",
]

_NOT_WITH_AXES = {
    "quantity": "energy",
    "by_type": False,
    "cc_only": False,
    "include_lost": False,
    "bins": 100,
    "range": None,
}


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

    plot = getattr(options, "plot", None)
    if options.out != "-" and Path(options.out).suffix != ".json":
        message = f"{options.out}: written as .json (UHI), or to - (stdout)"
        raise ValueError(message)
    if plot:
        _check_picture(plot)
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


def _check_picture(path: str) -> None:
    """Refuse a name of a picture before anything is computed."""
    from forefold.plotting.style import check_name

    check_name(path)


def _draw(figure: Figure, aside: Path, path: str) -> None:
    from forefold.plotting.style import check_name, figure_bytes

    aside.write_bytes(figure_bytes(figure, check_name(path), dpi=300))


def response_matrix(options: argparse.Namespace) -> int:
    """Fill a response matrix, or one a variation, and write it as UHI JSON."""
    from forefold.matrix.variations import written_set

    refuse(options, _NOT_WITH_AXES, "with --axis (conditions on events are --where and --signal)")
    with json_output(options) as write:
        with progress("filling", quiet=options.quiet) as report:
            found = _filled(options, report)
        told = repr(found["nominal"])
        told += f"\n  and {len(found) - 1} variations" if len(found) > 1 else ""
        write(written_set(found), told, found["nominal"].peek)
    return 0


def axes_of(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Give the true and the reconstructed axes that were typed.

    Raises
    ------
    ValueError
        If a side has none.
    """
    true, reco = [*options.axes, *options.true_axes], [*options.axes, *options.reco_axes]
    for side, axes in (("true", true), ("reco", reco)):
        if not axes:
            message = f"no {side} axis: give --{side}-axis, or --axis for both sides"
            raise ValueError(message)
    return true, reco


def _filled(options: argparse.Namespace, report: Report | None) -> dict[str, ResponseMatrix]:
    from forefold.kernels.philox import random_key
    from forefold.matrix import ResponseMatrix

    true, reco = axes_of(options)
    settings: dict[str, Any] = {
        "true": true,
        "reco": reco,
        "of": options.of,
        "signal": options.signal,
        "replicas": options.replicas,
    }
    if options.card is None:
        refuse(options, {"rng": None, "where": None, "variations": [], "draws": 1}, _SMEARED)
        made = ResponseMatrix.from_events(_smeared(options, report), rng=0, **settings)
        return {"nominal": made}
    rng = random_key(options.rng)
    passing = {"axis": options.axis, "on_invalid": options.on_invalid}
    if options.variations:
        refuse(options, {"draws": 1, "replicas": 0}, "with --variations")
        varied = _varied(options, report, rng, passing)
        found = ResponseMatrix.from_variations(varied, **settings)
    else:
        from forefold.detector.load import load_card
        from forefold.workflows.stream import read_for

        card = load_card(options.card)
        chunks = read_for(options.inputs, card, progress=report, **_reading(options))
        made = ResponseMatrix.from_events(
            chunks, card, rng=rng, draws=options.draws, **settings, **passing
        )
        found = {"nominal": made}
    if options.rng is None:
        sys.stderr.write(f"rng {rng}\n")  # without it the result cannot be made again
    return found


_SMEARED = "for events that are smeared already (without -d CARD)"


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    names = ("chunk", "entries", "where", "damage")
    return {name: getattr(options, name) for name in names}


def _smeared(options: argparse.Namespace, report: Report | None) -> Iterator[Any]:
    from forefold.io.files import expand
    from forefold.io.native.smeared import is_smeared, iterate_smeared

    for name in expand(options.inputs):
        if not is_smeared(name):
            message = f"{name}: not a file of smeared events: give a detector with -d CARD"
            raise ValueError(message)
        yield from iterate_smeared(
            name, chunk=options.chunk, entries=options.entries, progress=report
        )


def _varied(
    options: argparse.Namespace, report: Report | None, rng: int, passing: dict[str, Any]
) -> Iterator[Any]:
    from forefold.smearing.variations import named_variations
    from forefold.workflows.stream import vary_chunks

    return vary_chunks(
        options.inputs,
        options.card,
        variations=named_variations(options.card, options.variations, rng),
        rng=rng,
        progress=report,
        **passing,
        **_reading(options),
    )


def fold_spectrum(options: argparse.Namespace) -> int:
    """Fold a spectrum and write the prediction with its covariance as UHI JSON."""
    from forefold.matrix import fold
    from forefold.matrix.json import written_prediction
    from forefold.matrix.variations import read_set

    if options.spectrum == options.matrix == "-":
        message = "only one of SPECTRUM and MATRIX can come from stdin"
        raise ValueError(message)
    with json_output(options) as write:
        spectrum, covariance = read_named(options.spectrum, with_covariance)
        matrices = read_named(options.matrix, read_set)
        found = fold(
            spectrum,
            matrices,
            covariance=covariance,
            statistics=options.statistics,
            fakes=options.fakes,
            empty_rows="lose" if options.lose_empty else "stop",
        )
        write(written_prediction(found), repr(found), found.peek)
    return 0


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
    spectrum, covariance = with_covariance(text)
    if covariance is not None and np.count_nonzero(covariance - np.diag(np.diagonal(covariance))):
        message = "errors of this spectrum are correlated from bin to bin, which counts only of the data of 'forefold unfold' and of what 'forefold fold' folds"
        raise ValueError(message)
    return spectrum


def read_named(name: str, read: Any) -> Any:
    """Read a document; what is wrong with it names the file."""
    text = read_text(name)
    try:
        return read(text)
    except ValueError as error:
        message = f"{'standard input' if name == '-' else name}: {error}"
        raise ValueError(message) from None
