"""``forefold fit`` and ``forefold limit``: what can be typed, and what it does."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from forefold._about import __version__
from forefold.cli.cite import add_cite_option
from forefold.cli.documents import counted, json_output, read_contents, read_named, refuse
from forefold.cli.errors import complain
from forefold.cli.options import add_picture
from forefold.cli.progress import progress
from forefold.cli.values import count, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from matplotlib.figure import Figure

    from forefold.cli.progress import Report
    from forefold.inference import Experiment, Interval

    Add = Callable[..., argparse.ArgumentParser]

__all__ = ["add_inference"]

_NAME = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_SIGMA = 0.6826894921370859
"""Level of intervals of a fit, if none is said."""
_CODES = 'exit status: 0, or 1 if a fit did not converge: what was found is written all the same, with "valid": false; 2 is bad input'


_TOYS = 1000


class _Named(NamedTuple):
    """A file, perhaps with a name.

    Attributes
    ----------
    name : str
        Empty if there is none.
    file : str
    """

    name: str
    file: str


def _named_file(text: str) -> _Named:
    found = _NAME.fullmatch(text)
    named = _Named(found[1], found[2]) if found else _Named("", text)
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


def add_inference(commands: Any, add: Add) -> None:
    """Add ``forefold fit`` and ``forefold limit``.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    _add_fit(commands, add)
    _add_limit(commands, add)


def _add_fit(commands: Any, add: Add) -> None:
    sub = add(
        commands,
        "fit",
        fit,
        "fit true spectra to counts through a response matrix, with nuisance parameters for its variations",
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
    _add_level(sub, _SIGMA, "of --interval (default: 0.6827)")
    _add_toys(sub, "of --method feldman-cousins, at each point (default: 1000)")
    add_picture(sub, "data, fit, corner and pulls")
    _add_output(sub)


def _add_limit(commands: Any, add: Add) -> None:
    sub = add(
        commands,
        "limit",
        limit,
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


def _add_experiment(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "data", metavar="DATA", help="counts: UHI JSON over the reconstructed axes; - for stdin"
    )
    sub.add_argument(
        "matrix",
        metavar="MATRIX",
        help="what 'forefold matrix --axis' wrote, each pair of variations a nuisance parameter; - for stdin",
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
        help="expected counts, UHI JSON as DATA, beside the backgrounds that MATRIX names; any of them is scaled by NAME if --parameter or "
        "--constraint has it; repeatable",
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
        help="hold a parameter, a nuisance parameter too; repeatable",
    )
    sub.add_argument(
        "--correlation",
        metavar="CARD",
        help="detector card that says the correlations of the nuisance parameters, where MATRIX has variations (default: none)",
    )
    sub.add_argument(
        "--fakes",
        choices=("add", "ignore"),
        help="fakes of the matrix, as many for each true event as it has, and the backgrounds that it names: add (default), or ignore (default of "
        "what 'forefold fold' wrote)",
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


def fit(options: argparse.Namespace) -> int:
    """Fit, and write values, covariance and the fitted prediction as JSON."""
    if not options.interval:
        refuse(options, {"method": "profile", "cl": _SIGMA}, "without --interval")
    if options.method == "profile":
        refuse(options, {"toys": None, "rng": None}, "with --method profile")
    with json_output(options) as write:
        experiment, data, notes = _experiment(options)
        fixed = _values(options.fix)
        found = experiment.fit(data, fixed=fixed)
        rng = _rng(options, options.method == "feldman-cousins")
        intervals, lacking = _intervals(experiment, data, options, rng, found.valid)
        notes += lacking
        content = {
            **_head("fit", rng),
            **found.to_dict(),
            "notes": [*notes, *found.notes],
            "intervals": [each.to_dict() for each in intervals],
            "data": _histogram(found, found.data),
            "prediction": found.histogram._to_uhi_(),
            **_made_of(experiment),
        }
        options.inferred = content
        told = [repr(found), *(f"  note: {note}" for note in notes), *map(repr, intervals)]
        write(_text(content), "\n".join(told), found.peek)
    return _code("fit", found.valid, lacking)


def _intervals(
    experiment: Experiment, data: Any, options: argparse.Namespace, rng: int | None, valid: bool
) -> tuple[list[Interval], list[str]]:
    """Give the intervals that were asked for, and why some are not there; a fit is not lost for want of one."""
    from forefold.inference.intervals import Unconverged

    fixed = _values(options.fix)
    names = list(dict.fromkeys(options.interval))
    for name in names:
        experiment._place(name, fixed)  # what is asked for must be there
    if not valid:
        return [], [f"no interval of {name}: the fit is not valid" for name in names]
    found, lacking = [], []
    settings: dict[str, Any] = {"level": options.cl, "method": options.method, "fixed": fixed}
    settings |= {"toys": options.toys or _TOYS, "rng": rng}
    toys = settings["toys"] if options.method == "feldman-cousins" else 0
    for name in names:
        try:
            with _watched(options, f"toys of {name}", toys) as report:
                found.append(experiment.interval(data, name, progress=report, **settings))
            if not found[-1].valid:
                lacking.append(f"the interval of {name} is not valid, as its notes say")
        except Unconverged as error:
            lacking.append(f"no interval of {name}: {error}")
    return found, lacking


def _code(what: str, valid: bool, lacking: Sequence[str] = ()) -> int:
    """Complain of a result that does not hold, which is written all the same, and give the exit code."""
    if not valid:
        complain(
            "error", f'the {what} is not valid, as its notes say; it is written with "valid": false'
        )
    elif lacking:
        complain("error", f"{lacking[0]}; the fit is written")
    return 0 if valid and not lacking else 1


def limit(options: argparse.Namespace) -> int:
    """Give an upper limit as JSON."""
    from forefold.inference.intervals import Unconverged

    try:
        return _limited(options)
    except Unconverged as error:
        if options.traceback:
            raise
        complain("error", str(error))
        return 1


def _limited(options: argparse.Namespace) -> int:
    toys = options.toys and (options.method == "cls" or options.expected)
    by_toys = options.method == "feldman-cousins" or toys
    if options.method in ("profile", "bayes") and not options.expected:
        refuse(options, {"toys": None}, f"with --method {options.method}, but for --expected")
    if options.method == "feldman-cousins":
        refuse(options, {"expected": False}, "with --method feldman-cousins")
    if options.method == "bayes" and not options.toys:
        refuse(options, {"expected": False}, "with --method bayes without --toys")
    if not options.expected:
        refuse(options, {"plot": None}, "without --expected")
    if not by_toys:
        refuse(options, {"rng": None}, "without toys (--toys, or --method feldman-cousins)")
    with json_output(options) as write:
        experiment, data, notes = _experiment(options)
        rng = _rng(options, bool(by_toys))
        found = _limit(experiment, data, options, rng)
        told = [repr(found["result"]), *(f"  note: {note}" for note in notes)]
        own = found["content"].pop("notes")
        content = {**_head("limit", rng), **found["content"], "notes": [*notes, *own]}
        held = _values(options.fix)
        content |= {"free": [each for each in experiment.names if each not in held]}
        content |= _made_of(experiment)
        options.inferred = content
        picture = None
        if options.expected:
            more, picture = _expected(experiment, content, options, rng, told)
            content |= more
        write(_text(content), "\n".join(told), picture)
    return _code("limit", content.get("valid", True))


def _limit(
    experiment: Experiment, data: Any, options: argparse.Namespace, rng: int | None
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "level": options.cl,
        "method": options.method,
        "fixed": _values(options.fix),
        "rng": rng,
    }
    if options.method == "feldman-cousins":
        settings["toys"] = options.toys or _TOYS
        with _watched(options, "toys", settings["toys"]) as report:
            found: Any = experiment.interval(data, options.of, progress=report, **settings)
        content = found.to_dict()
        return {"result": found, "content": {**content, "limit": content["upper"]}}
    toys = (options.toys or 0) if options.method == "cls" else 0
    with _watched(options, "toys", toys) as report:
        found = experiment.upper_limit(data, options.of, toys=toys, progress=report, **settings)
    content = found.to_dict()
    return {"result": found, "content": {"limit": content.pop("value"), **content}}


def _expected(
    experiment: Experiment,
    content: dict[str, Any],
    options: argparse.Namespace,
    rng: int | None,
    told: list[str],
) -> tuple[dict[str, Any], Callable[[], Figure]]:
    """Give the limit that is expected without signal, with its band, and what draws it."""
    name = content["parameter"]
    _check_no_signal(experiment, name)
    with _watched(options, "toys without signal", options.toys) as report:
        found = experiment.expected_limit(
            name,
            level=options.cl,
            method=options.method,
            fixed=_held(options, name),
            toys=options.toys or 0,
            rng=rng,
            progress=report,
        )
    told.append(repr(found))
    numbers = {"expected": found.median, "expected_limit": found.to_dict()}
    return numbers, lambda: found.peek(content["limit"])


def _watched(
    options: argparse.Namespace, text: str, toys: int | None
) -> AbstractContextManager[Report | None]:
    """Show how far the fits of toys are, where there are any."""
    return progress(text, quiet=options.quiet or not toys, of="fits")


def _check_no_signal(experiment: Experiment, name: str) -> None:
    if not math.isfinite(experiment.parameters[name].lower):
        message = f"--expected: {name} has no lower limit, where there is no signal; give --parameter {name}=VALUE,LOWER"
        raise ValueError(message)


def _held(options: argparse.Namespace, name: str) -> dict[str, float]:
    return {each: value for each, value in _values(options.fix).items() if each != name}


def _experiment(options: argparse.Namespace) -> tuple[Experiment, Any, list[str]]:
    """Read everything; gives the experiment, its data, and what a reader must know."""
    from forefold.inference import Experiment
    from forefold.matrix.contents import flow_content
    from forefold.matrix.json import PREDICTION, notes_of, read_spectrum
    from forefold.matrix.variations import read_set

    if not options.background:
        refuse(options, {"background_variance": None}, "without --background")
    files = [options.data, options.matrix, options.background_variance]
    files += [each.file for each in (*options.truth, *options.background)]
    if files.count("-") > 1:
        message = "only one of DATA, MATRIX and the files of options can come from stdin"
        raise ValueError(message)
    notes = []
    data = read_contents(options.data, counted)
    matrices = read_named(options.matrix, read_set)
    if len(matrices) == 1:
        refuse(options, {"correlation": None}, f"without variations, and {options.matrix} has none")
    predicted = data.name == PREDICTION
    if predicted:
        notes.append("data are a prediction, taken as expected counts")
        notes += [f"of the prediction: {note}" for note in notes_of(data)]
    fakes = options.fakes or ("ignore" if predicted else "add")
    if fakes == "ignore" and matrices["nominal"].not_signal.values().any():
        what = " and ".join(["fakes", *matrices["nominal"].backgrounds])
        notes.append(f"{what} of the matrix are ignored")
    unused = flow_content(data)
    if unused and options.command == "limit":  # fits say it themselves
        notes.append(f"{unused:.6g} counts in underflow and overflow are not used")
    truth = _read(options.truth, "truth", read_spectrum)
    if truth is None:
        if not matrices["nominal"].knows_truth:
            message = f"{options.matrix}: this matrix knows no truth, probabilities alone: give a model with --truth FILE"
            raise ValueError(message)
        truth = matrices["nominal"].truth
        notes.append("truth is that of the matrix, scaled by 'normalisation'")
    background = _read(options.background, "background", counted)
    variance = options.background_variance
    experiment = Experiment(
        truth,
        matrices,
        parameters=_parameters(options),
        background=background,
        background_variance=None if variance is None else read_contents(variance, read_spectrum),
        exposure=options.exposure,
        fakes=fakes == "add",
        correlation=options.correlation,
        statistics=options.statistics,
        empty_rows="lose" if options.lose_empty else "stop",
    )
    return experiment, data, notes


def _read(given: Sequence[_Named], what: str, read: Any) -> Any:
    """Read one histogram, or several by their names.

    Raises
    ------
    ValueError
        One of several has no name, or a name is there twice.
    """
    if not given:
        return None
    names = [each.name for each in given]
    if len(given) > 1 and "" in names:
        message = f"--{what} {given[names.index('')].file}: one of several needs a name, --{what} NAME=FILE"
        raise ValueError(message)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        message = f"--{what}: {twice[0]!r} is given twice"
        raise ValueError(message)
    try:
        found = {each.name: read_contents(each.file, read) for each in given}
    except FileNotFoundError as error:
        if names != [""]:
            raise
        message = f"{error}; --{what} takes NAME=FILE, or FILE"
        raise FileNotFoundError(message) from None
    return found.get("", found)


def _values(given: Sequence[tuple[str, list[float]]]) -> dict[str, float]:
    return {name: numbers[0] for name, numbers in _once(given, "fix").items()}


def _once(given: Sequence[tuple[str, list[float]]], option: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for name, numbers in given:
        if name in found:
            message = f"--{option}: {name!r} is given twice"
            raise ValueError(message)
        found[name] = numbers
    return found


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    from forefold.inference import Parameter

    starts = _once(options.parameter, "parameter")
    known = _once(options.constraint, "constraint")
    found = {}
    for name in (*starts, *(name for name in known if name not in starts)):
        constraint = (known[name][0], known[name][1]) if name in known else None
        start = starts.get(name, [constraint[0] if constraint else 1.0])
        value, lower, upper = (*start, *(0.0, math.inf)[len(start) - 1 :])
        if len(start) == 3 and not lower < upper:
            message = f"--parameter {name}: LOWER,UPPER are {lower:g},{upper:g}; the lower limit comes first, and below"
            raise ValueError(message)
        try:
            found[name] = Parameter(value, lower, upper, constraint)
        except ValueError as error:
            message = f"{name}: {error}"
            raise ValueError(message) from None
    return found


def _rng(options: argparse.Namespace, needed: bool) -> int | None:
    if not needed:
        return None
    from forefold.kernels.philox import random_key

    key = random_key(options.rng)
    if options.rng is None:
        sys.stderr.write(f"rng {key}\n")  # without it the result cannot be made again
    return key


def _head(command: str, rng: int | None) -> dict[str, Any]:
    # 64 bits do not fit into the numbers of JSON everywhere
    return {
        "forefold": command,
        "version": __version__,
        "rng": None if rng is None else str(rng),
    }


def _made_of(experiment: Experiment) -> dict[str, Any]:
    """Say what citations need to know of a response."""
    return {
        "finite_simulation": experiment.finite_simulation,
        "provenance": experiment.provenance,
    }


def _histogram(found: Any, values: Any) -> Any:
    import hist

    made: hist.Hist[Any] = hist.Hist(*found.axes, name="data")
    made.view()[...] = values.reshape(made.shape)
    return made._to_uhi_()


def _text(content: dict[str, Any]) -> str:
    import uhi.io.json

    return json.dumps(content, default=uhi.io.json.default, allow_nan=False)
