"""What to distrust, in plain words, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.unfolding.bin_names import bare, counted, limits
from forefold.unfolding.diagnostics import WIDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forefold.matrix.compare import InBinVariation
    from forefold.unfolding import Unfolded
    from forefold.workflows.pipeline import Chain

__all__ = ["doubts"]

_P_VALUE = 0.01
_FEW = 25.0  # effective entries of a row: 20 %
_CONDITION = 100.0
_SHIFT, _NOISES = 0.1, 3.0
_OUTSIDE, _FAKES = 0.05, 0.1
_DIM = 0.1  # efficiency
_CLOSE = 0.9  # correlation


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
        *_failed(chain), *_other(chain), *_unfolded(chain), *_lost(chain), *_closed(chain),
        *_matrix(chain), *_shares(chain), *_bins(chain),
    ]  # fmt: skip


def _failed(chain: Chain) -> Iterator[str]:
    for what, why in chain.failures.items():
        yield f"Not done: {what}: {why}."
    if chain.skipped:
        yield f"{counted(chain.skipped, 'event')} could not be read: missing everywhere."


def _other(chain: Chain) -> Iterator[str]:
    comparison = chain.compatible
    if comparison is None:
        return
    compared = int((comparison.ndf > 0).sum())
    if compared < len(comparison.ndf):
        yield f"Only {compared} of {len(comparison.ndf)} rows have enough events in both generators to be compared."
    if comparison.p_value < _P_VALUE:
        yield (
            f"The response matrices of the two generators differ (p = {comparison.p_value:.2g}): the matrix depends on the model "
            "that it was made with. Take axes on which it does not, or count the difference as an uncertainty."
        )


def _unfolded(chain: Chain) -> Iterator[str]:
    result = chain.unfolded
    if result is None:
        return
    for text in result.warnings:
        yield f"Unfolding: {text.removesuffix(WIDER)}."
    if result.blind:
        yield (
            f"{counted(len(result.blind), 'true bin')} without efficiency left out of the unfolding: a content of 0 means "
            "nothing there."
        )


def _lost(chain: Chain) -> Iterator[str]:
    """Tell of bins that say nothing, and of bins that say the same."""
    result = chain.unfolded
    if result is None:
        return
    lost = _insignificant(result)
    if lost.any():
        n_measured = int((result.errors > 0.0).sum())
        yield f"The error is larger than the content in {int(lost.sum())} of {counted(n_measured, 'true bin')}: not significant, one by one."
    pairs = np.triu(result.correlation, 1)
    close = int((abs(pairs) > _CLOSE).sum())
    if close:
        i, j = (int(k) for k in np.unravel_index(int(abs(pairs).argmax()), pairs.shape))
        axes = chain.sample.matrix.true_axes
        yield (
            f"{counted(close, 'pair')} of true bins with correlations beyond +-{_CLOSE} (the most: {pairs[i, j]:.3f}, "
            f"{limits(axes, i)} and {limits(axes, j)}): errors mean little without the covariance."
        )


def _insignificant(result: Unfolded) -> NDArray[np.bool_]:
    return np.asarray(result.errors > abs(result.values))


def _closed(chain: Chain) -> Iterator[str]:
    closure = chain.closure
    if closure is None:
        return
    for name, study in closure.studies.items():
        flat = name != chain.how.method
        where = "Closure from a flat prior" if flat else "Closure"
        has_error = study.error > 0.0
        noise = np.where(has_error, 3.0 * study.bias_error, 0.0)
        biased = has_error & (abs(study.bias) > 0.5 * study.error) & (abs(study.bias) > noise)
        if biased.any():
            why = f"{where}: in {int(biased.sum())} of {counted(biased.size, 'true bin')} the bias is more than half the standard deviation that is given"
            worst = int(
                np.argmax(
                    np.where(biased, abs(study.bias) / np.where(has_error, study.error, 1.0), 0.0)
                )
            )
            held = f" (intervals hold the truth in {100.0 * study.coverage[worst]:.0f} % of the toys in {_seen_bin(chain, worst)}): the result leans on its prior"
            yield f"{why}{held if flat else ''}."
        short = study.smeared_coverage < 0.683 - 4.0 * closure.coverage_error
        if short.any():
            yield f"{where}: in {int(short.sum())} of {counted(short.size, 'true bin')} the intervals hold the truth (with A_C) much too seldom."


def _matrix(chain: Chain) -> Iterator[str]:
    matrix = chain.sample.matrix
    empty, entries = matrix.empty_rows, matrix.effective_entries
    if empty.any():
        yield f"No event is in {int(empty.sum())} of {counted(empty.size, 'true bin')}: nothing is known there."
    few = ~empty & (entries < _FEW)
    if few.any():
        yield f"Fewer than {_FEW:.0f} effective entries are in {int(few.sum())} of {counted(few.size, 'row')} of the matrix (the fewest: {entries[few].min():.3g})."
    dim = ~empty & (matrix.efficiency < _DIM)
    if dim.any():
        yield f"In {counted(int(dim.sum()), 'true bin')} less than {100 * _DIM:.0f} % is reconstructed inside the axes."
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
                f"The response changes inside {int(loud.sum())} of {counted(loud.size, 'bin')} of {name} (most in "
                f"{bare(inside.compatible.names[worst])}): the matrix depends on the spectrum within them."
            )


def _seen_bin(chain: Chain, k: int) -> str:
    """Name a true bin of the closure, which has only those that are seen."""
    matrix = chain.sample.matrix
    return limits(matrix.true_axes, int(np.flatnonzero(matrix.efficiency > 0.0)[k]))


def _changing(inside: InBinVariation) -> NDArray[np.bool_]:
    return np.asarray((inside.shift > _SHIFT) & (inside.shift > _NOISES * inside.noise))


def _bins(chain: Chain) -> Iterator[str]:
    """Give one piece of advice on the true bins: noise asks for wider ones, what changes inside them for narrower ones."""
    noisy = _noisy(chain)
    changing = any(_changing(inside).any() for inside in chain.sample.inside.values())
    if noisy and changing:
        yield (
            "True bins: keep their width. Wider ones would have less noise and depend more on the spectrum within them, narrower ones "
            f"the reverse: {_tamed(chain)}, and the dependence is an uncertainty to count, from another generator (--data) or another spectrum."
        )
    elif noisy:
        more = ", or more simulated events," if _scarce(chain) else ""
        yield f"True bins: wider ones{more} have less noise, and {_inside(chain)}."
    elif changing:
        yield "True bins: narrower ones depend less on the spectrum within them, and the matrix can be inverted with little noise."


def _noisy(chain: Chain) -> bool:
    """Say whether narrower bins would be lost in noise: of the inversion, of the matrix, or of the result itself."""
    result = chain.unfolded
    amplified = chain.sample.matrix.condition_number > _CONDITION
    warned = result is not None and (
        any(text.endswith(WIDER) for text in result.warnings) or bool(_insignificant(result).any())
    )
    return bool(amplified or warned or _scarce(chain))


def _scarce(chain: Chain) -> bool:
    """Say whether a row of the matrix rests on few events, or on none."""
    return bool((chain.sample.matrix.effective_entries < _FEW).any())


def _tamed(chain: Chain) -> str:
    """Say what is to be done about noise, where bins keep their width."""
    result = chain.unfolded
    if _scarce(chain):
        return "against noise, more simulated events help"
    if chain.how.method in ("inversion", "likelihood") and not chain.how.strength:
        return "take a regularised method"
    if result is not None and _insignificant(result).any():
        return "against noise, more data or stronger regularisation help"
    return "the regularisation holds the noise"


def _inside(chain: Chain) -> str:
    """Say what is known of changes inside bins, where none was found."""
    several = chain.sample.inside.values()
    precise = all((_NOISES * inside.noise <= _SHIFT).all() for inside in several)
    return (
        "the response hardly changes inside these"
        if precise
        else "no change of the response inside these is seen, for what the events can show"
    )


def _shares(chain: Chain) -> Iterator[str]:
    matrix = chain.sample.matrix
    total = float(np.sum(matrix.truth.values(flow=True)))
    outside = total - float(np.sum(matrix.truth.values()))
    if total > 0.0 and outside > _OUTSIDE * total:
        yield f"{100.0 * outside / total:.1f} % of what is true is outside the true axes, and is not in the matrix."
    reconstructed, other = (
        float(np.sum(histogram.values())) for histogram in (matrix.reco, matrix.not_signal)
    )
    if reconstructed > 0.0 and other > _FAKES * reconstructed:
        named = f" or backgrounds ({', '.join(matrix.backgrounds)})" if matrix.backgrounds else ""
        yield f"{100.0 * other / reconstructed:.1f} % of what is reconstructed are fakes{named}: they are subtracted as the simulation has them."
