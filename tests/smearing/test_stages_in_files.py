"""Particles that stages make are in every format, and come back."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import pyhepmc
import pytest

import forefold
from forefold.workflows.stream import smear_files

CARD = """
schema = 1
name = "with-stages"
title = "Photons of neutral pions, and tracks that look alike: no detector"
extends = "nusmear-dune-cdr"

[sources]
mine = "for the tests"

[[stage]]
kind = "pi0-decay"
source = "mine"

[[stage]]
kind = "shower-merging"
angle_deg = 10.0
source = "mine"

[[stage]]
kind = "range-confusion"
source = "mine"
"""


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "stages.toml"
    path.write_text(CARD, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".root", ".h5", ".hepmc3"])
def test_round_trip(suffix: str, card: Path, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{suffix}"
    smear_files(gst_file, card, out, rng=3)
    back = forefold.read_smeared(out)
    whole = forefold.smear(forefold.read(gst_file), card, rng=3)
    assert ak.any(ak.num(whole.particles) > ak.num(forefold.read(gst_file).particles))
    for name in ("pdgid", "parent", "pdgid_reco", "fate", "energy_reco", "theta_reco"):
        assert ak.array_equal(back.particles[name], whole.particles[name], dtype_exact=False), name


def test_photons_come_from_their_pion(card: Path, gst_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.hepmc3"
    smear_files(gst_file, card, out, rng=3)
    pions = 0
    with pyhepmc.open(str(out)) as file:
        for event in file:
            for vertex in event.vertices:
                if vertex.status != 201 or vertex.particles_in[0].pid != 111:
                    continue
                pions += 1
                assert {particle.pid for particle in vertex.particles_out} <= {22}
                assert 1 <= len(vertex.particles_out) <= 2
    assert pions > 0
