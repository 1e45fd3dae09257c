"""All that the files of a GLoBES experiment define, against another reading of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import globes_reading
import numpy as np
import pytest
from cli_runs import Run, refused
from globes_reading import EXPERIMENT

from forefold.matrix.formats import GlobesConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    for name, text in EXPERIMENT.items():
        path = tmp_path / "far" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "far" / "far.glb"


def _compare(folder: Path, content: dict[str, Any]) -> None:
    """Compare a folder, by json and numpy alone, with another reading."""
    document = json.loads((folder / "configuration.json").read_text())
    assert (document["kind"], document["schema"]) == ("globes-configuration", 1)
    for name in ("settings", "variables", "lists"):
        assert list(document[name]) == list(content[name])
        for key, value in content[name].items():
            np.testing.assert_array_equal(document[name][key], value)
    for name in ("true_edges", "reco_edges"):
        np.testing.assert_array_equal(document[name], content[name])
    matrices = document["tables"]["energy"]
    assert list(matrices) == list(content["matrices"])
    for name, cells in content["matrices"].items():
        table = np.loadtxt(folder / matrices[name], delimiter=",")
        np.testing.assert_array_equal(table, cells)
    tables = {
        f"{kind}_{name}": file
        for kind in ("nuflux", "cross")
        for name, file in document["tables"][kind].items()
    }
    assert list(tables) == list(content["tables"])
    for name, numbers in content["tables"].items():
        np.testing.assert_array_equal(np.loadtxt(folder / tables[name], delimiter=","), numbers)
    for kind, environments in content["environments"].items():
        assert list(document["environments"][kind]) == list(environments)
        for name, texts in environments.items():
            values = document["environments"][kind][name]
            assert [*values, *["energy"] * ("energy" in texts)] == list(texts)
            for attribute, value in values.items():
                other = globes_reading.value(texts[attribute], content)
                assert globes_reading.same(value, other), (name, attribute, value, other)


def test_one_command_reads_all_that_the_files_define(experiment: Path, run: Run) -> None:
    folder = experiment.parent.parent / "record"
    done = run("import", experiment, "--format", "globes", "-o", folder)
    assert (done.code, done.out) == (0, ""), done.err
    assert (
        "smearing matrices 2, fluxes 1, cross-sections 1, lists 3, channels 2, rules 1" in done.err
    )
    assert "note:" not in done.err
    _compare(folder, globes_reading.read(experiment))
    again = GlobesConfiguration.read(folder)
    assert again == GlobesConfiguration.read(experiment)
    assert list(again.files) == [
        "far.glb",
        "constants.inc",
        "smear/all.inc",
        "smear/electron.dat",
        "smear/muon.dat",
        "tables/beam.dat",
        "tables/cc.dat",
    ]


def test_numbers_are_those_of_the_files(experiment: Path) -> None:
    found = GlobesConfiguration.read(experiment)
    np.testing.assert_array_equal(
        found.matrices["electron"],
        [[0.8, 0.1, 0.0], [0.15, 0.7, 0.0], [0.0, 0.25, 0.6], [0.0, 0.05, 0.9]],
    )
    np.testing.assert_array_equal(
        found.matrices["muon"], [[1.0, 0, 0], [0, 0.5, 0], [0, 0.25, 0], [0, 0, 0.0625]]
    )
    assert found.settings["target_mass"] == 41.5
    assert found.lists["points"].tolist() == [0.5, 1.0, 1.75, 3.25]
    assert found.lists["centres"].tolist() == [1.0, 2.0, 3.0]
    rule = found.environments["rule"]["appearance"]
    assert rule["signal"] == [[0.95, "signal"], [1.0, "wrong"]]
    assert rule["background"] == [[0.015, "wrong"]]
    assert rule["sys_on_multiex_errors_sig"] == [["norm"], ["norm"]]
    assert rule["energy_window"].tolist() == [0.5, 3.25]
    channel = found.environments["channel"]["signal"]
    assert channel["channel"] == ["beam", "+", "m", "NOSC_e", "CC", "electron"]
    assert found.fluxes["beam"].shape == (3, 7)


def test_record_folds_as_the_files_say(experiment: Path) -> None:
    """Rates of a channel by numpy from the record: flux linear in E, cross-section / E linear in log10 E, GLoBES's order of factors."""
    found = GlobesConfiguration.read(experiment)
    assert found.true_edges is not None
    points, widths = found.lists["points"], np.diff(found.true_edges)
    flux = np.interp(points, found.fluxes["beam"][:, 0], found.fluxes["beam"][:, 2])
    table = found.cross_sections["CC"]
    over_energy = np.interp(np.log10(points), table[:, 0], table[:, 1])
    of = found.environments["channel"]["signal"]
    rate = flux * over_energy * points * widths * of["pre_smearing_efficiencies"]
    bins = (rate @ found.matrices["electron"]) * of["post_smearing_efficiencies"]
    # by hand: 52500, 90000, 57187.5 and 20000 (beyond the table it stays), 0.541787..., 0.605, 0.656038..., 0.71
    by_hand = [
        52500 * (0.5 + 0.21 * (np.log10(0.5) + 0.5)) * 0.5 * 0.5,
        90000 * 0.605 * 1.0 * 0.5 * 0.5,
        57187.5 * (0.5 + 0.21 * (np.log10(1.75) + 0.5)) * 1.75 * 0.25,
        20000 * 0.71 * 3.25 * 2.0 * 0.125,
    ]
    np.testing.assert_allclose(rate, by_hand, rtol=1e-13)
    a, b, c, d = by_hand
    wanted = [
        (0.8 * a + 0.15 * b) * 0.9,
        (0.1 * a + 0.7 * b + 0.25 * c + 0.05 * d) * 0.8,
        (0.6 * c + 0.9 * d) * 0.25,
    ]
    np.testing.assert_allclose(bins, wanted, rtol=1e-13)


def test_published_dune_configuration_is_read_as_it_is(
    run: Run, tmp_path: Path, third_party_file: Callable[[str], Path]
) -> None:
    """16 matrices, 33 lists of which 30 are efficiencies, 2 fluxes, 2 cross-sections (ancillary files of arXiv:2103.04797)."""
    path = third_party_file("oscillation/dune_tdr/DUNE_GLoBES.glb")
    done = run("import", path, "--format", "globes", "-o", tmp_path / "dune")
    assert (done.code, done.out) == (0, ""), done.err
    assert (
        "smearing matrices 16, fluxes 2, cross-sections 2, lists 33, channels 32, rules 4"
        in done.err
    )
    content = globes_reading.read(path)
    assert {cells.shape for cells in content["matrices"].values()} == {(99, 80)}
    assert {table.shape for table in content["tables"].values()} == {(501, 7), (75, 7)}
    _compare(tmp_path / "dune", content)
    found = GlobesConfiguration.read(tmp_path / "dune")
    for of in found.environments["channel"].values():
        assert of["post_smearing_efficiencies"].shape == (80,)
    shown = run("inspect", tmp_path / "dune")
    assert shown.code == 0
    assert "99 true bins (sampling points): 0 to 110 GeV" in shown.out
    # what a Snakefile would do next: a channel as a response matrix
    done = run(
        "import", "globes", path, "--channel", "RHC_dis_sig_numubar", "-o", tmp_path / "R.json"
    )
    assert (done.code, done.out) == (0, ""), done.err


def test_inspect_knows_the_files_the_folder_and_its_document(experiment: Path, run: Run) -> None:
    folder = experiment.parent.parent / "record"
    assert run("import", "globes", experiment, "-o", folder, "-q").err == ""
    texts = [run("inspect", path) for path in (experiment, folder, folder / "configuration.json")]
    assert {done.code for done in texts} == {0}
    assert len({done.out for done in texts}) == 1
    for words in (
        "far.glb: GLoBES configuration of 7 files",
        "4 true bins (sampling points): 0.25 to 4.25 GeV",
        "2 smearing matrices: electron (4 x 3), muon (4 x 3)",
        "2 channel: signal, wrong",
        "2 variables: MASS = 41.5, YEARS = 6",
    ):
        assert words in texts[0].out
    document = json.loads(run("inspect", folder, "--json").out)
    assert document["matrices"]["muon"][1] == [0.0, 0.5, 0.0]
    refused(run("inspect", folder, "--where", "cc"), "--where: not of a GLoBES configuration")
    (folder / "configuration.json").unlink()
    refused(run("inspect", folder), "is a directory")


def test_folder_is_made_whole_or_not_at_all(experiment: Path, run: Run) -> None:
    folder = experiment.parent.parent / "record"
    arguments = ("import", experiment, "--format=globes", "-o", folder)
    assert run(*arguments).code == 0
    refused(run(*arguments), "exists already; --overwrite")
    (experiment.parent / "smear/muon.dat").write_text("energy(#muon)<\n@energy = {0,0,1}>\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused(
        run(*arguments, "--overwrite"),
        "smear/muon.dat, line 2: energy(#muon) has 1 rows for 3 bins",
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("far.glb", "#CC: #electron", "#CC: #elektron", "line 25: @channel names #elektron, and there is no energy(#elektron) (did you mean 'electron'"),
        ("far.glb", "{#norm} : {#norm}", "{#norm} : {#nrm}", "no sys(#nrm)"),
        ("far.glb", "1@#wrong", "1@#rong", "@signal names #rong, and there is no channel(#rong)"),
        ("far.glb", "{1, 0.5, 0.25, 0.125}", "{1, 0.5, 0.25}", "@pre_smearing_efficiencies is a list of 3 numbers for 4 sampling points"),
        ("far.glb", "{0.9, 0.8, 0.25}", "{0.9, 0.8}", "@post_smearing_efficiencies is a list of 2 numbers for 3 bins"),
        ("far.glb", "tables/beam.dat", "tables/bean.dat", "line 18: 'tables/bean.dat': no such file"),
        ("far.glb", "tables/beam.dat", "../beam.dat", "'../beam.dat' is outside the folder"),
        ("far.glb", "MASS   //", "MAS   //", "line 4: 'MAS' is not defined (did you mean 'MASS'"),
        ("constants.inc", "41.5", "41.5.5", "constants.inc, line 1: '41.5.5' is not understood"),
        ("smear/all.inc", '"muon.dat"', '"moun.dat"', "smear/all.inc, line 3: 'moun.dat': no such file"),
        ("smear/electron.dat", "{2,3,0.6,0.9}", "{2,4,0.6,0.9,1}", "smear/electron.dat, line 4: energy(#electron), row 2: indices 2 to 4"),
        ("tables/beam.dat", "9e4", "9.e4.", "tables/beam.dat, line 3, column 3: '9.e4.' is no finite number"),
        ("tables/beam.dat", "9e4", "nan", "tables/beam.dat, line 3, column 3: 'nan' is no finite number"),
        ("tables/cc.dat", "0.32 0", "0.32", "tables/cc.dat, line 2: 6 numbers, where lines before have 7"),
        ("tables/cc.dat", EXPERIMENT["tables/cc.dat"], "# nothing\n", "tables/cc.dat: holds no numbers"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_file_and_line(
    file: str, old: str, new: str, words: str, experiment: Path, run: Run
) -> None:
    path = experiment.parent / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    folder = experiment.parent.parent / "record"
    done = run("import", experiment, "--format", "globes", "-o", folder)
    refused(done, f"{experiment}: ", words)
    assert not folder.exists()


def test_what_is_not_understood_is_named(experiment: Path) -> None:
    text = experiment.read_text().replace("@errordim_sys_off", "@errordim_sys_of")
    text += '$cosines = 20\nline(1)\necho(%seen)\n%seen = {0, 0, 0}\n$version = "3.2.13"\n'
    experiment.write_text(text)
    beam = experiment.parent / "tables/beam.dat"
    beam.write_text("2 1 1\n1 1 -1\n")
    found = GlobesConfiguration.read(experiment)
    line = len(text.splitlines())
    assert found.notes == (
        f"line {line - 3}: line() prints in GLoBES, and defines nothing",
        f"line {line - 2}: echo() prints in GLoBES, and defines nothing",
        f"line {line - 1}: %seen is defined again; the last one counts",
        "line 38: rule(#appearance): @errordim_sys_of is no name of the GLoBES manual (did you mean 'errordim_sys_off' or 'errordim_sys_on'?), and is kept as it is",
        f"line {line - 4}: $cosines is no name of the GLoBES manual, and is kept as it is",
        "tables/beam.dat: nuflux(#beam): 3 columns; GLoBES has 7, the energy and e, mu, tau, ebar, mubar, taubar",
        "tables/beam.dat: nuflux(#beam): energies do not ascend at row 1, counted from 0",
        "tables/beam.dat: nuflux(#beam): row 1, column 2, counted from 0, is negative",
    )
    assert found.environments["rule"]["appearance"]["errordim_sys_of"] == 2.0
    assert found.environments["channel"]["signal"]["post_smearing_efficiencies"].tolist() == [
        0.9,
        0.8,
        0.25,
    ]  # a copy of what was there


def test_matrices_that_are_no_probabilities_are_noted(experiment: Path) -> None:
    path = experiment.parent / "smear/muon.dat"
    path.write_text("energy(#muon)<\n@energy = {0,1,1,-0.1}: {0,2,0.5,.5,.25}: {3,3,1}\n>\n")
    found = GlobesConfiguration.read(experiment)
    assert found.notes == (
        "smear/muon.dat, line 2: energy(#muon): 1 of 4 columns have negative numbers, the first is column 1",
        "smear/muon.dat, line 2: energy(#muon): 1 of 4 columns sum to more than 1, up to 1.5, the first is column 0",
    )
    assert found.matrices["muon"][0].tolist() == [1.0, 0.5, 0.0]


def test_names_that_are_one_file_somewhere_are_refused(experiment: Path) -> None:
    text = (experiment.parent / "smear/muon.dat").read_text()
    (experiment.parent / "smear/muon.dat").write_text(text + text.replace("#muon", "#MUON"))
    found = GlobesConfiguration.read(experiment)
    with pytest.raises(ValueError, match=r"two names become the file energy_muon\.csv"):
        found.write(experiment.parent / "out")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "spectrum"},
        {"schema": 2},
        {"settings": []},
        {"lists": {"a": "b"}},
        {"lists": {"a": [1.0, "x"]}},
        {"environments": {"rule": []}},
        {"tables": {"energy": {"a": "../a.csv"}, "nuflux": {}, "cross": {}}},
        {"tables": {"energy": {"a": "absent.csv"}, "nuflux": {}, "cross": {}}},
        {"tables": {"energy": {}}},
        {"true_edges": "x"},
        {"variables": {"a": None}},
        {"notes": None},
    ],
)
def test_another_document_is_refused(change: dict[str, Any], experiment: Path) -> None:
    folder = experiment.parent.parent / "record"
    GlobesConfiguration.read(experiment).write(folder)
    path = folder / "configuration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises((ValueError, OSError), match=str(folder)) as caught:
        GlobesConfiguration.read(folder)
    assert "\n" not in str(caught.value)
