"""``forefold fit`` and ``forefold limit``: what can be typed."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from forefold.cli.cite import add_cite_option
from forefold.cli.options import add_picture
from forefold.cli.values import count, whole

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SIGMA", "Named", "add_inference"]

_NAME = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
SIGMA = 0.6826894921370859
"""Level of intervals of a fit, if none is said."""
_CODES = 'exit status: 0, or 1 if a fit did not converge: what was found is written all the same, with "valid": false; 2 is bad input'


class Named(NamedTuple):
    """A file, perhaps with a name.

    Attributes
    ----------
    name : str
        Empty if there is none.
    file : str
    """

    name: str
    file: str


def _named_file(text: str) -> Named:
    found = _NAME.fullmatch(text)
    named = Named(found[1], found[2]) if found else Named("", text)
    if not named.file:
        message = f"FILE or NAME=FILE is expected, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return named


def _numbers(form: str, *, least: int, most: int) -> Callable[[str], tuple[str, list[float]]]:
    def read(text: str) -> tuple[str, list[float]]:
        found = _NAME.fullmatch(text)
        try:
            values = [float(part) for part in found[2].split(",")] if found else []
        except ValueError:
            values = []
        if found is None or not least <= len(values) <= most:
            message = f"{form} is expected, found {text!r}"
            raise argparse.ArgumentTypeError(message)
        return found[1], values

    return read


def _level(text: str) -> float:
    """Read a confidence level; 90 is refused, as it is no probability."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        message = f"a number between 0 and 1 is expected, such as 0.9, found {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def add_inference(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold fit`` and ``forefold limit``.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    _add_fit(commands, add)
    _add_limit(commands, add)


def _add_fit(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    sub = add(
        commands,
        "fit",
        "fit",
        "fit true spectra to counts through a response matrix, with pulls of its variations",
        epilog=(
            "examples:\n  forefold fit data.json R.json --background cosmic.json -o fit.json --plot corner.pdf\n"
            "  forefold fit data.json R.json --truth signal=s.json --truth other=o.json --constraint other=1,0.1 \\\n"
            "    --correlation dune-fd-uncertainties --interval signal --cl 0.9\n\n" + _CODES
        ),
    )
    _add_experiment(sub)
    sub.add_argument(
        "--interval",
        action="append",
        default=[],
        metavar="NAME",
        help="give an interval of this parameter too; repeatable",
    )
    sub.add_argument(
        "--method",
        choices=("profile", "feldman-cousins"),
        default="profile",
        help="of --interval: profile likelihood (default), or Feldman-Cousins by toys",
    )
    _add_level(sub, SIGMA, "of --interval (default: 0.6827)")
    _add_toys(sub, "of --method feldman-cousins, at each point (default: 1000)")
    add_picture(sub, "data, fit, corner and pulls")
    _add_output(sub)
    sub.set_defaults(run=_run_fit)


def _add_limit(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    sub = add(
        commands,
        "limit",
        "limit",
        "give an upper limit of a parameter from counts and a response matrix",
        epilog="example:\n  forefold limit data.json R.json --truth signal=s.json --background b.json --cl 0.9 -o limit.json\n\n"
        + _CODES,
    )
    _add_experiment(sub)
    sub.add_argument(
        "--of",
        metavar="NAME",
        help="the parameter (default: of the first truth); 0, or its lower limit, is no signal",
    )
    sub.add_argument(
        "--method",
        choices=("cls", "profile", "bayes", "feldman-cousins"),
        default="cls",
        help="CLs (default), one-sided profile likelihood, flat prior, or the upper end of a Feldman-Cousins interval by toys",
    )
    _add_level(sub, 0.95, "confidence level, or credibility (default: 0.95)")
    _add_toys(
        sub,
        "of cls at each value (default: none, asymptotic formulae), of feldman-cousins at each point (default: 1000), of profile and "
        "bayes for --expected alone",
    )
    sub.add_argument(
        "--expected",
        action="store_true",
        help="give the limit that is expected without signal, too, with its band of one and two sigma (bayes: by --toys alone; not of "
        "feldman-cousins); other parameters are where they begin",
    )
    sub.add_argument(
        "--plot",
        metavar="FILE",
        help="draw CLs with the band of --expected, in green and yellow, too: .pdf, .png or .svg",
    )
    _add_output(sub)
    sub.set_defaults(run=_run_limit)


def _add_experiment(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "data", metavar="DATA", help="counts: UHI JSON over the reconstructed axes; - for stdin"
    )
    sub.add_argument(
        "matrix",
        metavar="MATRIX",
        help="what 'forefold matrix --axis' wrote, each pair of variations a pull; - for stdin",
    )
    sub.add_argument(
        "--truth",
        type=_named_file,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="true spectrum, UHI JSON, scaled by a parameter NAME; repeatable (default: truth of the matrix, scaled by 'normalisation')",
    )
    sub.add_argument(
        "--background",
        type=_named_file,
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="expected counts, UHI JSON as DATA; scaled by NAME if --parameter or --constraint has it; repeatable",
    )
    sub.add_argument(
        "--background-variance",
        metavar="FILE",
        help="of the sum of backgrounds (--background), UHI JSON as DATA",
    )
    sub.add_argument(
        "--exposure",
        type=float,
        default=1.0,
        metavar="X",
        help="multiplies truth and background (default: 1)",
    )
    form = "NAME=VALUE, NAME=VALUE,LOWER or NAME=VALUE,LOWER,UPPER"
    sub.add_argument(
        "--parameter",
        type=_numbers(form, least=1, most=3),
        action="append",
        default=[],
        metavar="NAME=VALUE[,LOWER[,UPPER]]",
        help="where fits begin, and physical limits (default: 1,0,inf); repeatable",
    )
    sub.add_argument(
        "--constraint",
        type=_numbers("NAME=MEAN,SIGMA", least=2, most=2),
        action="append",
        default=[],
        metavar="NAME=MEAN,SIGMA",
        help="what is known of a parameter from elsewhere; repeatable",
    )
    sub.add_argument(
        "--fix",
        type=_numbers("NAME=VALUE", least=1, most=1),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="hold a parameter, a pull too; repeatable",
    )
    sub.add_argument(
        "--correlation",
        metavar="CARD",
        help="detector card that says the correlations of the pulls, where MATRIX has variations (default: none)",
    )
    sub.add_argument(
        "--fakes",
        choices=("add", "ignore"),
        help="fakes of the matrix, as many for each true event as it has: add (default), or ignore (default of what 'forefold fold' wrote)",
    )
    sub.add_argument(
        "--statistics",
        choices=("multinomial", "dirichlet", "bootstrap", "none"),
        default="multinomial",
        help="how the statistics of the matrix are counted (default: multinomial)",
    )
    sub.add_argument(
        "--lose-empty",
        action="store_true",
        help="lose truth in bins of which the matrix knows nothing, rather than stop",
    )


def _add_level(sub: argparse.ArgumentParser, default: float, text: str) -> None:
    sub.add_argument("--cl", type=_level, default=default, metavar="LEVEL", help=text)


def _add_toys(sub: argparse.ArgumentParser, text: str) -> None:
    sub.add_argument("--toys", type=count, metavar="N", help=text)
    sub.add_argument(
        "--rng",
        type=whole,
        metavar="N",
        help="whole number that fixes the toys (default: taken from the system, and printed)",
    )


def _add_output(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "-o", "--out", default="-", metavar="OUT", help="output .json, or - for stdout (default)"
    )
    add_cite_option(sub)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no summary")


def _run_fit(options: argparse.Namespace) -> int:
    from forefold.cli import inference

    return inference.fit(options)


def _run_limit(options: argparse.Namespace) -> int:
    from forefold.cli import inference

    return inference.limit(options)
