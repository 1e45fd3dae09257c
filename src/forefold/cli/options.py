"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold.cli.cite import add_cite_option
from forefold.cli.values import condition, count, cross_section, smeared_condition, whole

if TYPE_CHECKING:
    import argparse

__all__ = [
    "add_chunk",
    "add_cross_section",
    "add_define",
    "add_events",
    "add_jobs",
    "add_output_options",
    "add_picture",
    "add_rng",
    "add_select",
    "add_selection",
    "add_skip_damaged",
    "add_variations",
    "add_where",
    "is_job",
    "job_options",
    "job_rng",
]


def add_picture(sub: argparse.ArgumentParser, what: str) -> None:
    """Let a command that writes JSON draw a picture beside it, in one step."""
    sub.add_argument(
        "--plot", metavar="FILE", help=f"draw {what}, too, beside OUT: .pdf, .png or .svg"
    )


def add_events(
    sub: argparse.ArgumentParser, *, inputs: str = "+", card: bool = True, polar: bool = True
) -> None:
    """Add inputs, card, rng, entries and how events are taken."""
    sub.add_argument("inputs", nargs=inputs, metavar="INPUT", help="generator file or pattern")
    sub.add_argument(
        "-d",
        "--card",
        required=card,
        default=None,
        metavar="CARD",
        help="detector card: a name of 'forefold card list' or a .toml file"
        + ("" if card else "; left out, INPUT is what 'forefold smear' wrote"),
    )
    add_rng(sub, default=None)
    sub.add_argument("--entries", metavar="START:STOP", help="entries of each input, such as 0:500")
    add_where(sub)
    if polar:
        sub.add_argument(
            "--axis",
            choices=("probe", "z"),
            default="probe",
            help="what polar angles refer to: the incident particle (default) or the z axis",
        )
    sub.add_argument(
        "--on-invalid",
        choices=("stop", "lose"),
        default="stop",
        help="a particle for which a formula of the card has no value: stop (default), or count it as lost",
    )
    sub.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        help="where plain cards are drawn: cuda is an NVIDIA GPU (default: FOREFOLD_DEVICE, or cpu); it changes no bit",
    )
    add_chunk(sub)
    add_cite_option(sub)


def add_cross_section(sub: argparse.ArgumentParser) -> None:
    """Let the cross-section be said that an input does not say."""
    sub.add_argument(
        "--cross-section",
        type=cross_section,
        metavar="TEXT",
        help="flux-averaged total cross-section of these events, for NuHepMC, where the input does not say it: "
        "'1.18 pb PerAtom'",
    )


def add_chunk(sub: argparse.ArgumentParser) -> None:
    """Add how much is in memory at a time."""
    sub.add_argument(
        "--chunk",
        type=count,
        default=20_000,
        metavar="N",
        help="events in memory at a time (default: %(default)s); it changes no bit of the result",
    )
    add_skip_damaged(sub)


def add_skip_damaged(sub: argparse.ArgumentParser) -> None:
    """Let events be left out that cannot be read."""
    sub.add_argument(
        "--skip-damaged",
        action="store_true",
        help="go on without events that cannot be read, and say how many there were",
    )


def add_where(sub: argparse.ArgumentParser) -> None:
    """Add a condition on events."""
    sub.add_argument(
        "--where",
        type=condition,
        metavar="CONDITION",
        help="only events of which this is true, such as 'cc and abs(probe) == 14 and enu > 0.5'",
    )


def add_define(sub: argparse.ArgumentParser) -> None:
    """Add observables of the user's own; conditions may name them."""
    sub.add_argument(
        "--define",
        action="append",
        metavar="NAME=FORMULA",
        help="an observable of your own, such as 'pmiss [GeV/c] = sqrt(missing_pt**2 + q3**2)' or 'm = mass(mu-, p)'; repeatable",
    )


def add_select(sub: argparse.ArgumentParser, what: str) -> None:
    """Add a condition on what is reconstructed."""
    sub.add_argument(
        "--select",
        type=smeared_condition,
        metavar="CONDITION",
        help="only what is selected by what is reconstructed, such as \"topology_reco == '0pi' and n_mu_reco == 1\" (NAME_reco, NAME_true); "
        + what,
    )


def add_rng(sub: argparse.ArgumentParser, *, default: int | None) -> None:
    """Add the number that fixes every draw."""
    sub.add_argument(
        "--rng",
        type=whole,
        default=default,
        metavar="N",
        help="whole number that fixes every draw "
        + ("(default: taken from the system, and printed)" if default is None else "(default: 1)"),
    )


def add_variations(sub: argparse.ArgumentParser, what: str) -> None:
    """Add varied detectors."""
    sub.add_argument(
        "--variations",
        action="append",
        default=[],
        metavar="WHICH",
        help=f"varied detectors, same random numbers, {what}: 'all', NAME_up, NAME_down or 'universes:N'; repeatable",
    )


def add_selection(sub: argparse.ArgumentParser) -> None:
    """Add what the figures of the NuSmear paper select."""
    sub.add_argument("--cc-only", action="store_true", help="charged-current events only")
    sub.add_argument(
        "--include-lost",
        action="store_true",
        help="angles: count lost particles with the angle drawn for them, as NuSmear's C++ does",
    )


def add_output_options(sub: argparse.ArgumentParser) -> None:
    """Add how an output is written."""
    sub.add_argument("--overwrite", action="store_true", help="replace an existing output")
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no summary")


def add_jobs(sub: argparse.ArgumentParser) -> None:
    """Add the options of a job to a command that reads events."""
    group = sub.add_argument_group(
        "many cores, many machines",
        "the output has the bytes that one process writes; OUT.parts holds parts while they are made, and "
        "OUT.manifest.json says what was done",
    )
    who = group.add_mutually_exclusive_group()
    who.add_argument(
        "--workers", type=count, metavar="N", help="share the work among so many processes"
    )
    who.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="share it among the workers of a Dask cluster, such as tcp://scheduler:8786",
    )
    group.add_argument(
        "--partition",
        type=count,
        default=100_000,
        metavar="N",
        help="events of a part (default: %(default)s), rounded up to a multiple of 20000",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with a job that was stopped or killed; the command is that which began it",
    )


def job_options(options: argparse.Namespace) -> dict[str, Any]:
    """Give the options of a job as the arguments of `forefold.smear_files`."""
    names = ("workers", "cluster", "partition", "resume")
    return {name: getattr(options, name) for name in names if hasattr(options, name)}


def is_job(options: argparse.Namespace) -> bool:
    """Whether there are workers."""
    return any(getattr(options, name, None) for name in ("workers", "cluster", "resume"))


def job_rng(options: argparse.Namespace) -> int:
    """Take what fixes the draws: what was typed, that of the job that goes on, or a new one."""
    from forefold.smearing.smear import random_key
    from forefold.workflows.parallel.run import rng_of

    known = rng_of(options.out) if options.rng is None and options.resume else None
    return random_key(options.rng) if known is None else known
