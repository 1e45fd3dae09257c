"""``forefold unfold``: what can be typed, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold.cli.cite import add_cite_option
from forefold.cli.documents import counted, json_output, read_contents, read_named, with_covariance
from forefold.cli.options import add_picture
from forefold.cli.values import whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_method", "add_unfold"]

_METHODS = ("bayes", "tikhonov", "wiener", "likelihood", "inversion")


def _iterations(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _number_or_rule(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def add_unfold(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold unfold``.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    sub = add(
        commands,
        "unfold",
        _run,
        "find the true spectrum behind what was seen, with covariance and A_C",
        epilog=(
            "No method chooses its strength silently: bayes wants --iterations (a number, or chi2-change, discrepancy, gcv,\n"
            "toys), tikhonov wants --strength (a number, or l-curve, gcv, discrepancy, toys).\n\n"
            "example:\n  forefold fold flux.json R.json | forefold unfold - R.json --method bayes --iterations 4 -o back.json"
        ),
    )
    sub.add_argument(
        "data", metavar="DATA", help="UHI JSON over the reconstructed axes; - for stdin"
    )
    sub.add_argument(
        "matrix", metavar="MATRIX", help="what 'forefold matrix --axis' wrote; - for stdin"
    )
    add_method(sub)
    _add_inputs(sub)
    sub.add_argument(
        "-o", "--out", default="-", metavar="OUT", help="output .json, or - for stdout (default)"
    )
    add_picture(sub, "spectrum, A_C, correlations")
    add_cite_option(sub)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no summary")


def add_method(sub: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add how to unfold.

    Parameters
    ----------
    sub : argparse.ArgumentParser
    required : bool
        Whether a method must be named.
    """
    beside = "" if required else " (default: bayes, stopped by the rule chi2-change)"
    sub.add_argument("--method", required=required, choices=_METHODS, help=f"how to unfold{beside}")
    sub.add_argument("--iterations", type=_iterations, metavar="N", help="of bayes; or a rule")
    sub.add_argument(
        "--strength", type=_number_or_rule, metavar="X", help="of tikhonov, likelihood; or a rule"
    )
    sub.add_argument(
        "--order",
        type=int,
        choices=(0, 1, 2),
        default=2,
        help="what tikhonov and wiener keep small: contents, differences, curvature (default: 2)",
    )


def _add_inputs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--prior",
        default=None,
        metavar="PRIOR",
        help="truth (of the matrix; default), flat, or a spectrum: UHI JSON over the true axes",
    )
    sub.add_argument(
        "--background", metavar="FILE", help="expected counts of other origin: UHI JSON as DATA"
    )
    sub.add_argument(
        "--fakes",
        type=_number_or_rule,
        metavar="HOW",
        help="fakes of the matrix: scaled (default of data), ignore (default of what 'forefold fold' wrote), or a factor",
    )
    sub.add_argument(
        "--poisson",
        action="store_true",
        help="variances are those of counts, whatever DATA say",
    )
    sub.add_argument(
        "--errors",
        choices=("full", "dagostini"),
        default="full",
        help="covariance of bayes: through all iterations (default), or that of 1995",
    )
    sub.add_argument(
        "--drop-blind",
        action="store_true",
        help="leave out true bins without efficiency, rather than stop",
    )
    sub.add_argument(
        "--rng", type=whole, metavar="N", help="whole number that fixes the toys of a rule"
    )


def _run(options: argparse.Namespace) -> int:
    """Unfold a spectrum and write the result as UHI JSON."""
    if options.data == options.matrix == "-":
        message = "only one of DATA and MATRIX can come from stdin"
        raise ValueError(message)
    with json_output(options) as write:
        found = _unfolded(options)
        write(found.to_json(), repr(found), found.peek)
    return 0


def _unfolded(options: argparse.Namespace) -> Any:
    from dataclasses import replace

    from forefold.matrix.json import notes_of, read_spectrum
    from forefold.matrix.variations import read_set
    from forefold.unfolding import unfold

    data, given = read_contents(options.data, with_covariance)
    covariance = "poisson" if options.poisson else given

    prior, background = options.prior, None
    if prior not in (None, "truth", "flat"):
        prior = read_contents(prior, read_spectrum)
    if options.background:
        background = read_contents(options.background, counted)
    found = unfold(
        data,
        read_named(options.matrix, read_set),
        method=options.method,
        iterations=options.iterations,
        strength=options.strength,
        prior=prior,
        background=background,
        fakes=options.fakes,
        covariance=covariance,
        order=options.order,
        errors=options.errors,
        blind="drop" if options.drop_blind else "stop",
        rng=options.rng,
    )
    told = [f"of the prediction: {note}" for note in notes_of(data)]
    return replace(found, notes=(*told, *found.notes))
