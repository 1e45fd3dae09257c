"""Unified intervals against the tables of Feldman and Cousins, Phys. Rev. D 57 (1998) 3873, physics/9711021, and against a plain scan.

The paper itself was not at hand. Every value below was read in a public source that quotes a table of it (or the table of the Review of Particle
Physics that reprints its columns without background), which is named beside it. Where none was found (99 %, most backgrounds of
table IV, lower ends of tables VI and VII, table X but for one row), nothing is called the paper's: a scan, written plainly here, is the second way.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forefold.inference import bounded_normal_interval, feldman_cousins, sensitivity

ROUNDING = 0.0051  # printed with two digits; what it prints is from a grid of 0.005
LENGTHENED = 0.0061  # peaks of upper ends are narrower than the grid
# Table II (68.27 %) without background, 0 to 20 counts: error bars of the histogram package multihist, and constants of the simulation icemc. They
# agree but for the lower end of 9 counts, 6.44 there and 6.33 here; ours agrees with the latter.
TABLE_II = (
    *((0.00, 1.29), (0.37, 2.75), (0.74, 4.25), (1.10, 5.30), (2.34, 6.78), (2.75, 7.81)),
    *((3.82, 9.28), (4.25, 10.30), (5.30, 11.32), (6.33, 12.79), (6.78, 13.81), (7.81, 14.82)),
    *((8.83, 16.29), (9.28, 17.30), (10.30, 18.32), (11.32, 19.32), (12.33, 20.80)),
    *((12.79, 21.81), (13.81, 22.82), (14.82, 23.82), (15.83, 25.30)),
)
# Table IV (90 %) without background, 0 to 10 counts: an analysis of B -> mu mu (anaBmm), from the Review of Particle Physics
TABLE_IV_0 = (
    *((0.00, 2.44), (0.11, 4.36), (0.53, 5.91), (1.10, 7.42), (1.47, 8.60), (1.84, 9.99)),
    *((2.21, 11.47), (3.56, 12.53), (3.96, 13.99), (4.36, 15.30), (5.50, 16.50)),
)
# Table IV (90 %), background 3, 0 to 14 counts: tests of the package feldman_cousins; 6 counts: tests of gammapy, too
TABLE_IV_3 = (
    *((0.00, 1.08), (0.00, 1.88), (0.00, 3.04), (0.00, 4.42), (0.00, 5.60), (0.00, 6.99)),
    *((0.15, 8.47), (0.89, 9.53), (1.51, 10.99), (1.88, 12.30), (2.63, 13.50), (3.04, 14.81)),
    *((4.01, 16.00), (4.42, 17.05), (5.50, 18.50)),
)
# Upper ends of table IV (90 %), by counts and background: tests of a collection of statistics for high-energy physics
TABLE_IV_UPPER = [
    *((0, 0.5, 1.94), (0, 1.0, 1.61), (0, 2.0, 1.26), (0, 4.0, 1.01), (0, 5.0, 0.98)),
    *((1, 4.0, 1.39), (1, 5.0, 1.22)),
]
# Upper ends of table VI (95 %; backgrounds above 5 are in table VII), 0 to 7 counts, by background: a macro that draws limits with ROOT
TABLE_VI_UPPER = {
    0.0: (3.09, 5.14, 6.72, 8.25, 9.76, 11.26, 12.75, 13.81),
    0.5: (2.63, 4.64, 6.22, 7.75, 9.26, 10.76, 12.25, 13.31),
    1.0: (2.33, 4.14, 5.72, 7.25, 8.76, 10.26, 11.75, 12.81),
    1.5: (2.05, 3.69, 5.22, 6.75, 8.26, 9.76, 11.25, 12.31),
    2.0: (1.78, 3.30, 4.72, 6.25, 7.76, 9.26, 10.75, 11.81),
    2.5: (1.78, 2.95, 4.25, 5.75, 7.26, 8.76, 10.25, 11.31),
    3.0: (1.63, 2.63, 3.84, 5.25, 6.76, 8.26, 9.75, 10.81),
    3.5: (1.63, 2.33, 3.46, 4.78, 6.26, 7.76, 9.25, 10.31),
    4.0: (1.57, 2.08, 3.11, 4.35, 5.76, 7.26, 8.75, 9.81),
    5.0: (1.54, 1.88, 2.49, 3.58, 4.84, 6.26, 7.75, 8.81),
    6.0: (1.52, 1.78, 2.28, 2.91, 4.05, 5.33, 6.75, 7.81),
    7.0: (1.51, 1.73, 2.11, 2.69, 3.35, 4.52, 5.82, 6.81),
}
# Table XII: 68.27 % and the first nine of 90 %: tests of the package feldman_cousins; 90 %: a study of dark photons
TABLE_XII = {
    0.6827: (
        *((0.0, 1.29), (0.5, 1.52), (1.0, 1.82), (1.5, 2.07), (2.0, 2.29), (2.5, 2.45)),
        *((3.0, 2.62), (3.5, 2.78), (4.0, 2.91)),
    ),
    0.9: (
        *((0.0, 2.44), (0.5, 2.86), (1.0, 3.28), (1.5, 3.62), (2.0, 3.94), (2.5, 4.20)),
        *((3.0, 4.42), (3.5, 4.63), (4.0, 4.83), (5.0, 5.18), (6.0, 5.53), (7.0, 5.90)),
    ),
}


@pytest.mark.parametrize(
    ("level", "background", "table"),
    [(0.6827, 0.0, TABLE_II), (0.9, 0.0, TABLE_IV_0), (0.9, 3.0, TABLE_IV_3)],
    ids=["table II, b = 0", "table IV, b = 0", "table IV, b = 3"],
)
def test_both_ends(level: float, background: float, table: tuple[tuple[float, float], ...]) -> None:
    for n, ends in enumerate(table):
        assert feldman_cousins(n, background, level=level) == pytest.approx(ends, abs=ROUNDING)


def test_upper_ends_of_table_iv() -> None:
    for n, background, wanted in TABLE_IV_UPPER:
        assert feldman_cousins(n, background)[1] == pytest.approx(wanted, abs=LENGTHENED)
    # 10 counts, background 0.5: tests of gammapy
    assert feldman_cousins(10, 0.5) == pytest.approx((5.00, 16.00), abs=ROUNDING)


@pytest.mark.parametrize("background", list(TABLE_VI_UPPER))
def test_upper_ends_of_table_vi(background: float) -> None:
    for n, wanted in enumerate(TABLE_VI_UPPER[background]):
        assert feldman_cousins(n, background, level=0.95)[1] == pytest.approx(
            wanted, abs=LENGTHENED
        )


@pytest.mark.parametrize("level", list(TABLE_XII))
def test_sensitivities_of_table_xii(level: float) -> None:
    for background, wanted in TABLE_XII[level]:
        # means of ends that are rounded up to a grid of 0.005, and printed with two digits
        assert sensitivity(background, level=level) == pytest.approx(wanted, abs=0.0101)


def test_one_row_of_table_x() -> None:
    # 2.6 standard deviations, 90 %: tests of gammapy
    assert bounded_normal_interval(2.6) == pytest.approx((1.02, 4.24), abs=ROUNDING)


def scanned(background: float, level: float, top: float, step: float) -> NDArray[np.float64]:
    """Ends for 0, 1, ... counts: at every signal of a grid, counts are accepted in the order of their ratios until there is enough."""
    k = np.arange(80)
    signals = np.arange(0.0, top, step)
    chance = stats.poisson.pmf(k, signals[:, None] + background)
    # counts below the background rank the same where there is no signal
    ratio = np.round(chance / stats.poisson.pmf(k, np.maximum(k, background)), 12)
    order = np.argsort(-ratio, axis=1, kind="stable")
    total = np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1)
    last = np.take_along_axis(order, np.argmax(total >= level, axis=1)[:, None], axis=1)
    accepted = ratio >= np.take_along_axis(ratio, last, axis=1)
    lowest, highest = np.argmax(accepted, axis=0), np.argmax(accepted[::-1], axis=0)
    return np.column_stack([signals[lowest], signals[::-1][highest]])


@pytest.mark.parametrize(
    ("level", "background"),
    [(0.9, 0.5), (0.9, 1.5), (0.9, 4.0), (0.99, 0.0), (0.99, 2.5), (0.95, 3.0), (0.6827, 1.0)],
)
def test_ends_against_a_plain_scan(level: float, background: float) -> None:
    step = 0.01
    ends = scanned(background, level, 30.0, step)
    for n in range(11):
        lower, upper = feldman_cousins(n, background, level=level, monotone=False)
        # the scan's own ends are inside, by a step of its grid at most
        assert lower <= ends[n, 0] + 1e-9 <= lower + step + 1e-8
        assert upper >= ends[n, 1] - 1e-9 >= upper - step - 1e-8


@pytest.mark.parametrize(
    ("n", "background", "level"), [(0, 3.0, 0.9), (1, 4.0, 0.95), (2, 5.0, 0.95)]
)
def test_lengthened_ends_against_a_plain_scan(n: int, background: float, level: float) -> None:
    found = feldman_cousins(n, background, level=level)[1]
    assert found > feldman_cousins(n, background, level=level, monotone=False)[1]
    most = max(
        scanned(b, level, found + 0.5, 0.02)[n, 1]
        for b in np.arange(background, background + 2.0, 0.02)
    )
    assert found - 0.04 <= most <= found + 1e-9


@pytest.mark.parametrize("level", [0.6827, 0.9, 0.95, 0.99])
def test_bounded_normal_against_a_plain_scan(level: float) -> None:
    step = 0.01
    x = np.arange(-9.0, 12.0, step)
    best = np.maximum(x, 0.0)
    asked = np.array([-3.0, -1.0, 0.0, 0.4, 1.0, 1.6, 2.0, 3.0])
    ends = np.full((len(asked), 2), np.nan)
    places = np.searchsorted(x, asked - 1e-9)
    for mean in np.arange(step, 7.0, step):
        logs = -0.5 * (x - mean) ** 2 + 0.5 * (x - best) ** 2
        order = np.argsort(-logs)
        chance = stats.norm.pdf(x - mean) * step
        before = np.cumsum(chance[order]) - 0.5 * chance[order]
        rank = np.empty(len(x))
        rank[order] = before
        accepted = rank[places] < level
        ends[accepted & np.isnan(ends[:, 0]), 0] = mean
        ends[accepted, 1] = mean
    for value, (low, high) in zip(asked, ends, strict=True):
        lower, upper = bounded_normal_interval(float(value), level=level)
        # two steps: of the means, and of the measurements
        assert lower == pytest.approx(low if low > step else 0.0, abs=2.0 * step)
        assert upper == pytest.approx(high, abs=2.0 * step)


def test_large_counts_take_neither_memory_nor_time() -> None:
    # 8 GB and 14 s before the ends were looked for between the means where the order of counts changes
    lower, upper = feldman_cousins(1000, 50.0)
    assert (lower + upper) / 2.0 == pytest.approx(950.0, rel=2e-3)
    assert upper - lower == pytest.approx(2.0 * 1.645 * np.sqrt(1000.0), rel=0.01)


def test_an_interval_is_never_empty() -> None:
    assert bounded_normal_interval(-1.0, level=1e-4) == (0.0, 0.0)
    lower, upper = feldman_cousins(5, 2.0, level=1e-3)
    assert lower < 3.0 < upper
    assert feldman_cousins(0, 7.0, level=1e-3, monotone=False) == pytest.approx(
        (0.0, 0.0), abs=1e-12
    )
