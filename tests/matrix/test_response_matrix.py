"""What a response matrix holds: every number from entries made by hand, or from another way to count."""

from __future__ import annotations

from typing import Any

import hist
import numpy as np
import pytest

import forefold
from forefold import ResponseMatrix, card_response
from forefold.matrix.axes import parse_axis
from forefold.response import Smear
from forefold.response.distributions import Normal

NAN = float("nan")
AXIS = "x=0:2:2"


def small(**options: Any) -> ResponseMatrix:
    """True 0 or 1; one missed, one outside on each side, one without truth, one that is nothing at all."""
    true = [0.5, 0.5, 0.5, 1.5, 1.5, 9.0, NAN, NAN, 0.5]
    reco = [0.5, 1.5, NAN, 1.5, 9.0, 0.5, 1.5, NAN, 0.5]
    weight = [1.0, 2.0, 1.0, 3.0, 1.0, 5.0, 7.0, 100.0, 4.0]
    return ResponseMatrix.from_columns(true, reco, true_axes=AXIS, weight=weight, **options)


def events(n: int, rng: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rng)
    true = generator.uniform(-0.5, 4.5, n)
    reco = true + generator.normal(0.0, 0.4, n)
    reco[generator.random(n) < 0.2] = NAN
    true[generator.random(n) < 0.05] = NAN
    return true, reco, generator.uniform(0.5, 2.0, n)


def test_every_number_of_a_small_matrix() -> None:
    matrix = small()
    assert matrix.truth.values().tolist() == [8.0, 4.0]
    assert matrix.counts.values().tolist() == [[5.0, 2.0], [0.0, 3.0]]
    assert matrix.counts.variances().tolist() == [[17.0, 4.0], [0.0, 9.0]]  # type: ignore[union-attr]
    assert matrix.matrix.tolist() == [[0.625, 0.25], [0.0, 0.75]]
    assert matrix.efficiency.tolist() == [0.875, 0.75]
    assert matrix.misses.values().tolist() == [1.0, 1.0]
    assert matrix.misses.variances().tolist() == [1.0, 1.0]  # type: ignore[union-attr]
    assert matrix.fakes.values().tolist() == [5.0, 7.0]
    assert matrix.fakes.variances().tolist() == [25.0, 49.0]  # type: ignore[union-attr]
    assert matrix.reco.values().tolist() == [10.0, 12.0]
    assert matrix.reco.values(flow=True).tolist() == [0.0, 10.0, 12.0, 1.0]
    assert matrix.purity.tolist() == [0.5, 0.25]
    assert matrix.stability.tolist() == [5 / 7, 0.75]
    assert matrix.migration.round(12).tolist() == [[0.714285714286, 0.285714285714], [0.0, 1.0]]
    assert matrix.effective_entries.tolist() == [64.0 / 22.0, 16.0 / 10.0]
    assert not matrix.empty_rows.any()


def test_no_weight_disappears() -> None:
    matrix = small()
    # all but the one that is neither true nor reconstructed
    assert np.sum(matrix.truth.values(flow=True)) == 17.0
    assert np.sum(matrix.reco.values(flow=True)) == 23.0
    assert matrix.counts.values(flow=True)[3].tolist() == [0.0, 5.0, 0.0, 0.0]


def test_filling_is_that_of_hist() -> None:
    true, reco, weight = events(20_000)
    edges = [0.0, 0.3, 1.0, 2.5, 4.0]
    matrix = ResponseMatrix.from_columns(
        true, reco, true_axes="x=0:4:8", reco_axes={"y": edges}, weight=weight
    )
    made: hist.Hist[Any] = hist.Hist(
        hist.axis.Regular(8, 0, 4, name="t"),
        hist.axis.Variable(edges, name="r"),
        storage=hist.storage.Weight(),
    )
    both = ~np.isnan(true) & ~np.isnan(reco)
    made.fill(true[both], reco[both], weight=weight[both])
    np.testing.assert_allclose(matrix.counts.values(flow=True), made.values(flow=True), rtol=1e-12)
    np.testing.assert_allclose(
        matrix.counts.variances(flow=True),  # type: ignore[arg-type]
        made.variances(flow=True),  # type: ignore[arg-type]
        rtol=1e-12,
    )
    known = ~np.isnan(true)
    total = np.histogram(true[known], np.linspace(0, 4, 9), weights=weight[known])[0]
    np.testing.assert_allclose(matrix.truth.values(), total, rtol=1e-12)
    assert matrix.true_axes[0].name == "x_true"
    assert matrix.reco_axes[0].name == "y_reco"


def test_parts_add_to_the_whole() -> None:
    true, reco, weight = events(3000)
    halves = [slice(0, 1000), slice(1000, None)]
    options: dict[str, Any] = {"true_axes": "x=0:4:4", "replicas": 5, "rng": 3}
    whole = ResponseMatrix.from_columns(true, reco, weight=weight, **options)
    a, b = (
        ResponseMatrix.from_columns(
            true[h],
            reco[h],
            weight=weight[h],
            first=h.start or 0,
            **options,
        )
        for h in halves
    )
    np.testing.assert_allclose((a + b).matrix, whole.matrix, rtol=1e-12)
    np.testing.assert_allclose((a + b).variance, whole.variance, rtol=1e-9)
    np.testing.assert_allclose((a + b).replicas, whole.replicas, rtol=1e-12)
    np.testing.assert_allclose((a + b).fakes.values(), whole.fakes.values(), rtol=1e-12)


def test_several_axes_are_flat_in_c_order() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 2, 500), rng.uniform(0, 3, 500)
    matrix = ResponseMatrix.from_columns(
        [x, y], [y], true_axes=["x=0:2:2", "y=0:3:3"], reco_axes="y=0:3:3"
    )
    assert matrix.matrix.shape == (6, 3)
    assert matrix.matrix.tolist() == np.tile(np.eye(3), (2, 1)).tolist()
    with pytest.raises(ValueError, match="purity needs the same bins true and reconstructed"):
        _ = matrix.purity


def test_rebinning_and_projecting_are_filling_with_fewer_bins() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-1, 5, 4000), rng.uniform(-1, 5, 4000)
    near = x + rng.normal(0, 0.3, 4000)
    fine = ResponseMatrix.from_columns(
        [x, y], [near, y], true_axes=["x=0:4:8", "y=0:4:6"], reco_axes=["x=0:4:8", "y=0:4:6"]
    )
    wide = ResponseMatrix.from_columns(
        [x, y], [near, y], true_axes=["x=0:4:4", "y=0:4:2"], reco_axes=["x=0:4:8", "y=0:4:2"]
    )
    coarse = fine.rebin(x_true=2, y_true=3, y_reco=3)
    np.testing.assert_allclose(coarse.matrix, wide.matrix, rtol=1e-12)
    np.testing.assert_allclose(coarse.reco.values(), wide.reco.values(), rtol=1e-12)
    np.testing.assert_allclose(coarse.fakes.values(), wide.fakes.values(), rtol=1e-12)
    alone = ResponseMatrix.from_columns(x, near, true_axes="x=0:4:8")
    kept = fine.project(["x_true"], ["x_reco"])
    np.testing.assert_allclose(kept.matrix, alone.matrix, rtol=1e-12)
    with pytest.raises(ValueError, match=r"no axis 'x_tru' .did you mean 'x_true'"):
        fine.rebin(x_tru=2)
    with pytest.raises(ValueError, match="has 8 bins, which 3 does not divide"):
        fine.rebin(x_true=3)
    with pytest.raises(ValueError, match="no axis 'z'"):
        fine.project(["z"])
    with pytest.raises(ValueError, match="at least one"):
        fine.project([])


def test_rank_and_condition_number() -> None:
    made = ResponseMatrix.from_array([[0.9, 0.1], [0.3, 0.7]], [0, 1, 2], [0, 1, 2])
    assert made.condition_number == pytest.approx(np.linalg.cond([[0.9, 0.1], [0.3, 0.7]]))
    same = ResponseMatrix.from_array([[0.5, 0.5], [0.5, 0.5]], [0, 1, 2], [0, 1, 2])
    assert (same.rank, same.condition_number) == (1, np.inf)
    assert "rank 1" in repr(same)


def test_empty_rows_are_zero_and_said() -> None:
    matrix = ResponseMatrix.from_columns([0.5], [0.5], true_axes=AXIS)
    assert matrix.empty_rows.tolist() == [False, True]
    assert matrix.matrix.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert matrix.effective_entries.tolist() == [1.0, 0.0]
    assert np.isfinite(matrix.variance).all()
    assert "1 true bin is empty" in repr(matrix)
    assert np.isnan(matrix.purity).tolist() == [False, True]
    assert np.isnan(matrix.stability).tolist() == [False, True]


def test_negative_weights() -> None:
    mixed = ResponseMatrix.from_columns(
        [0.5] * 3, [0.5, 0.5, 1.5], true_axes=AXIS, weight=[3, -1, -1]
    )
    assert mixed.matrix[0].tolist() == [2.0, -1.0]
    assert "1 cell is negative" in repr(mixed)
    with pytest.raises(ValueError, match="probabilities are needed"):
        mixed.covariance([1.0, 1.0], "dirichlet")
    below = ResponseMatrix.from_columns([0.5], [0.5], true_axes=AXIS, weight=[-1])
    with pytest.raises(ValueError, match=r"true bin 0 \(x_true 0 to 1\): the weights sum to -1"):
        _ = below.matrix
    with pytest.raises(ValueError, match="weight nan of entry 1: weights must be finite"):
        ResponseMatrix.from_columns([0.5, 0.5], [0.5, 0.5], true_axes=AXIS, weight=[1, NAN])


def test_exact_matrix_is_that_of_the_response() -> None:
    response = card_response("nusmear-dune-cdr", "mu-")
    edges, reco = np.linspace(0.0, 4.0, 9), np.linspace(0.0, 5.0, 6)
    matrix = ResponseMatrix.from_response(
        response, {"kinetic_energy": edges}, {"kinetic_energy": reco}
    )
    np.testing.assert_allclose(
        matrix.matrix, response.matrix(edges, reco).values(), rtol=1e-12, atol=1e-300
    )
    assert matrix.exact
    assert np.all(matrix.variance == 0.0)
    assert np.all(np.isinf(matrix.effective_entries))
    assert matrix.truth.values().tolist() == np.diff(edges).tolist()
    assert matrix.covariance(np.ones(8)).any() == np.False_
    np.testing.assert_array_equal(matrix.toys(2, rng=1)[1], matrix.matrix)


def test_spectrum_inside_bins_is_used_and_is_the_truth() -> None:
    response = Smear(Normal(), sigma=0.2)
    steep = ResponseMatrix.from_response(
        response, {"x": [0.0, 1.0, 2.0]}, true_spectrum=lambda x: np.exp(-4.0 * x)
    )
    flat = ResponseMatrix.from_response(response, {"x": [0.0, 1.0, 2.0]})
    assert steep.matrix[0, 1] < 0.2 * flat.matrix[0, 1]
    whole = (1.0 - np.exp(-4.0)) / 4.0
    assert steep.truth.values()[0] == pytest.approx(whole, rel=1e-12)
    with pytest.raises(ValueError, match="a response has one of each"):
        ResponseMatrix.from_response(response, ["x=0:1:2", "y=0:1:2"])


@pytest.mark.parametrize(
    ("matrix", "options", "said"),
    [
        ([[0.9, 0.2], [0.1, 0.9]], {}, r"true bin 0 \(true 0 to 1\) sums to 1.1"),
        ([[0.9, -0.1], [0.1, 0.9]], {}, r"R\[0, 1\] is -0.1"),
        ([[0.9, NAN], [0.1, 0.9]], {}, r"R\[0, 1\] is nan"),
        ([[0.9, 0.1]], {}, r"shape \(1, 2\); \(2, 2\)"),
        (np.eye(2), {"efficiency": [0.5, 1.5]}, "efficiency up to 1.5"),
        (np.eye(2), {"efficiency": [0.5]}, None),
        (np.eye(2), {"efficiency": [0.5, 0.5, 0.5]}, "2 finite numbers"),
        (np.eye(2), {"entries": 5, "truth": 1}, "give one of them"),
    ],
)
def test_arrays_that_are_no_matrix(
    matrix: object, options: dict[str, Any], said: str | None
) -> None:
    def make() -> ResponseMatrix:
        return ResponseMatrix.from_array(matrix, [0, 1, 2], [0, 1, 2], **options)  # type: ignore[arg-type]

    if said is None:
        assert make().efficiency.tolist() == [0.5, 0.5]
        return
    with pytest.raises(ValueError, match=said):
        make()


def test_histograms_made_elsewhere() -> None:
    x = hist.axis.Regular(2, 0, 2, name="x")
    y = hist.axis.Variable([0, 1, 2], name="y", overflow=False)
    counts: hist.Hist[Any] = hist.Hist(x, y).fill([0.5, 1.5, 7.0], [0.5, 1.5, 1.5])
    truth: hist.Hist[Any] = hist.Hist(x).fill([0.5, 0.5, 1.5, 7.0])
    fakes: hist.Hist[Any] = hist.Hist(y).fill([0.2])
    matrix = ResponseMatrix.from_histograms(counts, truth, fakes)
    assert matrix.matrix.tolist() == [[0.5, 0.0], [0.0, 1.0]]
    assert matrix.fakes.values().tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="2 reconstructed of 1; what is"):
        ResponseMatrix.from_histograms(
            hist.Hist(x, y).fill([0.5] * 2, [0.5] * 2), hist.Hist(x).fill([0.5])
        )
    with pytest.raises(ValueError, match="the variances are not known"):
        ResponseMatrix.from_histograms(counts * 2.0, truth)
    with pytest.raises(ValueError, match="counts needs those of truth"):
        ResponseMatrix.from_histograms(truth, truth)
    with pytest.raises(ValueError, match=r"fakes: axis 0 .'y_reco'. has 3 bins"):
        ResponseMatrix.from_histograms(counts, truth, hist.Hist(hist.axis.Regular(3, 0, 2)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enu", "NAME=LOW:HIGH:BINS"),
        ("enu=0:1", "is not LOW:HIGH:BINS"),
        ("enu=1:0:4", "the lower first"),
        ("enu=0:1:0", "the lower first"),
        ("enu=0:1:4:log", "above 0 for log"),
        ("enu=0:inf:4", "finite limits"),
        ("enu=1,0,2", "ascending edges"),
        ("enu=1,x,2", "is not LOW:HIGH:BINS"),
    ],
)
def test_axes_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_axis(text)


def test_axes_of_all_kinds() -> None:
    log = ResponseMatrix.from_columns([1.0], [1.0], true_axes="x=0.1:10:2:log").true_axes[0]
    assert log.edges.round(12).tolist() == [0.1, 1.0, 10.0]
    whole = ResponseMatrix.from_columns([1.0], [2.0], true_axes=hist.axis.Integer(0, 3, name="n_p"))
    assert whole.matrix[1].tolist() == [0.0, 0.0, 1.0]
    words = hist.axis.StrCategory(["a"], name="type")
    for bad, said in ((words, "no fixed order"), ([], "no true axis")):
        with pytest.raises(ValueError, match=said):
            ResponseMatrix.from_columns([1.0], [1.0], true_axes=bad)
    with pytest.raises(ValueError, match="two true axes are named 'x_true'"):
        ResponseMatrix.from_columns(
            [[1.0]] * 2, [1.0], true_axes=["x=0:1:2", "x=0:1:3"], reco_axes="x=0:1:2"
        )


ROWS = np.array([[0.7, 0.2, 0.0], [0.3, 0.5, 0.1], [0.0, 0.4, 0.5], [0.0, 0.1, 0.2]])


def test_true_bins_are_joined_over_a_spectrum() -> None:
    truth = np.array([30.0, 10.0, 4.0, 12.0])
    spectrum: hist.Hist[Any] = hist.Hist(hist.axis.Regular(4, 0.0, 4.0, name="x"))
    spectrum.view()[...] = truth
    mean = [truth[k : k + 2] @ ROWS[k : k + 2] / truth[k : k + 2].sum() for k in (0, 2)]
    errors = np.full_like(ROWS, 0.01)
    for variance in (None, errors):
        alone = ResponseMatrix.from_array(ROWS, "x=0:4:4", "y=0:3:3", variance=variance)
        own = ResponseMatrix.from_array(
            ROWS, "x=0:4:4", "y=0:3:3", variance=variance, truth=truth
        ).rebin(x_true=2)
        for given in (truth, spectrum):
            joined = alone.rebin(x_true=2, truth=given)
            np.testing.assert_allclose(joined.matrix, mean, rtol=1e-12)
            np.testing.assert_allclose(joined.variance, own.variance, rtol=1e-12)
            np.testing.assert_allclose(joined.truth.values(), [40.0, 16.0])
            assert joined.knows_truth
        even = alone.rebin(x_true=2, truth=1.0).matrix
        np.testing.assert_allclose(even, 0.5 * (ROWS[::2] + ROWS[1::2]), rtol=1e-12)
        # another spectrum than that of the matrix
        np.testing.assert_allclose(own.matrix, mean, rtol=1e-12)
        with pytest.raises(ValueError, match="joined true bins have the mean of their rows over"):
            alone.rebin(x_true=2)
        np.testing.assert_allclose(alone.rebin(y_reco=3).matrix[:, 0], ROWS.sum(axis=1))
        assert not alone.rebin(y_reco=3, x_true=1).knows_truth
    with pytest.raises(ValueError, match="truth: 4 finite numbers of 0 or more"):
        alone.rebin(x_true=2, truth=[1.0, 2.0])
    with pytest.raises(ValueError, match="truth: of matrices of probabilities"):
        small().rebin(truth=1.0)


def test_a_true_axis_is_summed_over_a_spectrum() -> None:
    rows = np.arange(12.0).reshape(6, 2) / 40.0
    alone = ResponseMatrix.from_array(rows, ["x=0:2:2", "z=0:3:3"], "y=0:2:2")
    truth = np.array([[1.0, 2.0, 3.0], [4.0, 1.0, 0.0]])
    found = alone.project(true=["z_true"], truth=truth).matrix
    for k in range(3):
        both = rows[[k, 3 + k]]
        np.testing.assert_allclose(found[k], truth[:, k] @ both / truth[:, k].sum(), rtol=1e-12)
    with pytest.raises(ValueError, match="joined true bins have the mean"):
        alone.project(true=["z_true"])


def test_rows_that_would_mean_two_things_do_not_add() -> None:
    sample = forefold.read(forefold.sample())[:60]
    settings: dict[str, Any] = {"true": "visible_energy=0:6:3", "rng": 1}

    def of(card: str = "nusmear-dune-cdr", **more: Any) -> ResponseMatrix:
        return ResponseMatrix.from_events(sample, card, **settings, **more)

    others = [
        ("detectors", of("nusmear-default"), "nusmear-dune-cdr .* and nusmear-default"),
        ("signals", of(signal="cc"), "none and cc"),
        ("polar axes", of(axis="z"), "probe and z"),
    ]
    for what, other, which in others:
        with pytest.raises(ValueError, match=f"events of different {what} do not add .* {which}"):
            _ = of() + other
    assert (of(signal="cc") + of(signal="cc")).provenance["signal"] == "cc"
    # chunks are added, too
    chunks = [
        (sample, forefold.smear(sample, card, rng=1))
        for card in ("nusmear-default", "nusmear-dune-cdr")
    ]
    with pytest.raises(ValueError, match="events of different detectors"):
        ResponseMatrix.from_events(chunks, true="visible_energy=0:6:3")
    # what nothing is known of is not refused
    assert (small() + small()).truth.values().sum() == 2.0 * small().truth.values().sum()


def test_adding_what_does_not_fit() -> None:
    a = small()
    b = ResponseMatrix.from_columns([0.5], [0.5], true_axes="x=0:3:2")
    with pytest.raises(
        ValueError, match=r"axis 0 \('x_true'\) has edge 1 at 1.5, the matrix has it at 1"
    ):
        _ = a + b
    exact = ResponseMatrix.from_array(np.eye(2), "x=0:2:2", "x=0:2:2")
    with pytest.raises(ValueError, match="do not add"):
        _ = a + exact
    with pytest.raises(ValueError, match="with 0 and with 4 bootstrap replicas"):
        _ = a + small(replicas=4, rng=1)
    with pytest.raises(TypeError):
        _ = a + 1  # type: ignore[operator]
    assert a == small()
    assert a != 3


def test_peek_draws_matrix_efficiency_and_purity() -> None:
    from matplotlib.figure import Figure

    assert len(small().peek().axes) == 4
    ax = Figure().add_subplot()
    assert small().peek(ax) is ax.figure
    two = ResponseMatrix.from_columns(
        [[1.0]] * 2, [1.0], true_axes=["x=0:1:2", "y=0:1:3"], reco_axes="x=0:2:2"
    )
    assert two.peek().axes[0].get_xlabel() == "True bin of (x, y)"
    axes = ["lepton_momentum=0:1:2", "lepton_cos_theta=0:1:3"]  # names are longer than a panel
    named = ResponseMatrix.from_columns([[0.5]] * 2, [[0.5]] * 2, true_axes=axes, reco_axes=axes)
    panel = named.peek().axes[0]
    assert panel.get_xlabel() == r"True bin of ($p_\ell$, $\cos\theta_\ell$)"
    assert panel.get_ylabel() == r"Reconstructed bin of ($p_\ell$, $\cos\theta_\ell$)"


def test_columns_that_are_no_columns_are_named() -> None:
    axes: dict[str, Any] = {"true_axes": "enu=0:2:2", "reco_axes": "energy=0:2:2"}
    named: Any = {"a": [0.5]}
    with pytest.raises(ValueError, match="in the order of the axes; found a mapping of 'a'"):
        ResponseMatrix.from_columns(named, [0.5], **axes)
    with pytest.raises(
        ValueError, match="1 flat columns of numbers are needed, one an axis: could"
    ):
        ResponseMatrix.from_columns(["x", "y"], [0.5], **axes)


def test_edges_that_do_not_ascend_are_said_once() -> None:
    with pytest.raises(ValueError, match=r"found \[0\., ?1\., ?1\., ?2\.\]$"):
        parse_axis("enu=0,1,1,2")
    with pytest.raises(ValueError, match="'a,b' is not LOW:HIGH:BINS, nor EDGE,EDGE"):
        parse_axis("enu=a,b")


def test_notebooks_show_a_table() -> None:
    edges = np.arange(71.0)
    matrix = ResponseMatrix.from_array(np.eye(70), {"enu": edges}, {"enu": edges}, efficiency=0.5)
    page = matrix._repr_html_()
    assert page.startswith("<pre>ResponseMatrix")
    assert '<th scope="row">enu_true 0 to 1</th><td>1</td><td>0.5</td>' in page
    assert page.count('scope="row"') == 60
    assert page.endswith("<p>and 10 more</p>")
