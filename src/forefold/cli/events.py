"""``forefold demo | inspect | smear | convert | plot``: what can be typed, and what it does.

Each command goes in the order: check, read, write, report.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.options import (
    add_chunk,
    add_cross_section,
    add_events,
    add_jobs,
    add_output_options,
    add_rng,
    add_select,
    add_selection,
    add_skip_damaged,
    add_variations,
    add_where,
    job_options,
    job_rng,
)
from forefold.cli.progress import progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import hist
    from matplotlib.figure import Figure

    from forefold.workflows.stream import Tally

    Add = Callable[..., argparse.ArgumentParser]

__all__ = [
    "FIGURES",
    "add_convert",
    "add_demo",
    "add_inspect",
    "add_plot",
    "add_smear",
    "add_warmup",
    "say",
    "say_selected",
]


def say(text: str, *, quiet: bool = False) -> None:
    """Tell people something, beside what a pipe carries."""
    if not quiet:
        sys.stderr.write(text + "\n")


def add_demo(commands: Any, add: Add) -> None:
    """Add ``forefold demo``."""
    sub = add(commands, "demo", demo, "smear a real GENIE sample with both NuSmear models")
    sub.add_argument(
        "-o", "--out", default="forefold-demo", metavar="DIR", help="folder (default: %(default)s)"
    )
    add_rng(sub, default=1)
    add_output_options(sub)


def demo(options: argparse.Namespace) -> int:
    """Smear the packaged sample with both models and write a report."""
    from forefold.workflows.demo import run

    with progress("smearing", quiet=options.quiet) as report:
        result = run(
            Path(options.out), rng=options.rng, overwrite=options.overwrite, progress=report
        )
    if not options.quiet:
        print(result)
    return 0


def add_warmup(commands: Any, add: Add) -> None:
    """Add ``forefold warmup``."""
    sub = add(
        commands, "warmup", warmup, "compile all kernels now, so that no later command waits for it"
    )
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no summary")


def warmup(options: argparse.Namespace) -> int:
    """Compile all kernels."""
    from forefold.workflows.warmup import warm_up

    with progress("compiling kernels, once", quiet=options.quiet, of="steps") as report:
        done = warm_up(report)
    if not options.quiet:
        print(done)
    return 0


def add_inspect(commands: Any, add: Add) -> None:
    """Add ``forefold inspect``."""
    sub = add(
        commands,
        "inspect",
        inspect,
        "say what a file holds: a generator's, one that forefold wrote, or a GLoBES experiment",
    )
    sub.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE",
        help="file or pattern; a .glb, or the folder that 'forefold import globes' made of one",
    )
    add_where(sub)
    sub.add_argument("--json", action="store_true", help="print JSON")
    add_skip_damaged(sub)
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def inspect(options: argparse.Namespace) -> int:
    """Say what files hold."""
    from forefold.cli.documents import refuse
    from forefold.cli.formats import configuration
    from forefold.workflows.inspection import inspect as inspected

    documents: list[dict[str, Any]] = []
    for path in (path for name in options.inputs for path in _files(name)):
        inspection: Any = configuration(path)
        if inspection is None:
            inspection = inspected(path, where=options.where, damage=options.damage)
        else:
            refuse(options, {"where": None, "skip_damaged": False}, "of a GLoBES configuration")
        if options.json:
            documents.append(inspection.to_dict())
        else:
            print(inspection, end="\n\n" if len(options.inputs) > 1 else "\n", flush=True)
    if options.json:
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    return 0


def _files(name: str) -> list[str]:
    """List the files of a pattern; a folder stands for itself."""
    from forefold import io

    return [name] if Path(name).is_dir() else io.expand(name)


def add_smear(commands: Any, add: Add) -> None:
    """Add ``forefold smear``."""
    sub = add(
        commands,
        "smear",
        smear,
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


def smear(options: argparse.Namespace) -> int:
    """Smear files into one output."""
    from forefold.smearing.variations import named_variations
    from forefold.workflows.batch import smear_files

    rng = job_rng(options)
    chosen = named_variations(options.card, options.variations, rng) if options.variations else []
    with progress("smearing", quiet=options.quiet) as report:
        tally = smear_files(
            options.inputs,
            options.card,
            options.out,
            rng=rng,
            axis=options.axis,
            entries=options.entries,
            where=options.where,
            observables=options.observables,
            variations=chosen,
            on_invalid=options.on_invalid,
            chunk=options.chunk,
            overwrite=options.overwrite,
            progress=report,
            damage=options.damage,
            cross_section=options.cross_section,
            **job_options(options),
        )
    if options.quiet and options.rng is None:
        say(f"rng {tally.rng}")  # without it the output cannot be made again
    say(_tally(tally, options.out), quiet=options.quiet)
    say_selected(options)
    return 0


def add_convert(commands: Any, add: Add) -> None:
    """Add ``forefold convert``."""
    sub = add(
        commands,
        "convert",
        convert,
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


def convert(options: argparse.Namespace) -> int:
    """Write events in another format."""
    from forefold.workflows.stream import convert as convert_files

    with progress("converting", quiet=options.quiet) as report:
        count = convert_files(
            options.inputs,
            options.out,
            final_state_only=not options.all,
            entries=options.entries,
            where=options.where,
            chunk=options.chunk,
            overwrite=options.overwrite,
            progress=report,
            damage=options.damage,
            cross_section=options.cross_section,
        )
    say(f"{options.out}: {count:,} events", quiet=options.quiet)
    say_selected(options)
    return 0


def say_selected(options: argparse.Namespace) -> None:
    """Say how many events a selection kept."""
    cut = options.where
    if cut is not None and cut.events:
        text = f"  selection: {cut.kept:,} of {cut.events:,} events kept, {cut.events - cut.kept:,} cut ({cut.text})"
        say(text, quiet=options.quiet)


def _tally(tally: Tally, out: str) -> str:
    rate = tally.events / tally.seconds if tally.seconds else 0.0
    lines = [
        (
            f"{out}: {tally.events:,} events, {tally.particles:,} particles, "
            f"rng {tally.rng}, "
            + (f"{tally.seconds:.1f} s ({rate:,.0f} events/s)" if tally.seconds else "done before")
        )
    ]
    for fate, count in sorted(tally.fates.items()):
        share = 100.0 * count / tally.particles
        name = str(fate.name).lower().replace("_", " ")
        lines.append(f"  {name:<16} {count:>12,} {share:6.1f} %")
    if tally.off_shell:
        share = 100.0 * tally.off_shell / tally.particles
        words = "E below |p|" + (": kinetic energies?" if share > 50.0 else "")
        lines.append(f"  {'off shell':<16} {tally.off_shell:>12,} {share:6.1f} % ({words})")
    return "\n".join(lines)


FIGURES = {
    "log-normal": "log-normal against truncated Gaussian (figure 2)",
    "angle-gaussians": "angular Gaussians of 5 and 2 degrees (figure 4)",
    "energy": "event energy, all particles (figures 5-7)",
    "energy-by-type": "event energy by particle type (figures 5-7)",
    "angle": "polar angle, all particles (figures 8-11)",
    "angle-by-type": "polar angle by particle type (figures 8-11)",
    "resolution": "bias and resolution against true energy, by particle type",
}
"""Figures of ``forefold plot``; the numbers are those of arXiv:2209.05260."""


def add_plot(commands: Any, add: Add) -> None:
    """Add ``forefold plot``."""
    figures = "\n".join(f"  {name:<16} {text}" for name, text in FIGURES.items())
    sub = add(
        commands,
        "plot",
        plot,
        "draw a figure of the NuSmear paper from any input",
        epilog=(
            f"figures (numbers of arXiv:2209.05260):\n{figures}\n  {'all':<16} every one of them\n\n"
            "example:\n  forefold plot energy numu.gst.root -d nusmear-dune-cdr --rng 1 -o numu.pdf"
        ),
    )
    sub.add_argument("figure", choices=(*FIGURES, "all"), metavar="FIGURE", help="see below")
    add_events(sub, inputs="*", card=False)
    add_selection(sub)
    add_select(sub, "other events are not drawn")
    sub.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help=".pdf, .png or .svg file; for 'all' a folder",
    )
    add_output_options(sub)


def plot(options: argparse.Namespace) -> int:
    """Draw one figure, or all."""
    from forefold.io.folders import folder_aside
    from forefold.io.write import replace_aside
    from forefold.plotting.style import FORMATS

    names = list(FIGURES) if options.figure == "all" else [options.figure]
    needs_events = [name for name in names if name not in {"log-normal", "angle-gaussians"}]
    _check_inputs(options, needs_events)
    if options.figure == "all":
        with folder_aside(options.out, options.overwrite) as folder:
            for name, data in _figures(names, "pdf", options):
                (folder / f"{name}.pdf").write_bytes(data)
        say(f"{options.out}: {len(names)} figures", quiet=options.quiet)
        say_selected(options)
        return 0
    ending = Path(options.out).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        allowed = ", ".join(f".{name}" for name in FORMATS)
        message = f"{options.out}: the name of a figure ends in {allowed}"
        raise ValueError(message)
    with replace_aside(options.out, options.overwrite) as aside:
        for _, data in _figures(names, ending, options):
            aside.write_bytes(data)
    say(f"{options.out}: {FIGURES[options.figure]}", quiet=options.quiet)
    say_selected(options)
    return 0


def _check_inputs(options: argparse.Namespace, needs_events: list[str]) -> None:
    if options.include_lost and not any(name.startswith("angle") for name in needs_events):
        message = f"--include-lost is for angles, figure {options.figure!r} has none"
        raise ValueError(message)
    if needs_events and not options.inputs:
        message = f"figure {options.figure!r} is made from events: give INPUT and -d CARD"
        raise ValueError(message)
    if not needs_events and (options.inputs or options.select):
        what = "INPUT" if options.inputs else "--select"
        message = f"figure {options.figure!r} is made without events: leave {what} out"
        raise ValueError(message)


def _figures(
    names: list[str], ending: str, options: argparse.Namespace
) -> Iterator[tuple[str, bytes]]:
    """Fill what the figures need in one pass, then draw them."""
    from forefold import plotting as figures
    from forefold.cli.fill import Request, card_of, fill

    plain: dict[str, Callable[[], Figure]] = {
        "log-normal": figures.log_normal_figure,
        "angle-gaussians": figures.angle_figure,
    }
    drawn: dict[str, Callable[..., Figure]] = {
        "energy": figures.energy_matrix_figure,
        "energy-by-type": figures.energy_by_type_figure,
        "angle": figures.angle_matrix_figure,
        "angle-by-type": figures.angle_by_type_figure,
        "resolution": figures.resolution_figure,
    }
    wanted = [name for name in names if name in drawn]
    filled: dict[str, hist.Hist[Any]] = {}
    if wanted:
        requests = [
            Request(name, cc_only=options.cc_only, include_lost=options.include_lost)
            for name in wanted
        ]
        matrices = fill(requests, card_of(options), options)
        filled = dict(zip(wanted, matrices, strict=True))
    sample = ", ".join(Path(name).name for name in options.inputs[:2])
    sample += f" and {len(options.inputs) - 2} more" if len(options.inputs) > 2 else ""
    for name in names:
        figure = plain[name]() if name in plain else drawn[name](filled[name], sample=sample)
        yield name, figures.figure_bytes(figure, ending)
