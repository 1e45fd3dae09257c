"""Folding: predictions and their covariances from numbers made by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest
from gun import card

from forefold import Experiment, ResponseMatrix, fold
from forefold.matrix import compatibility, in_bin_variation
from forefold.matrix.variations import detector_covariance

R = np.array([[0.6, 0.2, 0.0], [0.1, 0.5, 0.3]])
EDGES = [0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]


def spectrum(*values: float, edges: list[float] = EDGES[0], name: str = "true") -> hist.Hist[Any]:
    made: hist.Hist[Any] = hist.Hist(hist.axis.Variable(edges, name=name))
    made.view()[...] = values
    return made


def of(rows: np.ndarray, entries: float | None = None) -> ResponseMatrix:
    return ResponseMatrix.from_array(rows, *EDGES, entries=entries)


def test_prediction_is_spectrum_times_matrix() -> None:
    found = fold(spectrum(10.0, 20.0), of(R))
    np.testing.assert_allclose(found.values, [8.0, 12.0, 6.0], rtol=1e-12)
    assert found.histogram.axes[0].name == "reco"
    assert not found.covariance.any()
    assert not found.correlation.any()


def test_covariance_of_the_matrix_and_of_the_spectrum() -> None:
    matrix = of(R, 100.0)
    truth = np.array([10.0, 20.0])
    expected = sum(
        t**2 * (np.diag(r) - np.outer(r, r)) / 100.0 for t, r in zip(truth, R, strict=True)
    )
    found = fold(spectrum(*truth), matrix, covariance=[4.0, 9.0])
    np.testing.assert_allclose(found.covariances["matrix"], expected, rtol=1e-9)
    np.testing.assert_allclose(
        found.covariances["input"], R.T @ np.diag([4.0, 9.0]) @ R, rtol=1e-12
    )
    np.testing.assert_allclose(
        np.asarray(found.histogram.variances()), np.diag(found.covariance), rtol=1e-12
    )
    np.testing.assert_allclose(np.diag(found.correlation), 1.0)
    none = fold(spectrum(*truth), matrix, statistics="none")
    assert none.covariances == {}
    assert "from the spectrum" in repr(found)


def test_variations_of_the_detector() -> None:
    up, down = R + np.diag([0.01, 0.02, 0])[:2], R - np.diag([0.01, 0, 0])[:2]
    matrices = {"nominal": of(R), "a_up": of(up), "a_down": of(down), "b_up": of(up)}
    truth = np.array([10.0, 20.0])
    a = 0.5 * (truth @ (up - down))
    b = truth @ (up - R)
    found = fold(spectrum(*truth), matrices, statistics="none")
    np.testing.assert_allclose(found.covariance, np.outer(a, a) + np.outer(b, b), atol=1e-12)
    both = fold(spectrum(*truth), matrices, statistics="none", correlation=[[1.0, 0.5], [0.5, 1.0]])
    cross = 0.5 * (np.outer(a, b) + np.outer(b, a))
    np.testing.assert_allclose(both.covariance, found.covariance + cross, atol=1e-12)
    thrown = {"universe_0": of(up), "throw_1": of(down)}  # the second by its old name
    rows = [truth @ (up - R), truth @ (down - R)]
    mean = sum(np.outer(r, r) for r in rows) / 2
    np.testing.assert_allclose(detector_covariance(truth, of(R), thrown), mean, atol=1e-12)
    head = "".join(
        f'[parameters.{name}]\nvalue = 1.0\nuncertainty = {width}\nsource = "test"\n'
        for name, width in (("a", 3.0), ("b", 0.1))
    )
    head += '[[correlation]]\nparameters = ["a", "b"]\nvalue = 0.5\nsource = "test"\n'
    said = fold(spectrum(*truth), matrices, statistics="none", correlation=card(head=head))
    np.testing.assert_allclose(said.covariance, both.covariance, atol=1e-12)
    with pytest.raises(ValueError, match="card test has no pull 'a'"):
        fold(spectrum(*truth), matrices, correlation=card())
    with pytest.raises(ValueError, match="correlation of shape"):
        fold(spectrum(*truth), matrices, correlation=np.eye(3))
    for alone in (of(R), {"nominal": of(R), **thrown}):
        for given in (card(head=head), np.eye(1)):
            with pytest.raises(ValueError, match="says it of pulls, and the response has none"):
                fold(spectrum(*truth), alone, correlation=given)
    with pytest.raises(ValueError, match="says it of pulls, and the response has none"):
        Experiment(truth, of(R), correlation=card(head=head))
    half = {name: each for name, each in matrices.items() if name != "b_up"}
    (note,) = Experiment(truth, half, correlation=card(head=head)).notes
    assert note.startswith("card test correlates a with b, and the response has no variations of")
    assert Experiment(truth, matrices, correlation=card(head=head)).notes == ()
    with pytest.raises(ValueError, match="a mapping needs a ResponseMatrix 'nominal'"):
        fold(spectrum(*truth), {"up": of(up)})
    for alone in (of(R), {"nominal": of(R), **thrown}):
        for given in (card(head=head), np.eye(1)):
            with pytest.raises(ValueError, match="says it of pulls, and the response has none"):
                fold(spectrum(*truth), alone, correlation=given)
    with pytest.raises(ValueError, match="says it of pulls, and the response has none"):
        Experiment(truth, of(R), correlation=card(head=head))
    half = {name: each for name, each in matrices.items() if name != "b_up"}
    (note,) = Experiment(truth, half, correlation=card(head=head)).notes
    assert note.startswith("card test correlates a with b, and the response has no variations of")
    assert Experiment(truth, matrices, correlation=card(head=head)).notes == ()
    with pytest.raises(ValueError, match="a mapping needs a ResponseMatrix 'nominal'"):
        fold(spectrum(*truth), {"nominal": of(R), "a_up": up})
    other = ResponseMatrix.from_array(R, EDGES[0], [0.0, 1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match=r"the matrix of 'a_up': axis 0 .'reco'. has edge 3 at 4"):
        fold(spectrum(*truth), {"nominal": of(R), "a_up": other})


def test_fakes_are_scaled_with_the_truth() -> None:
    true, reco = [0.5] * 4 + [np.nan] * 2, [0.5, 0.5, 1.5, np.nan, 0.5, 1.5]
    matrix = ResponseMatrix.from_columns(true, reco, true_axes={"x": EDGES[0]})
    plain = fold(spectrum(8.0, 0.0), matrix)
    with_fakes = fold(spectrum(8.0, 0.0), matrix, fakes=True)
    np.testing.assert_allclose(plain.values, [4.0, 2.0])
    np.testing.assert_allclose(with_fakes.values, [6.0, 4.0])
    np.testing.assert_allclose(with_fakes.covariance - plain.covariance, np.diag([4.0, 4.0]))
    np.testing.assert_allclose(fold(spectrum(8.0, 0.0), matrix, fakes=0.5).values, [4.5, 2.5])
    assert "fakes 4" in repr(with_fakes)
    with pytest.raises(ValueError, match="fakes = -1"):
        fold(spectrum(8.0, 0.0), matrix, fakes=-1)


def test_empty_rows_stop_or_lose() -> None:
    matrix = ResponseMatrix.from_columns([0.5], [0.5], true_axes={"x": EDGES[0]})
    with pytest.raises(
        ValueError,
        match=r"has 3 in true bin 1 \(x_true 1 to 2\), of which the matrix knows nothing",
    ):
        fold(spectrum(1.0, 3.0), matrix)
    assert fold(spectrum(1.0, 3.0), matrix, empty_rows="lose").values.tolist() == [1.0, 0.0]
    assert fold(spectrum(1.0, 0.0), matrix).values.tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="empty_rows = 'go'"):
        fold(spectrum(1.0, 3.0), matrix, empty_rows="go")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            spectrum(1, 2, edges=[0.0, 1.5, 2.0]),
            r"axis 0 \('true'\) has edge 1 at 1.5, the matrix has it at 1",
        ),
        (spectrum(1, edges=[0.0, 2.0]), r"has 1 bins from 0 to 2, the matrix has 2 from 0 to 2"),
        (spectrum(1, np.nan), "holds nan in bin 1"),
        (
            hist.Hist(hist.axis.Regular(2, 0, 2), hist.axis.Regular(2, 0, 2)),
            "has 2 axes, the matrix has 1: 'true'",
        ),
        ([1.0], r"the spectrum has shape \(1,\), the matrix has 2 true bins"),
        ("flux.json", "a histogram with axes and values"),
        (spectrum(1, 2, name="x_reco"), "which is reconstructed"),
    ],
)
def test_spectra_that_do_not_fit(given: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fold(given, of(R))


def test_axes_in_another_order() -> None:
    matrix = ResponseMatrix.from_columns(
        [[0.5], [0.5]], [0.5], true_axes=["x=0:2:2", "y=0:2:2"], reco_axes="x=0:2:2"
    )
    turned: hist.Hist[Any] = hist.Hist(
        hist.axis.Regular(2, 0, 2, name="y"), hist.axis.Regular(2, 0, 2, name="x")
    )
    with pytest.raises(ValueError, match=r"axes in the order \['y', 'x'\]"):
        fold(turned, matrix)


def test_any_uhi_histogram_and_its_flow() -> None:
    class Numpy:
        """As `uhi.numpy_plottable` has it: axes of pairs of edges, values without flow."""

        axes = ([(0.0, 1.0), (1.0, 2.0)],)

        def values(self) -> np.ndarray:
            return np.array([10.0, 20.0])

    found = fold(Numpy(), of(R))
    np.testing.assert_allclose(found.values, [8.0, 12.0, 6.0], rtol=1e-12)
    assert found.outside == 0.0
    beyond: hist.Hist[Any] = hist.Hist(hist.axis.Variable(EDGES[0])).fill([0.5, 7.0])
    assert fold(beyond, of(R)).outside == 1.0
    with pytest.raises(ValueError, match="covariance of shape"):
        fold(Numpy(), of(R), covariance=[1.0, -1.0])


def test_two_matrices_of_one_response_are_compatible() -> None:
    """P-values of repeated experiments are flat: their mean is 1/2, four standard deviations, numbers fixed."""
    rng = np.random.default_rng(1)
    full = np.column_stack([R, 1.0 - R.sum(axis=1)])
    p = []
    for _ in range(300):
        pair = []
        for n in (400, 900):
            counts = np.array([rng.multinomial(n, row) for row in full])
            pair.append(of(counts[:, :3] / n, float(n)))
        p.append(compatibility(*pair).p_value)
    assert abs(np.mean(p) - 0.5) < 4 / np.sqrt(12 * 300)
    assert 0.0 < np.mean(np.array(p) < 0.1) < 0.2


def test_another_response_is_seen_in_its_row() -> None:
    other = R.copy()
    other[1] = [0.3, 0.3, 0.3]
    found = compatibility(of(R, 500.0), of(other, 500.0))
    assert found.row_p_values[0] == 1.0
    assert found.row_p_values[1] < 1e-10
    assert "least in bin 1 (true 1 to 2)" in repr(found)
    assert compatibility(of(R), of(R, 500.0)).total == 0.0
    with pytest.raises(ValueError, match="two exact matrices"):
        compatibility(of(R), of(R))
    few = compatibility(of(R, 3.0), of(R, 3.0))
    assert np.isnan(few.p_value)
    assert "no row has enough" in repr(few)


def test_variation_inside_bins() -> None:
    # the first two rows are alike, the next two are not
    rows = np.array([[0.5, 0.3], [0.5, 0.3], [0.8, 0.0], [0.0, 0.4]])
    fine = ResponseMatrix.from_array(rows, np.arange(5.0), [0.0, 1.0, 2.0], entries=1000)
    found = in_bin_variation(fine)
    np.testing.assert_allclose(found.shift, [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(found.efficiency, [0.0, 0.4], atol=1e-12)
    assert found.compatible.row_p_values[0] == 1.0
    assert found.compatible.row_p_values[1] < 1e-10
    assert "in bin 1 (true 2 to 4)" in repr(found)
    assert in_bin_variation(fine, factor=4).shift.shape == (1,)
    with pytest.raises(ValueError, match="no axis 'x'"):
        in_bin_variation(fine, "x")
    empty = ResponseMatrix.from_array(rows, np.arange(5.0), [0.0, 1.0, 2.0], entries=[1, 0, 0, 1])
    assert "no wider bin joins two rows" in repr(in_bin_variation(empty))


def test_negative_contents_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"the spectrum holds -3 in bin 1 .*contents are not negative"
    ):
        fold(spectrum(1.0, -3.0), of(R))


def test_axes_of_another_name_are_noted() -> None:
    matrix = ResponseMatrix.from_array(R, {"visible_energy": EDGES[0]}, {"energy": EDGES[1]})
    found = fold(spectrum(1.0, 2.0, name="enu"), matrix)
    assert len(found.notes) == 1
    assert "axis 'enu' is taken for 'visible_energy_true' of the matrix" in repr(found)
    for name in ("", "true", "visible_energy", "visible_energy_true"):
        assert fold(spectrum(1.0, 2.0, name=name), matrix).notes == ()
    assert fold(spectrum(1.0, 2.0, name="enu"), of(R)).notes == ()
