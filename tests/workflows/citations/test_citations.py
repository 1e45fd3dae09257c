"""Citations: every paper that is named has an entry, BibTeX parses, and what was used is said, no more."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pytest
from cli_runs import CARD, Run, refused

import forefold
from forefold.matrix.formats import FORMATS as BORDERS
from forefold.unfolding.methods import METHODS as UNFOLDING
from forefold.unfolding.stopping import STOPS
from forefold.unfolding.strength import RULES as CRITERIA
from forefold.workflows.citations import (
    FORMATS,
    GENERATORS,
    METHODS,
    RULES,
    identifiers,
    keys_of_text,
    library,
)

SOURCE = Path(forefold.__file__).parent


def parsed(text: str) -> dict[str, dict[str, str]]:
    """Read BibTeX as BibTeX does: what is outside of entries is a comment, braces nest."""
    found: dict[str, dict[str, str]] = {}
    at = text.find("@")
    while at >= 0:
        head = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,").match(text, at)
        assert head is not None, text[at : at + 60]
        place, fields = head.end(), {}
        while text[place:].lstrip()[0] != "}":
            name = re.compile(r"\s*(\w+)\s*=\s*\{").match(text, place)
            assert name is not None, text[place : place + 60]
            depth, start = 1, name.end()
            place = start
            while depth:
                depth += {"{": 1, "}": -1}.get(text[place], 0)
                place += 1
            fields[name[1]] = text[start : place - 1]
            place = re.compile(r"\s*,?").match(text, place).end()  # type: ignore[union-attr]
        assert head[2] not in found, head[2]
        found[head[2]] = {"ENTRYTYPE": head[1], **fields}
        at = text.find("@", text.index("}", place))
    return found


def keys(text: str) -> set[str]:
    return set(parsed(text)) - {"forefold"}


def test_the_library_is_what_its_file_says() -> None:
    text = (SOURCE / "workflows" / "citations" / "references.bib").read_text("utf-8")
    entries = parsed(text)
    assert set(entries) == set(library())
    for key, fields in entries.items():
        kind = fields.pop("ENTRYTYPE")
        assert (kind, fields) == (library()[key].kind, dict(library()[key].fields))
        assert {"author", "title", "eprint"} & set(fields)
        assert library()[key].words
    named = [entry.identifier for entry in library().values() if entry.identifier]
    assert len(named) == len(set(named))


def test_every_paper_that_a_card_names_has_an_entry() -> None:
    for name in forefold.cards():
        for text in forefold.load_card(name).sources.values():
            assert keys_of_text(text)[1] == [], name
    assert keys_of_text(forefold.load_card("juno").sources["juno"])[0] == [
        "juno2024ordering",
        "juno2024resolution",
    ]


def test_every_paper_that_the_code_names_has_an_entry() -> None:
    texts = [path for path in SOURCE.rglob("*.py") if path.parent.name != "citations"]
    missing = {str(path): keys_of_text(path.read_text("utf-8"))[1] for path in texts}
    assert {path: names for path, names in missing.items() if names} == {}
    assert sum(bool(identifiers(path.read_text("utf-8"))) for path in texts) > 30


def test_every_method_rule_and_format_is_known() -> None:
    assert set(UNFOLDING) <= set(METHODS)
    assert {*CRITERIA, *STOPS} <= set(RULES)
    assert set(BORDERS) == set(FORMATS)
    for table in (METHODS, RULES, FORMATS, GENERATORS):
        assert {key for some in table.values() for key in some} <= set(library())


@pytest.mark.parametrize("name", forefold.cards())
def test_a_card_gives_its_papers_and_remarks(name: str) -> None:
    text = forefold.cite(name)
    said = {
        key
        for source in forefold.load_card(name).sources.values()
        for key in keys_of_text(source)[0]
    }
    assert said <= keys(text)
    assert ("groom2001" in keys(text)) == (forefold.load_card(name).containment is not None)


def test_what_was_not_used_is_not_cited() -> None:
    assert keys(forefold.cite("bayes")) == {"dagostini1995", "richardson1972", "lucy1974"}
    assert keys(forefold.cite("perfect")) == {"salmon2011", "steele2014"}
    response = [[0.8, 0.2], [0.1, 0.9]]
    data = [400.0, 900.0]
    linear = forefold.unfold(data, response, method="tikhonov", strength="gcv", order=0)
    assert keys(forefold.cite(linear)) == {"hoecker1996", "schmitt2012", "golub1979"}
    bayes = forefold.unfold(data, response, method="bayes", iterations=2)
    assert "adye2011" in keys(forefold.cite(bayes))
    old = forefold.unfold(data, response, method="bayes", iterations=2, errors="dagostini")
    assert "adye2011" not in keys(forefold.cite(old))


def test_files_say_what_they_were_made_of(
    run: Run, gst_file: Path, achilles_hepmc_file: Path, tmp_path: Path
) -> None:
    smeared, matrix = tmp_path / "s.parquet", tmp_path / "R.json"
    done = run("smear", gst_file, *CARD, "--rng", 1, "-o", smeared, "-q", "--cite")
    assert {"genie2010", "vohra2022", "salmon2011"} <= keys(done.out)
    assert keys(forefold.cite(smeared)) == keys(done.out)
    assert keys(forefold.cite(forefold.read_smeared(smeared))) == keys(done.out)
    axis = ("--axis", "visible_energy=0:6:3")
    done = run("matrix", gst_file, *CARD, "--rng", 1, *axis, "-o", matrix, "-q", "--cite")
    assert keys(forefold.cite(matrix)) == keys(done.out) - {"genie2010"}
    assert keys(forefold.cite(achilles_hepmc_file)) == {"achilles2022", "nuhepmc2025", "hepmc2021"}
    assert "InspireHEP Rocco:2018mwt" in forefold.cite(achilles_hepmc_file)
    done = run("export", "globes", matrix, "-o", tmp_path / "R.dat", "-q", "--cite")
    assert keys(done.out) == keys(forefold.cite(matrix, "globes"))


def test_papers_that_events_name_are_cited(genie_hepmc_file: Path, tmp_path: Path) -> None:
    said = forefold.io.inspect(genie_hepmc_file).details["citations"]
    assert said == "DOI 10.1016/j.nima.2009.12.009, DOI 10.1140/epjs/s11734-021-00295-7"
    entries = parsed(forefold.cite(genie_hepmc_file))
    loose = entries["ref-10-1140-epjs-s11734-021-00295-7"]
    assert loose == {"ENTRYTYPE": "misc", "doi": "10.1140/epjs/s11734-021-00295-7"}
    assert "genie2010" in entries
    content = gzip.decompress(genie_hepmc_file.read_bytes())
    path = tmp_path / "named.hepmc3"
    path.write_bytes(
        content.replace(
            b"Generator.DOI 10.1016/", b"Generator.arXiv 1106.1344 9901.00001 10.1016/", 1
        )
    )
    entries = parsed(forefold.cite(path))
    assert entries["ref-9901-00001"]["eprint"] == "9901.00001"
    assert "gibuu2012" in entries


def test_what_comes_through_a_pipe_is_cited_beside_the_output(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = forefold.ResponseMatrix.from_array(
        np.diag([0.5, 0.8]), {"enu": [0, 1, 2]}, {"enu": [0, 1, 2]}
    )
    path = tmp_path / "R.json"
    path.write_text(matrix.to_json())
    seen = forefold.fold(matrix.truth * 100.0, matrix).histogram
    monkeypatch.setattr("sys.stdin", io.StringIO(forefold.matrix.to_json(seen)))
    done = run("unfold", "-", path, "--method", "bayes", "--iterations", 2, "-q", "--cite")
    assert done.code == 0, done.err
    assert forefold.Unfolded.from_json(done.out).values.tolist() == pytest.approx([100.0, 100.0])
    assert keys(done.err) == {"dagostini1995", "richardson1972", "lucy1974", "adye2011"}


def test_a_card_that_is_not_at_hand_is_said(tmp_path: Path) -> None:
    card = tmp_path / "mine.toml"
    card.write_text('extends = "nusmear-default"\nname = "mine"\ntitle = "Mine"\n')
    toy = forefold.events.build(pdgid=13, px=0.0, py=0.0, pz=[1.0, 2.0], energy=2.1)
    made = forefold.ResponseMatrix.from_events(
        toy, card, true="visible_energy=0:4:2", rng=1, axis="z"
    )
    assert "card mine (SHA-256" in forefold.cite(made)
    assert "vohra2022" in keys(forefold.cite(made, card))


def test_what_cannot_be_cited_is_one_line(run: Run, tmp_path: Path) -> None:
    refused(run("cite", "nusmear-defalt"), "nusmear-default")
    refused(run("cite", "bays"), "bayes")
    other = tmp_path / "other.json"
    other.write_text("{}")
    refused(run("cite", other), "other.json: no provenance of forefold")
    other.write_text("[1")
    refused(run("cite", other), "other.json: not a document of forefold")
    other.write_bytes(b"\xff\xfe")
    refused(run("cite", other), "other.json: not a document of forefold")
    with pytest.raises(ValueError, match="float does not say what it was made of"):
        forefold.cite(1.0)
    assert run("cite", "wiener").out == forefold.cite("wiener")
