"""HTML tables, for pages and for notebooks. Every text is escaped here."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["notebook", "table"]

_MOST_ROWS = 60


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "", total: bool = False
) -> str:
    """Return a table.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences of str
        The first column names the row.
    kind : str
        Class of the table, for a style sheet.
    total : bool
        Whether the last row is a total.

    Returns
    -------
    str

    Examples
    --------
    >>> table(("bin", "events"), [("0 < E < 1", "12")]).count("&lt;")
    2
    """
    lines = ["".join(f'<th scope="col">{escape(text)}</th>' for text in head)]
    for row in rows:
        cells = "".join(f"<td>{escape(text)}</td>" for text in row[1:])
        lines.append(f'<th scope="row">{escape(row[0])}</th>{cells}')
    last = f'<tr class="total">{lines.pop()}</tr>' if total else ""
    body = "\n".join(f"<tr>{line}</tr>" for line in lines[1:])
    return (
        f'<div class="scroll"><table class="{escape(kind)}">\n<thead><tr>{lines[0]}</tr></thead>\n'
        f"<tbody>\n{body}\n{last}</tbody></table></div>"
    )


def notebook(text: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return what a notebook shows of an object: its text, and a table whose first 60 rows stand there.

    Parameters
    ----------
    text : str
    head : sequence of str
    rows : iterable of sequences of str

    Returns
    -------
    str
    """
    every = iter(rows)
    shown = list(islice(every, _MOST_ROWS))
    left = sum(1 for _ in every)
    more = f"<p>and {left} more</p>" if left else ""
    return (
        f"<pre>{escape(text)}</pre>\n{table(head, shown)}{more}"
        if shown
        else f"<pre>{escape(text)}</pre>"
    )
