"""The demonstration: a real GENIE sample through both NuSmear models."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forefold.io.registry import Progress
    from forefold.matrix import Summary

__all__ = ["CARDS", "Demo", "run", "sample"]

CARDS = ("nusmear-dune-cdr", "nusmear-default")
"""The models that the demonstration compares."""

_ABOUT = "3,000 muon neutrinos on argon-40 (GENIE 3.06.02, G18_02a_00_000)"


def sample() -> Path:
    """Give the path of the GENIE events that come with forefold: 3,000 numu on argon, as gst.

    Examples
    --------
    >>> sample().name
    'genie_numu_Ar40_3k.gst.root'
    """
    return Path(str(resources.files("forefold") / "data" / "genie_numu_Ar40_3k.gst.root"))


@dataclass(frozen=True)
class Demo:
    """What the demonstration made; print it.

    Attributes
    ----------
    folder : Path
    files : tuple of str
        Names in the folder.
    summaries : tuple of Summary
        One a card.
    """

    folder: Path
    files: tuple[str, ...]
    summaries: tuple[Summary, ...]

    def __str__(self) -> str:
        """Tables, what was written and what to try next."""
        report = self.folder / "report.html"
        lines = [_ABOUT, ""]
        for summary in self.summaries:
            lines += [str(summary), ""]
        lines += [
            "bias, width: mean and standard deviation of (reco - true) / true of the energy that the card smears;",
            "angle: standard deviation of the drawn minus the true polar angle; all of detected particles",
            "",
        ]
        lines += [f"written to {self.folder}:", *(f"  {name}" for name in self.files), ""]
        lines += [
            "try next:",
            f"  open {report} in a browser",
            f"  forefold card show {CARDS[0]}",
            f"  forefold inspect {sample()}",
            f"  forefold smear YOUR.gst.root -d {CARDS[0]} --rng 1 -o yours.parquet",
            f"  forefold plot all YOUR.gst.root -d {CARDS[1]} --rng 1 -o figures",
        ]
        return "\n".join(lines)


def run(
    folder: Path,
    *,
    rng: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Demo:
    """Smear the sample by each of `CARDS`, and write the events and a report.

    Parameters
    ----------
    folder : Path
        Made when all of it is there.
    rng : int
        What fixes the draws.
    overwrite : bool
        Replace the files of an earlier demonstration in the folder.
    progress : callable, optional
        Called with the fraction that is done and the number of events.

    Returns
    -------
    Demo

    Raises
    ------
    OSError
        The folder exists (without `overwrite`) or cannot be written.
    """
    from forefold.detector.load import load_card
    from forefold.io.folders import folder_aside
    from forefold.workflows.report import Section, write_report
    from forefold.workflows.stream import smear_files

    sections = [Section(load_card(name)) for name in CARDS]
    files = (*(f"{name}.parquet" for name in CARDS), "report.html")
    with folder_aside(folder, overwrite) as aside:
        for i, (section, name) in enumerate(zip(sections, files, strict=False)):
            smear_files(
                sample(),
                section.card,
                aside / name,
                rng=rng,
                chunk=1000,
                progress=None if progress is None else _part(progress, i, len(sections)),
                also=[section.add],
            )
        write_report(
            aside / "report.html",
            sections,
            title="forefold: NuSmear's models on GENIE events",
            sample=_ABOUT,
            inputs=[sample().name],
        )
    return Demo(folder, files, tuple(section.summary for section in sections))


def _part(progress: Progress, i: int, n: int) -> Progress:
    """Progress of part `i` of `n` as that of the whole."""

    def report(fraction: float | None, events: int) -> None:
        progress(None if fraction is None else (i + fraction) / n, events)

    return report
