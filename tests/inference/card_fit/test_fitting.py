"""Cards from data: what was put in comes out, with the uncertainties that are said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

import forefold
from forefold.cli import main
from forefold.detector.compile import compile_card
from forefold.inference.card_fit import (
    Migration,
    Pairs,
    Template,
    fit_card,
    read_migration,
    read_pairs,
)
from forefold.matrix.statistics import chi2_tail
from forefold.smearing.engine import smear_particles
from forefold.smearing.validation.grid import beam

WHOLE = Template(
    ("mu-", "mu+"),
    free=("constant", "stochastic", "scale"),
    efficiency="turn-on",
    angle="rayleigh",
)
TRUTH = {
    "mu_constant": 0.05,
    "mu_stochastic": 0.1,
    "mu_scale": 1.02,
    "mu_efficiency": 0.9,
    "mu_midpoint": 0.3,
    "mu_turnon": 0.08,
    "mu_angle": 1.5,
}


def drawn(card: forefold.Card, n: int, key: int, pdg: int = 13) -> dict[str, Any]:
    rng = np.random.default_rng(key)
    made = beam(pdg, rng.uniform(0.15, 5.0, n), rng.uniform(0.0, np.pi, n), 0.3, key=key)
    out = smear_particles(*made, compile_card(card)).out
    return {
        "pdgid": np.full(n, pdg),
        "energy_true": made.truth.energy,
        "energy_reco": out.energy_reco,
        "theta_true": out.theta_true,
        "phi_true": np.full(n, 0.3),
        "theta_reco": out.theta_reco,
        "phi_reco": out.phi_reco,
    }


def test_chi2_tail() -> None:
    for ndf in (1, 2, 7, 40, 500, 3000):
        for chi2 in (0.0, 0.1, 0.7 * ndf, ndf, ndf + 5.0 * np.sqrt(2.0 * ndf), 20.0 * ndf):
            assert chi2_tail(chi2, ndf) == pytest.approx(
                stats.chi2.sf(chi2, ndf), rel=1e-9, abs=1e-14
            )


def test_parameters_come_back() -> None:
    """Pulls of 10 samples: none beyond 5, and chi2 of all 70 as it should be (chance 1e-6)."""
    card = WHOLE.card().with_parameters(TRUTH)
    pulls = []
    for key in range(10):
        found = fit_card(drawn(card, 2_000, key), WHOLE)
        assert found.valid
        assert not found.far
        assert all(g.p_value > 1e-6 for g in found.goodness.values())
        pulls += [(found.values[k] - v) / found.uncertainties[k] for k, v in TRUTH.items()]
    assert max(map(abs, pulls)) < 5.0
    chi2 = float(np.square(pulls).sum())
    assert 1e-6 < chi2_tail(chi2, len(pulls)) < 1.0 - 1e-6


def test_fitted_card_loads_and_names_its_source(tmp_path: Path) -> None:
    card = WHOLE.card().with_parameters(TRUTH)
    path = tmp_path / "pairs.npz"
    np.savez(path, **drawn(card, 2_000, 1))
    found = fit_card(path, WHOLE)
    out = tmp_path / "fitted.toml"
    out.write_text(found.toml, encoding="utf-8")
    again = forefold.load_card(out)
    assert again == found.card
    assert "pairs.npz, SHA-256 " in again.sources["fit"]
    assert again.parameters["mu_scale"].uncertainty == pytest.approx(
        found.uncertainties["mu_scale"]
    )
    assert "chi2/ndf" in again.description
    assert found.correlation[0, 0] == pytest.approx(1.0)


def test_wrong_family_is_seen() -> None:
    card = Template(("mu-",), distribution="uniform", free=("constant",)).card()
    found = fit_card(
        drawn(card, 5_000, 1), Template(("mu-",), distribution="normal", free=("constant",))
    )
    assert found.goodness["energy"].p_value < 1e-9


def test_threshold() -> None:
    template = Template(("mu-",), free=("constant",), threshold=True)
    card = template.card().with_parameters({"mu_threshold": 0.4})
    found = fit_card(drawn(card, 5_000, 1), template)
    assert 0.4 <= found.values["mu_threshold"] < 0.4 + 10 * found.uncertainties["mu_threshold"]
    assert found.far == 0


def test_any_card_is_a_template(tmp_path: Path) -> None:
    text = """
schema = 1
name = "mine"
title = "a template"
sources = { me = "an example" }
[parameters]
a = { value = 0.1, limits = [0.001, 1.0] }
b = { value = 1.0, limits = [0.5, 2.0] }
[[rule]]
name = "all"
type = "all"
particles = ["other"]
source = "me"
energy = { of = "kinetic", distribution = "normal", resolution = "a * (1 + 1/(1 + KE))", scale = "b" }
angle = { convention = "none", distribution = "none" }
"""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    truth = forefold.load_card(path).with_parameters({"a": 0.07, "b": 0.9})
    found = fit_card(drawn(truth, 4_000, 3, pdg=2212), path)
    for name, value in (("a", 0.07), ("b", 0.9)):
        assert abs(found.values[name] - value) < 5.0 * found.uncertainties[name]
    held = fit_card(drawn(truth, 500, 3, pdg=2212), path, fixed=["b"])
    assert held.names == ("a",)


def matrix_of(n: int, key: int, **settings: Any) -> Migration:
    rng = np.random.default_rng(key)
    true, reco = np.linspace(0.5, 3.5, 13), np.linspace(0.0, 5.0, 41)
    e = rng.uniform(0.5, 3.5, n)
    seen = rng.random(n) < 0.8
    r = 1.05 * e * (1.0 + 0.12 * rng.normal(size=n)) - 0.1
    counts = np.histogram2d(e[seen], r[seen], [true, reco])[0]
    generated = np.histogram(e, true)[0] if settings.pop("generated", False) else None
    return Migration(true, reco, counts, generated, **settings)


@pytest.mark.parametrize("generated", [False, True])
def test_matrix(generated: bool) -> None:
    template = Template(
        ("e-",),
        distribution="normal",
        free=("constant", "scale", "offset"),
        efficiency="constant" if generated else "none",
    )
    found = fit_card(matrix_of(40_000, 1, generated=generated, particle=11), template)
    truth = {"e_constant": 0.12, "e_scale": 1.05, "e_offset": -0.1}
    truth |= {"e_efficiency": 0.8} if generated else {}
    for name, value in truth.items():
        assert abs(found.values[name] - value) < 5.0 * found.uncertainties[name]
    assert found.goodness["matrix"].p_value > 1e-6


def test_files_of_matrices(tmp_path: Path) -> None:
    made = matrix_of(20_000, 2, particle=11)
    lines = ["true_low,true_high,reco_low,reco_high,value"]
    for i in range(12):
        for j in range(40):
            edges = (*made.true_edges[i : i + 2], *made.reco_edges[j : j + 2])
            lines.append(",".join(map(repr, map(float, (*edges, made.counts[i, j])))))
    path = tmp_path / "matrix.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert np.array_equal(read_migration(path).counts, made.counts)
    import hist

    axes = [
        hist.axis.Variable(e, name=n) for e, n in ((made.true_edges, "t"), (made.reco_edges, "r"))
    ]
    filled: hist.Hist[Any] = hist.Hist(*axes)
    filled[...] = made.counts
    other = tmp_path / "matrix.json"
    from forefold.matrix import to_json

    other.write_text(to_json(filled), encoding="utf-8")
    read = read_migration(other)
    assert np.array_equal(read.counts[:, 1:-1], made.counts)
    assert read.reco_edges[0] == -np.inf


def test_files_of_pairs(tmp_path: Path) -> None:
    table = pa.table(
        {"particle": ["mu-", "p"], "energy_true": [1.0, 2.0], "energy_reco": [1.1, None]}
    )
    pq.write_table(table, tmp_path / "pairs.parquet")
    found = read_pairs(tmp_path / "pairs.parquet")
    assert found.pdgid.tolist() == [13, 2212]
    assert found.seen.tolist() == [True, False]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"energy_true": [1.0], "energy_reco": [1.0]}, "no column pdgid"),
        ({"pdgid": [13], "energy_tru": [1.0], "energy_reco": [1.0]}, "no column energy_true"),
        ({"pdgid": [13], "energy_true": [1.0, 2.0], "energy_reco": [1.0]}, "of one length"),
        ({"pdgid": [13], "energy_true": [-1.0], "energy_reco": [1.0]}, "row 0"),
        ({"pdgid": [13], "energy_true": ["x"], "energy_reco": [1.0]}, "no number"),
    ],
)
def test_wrong_pairs(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pairs.from_columns(columns)


def test_what_cannot_be_fitted() -> None:
    pairs = {"pdgid": [13], "energy_true": [1.0], "energy_reco": [1.0]}
    with pytest.raises(ValueError, match="nothing is free"):
        fit_card(pairs, "nusmear-default")
    with pytest.raises(ValueError, match="unknown term 'constnt'"):
        Template(("mu-",), free=("constnt",))
    with pytest.raises(ValueError, match="none of the particles"):
        fit_card(pairs, Template(("p",)))
    with pytest.raises(ValueError, match="probabilities, not counts"):
        Migration([0.0, 1.0], [0.0, 1.0], [[0.5]])
    with pytest.raises(ValueError, match="no parameter 'x'"):
        fit_card(pairs, Template(("mu-",)), fixed=["x"])


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = Template(("mu-",), free=("constant",)).card()
    columns = drawn(card, 1_000, 1)
    path, out = tmp_path / "pairs.csv", tmp_path / "fitted.toml"
    rows = zip(columns["pdgid"], columns["energy_true"], columns["energy_reco"], strict=True)
    text = ["pdgid,energy_true,energy_reco", *(f"{p},{t!r},{r!r}" for p, t, r in rows)]
    path.write_text("\n".join(text).replace("np.float64(", "").replace(")", ""), encoding="utf-8")
    command = ["card", "fit", str(path), "--particles", "mu-", "--free", "constant", "--json"]
    assert main([*command, "-o", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"]["mu_constant"]["value"] == pytest.approx(0.1, abs=0.02)
    assert main(["card", "check", str(out)]) == 0
    assert main([*command, "-o", str(tmp_path / "fitted.json")]) == 2
