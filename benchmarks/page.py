"""``python -m benchmarks.page OUT > docs/performance.md``: the page of what was measured, with the machine's description."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.compare import load
from benchmarks.ratios import NUMBERS, PARTS, RATIOS
from benchmarks.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main", "page"]

_HEAD = """\
# Performance

This page is written by a script from one run; do not edit it.

```sh
pip install correctionlib                              # optional: without it one ratio is left out
python -m benchmarks --json OUT.json                   # some minutes
python -m benchmarks.files --events 1000000 --json OUT.json   # adds the large file
python -m benchmarks.steps --json OUT.json             # adds where the kernel's time goes
python -m benchmarks.page OUT.json > docs/performance.md
python -m benchmarks.compare OUT.json                  # against benchmarks/baseline.json; exit code 1 if worse
```

Absolute times say more of a machine than of the code, so every line that is compared is a ratio of two numbers of one run, measured in turn; of each, the
shortest of many is taken. **Less is better**: `a_over_b` is what `a` takes divided by what `b` takes. What runs in one thread is measured in time of
the processor, which stands still while other programs have it; so are the ratios of start-up. Threads and files are measured on the
wall. No time to compile is in any number but the first smear's. The last column is what `python -m benchmarks.compare` allows: so many times the baseline."""

_MODULES = (
    (
        "`python -m benchmarks.fill`",
        "entries a second into response matrices, beside numpy and boost-histogram ([matrices](matrices.md))",
    ),
    (
        "`python -m benchmarks.files`",
        "one large file, and the shares of reading, smearing and writing",
    ),
    (
        "`python -m benchmarks.samples OUT`",
        "makes such a file, of the packaged events again and again",
    ),
    (
        "`python -m benchmarks.many`",
        "10⁹ particles through two workers, with the peak memory of each",
    ),
    (
        "`python -m benchmarks.variations`",
        "what common random numbers save, and what variations cost ([uncertain detectors](variations.md))",
    ),
    (
        "`python -m benchmarks.convergence`",
        "matrices of events against the exact one, for more and more events ([matrices](matrices.md))",
    ),
    (
        "`python -m benchmarks.toys`",
        "limits, intervals and coverage by toys against plain numpy ([inference](inference.md))",
    ),
    (
        "`python -m benchmarks.unfolding`",
        "iterative Bayes against PyUnfold, and coverage of every method ([unfolding](unfolding.md))",
    ),
    (
        "`python -m benchmarks.unfolding_generators`",
        "one generator's events unfolded with another's matrix ([unfolding](unfolding.md))",
    ),
    (
        "`python -m benchmarks.validation`",
        "cards against their closed forms ([measured](validation.md))",
    ),
)
"""Commands and what they measure."""


def _number(value: float | None) -> str:
    if value is None:
        return "not measured"
    if value >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.4g}" if value >= 0.1 else f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    ruler = ["-" * width for width in widths]
    lines = []
    for row in [head, ruler, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _machine(about: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{k} {v}" for k, v in about["packages"].items() if v is not None)
    numbers = f"before the run {about['load']}, after it {about['load_after']}"
    return (
        f"{about['processor']}, {about['cores']} cores, {about['system']}; Python {about['python']}, {packages}.\n"
        f"Load of the machine (processes that want a core, average of a minute) {numbers}: "
        "above the number of cores, wall times are those of a machine that others use too, and too long."
    )


def _part(title: str, results: Mapping[str, Any]) -> str:
    ratios = [
        [f"`{name}`", _number(results[name]), ratio.meaning, f"{ratio.tolerance:g}"]
        for name, ratio in RATIOS.items()
        if ratio.part == title and name in results
    ]
    numbers = [
        [meaning, _number(results["numbers"][name])]
        for name, (part, meaning) in NUMBERS.items()
        if part == title and name in results["numbers"]
    ]
    absent = [
        f"`{name}` was not measured: {why}."
        for name, why in results["absent"].items()
        if name in RATIOS and RATIOS[name].part == title
    ]
    parts = [f"## {title}"]
    if ratios:
        parts.append(_table(["ratio", "found", "of what", "allowed"], ratios))
    if numbers:
        parts.append(_table(["on this machine", "found"], numbers))
    return "\n\n".join([*parts, *absent])


def _large(found: Mapping[str, Any]) -> str:
    ratios = [
        [f"`{name}`", _number(found[name]), RATIOS[name].meaning]
        for name in found
        if name in RATIOS
    ]
    numbers = [[NUMBERS[name][1], _number(found[name])] for name in NUMBERS if name in found]
    text = (
        f"The packaged events again and again, in one file, smeared into parquet by one process (`python -m benchmarks.files`); "
        f"best of {found['repeats']}, load {found['load_before']} before and {found['load_after']} after."
    )
    return "\n\n".join(
        [
            f"## A file of {found['file_events']:,.0f} events",
            text,
            _table(["ratio", "found", "of what"], ratios),
            _table(["on this machine", "found"], numbers),
        ]
    )


def _steps(found: Mapping[str, float]) -> str:
    rows = [[name, _number(found[name]), meaning] for name, meaning in STEPS.items()]
    ratio = found["energy_and_angle"] / found["copy"]
    text = (
        "Each loop of the kernel on blocks that lie in the cache (`python -m benchmarks.steps`), of the preset card. "
        f"All of them: {_number(found['sum'])} ns a particle. Those that draw energy and angle alone, from numbers that are "
        f"there (uniforms, both quantiles, energies, aim): {_number(found['energy_and_angle'])} ns, {_number(ratio)} times a copy "
        f"of 28 bytes in the cache ({_number(found['copy'])} ns). The goal of twice the copy is not reached: it is less than "
        "the random numbers of a particle take. Half of the time is arithmetic that the bits prescribe, without fused "
        "operations and without tables; the rest finds rules, and moves numbers."
    )
    table = _table(["loop", "ns a particle", "what it does"], rows)
    return f"## Where the kernel's time goes\n\n{text}\n\n{table}"


def page(results: Mapping[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    results : mapping
        What ``python -m benchmarks --json`` wrote, with ``"large"`` of ``python -m benchmarks.files --json`` if it is there.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ValueError
        The machine, the numbers or what is absent is missing.
    """
    missing = [name for name in ("about", "numbers", "absent") if name not in results]
    if missing:
        message = (
            f"results without {', '.join(missing)}: not what python -m benchmarks --json writes"
        )
        raise ValueError(message)
    parts = [_HEAD, "## The machine", _machine(results["about"])]
    parts += [_part(title, results) for title in PARTS]
    if "large" in results:
        parts.append(_large(results["large"]))
    if "steps" in results:
        parts.append(_steps(results["steps"]))
    parts += ["## Other benchmarks", _table(["command", "what it measures"], _MODULES)]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the command line.

    Returns
    -------
    int
        0; 2 where the file cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("results", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    try:
        text = page(load(options.results))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"python -m benchmarks.page: {error}\n")
        return 2
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
