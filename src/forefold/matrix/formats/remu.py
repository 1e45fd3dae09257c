"""ReMU: the arrays of `ResponseMatrix.export`, which `remu.likelihood.ResponseMatrixPredictor` loads.

``matrices`` has the shape (toys, reconstructed, true), the other order than forefold's; columns of true bins without entries are left out,
and ``sparse_indices`` says which are there. ReMU takes ``truth_entries`` for the upper bounds of what it folds. Bins are not in the
format; forefold adds arrays with their edges and names, which ReMU does not look at.

References
----------
L. Koch, ReMU 0.8.0, `remu.migration.ResponseMatrix.export`; doi:10.5281/zenodo.1217572.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.io.native.arrays import read_npz
from forefold.io.write import replace_aside
from forefold.matrix.formats.common import Exported, fakes_of, published_matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["read", "write"]

_OWN = "forefold_"


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    toys: int = 0,
    rng: int | None = None,
    entries: ArrayLike | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write an ``.npz``.

    Parameters
    ----------
    matrix : ResponseMatrix
        With any number of axes; ReMU numbers their bins in C order.
    path : str or Path
        File that ends in ``.npz``.
    toys : int
        Number of matrices drawn from the posterior of the rows, see `ResponseMatrix.toys`; 0 writes the matrix itself.
    rng : int, optional
        Fixes the random numbers of the toys.
    entries : array_like, shape (n_true,), optional
        Upper bounds of the true spectra that ReMU folds; the truth of the matrix if left out. An exact matrix needs them.
    overwrite : bool
        Replace a file that is there.

    Returns
    -------
    Exported
    """
    if Path(path).suffix != ".npz":
        message = f"{path}: the name must end in .npz"
        raise ValueError(message)
    n = matrix.matrix.shape[0]
    if entries is None:
        if matrix.exact or not matrix.knows_truth:
            message = "a matrix of probabilities has no entries, which ReMU takes for upper bounds of what it folds; give entries= (--entries), one number or one a true bin"
            raise ValueError(message)
        total = np.asarray(matrix.truth.values(), dtype=np.float64).reshape(-1)
    else:
        total = np.asarray(entries, dtype=np.float64).reshape(-1)
        total = np.full(n, total[0]) if total.size == 1 else total
        if total.size != n or not np.all(np.isfinite(total) & (total >= 0.0)):
            message = f"entries: one finite number of 0 or more, or {n} of them, are needed"
            raise ValueError(message)
    total = np.where(matrix.empty_rows, 0.0, total)
    rows = matrix.toys(toys, rng=rng) if toys else np.array(matrix.matrix)[None]
    some = np.flatnonzero(total)
    arrays: dict[str, Any] = {
        "matrices": np.swapaxes(rows, 1, 2)[..., some],
        "truth_entries": total,
        "sparse_indices": some,
        "is_sparse": np.array(True),
        **_axes(matrix),
    }
    with replace_aside(path, overwrite=overwrite) as aside, aside.open("wb") as file:
        np.savez_compressed(file, **arrays)
    notes = [f"{said} are not written: add them as a background" for said in fakes_of(matrix)]
    if not (toys or matrix.exact):
        notes.append(
            "one matrix, without its statistics: toys= (--toys) writes several within them"
        )
    return Exported((Path(path),), tuple(notes))


def _axes(matrix: ResponseMatrix) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for side, axes in (("true", matrix.true_axes), ("reco", matrix.reco_axes)):
        arrays[f"{_OWN}{side}_names"] = np.array([axis.name for axis in axes])
        arrays |= {f"{_OWN}{side}_edges_{k}": np.asarray(a.edges) for k, a in enumerate(axes)}
    return arrays


def read(path: str | Path, *, true: Any = None, reco: Any = None) -> ResponseMatrix:
    """Read the mean of the matrices in an ``.npz`` of ReMU.

    Parameters
    ----------
    path : str or Path
    true, reco : axes, optional
        As in `ResponseMatrix.from_array`; if left out, those that forefold wrote into the file, or bin numbers.

    Returns
    -------
    ResponseMatrix
        Without uncertainties. Several matrices are averaged with their ``weights``; true bins that are missing have an efficiency of 0.

    Raises
    ------
    ValueError
        If arrays are missing or their shapes do not fit.
    """
    arrays = read_npz(path)
    for key in ("matrices", "truth_entries"):
        if key not in arrays or arrays[key].dtype.kind not in "fiu":
            message = f"no array {key!r} of numbers; the file has {', '.join(arrays) or 'none'}"
            raise ValueError(message)
    n = arrays["truth_entries"].size
    mean = _mean(arrays)
    places = np.asarray(arrays["sparse_indices"] if arrays.get("is_sparse", False) else range(n))
    good = places.dtype.kind in "iu" and places.shape == mean.shape[1:]
    if not good or np.any((places < 0) | (places >= n)):
        message = f"{mean.shape[1]} columns for {places.size} true bins of {n}"
        raise ValueError(message)
    rows = np.zeros((n, mean.shape[0]))
    rows[places] = mean.T
    axes = [_chosen_axes(arrays, side, chosen) for side, chosen in (("true", true), ("reco", reco))]
    bins = [
        axis if axis is not None else {"bin": np.arange(m + 1.0)}
        for axis, m in zip(axes, rows.shape, strict=True)
    ]
    return published_matrix(rows, bins[0], bins[1])


def _mean(arrays: dict[str, Any]) -> Array:
    matrices = np.asarray(arrays["matrices"], dtype=np.float64)
    if matrices.ndim < 2 or matrices.size == 0:
        message = f"matrices have the shape {matrices.shape}; (toys, reconstructed, true) is needed"
        raise ValueError(message)
    toys = matrices.reshape(-1, *matrices.shape[-2:])
    weights = np.asarray(arrays.get("weights", 1.0), dtype=np.float64).reshape(-1)
    weights = np.full(len(toys), weights[0]) if weights.size == 1 else weights
    if weights.size != len(toys) or not weights.sum() > 0.0:
        message = f"{weights.size} weights for {len(toys)} matrices"
        raise ValueError(message)
    return np.asarray(np.tensordot(weights / weights.sum(), toys, axes=1))


def _chosen_axes(arrays: dict[str, Any], side: str, axes: Any) -> Any:
    if axes is not None:
        return axes
    names = arrays.get(f"{_OWN}{side}_names")
    if names is None:
        return None
    return {
        str(name).removesuffix(f"_{side}"): arrays[f"{_OWN}{side}_edges_{k}"]
        for k, name in enumerate(names)
    }
