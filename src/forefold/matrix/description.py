"""The text that a printed response matrix shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.matrix.contents import NOTED

if TYPE_CHECKING:
    from forefold.matrix.response_matrix import ResponseMatrix

__all__ = ["description"]

_SIGNED = "smears spectra, as an additional smearing matrix (A_C): rows are no probabilities, no efficiency"
_ALONE = "probabilities alone: no true spectrum, and no fakes, are known"


def description(matrix: ResponseMatrix) -> str:
    """Describe a response matrix in a few lines: axes, efficiency, fakes, statistics, condition number."""
    n, m = matrix.matrix.shape
    lines = [f"ResponseMatrix of {n} true and {m} reconstructed bins ({_origin(matrix)})"]
    for side, axes in (("true", matrix.true_axes), ("reco", matrix.reco_axes)):
        for axis in axes:
            edges = axis.edges
            lines.append(
                f"  {side} {axis.name}: {len(axis)} bins from {edges[0]:g} to {edges[-1]:g} ({axis.label})"
            )
    if matrix.signed:
        lines.append(f"  {_SIGNED}")
    else:
        efficiency = matrix.efficiency[~matrix.empty_rows]
        lines += (
            [f"  efficiency {efficiency.min():.3g} to {efficiency.max():.3g}"]
            if efficiency.size
            else []
        )
        lines += _composition(matrix) if matrix.knows_truth else [f"  {_ALONE}"]
    if matrix.empty_rows.any():
        empty = int(matrix.empty_rows.sum())
        lines.append(f"  {empty} true bin{' is' if empty == 1 else 's are'} empty")
    lines += [f"  {line}" for line in str(matrix.provenance.get(NOTED, "")).splitlines()]
    negative = int((matrix.matrix < 0.0).sum())
    if negative:
        lines.append(f"  {negative} cell{' is' if negative == 1 else 's are'} negative")
    lines.append(f"  condition number {matrix.condition_number:.4g}, rank {matrix.rank}")
    return "\n".join(lines)


def _composition(matrix: ResponseMatrix) -> list[str]:
    """Say what the reconstructed ones are, and of a selection how much of the signal it keeps and how pure it is."""
    fakes, total = (float(np.sum(histogram.values())) for histogram in (matrix.fakes, matrix.reco))
    select, named = matrix.provenance.get("select"), matrix.backgrounds
    if select is None and not named:
        return [f"  fakes {fakes:.6g} of {total:.6g} reconstructed"]
    true, missed = (
        float(np.sum(histogram.values())) for histogram in (matrix.truth, matrix.misses)
    )
    signal = total - float(np.sum(matrix.not_signal.values()))
    lines = [] if select is None else [f"  selected: {select}"]
    lines.append(
        f"  signal {true:.6g}: {_share(true - missed, true)} reconstructed on the axes (efficiency), {missed:.6g} missed"
    )
    lines.append(
        f"  reconstructed {total:.6g}: signal {signal:.6g}, {_share(signal, total)} (purity)"
    )
    parts = {name: float(np.sum(histogram.values())) for name, histogram in named.items()}
    parts["fakes, of no background" if named else "fakes"] = fakes
    lines += [f"    {name} {part:.6g}, {_share(part, total)}" for name, part in parts.items()]
    return lines


def _share(part: float, whole: float) -> str:
    return f"{100.0 * part / whole:.3g} %" if whole else "none"


def _origin(matrix: ResponseMatrix) -> str:
    if matrix.exact:
        return "exact, without statistics"
    if matrix.errors_given:
        some = int(np.count_nonzero(matrix.variance))
        return f"errors of {some} cells ({matrix.provenance.get('errors', 'given')}), taken for independent"
    entries = matrix.effective_entries
    drawn = f", {matrix.draws} draws of each event" if matrix.draws > 1 else ""
    return f"{entries.sum():,.0f} effective entries, {entries.min():,.4g} to {entries.max():,.4g} a row{drawn}"
