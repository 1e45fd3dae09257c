"""What a histogram says of itself, for titles and panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import hist
import numpy as np

from forefold.matrix import provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Matrices",
    "Matrix",
    "as_list",
    "by_type",
    "card_name",
    "check_axes",
    "count",
    "heading",
    "unit",
]

if TYPE_CHECKING:
    Matrix: TypeAlias = hist.Hist[Any]
    Matrices: TypeAlias = Matrix | Sequence[Matrix]


WEIGHTS = "sum of weights"


def as_list(matrices: Matrices) -> list[Matrix]:
    """Return one or several histograms as a list."""
    return [matrices] if isinstance(matrices, hist.Hist) else list(matrices)


def by_type(matrix: Matrix) -> dict[str, Matrix]:
    """Return a histogram for each particle type, in order."""
    labels = [str(label) for label in matrix.axes["type"]]
    return {label: cast("Matrix", matrix[{"type": index}]) for index, label in enumerate(labels)}


def check_axes(matrix: Matrix, *names: str) -> None:
    """Raise ValueError unless the histogram has exactly these axes and keeps variances."""
    found = tuple(matrix.axes.name)
    if found != names:
        hint = (
            "; by type, take the figure by type" if "type" in found and "type" not in names else ""
        )
        message = f"axes {', '.join(names)} are needed, the histogram has {', '.join(found)}{hint}"
        raise ValueError(message)
    if matrix.storage_type is not hist.storage.Weight:
        message = f"storage Weight is needed, the histogram has {matrix.storage_type.__name__}"
        raise ValueError(message)


def card_name(matrix: Matrix) -> str:
    """Name of the card that the events were smeared with; empty if the histogram does not say."""
    return str(provenance(matrix).get("card", ""))


def unit(matrix: Matrix) -> str:
    """Say what a bin counts: events, particles, or the sum of their weights if they have any."""
    content: Any = matrix.view(flow=True)
    plain = np.array_equal(content.value, content.variance)
    return str(matrix.label or "entries") if plain else WEIGHTS


def count(matrix: Matrix) -> str:
    """How much is in a histogram, with what lies beyond its axes."""
    total: Any = matrix.sum(flow=True)
    weighted = unit(matrix) == WEIGHTS
    return f"{WEIGHTS} {total.value:,.4g}" if weighted else f"{total.value:,.0f} {unit(matrix)}"


def heading(matrix: Matrix, name: str, sample: str, *, wide: bool = True) -> str:
    """Title of a figure: the card, the sample, the selection; two lines where one is too short."""
    limit = 105 if wide else 50
    selection = "CC events" if provenance(matrix).get("cc_only") else ""
    words = [word for word in (name, sample, selection) if word]
    line = ", ".join(words)
    lines = [line] if len(line) <= limit else [words[0], ", ".join(words[1:])]
    return "\n".join(_shortened(text, limit).replace("$", r"\$") for text in lines if text)


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2 - 1]}…{text[len(text) - limit // 2 :]}"
