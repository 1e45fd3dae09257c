"""``forefold matrix`` and ``forefold fold``: what can be typed, and what it does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.cite import add_cite_option
from forefold.cli.documents import (
    check_output,
    draw_picture,
    json_output,
    read_contents,
    read_named,
    refuse,
    with_covariance,
)
from forefold.cli.events import say, say_selected
from forefold.cli.options import (
    add_define,
    add_events,
    add_jobs,
    add_output_options,
    add_picture,
    add_select,
    add_selection,
    add_variations,
    is_job,
)
from forefold.cli.progress import progress
from forefold.cli.values import bounds, condition, count, named_condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forefold.cli.progress import Report
    from forefold.events.selection import BackgroundCondition
    from forefold.matrix import ResponseMatrix
    from forefold.workflows.requests import MatrixRequest

    Add = Callable[..., argparse.ArgumentParser]

__all__ = ["add_axes", "add_fold", "add_matrix", "axes_of", "named_once"]

_NO_PARTS = "--workers, --cluster, --resume: parts lie beside the output, so it cannot be stdout: give -o OUT"
_POLAR = ("probe", "z")
_FORM = "NAME=LOW:HIGH:BINS[:log] or NAME=EDGE,EDGE,..."
_NOT_WITH_AXES = {
    "quantity": "energy",
    "by_type": False,
    "cc_only": False,
    "include_lost": False,
    "bins": 100,
    "range": None,
}


class _AxisAction(argparse.Action):
    """Tell the axis that angles refer to from an axis of a matrix."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: Any, *_: Any
    ) -> None:
        if "=" in value:
            namespace.axes = [*namespace.axes, value]
        elif value in _POLAR:
            namespace.axis = value
        else:
            parser.error(
                f"argument --axis: {_FORM}, or one of probe, z is expected, found {value!r}"
            )


def add_matrix(commands: Any, add: Add) -> None:
    """Add ``forefold matrix``."""
    sub = add(
        commands,
        "matrix",
        matrix,
        "fill a matrix of true against reconstructed values, as UHI JSON",
        epilog=(
            "example:\n  forefold matrix numu.gst.root -d nusmear-default --rng 1 -o numu.json\n"
            "  forefold matrix numu.gst.root -d nusmear-default --rng 1 --axis visible_energy=0:8:40 -o R.json"
        ),
    )
    add_events(sub, card=False, polar=False)
    _add_response(sub)
    sub.add_argument(
        "--quantity",
        choices=("energy", "angle"),
        default="energy",
        help="event energy (GeV) or polar angle of each particle (degrees)",
    )
    sub.add_argument("--by-type", action="store_true", help="one matrix a particle type")
    add_define(sub)
    add_variations(sub, "put an axis 'variation' in front")
    add_selection(sub)
    sub.add_argument("--bins", type=count, metavar="N", default=100, help="bins (default: 100)")
    sub.add_argument(
        "--range",
        type=bounds,
        metavar="LOW:HIGH",
        help="limits of both axes (default: 0:7 GeV, 0:180 degrees)",
    )
    sub.add_argument(
        "-o", "--out", default="-", metavar="OUT", help="output .json, or - for stdout (default)"
    )
    add_jobs(sub)
    add_output_options(sub)


def add_axes(sub: argparse.ArgumentParser) -> None:
    """Let a command take axes of any quantity, true and reconstructed."""
    sub.add_argument(
        "--axis",
        action=_AxisAction,
        default="probe",
        metavar="AXIS",
        help=f"{_FORM}: an axis, true and reconstructed, of any observable ('visible_energy=0:8:40'; repeatable), for a "
        "response matrix with misses and fakes; or what polar angles refer to: probe (default) or z",
    )
    for side in ("true", "reco"):
        sub.add_argument(
            f"--{side}-axis",
            action="append",
            dest=f"{side}_axes",
            default=[],
            metavar="AXIS",
            help=f"an axis of the {'true' if side == 'true' else 'reconstructed'} side alone; repeatable",
        )
    sub.add_argument(
        "--signal",
        type=condition,
        metavar="CONDITION",
        help="true events that are signal, such as 'cc and n_pi == 0'; others are fakes where they are reconstructed",
    )
    add_select(sub, "other events are missed, which lowers the efficiency")
    sub.add_argument(
        "--background",
        type=named_condition,
        action="append",
        default=[],
        metavar="NAME=CONDITION",
        help="what is reconstructed and no signal, by name: 'nc=nc', \"pions=topology == '1pi+'\"; the first that holds counts, what none holds of "
        "stays a fake; repeatable",
    )
    sub.set_defaults(axes=[])


def _add_response(sub: argparse.ArgumentParser) -> None:
    add_axes(sub)
    sub.add_argument(
        "--of",
        metavar="PARTICLE",
        help="with --axis: each particle of this kind is an entry, axes are energy, kinetic_energy, momentum, theta, cos_theta",
    )
    sub.add_argument(
        "--draws",
        type=count,
        default=1,
        metavar="N",
        help="with --axis: draws of the detector for each event (default: 1)",
    )
    sub.add_argument(
        "--replicas",
        type=count,
        default=0,
        metavar="N",
        help="with --axis: bootstrap replicas to fill beside (default: 0)",
    )
    add_picture(sub, "the response matrix (with --axis)")


def matrix(options: argparse.Namespace) -> int:
    """Fill a response matrix where axes were typed, and the histogram of the NuSmear paper where not."""
    if options.axes or options.true_axes or options.reco_axes:
        return _response_matrix(options)
    alone: dict[str, Any] = {
        "of": None,
        "signal": None,
        "background": [],
        "draws": 1,
        "replicas": 0,
    }
    refuse(options, alone, "without --axis")
    refuse(options, {"plot": None}, "without --axis ('forefold plot' draws these)")
    return _histogram(options)


def _histogram(options: argparse.Namespace) -> int:
    """Fill one matrix and write it as UHI JSON."""
    from forefold.cli.fill import Request, card_of, fill, fill_many
    from forefold.io.write import replace_aside
    from forefold.matrix import from_json, to_json

    if options.include_lost and options.quantity != "angle":
        message = "--include-lost is for angles: give --quantity angle"
        raise ValueError(message)
    card = card_of(options)
    name = options.quantity + ("-by-type" if options.by_type else "")
    request = Request(
        name,
        cc_only=options.cc_only,
        include_lost=options.include_lost,
        bins=options.bins,
        range=options.range,
    )
    if options.out == "-" and is_job(options):
        raise ValueError(_NO_PARTS)
    if options.out == "-":
        print(to_json(fill([request], card, options)[0]))
        say_selected(options)
        return 0
    if Path(options.out).suffix != ".json":
        message = f"{options.out}: a matrix is written as .json (UHI), or to - (stdout)"
        raise ValueError(message)
    if is_job(options):
        filled = fill_many(
            request, card, options, write=lambda made: to_json(made) + "\n", read=from_json
        )
    else:
        with replace_aside(options.out, options.overwrite) as aside:
            filled = fill([request], card, options)[0]
            aside.write_text(to_json(filled) + "\n", encoding="utf-8")
    total = filled.values(flow=True).sum()
    shape = " x ".join(str(n) for n in filled.shape)
    say(f"{options.out}: {shape} bins, sum of weights {total:,.6g}", quiet=options.quiet)
    say_selected(options)
    return 0


def _response_matrix(options: argparse.Namespace) -> int:
    """Fill a response matrix, or one a variation, and write it as UHI JSON."""
    from forefold.matrix.variations import written_set

    conditions = "conditions on events are --where, --signal and --select"
    refuse(options, _NOT_WITH_AXES, f"with --axis ({conditions})")
    if is_job(options):
        return _matrix_of_job(options)
    with json_output(options) as write:
        found = _filled(options)
        write(written_set(found), _told(found), found["nominal"].peek)
    return 0


def _told(found: dict[str, ResponseMatrix]) -> str:
    more = f"\n  and {len(found) - 1} variations" if len(found) > 1 else ""
    return repr(found["nominal"]) + more


def _matrix_of_job(options: argparse.Namespace) -> int:
    """Fill response matrices with workers, which write the document; the picture comes after it."""
    from forefold.cli.fill import fill_many
    from forefold.detector.load import load_card
    from forefold.matrix.variations import read_set, written_set

    check_output(options)
    if options.out == "-":
        raise ValueError(_NO_PARTS)
    found = fill_many(
        _request(options),
        None if options.card is None else load_card(options.card),
        options,
        write=lambda made: written_set(made) + "\n",
        read=read_set,
    )
    if options.plot:
        draw_picture(found["nominal"].peek(), options.plot, overwrite=options.overwrite)
    say(f"{options.out}: {_told(found)}", quiet=options.quiet)
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


def _conditions(options: argparse.Namespace) -> dict[str, Any]:
    """Give signal and backgrounds as the arguments of `ResponseMatrix.from_events`.

    Raises
    ------
    ValueError
        A background is there twice.
    """
    background = named_once(options.background)
    return {"signal": options.signal, "background": background, "define": options.define}


def named_once(background: Sequence[tuple[str, BackgroundCondition]]) -> dict[str, Any]:
    """Give named conditions as a mapping.

    Raises
    ------
    ValueError
        A name is there twice.
    """
    names = [name for name, _ in background]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        message = f"--background: {twice[0]!r} is given twice; join conditions with 'or'"
        raise ValueError(message)
    return dict(background)


def _request(options: argparse.Namespace) -> MatrixRequest:
    from forefold.workflows.requests import MatrixRequest

    true, reco = axes_of(options)
    settings = {name: getattr(options, name) for name in ("of", "draws", "replicas")}
    if options.variations:
        refuse(options, {"draws": 1, "replicas": 0}, "with --variations")
    return MatrixRequest.made(true, reco, **_conditions(options), **settings)


def _filled(options: argparse.Namespace) -> dict[str, ResponseMatrix]:
    from forefold.cli.fill import fill
    from forefold.detector.load import load_card
    from forefold.matrix import ResponseMatrix

    if options.card is None:
        refuse(options, {"rng": None, "where": None, "variations": [], "draws": 1}, _SMEARED)
        true, reco = axes_of(options)
        settings = {name: getattr(options, name) for name in ("of", "select", "replicas")}
        settings |= {"true": true, "reco": reco, **_conditions(options)}
        with progress("filling", quiet=options.quiet) as report:
            made = ResponseMatrix.from_events(_smeared(options, report), rng=0, **settings)
        return {"nominal": made}
    found: dict[str, ResponseMatrix] = fill([_request(options)], load_card(options.card), options)[
        0
    ]
    return found


_SMEARED = "for events that are smeared already (without -d CARD)"


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


def add_fold(commands: Any, add: Add) -> None:
    """Add ``forefold fold``."""
    sub = add(
        commands,
        "fold",
        fold,
        "predict what is reconstructed of a true spectrum, with its covariance",
        epilog=(
            "example:\n  forefold matrix numu.gst.root -d nusmear-default --rng 1 --axis visible_energy=0:8:40 -o R.json\n"
            "  forefold fold spectrum.json R.json -o folded.json"
        ),
    )
    sub.add_argument(
        "spectrum",
        metavar="SPECTRUM",
        help="UHI JSON over the true axes of the matrix; - for stdin",
    )
    sub.add_argument(
        "matrix", metavar="MATRIX", help="what 'forefold matrix --axis' wrote; - for stdin"
    )
    sub.add_argument(
        "--statistics",
        choices=("multinomial", "dirichlet", "bootstrap", "none"),
        default="multinomial",
        help="how the statistics of the matrix are counted (default: multinomial)",
    )
    sub.add_argument(
        "--fakes",
        action="store_true",
        help="add fakes and named backgrounds, as many for each true event as the matrix has",
    )
    sub.add_argument(
        "--lose-empty",
        action="store_true",
        help="lose content in true bins of which the matrix knows nothing, rather than stop",
    )
    sub.add_argument(
        "-o", "--out", default="-", metavar="OUT", help="output .json, or - for stdout (default)"
    )
    add_picture(sub, "the prediction and its correlations")
    add_cite_option(sub)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no summary")


def fold(options: argparse.Namespace) -> int:
    """Fold a spectrum and write the prediction with its covariance as UHI JSON."""
    from forefold.matrix import fold as folded
    from forefold.matrix.json import written_prediction
    from forefold.matrix.variations import read_set

    if options.spectrum == options.matrix == "-":
        message = "only one of SPECTRUM and MATRIX can come from stdin"
        raise ValueError(message)
    with json_output(options) as write:
        spectrum, covariance = read_contents(options.spectrum, with_covariance)
        matrices = read_named(options.matrix, read_set)
        found = folded(
            spectrum,
            matrices,
            covariance=covariance,
            statistics=options.statistics,
            fakes=options.fakes,
            empty_rows="lose" if options.lose_empty else "stop",
        )
        write(written_prediction(found), repr(found), found.peek)
    return 0
