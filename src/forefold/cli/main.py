"""What can be typed, and what happens when it cannot be done: one line on stderr, exit code 2."""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from forefold.cli.cardparser import add_card
from forefold.cli.cite import add_cite, cited
from forefold.cli.errors import complain, damage_told, text_of
from forefold.cli.figures import FIGURES
from forefold.cli.formats import add_formats
from forefold.cli.inferenceparser import add_inference
from forefold.cli.jobparser import add_jobs
from forefold.cli.matrixparser import add_fold, add_response
from forefold.cli.options import (
    add_chunk,
    add_cross_section,
    add_events,
    add_output_options,
    add_rng,
    add_selection,
    add_skip_damaged,
    add_variations,
    add_where,
)
from forefold.cli.report import add_report
from forefold.cli.unfolding import add_unfold
from forefold.cli.values import bounds, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


__all__ = ["main", "parser"]

_DEVICE = "FOREFOLD_DEVICE"


class _Version(argparse.Action):
    """Look the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        from forefold._about import __version__

        sys.stdout.write(f"forefold {__version__}\n")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if wrong:
            near = get_close_matches(wrong[1], re.findall(r"[\w-]+", wrong[2]), n=1)
            message += f"; did you mean '{near[0]}'?" if near else ""
        self.exit(2, f"{self.prog}: error: {message} (see '{self.prog} --help')\n")


def _run(command: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from forefold.cli import card as cardcommands
        from forefold.cli import events as commands

        room = cardcommands if command.startswith("card_") else commands
        function: Callable[[argparse.Namespace], int] = getattr(room, command)
        return function(options)

    return run


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    top = _Parser(
        prog="forefold",
        description="From truth to what your detector sees, and back.",
        epilog="'forefold demo' is the place to start; 'forefold COMMAND --help' says more.",
        allow_abbrev=False,
    )
    top.add_argument("--version", nargs=0, action=_Version, help="print the version and exit")
    top.add_argument(
        "--traceback", action="store_true", help="show where an error comes from (for bug reports)"
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_inspect(commands)
    add_card(commands, _add)
    _add_smear(commands)
    _add_convert(commands)
    _add_matrix(commands)
    add_fold(commands, _add)
    add_unfold(commands, _add)
    add_inference(commands, _add)
    add_formats(commands, _add)
    _add_plot(commands)
    add_report(commands, _add)
    add_cite(commands, _add)
    return top


def _add(
    commands: Any, name: str, run: str, text: str, *, epilog: str | None = None
) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.set_defaults(run=_run(run))
    return sub


def _add_demo(commands: Any) -> None:
    sub = _add(commands, "demo", "demo", "smear a real GENIE sample with both NuSmear models")
    sub.add_argument(
        "-o", "--out", default="forefold-demo", metavar="DIR", help="folder (default: %(default)s)"
    )
    add_rng(sub, default=1)
    add_output_options(sub)


def _add_inspect(commands: Any) -> None:
    sub = _add(commands, "inspect", "inspect", "say what a generator's file holds")
    sub.add_argument("inputs", nargs="+", metavar="FILE", help="file or pattern")
    add_where(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")
    add_skip_damaged(sub)
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _add_smear(commands: Any) -> None:
    sub = _add(
        commands,
        "smear",
        "smear",
        "smear generator events by a detector card",
        epilog="example:\n  forefold smear numu.gst.root -d nusmear-dune-cdr --rng 1 -o numu.parquet",
    )
    add_events(sub)
    add_cross_section(sub)
    sub.add_argument(
        "--observables",
        action="store_true",
        help="add observables of every event, true and reconstructed; not for csv",
    )
    add_variations(sub, "add a column visible_energy_reco_NAME for each; not for csv")
    sub.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="output: .parquet, .csv (.csv.gz), .root, .h5 or .hepmc3 (.hepmc3.gz)",
    )
    add_jobs(sub)
    add_output_options(sub)


def _add_convert(commands: Any) -> None:
    sub = _add(
        commands,
        "convert",
        "convert",
        "write events of any generator in another format",
        epilog=(
            "csv has one row a particle, in the generator's order: event, pdgid, status, px, py, pz, energy (GeV).\n\n"
            "example:\n  forefold convert numu.gst.root numu.csv"
        ),
    )
    sub.add_argument("inputs", nargs="+", metavar="INPUT", help="generator file or pattern")
    sub.add_argument(
        "out",
        metavar="OUT",
        help="output: .parquet, .csv (.csv.gz), .root, .h5 or .hepmc3 (.hepmc3.gz)",
    )
    sub.add_argument(
        "--all", action="store_true", help="the whole record, not only the final state"
    )
    sub.add_argument("--entries", metavar="START:STOP", help="entries of each input, such as 0:500")
    add_where(sub)
    add_chunk(sub)
    add_cross_section(sub)
    add_output_options(sub)


def _add_matrix(commands: Any) -> None:
    sub = _add(
        commands,
        "matrix",
        "matrix",
        "fill a matrix of true against reconstructed values, as UHI JSON",
        epilog=(
            "example:\n  forefold matrix numu.gst.root -d nusmear-default --rng 1 -o numu.json\n"
            "  forefold matrix numu.gst.root -d nusmear-default --rng 1 --axis visible_energy=0:8:40 -o R.json"
        ),
    )
    add_events(sub, card=False, polar=False)
    add_response(sub)
    sub.add_argument(
        "--quantity",
        choices=("energy", "angle"),
        default="energy",
        help="event energy (GeV) or polar angle of each particle (degrees)",
    )
    sub.add_argument("--by-type", action="store_true", help="one matrix a particle type")
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


def _add_plot(commands: Any) -> None:
    figures = "\n".join(f"  {name:<16} {text}" for name, text in FIGURES.items())
    sub = _add(
        commands,
        "plot",
        "plot",
        "draw a figure of the NuSmear paper from any input",
        epilog=(
            f"figures (numbers of arXiv:2209.05260):\n{figures}\n  {'all':<16} every one of them\n\n"
            "example:\n  forefold plot energy numu.gst.root -d nusmear-dune-cdr --rng 1 -o numu.pdf"
        ),
    )
    sub.add_argument("figure", choices=(*FIGURES, "all"), metavar="FIGURE", help="see below")
    add_events(sub, inputs="*", card=False)
    add_selection(sub)
    sub.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help=".pdf, .png or .svg file; for 'all' a folder",
    )
    add_output_options(sub)


class _Terminated(BaseException):
    """A batch system ends the job: clean up first."""


@contextmanager
def _device(options: argparse.Namespace) -> Iterator[None]:
    """Set the device for this command and the processes that it starts."""
    asked, before = getattr(options, "device", None), os.environ.get(_DEVICE)
    if asked:
        os.environ[_DEVICE] = asked
    try:
        yield
    finally:
        if asked and before is None:
            del os.environ[_DEVICE]
        elif asked and before is not None:
            os.environ[_DEVICE] = before


def _where(error: BaseException) -> str:
    """Say what is left of a job, which its notes tell."""
    return "".join(f"; {note}" for note in getattr(error, "__notes__", ()))


def _terminate(*_: object) -> None:
    raise _Terminated


def _prepare() -> None:
    """Let a terminal that knows no Greek show the rest, and SIGTERM leave nothing behind."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed; by default that of the process.

    Returns
    -------
    int
        0: done; 1: done, and the answer is no (cards differ, a fit did not converge); 2: bad input; 130: interrupted; 143: terminated.

    Examples
    --------
    >>> main(["card", "list", "--names"])
    bdm-10kt
    ...
    super-kamiokande
    0
    """
    _prepare()
    options = parser().parse_args(arguments)
    options.typed = list(sys.argv[1:] if arguments is None else arguments)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_: complain("warning", str(message))
        try:
            with damage_told(options), _device(options), cited(options):
                return int(options.run(options))
        except BrokenPipeError:
            # the reader of a pipe has gone; keep the interpreter from complaining at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (ValueError, OSError, MemoryError, ModuleNotFoundError) as error:
            if options.traceback:
                raise
            complain("error", text_of(error, options) + _where(error))
            return 2
        except KeyboardInterrupt as error:
            complain("error", "interrupted; nothing half-written is left" + _where(error))
            return 130
        except _Terminated as error:
            complain("error", "terminated; nothing half-written is left" + _where(error))
            return 143
