"""``forefold spectrum`` and ``forefold observables``: quantities of events, in bins and one row an event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from forefold.cli.documents import json_output
from forefold.cli.events import say, say_selected
from forefold.cli.options import add_define, add_events, add_output_options
from forefold.cli.progress import progress
from forefold.cli.values import condition, smeared_condition

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import awkward as ak

    from forefold.cli.progress import Report
    from forefold.smearing.particles import Axis

    Add = Callable[..., argparse.ArgumentParser]

__all__ = ["add_observables", "add_spectrum"]

_SMEARED = "for generator events only; these are smeared already"


def add_spectrum(commands: Any, add: Add) -> None:
    """Add ``forefold spectrum``."""
    sub = add(
        commands,
        "spectrum",
        spectrum,
        "fill a spectrum of events, true or reconstructed, as UHI JSON",
        epilog=(
            "INPUT is a generator's file (with -d CARD for what is reconstructed) or what 'forefold smear' wrote; or the .json of a response matrix, of\n"
            "which the truth is taken, or with --reco all that is reconstructed.\n\n"
            "example:\n  forefold spectrum numu.gst.root --axis visible_energy=0:8:16 -o flux.json\n"
            "  forefold spectrum numu.gst.root -d nusmear-default --rng 1 --axis visible_energy=0:8:16 -o data.json"
        ),
    )
    add_events(sub, card=False, polar=False)
    sub.add_argument(
        "--axis",
        action="append",
        default=[],
        dest="axes",
        metavar="AXIS",
        help="NAME=LOW:HIGH:BINS[:log] or NAME=EDGE,EDGE,...: an axis of any observable; repeatable. Or what polar angles refer to: probe (default) or z",
    )
    side = sub.add_mutually_exclusive_group()
    side.add_argument(
        "--true",
        dest="side",
        action="store_const",
        const="true",
        help="what is true (default where nothing is smeared)",
    )
    side.add_argument(
        "--reco",
        dest="side",
        action="store_const",
        const="reco",
        help="what is reconstructed (default where something is)",
    )
    sub.add_argument(
        "--signal", type=condition, metavar="CONDITION", help="only true events of this kind"
    )
    sub.add_argument(
        "--select",
        type=smeared_condition,
        metavar="CONDITION",
        help="only what is selected by what is reconstructed, such as 'n_mu_reco == 1'",
    )
    add_define(sub)
    sub.add_argument(
        "--scale", type=float, default=1.0, metavar="X", help="factor of every weight (default: 1)"
    )
    sub.add_argument(
        "-o", "--out", default="-", metavar="OUT", help="output .json, or - for stdout (default)"
    )
    add_output_options(sub)


def spectrum(options: argparse.Namespace) -> int:
    """Fill a spectrum and write it."""
    from forefold.kernels.philox import random_key
    from forefold.matrix import to_json
    from forefold.matrix.spectrum import spectrum as filled_spectrum

    axes = [text for text in options.axes if text not in ("probe", "z")]
    polar: Axis = "z" if "z" in options.axes else "probe"
    with json_output(options) as write:
        if len(options.inputs) == 1 and options.inputs[0].endswith(".json"):
            filled = _of_matrix(options, axes)
        else:
            if not axes:
                message = "no axis: give --axis, such as --axis visible_energy=0:8:16"
                raise ValueError(message)
            rng = random_key(options.rng)
            with progress("filling", quiet=options.quiet) as report:
                filled = filled_spectrum(
                    _pieces(options, report),
                    options.card,
                    axes=axes,
                    side=options.side,
                    signal=options.signal,
                    select=options.select,
                    define=options.define,
                    scale=options.scale,
                    rng=rng,
                    axis=polar,
                    on_invalid=options.on_invalid,
                )
            if options.rng is None and options.card is not None:
                sys.stderr.write(f"rng {rng}\n")  # without it the result cannot be made again
        shape = " x ".join(str(len(axis)) for axis in filled.axes)
        names = ", ".join(axis.name for axis in filled.axes)
        total = filled.sum(flow=True).value
        write(to_json(filled), f"spectrum of {names}: {shape} bins, sum of weights {total:,.6g}")
    say_selected(options)
    return 0


def _of_matrix(options: argparse.Namespace, axes: list[str]) -> Any:
    """Take a spectrum of a response matrix."""
    from forefold.cli.documents import read_named
    from forefold.matrix import ResponseMatrix

    given = {"--axis": axes, "-d": options.card, "--signal": options.signal, "--select": options.select, "--where": options.where, "--define": options.define}  # fmt: skip
    extra = [name for name, value in given.items() if value]
    if extra:
        message = (
            f"{', '.join(extra)}: for events; the matrix {options.inputs[0]} is filled already"
        )
        raise ValueError(message)
    matrix = read_named(options.inputs[0], ResponseMatrix.from_json)
    filled = matrix.reco if options.side == "reco" else matrix.truth
    return filled * options.scale if options.scale != 1.0 else filled


def _pieces(options: argparse.Namespace, report: Report | None) -> Iterator[ak.Array]:
    """Read events, or smeared events."""
    from forefold import io
    from forefold.detector.load import load_card
    from forefold.io.files import expand
    from forefold.io.native.smeared import is_smeared, iterate_smeared
    from forefold.workflows.stream import read_for

    names = expand(options.inputs)
    settings = {name: getattr(options, name) for name in ("chunk", "entries", "where", "damage")}
    if options.card is not None:
        yield from read_for(names, load_card(options.card), progress=report, **settings)
        return
    if not any(map(is_smeared, names)):
        yield from io.iterate(names, progress=report, **settings)
        return
    if options.where is not None:
        message = f"--where: {_SMEARED}"
        raise ValueError(message)
    for name in names:
        if not is_smeared(name):
            message = f"{name}: not smeared, as others are: give one kind"
            raise ValueError(message)
        yield from iterate_smeared(
            name, chunk=options.chunk, entries=options.entries, progress=report
        )


def add_observables(commands: Any, add: Add) -> None:
    """Add ``forefold observables``."""
    sub = add(
        commands,
        "observables",
        observables,
        "list observables, or write them one row an event (.csv, .parquet)",
        epilog=(
            "Without INPUT it lists what there is, with units and sources.\n\n"
            "example:\n  forefold observables numu.gst.root -d nusmear-dune-cdr --rng 1 --names q2 w \\\n"
            "    --define 'pmiss = sqrt(missing_pt**2 + q3**2)' -o numu.csv"
        ),
    )
    add_events(sub, inputs="*", card=False)
    sub.add_argument("--names", nargs="+", metavar="NAME", help="which (default: all)")
    add_define(sub)
    sub.add_argument("-o", "--out", metavar="OUT", help="output .csv or .parquet")
    add_output_options(sub)


def observables(options: argparse.Namespace) -> int:
    """List observables, or write those of events."""
    from pathlib import Path

    from forefold.events.observables import OBSERVABLES

    if not options.inputs:
        if options.out:
            message = "-o OUT: give INPUT, the events"
            raise ValueError(message)
        wide = max(map(len, OBSERVABLES))
        for each in OBSERVABLES.values():
            source = f" ({each.source})" if each.source else ""
            print(f"{each.name:<{wide}}  {each.unit:<6} {each.meaning}{source}")
        return 0
    if Path(options.out or "").suffix not in (".csv", ".parquet"):
        message = f"{options.out or '-o OUT'}: observables are written as .csv or .parquet"
        raise ValueError(message)
    count = _written(options)
    say(f"{options.out}: observables of {count:,} events", quiet=options.quiet)
    say_selected(options)
    return 0


def _written(options: argparse.Namespace) -> int:
    """Write a table piece by piece."""
    import awkward as ak
    import pyarrow as pa
    from pyarrow import csv, parquet

    from forefold.detector.load import load_card
    from forefold.events.observables import observables as computed
    from forefold.io.write import replace_aside
    from forefold.kernels.philox import random_key
    from forefold.smearing.smear import smear

    card, rng = None if options.card is None else load_card(options.card), random_key(options.rng)
    settings: Any = {"rng": rng, "axis": options.axis, "on_invalid": options.on_invalid}
    count, writer = 0, None
    names = [] if options.names is None and options.define else options.names
    with replace_aside(options.out, options.overwrite) as aside:
        with progress("computing", quiet=options.quiet) as report:
            for events in _pieces(options, report):
                smeared = None if card is None else smear(events, card, **settings)
                made = computed(events, smeared, names=names, define=options.define)
                table = ak.to_arrow_table(made, extensionarray=False)
                table = pa.table({name: table[name] for name in table.column_names})
                if writer is None:
                    kind = csv.CSVWriter if options.out.endswith(".csv") else parquet.ParquetWriter
                    writer = kind(aside, table.schema)
                writer.write_table(
                    table.cast(writer.schema) if hasattr(writer, "schema") else table
                )
                count += len(made)
        if writer is not None:
            writer.close()
        else:
            message = "no events are left: nothing to write"
            raise ValueError(message)
    if options.rng is None and card is not None:
        sys.stderr.write(f"rng {rng}\n")
    return count
