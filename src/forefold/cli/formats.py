"""``forefold export`` and ``forefold import``: what can be typed, and what they do."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.cite import add_cite_option
from forefold.cli.documents import json_output, read_contents, read_named
from forefold.cli.values import constant, count, whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["add_formats", "configuration"]

_UNITS = ("TeV", "GeV", "MeV", "keV", "eV")
_SPECTRA = ("signal", "background", "observed")
_EXPORTS = (
    "  globes         FILE to include in a .glb         --name, --unit, --efficiency\n"
    "  snowglobes     smear_CHANNEL_DETECTOR.dat        --unit\n"
    "  root           FILE.root                         (true is x)\n"
    "  roounfold      FILE.root                         (measured is x)\n"
    "  tunfold        FILE.root                         (true is x; misses in the underflow of y)\n"
    "  remu           FILE.npz                          --toys, --rng, --entries\n"
    "  ogip           FILE.rmf, and FILE.arf beside     --unit, --area\n"
    "  pyhf           FILE.json                         --signal, --background, --observed, --per-true-bin, --fakes, --name\n"
    "  correctionlib  FILE.json\n"
    "  hepdata        FOLDER\n"
    "  uhi            FILE.json\n"
)
_IMPORTS = (
    "  globes         --name or --channel, --true, --reco, --base, --constant; into a folder (-o DIR) all that the files define\n"
    "  snowglobes     --true, --reco, --run-mode, --channels, --efficiencies\n"
    "  root           --name, --truth, --fakes, --orientation, --true, --reco, --smearing\n"
    "  roounfold      --name, --truth, --measured\n"
    "  tunfold        --name, --orientation, --true, --reco\n"
    "  remu           --true, --reco (axes)             ogip           --arf, --area\n"
    "  correctionlib  --name, --true-axes               hepdata        --name, --true-axes, --error, --smearing\n"
    "  uhi            --true-axes, --smearing\n"
    "FILE is FILE:PATH too, of root, roounfold and tunfold\n"
    "with --spectrum (hepdata, root, uhi), of hepdata: --name, --error, --correlated, --density; of root: --name, --covariance, --density\n"
)


def add_formats(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``forefold export`` and ``forefold import``.

    Parameters
    ----------
    commands : argparse's subparsers
    add : callable
        Makes a parser of a command from its name, the function that it runs, and what it is for.
    """
    _add_export(commands, add)
    _add_import(commands, add)


def _add_export(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    sub = add(
        commands,
        "export",
        _run_export,
        "write a response matrix in the format of another tool",
        epilog=f"formats, and their options:\n{_EXPORTS}\nexample:\n  forefold export globes R.json --name dune -o dune.dat",
    )
    sub.add_argument("format", metavar="FORMAT", help="see below")
    sub.add_argument(
        "matrix", metavar="MATRIX", help="what 'forefold matrix --axis' wrote; - for stdin"
    )
    sub.add_argument("--name", help="of what is written: a name of the format")
    sub.add_argument("--unit", choices=_UNITS, help="of the axes, where their labels do not say it")
    sub.add_argument(
        "--efficiency",
        choices=("pre", "inside"),
        help="as a list for @pre_smearing_efficiencies (default), or in the columns",
    )
    sub.add_argument(
        "--area", type=float, metavar="CM2", help="that an efficiency of 1 stands for (default: 1)"
    )
    sub.add_argument("--toys", type=count, metavar="N", help="matrices within their statistics")
    sub.add_argument("--rng", type=whole, metavar="N", help="whole number that fixes the toys")
    sub.add_argument(
        "--entries", type=float, metavar="N", help="upper bound of every true bin (exact matrices)"
    )
    sub.add_argument(
        "--signal", metavar="FILE", help="true spectrum, UHI JSON (default: truth of the matrix)"
    )
    sub.add_argument("--background", metavar="FILE", help="expected counts, UHI JSON")
    sub.add_argument(
        "--observed", metavar="FILE", help="counts, UHI JSON (default: what is expected)"
    )
    sub.add_argument(
        "--per-true-bin", action="store_true", default=None, help="one normalisation a true bin"
    )
    sub.add_argument(
        "--fakes", action="store_true", default=None, help="add the fakes of the matrix"
    )
    sub.add_argument(
        "--lose-empty",
        action="store_true",
        help="true bins of which the matrix knows nothing have no efficiency, rather than stop",
    )
    sub.add_argument("-o", "--out", required=True, metavar="OUT", help="file or folder to make")
    add_cite_option(sub)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no summary")


def _add_import(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    sub = add(
        commands,
        "import",
        _run_import,
        "read a response matrix of another tool, or a published matrix or spectrum, as UHI JSON",
        epilog=(
            f"formats as of 'forefold export', less pyhf, and their options:\n{_IMPORTS}\nexamples:\n"
            "  forefold import ogip dune.rmf -o R.json\n"
            "  forefold import DUNE_GLoBES.glb --format globes -o DIR"
        ),
    )
    sub.add_argument("format", metavar="FORMAT", help="see below; or --format FORMAT")
    sub.add_argument("file", metavar="FILE", help="file or folder")
    sub.parse_known_args = partial(_format_first, sub.parse_known_args)  # type: ignore[assignment]
    sub.add_argument("--name", help="of the matrix in the file")
    sub.add_argument("--channel", help="a channel of the file: its matrix with its efficiencies")
    sub.add_argument(
        "--true", metavar="NAME", help="name of the true axis; or the axis, NAME=LOW:HIGH:BINS"
    )
    sub.add_argument(
        "--reco",
        metavar="NAME",
        help="name of the reconstructed axis; or the axis, NAME=LOW:HIGH:BINS",
    )
    sub.add_argument(
        "--base", metavar="DIR", help="folder of the names of other files (default: that of FILE)"
    )
    sub.add_argument(
        "--constant",
        action="append",
        type=constant,
        metavar="NAME=VALUE",
        help="a constant that the files use and do not define; repeatable",
    )
    sub.add_argument(
        "--run-mode", type=whole, metavar="N", help="0: 200 bins from 0.5 to 100 MeV on both sides"
    )
    sub.add_argument("--channels", metavar="FILE", help="channel file, which says the bins")
    sub.add_argument(
        "--efficiencies",
        metavar="FILE",
        help="efficiency file, or none (default: effic_... beside, or in effic/)",
    )
    sub.add_argument("--true-axes", type=count, metavar="N", help="how many axes are true")
    sub.add_argument("--truth", metavar="HISTOGRAM", help="name of the histogram of what is true")
    sub.add_argument("--fakes", metavar="HISTOGRAM", help="name of that of fakes")
    sub.add_argument("--measured", metavar="HISTOGRAM", help="name of that of what is measured")
    sub.add_argument("--orientation", choices=("true-x", "true-y"), help="where the true axis is")
    sub.add_argument(
        "--smearing",
        action="store_true",
        default=None,
        help="an additional smearing matrix A_C: rows are no probabilities",
    )
    sub.add_argument(
        "--spectrum", action="store_true", help="read a spectrum with its covariance, no matrix"
    )
    sub.add_argument(
        "--error",
        action="append",
        metavar="LABEL",
        help="errors to read (default: all); repeatable",
    )
    sub.add_argument(
        "--correlated",
        action="append",
        metavar="LABEL",
        help="with --spectrum: errors that move all bins together; repeatable",
    )
    sub.add_argument(
        "--covariance", metavar="HISTOGRAM", help="with --spectrum: name of the TH2 of all bins"
    )
    sub.add_argument(
        "--density",
        action="store_true",
        default=None,
        help="with --spectrum: values are per unit, and are multiplied by the widths of the bins",
    )
    sub.add_argument("--arf", metavar="FILE", help="effective area (default: beside, .arf)")
    sub.add_argument("--area", type=float, metavar="CM2", help="that an efficiency of 1 stands for")
    sub.add_argument(
        "-o",
        "--out",
        default="-",
        metavar="OUT",
        help="output .json, - for stdout (default), or a folder (globes)",
    )
    add_cite_option(sub)
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no summary")


def _format_first(
    parse: Callable[..., tuple[argparse.Namespace, list[str]]],
    args: Sequence[str],
    namespace: argparse.Namespace | None = None,
) -> tuple[argparse.Namespace, list[str]]:
    """Let ``FILE --format FORMAT`` mean ``FORMAT FILE``."""
    words = [part for word in args for part in _parted(word)]
    if "--format" in words[:-1]:
        k = words.index("--format")
        words = [words[k + 1], *words[:k], *words[k + 2 :]]
    return parse(words, namespace)


def _parted(word: str) -> list[str]:
    return word.split("=", 1) if word.startswith("--format=") else [word]


_IN_EXPORT = ("name", "unit", "efficiency", "area", "toys", "rng", "entries", *_SPECTRA)
_IN_IMPORT = (
    "name",
    "channel",
    "true",
    "reco",
    "base",
    "run_mode",
    "channels",
    "efficiencies",
    "true_axes",
    "truth",
    "measured",
    "fakes",
    "orientation",
    "smearing",
    "arf",
    "area",
    "correlated",
    "covariance",
    "density",
)


_OPTIONS = {"empty_rows": "lose-empty", "errors": "error"}  # named otherwise than the setting
_ONLY_PYTHON = ("overwrite", "variations")


def _typed(setting: str) -> str:
    return "--" + _OPTIONS.get(setting, setting).replace("_", "-")


@contextmanager
def _by_options(*, spectrum: bool | None = None) -> Iterator[None]:
    """Name options, not settings, where a format does not have one."""
    from forefold.matrix.formats.registry import UnknownSetting

    try:
        yield
    except UnknownSetting as error:
        has = [_typed(each) for each in error.allowed if each not in _ONLY_PYTHON]
        how = " with --spectrum" if spectrum else ""
        message = f"{_typed(error.setting)}: not of {error.format}{how}, which has {', '.join(has) or 'no options'}"
        if spectrum is not None and _elsewhere(error.format, error.setting, not spectrum):
            message += f"; {error.format} {'without' if spectrum else 'with'} --spectrum has it"
        raise ValueError(message) from None


def _elsewhere(format: str, setting: str, spectrum: bool) -> bool:
    """Tell whether the other reader of a format has a setting."""
    from importlib import import_module

    from forefold.matrix.formats.registry import settings_of

    module = import_module(f"forefold.matrix.formats.{format}")
    reader = getattr(module, "read_spectrum" if spectrum else "read", None)
    return reader is not None and setting in settings_of(reader)


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _run_export(options: argparse.Namespace) -> int:
    """Write a matrix in another format."""
    from forefold.matrix.formats import export_matrix
    from forefold.matrix.json import read_spectrum
    from forefold.matrix.variations import read_set

    settings = _given(options, (*_IN_EXPORT, "per_true_bin", "fakes"))
    for name in _SPECTRA:
        if name in settings:
            settings[name] = read_contents(settings[name], read_spectrum)
    if options.lose_empty:
        settings["empty_rows"] = "lose"
    matrices = read_named(options.matrix, read_set)
    varied = {name: each for name, each in matrices.items() if name != "nominal"}
    if varied and options.format == "pyhf":
        settings["variations"], varied = varied, {}
    with _by_options():
        found = export_matrix(
            matrices["nominal"],
            options.out,
            options.format,
            overwrite=options.overwrite,
            **settings,
        )
    if not options.quiet:
        notes = [f"{len(varied)} variations are not written"] if varied else []
        sys.stderr.write("\n  ".join([repr(found), *notes]) + "\n")
    return 0


def _run_import(options: argparse.Namespace) -> int:
    """Read a matrix or a spectrum of another format and write it as UHI JSON."""
    from forefold.matrix.formats import import_matrix, import_spectrum

    settings = _given(options, _IN_IMPORT)
    if options.error is not None:
        settings["errors"] = options.error
    if options.constant is not None:
        settings["constants"] = dict(options.constant)
    if options.format.lower() == "globes" and not options.spectrum and _is_folder(options.out):
        return _import_configuration(options, settings)
    read: Callable[..., Any] = import_spectrum if options.spectrum else import_matrix
    with json_output(options) as write, _by_options(spectrum=options.spectrum):
        found = read(options.file, options.format, **settings)
        write(found.to_json(), repr(found))
    return 0


def _is_folder(out: str) -> bool:
    return out != "-" and (not Path(out).suffix or Path(out).is_dir())


def _import_configuration(options: argparse.Namespace, settings: dict[str, Any]) -> int:
    """Read all that a GLoBES experiment defines, and write it into a folder."""
    from forefold.io.files import expand
    from forefold.matrix.formats import GlobesConfiguration
    from forefold.matrix.formats.registry import check_settings

    with _by_options():
        check_settings(GlobesConfiguration.read, "globes into a folder", settings)
    (name,) = expand(options.file)
    written = GlobesConfiguration.read(name, **settings).write(
        options.out, overwrite=options.overwrite
    )
    if not options.quiet:
        sys.stderr.write(f"{written!r}\n")
    return 0


def configuration(path: str) -> Any:
    """Give the GLoBES configuration that a path holds; None if it is something else.

    Parameters
    ----------
    path : str
        A ``.glb``, a folder that ``forefold import globes`` made, or its ``configuration.json``.

    Returns
    -------
    GlobesConfiguration or None
    """
    place = Path(path)
    if place.suffix != ".glb" and place.name != "configuration.json" and not place.is_dir():
        return None
    from forefold.matrix.formats.globes_configuration import CONFIGURATION, GlobesConfiguration

    if place.is_dir() and not (place / CONFIGURATION).exists():
        return None
    return GlobesConfiguration.read(place)
