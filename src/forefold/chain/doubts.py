"""What to distrust, in plain words, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.diagnostics import WIDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forefold.chain.run import Chain
    from forefold.folding.comparison import InBinVariation

__all__ = ["doubts"]

_P_VALUE = 0.01
_FEW = 25.0  # effective entries of a row: 20 %
_CONDITION = 100.0
_SHIFT, _NOISES = 0.1, 3.0
_OUTSIDE, _FAKES = 0.05, 0.1
_DIM = 0.1  # efficiency


def doubts(chain: Chain) -> list[str]:
    """Say what speaks against the numbers of a chain.

    Parameters
    ----------
    chain : Chain

    Returns
    -------
    list of str
        Sentences; none if nothing was found.
    """
    return [
        *_failed(chain), *_other(chain), *_unfolded(chain), *_closed(chain), *_matrix(chain),
        *_shares(chain), *_bins(chain),
    ]  # fmt: skip


def _failed(chain: Chain) -> Iterator[str]:
    for what, why in chain.failures.items():
        yield f"Not done: {what}: {why}."
    if chain.skipped:
        yield f"{chain.skipped:,} events could not be read and are missing everywhere."


def _other(chain: Chain) -> Iterator[str]:
    found = chain.compatible
    if found is None:
        return
    compared = int((found.ndf > 0).sum())
    if compared < len(found.ndf):
        yield f"Only {compared} of {len(found.ndf)} rows have enough events in both generators to be compared."
    if found.p_value < _P_VALUE:
        yield (
            f"The response matrices of the two generators differ (p = {found.p_value:.2g}): the matrix depends on the model "
            "that it was made with. Take axes on which it does not, or count the difference as an uncertainty."
        )


def _unfolded(chain: Chain) -> Iterator[str]:
    result = chain.unfolded
    if result is None:
        return
    for text in result.warnings:
        yield f"Unfolding: {text.removesuffix(WIDER)}."
    if result.blind:
        yield f"{len(result.blind)} true bins without efficiency were left out of the unfolding; their contents are 0 and mean nothing."


def _closed(chain: Chain) -> Iterator[str]:
    found = chain.closure
    if found is None:
        return
    for name, study in found.studies.items():
        flat = name != chain.how.method
        where = "Closure from a flat prior" if flat else "Closure"
        known = study.error > 0.0
        noise = np.where(known, 3.0 * study.bias_error, 0.0)
        biased = known & (abs(study.bias) > 0.5 * study.error) & (abs(study.bias) > noise)
        if biased.any():
            why = f"{where}: in {int(biased.sum())} of {biased.size} true bins the bias is more than half the standard deviation that is given"
            worst = int(
                np.argmax(
                    np.where(biased, abs(study.bias) / np.where(known, study.error, 1.0), 0.0)
                )
            )
            held = f" (intervals hold the truth in {100.0 * study.coverage[worst]:.0f} % of the toys in bin {worst}): the result leans on its prior"
            yield f"{why}{held if flat else ''}."
        short = study.smeared_coverage < 0.683 - 4.0 * found.coverage_error
        if short.any():
            yield f"{where}: in {int(short.sum())} of {short.size} true bins the intervals hold the truth (with A_C) much too seldom."


def _matrix(chain: Chain) -> Iterator[str]:
    matrix = chain.sample.matrix
    empty, entries = matrix.empty_rows, matrix.effective_entries
    if empty.any():
        yield f"{int(empty.sum())} of {empty.size} true bins hold no event: nothing is known of them."
    few = ~empty & (entries < _FEW)
    if few.any():
        yield f"{int(few.sum())} of {few.size} rows of the matrix rest on fewer than {_FEW:.0f} effective entries (the fewest: {entries[few].min():.3g})."
    dim = ~empty & (matrix.efficiency < _DIM)
    if dim.any():
        yield f"In {int(dim.sum())} true bins less than {100 * _DIM:.0f} % is reconstructed inside the axes."
    if matrix.condition_number > _CONDITION:
        yield (
            f"The condition number is {matrix.condition_number:.3g} (rank {matrix.rank} of {int((~empty).sum())}): without "
            "regularisation, noise grows by up to that factor."
        )
    for name, inside in chain.sample.inside.items():
        loud = _changing(inside)
        if loud.any():
            worst = int(np.nanargmax(np.where(loud, inside.shift, np.nan)))
            yield (
                f"The response changes inside {int(loud.sum())} of {loud.size} bins of {name} (most in "
                f"{inside.compatible.names[worst]}): the matrix depends on the spectrum within them."
            )


def _changing(inside: InBinVariation) -> NDArray[np.bool_]:
    return np.asarray((inside.shift > _SHIFT) & (inside.shift > _NOISES * inside.noise))


def _bins(chain: Chain) -> Iterator[str]:
    """Give one piece of advice on the true bins: noise asks for wider ones, what changes inside them for narrower ones."""
    matrix, result = chain.sample.matrix, chain.unfolded
    noisy = matrix.condition_number > _CONDITION
    noisy |= result is not None and any(text.endswith(WIDER) for text in result.warnings)
    changing = any(_changing(inside).any() for inside in chain.sample.inside.values())
    if noisy and changing:
        plain = chain.how.method in ("inversion", "likelihood") and not chain.how.strength
        tamed = "take a regularised method" if plain else "the regularisation holds the noise"
        yield (
            f"True bins: keep their width. Wider ones would have less noise and depend more on the spectrum within them, narrower ones the reverse: {tamed}, and "
            "the dependence is an uncertainty to count, from another generator (--data) or another spectrum."
        )
    elif noisy:
        yield "True bins: wider ones have less noise, and the response hardly changes inside these."
    elif changing:
        yield "True bins: narrower ones depend less on the spectrum within them, and the matrix can be inverted with little noise."


def _shares(chain: Chain) -> Iterator[str]:
    matrix = chain.sample.matrix
    total = float(np.sum(matrix.truth.values(flow=True)))
    outside = total - float(np.sum(matrix.truth.values()))
    if total > 0.0 and outside > _OUTSIDE * total:
        yield f"{100.0 * outside / total:.1f} % of what is true is outside the true axes, and is not in the matrix."
    seen, fakes = float(np.sum(matrix.reco.values())), float(np.sum(matrix.fakes.values()))
    if seen > 0.0 and fakes > _FAKES * seen:
        yield f"{100.0 * fakes / seen:.1f} % of what is reconstructed are fakes: they are subtracted as the simulation has them."
