"""The report of a full chain: its numbers, what it says of them, and the page."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from cli_runs import CARD, Run, refused
from matplotlib.figure import Figure
from pages import Page

import forefold
from forefold.cli import main
from forefold.matrix import to_json
from forefold.matrix.compare import Compatibility, compatibility
from forefold.workflows.job import Recipe
from forefold.workflows.pipeline import Chain, How, run_chain
from forefold.workflows.report.page_tables import spectrum_table
from forefold.workflows.report.warnings import doubts

AXIS = "visible_energy=0:6:4"
FEW = How("bayes", 3, toys=20)
NAME = "a & b <i>.gst.root"
# one type of particle: few panels are drawn
BOX = """
schema = 1
name = "box"
title = "A <b>box</b>"
sources = { nusmear = "arXiv:2209.05260", lab = "a \\"test\\" <i>" }
[[rule]]
name = "other"
type = "all"
particles = ["other"]
source = "lab"
energy = { of = "kinetic", distribution = "log-normal", constant = 0.2 }
angle = { convention = "none", distribution = "none" }
"""


def recipe(card: str = "nusmear-default", rng: int = 1) -> Recipe:
    return Recipe(forefold.load_card(card), rng)


@pytest.fixture(scope="module")
def chain(gst_file: Path) -> Chain:
    return run_chain(gst_file, recipe(), true=AXIS, reco=AXIS, how=FEW)


@pytest.fixture(scope="module")
def text(gst_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("chain")
    shutil.copy(gst_file, folder / NAME)
    (folder / "box.toml").write_text(BOX)
    arguments = ["--axis", AXIS, "--method", "bayes", "--iterations", "3", "--toys", "20", "-q"]
    inputs = [str(folder / NAME), "-d", str(folder / "box.toml"), "--rng", "1"]
    other, out = ["--data", str(forefold.sample())], folder / "report.html"
    with pytest.MonkeyPatch.context() as patch:  # the card's own picture has its own tests
        patch.setattr("forefold.plotting.card_figure", lambda *_, **__: Figure((2.0, 1.0)))
        assert main(["report", *inputs, *arguments, *other, "-o", str(out)]) == 0
    return out.read_text("utf-8")


def test_the_page_is_whole_and_stands_alone(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "iframe", "i", "b"} & set(page.tags)
    assert len(text) < 3_000_000
    assert "url(" not in text
    assert "@import" not in text
    outside = [link for link in page.links if not link.startswith("#")]
    assert all(re.match(r"https://(arxiv\.org/abs|doi\.org)/", link) for link in outside)
    assert [link[1:] for link in page.links if link.startswith("#")] == page.ids
    assert len(page.ids) == 13
    assert len(page.images) == 8
    for image in page.images:
        assert image["alt"]
        data = (image["src"] or "").removeprefix("data:image/png;base64,")
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")


def test_the_page_has_the_numbers_of_the_library(text: str, gst_file: Path, tmp_path: Path) -> None:
    said = Page(text).text
    card = tmp_path / "box.toml"
    card.write_text(BOX)
    files = (gst_file, forefold.sample())
    mine, other = (
        forefold.ResponseMatrix.from_events(forefold.read(f), card, true=AXIS, rng=1) for f in files
    )
    test = compatibility(mine, other)
    result = forefold.unfold(other.reco, mine, method="bayes", iterations=3, rng=1)
    for words in (
        NAME,
        f"condition number {mine.condition_number:.4g}, rank 4 of 4",
        f"chi2/ndf = {test.total:.1f}/{int(test.ndf.sum())}, p = {test.p_value:.3g}",
        f"refolded, chi2/ndf = {result.chi2:.3g}/{result.ndf:.3g}",
        f"{result.values[0]:.4g} {result.errors[0]:.4g}",
        "Unfolded Iterative Bayes (D'Agostini), Richardson-Lucy; iterations 3, given; prior",
        *(hashlib.sha256(f.read_bytes()).hexdigest() for f in files),
        "A <b>box</b>",
        'a "test" <i>',
        "rng 1",
        forefold.__version__,
        "--iterations 3 --toys 20",
        "D'Agostini, G.",
        "Vohra, I.",
        "Andreopoulos, C. et al.",
    ):
        assert words in said, words
    assert said.index("What to distrust") < said.index("In short") < said.index("Final-state")
    assert "@article{dagostini1995," in said


def test_a_pass_over_events_gives_what_each_step_gives(chain: Chain, gst_file: Path) -> None:
    events = forefold.read(gst_file)
    smeared = forefold.smear(events, "nusmear-default", rng=1)
    sample = chain.sample
    direct = forefold.ResponseMatrix.from_events((events, smeared), true=AXIS, rng=1)
    assert sample.matrix.matrix.tolist() == direct.matrix.tolist()
    assert sample.matrix.fakes == direct.fakes
    assert str(sample.summary) == str(forefold.matrix.summary(smeared, "nusmear-default"))
    assert sample.inspection == replace(forefold.io.inspect(gst_file), path=str(gst_file))
    pieces = run_chain(gst_file, recipe(), true=AXIS, reco=AXIS, how=FEW, chunk=97)
    assert pieces.sample.matrix == sample.matrix
    assert pieces.data == chain.data
    assert np.array_equal(pieces.sample.resolution.values(), sample.resolution.values())


def test_halves_of_bins_are_compared(chain: Chain, gst_file: Path) -> None:
    (name,) = chain.sample.inside
    assert name == "visible_energy_true"
    assert chain.sample.inside[name].shift.shape == (4,)
    both = run_chain(
        gst_file,
        recipe(),
        true=["enu=0.5:8:3:log", "q2=0,1,6"],
        reco=AXIS,
        how=replace(FEW, toys=0),
    )
    assert set(both.sample.inside) == {"enu_true", "q2_true"}
    enu, q2 = both.sample.matrix.true_axes
    assert np.asarray(enu.edges) == pytest.approx(np.geomspace(0.5, 8, 4))
    assert list(q2.edges) == [0.0, 1.0, 6.0]
    assert both.closure is None


def test_without_data_a_toy_is_thrown(chain: Chain, gst_file: Path) -> None:
    assert chain.kind == "toy"
    counts = np.asarray(chain.data.values())
    assert np.array_equal(counts, np.round(counts))
    # a false alarm in 1 of 10^5
    assert (
        abs(counts.sum() - chain.prediction.values.sum())
        < 4.5 * chain.prediction.values.sum() ** 0.5
    )
    other = run_chain(gst_file, recipe(rng=2), true=AXIS, reco=AXIS, how=FEW)
    assert not np.array_equal(counts, other.data.values())
    assert chain.closure is not None
    assert list(chain.closure.studies) == ["bayes", "bayes, flat prior"]
    assert chain.scan is not None
    assert chain.scan.rule == "chi2-change"


def test_a_toy_of_weighted_events_is_of_effective_ones(achilles_hepmc_file: Path) -> None:
    found = run_chain(achilles_hepmc_file, recipe(), true="enu=0:4:1", reco=AXIS, how=FEW)
    truth = found.sample.matrix.truth
    total, square = float(np.sum(truth.values())), float(np.sum(np.asarray(truth.variances())))
    entries = total**2 / square
    assert found.scale * total == pytest.approx(entries)
    assert 0 < np.sum(found.data.values()) < 3 * entries


def test_a_spectrum_is_unfolded(chain: Chain, gst_file: Path) -> None:
    reco: Any = hist.Hist(*chain.sample.matrix.reco_axes)
    reco[...] = 2.0 * np.asarray(chain.sample.matrix.reco.values())
    found = run_chain(gst_file, recipe(), true=AXIS, reco=AXIS, data=reco, how=FEW)
    assert found.kind == "spectrum"
    assert found.scale == pytest.approx(2.0)
    assert found.unfolded is not None
    twice = 2.0 * np.asarray(chain.sample.matrix.truth.values())
    assert found.unfolded.values == pytest.approx(twice, rel=1e-6)
    # twice the events have smaller errors: more bins lean on a flat prior by more than half of one
    said, before = ([s for s in doubts(c) if "flat prior" not in s] for c in (found, chain))
    assert said == before


def test_what_cannot_be_unfolded_is_said_first(gst_file: Path) -> None:
    how = How("inversion", None, toys=20)
    found = run_chain(gst_file, recipe(), true="visible_energy=0:6:8", reco=AXIS, how=how)
    assert found.unfolded is None
    assert doubts(found)[0].startswith("Not done: unfolding: inversion cannot find 8 true bins")
    assert found.sample.matrix.matrix.shape == (8, 4)


def test_empty_bins_are_left_out_and_doubted(gst_file: Path) -> None:
    found = run_chain(gst_file, recipe(), true="visible_energy=0:30:5", reco=AXIS, how=FEW)
    assert found.unfolded is not None
    assert found.unfolded.blind
    assert found.closure is not None
    assert len(found.closure.truth) == 5 - len(found.unfolded.blind)
    said = " ".join(doubts(found))
    assert re.search(r"No event is in \d of 5 true bins: nothing is known there\.", said)
    assert "left out of the unfolding" in said
    assert "Fewer than 25 effective entries" in said


def test_matrices_that_differ_are_doubted(chain: Chain) -> None:
    rows = Compatibility(
        np.array([40.0, 1.0, 1.0, 0.0]), np.array([3, 3, 3, 0]), ("a", "b", "c", "d")
    )
    said = doubts(replace(chain, compatible=rows, skipped=3))
    assert said[0].startswith("3 events could not be read")
    assert said[1].startswith("Only 3 of 4 rows")
    assert "differ (p = 3.3e-06)" in said[2]
    alike = Compatibility(np.ones(4), np.full(4, 3), ("a", "b", "c", "d"))
    assert doubts(replace(chain, compatible=alike)) == doubts(chain)


def test_the_same_events_are_no_other_generator(gst_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.gst.root"
    shutil.copy(gst_file, again)
    with pytest.raises(ValueError, match=r"again\.gst\.root: the same events"):
        run_chain(gst_file, recipe(), true=AXIS, reco=AXIS, other=again)
    with pytest.raises(ValueError, match="data and other: give one"):
        run_chain(
            gst_file,
            recipe(),
            true=AXIS,
            reco=AXIS,
            other=again,
            data=hist.Hist.new.Reg(2, 0, 1).Double(),
        )


def test_bad_input_is_one_line_and_leaves_nothing(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out, data = tmp_path / "r.html", tmp_path / "d.json"
    wrong: Any = hist.Hist(hist.axis.Regular(5, 0, 6, name="visible_energy_reco"))
    data.write_text(to_json(wrong))
    call = ("report", gst_file, *CARD, "--rng", 1, "-o", out)
    axis = ("--axis", AXIS)
    refused(run(*call), "no true axis")
    refused(run(*call, *axis, "--iterations", 4), "name the --method")
    refused(run(*call, *axis, "--method", "bayes"), "bayes needs iterations")
    refused(run(*call, *axis, "--method", "tikhonov", "--iterations", 4), "tikhonov needs strength")
    refused(run(*call, *axis, "--toys", 1), "--toys")
    refused(run(*call, *axis, "--data", data), "bins")
    refused(run(*call, *axis, "--data", tmp_path / "no.json"), "no.json")
    refused(run(*call, *axis, "--data", tmp_path / "no.root"), "no.root")
    refused(run(*call, *axis, "--where", "enu > 1000"), "keeps none of 300 events")
    refused(run(*call[:-1], tmp_path / "r.pdf", *axis), "written as .html")
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]
    out.write_text("mine")
    refused(run(*call, *axis), "exists already")
    assert out.read_text() == "mine"


def test_events_that_cannot_be_read_are_told(
    run: Run, genie_hepmc_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    bad, out = tmp_path / "bad.hepmc3", tmp_path / "r.html"
    content = gzip.decompress(genie_hepmc_file.read_bytes())
    bad.write_bytes(content.replace(b"\nE 7 ", b"\nE 7x ", 1))
    monkeypatch.setattr("forefold.workflows.report.page.chain_html", lambda _, command: command)
    call = ("report", bad, *CARD, "--rng", 1, "--axis", AXIS, "--toys", 0, "-o", out)
    refused(run(*call), "entry 7: malformed event line")
    assert not out.exists()
    done = run(*call, "--skip-damaged", "--cite")
    assert done.code == 0
    assert "1 event could not be read" in done.err
    assert out.read_text().startswith(f"forefold report {bad}")
    assert "@misc{nuhepmc" not in done.out
    assert "@article{dagostini1995," in done.out


def test_a_closure_from_a_flat_prior_is_doubted(chain: Chain) -> None:
    closure = chain.closure
    assert closure is not None
    name = "bayes, flat prior"
    study = closure.studies[name]
    still = replace(study, bias=0.0 * study.bias, smeared_coverage=np.full(4, 0.68))
    away = replace(
        still, bias=1.3 * study.error, bias_error=0.01 * study.error, coverage=np.full(4, 0.36)
    )

    def said(flat: Any) -> str:
        studies = {"bayes": still, name: flat}
        return " ".join(doubts(replace(chain, closure=replace(closure, studies=studies))))

    assert "Closure" not in said(still)
    assert "Closure from a flat prior: in 4 of 4 true bins the bias is more than half" in said(away)
    assert (
        "36 % of the toys in visible_energy_true 0 to 1.5): the result leans on its prior."
        in said(away)
    )


def test_pulls_of_a_toy_are_in_errors_of_its_data(chain: Chain) -> None:
    result = chain.unfolded
    assert result is not None
    assert chain.kind == "toy"
    model = chain.scale * np.asarray(chain.sample.matrix.truth.values())
    away = result.values - result.smear(model)
    of_data = away / np.sqrt(np.diag(result.covariances["data"]))
    table = spectrum_table(chain, model)
    assert "in errors of the data alone" in table
    first = f"{of_data[0]:.4g}".replace("-", "\N{MINUS SIGN}")
    assert first in table
    assert f"{away[0] / result.errors[0]:.4g}".replace("-", "\N{MINUS SIGN}") not in table
    other = spectrum_table(replace(chain, kind="spectrum"), model)
    assert "A_C truth, in errors.<" in other
    assert first not in other


def test_a_page_of_a_selection(run: Run, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    words = ["--select", "n_mu_reco == 1", "--signal", "cc and topology == '0pi'"]
    done = run(
        "report", gst_file, *CARD, "--rng", 1, "--axis", AXIS, *words, "--background", "pions=cc",
        "--toys", 20, "-o", out,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "are fakes or backgrounds (pions): they are subtracted" in done.err
    page = out.read_text()
    assert "Selected is, of what is reconstructed: n_mu_reco == 1. Other events are missed." in page
    matrix = forefold.ResponseMatrix.from_events(
        forefold.read(gst_file), CARD[1], true=AXIS, signal=words[3], select=words[1],
        background={"pions": "cc"}, rng=1,
    )  # fmt: skip
    pions = np.sum(matrix.backgrounds["pions"].values())
    assert re.search(rf"pions</t[hd]>\s*<td[^>]*>{pions:.6g}<", page)
    assert "(efficiency)" in page
    for text in (words[1], "background pions"):
        assert text in page[page.index('id="provenance"') :]
