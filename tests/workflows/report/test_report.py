"""The report: one file that stands alone, says what is in it, and trusts no text."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from pages import Page

import forefold
from forefold.detector.load import load_card
from forefold.workflows import report
from forefold.workflows.report import Section, report_html, write_report

if TYPE_CHECKING:
    from pathlib import Path

    import awkward as ak

CARDS = ("nusmear-dune-cdr", "nusmear-default")


@pytest.fixture(scope="module")
def events(gst_file: Path) -> ak.Array:
    return forefold.read(gst_file)


@pytest.fixture(scope="module")
def sections(events: ak.Array) -> list[Section]:
    made = []
    for name in CARDS:
        section = Section(load_card(name))
        smeared = forefold.smear(events, section.card, rng=1)
        for start in range(0, 300, 128):
            section.add(smeared[start : start + 128])
        made.append(section)
    return made


@pytest.fixture(scope="module")
def text(sections: list[Section]) -> str:
    return report_html(
        sections, sample="GENIE on argon", inputs=["a.gst.root"], notes={"tune": "G18"}
    )


def test_a_section_collects_pieces(sections: list[Section], events: ak.Array) -> None:
    section = sections[0]
    whole = Section(section.card)
    whole.add(forefold.smear(events, section.card, rng=1))
    assert section.energy == whole.energy
    assert section.energy_by_type == whole.energy_by_type
    assert section.angle_by_type == whole.angle_by_type
    assert section.resolution == whole.resolution
    assert str(section.summary) == str(whole.summary)


def test_a_section_takes_selection_and_binning(
    events: ak.Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "forefold.workflows.report.demo_page._figure", lambda *_: ""
    )  # words are looked at
    card = load_card(CARDS[0])
    section = Section(card, cc_only=True, bins=10, energy_range=(0.0, 5.0))
    section.add(forefold.smear(events, card, rng=1))
    assert section.energy.shape == (10, 10)
    assert section.energy.axes[0].edges[-1] == 5.0
    assert 0 < section.summary.events < 300
    assert "charged-current events" in Page(report_html([section])).text


def test_the_page_is_whole_and_stands_alone(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert text.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "iframe"} & set(page.tags)
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside == ["https://arxiv.org/abs/2209.05260"]
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert "url(" not in text
    assert "@import" not in text


def test_every_figure_is_inside_with_words_for_it(text: str) -> None:
    images = Page(text).images
    assert len(images) == 1 + 3 * len(CARDS) + 2
    for image in images:
        assert image["alt"]
        kind, data = (image["src"] or "").split(";base64,")
        content = base64.b64decode(data, validate=True)
        start = {"data:image/png": b"\x89PNG", "data:image/svg+xml": b"<?xml"}[kind]
        assert content.startswith(start)


def test_the_page_says_what_became_of_the_particles(text: str, sections: list[Section]) -> None:
    said = Page(text).text
    assert "300 events with" in said
    for section in sections:
        for row in section.summary:
            assert f" {row.particles:,} ".replace(",", " ") in said.replace(
                "\N{NO-BREAK SPACE}", " "
            )
        assert section.card.title in said
    for words in (
        "below threshold",
        "missed",
        "68 % half-width",
        "2 % ⊕ 15 %/√E",
        "|p| < 0.4 GeV",
    ):
        assert words in said


def test_the_page_says_where_it_comes_from(text: str, sections: list[Section]) -> None:
    said = Page(text).text
    for section in sections:
        from forefold.detector.load import fingerprint

        assert fingerprint(section.card)[1] in said
    for words in ("a.gst.root", "tune G18", "rng 1", forefold.__version__, "arXiv:2209.05260"):
        assert words in said


def test_every_fate_is_explained(text: str) -> None:
    said = Page(text).text
    for fate in forefold.Fate:
        assert str(fate.name).lower().replace("_", " ") in said


def test_the_same_content_gives_the_same_bytes(text: str, sections: list[Section]) -> None:
    again = report_html(
        sections, sample="GENIE on argon", inputs=["a.gst.root"], notes={"tune": "G18"}
    )
    assert again == text


def test_no_text_is_trusted(sections: list[Section]) -> None:
    evil = "<script>alert('x')</script> & \"quotes\""
    section = Section(sections[0].card.model_copy(update={"title": evil, "description": evil}))
    section.__dict__["_matrices"] = sections[0].__dict__["_matrices"]
    text = report_html([section], title=evil, sample=evil, inputs=[evil], notes={evil: evil})
    page = Page(text)
    assert "script" not in page.tags
    assert page.text.count("alert('x')") >= 6


def test_write_report_is_careful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "forefold.workflows.report.demo_page.report_html", lambda _, title, **_rest: f"{title} ν"
    )
    path = tmp_path / "report.html"
    write_report(path, [], title="mine")
    assert path.read_text(encoding="utf-8") == "mine ν"
    with pytest.raises(FileExistsError):
        write_report(path, [], title="other")
    assert path.read_text(encoding="utf-8") == "mine ν"
    write_report(path, [], title="other", overwrite=True)
    assert path.read_text(encoding="utf-8") == "other ν"
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "missing" / "report.html", [])
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_report_needs_sections_with_events(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one section"):
        write_report(tmp_path / "report.html", [])
    with pytest.raises(ValueError, match="'nusmear-default': no events were added"):
        write_report(tmp_path / "report.html", [Section(load_card("nusmear-default"))])
    assert list(tmp_path.iterdir()) == []
    assert dir(report) == report.__all__
