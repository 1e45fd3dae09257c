"""Results, diagnostics, files and pictures."""

from __future__ import annotations

import json
import math
from typing import Any

import hist
import matplotlib.figure
import numpy as np
import pytest
from spectra import RECO, TRUE, counts, histogram, known, spectrum

import forefold
from forefold.unfolding import Unfolded


def test_histograms_and_a_response_matrix() -> None:
    response = known()
    matrix, truth = spectrum(6, 9)
    data = counts(matrix, truth)
    found = forefold.unfold(histogram(data), response, method="bayes", iterations=4)
    plain = forefold.unfold(
        data,
        matrix,
        method="bayes",
        iterations=4,
        prior=truth,
        matrix_variance=response.row_covariance(),
    )
    assert found.values == pytest.approx(plain.values, rel=1e-12)
    assert found.covariance == pytest.approx(plain.covariance, rel=1e-9)
    assert found.prior == "truth of the response"
    assert found.histogram.axes[0] == response.true_axes[0]
    assert found.histogram.variances() == pytest.approx(np.diag(found.covariance))
    assert set(found.covariances) == {"data", "matrix"}


def test_weighted_data_bring_their_variances() -> None:
    matrix, truth = spectrum(6, 9)
    data = truth @ matrix
    weighted = forefold.unfold(histogram(data, variances=4.0 * data), known(), method="inversion")
    plain = forefold.unfold(data, matrix, method="inversion", covariance=4.0 * data)
    assert weighted.covariances["data"] == pytest.approx(plain.covariance, rel=1e-9)
    assert any("weighted" in note for note in weighted.notes)
    forced = forefold.unfold(
        histogram(data, variances=4.0 * data), known(), method="inversion", covariance="poisson"
    )
    assert forced.covariances["data"] == pytest.approx(plain.covariance / 4.0, rel=1e-6)


def test_an_empty_weighted_bin_has_the_mean_weight() -> None:
    values, variances = np.array([4.0, 0.0, 6.0]), np.array([8.0, 0.0, 12.0])
    data = histogram(values, hist.axis.Regular(3, 0, 3), variances)
    found = forefold.unfold(data, np.eye(3), method="inversion")
    assert np.diag(found.covariance) == pytest.approx([8.0, 4.0, 12.0])


def test_axes_that_do_not_match_are_named() -> None:
    other = hist.axis.Regular(9, 0, 12, name="energy_reco")
    with pytest.raises(ValueError, match=r"data: axis 0 \('energy_reco'\) has edge 1 at 1\.33"):
        forefold.unfold(histogram(np.ones(9), other), known(), method="inversion")
    fewer = hist.axis.Regular(8, 0, 10, name="energy_reco")
    with pytest.raises(ValueError, match=r"has 8 bins from 0 to 10, the matrix has 9"):
        forefold.unfold(histogram(np.ones(8), fewer), known(), method="inversion")
    two: hist.Hist[Any] = hist.Hist(RECO, hist.axis.Regular(2, 0, 1, name="q"))
    with pytest.raises(ValueError, match="data has 2 axes, the matrix has 1: 'energy_reco'"):
        forefold.unfold(two, known(), method="inversion")
    with pytest.raises(ValueError, match="prior has 5 bins; 6 are needed"):
        forefold.unfold(
            np.ones(9), spectrum(6, 9)[0], method="bayes", iterations=1, prior=np.ones(5)
        )


def test_what_was_folded_is_unfolded() -> None:
    response = known()
    folded = forefold.fold(response.truth, response)
    found = forefold.unfold(folded, response, method="bayes", iterations=3)
    assert found.values == pytest.approx(response.truth.values(), rel=1e-12)
    assert any("prediction" in note for note in found.notes)


def test_fakes_are_background() -> None:
    matrix, truth = spectrum(6, 9)
    fakes = np.linspace(10.0, 90.0, 9)

    class WithFakes:
        true_axes, reco_axes = (TRUE,), (RECO,)
        variance = np.zeros((6, 9))

        def __init__(self) -> None:
            self.matrix = matrix
            self.truth = histogram(truth, TRUE)
            self.fakes = histogram(fakes)

    data = 3.0 * (truth @ matrix + fakes)
    scaled = forefold.unfold(data, WithFakes(), method="inversion")
    assert scaled.values == pytest.approx(3.0 * truth, rel=1e-8)
    assert any("times 3 are background" in note for note in scaled.notes)
    by_hand = forefold.unfold(data, WithFakes(), method="inversion", fakes=3.0)
    assert by_hand.values == pytest.approx(3.0 * truth, rel=1e-8)
    ignored = forefold.unfold(data, WithFakes(), method="inversion", fakes="ignore")
    assert ignored.values.sum() > 3.0 * truth.sum() + 400.0
    assert any("ignored" in note for note in ignored.notes)


@pytest.mark.parametrize(
    ("data", "matrix", "told", "message"),
    [
        ([1.0, np.nan], np.eye(2), {}, "data: nan in bin 1; numbers must be finite"),
        ([1.0, -2.0], np.eye(2), {}, "counts are not negative"),
        ([1.0], np.eye(2), {}, r"data has shape \(1,\); \(2,\) is needed"),
        ([1.0, 1.0], [[0.9, 0.3], [0.1, 0.4]], {}, r"row 0 sums to 1\.2"),
        ([1.0, 1.0], [[0.9, -0.3], [0.1, 0.4]], {}, "-0.3 at true bin 0, reconstructed bin 1"),
        ([1.0, 1.0], [[0.9, 0.1], [0.0, 0.0]], {}, "true bin 1 has zero efficiency"),
        ([1.0, 1.0], [[0.5, 0.5], [0.5, 0.5]], {}, "singular, rank 1 of 2: use fewer true bins"),
        ([1.0], [[0.5], [0.4]], {}, "cannot find 2 true bins from 1 reconstructed"),
        ([1.0, 1.0], np.eye(2), {"covariance": [1.0, 0.0]}, "not positive definite: rank 1 of 2"),
        ([1.0, 1.0], np.eye(2), {"covariance": [[1, 0.5], [0, 1]]}, "is not symmetric"),
        ([1.0, 1.0], np.eye(2), {"covariance": "gauss"}, "'poisson', is needed"),
        ([1.0, 1.0], np.eye(2), {"prior": "truth"}, "knows no truth"),
        ([1.0, 1.0], np.eye(2), {"prior": "round"}, "'flat', 'truth', a histogram or an array"),
        ([1.0, 1.0], np.eye(2), {"prior": [-1.0, 1.0]}, "no bin may be negative"),
        ([1.0, 1.0], np.eye(2), {"blind": "yes"}, "'stop' or 'drop'"),
        ([1.0, 1.0], np.eye(2), {"shape": (3,)}, "true axes of 3 bins do not fit"),
        ([1.0, 1.0], np.eye(2), {"matrix_variance": -np.eye(2)}, "variances are not negative"),
        ([1.0, 1.0], np.eye(2), {"varied": {"up": np.eye(3)}}, r"varied response 'up' has shape"),
        ([1.0, 1.0], np.eye(2), {"varied": {"up": np.zeros((2, 2))}}, "without efficiency"),
        (["a", "b"], np.eye(2), {}, "data: numbers are needed"),
    ],
)
def test_bad_input_is_told(data: Any, matrix: Any, told: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        forefold.unfold(data, matrix, method="inversion", **told)
    assert "\n" not in str(raised.value)


def test_true_bins_without_efficiency_are_left_out_when_asked() -> None:
    matrix, truth = spectrum(6, 9)
    matrix[3] = 0.0
    data = truth @ matrix
    found = forefold.unfold(
        data, matrix, method="inversion", blind="drop", matrix_variance=np.full((6, 9), 1e-6)
    )
    kept = np.arange(6) != 3
    assert found.values[kept] == pytest.approx(truth[kept], rel=1e-8)
    assert found.values[3] == 0.0
    assert found.covariance.shape == (6, 6)
    assert found.blind == (3,)
    assert found.smear(truth)[kept] == pytest.approx(truth[kept], rel=1e-8)
    assert any("1 true bin without efficiency left out" in note for note in found.notes)
    bent = forefold.unfold(data, matrix, method="tikhonov", strength=1e-6, blind="drop")
    assert bent.values.shape == (6,)


def test_more_true_bins_than_reconstructed_ones_is_said() -> None:
    matrix, truth = spectrum(12, 6)
    for told in (
        {"method": "bayes", "iterations": 5},
        {"method": "tikhonov", "strength": 1e-4},
        {"method": "wiener", "prior": truth},
    ):
        found = forefold.unfold(truth @ matrix, matrix, **told)
        assert any("12 true bins from 6" in text for text in found.warnings)
        assert found.freedom <= 6.0 + 1e-9
    square = np.array([[0.5, 0.5], [0.5, 0.5]])
    found = forefold.unfold([9.0, 9.0], square, method="bayes", iterations=3)
    assert any("rank 1 of 2" in text for text in found.warnings)


def test_a_wrong_prior_shows() -> None:
    matrix, truth = spectrum(8, 16)
    data = counts(matrix, truth)
    wrong = truth[::-1].copy()
    early = forefold.unfold(data, matrix, method="bayes", iterations=1, prior=wrong)
    assert early.p_value < 1e-6
    assert early.prior_shift > 5.0
    assert any("does not describe the data" in text for text in early.warnings)
    assert any("another prior moves a bin" in text for text in early.warnings)
    late = forefold.unfold(data, matrix, method="bayes", iterations=60, prior=wrong)
    assert late.p_value > 0.01
    assert late.prior_shift < early.prior_shift


def test_negative_bins_and_noise_are_told() -> None:
    matrix, truth = spectrum(12, 12, events=500.0, width=1.0)
    found = forefold.unfold(counts(matrix, truth), matrix, method="inversion")
    assert (found.values < 0.0).any()
    assert any("a negative content" in text for text in found.warnings)
    assert any("condition number" in text for text in found.warnings)


@pytest.mark.parametrize(
    "told",
    [
        {"method": "inversion"},
        {"method": "bayes", "iterations": "gcv"},
        {"method": "tikhonov", "strength": "l-curve"},
    ],
)
def test_a_result_comes_back_from_its_file(told: dict[str, Any]) -> None:
    response = known()
    data = counts(*spectrum(6, 9))
    varied = {"w": spectrum(6, 9, width=0.7)[0]}
    found = forefold.unfold(histogram(data), response, varied=varied, **told)
    text = found.to_json()
    back = Unfolded.from_json(text)
    assert repr(back) == repr(found)
    assert back.to_json() == text
    for name in ("covariance", "smearing", "gain", "refolded", "offset"):
        assert np.array_equal(getattr(back, name), getattr(found, name))
    # any reader of UHI histograms takes it
    plain = hist.Hist(json.loads(text))
    assert plain.values() == pytest.approx(found.values)
    assert "NaN" not in text


@pytest.mark.parametrize("text", ["{}", "[1]", "nothing"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a UHI histogram"):
        Unfolded.from_json(text)


def test_a_histogram_is_not_a_result() -> None:
    from forefold.matrix import to_json

    plain = histogram(np.ones(9))
    with pytest.raises(ValueError, match="not the result of an unfolding: the metadata"):
        Unfolded.from_json(to_json(plain))
    with pytest.raises(ValueError, match="not the result of an unfolding: KeyError"):
        Unfolded.from_json(to_json(plain, {"unfolded": "{}"}))


def test_pictures() -> None:
    response = known()
    data = counts(*spectrum(6, 9))
    truth = spectrum(6, 9)[1]
    for told, panels in (
        ({"method": "inversion"}, 4 + 2),
        ({"method": "bayes", "iterations": "gcv"}, 4 + 2),
        ({"method": "tikhonov", "strength": "gcv"}, 4 + 2),
    ):
        found = forefold.unfold(histogram(data), response, **told)  # type: ignore[arg-type]
        figure = found.peek(truth=truth)
        assert len(figure.axes) == panels  # with two colour bars
        figure.draw_without_rendering()
    own = matplotlib.figure.Figure()
    assert found.peek(ax=own.subplots()) is own
    assert own.axes[0].get_xlabel() == "True energy [GeV]"


def test_it_says_what_it_did() -> None:
    matrix, truth = spectrum(6, 9)
    text = repr(forefold.unfold(truth @ matrix, matrix, method="tikhonov", strength="gcv"))
    assert "regularised least squares" in text
    assert "by gcv" in text
    assert "prior: flat" in text
    found = forefold.unfold(truth @ matrix, matrix, method="inversion")
    assert math.isnan(found.strength)
    assert "no regularisation" in repr(found)
    with pytest.raises(ValueError, match=r"truth has shape \(2,\)"):
        found.smear([1.0, 2.0])


def test_correlations() -> None:
    matrix, truth = spectrum(6, 9)
    found = forefold.unfold(truth @ matrix, matrix, method="inversion")
    assert np.diag(found.correlation) == pytest.approx(np.ones(6))
    assert found.correlation[0, 1] < 0.0


def test_notebooks_show_a_table() -> None:
    data, matrix = [40.0, 60.0], [[0.9, 0.1], [0.1, 0.8]]
    page = forefold.unfold(data, matrix, method="inversion")._repr_html_()
    assert page.startswith("<pre>Unfolded")
    assert '<th scope="row">bin 0</th><td>36.62</td>' in page  # (0.8 * 40 - 0.1 * 60) / 0.71
    named = forefold.ResponseMatrix.from_array(matrix, {"q2": [0, 1, 3]}, {"q2": [0, 1, 3]})
    page = forefold.unfold(data, named, method="inversion")._repr_html_()
    assert '<th scope="row">q2_true 1 to 3</th>' in page
