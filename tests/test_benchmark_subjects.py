"""What the benchmarks time is what they say; nothing is timed here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import forefold
from benchmarks import files
from benchmarks.correction import WIDTH, correction
from benchmarks.kernel import MISSING, thread_setting
from benchmarks.particles import Blocks, beam, formula_card
from benchmarks.samples import BRANCHES, PACKAGED, repeated
from forefold.detector.compile import compile_card
from forefold.kernels.threads import thread_count
from forefold.smearing.engine import smear_particles

N = 1000


def test_the_kernel_that_is_timed_gives_the_bits_of_a_card() -> None:
    given = beam(N)
    whole = smear_particles(given.truth, given.pdgid, np.zeros(N, np.uint16), given.compiled).out
    blocks = Blocks(given)
    for run in (blocks.one_thread, blocks.threads, blocks.wholes, blocks.one_thread):
        run()
        for name, column in blocks.out._asdict().items():
            np.testing.assert_array_equal(column, getattr(whole, name), err_msg=name)
    assert blocks.bytes_written == 9 * 8 + 2 + 2 + 1


def test_the_card_of_formulas_means_the_preset() -> None:
    given = beam(N)
    nothing = np.zeros(N, np.uint16)
    preset = smear_particles(given.truth, given.pdgid, nothing, given.compiled).out
    formula = smear_particles(given.truth, given.pdgid, nothing, compile_card(formula_card())).out
    np.testing.assert_array_equal(formula.fate, preset.fate)
    np.testing.assert_allclose(formula.energy_reco, preset.energy_reco, rtol=1e-12)


def test_correctionlib_draws_the_log_normal() -> None:
    pytest.importorskip("correctionlib", reason=MISSING)
    truth = beam(100_000).truth
    factor = np.asarray(correction(truth)()) / truth.energy
    # its mean is 1 with an uncertainty of WIDTH / sqrt(n): 5 of them by chance once in 1.7 million tries
    assert abs(factor.mean() - 1.0) < 5.0 * WIDTH / np.sqrt(factor.size)
    assert abs(factor.std() / WIDTH - 1.0) < 0.02


def test_threads_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREFOLD_NUM_THREADS", "3")
    with thread_setting(2):
        assert thread_count() == 2
    assert thread_count() == 3


def test_a_repeated_file_is_the_packaged_one_over_and_over(tmp_path: Path) -> None:
    path = tmp_path / "twice.gst.root"
    events, particles = repeated(path, 2)
    assert events == 2 * PACKAGED
    once, twice = forefold.read(forefold.sample()), forefold.read(path)
    assert len(BRANCHES) == len(set(BRANCHES))
    for half in (twice[:PACKAGED], twice[PACKAGED:]):
        assert half.particles.px.to_list() == once.particles.px.to_list()
        assert half.process_id.to_list() == once.process_id.to_list()
    assert particles == int(np.sum([len(p) for p in twice.particles]))


def test_every_stage_of_a_file_has_its_clock() -> None:
    found = files.files(PACKAGED, 1, warm=False)
    shares = [found[f"share_{stage}"] for stage in (*files.STAGES, "other")]
    assert all(share > 0.0 for share in shares)
    assert abs(sum(shares) - 1.0) < 1e-9
    assert found["file_events"] == PACKAGED
