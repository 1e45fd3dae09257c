"""What can be typed about response matrices."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forefold.cli.cite import add_cite_option
from forefold.cli.options import add_picture
from forefold.cli.values import condition, count

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_axes", "add_fold", "add_response"]

_POLAR = ("probe", "z")
_FORM = "NAME=LOW:HIGH:BINS[:log] or NAME=EDGE,EDGE,..."


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


def _run_matrix(options: argparse.Namespace) -> int:
    if options.axes or options.true_axes or options.reco_axes:
        from forefold.cli import matrix as matrices

        return matrices.response_matrix(options)
    from forefold.cli import events as commands
    from forefold.cli import matrix as matrices

    matrices.refuse(
        options, {"of": None, "signal": None, "draws": 1, "replicas": 0}, "without --axis"
    )
    matrices.refuse(options, {"plot": None}, "without --axis ('forefold plot' draws these)")
    return commands.matrix(options)


def _run_fold(options: argparse.Namespace) -> int:
    from forefold.cli import matrix as matrices

    return matrices.fold_spectrum(options)


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
    sub.set_defaults(axes=[])


def add_response(sub: argparse.ArgumentParser) -> None:
    """Let ``forefold matrix`` fill response matrices."""
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
    sub.set_defaults(run=_run_matrix)


def add_fold(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold fold``."""
    sub = add(
        commands,
        "fold",
        "fold",
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
        help="add fakes, as many for each true event as the matrix has",
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
    sub.set_defaults(run=_run_fold)
