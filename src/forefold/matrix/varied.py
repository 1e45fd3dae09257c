"""Matrices and spectra of varied detectors, with an axis for the variation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hist
import numpy as np

from forefold.matrix.uhi_json import annotate
from forefold.smearing.particle_columns import limits, selected

if TYPE_CHECKING:
    from collections.abc import Callable

    import awkward as ak

    from forefold.smearing.variations import Variations

__all__ = ["varied_energy_matrix", "varied_matrix"]


def _axis(varied: Variations) -> hist.axis.StrCategory:
    return hist.axis.StrCategory(
        list(varied), name="variation", label="Variation of the detector", overflow=False
    )


def varied_matrix(varied: Variations, fill: Callable[[ak.Array], hist.Hist[Any]]) -> hist.Hist[Any]:
    """Fill one histogram a variation and put them side by side.

    Parameters
    ----------
    varied : Variations
        From `forefold.smear_variations`.
    fill : callable
        Makes a histogram of smeared events, such as `forefold.angle_matrix`.

    Returns
    -------
    hist.Hist
        The same with an axis ``variation`` in front: ``"nominal"`` and the names of the variations.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
    >>> varied_matrix(varied, forefold.angle_matrix).shape
    (39, 100, 100)
    """
    whole: hist.Hist[Any] | None = None
    for i, name in enumerate(varied):
        one = fill(varied[name])
        if whole is None:
            whole = hist.Hist(
                _axis(varied),
                *one.axes,
                storage=one.storage_type(),
                name=one.name,
                label=one.label,
            )
            whole.__dict__.update(
                {key: value for key, value in vars(one).items() if key.startswith("forefold_")}
            )
        whole.view(flow=True)[i, ...] = one.view(flow=True)
    assert whole is not None
    return whole


def varied_energy_matrix(
    varied: Variations,
    *,
    bins: int = 100,
    range: tuple[float, float] = (0.0, 7.0),
    cc_only: bool = False,
) -> hist.Hist[Any]:
    """Event energy, true against reconstructed, for the nominal detector and each variation.

    Parameters
    ----------
    varied : Variations
        From `forefold.smear_variations`.
    bins, range, cc_only
        See `forefold.energy_matrix`.

    Returns
    -------
    hist.Hist
        Axes ``variation``, ``energy_true``, ``energy_reco`` (GeV). The slice of a variation is `forefold.energy_matrix` of
        its events, and ``project("variation", "energy_reco")`` has the spectra. Additive over chunks.

    Examples
    --------
    >>> import forefold
    >>> events = forefold.read("events.gst.root")
    >>> varied = forefold.smear_variations(events, "dune-fd-uncertainties", rng=1)
    >>> matrix = varied_energy_matrix(varied)
    >>> matrix["nominal", :, :] == forefold.energy_matrix(varied.nominal)
    True
    """
    span = limits(range)
    nominal = varied.nominal
    matrix: hist.Hist[Any] = hist.Hist(
        _axis(varied),
        hist.axis.Regular(bins, *span, name="energy_true", label="True energy [GeV]"),
        hist.axis.Regular(bins, *span, name="energy_reco", label="Reconstructed energy [GeV]"),
        storage=hist.storage.Weight(),
        name="energy_matrix",
        label="events",
    )
    rows = np.arange(len(nominal))
    if cc_only:
        import awkward as ak

        selected(nominal, cc_only)  # refuses events that do not say
        rows = rows[ak.to_numpy(ak.fill_none(nominal["cc"], False))]
    true = nominal["visible_energy_true"].to_numpy()[rows]
    weight = np.asarray(nominal["weight"].to_numpy(), dtype=np.float64)[rows]
    for name, reco in zip(varied, varied.visible_energy_reco, strict=True):
        matrix.fill(variation=name, energy_true=true, energy_reco=reco[rows], weight=weight)
    return annotate(matrix, nominal, cc_only=cc_only)
