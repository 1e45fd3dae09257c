"""What the commands do, each in the order: check, read, write, report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.cli.jobparser import is_job, job_options, job_rng
from forefold.cli.progress import progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import hist
    from matplotlib.figure import Figure

    from forefold.workflows.stream import Tally

__all__ = [
    "convert",
    "demo",
    "inspect",
    "matrix",
    "plot",
    "smear",
]


def _say(text: str, *, quiet: bool = False) -> None:
    """Tell people something, beside what a pipe carries."""
    if not quiet:
        sys.stderr.write(text + "\n")


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


def inspect(options: argparse.Namespace) -> int:
    """Say what files hold."""
    from forefold import io

    found = []
    for path in io.expand(options.inputs):
        inspection = io.inspect(path, where=options.where, damage=options.damage)
        if options.json:
            found.append(inspection.to_dict())
        else:
            print(inspection, end="\n\n" if len(options.inputs) > 1 else "\n", flush=True)
    if options.json:
        print(json.dumps(found[0] if len(found) == 1 else found, indent=2))
    return 0


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
        _say(f"rng {tally.rng}")  # without it the output cannot be made again
    _say(_tally(tally, options.out), quiet=options.quiet)
    _say_selected(options)
    return 0


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
    _say(f"{options.out}: {count:,} events", quiet=options.quiet)
    _say_selected(options)
    return 0


def _say_selected(options: argparse.Namespace) -> None:
    """Say how many events a selection kept."""
    cut = options.where
    if cut is not None and cut.events:
        text = f"  selection: {cut.kept:,} of {cut.events:,} events kept, {cut.events - cut.kept:,} cut ({cut.text})"
        _say(text, quiet=options.quiet)


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
    return "\n".join(lines)


def matrix(options: argparse.Namespace) -> int:
    """Fill one matrix and write it as UHI JSON."""
    from forefold.cli.fill import Request, card_of, fill, fill_many
    from forefold.io.write import replace_aside
    from forefold.matrix import to_json

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
        message = "--workers, --cluster, --resume: parts lie beside the output, so it cannot be stdout: give -o OUT"
        raise ValueError(message)
    if options.out == "-":
        print(to_json(fill([request], card, options)[0]))
        _say_selected(options)
        return 0
    if Path(options.out).suffix != ".json":
        message = f"{options.out}: a matrix is written as .json (UHI), or to - (stdout)"
        raise ValueError(message)
    if is_job(options):
        filled = fill_many(request, card, options)
    else:
        with replace_aside(options.out, options.overwrite) as aside:
            filled = fill([request], card, options)[0]
            aside.write_text(to_json(filled) + "\n", encoding="utf-8")
    total = filled.values(flow=True).sum()
    shape = " x ".join(str(n) for n in filled.shape)
    _say(f"{options.out}: {shape} bins, sum of weights {total:,.6g}", quiet=options.quiet)
    _say_selected(options)
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draw one figure, or all."""
    from forefold.cli.figures import FIGURES
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
        _say(f"{options.out}: {len(names)} figures", quiet=options.quiet)
        _say_selected(options)
        return 0
    ending = Path(options.out).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        allowed = ", ".join(f".{name}" for name in FORMATS)
        message = f"{options.out}: the name of a figure ends in {allowed}"
        raise ValueError(message)
    with replace_aside(options.out, options.overwrite) as aside:
        for _, data in _figures(names, ending, options):
            aside.write_bytes(data)
    _say(f"{options.out}: {FIGURES[options.figure]}", quiet=options.quiet)
    _say_selected(options)
    return 0


def _check_inputs(options: argparse.Namespace, needs_events: list[str]) -> None:
    if options.include_lost and not any(name.startswith("angle") for name in needs_events):
        message = f"--include-lost is for angles, figure {options.figure!r} has none"
        raise ValueError(message)
    if needs_events and not options.inputs:
        message = f"figure {options.figure!r} is made from events: give INPUT and -d CARD"
        raise ValueError(message)
    if not needs_events and options.inputs:
        message = f"figure {options.figure!r} is made without events: leave INPUT out"
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
