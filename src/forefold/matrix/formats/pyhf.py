"""pyhf: a HistFactory workspace, to fit reconstructed counts.

One channel over the reconstructed bins. The signal is a spectrum folded with the matrix, as one sample with the normalisation ``mu``, or as one
sample a true bin with ``mu_0``, ``mu_1``, ..., which unfolds by maximum likelihood. The statistics of the matrix are a ``histosys`` for each eigenvector of
their covariance, so that the likelihood is that of `forefold.Experiment`; of samples of true bins, or without migrations, a ``staterror``. Variations of the
detector are a ``histosys`` each; fakes and backgrounds are samples of their own, with a ``shapesys`` where they are weighted and have variances, and those that
the matrix names with a normalisation ``norm_NAME``, which is fixed at 1 until somebody frees it.

References
----------
L. Heinrich, M. Feickert, G. Stark, K. Cranmer, J. Open Source Softw. 6 (2021) 2823; pyhf's workspace schema 1.0.0; CERN-OPEN-2012-016.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold._inputs import is_universe
from forefold.io.write import write_text_aside
from forefold.matrix.axes import matching
from forefold.matrix.formats.common import EmptyRows, Exported, fakes_of, positive_rows, spectrum
from forefold.matrix.variations import same_backgrounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from forefold.matrix import ResponseMatrix

    Array = NDArray[np.float64]

__all__ = ["workspace", "write"]

_WHAT = "pyhf"
_IDLE = "no_effect"  # a pull that moves nothing
_LEAST = 1e-12  # of the largest variance in any direction
_MOST = 10.0  # of a normalisation, in units of the spectrum


def write(
    matrix: ResponseMatrix,
    path: str | Path,
    *,
    signal: Any = None,
    background: Any = None,
    observed: Any = None,
    variations: Mapping[str, ResponseMatrix] | None = None,
    per_true_bin: bool = False,
    fakes: bool = False,
    name: str = "forefold",
    empty_rows: EmptyRows = "stop",
    overwrite: bool = False,
) -> Exported:
    """Write a workspace as JSON.

    Parameters
    ----------
    matrix : ResponseMatrix
        With any number of axes; bins are numbered in C order.
    path : str or Path
    signal : UHI histogram, optional
        True spectrum; the truth of the matrix if left out.
    background : UHI histogram, optional
        Expected counts over the reconstructed axes. Variances of a weighted histogram become a ``shapesys``; `forefold.Experiment` takes them as
        ``background_variance``.
    observed : UHI histogram, optional
        Counts over the reconstructed axes; the expected counts if left out.
    variations : mapping of str to ResponseMatrix, optional
        Matrices of the varied detector, from `ResponseMatrix.from_variations`. A pair ``NAME_up``, ``NAME_down`` becomes a ``histosys``; a single one
        is mirrored; universes are left out.
    per_true_bin : bool
        Give each true bin a normalisation of its own, which unfolds the spectrum.
    fakes : bool
        Add the fakes and the named backgrounds of the matrix, scaled by the total of the signal over that of the truth.
    name : str
        Name of the channel and of the measurement.
    empty_rows : {"stop", "lose"}
        True bins without events are an error, or get an efficiency of 0.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    Exported
    """
    content = workspace(
        matrix,
        signal=signal,
        background=background,
        observed=observed,
        variations=variations,
        per_true_bin=per_true_bin,
        fakes=fakes,
        name=name,
        empty_rows=empty_rows,
    )
    write_text_aside(path, json.dumps(content, indent=1) + "\n", overwrite=overwrite)
    notes = []
    if per_true_bin and not matrix.exact:
        notes.append(
            "correlations between reconstructed bins of the statistics of the matrix are not written: they are with one signal"
        )
    if any(not is_universe(key) and key != "nominal" for key in variations or {}):
        notes.append("pyhf goes between variations along another curve than forefold's parabola")
    thrown = sum(is_universe(key) for key in variations or {})
    if thrown:
        notes.append(
            f"{thrown} universes of the detector are not written: pyhf has no place for them"
        )
    if _IDLE in {
        modifier["name"] for modifier in content["channels"][0]["samples"][0]["modifiers"]
    }:
        notes.append(
            f"the pull {_IDLE!r} moves nothing: pyhf's minuit cannot hold mu without another parameter"
        )
    if observed is None:
        notes.append("observed are the expected counts (an Asimov data set)")
    left = [] if fakes else fakes_of(matrix)
    notes += [f"{said} are not written: add them with fakes=True (--fakes)" for said in left]
    if fakes and matrix.backgrounds:
        norms = ", ".join(map(_norm, matrix.backgrounds))
        notes.append(f"norms of backgrounds ({norms}) are fixed at 1, for you to free")
    if any(
        modifier["type"] == "shapesys"
        for sample in content["channels"][0]["samples"]
        if sample["name"] == "background"
        for modifier in sample["modifiers"]
    ):
        notes.append(
            "variances of the background are a shapesys: an Experiment has them with background_variance=, and not by itself"
        )
    return Exported((Path(path),), tuple(notes))


def workspace(
    matrix: ResponseMatrix,
    *,
    signal: Any = None,
    background: Any = None,
    observed: Any = None,
    variations: Mapping[str, ResponseMatrix] | None = None,
    per_true_bin: bool = False,
    fakes: bool = False,
    name: str = "forefold",
    empty_rows: EmptyRows = "stop",
) -> dict[str, Any]:
    """Make a workspace, as pyhf takes it; see `write`.

    Returns
    -------
    dict
        The workspace in terms of JSON.

    Examples
    --------
    >>> import forefold
    >>> from forefold.matrix.formats.pyhf import workspace
    >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.3], [0.1, 0.7]], [0, 1, 2], [0, 1, 2], truth=[10, 20])
    >>> made = workspace(matrix)
    >>> made["channels"][0]["samples"][0]["data"]
    [7.0, 17.0]
    """
    rows = positive_rows(matrix, _WHAT, empty_rows)
    total = np.asarray(matrix.truth.values(), dtype=np.float64).reshape(-1)
    if signal is None and not matrix.knows_truth:
        message = "this matrix knows no truth, probabilities alone: give the true spectrum with signal= (--signal FILE)"
        raise ValueError(message)
    true = total if signal is None else spectrum(signal, matrix.true_axes, "signal")[0]
    pulls = _pulls(matrix, variations or {})
    parts = _signal(matrix, rows, true, per_true_bin, name)
    for i, part in enumerate(parts):
        some = slice(i, i + 1) if per_true_bin else slice(None)
        part["modifiers"] += [
            _histosys(pull, *(true[some] @ variation.matrix[some] for variation in pair))
            for pull, pair in pulls.items()
        ]
    if fakes:
        scale = float(true.sum() / total.sum()) if total.sum() > 0.0 else math.inf
        parts += _not_signal(matrix, scale, name, pulls)
    if background is not None:
        values, variances = spectrum(background, matrix.reco_axes, "background")
        parts.append(
            _sample("background", values, _shapesys("background", name, values, variances))
        )
    if not per_true_bin and all(
        modifier["type"] == "normfactor" for part in parts for modifier in part["modifiers"]
    ):
        # pyhf's minuit cannot hold a parameter that has no other beside it, as profiles and limits do
        values = np.asarray(parts[0]["data"])
        parts[0]["modifiers"].append(_histosys(_IDLE, values, values))
    expected = np.sum([part["data"] for part in parts], axis=0)
    data = expected
    if observed is not None:
        data = spectrum(observed, matrix.reco_axes, "observed")[0]
    normalisations = [f"mu_{i}" for i in range(len(true))] if per_true_bin else ["mu"]
    parameters: list[dict[str, Any]] = [
        {"name": normalisation, "inits": [1.0], "bounds": [[0.0, _MOST]]}
        for normalisation in normalisations
    ]
    named = matrix.backgrounds if fakes else ()
    parameters += [{"name": _norm(source), "inits": [1.0], "fixed": True} for source in named]
    return {
        "version": "1.0.0",
        "channels": [{"name": name, "samples": parts}],
        "observations": [{"name": name, "data": [float(count) for count in data]}],
        "measurements": [
            {"name": name, "config": {"poi": normalisations[0], "parameters": parameters}}
        ],
    }


def _sample(name: str, data: Array, modifiers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "data": [float(value) for value in data], "modifiers": modifiers}


def _signal(
    matrix: ResponseMatrix, rows: Array, true: Array, per_true_bin: bool, name: str
) -> list[dict[str, Any]]:
    """Give samples of the signal: data, normalisation, statistics of the matrix."""
    if per_true_bin:
        variance = np.zeros_like(rows) if matrix.exact else np.asarray(matrix.variance)
        return [
            _sample(
                f"true_{i}",
                t * rows[i],
                [_scaled(f"mu_{i}"), *_staterror(np.square(t) * variance[i], name)],
            )
            for i, t in enumerate(true)
        ]
    values = true @ rows
    own = [] if matrix.exact else _statistics(values, matrix.covariance(true), name)
    return [_sample("signal", values, [_scaled("mu"), *own])]


def _scaled(normalisation: str) -> dict[str, Any]:
    return {"name": normalisation, "type": "normfactor", "data": None}


def _staterror(variances: Array, name: str) -> list[dict[str, Any]]:
    """Give an error a bin."""
    if not variances.any():
        return []
    errors = [float(error) for error in np.sqrt(np.maximum(variances, 0.0))]
    return [{"name": f"staterror_{name}", "type": "staterror", "data": errors}]


def _statistics(values: Array, covariance: Array, name: str) -> list[dict[str, Any]]:
    """Give the directions in which bins move together, each one standard deviation up and down."""
    if not np.any(covariance - np.diag(np.diagonal(covariance))):
        return _staterror(np.diagonal(covariance), name)
    spread, directions = np.linalg.eigh(covariance)
    steps = (np.sqrt(np.maximum(spread, 0.0)) * directions).T[::-1]  # the largest first
    steps = steps[spread[::-1] > _LEAST * spread[-1]]
    return [
        _histosys(f"statistics_{name}_{k}", values + step, values - step)
        for k, step in enumerate(steps)
    ]


def _pulls(
    matrix: ResponseMatrix, variations: Mapping[str, ResponseMatrix]
) -> dict[str, tuple[_Varied, _Varied]]:
    """Give rows and fakes of each pull, up and down."""
    pulls: dict[str, tuple[_Varied, _Varied]] = {}
    nominal = _Varied.of(matrix)
    for key, variation in variations.items():
        base = key.removesuffix("_up").removesuffix("_down")
        if key == "nominal" or is_universe(key) or base in pulls:
            continue
        matching(matrix.true_axes, variation.true_axes, f"variation {key}")
        matching(matrix.reco_axes, variation.reco_axes, f"variation {key}")
        same_backgrounds(matrix, variation, f"variation {key}")
        up, down = (variations.get(f"{base}_{way}") for way in ("up", "down"))
        if up is not None and down is not None:
            pulls[base] = (_Varied.of(up), _Varied.of(down))
        else:
            alone = _Varied.of(variation)
            pair = (alone, nominal.mirrored(alone))
            pulls[base] = (pair[1], pair[0]) if key.endswith("_down") else pair
    return pulls


class _Varied(NamedTuple):
    """What a variation changes: R[true, reco], fakes and backgrounds."""

    matrix: Array
    beside: dict[str, Array]

    @classmethod
    def of(cls, matrix: ResponseMatrix) -> _Varied:
        return cls(
            np.asarray(matrix.matrix),
            {n: v for n, (v, _) in _fakes_and_backgrounds(matrix).items()},
        )

    def mirrored(self, other: _Varied) -> _Varied:
        pairs = {name: (own, other.beside[name]) for name, own in self.beside.items()}
        return _Varied(
            2.0 * self.matrix - other.matrix, {name: 2.0 * a - b for name, (a, b) in pairs.items()}
        )


def _fakes_and_backgrounds(matrix: ResponseMatrix) -> dict[str, tuple[Array, Array]]:
    """Give values and variances of what is no signal, by name."""
    histograms = {"fakes": matrix.fakes, **matrix.backgrounds}
    return {
        name: (
            np.asarray(histogram.values(), dtype=np.float64).reshape(-1),
            np.asarray(histogram.variances(), dtype=np.float64).reshape(-1),
        )
        for name, histogram in histograms.items()
    }


def _norm(background: str) -> str:
    return f"norm_{background}"


def _histosys(name: str, up: Array, down: Array) -> dict[str, Any]:
    both = {"hi_data": [float(value) for value in up], "lo_data": [float(value) for value in down]}
    return {"name": name, "type": "histosys", "data": both}


def _not_signal(
    matrix: ResponseMatrix, scale: float, name: str, pulls: dict[str, tuple[_Varied, _Varied]]
) -> list[dict[str, Any]]:
    """Give samples of fakes and of each background."""
    if not math.isfinite(scale):
        message = "fakes scale with the signal over the truth of the matrix, which is 0"
        raise ValueError(message)
    samples = []
    for sample, (values, variances) in _fakes_and_backgrounds(matrix).items():
        modifiers = _shapesys(sample, name, scale * values, scale**2 * variances)
        modifiers += [
            _histosys(pull, *(scale * variation.beside[sample] for variation in pair))
            for pull, pair in pulls.items()
        ]
        modifiers += [_scaled(_norm(sample))] if sample in matrix.backgrounds else []
        samples.append(_sample(sample, scale * values, modifiers))
    return samples


def _shapesys(sample: str, name: str, values: Array, variances: Array) -> list[dict[str, Any]]:
    """Give a Poisson constraint a bin, where there are errors to constrain by."""
    errors = np.sqrt(np.where(np.isfinite(variances) & (values > 0.0), variances, 0.0))
    if not errors.any():
        return []
    return [
        {
            "name": f"{sample}_{name}",
            "type": "shapesys",
            "data": [float(error) for error in errors],
        }
    ]
