"""Cards with every key through files and commands: what is written is read back."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from gun import card, rule, text

import forefold
from forefold import Fate
from forefold.cli.command_line import main
from forefold.workflows.stream import smear_files

EVERYTHING = Path(__file__).parent.parent / "data" / "every_key.toml"
NEW = ("pdgid_reco", "component")


@pytest.fixture(scope="module")
def smeared(gst_file: Path) -> ak.Array:
    return forefold.smear(forefold.read(gst_file), EVERYTHING, rng=3)


def test_the_card_does_everything(smeared: ak.Array) -> None:
    found = forefold.fate_counts(smeared)
    assert set(found) >= {
        Fate.DETECTED,
        Fate.INEFFICIENCY,
        Fate.BELOW_THRESHOLD,
        Fate.BELOW_RECO_THRESHOLD,
        Fate.UNIDENTIFIED,
    }
    fate = ak.flatten(smeared.particles.fate)
    assert ak.sum((fate & int(Fate.MISIDENTIFIED)) != 0) > 0
    assert len(np.unique(ak.to_numpy(ak.drop_none(ak.flatten(smeared.particles.rule))))) == 8


@pytest.mark.parametrize("ending", ["parquet", "root", "h5", "csv", "csv.gz", "hepmc3"])
def test_written_and_read_back(
    ending: str, gst_file: Path, tmp_path: Path, smeared: ak.Array
) -> None:
    if ending == "h5":
        pytest.importorskip("h5py")
    out = tmp_path / f"o.{ending}"
    smear_files(gst_file, EVERYTHING, out, rng=3)
    back = forefold.read_smeared(out)
    if "csv" in ending:
        smeared = smeared[ak.num(smeared.particles) > 0]
    for name in (*NEW, "fate", "energy_reco", "pdgid"):
        one, two = (ak.flatten(x.particles[name]) for x in (smeared, back))
        assert ak.is_none(one).tolist() == ak.is_none(two).tolist(), name
        a, b = (ak.to_numpy(ak.fill_none(x, 0)) for x in (one, two))
        assert np.allclose(a, b, rtol=1e-15 if "csv" in ending else 0), name
    assert back.n_lost.tolist() == smeared.n_lost.tolist()
    assert back.attrs["forefold"]["card_sha256"] == smeared.attrs["forefold"]["card_sha256"]


def test_commands(gst_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Smear, then a matrix and a figure of the smeared file, by the card that it holds."""
    out, matrix, figure = (tmp_path / name for name in ("o.parquet", "m.json", "f.png"))
    assert (
        main(["smear", str(gst_file), "-d", str(EVERYTHING), "--rng", "3", "-q", "-o", str(out)])
        == 0
    )
    assert main(["matrix", str(out), "--by-type", "-q", "-o", str(matrix)]) == 0
    direct = tmp_path / "direct.json"
    command = ["matrix", str(gst_file), "-d", str(EVERYTHING), "--rng", "3", "--by-type", "-q"]
    assert main([*command, "-o", str(direct)]) == 0
    assert json.loads(matrix.read_text()) == json.loads(direct.read_text())
    assert main(["plot", "resolution", str(out), "-q", "-o", str(figure)]) == 0
    assert figure.stat().st_size > 1000
    capsys.readouterr()
    assert main(["card", "show", str(EVERYTHING)]) == 0
    shown = capsys.readouterr().out
    for words in (
        "identified: mu- as 90 % same, 6 % pi-, 1 % antiparticle (the momentum is kept; the rest is lost)",
        "parameter: scale_mu = 0.02 +- 0.01",
        "table: eff",
        "70 %: ",
        "1/p",
        "von-mises-fisher",
        "1+scale_mu",
    ):
        assert words in shown, words


def test_invalid_formulas(
    gst_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says where; or the particles are lost, and the tally counts them."""
    path, out = tmp_path / "mine.toml", tmp_path / "o.parquet"
    path.write_text(text(rule(extra="efficiency = 'p - 0.5'")), encoding="utf-8")
    command = ["smear", str(gst_file), "-d", str(path), "--rng", "3", "-o", str(out), "-q"]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "card test: rule[1] 'all'.efficiency: 'p - 0.5' is " in error
    assert not out.exists()
    assert main([*command[:-1], "--on-invalid", "lose"]) == 0
    assert "invalid " in capsys.readouterr().err
    back = forefold.read_smeared(out)
    assert forefold.fate_counts(back)[Fate.INVALID] > 100


GOOD = [
    ("E", lambda q: q["E"]),
    ("KE", lambda q: q["KE"]),
    ("p", lambda q: q["p"]),
    ("pT", lambda q: q["pT"]),
    ("mass", lambda q: q["mass"]),
    ("charge + 2", lambda _: 1.0),
    ("beta", lambda q: q["p"] / q["E"]),
    ("gamma", lambda q: q["E"] / q["mass"]),
    ("theta", lambda q: q["theta"]),
    ("cos_theta + 1", lambda q: np.cos(q["theta"]) + 1),
    ("phi", lambda _: 1.1),
    ("nx", lambda q: np.sin(q["theta"]) * np.cos(1.1)),
    ("ny", lambda q: np.sin(q["theta"]) * np.sin(1.1)),
    ("nz", lambda q: np.cos(q["theta"])),
    ("k * p", lambda q: 0.25 * q["p"]),
    ("half(p)", lambda q: np.where(q["p"] < 1, 0.5, 2.0)),
    ("sqrt(0.02**2 + 0.15**2 / KE)", lambda q: np.sqrt(0.02**2 + 0.15**2 / q["KE"])),
    ("hypot(0.02, 0.15 / sqrt(KE))", lambda q: np.hypot(0.02, 0.15 / np.sqrt(q["KE"]))),
    ("log(1 + p)", lambda q: np.log1p(q["p"])),
    ("log10(10 + p)", lambda q: np.log10(10 + q["p"])),
    ("exp(-p / 2)", lambda q: np.exp(-q["p"] / 2)),
    ("1 - exp(-(p / 0.5)**2)", lambda q: -np.expm1(-((q["p"] / 0.5) ** 2))),
    ("where(p < 1, 0.3, 0.1)", lambda q: np.where(q["p"] < 1, 0.3, 0.1)),
    ("where(0.5 < p < 1 and not theta > 1, 0.3, 0.1)", lambda q: np.where((q["p"] > 0.5) & (q["p"] < 1), 0.3, 0.1)),
    ("min(p, 1, E)", lambda q: np.minimum(q["p"], 1)),
    ("max(0.2, p - 1)", lambda q: np.maximum(0.2, q["p"] - 1)),
    ("atan2(pT, p * cos_theta)", lambda q: q["theta"]),
    ("abs(sin(theta)) + tanh(p)", lambda q: np.sin(q["theta"]) + np.tanh(q["p"])),
    ("floor(p) + ceil(p)", lambda q: np.floor(q["p"]) + np.ceil(q["p"])),
    ("acos(cos_theta) * 180 / pi", lambda q: np.degrees(q["theta"])),
    ("2 * asin(sqrt((1 - cos_theta) / 2))", lambda q: q["theta"]),
]  # fmt: skip

WRONG = [
    ("momentum", "momentum"), ("P", "'P'"), ("p +", "character"), ("(p", r"\)"), ("p)", "character"),
    ("sqrt()", "sqrt"), ("sqrt(p, 2)", "sqrt"), ("sqr(p)", "sqr"), ("p > 1", "a number is expected"),
    ("where(p, 1, 0)", "condition"), ("p = 1", "="), ("p p", "character"), ("1..2", "character"),
    ("p ^ 2", "\\^"), ("half()", "half"), ("half(p, 1)", "half"), ("half", "half"), ("kk * p", "kk"),
    ("p and 1", "condition"), ("not p", "condition"), ("p > 1 > theta and", "character"), ("__import__('os')", "character|__import__"),
    ("p.real", "character|real"), ("p[0]", "\\["), ("lambda: 1", "character|lambda"), ("p if p else 1", "character"),
    ("min(p)", "min"), ("1e999", "1e999|finite|large"), ("'p'", "character|'"), ("range", "range"), ("p; p", ";"),
]  # fmt: skip
HEAD = (
    '[parameters.k]\nvalue = 0.25\nsource = "test"\n'
    "[tables.half]\naxes = [[0.0, 1.0, 9.0]]\nvalues = [0.5, 2.0]\n"
)


@pytest.mark.parametrize(("formula", "expected"), GOOD, ids=[formula for formula, _ in GOOD])
def test_expressions_of_a_card(formula: str, expected: object) -> None:
    """An exact energy times the formula tells its value."""
    from gun import MASS, gun, shoot

    assert callable(expected)
    p = np.array([0.3, 0.75, 1.5, 4.2])
    energy = f'energy = {{ of = "total", distribution = "none", scale = "{formula}" }}'
    columns = shoot(card(rule(energy), head=HEAD), gun(13, 4, p=p, theta=0.6, phi=1.1))
    true = np.hypot(p, MASS[13])
    quantities = {
        "E": true, "KE": true - MASS[13], "p": p, "mass": MASS[13], "theta": 0.6, "pT": p * np.sin(0.6),
    }  # fmt: skip
    found = columns["energy_reco"] / columns["energy_true"]
    assert np.allclose(found, expected(quantities), rtol=1e-9)


@pytest.mark.parametrize(("formula", "message"), WRONG, ids=[formula for formula, _ in WRONG])
def test_expressions_that_are_none(formula: str, message: str, tmp_path: Path) -> None:
    """One line: file, rule, key, and what is wrong."""
    path = tmp_path / "mine.toml"
    path.write_text(text(rule(extra=f"efficiency = {formula!r}"), head=HEAD), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        forefold.load_card(path)
    found = str(caught.value)
    print(found.removeprefix(f"{path}: "))
    assert found.startswith((f"{path}: ", f"{path}, line "))
    assert "rule[1] 'all'.efficiency" in found
    assert "\n" not in found
