"""Tables of a full chain: inspection, diagnostics of the matrix, and the numbers of the result."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.unfolding.bin_names import bare, limits
from forefold.workflows.report.html_tables import pairs_table, table

if TYPE_CHECKING:
    from forefold.io.inspection import Inspection
    from forefold.matrix import ResponseMatrix
    from forefold.matrix.compare import Compatibility
    from forefold.workflows.pipeline import Chain
    from forefold.workflows.sample import Sample

__all__ = [
    "composition_table",
    "diagnostics_table",
    "inspection_tables",
    "rows_table",
    "spectrum_table",
]

_NONE = "–"
_MOST = 400  # rows of a table


def inspection_tables(found: Inspection) -> str:
    """Return what a file holds."""
    parts = [pairs_table(dict(found.facts()))]
    for title, heads, rows in found.tables():
        names = [text.replace(" / ", " in ") for text in heads]
        parts.append(f"<h3>{escape(title)}</h3>\n{table(names, rows, kind='numbers')}")
    return "\n".join(parts)


def diagnostics_table(sample: Sample) -> str:
    """Return what is said of a matrix as a whole."""
    matrix = sample.matrix
    filled = ~matrix.empty_rows
    total, reconstructed = (
        float(np.sum(histogram.values())) for histogram in (matrix.truth, matrix.reco)
    )
    pairs: dict[str, object] = {
        "condition number": f"{matrix.condition_number:.4g}, rank {matrix.rank} of {int(filled.sum())}",
        "effective entries": _range(matrix.effective_entries[filled], "a row"),
        "efficiency": _range(matrix.efficiency[filled]),
    }
    for name in ("purity", "stability"):
        try:
            pairs[name] = _range(getattr(matrix, name))
        except ValueError:
            pairs[name] = "needs the same bins true and reconstructed"
    for name, inside in sample.inside.items():
        worst = int(np.nanargmax(inside.shift)) if np.isfinite(inside.shift).any() else 0
        pairs[f"in-bin variation, {name}"] = (
            f"rows of the halves of a bin differ by up to {_number(inside.shift[worst])} (statistics: {_number(inside.noise[worst])}) in "
            f"{bare(inside.compatible.names[worst])}; 0: alike, 1: they do not overlap"
        )
    pairs["empty true bins"] = int((~filled).sum())
    pairs["negative cells"] = int((matrix.matrix < 0.0).sum())
    for name, histogram in {**matrix.backgrounds, "fakes": matrix.fakes}.items():
        pairs[name] = (
            f"{float(np.sum(histogram.values())):.6g} of {reconstructed:.6g} reconstructed"
        )
    pairs["outside the true axes"] = (
        f"{float(np.sum(matrix.truth.values(flow=True))) - total:.6g} of {float(np.sum(matrix.truth.values(flow=True))):.6g}"
    )
    return pairs_table(pairs)


def composition_table(matrix: ResponseMatrix) -> str:
    """Return how much signal is selected, and what else is."""
    total = float(np.sum(matrix.reco.values()))
    true, missed = (
        float(np.sum(histogram.values())) for histogram in (matrix.truth, matrix.misses)
    )
    other = {**matrix.backgrounds, "fakes": matrix.fakes}
    contents = {name: float(np.sum(histogram.values())) for name, histogram in other.items()}
    signal = total - float(np.sum(matrix.not_signal.values()))
    rows = [
        [name, f"{content:.6g}", f"{100.0 * content / total:.3g} %" if total else _NONE]
        for name, content in {"signal": signal, **contents, "all": total}.items()
    ]
    efficiency = f"{100.0 * (true - missed) / true:.3g} %" if true else _NONE
    note = f"Of {true:.6g} signal events {efficiency} are reconstructed on the axes (efficiency), {missed:.6g} are missed."
    heads = ["reconstructed", "events", "share"]
    return f'{table(heads, rows, kind="numbers")}\n<p class="note">{escape(note)}</p>'


def rows_table(sample: Sample, against: Compatibility | None = None) -> str:
    """Return what is said of each row of a matrix; with a test against another matrix, its p-values."""
    matrix = sample.matrix
    heads = ["true bin", "true", "effective entries", "efficiency"]
    columns: list[Any] = [
        np.asarray(matrix.truth.values()).reshape(-1), matrix.effective_entries, matrix.efficiency,
    ]  # fmt: skip
    if against is not None:
        heads += ["chi2", "ndf", "p"]
        columns += [against.chi2, against.ndf, against.row_p_values]
    rows = [
        [_cell(matrix, i), *(_number(float(column[i])) for column in columns)]
        for i in range(len(matrix.efficiency))
    ]
    return _short(heads, rows)


def spectrum_table(chain: Chain, model: Any) -> str:
    """Return the unfolded spectrum with its errors by source, and its pulls.

    A toy is thrown from the matrix that unfolds it, whose statistics do not move the result: its pulls are in errors of the data.
    """
    result = chain.unfolded
    assert result is not None
    sources = {
        name: np.sqrt(np.clip(np.diag(covariance), 0.0, None))
        for name, covariance in result.covariances.items()
    }
    heads = ["true bin", "unfolded", "error", *(f"of {name}" for name in sources)]
    columns: list[Any] = [result.values, result.errors, *sources.values()]
    if model is not None:
        heads += ["truth", "A_C truth", "pull"]
        smeared = result.smear(model)
        errors = sources["data"] if chain.kind == "toy" else result.errors
        has_error = errors > 0.0
        pull = np.where(
            has_error, (result.values - smeared) / np.where(has_error, errors, 1.0), np.nan
        )
        columns += [np.asarray(model).reshape(-1), smeared, pull]
    rows = [
        [_cell(chain.sample.matrix, i), *(_number(float(column[i])) for column in columns)]
        for i in range(len(result.values))
    ]
    of = (
        "errors of the data alone: the toy is of the matrix that unfolds it"
        if chain.kind == "toy"
        else "errors"
    )
    note = (
        "" if model is None else f'<p class="note">Pulls: unfolded less A_C truth, in {of}.</p>\n'
    )
    return f"<details><summary>The numbers</summary>\n{note}{_short(heads, rows)}</details>"


def _short(heads: list[str], rows: list[list[str]]) -> str:
    more = (
        f'<p class="note">The first {_MOST} of {len(rows)} bins.</p>' if len(rows) > _MOST else ""
    )
    return table(heads, rows[:_MOST], kind="numbers") + more


def _cell(matrix: Any, i: int) -> str:
    return limits(matrix.true_axes, i)


def _range(values: Any, what: str = "") -> str:
    good = np.asarray(values)[np.isfinite(values)]
    if not good.size:
        return _NONE
    low, middle, high = (_number(float(x)) for x in (good.min(), np.median(good), good.max()))
    return f"{low} to {high}, median {middle}{' ' if what else ''}{what}"


def _number(value: float) -> str:
    return _NONE if not np.isfinite(value) else f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
