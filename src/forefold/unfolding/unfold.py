"""Unfold: from what a detector saw back to the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.kernels.philox import random_key
from forefold.unfolding.bin_names import counted
from forefold.unfolding.diagnostics import prior_shift, warnings_of
from forefold.unfolding.inputs import inputs, require_signal, variations
from forefold.unfolding.measurement import array, blind_bins, checked_measurement
from forefold.unfolding.methods import settings, solved
from forefold.unfolding.result import Unfolded
from forefold.unfolding.stopping import misfit
from forefold.unfolding.uncertainty import data_covariance, matrix_covariance, varied_covariance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from forefold.unfolding.measurement import Measurement
    from forefold.unfolding.methods import Settings
    from forefold.unfolding.solution import Solution

    Array = NDArray[np.float64]

__all__ = ["unfold"]

_ROUNDING = 1e-6


def unfold(
    data: Any,
    response: Any,
    *,
    method: str,
    iterations: int | str | None = None,
    strength: float | str | None = None,
    prior: Any = None,
    background: Any = None,
    fakes: float | str | None = None,
    covariance: Any = None,
    matrix_variance: Any = None,
    covariances: Mapping[str, ArrayLike] | None = None,
    varied: Mapping[str, ArrayLike] | None = None,
    order: int = 2,
    errors: str = "full",
    blind: str = "stop",
    shape: tuple[int, ...] | None = None,
    rng: int | np.random.Generator | None = None,
) -> Unfolded:
    """Unfold a binned spectrum.

    Parameters
    ----------
    data : histogram or array_like, shape (n_reco,)
        What was seen, with its background. Any UHI histogram on the reconstructed axes, or plain numbers, flattened in
        C order. Flow bins are not used.
    response : ResponseMatrix or array_like, shape (n_true, n_reco), or mapping of str to these
        R[true, reco]; rows sum to the efficiency. A mapping, such as `ResponseMatrix.from_variations` gives, holds
        ``nominal`` and shifted ones, which are taken as `varied`.
    method : {"bayes", "tikhonov", "wiener", "likelihood", "inversion"}
        See Notes for which is for what.
    iterations : int or {"chi2-change", "discrepancy", "gcv", "toys"}
        Of ``bayes``, which has no default.
    strength : float or {"l-curve", "gcv", "discrepancy", "toys"}
        Of ``tikhonov``, which has no default; of ``likelihood`` a number, if a penalty is wanted.
    prior : {"truth", "flat"}, histogram or array_like, shape (n_true,), optional
        Where ``bayes`` begins, what the curvature of ``tikhonov`` is relative to, the expected signal of ``wiener``
        (with its normalisation). Left out: the truth of the response if it knows one, scaled to the data, else flat.
    background : histogram or array_like, shape (n_reco,), optional
        Expected counts of other origin.
    fakes : {"scaled", "ignore"} or float, optional
        Fakes of the response, its named backgrounds too, are background: scaled as simulated and real events are in number, or by a factor. Left
        out: scaled; ignored for what `forefold.fold` predicted without fakes.
    covariance : array_like, shape (n_reco, n_reco) or (n_reco,), or "poisson", optional
        Of the data. Left out: variances of a weighted histogram, else those of Poisson counts.
    matrix_variance : array_like, shape (n_true, n_reco) or (n_true, n_reco, n_reco), optional
        Variances of the elements of the response, or covariances within its rows; by default what the response knows.
    covariances : mapping of str to array_like, shape (n_reco, n_reco), optional
        Systematic covariances of what is seen, by name; they count in the weights of chi2, too.
    varied : mapping of str to array_like, shape (n_true, n_reco) or (k, n_true, n_reco), optional
        Responses with a systematic shift, by name: one, a pair (up, down) or k universes. The covariance is the mean of
        the squared shifts of the result.
    order : {0, 1, 2}
        What ``tikhonov`` and ``wiener`` keep small: contents, differences, or curvature, along every true axis. These are of
        contents from bin to bin, not of a density: widths of bins do not enter. Nor do they in ``prior="flat"``.
    errors : {"full", "dagostini"}
        Covariance of ``bayes``: followed through all iterations, or as in the paper of 1995.
    blind : {"stop", "drop"}
        True bins of zero efficiency: an error, or left out (value and covariance 0, and named in the result).
    shape : tuple of int, optional
        Bins of the true axes, where only arrays are given.
    rng : int, numpy Generator or None
        Fixes the toys of the rules ``toys``.

    Returns
    -------
    Unfolded
        Values, covariance by source, A_C, what was chosen and how, and warnings.

    Raises
    ------
    ValueError
        Axes do not match, numbers are not finite or negative, a true bin has no efficiency, the method was told too
        little (``wiener`` no signal, where the response knows no truth), or there is no single answer: a singular matrix (its rank is said), more true than reconstructed bins
        without regularisation.

    Notes
    -----
    Which method when:

    - Compare models with data **without** unfolding when you can: fold the model (`forefold.fold`) and take the
      likelihood of what was seen. Nothing is lost there.
    - ``inversion`` [1]_ and ``likelihood`` [2]_: no bias, covariance complete; right when bins are about as wide as the
      resolution, so that the condition number is small (say below 10), and always right for fits to the result, however
      wild it looks. ``likelihood`` when counts are small (below 10 or so) and contents must not be negative; it needs
      at least as many reconstructed as true bins, and bins at zero have no covariance: their errors are NaN.
    - ``tikhonov`` [3]_: smooth spectra, many bins, high statistics; linear, so that A_C holds exactly.
      ``strength="gcv"`` is for small errors of prediction, ``"l-curve"`` is more robust with correlated data and
      smooths less or more than it should when the corner is round: look at ``peek()``.
    - ``wiener`` [4]_: what neutrino cross-sections publish with A_C; no strength, but an expected signal to be stated.
    - ``bayes`` [5]_, [6]_: few events, sharp peaks, several dimensions; positive. The number of iterations is the
      regularisation, few iterations stay at the prior: look at ``prior_shift``. More true than reconstructed bins are
      allowed here and with the two before, and what data do not fix is then the prior's.

    A regularised result is to be compared with ``smear(model)``, never with a bare model, whatever the method.
    Covariances are linear in the data; A_C of ``bayes`` and ``likelihood`` is the derivative at these data; with respect to an empty bin, of
    ``bayes``, it is what one count more there makes.

    References
    ----------
    .. [1] G. Cowan, Statistical Data Analysis, Oxford 1998; V. Blobel, hep-ex/0208022.
    .. [2] V. Blobel, hep-ex/0208022; S. Baker, R. Cousins, Nucl. Instrum. Meth. 221 (1984) 437.
    .. [3] A. Hoecker, V. Kartvelishvili, hep-ph/9509307; S. Schmitt, arXiv:1205.6201.
    .. [4] W. Tang, X. Li, X. Qian, H. Wei, C. Zhang, arXiv:1705.03568.
    .. [5] G. D'Agostini, Nucl. Instrum. Meth. A 362 (1995) 487; T. Adye, arXiv:1105.1160.
    .. [6] W. H. Richardson, J. Opt. Soc. Am. 62 (1972) 55; L. B. Lucy, Astron. J. 79 (1974) 745.

    Examples
    --------
    >>> import forefold
    >>> response = [[0.8, 0.1, 0.0], [0.1, 0.7, 0.1], [0.0, 0.1, 0.8]]
    >>> result = forefold.unfold([90.0, 84.5, 46.0], response, method="inversion")
    >>> result.values.round(6).tolist()
    [100.0, 100.0, 45.0]
    >>> print(forefold.unfold([90.0, 84.5, 46.0], response, method="bayes", iterations=4))
    Unfolded: iterative Bayes (D'Agostini), Richardson-Lucy, 3 true bins from 3
      iterations: 4, given
      prior: flat; another moves a bin by ... sd at most
      refolded: chi2/ndf = ...
      effective degrees of freedom: 2.9 of 3
      sum 245 +- 16 (data)
      note: covariance: derivatives through all iterations
    """
    key = random_key(rng)
    how = settings(
        method, iterations=iterations, strength=strength, order=order, errors=errors, key=key
    )
    nominal, shifted = variations(response)
    several = {**shifted, **(varied or {})}
    read = inputs(
        data,
        nominal,
        covariance=covariance,
        matrix_variance=matrix_variance,
        background=background,
        prior=prior,
        fakes=fakes,
    )
    require_signal(how.method, prior, read.prior)
    extra = _systematics(covariances, len(read.data))
    _check_names(covariances, shifted, varied)
    bins = tuple(len(axis) for axis in read.true_axes) or shape
    measurement = checked_measurement(
        read.data,
        read.matrix,
        covariance=read.covariance,
        extra=sum(extra.values()) if extra else None,
        background=read.background,
        prior=read.prior,
        prior_name=read.prior_name,
        shape=bins,
        blind=blind,
    )
    solution = solved(measurement, how)
    parts = {"data": data_covariance(measurement, solution, errors)}
    if read.spread is not None:
        parts["matrix"] = matrix_covariance(measurement, solution, read.spread)
    parts |= {name: solution.gain @ v @ solution.gain.T for name, v in extra.items()}
    shifts: dict[str, Array] = {}
    for name, matrices in several.items():
        parts[name], shifts[name] = varied_covariance(measurement, how, solution, name, matrices)
    result = _made(measurement, how, solution, parts, shifts)
    notes = (*read.notes, *result.notes)
    result = replace(result, axes=read.true_axes, reco_axes=read.reco_axes, notes=notes)
    return replace(result, warnings=tuple(warnings_of(result)))


def _systematics(covariances: Mapping[str, ArrayLike] | None, bins: int) -> dict[str, Array]:
    return {
        name: array(f"covariance '{name}'", matrix, 2, (bins, bins))
        for name, matrix in (covariances or {}).items()
    }


def _check_names(*several: Mapping[str, ArrayLike] | None) -> None:
    names = ["data", "matrix", *(name for one in several for name in one or {})]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        message = (
            f"covariance '{min(twice)}' is given twice, or has a name that is taken (data, matrix)"
        )
        raise ValueError(message)


def _made(
    measurement: Measurement,
    how: Settings,
    solution: Solution,
    parts: dict[str, Array],
    shifts: dict[str, Array],
) -> Unfolded:
    """Put a result together, with the true bins that were left out as zeros; without axes and warnings."""
    smearing = solution.gain @ measurement.matrix.T
    refolded = solution.values @ measurement.matrix + measurement.background
    deviations = np.sqrt(np.clip(np.diag(np.asarray(sum(parts.values()))), 0.0, None))
    blind = blind_bins(measurement)
    notes = list(solution.notes)
    if blind:
        notes.append(f"{counted(len(blind), 'true bin')} without efficiency left out")
    empty = int((measurement.data == 0.0).sum()) if measurement.poisson else 0
    full = how.method == "bayes" and how.errors == "full"
    if empty and (full or how.method in ("tikhonov", "wiener", "inversion")):
        slopes = ", and what one count more makes for derivatives" if full else ""
        notes.append(
            f"{counted(empty, 'reconstructed bin')} without a count: variances there are taken as 1{slopes}"
        )
    shift = prior_shift(measurement, how, solution, deviations)
    return Unfolded(
        values=_whole(solution.values, measurement.kept, 1),
        covariances={name: _whole(part, measurement.kept, 2) for name, part in parts.items()},
        smearing=_whole(smearing, measurement.kept, 2),
        offset=_whole(solution.offset, measurement.kept, 1),
        gain=_whole(solution.gain, measurement.kept, 1),
        data=measurement.data,
        background=measurement.background,
        refolded=refolded,
        chi2=misfit(measurement, refolded)
        if how.method in ("bayes", "likelihood")
        else float(np.square(measurement.whitener @ (measurement.data - refolded)).sum()),
        ndf=_left(measurement.n_reco, float(np.trace(smearing))),
        method=how.method,
        strength=solution.strength,
        chosen=solution.chosen,
        prior=measurement.prior_name,
        prior_shift=shift,
        rank=measurement.rank,
        condition=measurement.condition,
        shape=measurement.shape,
        scan=solution.scan,
        shifts={name: _whole(s.T, measurement.kept, 1).T for name, s in shifts.items()},
        blind=tuple(blind),
        notes=tuple(notes),
    )


def _left(bins: int, freedom: float) -> float:
    """Give the degrees of freedom that are left; what rounding leaves of none is none."""
    left = bins - freedom
    return 0.0 if abs(left) < _ROUNDING * bins else left


def _whole(part: Array, kept: NDArray[np.bool_], axes: int) -> Array:
    """Put zeros where true bins were left out, along the first axes."""
    if kept.all():
        return part
    size = len(kept)
    whole = np.zeros((size,) * axes + part.shape[axes:])
    whole[np.ix_(*(kept,) * axes)] = part
    return whole
