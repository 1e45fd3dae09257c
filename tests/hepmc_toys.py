"""HepMC listings that are made by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyhepmc
import pytest

FOOTER = b"HepMC::Asciiv3-END_EVENT_LISTING\n"


def put(path: Path, content: bytes) -> str:
    """Write a file and give its name."""
    path.write_bytes(content)
    return str(path)


PLAIN = pytest.mark.filterwarnings("ignore:.*plain HepMC")


def text_of(path: Path) -> bytes:
    """The decompressed content."""
    return gzip.decompress(path.read_bytes())


def write_plain_hepmc(path: Path, kind: str) -> str:
    """Write two events as a collider's generator would: no NuHepMC, implicit vertices, MeV."""
    pyhepmc.Setup.print_warnings = False
    with pyhepmc.open(path, "w", format=kind) as file:
        for number in (10, 11):
            event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.MM)
            event.event_number = number
            beams = [pyhepmc.GenParticle((0, 0, p, 7000), 2212, 4) for p in (7000, -7000)]
            pion = pyhepmc.GenParticle((1, 2, 3, 140), 211, 2)
            muon = pyhepmc.GenParticle((1, 2, 3, 106), -13, 1)
            neutrino = pyhepmc.GenParticle((1, 2, 2, 3), 14, 1)
            collision, decay = pyhepmc.GenVertex((0, 0, 0, 0)), pyhepmc.GenVertex((0, 0, 0, 0))
            for particle in beams:
                collision.add_particle_in(particle)
            collision.add_particle_out(pion)
            decay.add_particle_in(pion)
            for particle in (muon, neutrino):
                decay.add_particle_out(particle)
            event.add_vertex(collision)
            event.add_vertex(decay)
            file.write(event)
    pyhepmc.Setup.print_warnings = True
    return str(path)


TOY_HEADER = b"""HepMC::Version 3.03.01
HepMC::Asciiv3-START_EVENT_LISTING
W other CV
T Maker\\|1.2\\|A generator
A NuHepMC.Version.Major 1
A NuHepMC.Version.Minor 0
A NuHepMC.Version.Patch 0
A NuHepMC.ProcessInfo[701].Name Thing [CC]
A NuHepMC.ProcessInfo[702].Name NC other thing
A NuHepMC.ProcessInfo[703].Name CC+NC mixture
"""
TOY_EVENT = b"""E 5 1 4
U GEV MM
W 2.0 0.25
A 0 signal_process_id 701
P 1 0 14 0 0 2 2 0 4
P 2 0 1000060120 0 0 0 11.2 11.2 20
V -1 1 [1,2]
P 3 -1 13 0 0.5 1.5 1.6 0.105 1
P 4 -1 2009900000 0 0 0 11 11 1
"""


def toy(path: Path, *events_: bytes, header: bytes = TOY_HEADER) -> str:
    """A listing made by hand."""
    return put(path, header + b"".join(events_) + FOOTER)
