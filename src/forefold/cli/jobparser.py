"""What can be typed about the workers of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forefold.cli.values import count

if TYPE_CHECKING:
    import argparse

__all__ = ["add_jobs", "is_job", "job_options", "job_rng"]


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
