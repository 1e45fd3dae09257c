"""The flux-averaged total cross-section: found where an input says it, passed on, never made up."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

import forefold
from forefold import io
from forefold.io import cross_sections as crosssections
from forefold.io.cross_sections import CrossSection, passed_on
from forefold.io.provenance import UNKNOWN, tools_of, tools_of_inputs
from forefold.io.registry import choose

TOTAL = "NuHepMC.FluxAveragedTotalCrossSection"


def said(path: Path | str) -> CrossSection | None:
    return choose(str(path)).describe(str(path)).cross_section


def listing(*attributes: str, estimates: tuple[str, ...] = (), names: str = "CV") -> str:
    """A NuHepMC file of events without particles."""
    run = "".join(f"A {text}\n" for text in attributes)
    weights = " ".join(["1"] * len(names.split("\\|")))
    events = "".join(
        f"E {i} 0 0\nU GEV MM\nW {weights}\n" + (f"A 0 GenCrossSection {text}\n" if text else "")
        for i, text in enumerate(estimates)
    )
    top = "HepMC::Version 3.03.01\nHepMC::Asciiv3-START_EVENT_LISTING\n"
    return f"{top}W {names}\n{run}{events}HepMC::Asciiv3-END_EVENT_LISTING\n"


VERSION = ("NuHepMC.Version.Major 1", "NuHepMC.Version.Minor 0", "NuHepMC.Version.Patch 0")
UNITS = ("NuHepMC.Units.CrossSection.Unit pb", "NuHepMC.Units.CrossSection.TargetScale PerAtom")
RUNNING = (*VERSION, *UNITS, "NuHepMC.Conventions E.C.1 E.C.4")
ONE = ("1e0 5e-1 1 1",)


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_last_estimate_is_the_harmonic_mean_of_genie(genie_hepmc_file: Path) -> None:
    """The totals of GENIE's events and its running estimate: appendix of arXiv:2310.13211."""
    text = gzip.decompress(genie_hepmc_file.read_bytes()).decode()
    totals = [float(line.split()[3]) for line in text.split("\n") if line.startswith("A 0 TotXS")]
    found = said(genie_hepmc_file)
    assert found is not None
    # nine digits are in the file
    assert found.value == pytest.approx(len(totals) / sum(1 / x for x in totals), rel=1e-8)
    assert (found.unit, found.target_scale) == ("pb", "PerAtom")
    assert "1.18457 +- 0.0487482 pb PerAtom" in str(io.inspect(genie_hepmc_file))


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 21])
def test_last_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(crosssections, "_BLOCK", block)
    path = put(tmp_path / "f", listing(*RUNNING, estimates=("1e0 1e0 1 1", "2e0 5e-1 2 2", "")))
    assert said(path) == CrossSection(
        2.0, "pb", "PerAtom", "the estimate of its last event (E.C.4)", 0.5
    )


def test_last_estimate_of_the_weight_cv(tmp_path: Path) -> None:
    text = listing(*RUNNING, estimates=("1e0 1e-1 1 1 2e0 2e-1 3e0 3e-1",), names="a\\|b\\|CV")
    found = said(put(tmp_path / "f", text))
    assert found is not None
    assert (found.value, found.uncertainty) == (3.0, 0.3)
    text = listing(*RUNNING, estimates=ONE, names="a\\|CV")
    assert said(put(tmp_path / "g", text)) is None
    found = said(put(tmp_path / "h", listing(*RUNNING, estimates=ONE, names="a\\|b")))
    assert found is not None
    assert found.value == 1.0


def test_run_says_it(tmp_path: Path) -> None:
    """The number is the file's, and counts before estimates; the scale has its name of 1.0.0."""
    attributes = [*RUNNING, f"{TOTAL} 0.0463227184476711", f"{TOTAL}Uncertainty 1e-3"]
    old = [text.replace("PerAtom", "PerTargetNucleon") for text in attributes]
    found = said(put(tmp_path / "f", listing(*old, estimates=ONE)))
    said_by = "as the run says (G.C.2)"
    assert found == CrossSection(0.0463227184476711, "pb", "PerNucleon", said_by, 1e-3)


@pytest.mark.parametrize(
    "attributes",
    [
        (*VERSION, "NuHepMC.Conventions E.C.4"),  # of what unit?
        (*VERSION, *UNITS, "NuHepMC.Conventions E.C.1"),  # what HepMC's cross-section is, is open
        (*RUNNING, f"{TOTAL} nan"),
        (*RUNNING, f"{TOTAL} -1"),
        (*RUNNING, f"{TOTAL} much"),
        (*UNITS, "NuHepMC.Conventions E.C.4", "NuHepMC.Version.Major 0", "NuHepMC.Version.Minor 1"),
        UNITS,
    ],
)
def test_not_said(tmp_path: Path, attributes: tuple[str, ...]) -> None:
    estimates = ("0e0 0e0 0 0",) if "NuHepMC.Conventions E.C.1 E.C.4" in attributes else ONE
    path = put(tmp_path / "f", listing(*attributes, estimates=estimates))
    assert said(path) is None
    assert "flux-averaged cross section" not in choose(str(path)).describe(str(path)).details


@pytest.mark.parametrize("name", ["gst.root", "ghep.root", "gtrac.root"])
def test_genie_does_not_say_it(data: Path, name: str) -> None:
    """`xsec` of an event is that of the interaction that was selected."""
    assert said(data / f"genie_numu_Ar40_300.{name}") is None


@pytest.mark.parametrize("kind", [".parquet", ".root", ".h5", ".csv", ".hepmc3.gz"])
def test_outlives_conversions(genie_hepmc_file: Path, tmp_path: Path, kind: str) -> None:
    between, out = tmp_path / f"a{kind}", tmp_path / "b.hepmc3"
    forefold.convert(genie_hepmc_file, between, entries="0:5")
    forefold.convert(between, out)
    first, last = said(genie_hepmc_file), said(out)
    assert first is not None
    assert last is not None
    assert (last.value, last.uncertainty) == (first.value, first.uncertainty)
    header = choose(str(out)).describe(str(out))
    assert header.generator == ("GENIE 3.06.02", f"forefold {forefold.__version__}")


def test_a_selection_has_another(genie_hepmc_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.hepmc3"
    forefold.convert(genie_hepmc_file, out, where="cc")
    assert said(out) is None
    assert b"A forefold.cross_section unknown: these are not all events" in out.read_bytes()
    forefold.convert(genie_hepmc_file, tmp_path / "a.parquet", where="cc")
    assert said(tmp_path / "a.parquet") is None


def test_passed_on() -> None:
    one = CrossSection(1.0, "pb", "PerAtom", "somebody").to_dict()
    assert passed_on({"inputs": [{"cross_section": one}] * 2})[0] == CrossSection.of(one)
    other = one | {"value": 2.0}
    found = passed_on({"inputs": [{"cross_section": one}, {"cross_section": other}]})
    assert found == (None, "unknown: the inputs say different ones")
    unknown = (None, "unknown: the input does not say it")
    assert passed_on({"inputs": [{"cross_section": one}, {}]}) == unknown
    odd: list[dict[str, Any]] = [{}, {"inputs": []}, {"inputs": 3}, {"inputs": [3]}]
    for facts in odd:
        assert passed_on(facts) == unknown


@pytest.mark.parametrize(
    "change",
    [{"value": "much"}, {"value": None}, {"value": float("inf")}, {"unit": 3}, {"unit": ""}],
)
def test_what_is_none(change: dict[str, Any]) -> None:
    facts = CrossSection(1.0, "pb", "PerAtom", "somebody").to_dict()
    assert CrossSection.of(facts) is not None
    assert CrossSection.of(facts | change) is None


def test_a_file_that_says_nothing_is_read_all_the_same(
    gst_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def describe(self: object, path: str) -> io.Header:
        raise RuntimeError(self, path)

    monkeypatch.setattr("forefold.io.readers.gst.GstReader.describe", describe)
    assert forefold.convert(gst_file, tmp_path / "out.hepmc3", entries="0:2") == 2
    assert said(tmp_path / "out.hepmc3") is None


def test_tools() -> None:
    assert tools_of(io.Header("a format", ("a name of many words",))) == [
        ("unknown", UNKNOWN, "a name of many words")
    ]
    assert tools_of(io.Header("a format", tools=(("", "", "text"),))) == [
        ("unknown", UNKNOWN, "text")
    ]
    odd: list[dict[str, Any]] = [{"tools": 3}, {"tools": [["GENIE"], ["a", 1, ""]]}, {}]
    assert tools_of_inputs({"inputs": [*odd, 3]}) == []
    same = {"tools": [["GENIE", "3", ""]]}
    assert tools_of_inputs({"inputs": [same, same]}) == [("GENIE", "3", "")]
