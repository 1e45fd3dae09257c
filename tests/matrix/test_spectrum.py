"""Spectra of events: against numpy, against matrices, through folding; in chunks, by the command line; what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import awkward as ak
import hist
import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

import forefold
from forefold.cli import main
from forefold.matrix import from_json
from forefold.matrix.json import read_spectrum

CARD = "nusmear-dune-cdr"
EDGES = np.linspace(0.0, 8.0, 5)


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def smeared(events: ak.Array) -> ak.Array:
    return forefold.smear(events, CARD, rng=1)


def test_both_sides_against_numpy(events: ak.Array, smeared: ak.Array) -> None:
    table = forefold.observables(events, smeared, names=["q2", "visible_energy", "n_mu"])
    true = table.q2_true.to_numpy()
    found = forefold.spectrum(events, axes="q2=0:4:8")
    np.testing.assert_array_equal(found.values(), np.histogram(true, np.linspace(0, 4, 9))[0])
    # what has no value is nowhere; a few are above the axis
    assert found.values(flow=True).sum() == np.isfinite(true).sum() < 300
    reco, muons = table.visible_energy_reco.to_numpy(), table.n_mu_reco.to_numpy() == 1
    wanted, _ = np.histogram(reco[muons & (smeared.n_detected.to_numpy() > 0)], EDGES)
    ways = [(events, CARD), ((events, smeared), None)]
    for given, card in ways:
        found = forefold.spectrum(
            given, card, axes="visible_energy=0:8:4", select="n_mu_reco == 1", scale=2.0, rng=1
        )
        np.testing.assert_array_equal(found.values(), 2.0 * wanted)
        np.testing.assert_array_equal(found.variances(), 4.0 * wanted)
    assert (found.name, found.axes[0].name) == ("spectrum", "visible_energy_reco")


def test_it_is_that_of_the_matrix(events: ak.Array) -> None:
    axes = ["visible_energy=0:8:4", "lepton_cos_theta=-1:1:2"]
    settings = {"signal": "cc", "rng": 1}
    matrix = forefold.ResponseMatrix.from_events(events, CARD, true=axes, **settings)  # type: ignore[arg-type]
    true = forefold.spectrum(events, CARD, axes=axes, side="true", **settings)  # type: ignore[arg-type]
    np.testing.assert_array_equal(true.values(), matrix.truth.values())
    seen = forefold.spectrum(events, CARD, axes=axes, rng=1)
    np.testing.assert_array_equal(seen.values(), matrix.reco.values())
    chunks = (events[i : i + 70] for i in range(0, 300, 70))
    again = forefold.spectrum(chunks, CARD, axes=axes, rng=1)
    np.testing.assert_array_equal(again.values(flow=True), seen.values(flow=True))


def test_fold_takes_arrays_as_unfold_does() -> None:
    matrix = [[0.5, 0.3], [0.1, 0.7]]
    named = forefold.ResponseMatrix.from_array(matrix, {"q2": [0, 1, 2]}, {"q2": [0, 1, 2]})
    whole = forefold.fold(
        hist.Hist(hist.axis.Regular(2, 0, 2)).fill([0.5] * 10 + [1.5] * 20), named
    )
    for spectrum, response in (([10.0, 20.0], named), ([10.0, 20.0], matrix), (np.array([10, 20]), {"nominal": np.array(matrix)})):  # fmt: skip
        found = forefold.fold(spectrum, response)
        assert found.values.tolist() == whole.values.tolist() == [7.0, 17.0]
    back = forefold.unfold(forefold.fold([10.0, 20.0], matrix).values, matrix, method="inversion")
    assert back.values == pytest.approx([10.0, 20.0])
    two = forefold.ResponseMatrix.from_array(
        np.eye(4), {"a": [0, 1, 2], "b": [0, 1, 2]}, {"a": [0, 1, 2], "b": [0, 1, 2]}
    )
    assert forefold.fold([[1, 2], [3, 4]], two).values.tolist() == [1, 2, 3, 4]
    assert forefold.fold([1, 2, 3, 4], two).histogram.values().tolist() == [[1, 2], [3, 4]]
    for wrong, said in (
        ([1.0], r"the spectrum has shape \(1,\), the matrix has 2 true bins"),
        (["a", "b"], "an array of 2 numbers, is needed, found list"),
        (3.0, r"the spectrum has shape \(\), the matrix has 2 true bins"),
        ([1.0, np.nan], "the spectrum holds nan in bin 1"),
    ):
        with pytest.raises(ValueError, match=said):
            forefold.fold(wrong, named)
    with pytest.raises(ValueError, match="matrix: two dimensions"):
        forefold.fold([1.0, 2.0], [1.0, 2.0])


def test_refused(events: ak.Array, smeared: ak.Array) -> None:
    for settings, said in (
        ({"axes": "q2=0:1:1", "side": "reco"}, "a reconstructed spectrum of event records needs a card"),
        ({"axes": "Q2=0:1:1"}, r"no quantity 'Q2' \(did you mean 'q2'\?\) of an event$"),
        ({"axes": "q2=0:1:1", "side": "both"}, "side = 'both': 'true' or 'reco'"),
        ({"axes": "q2=0:1:1", "scale": 0.0}, "scale = 0.0: a finite number above 0"),
        ({"axes": "q2=0:1:1", "weight": "wght"}, "no field 'wght' for the weight"),
        ({"axes": "q2=0:1:1", "select": "n_mu_reco == 1"}, "n_mu_reco is reconstructed: smeared events are needed"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            forefold.spectrum(events, **settings)
    with pytest.raises(ValueError, match="no events were given"):
        forefold.spectrum([], axes="q2=0:1:1")
    with pytest.raises(ValueError, match="cut"):
        forefold.spectrum((events[::2], smeared[::2]), axes="q2=0:1:1", side="true")


def test_commands(
    gst_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The lines of the README: a true spectrum, folded and unfolded."""
    monkeypatch.chdir(tmp_path)
    name, axis = str(gst_file), "--axis=visible_energy=0:8:4"

    def run(*words: str) -> int:
        return main([*words, "-q"])

    assert run("spectrum", name, axis, "-o", "flux.json") == 0
    assert (
        run("spectrum", name, "-d", CARD, "--rng", "1", axis, "--scale", "0.5", "-o", "data.json")
        == 0
    )
    assert run("matrix", name, "-d", CARD, "--rng", "1", axis, "-o", "R.json") == 0
    flux, data = (read_spectrum(Path(f).read_text()) for f in ("flux.json", "data.json"))
    matrix = forefold.ResponseMatrix.from_json(Path("R.json").read_text())
    np.testing.assert_array_equal(flux.values(), matrix.truth.values())
    np.testing.assert_array_equal(data.values(), 0.5 * matrix.reco.values())
    assert run("fold", "flux.json", "R.json", "-o", "folded.json") == 0
    for side, wanted in (("--true", matrix.truth), ("--reco", matrix.reco)):
        assert run("spectrum", "R.json", side, "--scale", "2", "-o", "of.json", "--overwrite") == 0
        np.testing.assert_array_equal(
            from_json(Path("of.json").read_text()).values(), 2 * wanted.values()
        )
    assert run("smear", name, "-d", CARD, "--rng", "1", "-o", "s.parquet") == 0
    assert run("spectrum", "s.parquet", axis, "-o", "again.json") == 0
    again = read_spectrum(Path("again.json").read_text())
    np.testing.assert_array_equal(again.values(), matrix.reco.values())
    words = [
        "--define",
        "pm [GeV/c] = sqrt(missing_pt**2 + q3**2)",
        "--where",
        "pm > 1",
        "--axis",
        "pm=0:4:4",
    ]
    assert run("spectrum", name, *words, "-o", "pm.json") == 0
    made = read_spectrum(Path("pm.json").read_text())
    assert made.axes[0].label == "True pm [GeV/c]"
    assert made.values()[0] == 0.0 < made.values()[1]
    capsys.readouterr()
    for wrong, said in (
        (["R.json", axis], "--axis: for events; the matrix R.json is filled already"),
        ([name], "no axis: give --axis"),
        ([name, axis, "--reco"], "needs a card"),
        ([name, axis, "--scale", "-1"], "scale = -1.0"),
        (["s.parquet", axis, "--where", "cc"], "--where: for generator events only"),
        ([name, axis, "--define", "q2 = w"], "define q2: the name is taken"),
        ([name, axis, "--define", "a = Q2"], "unknown name 'Q2' (did you mean 'q2'?)"),
        ([name, axis, "--define"], "expected one argument"),
    ):  # fmt: skip
        try:
            code = run("spectrum", *wrong)
        except SystemExit as error:
            code = int(str(error.code))
        message = capsys.readouterr().err
        assert code == 2, wrong
        assert said in message, wrong
        assert message.count("\n") == 1, wrong


def test_observables_as_a_table(
    gst_file: Path, events: ak.Array, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.csv"
    words = [
        "observables",
        str(gst_file),
        "-d",
        CARD,
        "--rng",
        "1",
        "--names",
        "q2",
        "n_p",
        "--chunk",
        "90",
    ]
    define = "m [GeV] = mass(mu-, p)"
    for name in ("o.csv", "o.parquet"):
        out = tmp_path / name
        assert (
            main([*words, "--define", define, "--define", "low = w < 1.4", "-o", str(out), "-q"])
            == 0
        )
        read = pyarrow.csv.read_csv if name.endswith("csv") else pyarrow.parquet.read_table
        found = read(out)
        own = {"m [GeV]": "mass(mu-, p)", "low": "w < 1.4"}
        smeared = forefold.smear(events, CARD, rng=1)
        wanted = forefold.observables(events, smeared, names=["q2", "n_p"], define=own)
        assert found.column_names == wanted.fields
        for field in wanted.fields:
            if field == "stream" and name.endswith("csv"):
                continue  # pyarrow reads 64 bits without a sign as a double
            values = found[field].to_pylist()
            if field.startswith(("q2_true", "q2_reco", "m_true", "m_reco")):
                values = [
                    math.nan if value is None else value for value in values
                ]  # as pyarrow reads nan in csv
            np.testing.assert_equal(values, wanted[field].tolist(), field)
    assert main(["observables"]) == 0
    assert "available_energy  GeV    kinetic energy of protons" in capsys.readouterr().out
    assert main(["observables", str(gst_file), "-o", "o.root"]) == 2
    assert main(["observables", "-o", str(out)]) == 2
    assert (
        main(["observables", str(gst_file), "--names", "Q2", "-o", str(tmp_path / "p.csv"), "-q"])
        == 2
    )
    assert "did you mean 'q2'" in capsys.readouterr().err
    assert not (tmp_path / "p.csv").exists()
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == '["o.csv", "o.parquet"]'
