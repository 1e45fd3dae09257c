"""``python -m benchmarks.compare OUT``: fail where a ratio is worse than that of the saved baseline by more than its tolerance."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.ratios import RATIOS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BASELINE", "Row", "compared", "load", "main", "table"]

BASELINE = Path(__file__).with_name("baseline.json")


class Row(NamedTuple):
    """One ratio, then and now.

    Attributes
    ----------
    name : str
    before, now : float or None
        None is not measured.
    allowed : float
        What `now` may be, at most; NaN where there is no baseline.
    fails : bool
    """

    name: str
    before: float | None
    now: float | None
    allowed: float
    fails: bool


def _value(results: Mapping[str, Any], name: str, where: str) -> float | None:
    value = results[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and math.isfinite(value) and value > 0.0):
        message = f"{where}: {name}: a number above 0 or null, found {value!r}"
        raise ValueError(message)
    return None if value is None else float(value)


def load(path: Path) -> dict[str, Any]:
    """Read results.

    Parameters
    ----------
    path : Path
        What ``python -m benchmarks --json`` wrote.

    Returns
    -------
    dict of str

    Raises
    ------
    ValueError
        It is no JSON object, or a ratio is no number above 0; the message names it.
    OSError
        It cannot be read.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        message = f"{path}: no JSON: {error}"
        raise ValueError(message) from None
    if not isinstance(found, dict):
        message = f"{path}: a JSON object is expected, found {type(found).__name__}"
        raise ValueError(message)
    for name in RATIOS.keys() & found.keys():
        _value(found, name, str(path))
    return found


def compared(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Row]:
    """Compare ratios with those of a baseline.

    Parameters
    ----------
    now, before : mapping
        Results, see `load`. A ratio that `before` does not have cannot fail. One that is null now was not measured,
        and does not fail; one that is not there at all does.

    Returns
    -------
    list of Row
        In the order of `benchmarks.ratios.RATIOS`.

    Examples
    --------
    >>> [row.fails for row in compared({"kernel_over_copy": 7.0}, {"kernel_over_copy": 4.0})]
    [True]
    """
    rows = []
    for name, ratio in RATIOS.items():
        if name not in now and name not in before:
            continue
        value = _value(now, name, "now") if name in now else None
        known = _value(before, name, "baseline") if name in before else None
        allowed = math.nan if known is None else known * ratio.tolerance
        lost = known is not None and name not in now
        rows.append(
            Row(name, known, value, allowed, lost or (value is not None and value > allowed))
        )
    return rows


def _shown(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4g}"


def table(rows: Sequence[Row]) -> str:
    """Say what was found, a line a ratio.

    Parameters
    ----------
    rows : sequence of Row

    Returns
    -------
    str
    """
    lines = [f"{'':<5} {'ratio':<38} {'baseline':>9} {'now':>9} {'allowed':>9}"]
    for row in rows:
        word = "WORSE" if row.fails else "" if row.now is not None else "not measured"
        word = "LOST" if row.fails and row.now is None else word
        numbers = " ".join(f"{_shown(x):>9}" for x in (row.before, row.now, row.allowed))
        lines.append(f"{word[:5]:<5} {row.name:<38} {numbers}".rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the command line.

    Returns
    -------
    int
        0; 1 where a ratio is worse; 2 where a file cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("results", type=Path, metavar="OUT")
    parser.add_argument("--baseline", type=Path, default=BASELINE)
    options = parser.parse_args(arguments)
    try:
        now = load(options.results)
        if not any(name in now for name in RATIOS):
            message = f"{options.results}: has no ratio; it is not what python -m benchmarks --json writes"
            raise ValueError(message)
        rows = compared(now, load(options.baseline))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"python -m benchmarks.compare: {error}\n")
        return 2
    print(table(rows))
    worse = [row.name for row in rows if row.fails]
    print(
        f"{len(worse)} of {len(rows)} worse than allowed{': ' if worse else ''}{', '.join(worse)}"
    )
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
