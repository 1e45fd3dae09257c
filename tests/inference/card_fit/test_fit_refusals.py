"""Fits that cannot be made, or should not be trusted, say so and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forefold.cli import main
from forefold.inference.card_fit import Migration, Pairs, Template, fit_card, read_migration
from forefold.inference.card_fit.pairs import read_pairs

MUON = Template(("mu-",), distribution="normal", free=("constant", "scale"))


def pairs(n: int = 1000, **columns: Any) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    true = rng.uniform(0.5, 3.0, n)
    reco = true * rng.normal(1.0, 0.1, n)
    return {"pdgid": np.full(n, 13), "energy_true": true, "energy_reco": reco} | columns


def rows(share: float = 0.8) -> tuple[Any, Any, Any]:
    """Probabilities of a normal of 10 % that is seen in a fraction of cases, true values at the middles."""
    from scipy.stats import norm

    true, reco = np.linspace(0.5, 2.5, 9), np.linspace(0.0, 4.0, 81)
    middle = 0.5 * (true[1:] + true[:-1])[:, None]
    return true, reco, share * np.diff(norm.cdf(reco, middle, 0.1 * middle), axis=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"energy_reco": [1.0, np.inf]}, "row 1: energy_reco is inf"),
        ({"energy_true": [1.0, 0.05]}, r"row 1: energy_true is 0.05; .* 13 from 0.105658 GeV"),
        ({"energy_true": [1.0, np.inf]}, "row 1: energy_true is inf"),
        ({"theta_reco": [0.1, 0.1]}, "a column theta_reco, but no theta_true"),
    ],
)
def test_impossible_pairs_are_named(changed: dict[str, Any], message: str) -> None:
    columns = {"pdgid": [13, 13], "energy_true": [1.0, 2.0], "energy_reco": [1.0, np.nan]}
    with pytest.raises(ValueError, match=message):
        Pairs.from_columns(columns | changed)


def test_mass_of_another_table_is_no_error() -> None:
    found = Pairs.from_columns({"pdgid": [211], "energy_true": [0.13957], "energy_reco": [0.2]})
    assert len(found) == 1


def test_more_seen_than_generated(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"row 2 \(true 1 to 2\): 4 generated, .* hold 5"):
        Migration([0, 1, 2], [0, 1, 2], [[2, 1], [2, 3]], [3, 4])
    with pytest.raises(ValueError, match="2 numbers are needed"):
        Migration([0, 1, 2], [0, 1, 2], [[2, 1], [2, 3]], [3])
    path = tmp_path / "m.csv"
    head = "true_low,true_high,reco_low,reco_high,value,generated\n"
    path.write_text(head + "0,1,0,1,2,9\n0,1,1,2,3,8\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"m.csv: line 2: generated is 9, and 8 in another line"):
        read_migration(path)
    path.write_text(head + "0,1,0,1,2,4\n0,1,1,2,3,4\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"m.csv: row 1 \(true 0 to 1\): 4 generated"):
        read_migration(path)


def test_what_probabilities_lack_was_not_seen() -> None:
    """An efficiency is the sum of a row; without one, what is missing changes nothing."""
    true, reco, chance = rows()
    matrix = Migration(true, reco, chance, events=2000.0)
    found = fit_card(
        matrix, Template(("mu-",), distribution="normal", free=("constant",), efficiency="constant")
    )
    assert found.valid
    assert found.size == 16_000
    assert found.values["mu_efficiency"] == pytest.approx(0.8, abs=1e-3)
    width = np.sqrt(0.8 * 0.2 / found.size)
    assert found.uncertainties["mu_efficiency"] == pytest.approx(width, rel=0.05)
    plain = fit_card(matrix, Template(("mu-",), distribution="normal", free=("constant",)))
    assert plain.values["mu_constant"] == pytest.approx(found.values["mu_constant"], rel=1e-3)
    assert plain.size == pytest.approx(0.8 * 16_000, abs=1)


def test_matrix_without_an_efficiency_has_none_to_fit() -> None:
    true, reco, chance = rows()
    with_efficiency = Template(("mu-",), free=("constant",), efficiency="constant")
    with pytest.raises(ValueError, match="nothing says how many particles there were"):
        fit_card(Migration(true, reco, 1000.0 * chance), with_efficiency)
    with pytest.raises(ValueError, match=r"row 1 .* sums to 1.6: probabilities sum to at most 1"):
        fit_card(Migration(true, reco, 2.0 * chance, events=10.0), with_efficiency)
    with pytest.raises(ValueError, match="events: a number above 0"):
        Migration(true, reco, chance, events=[1.0, 2.0])


@pytest.mark.parametrize("angle", ["polar", "rayleigh"])
def test_angles_without_columns(angle: str) -> None:
    with pytest.raises(
        ValueError, match=r"mu_angle: an angle is to be fitted, but there are no columns"
    ):
        fit_card(pairs(), Template(("mu-",), angle=angle))
    true, reco, chance = rows()
    with pytest.raises(ValueError, match="an angle is fitted to pairs only"):
        fit_card(Migration(true, reco, chance, events=10.0), Template(("mu-",), angle=angle))


def test_data_that_say_nothing_of_a_parameter(tmp_path: Path) -> None:
    """A tail that no particle of the sample has."""
    path = tmp_path / "flat.toml"
    path.write_text(
        """
schema = 1
name = "flat"
title = "a parameter that only slow particles feel"
sources = { me = "an example" }
[parameters]
a = { value = 0.1, limits = [0.001, 1.0] }
b = { value = 0.2, limits = [0.001, 1.0] }
[[rule]]
name = "all"
type = "all"
particles = ["other"]
source = "me"
energy = { of = "total", distribution = "normal", resolution = "where(E < 0.2, b, a)" }
angle = { convention = "none", distribution = "none" }
""",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match="the data say nothing of parameter 'b'"):
        fit_card(pairs(), path)
    assert fit_card(pairs(), path, fixed=["b"]).valid


def test_parameter_at_its_limit_is_marked() -> None:
    """A normal sample has no power tail: its exponent runs away."""
    start = {"alpha_low": 1.0, "alpha_high": 3.0, "n_high": 50.0}
    free = ("constant", "n_low")
    at = fit_card(pairs(), Template(("mu-",), distribution="crystal-ball", free=free, start=start))
    assert at.valid
    assert at.at_limit == ("mu_n_low",)
    assert at.uncertainties["mu_constant"] > 0.0
    for name in at.at_limit:
        assert np.isnan(at.uncertainties[name])
        assert f"{name} is at its limit" in str(at)
        assert at.card.parameters[name].uncertainty == 0.0
        assert at.to_dict()["parameters"][name] == {
            "value": at.values[name],
            "uncertainty": None,
            "at_limit": True,
        }
        assert all(name not in pair.parameters for pair in at.card.correlations)
    assert "nan" not in str(at)
    json.loads(json.dumps(at.to_dict(), allow_nan=False))


def test_data_without_a_probability_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pairs.csv"
    columns = pairs(200)
    columns["energy_reco"] = np.append(columns["energy_true"][:-1] * 1.05, -2.0)
    text = [",".join(columns)] + [
        ",".join(map(repr, map(float, row))) for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(text).replace("13.0,", "13,"), encoding="utf-8")
    command = ["card", "fit", str(path), "--particles", "mu-", "--free", "constant", "scale"]
    assert main(command) == 1
    assert "1 of 200 are where the card gives no probability" in capsys.readouterr().out
    assert main([*command, "--json"]) == 1
    assert "forefold: warning: 1 of 200" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--distribution", "gauss"], "distribution: found 'gauss'"),
        (["--distribution", "nrmal"], "(did you mean 'normal'"),
        (["--distribution", "tabulated"], "allowed: log-normal, normal, truncated-normal"),
        (["--of", "kinetik"], "of: found 'kinetik' (did you mean 'kinetic'?)"),
        (["--name", "bad name"], "name: found 'bad name'; letters, digits"),
        (["--free", "constant", "n_low"], "n_low"),
        (["--particles", "muu"], "unknown particle 'muu' (did you mean 'mu-'"),
        (["--quantity", "kinetik"], "quantity: found 'kinetik' (did you mean 'kinetic'?)"),
    ],
)
def test_wrong_options_are_one_line(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.csv"
    path.write_text("true_low,true_high,reco_low,reco_high,value\n0,1,0,1,2\n", encoding="utf-8")
    given = ["--particles", "mu-"] if "--particles" not in options else []
    assert main(["card", "fit", str(path), *given, *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "pydantic" not in said
    assert "validation error" not in said


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04no zip", b"\x93NUMPY"])
def test_an_npz_that_is_damaged_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pairs.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"pairs\.npz: not a table: not an \.npz of numbers"):
        read_pairs(path)
