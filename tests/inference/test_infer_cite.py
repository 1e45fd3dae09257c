"""What ``forefold fit`` and ``forefold limit`` go back to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import hist
import numpy as np
import pytest
from spectra import spectrum

import forefold
from forefold.cli import main
from forefold.matrix import to_json

BARLOW = {"barlow1993", "conway2011"}
FIT = {"baker1984", "james1975", "iminuit"}


def keys(text: str) -> set[str]:
    return set(re.findall(r"^@\w+\{([\w-]+),", text, re.MULTILINE)) - {"forefold"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    response, truth = spectrum(4, 6, events=400.0)
    true = hist.axis.Regular(4, 0, 10, name="energy_true")
    reco = hist.axis.Regular(6, 0, 10, name="energy_reco")
    data: hist.Hist[hist.storage.Double] = hist.Hist(reco)
    data[...] = [3.0, 60.0, 130.0, 90.0, 30.0, 4.0]
    matrix = forefold.ResponseMatrix.from_array(response, true, reco, entries=10.0 * truth)
    card = matrix.to_json().replace(
        '"forefold_', '"forefold_card": "nusmear-default", "forefold_', 1
    )
    (tmp_path / "R.json").write_text(card)
    (tmp_path / "data.json").write_text(to_json(data))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("fit", FIT | BARLOW),
        ("fit --statistics none", FIT),
        ("fit --interval normalisation", FIT | BARLOW | {"wilks1938"}),
        (
            "fit --statistics none --interval normalisation --method feldman-cousins --toys 4 --rng 1",
            FIT | {"feldman1998"},
        ),
        ("limit", {"read2002", "cowan2011"} | BARLOW),
        ("limit --statistics none --method profile", {"cowan2011"}),
        ("limit --statistics none --method bayes", {"helene1983"}),
        ("limit --statistics none --method feldman-cousins --toys 4 --rng 1", {"feldman1998"}),
    ],
)
def test_results_cite_what_they_used(
    capsys: pytest.CaptureFixture[str], command: str, wanted: set[str]
) -> None:
    name, *options = command.split()
    assert main([name, "data.json", "R.json", *options, "-o", "out.json", "-q", "--cite"]) == 0
    told = capsys.readouterr().out
    card = keys(forefold.cite("nusmear-default"))
    assert keys(told) == wanted | card
    assert "unfolding" not in told
    assert main(["cite", "out.json"]) == 0
    assert keys(capsys.readouterr().out) == wanted | card


@pytest.mark.usefixtures("folder")
def test_a_reason_is_said_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limit", "data.json", "R.json", "-o", "out.json", "-q"]) == 0
    assert main(["cite", "out.json"]) == 0
    told = capsys.readouterr().out
    assert "% limit: asymptotic formulae\n@article{cowan2011," in told
    assert "% limit: CLs\n@article{read2002," in told
    assert "% cls\n@article{read2002," in forefold.cite("cls")
    # by toys, the formulae are not used, but the likelihood ratio is
    content = json.loads(Path("out.json").read_text()) | {"toys": 100}
    Path("toys.json").write_text(json.dumps(content))
    assert "% limit: likelihood ratio for upper limits\n" in forefold.cite("toys.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"channels": [], "measurements": [], "version": "1.0.0"}', "no provenance of forefold"),
        ('[{"a": 1}]', "not a document of forefold: list is not what forefold writes"),
        ("3", "not a document of forefold: int"),
        ('{"metadata": 3, "a": {"metadata": "x"}}', "no provenance of forefold"),
        ('{"forefold": "fit", "intervals": 3}', "parts of what 'forefold fit' writes"),
        ('{"forefold": "limit", "provenance": [1]}', "parts of what 'forefold limit' writes"),
    ],
)
def test_other_json_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    assert main(["cite", str(path)]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert "Error '" not in told.err
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_objects_cite_what_they_used() -> None:
    response, truth = spectrum(4, 6, events=400.0)
    edges = np.linspace(0.0, 10.0, 5), np.linspace(0.0, 10.0, 7)
    matrix = forefold.ResponseMatrix.from_array(response, *edges, entries=10.0 * truth)
    text = matrix.to_json().replace(
        '"forefold_', '"forefold_card": "nusmear-default", "forefold_', 1
    )
    card = keys(forefold.cite("nusmear-default"))
    data = [3.0, 60.0, 130.0, 90.0, 30.0, 4.0]
    counted: list[tuple[Literal["multinomial", "none"], set[str]]] = [
        ("multinomial", BARLOW),
        ("none", set()),
    ]
    for statistics, more in counted:
        experiment = forefold.Experiment(
            {"signal": truth},
            forefold.ResponseMatrix.from_json(text),
            background={"beam": np.ones(6)},
            parameters={"beam": forefold.Parameter(1.0, lower=0.0, constraint=(1.0, 0.1))},
            statistics=statistics,
        )
        toys: dict[str, Any] = {
            "method": "feldman-cousins",
            "toys": 2,
            "rng": 1,
            "points": [0.8, 0.9, 1.0],
        }
        for found, wanted in (
            (experiment.fit(data), FIT),
            (experiment.interval(data), {"wilks1938"}),
            (experiment.interval(data, **toys), {"feldman1998", "nova2022"}),
            (experiment.interval(data, fixed={"beam": 1.0}, **toys), {"feldman1998"}),
            (experiment.upper_limit(data), {"read2002", "cowan2011"}),
            (experiment.upper_limit(data, method="profile"), {"cowan2011"}),
            (experiment.upper_limit(data, method="bayes"), {"helene1983"}),
            (experiment.expected_limit(), {"read2002", "cowan2011"}),
        ):
            assert keys(forefold.cite(found)) == wanted | more | card, found
    assert "% limit: asymptotic formulae\n" in forefold.cite(experiment.upper_limit(data))
    assert "made_of" not in experiment.upper_limit(data).to_dict()
    assert "% limit: likelihood ratio" in forefold.cite(experiment.upper_limit(data, toys=2, rng=1))
