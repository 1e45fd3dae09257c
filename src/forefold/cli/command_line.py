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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold._inputs import near_names
from forefold.cli.card import add_card
from forefold.cli.cite import add_cite, cited
from forefold.cli.errors import complain, damage_told, text_of
from forefold.cli.events import (
    add_convert,
    add_demo,
    add_inspect,
    add_plot,
    add_smear,
    add_warmup,
)
from forefold.cli.formats import add_formats
from forefold.cli.inference import add_inference
from forefold.cli.matrix import add_fold, add_matrix
from forefold.cli.report import add_report
from forefold.cli.spectrum import add_observables, add_spectrum
from forefold.cli.unfolding import add_unfold
from forefold.cli.values import definitions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


__all__ = ["main", "parser"]

_DEVICE = "FOREFOLD_DEVICE"
_FEW = 6  # commands that are named where an option belongs to them; others are as common as -o


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
            near = near_names(wrong[1], re.findall(r"[\w-]+", wrong[2]), most=1)
            message += f"; did you mean '{near[0]}'?" if near else ""
        self.exit(2, f"{self.prog}: error: {message} (see '{self.prog} --help')\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print a help text; argparse keeps silent where nothing can be written."""
        (file or sys.stderr).write(message)


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
    add_demo(commands, _add)
    add_inspect(commands, _add)
    add_card(commands, _add)
    add_smear(commands, _add)
    add_convert(commands, _add)
    add_matrix(commands, _add)
    add_spectrum(commands, _add)
    add_observables(commands, _add)
    add_fold(commands, _add)
    add_unfold(commands, _add)
    add_inference(commands, _add)
    add_formats(commands, _add)
    add_plot(commands, _add)
    add_report(commands, _add)
    add_cite(commands, _add)
    add_warmup(commands, _add)
    return top


def _add(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    *,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub.set_defaults(run=run, command_parser=sub)
    return sub


def _options_of(parser: argparse.ArgumentParser) -> dict[str, set[str]]:
    """Options of every command, by what is typed to call it."""
    options = {parser.prog: set(parser._option_string_actions)}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                options |= _options_of(sub)
    return options


def _parsed(typed: Sequence[str]) -> argparse.Namespace:
    """Parse what was typed; an option that the command does not have is said to be another's, or to be like one of its own."""
    top = parser()
    options, unknown = top.parse_known_args(typed)
    if unknown:
        word = next((text for text in unknown if text.startswith("-")), unknown[0]).split("=")[0]
        every = _options_of(top)
        command: argparse.ArgumentParser = options.command_parser
        near = near_names(word, every[command.prog], most=1)
        others = sorted(prog for prog, names in every.items() if word in names)
        message = f"unrecognized arguments: {' '.join(unknown)}"
        if 0 < len(others) <= _FEW:
            message += f"; {word} belongs to {', '.join(map(repr, others))}"
        elif near and word.startswith("-"):
            message += f"; did you mean '{near[0]}'?"
        command.error(message)
    return options


def _keep_inputs(options: argparse.Namespace) -> None:
    """Refuse an output that is one of the files that the command reads, whichever option names it."""
    outputs = [name for key in ("out", "plot") if (name := getattr(options, key, None))]
    if not getattr(options, "overwrite", False):  # what exists is refused anyway
        return
    if not any(Path(name).expanduser().is_file() for name in outputs):
        return
    from forefold.io.files import refuse_as_output

    values = [value for key, value in vars(options).items() if key not in {"out", "plot", "typed"}]
    inputs = {file for text in _texts(values) for file in (text, text.partition("=")[2]) if file}
    for name in outputs:
        refuse_as_output(sorted(inputs), name)


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Every text among values of options, which may be in lists and pairs."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from _texts(value)


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


def _leave_stdout() -> None:
    """Keep the interpreter from complaining at exit, where standard output takes nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stdout_failed(error: OSError) -> int:
    """Complain that a help text or the version could not be printed; a reader that went away is no fault."""
    _leave_stdout()
    if isinstance(error, BrokenPipeError):
        return 0
    complain("error", text_of(error))
    return 2


def _complaints() -> Callable[..., None]:
    """Give what says a warning in one line, and each text once: conditions are read here and by what fills."""
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: object) -> None:
        if issubclass(
            category, DeprecationWarning
        ):  # of one library about another: no user can mend it
            return
        if str(message) not in said:
            said.add(str(message))
            complain("warning", str(message))

    return show


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
    zero-efficiency
    0
    """
    _prepare()
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _complaints()
        typed = list(sys.argv[1:] if arguments is None else arguments)
        try:
            with definitions_in(typed):
                options = _parsed(typed)
        except ValueError as error:
            complain("error", str(error))
            return 2
        except SystemExit:  # --help and --version print, too
            try:
                sys.stdout.flush()
            except OSError as error:
                return _stdout_failed(error)
            raise
        except OSError as error:
            return _stdout_failed(error)
        options.typed = typed
        try:
            with damage_told(options), _device(options), cited(options):
                _keep_inputs(options)
                code = int(options.run(options))
                sys.stdout.flush()  # a full disk shows here, or never
                return code
        except BrokenPipeError:
            _leave_stdout()
            return 0
        except (ValueError, OSError, MemoryError, ModuleNotFoundError) as error:
            if options.traceback:
                raise
            complain("error", text_of(error, options) + _where(error))
            try:
                sys.stdout.flush()
            except OSError:
                _leave_stdout()
            return 2
        except KeyboardInterrupt as error:
            complain("error", "interrupted; nothing half-written is left" + _where(error))
            return 130
        except _Terminated as error:
            complain("error", "terminated; nothing half-written is left" + _where(error))
            return 143
