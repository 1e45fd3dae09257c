"""Damaged GLoBES and SNOwGLoBES files, and what reading them comes to.

What is still read must be what another reading (`globes_reading`) finds in the damaged files, or what was there before.
"""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import globes_reading
import numpy as np
from mutations import mutated

import forefold
from forefold.matrix.formats import GlobesConfiguration

# the other reading is strict and plain: it knows less
_NOT_TOLD = (AssertionError, ValueError, LookupError, OSError, TypeError, AttributeError)


def outcomes(
    folder: Path,
    files: list[str],
    numbers: Iterable[int],
    read: Callable[[], Any],
    same: Callable[[Any], bool | None],
    first: str,
) -> Counter[str]:
    """Damage one file after the other, and count clean errors, right reads, and what is neither.

    `same` tells whether a read is right, None where the other reading cannot tell.
    """
    count: Counter[str] = Counter()
    kept = {name: (folder / name).read_bytes() for name in files}
    for number in numbers:
        name = files[number % len(files)]
        (folder / name).write_bytes(mutated(kept[name], number // len(files)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", UserWarning)
                content = read()
        except (ValueError, OSError) as error:
            text = str(error)
            assert first in text, (number, name, text)
            assert "\n" not in text, (number, name, text)
            count["clean error"] += 1
        else:
            good = same(content)
            outcome = {True: "right", False: "wrong", None: "not told"}[good]
            count[outcome] += 1
            if outcome != "right":
                count[f"{outcome}: {name} {number}"] += 1
        (folder / name).write_bytes(kept[name])
    return count


def configurations(folder: Path, files: dict[str, str], numbers: Iterable[int]) -> Counter[str]:
    """Damage the files of an experiment."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    main = folder / next(iter(files))

    def same(content: GlobesConfiguration) -> bool | None:
        try:
            return agrees(content, globes_reading.read(main))
        except _NOT_TOLD:
            return None

    read = lambda: GlobesConfiguration.read(main)
    return outcomes(folder, list(files), numbers, read, same, str(main))


def agrees(content: GlobesConfiguration, other: dict[str, Any]) -> bool:
    """Compare numbers of two readings."""
    tables = {f"nuflux_{name}": table for name, table in content.fluxes.items()}
    tables |= {f"cross_{name}": table for name, table in content.cross_sections.items()}
    pairs = [
        (content.settings, other["settings"]),
        (content.variables, other["variables"]),
        (content.lists, other["lists"]),
        (content.matrices, other["matrices"]),
        (tables, other["tables"]),
        ({"edges": content.true_edges}, {"edges": other["true_edges"]}),
        ({"edges": content.reco_edges}, {"edges": other["reco_edges"]}),
    ]
    for mine, theirs in pairs:
        if set(mine) != set(theirs):
            return False
        if not all(np.array_equal(mine[name], theirs[name]) for name in mine):
            return False
    for kind, environments in other["environments"].items():
        if list(content.environments[kind]) != list(environments):
            return False
        for name, texts in environments.items():
            values = content.environments[kind][name]
            if [*values, *["energy"] * ("energy" in texts)] != list(texts):
                return False
            for attribute, value in values.items():
                plain = globes_reading.value(texts[attribute], other)
                if not globes_reading.same(value, plain):
                    return False
    return True


def stored(folder: Path, numbers: Iterable[int]) -> Counter[str]:
    """Damage the files of a folder that `GlobesConfiguration.write` made: what is read is a record, and can be shown and written again."""
    again = folder.with_name("again")

    def same(content: GlobesConfiguration) -> bool:
        shutil.rmtree(again, ignore_errors=True)
        text = repr(content)
        try:
            content.write(again)
        except ValueError:
            return "\n" in text
        return GlobesConfiguration.read(again) == content

    files = sorted(path.name for path in folder.iterdir())
    read = lambda: GlobesConfiguration.read(folder)
    return outcomes(folder, files, numbers, read, same, str(folder))


def matrices(
    folder: Path, files: list[str], format: str, numbers: Iterable[int], **settings: Any
) -> Counter[str]:
    """Damage files of one matrix; what is read is one of probabilities, and of the numbers that the files have."""
    path = folder / files[0]

    def same(content: forefold.ResponseMatrix) -> bool | None:
        rows = content.matrix
        sane = bool(np.all(rows >= 0.0)) and bool(np.all(rows.sum(axis=1) <= 1.0 + 1e-9))
        try:
            other = _cells(folder, files, len(rows))
        except _NOT_TOLD:
            return None if sane else False
        sums = other.sum(axis=1)
        over = np.where(sums > 1.0 + 1e-9, sums, 1.0)  # what was printed; less is left as it is
        return (
            sane
            and rows.shape == other.shape
            and np.allclose(rows, other / over[:, None], rtol=1e-14, atol=0.0)
        )

    read = lambda: forefold.import_matrix(path, format, **settings)
    return outcomes(folder, files, numbers, read, same, str(path))


def _cells(folder: Path, files: list[str], n_true: int) -> np.ndarray:
    """R[true, reco] by the other reading: one environment, times efficiencies of detected bins, where there is such a file."""
    text = globes_reading.text_of(folder / files[0], folder)
    ((kind, _, body),) = globes_reading._ENVIRONMENT.findall(text)
    assert kind == "energy"
    ((_, rows),) = globes_reading._ATTRIBUTE.findall(body)
    cells = globes_reading.matrix(rows, n_true)
    for name in files[1:]:
        cells = cells * globes_reading.numbers(globes_reading.text_of(folder / name, folder))
    return cells
