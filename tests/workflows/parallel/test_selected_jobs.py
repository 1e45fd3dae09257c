"""Response matrices of what is selected, filled by jobs and from the command line: the bytes of one process, exact counts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cc0pi import AXES, BACKGROUND, CARD, SELECT, SETTINGS, SIGNAL, counted, same
from cli_runs import Run, refused
from shuffled import Shuffled, Stopping, digest

import forefold
from forefold import ResponseMatrix
from forefold.io import blocks
from forefold.matrix.variations import read_set, written_set
from forefold.smearing.variations import named_variations
from forefold.workflows.requests import MatrixRequest

VARIATIONS = ["muon_efficiency_up", "momentum_scale_down"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a file of 300 events is many parts."""
    monkeypatch.setattr(blocks, "BLOCK", 80)


@pytest.fixture(scope="module")
def request_() -> MatrixRequest:
    return MatrixRequest.made(AXES, signal=SIGNAL, background=BACKGROUND)


def written(found: list[Any]) -> str:
    return written_set(found[0]) + "\n"


@pytest.fixture
def asked(gst_file: Path, request_: MatrixRequest) -> dict[str, Any]:
    return {"inputs": gst_file, "card": CARD, "requests": [request_], "rng": 1, "select": SELECT}


# few events, so that some backgrounds take none
pytestmark = pytest.mark.filterwarnings("ignore:background '.*' takes no event:UserWarning")


@pytest.mark.parametrize("words", [None, VARIATIONS])
def test_a_job_counts_as_numpy_does(
    asked: dict[str, Any], gst_file: Path, tmp_path: Path, words: list[str] | None
) -> None:
    events = forefold.read(gst_file)
    asked |= {"variations": None if words is None else named_variations(CARD, words, 1)}
    (one,), _ = forefold.fill_files(**asked)
    smeared: Any = {"nominal": forefold.smear(events, CARD, rng=1)}
    if words is not None:
        smeared = forefold.smear_variations(events, CARD, rng=1, variations=words)
    assert list(one) == list(smeared)
    for name in one:
        same(one[name], counted(events, smeared[name]))
    out = tmp_path / "R.json"
    with ThreadPoolExecutor(2) as pool:
        (many,), tally = forefold.fill_files(
            **asked, out=out, write=written, executor=Shuffled(3) if words else pool, partition=80
        )
    assert many == one
    assert tally.events == 300
    assert out.read_text() == written([one])
    assert read_set(out.read_text()) == one


def test_in_one_process_it_is_what_from_events_fills(asked: dict[str, Any], gst_file: Path) -> None:
    (one,), _ = forefold.fill_files(**asked)
    made = ResponseMatrix.from_events(forefold.read(gst_file), CARD, rng=1, **SETTINGS)
    assert one["nominal"] == made
    more = MatrixRequest.made(AXES, signal=SIGNAL, draws=2, replicas=3)
    (drawn,), _ = forefold.fill_files(**{**asked, "requests": [more], "select": None})
    direct = ResponseMatrix.from_events(
        forefold.read(gst_file), CARD, true=AXES, signal=SIGNAL, rng=1, draws=2, replicas=3
    )
    assert drawn["nominal"] == direct
    with pytest.raises(ValueError, match="draws: of one detector"):
        forefold.fill_files(**{**asked, "requests": [more], "variations": []})
    with pytest.raises(ValueError, match="no quantity 'lepton_momentun'"):
        MatrixRequest.made("lepton_momentun=0:1:2")


def test_the_selection_belongs_to_the_job(asked: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "R.json"
    job: dict[str, Any] = {"out": out, "write": written, "partition": 80}
    with pytest.raises(KeyboardInterrupt):
        forefold.fill_files(**asked, **job, executor=Stopping(2, KeyboardInterrupt()))
    for change, said in (
        ({"select": "n_mu_reco == 1"}, "begun with --select = .*, now it is 'n_mu_reco == 1'"),
        ({"select": None}, "begun with --select = .*, now it is None"),
        (
            {"requests": [MatrixRequest.made(AXES, signal="cc", background=BACKGROUND)]},
            r"begun with what is filled \(0.signal\) = .*, now it is 'cc'",
        ),
        (
            {"requests": [MatrixRequest.made(AXES, signal=SIGNAL)]},
            r"begun with what is filled \(0.background.one_pi\) = .*, now it is None",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            forefold.fill_files(**{**asked, **change}, **job, resume=True)
    (found,), _ = forefold.fill_files(**asked, **job, resume=True)
    (one,), _ = forefold.fill_files(**asked)
    assert found == one
    facts = json.loads((tmp_path / "R.json.manifest.json").read_text())
    assert facts["recipe"]["select"] == SELECT
    assert facts["requests"][0]["background"] == BACKGROUND
    again, _ = forefold.fill_files(**asked, **job, resume=True)
    assert again == []


def test_histograms_hold_what_is_selected(asked: dict[str, Any], gst_file: Path) -> None:
    events = forefold.read(gst_file)
    asked |= {"requests": ["energy", "angle"], "select": "n_mu_reco == 1"}
    (energy, angle), _ = forefold.fill_files(**asked)
    smeared = forefold.smear(events, CARD, rng=1)
    kept = smeared[forefold.observables(events, smeared, names=["n_mu"]).n_mu_reco.to_numpy() == 1]
    assert 0 < len(kept) < 300
    assert energy == forefold.energy_matrix(kept)
    assert angle == forefold.angle_matrix(kept)
    assert forefold.matrix.provenance(energy)["select"] == "n_mu_reco == 1"
    variations = named_variations(CARD, ["muon_efficiency_down"], 1)
    (both,), _ = forefold.fill_files(**{**asked, "requests": ["energy"], "variations": variations})
    varied = forefold.smear_variations(events, CARD, rng=1, variations=variations)
    for name in varied:
        n_mu = forefold.observables(events, varied[name], names=["n_mu"]).n_mu_reco.to_numpy()
        own = forefold.energy_matrix(varied[name][n_mu == 1])
        assert both[name, :, :] == own
    with pytest.warns(UserWarning, match="no event is selected: select 'n_mu_reco > 9' is true"):
        forefold.fill_files(**{**asked, "requests": ["energy"], "select": "n_mu_reco > 9"})


COMMAND = [
    *("--axis", AXES, "--rng", 1, "--signal", SIGNAL, "--select", SELECT),
    *(word for name, text in BACKGROUND.items() for word in ("--background", f"{name}={text}")),
]


@pytest.fixture
def words(gst_file: Path) -> list[object]:
    return ["matrix", gst_file, "-d", CARD, *COMMAND]


def test_the_command_line_writes_the_same(
    run: Run, words: list[object], gst_file: Path, tmp_path: Path
) -> None:
    one, two, picture = (tmp_path / name for name in ("one.json", "two.json", "two.png"))
    done = run(*words, "-o", one)
    assert done.code == 0, done.err
    assert f"selected: {SELECT}" in done.err
    assert "(purity)" in done.err
    job = ("--workers", 1, "--partition", 80, "--plot", picture)
    done = run(*words, *job, "-o", two)
    assert done.code == 0, done.err
    assert digest(one) == digest(two)
    assert picture.read_bytes().startswith(b"\x89PNG")
    events = forefold.read(gst_file)
    found = read_set(one.read_text())["nominal"]
    same(found, counted(events, forefold.smear(events, CARD, rng=1)))
    assert run(*words, *job[:4], "-o", two, "--resume").code == 0
    wide = tmp_path / "wide.parquet"
    forefold.smear_files(gst_file, CARD, wide, rng=1, observables=True)
    done = run(
        "matrix", wide, *[w for w in COMMAND if w not in ("--rng", 1)], "-o", two, "--overwrite"
    )
    assert done.code == 0, done.err
    again = read_set(two.read_text())["nominal"]
    assert (again.counts, again.truth) == (found.counts, found.truth)
    assert again.backgrounds == found.backgrounds


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--select", "n_mu == 1"], "'n_mu' is n_mu_reco or n_mu_true in a selection of smeared"),
        (["--select", "topology_reco == 0pi"], "a label stands in quotes: '0pi'"),
        (
            ["--select", "topology_reco == '0p'"],
            "unknown label '0p' of topology_reco (did you mean",
        ),
        (["--select", "cc"], "nothing in it is reconstructed (NAME_reco)"),
        (["--background", "nc"], "NAME=CONDITION is expected, such as 'nc=nc', found 'nc'"),
        (["--background", "nc==1"], "NAME=CONDITION is expected"),
        (["--background", "signal=nc"], "background 'signal': this name is taken"),
        (["--background", "nc=ncc"], "unknown name 'ncc' (did you mean 'nc' or 'cc'"),
        (["--background", "n=nc", "--background", "n=cc"], "--background: 'n' is given twice"),
        (["--signal", "n_mu_reco == 1"], "is reconstructed, this is a condition on true events"),
        (["--where", "n_mu_reco == 1"], "is reconstructed, this is a condition on true events"),
        (["--workers", 2, "--draws", 2, "--variations", "all"], "--draws: not with --variations"),
        (["--workers", 2, "-o", "-"], "parts lie beside the output"),
        (["--workers", 2, "-o", "R.root"], "R.root: written as .json"),
        (["--select", "vertex_x_reco > 0"], "'vertex_x_reco': their card has no [vertex]"),
    ],
)
def test_refusals_are_one_line(
    run: Run, gst_file: Path, tmp_path: Path, more: list[object], said: str
) -> None:
    command = ["matrix", gst_file, "-d", CARD, "--axis", AXES, "--rng", 1, "-q"]
    refused(run(*command, "-o", tmp_path / "R.json", *more), said)
    assert list(tmp_path.iterdir()) == []


def test_options_that_mean_nothing_are_refused(run: Run, gst_file: Path, tmp_path: Path) -> None:
    plain = ["matrix", gst_file, "-d", CARD, "--rng", 1, "-q", "-o", tmp_path / "m.json"]
    refused(run(*plain, "--background", "nc=nc"), "--background: not without --axis")
    assert run(*plain, "--select", "n_mu_reco == 1").code == 0
    picture = ["plot", "energy", gst_file, "-d", CARD, "--rng", 1, "-q", "-o", tmp_path / "e.png"]
    assert run(*picture, "--select", "n_mu_reco == 1").code == 0
    curve = ["plot", "log-normal", "-o", tmp_path / "l.png", "--select", "n_mu_reco == 1"]
    refused(run(*curve), "is made without events: leave --select out")
