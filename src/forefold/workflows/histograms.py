"""Histograms of blocks of events, as bytes and back; their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import awkward as ak
    import hist
    import pyarrow as pa

    from forefold.workflows.job import Recipe
    from forefold.workflows.requests import AnyRequest

__all__ = ["added", "filled", "results", "sums", "table_of"]


def filled(
    requests: Sequence[AnyRequest], recipe: Recipe, events: ak.Array, *, varied: bool = False
) -> list[hist.Hist[Any]]:
    """Smear one block of events and fill histograms.

    Parameters
    ----------
    requests : sequence of Request or MatrixRequest
    recipe : Recipe
    events : ak.Array
        Event record.
    varied : bool
        Whether the histograms have an axis of the recipe's variations.

    Returns
    -------
    list of hist.Hist
        Those of one request after those of the other: one of a histogram, several of a response matrix.
    """
    smeared = recipe.vary(events) if varied else recipe.smear(events)
    return [
        histogram for request in requests for histogram in request.fill(recipe, events, smeared)
    ]


def results(
    requests: Sequence[AnyRequest], recipe: Recipe, total: Sequence[hist.Hist[Any]], *, varied: bool
) -> list[Any]:
    """Make what was asked for of the sums of all blocks; nothing, if there was none.

    Returns
    -------
    list of hist.Hist, or dict of str to ResponseMatrix
        One a request.
    """
    names = [variation.name for variation in recipe.variations] if varied else []
    products, start = [], 0
    for request in requests if total else ():
        own = total[start : start + request.count(names)]
        products.append(request.result(own, names, recipe.select))
        start += len(own)
    return products


def added(filled: Iterable[list[hist.Hist[Any]]]) -> list[hist.Hist[Any]]:
    """Add the histograms of blocks, in their order."""
    total: list[hist.Hist[Any]] = []
    for block in filled:
        total = [a + b for a, b in zip(total, block, strict=True)] if total else block
    return total


def table_of(filled: Sequence[hist.Hist[Any]], *, template: bool) -> pa.Table:
    """Put the histograms of one block in a row of a table: their contents, and once what they are."""
    import pyarrow as pa

    from forefold.matrix import to_json

    row = {
        "contents": [
            np.ascontiguousarray(histogram.view(flow=True)).tobytes() for histogram in filled
        ],
        "template": [to_json(histogram) for histogram in filled] if template else None,
    }
    kinds = {"contents": pa.list_(pa.large_binary()), "template": pa.list_(pa.large_string())}
    return pa.Table.from_pylist([row], schema=pa.schema(kinds))


def sums(tables: Iterable[pa.Table]) -> list[hist.Hist[Any]]:
    """Add the histograms of tables, row by row.

    Returns
    -------
    list of hist.Hist
        The sums that `added` gives of the histograms in the tables.
    """
    from forefold.matrix import from_json

    total: list[Any] = []
    for table in tables:
        for row in table.to_pylist():
            if not total:
                total = [from_json(text) for text in row["template"]]
                continue
            for whole, content in zip(total, row["contents"], strict=True):
                view = whole.view(flow=True)
                part = np.frombuffer(content, dtype=view.dtype).reshape(view.shape)
                for name in view.dtype.names or ():
                    view[name] += part[name]
                if view.dtype.names is None:
                    view += part
    return total
