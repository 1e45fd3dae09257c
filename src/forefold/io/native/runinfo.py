"""What precedes the events in a NuHepMC file: versions, tools, and what the numbers mean."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyhepmc

from forefold.events import particles as species
from forefold.io.cross_sections import passed_on
from forefold.io.provenance import UNKNOWN, tools_of_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forefold.io.native.metadata import About

__all__ = ["RESPONSE", "run_info"]

RESPONSE = 201
"""Status of reconstructed particles, and of the vertices that they come from."""

_NOT_MET = (
    "so NuHepMC.FluxAveragedTotalCrossSection (G.C.2) is missing and G.R.5 is not met: add it before these events are "
    "normalised to a cross-section"
)
_PARTICLES = {
    1: ("Final", "True particle of the final state"),
    4: ("Beam", "Incoming beam particle"),
    20: ("Target", "Target, at rest"),
    100: ("Other", "Not final state; its attribute `status` is that of the generator"),
    RESPONSE: ("Reconstructed", "What the detector makes of the particle that it comes from"),
}
_VERTICES = {
    1: ("Primary", "The true interaction"),
    RESPONSE: ("Response", "A true particle is detected"),
}
# NuHepMC 1.0.0, convention E.C.1.
_PROCESSES = {
    1: "Low-energy nuclear scattering",
    2: "Quasielastic",
    3: "Meson exchange current",
    4: "Resonance production",
    5: "Shallow inelastic scattering",
    6: "Deep inelastic scattering",
}


def run_info(
    about: About, text: str, currents: Mapping[int, str], odd: set[int], *, timed: bool = False
) -> bytes:
    """Write the header of a file.

    Parameters
    ----------
    about : About
        What is written.
    text : str
        The document of the file.
    currents : mapping of int to str
        Processes that occur, each with CC, NC or nothing.
    odd : set of int
        Particles that occur and have no PDG number.
    timed : bool
        Whether the positions of the events have a time.

    Returns
    -------
    bytes
        All lines before the first event.
    """
    run = pyhepmc.GenRunInfo()
    version = str(about.provenance.get("version", "unknown"))
    # Those of the inputs first; a file that forefold made before may be among these.
    tools = [
        tool for tool in tools_of_inputs(about.provenance) if tool[:2] != ("forefold", version)
    ]
    run.tools = [
        *(tools or [("unknown", UNKNOWN, "The input does not say who made its events")]),
        ("forefold", version, "What a detector sees of generator events"),
    ]
    run.weight_names = ["CV"]
    for name, value in _attributes(about, text, currents, odd, timed).items():
        run.attributes[name] = value
    stream = io.BytesIO()
    with pyhepmc.io.pyiostream(stream) as out:
        writer = pyhepmc.io.WriterAscii(out, run)
        writer.close()
    lines = stream.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if line.strip() and b"-END_EVENT_LISTING" not in line)


def _attributes(
    about: About, text: str, currents: Mapping[int, str], odd: set[int], timed: bool
) -> dict[str, str]:
    smeared = about.content == "smeared"
    used = {number: info for number, info in _PARTICLES.items() if smeared or number != RESPONSE}
    places = {number: info for number, info in _VERTICES.items() if smeared or number != RESPONSE}
    processes = {
        number: (_process(number, current), "As the generator says; see E.C.1")
        for number, current in sorted(currents.items())
    }
    total, why = passed_on(about.provenance)
    conventions = [
        *(["G.C.2"] if total else []),  # the value is the input's, so it is known beforehand
        *("E.C.1", *(["E.C.5"] if timed else []), "G.S.2"),
    ]
    attributes = {
        "NuHepMC.Version.Major": "1",
        "NuHepMC.Version.Minor": "0",
        "NuHepMC.Version.Patch": "0",
        "NuHepMC.Conventions": " ".join(conventions),
        "NuHepMC.Units.CrossSection.Unit": total.unit if total else "pb",
        "NuHepMC.Units.CrossSection.TargetScale": total.target_scale if total else "PerAtom",
        "NuHepMC.AdditionalParticleNumbers": " ".join(str(number) for number in sorted(odd)),
        "forefold.content": about.content,
        "forefold.cross_section": why if total else f"{why}; {_NOT_MET}",
        "forefold.document": text,
    }
    if total:
        name = "NuHepMC.FluxAveragedTotalCrossSection"
        attributes[name] = repr(total.value)
        if total.uncertainty is not None:
            attributes[f"{name}Uncertainty"] = repr(total.uncertainty)
    attributes |= _listing("Process", processes)
    attributes |= _listing("VertexStatus", places)
    attributes |= _listing("ParticleStatus", used)
    for number in sorted(odd):
        name = species.name(number) if number else "unknown"
        attributes[f"NuHepMC.AdditionalParticleNumber[{number}].Name"] = name
    for key in ("version", "card", "card_sha256", "rng", "axis"):
        value: Any = about.provenance.get(key)
        if value is not None:
            attributes[f"forefold.{key}"] = str(value)
    return attributes


def _listing(what: str, infos: Mapping[int, tuple[str, str]]) -> dict[str, str]:
    attributes = {f"NuHepMC.{what}IDs": " ".join(str(number) for number in infos)}
    for number, (name, text) in infos.items():
        attributes[f"NuHepMC.{what}Info[{number}].Name"] = name
        attributes[f"NuHepMC.{what}Info[{number}].Description"] = text
    return attributes


def _process(number: int, current: str) -> str:
    """Name a process; the current is in the name, where readers look for it."""
    if number == 0:
        return f"Unknown {current}".strip()
    name = _PROCESSES.get(abs(number) // 100, "Other")
    kind = "electromagnetic" if number < 0 else current
    return f"{name} {kind} {number}".replace("  ", " ")
