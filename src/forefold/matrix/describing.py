"""What a response matrix says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.matrix.contents import NOTED

if TYPE_CHECKING:
    from forefold.matrix.response_matrix import ResponseMatrix

__all__ = ["described"]

_ALONE = "probabilities alone: no true spectrum, and no fakes, are known"


def described(matrix: ResponseMatrix) -> str:
    """Give it in a few lines; see `forefold.ResponseMatrix`."""
    n, m = matrix.matrix.shape
    lines = [f"ResponseMatrix of {n} true and {m} reconstructed bins ({_origin(matrix)})"]
    for side, axes in (("true", matrix.true_axes), ("reco", matrix.reco_axes)):
        for axis in axes:
            edges = axis.edges
            lines.append(
                f"  {side} {axis.name}: {len(axis)} bins from {edges[0]:g} to {edges[-1]:g} ({axis.label})"
            )
    seen = matrix.efficiency[~matrix.empty_rows]
    if seen.size:
        lines.append(f"  efficiency {seen.min():.3g} to {seen.max():.3g}")
    fakes = float(np.sum(matrix.fakes.values()))
    total = float(np.sum(matrix.reco.values()))
    of_what = f"fakes {fakes:.6g} of {total:.6g} reconstructed"
    lines.append(f"  {of_what if matrix.knows_truth else _ALONE}")
    if matrix.empty_rows.any():
        empty = int(matrix.empty_rows.sum())
        lines.append(f"  {empty} true bin{' is' if empty == 1 else 's are'} empty")
    lines += [f"  {line}" for line in str(matrix.provenance.get(NOTED, "")).splitlines()]
    negative = int((matrix.matrix < 0.0).sum())
    if negative:
        lines.append(f"  {negative} cell{' is' if negative == 1 else 's are'} negative")
    lines.append(f"  condition number {matrix.condition_number:.4g}, rank {matrix.rank}")
    return "\n".join(lines)


def _origin(matrix: ResponseMatrix) -> str:
    if matrix.exact:
        return "exact, without statistics"
    if matrix.errors_given:
        some = int(np.count_nonzero(matrix.variance))
        return f"errors of {some} cells ({matrix.provenance.get('errors', 'given')}), taken for independent"
    entries = matrix.effective_entries
    drawn = f", {matrix.draws} draws of each event" if matrix.draws > 1 else ""
    return f"{entries.sum():,.0f} effective entries, {entries.min():,.4g} to {entries.max():,.4g} a row{drawn}"
