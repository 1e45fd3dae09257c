"""Expected limits with their bands: closed forms, exact counting, another program, toys, and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from scipy import stats

import forefold
from forefold import Experiment, Parameter
from forefold.cli import main
from forefold.inference import poisson_upper_limit
from forefold.matrix import to_json

SIGMAS = np.arange(-2.0, 3.0)
BELOW = stats.norm.cdf(SIGMAS)


def one_bin(background: float, **more: Any) -> Experiment:
    return Experiment({"signal": [1.0]}, [[1.0]], background={"beam": [background]}, **more)


def exact(background: float) -> list[float]:
    """Limits by CLs of the counts at the quantiles of a Poisson distribution."""
    counts = stats.poisson.ppf(BELOW, background)
    return [poisson_upper_limit(int(n), background) for n in counts]


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_a_large_background_has_the_band_of_a_normal_measurement(level: float) -> None:
    wanted = 1e3 * (SIGMAS + stats.norm.ppf(1.0 - (1.0 - level) * BELOW))
    found = one_bin(1e6).expected_limit(level=level)
    # a signal of 4 sigma changes sigma by 0.2 %
    assert found.band == pytest.approx(wanted, rel=2e-3)
    assert found.notes == ()
    profile = one_bin(1e6).expected_limit(level=level, method="profile")
    z = stats.norm.ppf(level)
    # above, best + z sigma; below, the best value is at the bound: mu^2 - 2 mu N = z^2
    root = np.where(SIGMAS < 0.0, SIGMAS + np.sqrt(SIGMAS**2 + z**2), SIGMAS + z)
    assert profile.band == pytest.approx(1e3 * root, rel=2e-3)


def test_a_background_that_is_known_badly_widens_the_band() -> None:
    beam = Parameter(1.0, lower=0.0, constraint=(1.0, 0.01))
    found = one_bin(1e6, parameters={"beam": beam}).expected_limit()
    wanted = np.hypot(1e3, 1e4) * (SIGMAS + stats.norm.ppf(1.0 - 0.05 * BELOW))
    assert found.band == pytest.approx(wanted, rel=3e-3)
    held = one_bin(1e6, parameters={"beam": beam}).expected_limit(fixed={"beam": 1.0})
    assert held.band == pytest.approx(one_bin(1e6).expected_limit().band, rel=1e-6)
    # what is true may be said: a quarter more background, a root more limit
    more = one_bin(1e6).expected_limit().band
    scaled = Experiment(
        {"signal": [1.0]}, [[1.0]], background={"beam": [1e6]}, parameters={"beam": 1.0}
    )
    found = scaled.expected_limit(fixed={"beam": 2.25})
    assert found.band == pytest.approx(1.5 * more, rel=2e-3)


def test_many_counts_are_those_of_exact_counting() -> None:
    assert one_bin(1e4).expected_limit().band == pytest.approx(exact(1e4), rel=7e-3)


@pytest.mark.parametrize("method", ["cls", "profile"])
def test_the_median_is_the_limit_of_what_is_expected(method: str) -> None:
    experiment = Experiment([5.0, 10.0, 3.0], np.eye(3), background=[50.0, 60.0, 40.0])
    found = experiment.expected_limit(method=method)
    asimov = experiment.predict(normalisation=0.0)
    assert found.median == pytest.approx(float(experiment.upper_limit(asimov, method=method)))
    assert float(found) == found.median == found.band[2]


# pyhf 0.7.6, qtilde, asymptotic: band, and the limit of counts that are 0.8 of the background
KNOWN = {
    "one": ([1.088955664, 1.479219395, 2.090050080, 2.980535877, 4.114453787], 1.099751811),
    "few": ([2.207655642, 3.150748629, 4.779286366, 7.467860716, 11.386051143], 4.202726260),
    "three": ([1.020893564, 1.378023202, 1.928673625, 2.714785175, 3.690348206], 1.175506978),
}
MODELS = {
    "one": ([10.0], [100.0], 0.0),
    "few": ([1.0], [3.0], 0.0),
    "three": ([5.0, 10.0, 3.0], [50.0, 60.0, 40.0], 0.1),
}


def searched(name: str) -> tuple[list[float], float]:
    signal, background, spread = MODELS[name]
    beam = Parameter(1.0, lower=0.0, constraint=(1.0, spread or 1.0))
    experiment = Experiment(
        {"mu": signal},
        np.eye(len(signal)),
        background={"beam": background},
        parameters={"beam": beam} if spread else None,
    )
    seen = experiment.upper_limit(0.8 * np.array(background))
    return experiment.expected_limit().band.tolist(), seen.value


@pytest.mark.parametrize("name", list(KNOWN))
def test_bands_are_those_that_pyhf_gives(name: str) -> None:
    band, seen = searched(name)
    assert band == pytest.approx(KNOWN[name][0], rel=1e-6)
    assert seen == pytest.approx(KNOWN[name][1], rel=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(KNOWN))
def test_bands_are_those_of_an_installed_pyhf(name: str) -> None:
    pyhf = pytest.importorskip("pyhf")
    signal, background, spread = MODELS[name]
    shifted = {
        f"{side}_data": [b * (1.0 + way * spread) for b in background]
        for side, way in (("hi", 1.0), ("lo", -1.0))
    }
    beam = {"name": "beam", "type": "histosys", "data": shifted}
    scale = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": signal, "modifiers": [scale]},
        {"name": "beam", "data": background, "modifiers": [beam] if spread else []},
    ]
    model = pyhf.Model({"channels": [{"name": "all", "samples": samples}]}, poi_name="mu")
    scan = pyhf.infer.intervals.upper_limits.toms748_scan
    bounds = model.config.suggested_bounds()
    bounds[model.config.poi_index] = (0.0, 40.0)
    data = [*background, *model.config.auxdata]
    _, theirs = scan(data, model, 0.05, 40.0, rtol=1e-9, par_bounds=bounds)
    assert searched(name)[0] == pytest.approx([float(v) for v in theirs], rel=1e-5)


@pytest.mark.parametrize("background", [0.0, 3.0])
def test_bands_by_toys_are_those_of_exact_counting(background: float) -> None:
    found = one_bin(background).expected_limit(toys=200, rng=1)
    # rng is fixed; of 30 others with twice the toys none was 5 standard deviations off
    assert np.all(abs(found.band - exact(background)) < 5.0 * found.errors)
    assert np.all(found.errors[1:] < 0.6 * found.band[1:])
    assert (found.toys, found.limits.size) == (200, 0)
    assert "200 toys" in repr(found)
    assert found.notes[0].endswith("of 200 toys are in the tail that decides: throw more")
    first, again = (one_bin(background).expected_limit(toys=10, rng=1) for _ in range(2))
    assert first.band.tolist() == again.band.tolist()
    # the formulae are off, and say by how much
    rough = one_bin(background).expected_limit()
    assert rough.median < 0.9 * exact(background)[2]
    assert f"about {background:g} counts without signal tell of it" in rough.notes[0]


def test_limits_of_toys_scatter_as_formulae_say() -> None:
    wanted = one_bin(1e4).expected_limit(method="profile").band
    found = one_bin(1e4).expected_limit(method="profile", toys=300, rng=3)
    assert np.all(abs(found.band - wanted) < 5.0 * found.errors)
    assert found.limits.shape == (300,)
    belief = one_bin(1e4).expected_limit(method="bayes", toys=20, rng=3)
    # with a flat prior and many counts, the limit is that of CLs
    assert abs(belief.median - one_bin(1e4).expected_limit().median) < 5.0 * belief.errors[2]
    assert "20 toys are in the tail" in belief.notes[0]


def test_limits_end_where_the_parameter_does() -> None:
    """A limit of 3.0 and more for no counts, of a parameter that ends at 2: toys are thrown, and limits are, up to there."""
    experiment = one_bin(0.0, parameters={"signal": Parameter(1.0, lower=0.0, upper=2.0)})
    found = experiment.expected_limit(toys=20, rng=1)
    assert found.band.tolist() == [2.0] * 5
    assert found.points.max() == 2.0
    assert np.all(np.isfinite(found.errors))
    assert float(experiment.upper_limit([0.0], toys=20, rng=1)) == 2.0
    wide = one_bin(100.0, parameters={"signal": Parameter(1.0, lower=0.0, upper=25.0)})
    rough = wide.expected_limit()
    assert rough.band[-1] == rough.points[-1] == 25.0


def test_what_cannot_be_expected_is_refused() -> None:
    experiment = one_bin(3.0)
    for settings, message in (
        ({"method": "bayes"}, "its expected limit needs toys"),
        ({"method": "clz"}, "one of cls, profile, bayes"),
        ({"toys": -1}, "toys = -1"),
        ({"signal": 2.0}, "without signal it is at its lower limit"),
        ({"level": 95.0}, "level = 95.0"),
        ({"beem": 2.0}, "no parameter 'beem'"),
        ({"fixed": {"signal": 0.0}}, "is fixed, and asked for"),
    ):
        with pytest.raises(ValueError, match=message):
            experiment.expected_limit(**settings)
    free = one_bin(3.0, parameters={"signal": Parameter(1.0)})
    with pytest.raises(ValueError, match="needs a parameter with a lower limit"):
        free.expected_limit()


def test_pictures_are_green_and_yellow() -> None:
    found = one_bin(100.0).expected_limit()
    panel = found.peek(one_bin(100.0).upper_limit([90.0])).axes[0]
    labels = panel.get_legend_handles_labels()[1]
    assert labels == ["±2 sd", "±1 sd", "Expected", "5 %", "Observed"]
    # CLs falls from 1, and is 0.05 at the limits
    assert found.shares[:, 0] == pytest.approx(1.0)
    for curve, limit in zip(found.shares, found.band, strict=True):
        assert np.interp(limit, found.points, curve) == pytest.approx(0.05, abs=5e-3)
    limits = one_bin(100.0).expected_limit(method="profile", toys=20, rng=1)
    assert limits.peek().axes[0].get_ylabel() == "Toys / bin"
    profile = one_bin(100.0).expected_limit(method="profile")
    assert profile.shares[2, 0] == pytest.approx(0.5)
    assert profile.peek().axes[0].get_ylabel() == "p-value"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    axes = [hist.axis.Regular(1, 0, 1, name=f"x_{side}") for side in ("true", "reco")]
    made = {"R": forefold.ResponseMatrix.from_array([[1.0]], *axes, truth=[1.0]).to_json()}
    for name, axis, content in (("n", axes[1], 18.0), ("b", axes[1], 20.0), ("s", axes[0], 1.0)):
        one: hist.Hist[Any] = hist.Hist(axis)
        one[...] = [content]
        made[name] = to_json(one)
    for name, text in made.items():
        (tmp_path / f"{name}.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ("", {}),
        ("--method profile --cl 0.9", {"method": "profile", "level": 0.9}),
        ("--toys 20 --rng 4", {"toys": 20, "rng": 4}),
        ("--method bayes --toys 20 --rng 4", {"method": "bayes", "toys": 20, "rng": 4}),
    ],
)
def test_the_command_gives_the_band(
    capsys: pytest.CaptureFixture[str], more: str, settings: dict[str, Any]
) -> None:
    command = f"limit n.json R.json --truth signal=s.json --background b.json --expected {more}"
    assert main([*command.split(), "--plot", "band.svg"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    wanted = one_bin(20.0).expected_limit(**settings)
    assert found["expected"] == pytest.approx(wanted.median)
    assert found["expected_limit"]["band"] == pytest.approx(wanted.band.tolist())
    assert found["expected_limit"] == wanted.to_dict()
    assert repr(wanted).splitlines()[0] in told.err
    assert "<svg" in Path("band.svg").read_text()


@pytest.mark.usefixtures("folder")
def test_without_a_band_nothing_is_expected(capsys: pytest.CaptureFixture[str]) -> None:
    command = "limit n.json R.json --truth signal=s.json --background b.json --method"
    for method, words in {
        "bayes": "--expected: not with --method bayes without --toys",
        "feldman-cousins": "--expected: not with --method feldman-cousins",
    }.items():
        assert main([*command.split(), method, "--expected"]) == 2
        told = capsys.readouterr()
        assert words in told.err
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert main([*command.split(), method, "--plot", "a.svg"]) == 2
        assert "--plot: not without --expected" in capsys.readouterr().err
