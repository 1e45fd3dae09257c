"""What was used: cards, methods, generators and formats, with the papers of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forefold.workflows.citations.references import Entry, entry_of, keys_of_text, library

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forefold.detector import Card

__all__ = ["FORMATS", "GENERATORS", "INFERENCE", "METHODS", "RULES", "Used"]

METHODS = {
    "bayes": ("dagostini1995", "richardson1972", "lucy1974"),
    "tikhonov": ("hoecker1996", "schmitt2012"),
    "wiener": ("tang2017",),
    "likelihood": ("blobel2002", "baker1984"),
    "inversion": ("cowan1998", "blobel2002"),
}
"""Papers of methods of unfolding, by the names that forefold has for them."""

INFERENCE = {
    "fit": ("baker1984", "james1975", "iminuit"),
    "feldman-cousins": ("feldman1998",),
    "profile": ("cowan2011",),
    "cls": ("read2002",),
    "flat-prior": ("helene1983",),
    "barlow-beeston": ("barlow1993", "conway2011"),
}
"""Papers of fits, intervals and limits."""

RULES = {
    "l-curve": ("hansen1992",),
    "gcv": ("golub1979",),
    "discrepancy": ("morozov1966",),
    "chi2-change": (),
    "toys": (),
}
"""Papers of rules that choose a strength."""

GENERATORS = {
    "genie": ("genie2010",),
    "nuisance": ("nuisance2017",),
    "gibuu": ("gibuu2012",),
    "marley": ("marley2021",),
    "achilles": ("achilles2022",),
    "neut": ("neut2021",),
    "nuwro": ("nuwro2009",),
    "nuhepmc": ("nuhepmc2025", "hepmc2021"),
    "hepmc": ("hepmc2021",),
}
"""Papers of generators and of the formats of their files, by what their names begin with."""

FORMATS = {
    "globes": ("globes2005", "globes2007"),
    "snowglobes": ("globes2005", "globes2007"),
    "roounfold": ("adye2011",),
    "tunfold": ("schmitt2012",),
    "remu": ("remu",),
    "ogip": ("ogip1992",),
    "pyhf": ("pyhf2021", "histfactory2012"),
    "hepdata": ("hepdata2017",),
    "root": (),
    "correctionlib": (),
    "uhi": (),
}
"""Papers of the formats of matrices."""

_DRAWS = ("salmon2011", "steele2014")
_NORMAL = ("log-normal", "normal", "truncated-normal", "half-normal")


def _free(content: Mapping[str, Any]) -> int:
    """Count parameters that were not fixed."""
    parameters = content.get("parameters") or {}
    if "free" in content:
        return len(content["free"])
    return sum(not parameter.get("fixed") for parameter in parameters.values())


@dataclass
class Used:
    """What was used, in the order in which it is said.

    Attributes
    ----------
    reasons : dict of str to list of str
        By key of the entry: what it was used for.
    remarks : list of str
        What has no entry: sources without a paper, and what could not be looked into.
    entries : dict of str to Entry
        By key.
    """

    reasons: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)

    def add(self, keys: Iterable[str], why: str) -> None:
        """Add entries for a reason."""
        for key in keys:
            self._add(library()[key], why)

    def _add(self, entry: Entry, why: str) -> None:
        self.entries[entry.key] = entry
        said = self.reasons.setdefault(entry.key, [])
        if why not in said:
            said.append(why)

    def remark(self, text: str) -> None:
        """Add what has no entry, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def card(self, card: Card) -> None:
        """Add the sources of a card, and what its distributions are drawn by."""
        for name, text in card.sources.items():
            keys, unknown = keys_of_text(text)
            self.add(keys, f"card {card.name}")
            if unknown or not keys:
                self.remark(f"card {card.name}, source {name}: {' '.join(text.split())}")
        energies = [part.distribution for rule in card.rules for part in rule.energy.components()]
        angles = {(rule.angle.convention, rule.angle.distribution) for rule in card.rules}
        if "crystal-ball" in energies:
            self.add(("oreglia1980", "gaiser1982"), "Crystal Ball")
        if any(name == "von-mises-fisher" for _, name in angles):
            self.add(("jakob2012",), "von Mises-Fisher")
        if any(name == "space" for name, _ in angles):
            self.add(("duff2017",), "space angles")
        if any(name in _NORMAL for name in (*energies, *(name for _, name in angles))):
            self.add(("wichura1988",), "normal quantiles")
        if card.containment is not None:
            self.add(("groom2001", "sternheimer1984", "pstar"), "ranges of tracks")
        if any(stage.kind == "michel-tag" for stage in card.stages):
            self.add(("suzuki1987", "mukhopadhyay1977"), "captured muons")
        self.add(_DRAWS, "random numbers")

    def tool(self, name: str) -> None:
        """Add a generator, or what wrote its events."""
        prefixes = [prefix for prefix in GENERATORS if name.lower().startswith(prefix)]
        if prefixes:
            longest = max(prefixes, key=len)
            self.add(GENERATORS[longest], f"events: {name}")
        elif name.lower() not in ("forefold", "unknown"):
            self.remark(f"events: {name}")

    def named(self, text: str, why: str) -> None:
        """Add papers that a file names, those that forefold has no entry for by their identifier alone.

        Parameters
        ----------
        text : str
            ``DOI 10.1140/..., arXiv 2101.11867, InspireHEP Rocco:2018mwt``.
        why : str
        """
        for paper in text.split(", "):
            kind, _, word = paper.partition(" ")
            if kind == "InspireHEP":
                self.remark(f"{why}: InspireHEP {word}")
                continue
            keys, unknown = keys_of_text(f"arXiv:{word}" if kind == "arXiv" else word)
            self.add(keys, why)
            for identifier in unknown:
                self._add(entry_of(identifier), why)

    def unfolding(self, method: str, rule: str | None = None, *, through: bool = True) -> None:
        """Add a method, the rule that chose its strength, and the propagation of errors through its iterations."""
        self.add(METHODS[method], f"unfolding: {method}")
        if rule is not None:
            self.add(RULES.get(rule, ()), f"strength: {rule}")
        if method == "bayes" and through:
            self.add(("adye2011",), "covariance through the iterations")

    def inference(self, content: Mapping[str, Any]) -> None:
        """Add what a fit, an interval or a limit was made with: methods, simulation, response.

        Parameters
        ----------
        content : mapping
            What ``forefold fit`` or ``forefold limit`` writes, or the like of an interval.
        """
        if content["forefold"] == "fit":
            self.add(INFERENCE["fit"], "fit: maximum likelihood of counts, by MIGRAD")
            for interval in content.get("intervals") or ():
                self._interval(interval, _free(content))
        elif content["forefold"] == "interval" or content.get("method") == "feldman-cousins":
            self._interval(content, _free(content))
        else:
            method = str(content.get("method"))
            self._limit(method, by_toys=method == "cls" and bool(content.get("toys")))
        if content.get("finite_simulation"):
            self.add(INFERENCE["barlow-beeston"], "statistics of the simulation")
        self.provenance(content.get("provenance") or {})

    def _interval(self, content: Mapping[str, Any], free: int) -> None:
        if content.get("method") == "feldman-cousins":
            self.add(INFERENCE["feldman-cousins"], "interval: Feldman-Cousins")
            if free > 1:
                self.add(("nova2022",), "interval: toys with other parameters profiled")
        else:
            self.add(("wilks1938",), "interval: profile likelihood")

    def _limit(self, method: str, *, by_toys: bool) -> None:
        if method == "bayes":
            self.add(INFERENCE["flat-prior"], "limit: flat prior")
            return
        if method == "cls":
            self.add(INFERENCE["cls"], "limit: CLs")
        used = "likelihood ratio for upper limits" if by_toys else "asymptotic formulae"
        self.add(INFERENCE["profile"], f"limit: {used}")

    def provenance(self, notes: Mapping[str, Any]) -> None:
        """Add what the provenance of a file says: its card, the programs of its inputs, the format that it was imported from."""
        self._noted_card(notes)
        for one in notes.get("inputs") or ():
            for tool in one.get("tools") or ():
                self.tool(str(tool[0]))
        if notes.get("imported") in FORMATS:
            self.add(FORMATS[str(notes["imported"])], f"format: {notes['imported']}")

    def _noted_card(self, notes: Mapping[str, Any]) -> None:
        from forefold.detector import Card
        from forefold.detector.load import cards, fingerprint, load_card

        if "card_text" in notes:
            self.card(Card.model_validate(notes["card_text"]))
            return
        name, digest = notes.get("card"), notes.get("card_sha256")
        if name is None:
            return
        if name in cards():
            card = load_card(name)
            if digest in (None, fingerprint(card)[1]):
                self.card(card)
                return
        self.add(_DRAWS, "random numbers")
        self.remark(f"card {name} (SHA-256 {digest}): not at hand; cite it by its file")
