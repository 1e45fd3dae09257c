"""What is measured, what each number means, and by how much it may grow before the comparison fails."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["NUMBERS", "PARTS", "RATIOS", "Ratio", "arranged"]


class Ratio(NamedTuple):
    """A time (or a memory) over another of the same run: less is better.

    Attributes
    ----------
    part : str
        Title under which it stands.
    meaning : str
    tolerance : float
        Fails when it is more than so many times the baseline's.
    """

    part: str
    meaning: str
    tolerance: float


_KERNEL = "Kernel"
_FILL = "Matrices and variations"
_FILES = "Files"
_START = "Start-up"
PARTS = (_KERNEL, _FILL, _FILES, _START)

RATIOS: dict[str, Ratio] = {
    "kernel_over_copy": Ratio(
        _KERNEL,
        "the kernel from four-vectors to energy, angles, momenta and fate in one thread, into columns that are there, "
        "over a copy of 28 bytes a particle (28 read, 28 written: what energy and angle alone would need)",
        1.6,
    ),
    "kernel_over_copy_of_its_bytes": Ratio(
        _KERNEL,
        "the same over a copy of as many bytes as the kernel reads and writes",
        1.6,
    ),
    "pass_over_copy": Ratio(
        _KERNEL,
        "the pass through a card as `forefold.smear` calls it in one thread, which makes its columns too, over that copy of 28 bytes",
        1.8,
    ),
    "kernel_over_numpy": Ratio(
        _KERNEL,
        "the kernel over plain numpy that draws one log-normal factor and one angle a particle with the same width for all, "
        "without thresholds, fates and momenta",
        1.5,
    ),
    "kernel_over_correctionlib": Ratio(
        _KERNEL,
        "the kernel over correctionlib that draws a log-normal energy with one width, without an angle",
        1.6,
    ),
    "formula_over_preset": Ratio(
        _KERNEL,
        "a card whose widths are written as formulas over the preset that has them as numbers, one thread",
        1.5,
    ),
    "threads2_over_1": Ratio(
        _KERNEL, "the kernel in two threads over one thread; 0.5 is ideal", 1.7
    ),
    "wholes_over_blocks": Ratio(
        _KERNEL,
        "plain numpy that gives the same bits, for small inputs on a machine that has compiled nothing, over the compiled kernel",
        1.8,
    ),
    "fill_over_numpy_histogram2d": Ratio(
        _FILL,
        "a response matrix of 40 × 40 regular bins with truth, misses, fakes and variances over `numpy.histogram2d` with weights",
        1.5,
    ),
    "fill_over_boost_histogram": Ratio(
        _FILL,
        "the same over the two fills of boost-histogram that have the same content",
        1.5,
    ),
    "fill_variable_over_numpy_histogram2d": Ratio(
        _FILL, "40 × 40 variable bins, over `numpy.histogram2d` with weights", 1.5
    ),
    "fill_variable_over_boost_histogram": Ratio(
        _FILL, "40 × 40 variable bins, over the two fills of boost-histogram", 1.5
    ),
    "variations_over_nominal": Ratio(
        _FILL,
        "`smear_variations` with the visible energies of all variations of `dune-fd-uncertainties` over one `smear`",
        1.5,
    ),
    "file_over_read": Ratio(
        _FILES,
        "a `gst` file smeared into a parquet file over uproot that reads the same branches and does nothing with them",
        2.0,
    ),
    "file_work_over_read": Ratio(
        _FILES, "the same in processor time of all threads, not wall time", 1.5
    ),
    "records_over_read": Ratio(
        _FILES, "the event records of `forefold.iterate` over uproot that reads the branches", 2.0
    ),
    "memory_4_times_over_1": Ratio(
        _FILES, "peak memory of smearing a file of four times the size; 1 is ideal", 1.25
    ),
    "import_over_python": Ratio(_START, '`python -c "import forefold"` over `python -c pass`', 1.5),
    "help_over_python": Ratio(_START, "`forefold --help` over `python -c pass`", 1.5),
    "first_smear_over_python": Ratio(
        _START,
        "`forefold smear` of 100,000 particles with an empty compile cache over `python -c pass`",
        1.6,
    ),
    "later_smear_over_python": Ratio(
        _START, "the same once more, with the cache that it left", 1.6
    ),
    "compiled_smear_over_python": Ratio(
        _START, "the same with a cache that a larger smear has filled", 1.6
    ),
}
"""By name, in the order of the page."""

NUMBERS: dict[str, tuple[str, str]] = {
    "kernel_ns_per_particle": (_KERNEL, "kernel, ns a particle"),
    "copy_ns_per_particle": (_KERNEL, "copy of 28 bytes, ns a particle"),
    "pass_ns_per_particle": (_KERNEL, "whole pass, ns a particle"),
    "numpy_ns_per_particle": (_KERNEL, "plain numpy, ns a particle"),
    "correctionlib_ns_per_particle": (_KERNEL, "correctionlib, ns a particle"),
    "fill_entries_per_s": (_FILL, "entries a second into 40 × 40 regular bins"),
    "variations": (_FILL, "variations of `dune-fd-uncertainties`"),
    "file_events": (_FILES, "events of the file"),
    "file_events_per_s": (_FILES, "events a second, file to file"),
    "read_events_per_s": (_FILES, "events a second, uproot's reading alone"),
    "share_reading": (_FILES, "share of the time in reading"),
    "share_smearing": (_FILES, "share of the time in smearing"),
    "share_writing": (_FILES, "share of the time in writing"),
    "share_other": (_FILES, "share of the time in the rest (cutting blocks, counting fates)"),
    "memory_peak_mb": (
        _FILES,
        "peak memory of the process, MB (its own pages; those of the input that are mapped are not counted)",
    ),
    "python_s": (_START, "`python -c pass`, seconds"),
    "import_ms": (_START, "`import forefold` beyond it, milliseconds of processor time"),
    "help_s": (_START, "`forefold --help`, seconds"),
    "first_smear_cpu_s": (_START, "first smear, seconds of processor time"),
    "later_smear_cpu_s": (_START, "later smear, seconds of processor time"),
    "compiled_smear_cpu_s": (_START, "smear with all compiled, seconds of processor time"),
    "first_smear_s": (_START, "first smear, seconds (the aim is below 5)"),
    "later_smear_s": (_START, "later smear, seconds (the aim is below 1)"),
    "compiled_smear_s": (_START, "smear with all compiled, seconds (the aim is below 1)"),
}
"""Part and meaning of numbers that belong to one machine and are not compared."""


def arranged(found: dict[str, float | None], absent: dict[str, str]) -> dict[str, Any]:
    """Put what was measured into the order of a result: ratios at the top, by name, and the rest below them.

    Parameters
    ----------
    found : dict of str to float or None
        Ratios and numbers.
    absent : dict of str to str
        Why ratios are None.

    Returns
    -------
    dict of str

    Raises
    ------
    KeyError
        A ratio was not measured.
    """

    def short(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.4g}")

    ratios: dict[str, Any] = {name: short(found[name]) for name in RATIOS}
    numbers = {name: short(found[name]) for name in NUMBERS if name in found}
    return ratios | {"numbers": numbers, "absent": absent}
