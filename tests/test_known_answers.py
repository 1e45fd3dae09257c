"""Known answers: what a release draws, it draws on every machine, bit for bit.

The file holds inputs and results as hexadecimal floats.  If a change of the draws is meant, say so in the changelog and
write it anew: ``python tests/test_known_answers.py``.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import awkward as ak
import numpy as np

import forefold
from forefold.events import build

FILE = Path(__file__).parent / "data" / "known_answers.csv"
RESULTS = (
    "theta_true",
    "theta_drawn",
    "energy_reco",
    "theta_reco",
    "phi_reco",
    "px_reco",
    "py_reco",
    "pz_reco",
)
IDS = (13, -211, 111, 22, 11, 2212, 2112, 321, 3122, -2212)


def answers() -> list[dict[str, str]]:
    """Smear a few particles of every kind, with inputs that are exact in binary."""
    rows = []
    for card in ("nusmear-dune-cdr", "nusmear-default"):
        for rng, stream, first in ((1, 0, 0), (2**64 - 1, 2**63 + 5, 2**33 + 1)):
            n = 4
            k = np.arange(n * len(IDS))
            px, py, pz = (k % 7 - 3) / 8, (k % 5 - 2) / 4, (k % 11 - 4) / 2
            mass = np.array([round(forefold.particles.mass(i) * 1024) / 1024 for i in IDS] * n)
            energy = np.sqrt(px * px + py * py + pz * pz + mass * mass)
            toy = build(
                counts=[len(IDS)] * n,
                pdgid=np.tile(IDS, n),
                px=px,
                py=py,
                pz=pz,
                energy=energy,
                entry=first + np.arange(n),
                stream=np.uint64(stream),
                probe_momentum=(0.25, -0.5, 2.0, 2.25),
            )
            particles = ak.flatten(forefold.smear(toy, card, rng=rng).particles)
            for i in range(len(k)):
                row = {"card": card, "rng": str(rng), "stream": str(stream)}
                row |= {"entry": str(first + i // len(IDS)), "particle": str(i % len(IDS))}
                row |= {"pdgid": str(IDS[i % len(IDS)])}
                inputs = {"px": px, "py": py, "pz": pz, "energy": energy}
                row |= {name: float(column[i]).hex() for name, column in inputs.items()}
                row["fate"] = str(particles.fate[i])
                for name in RESULTS:
                    value = particles[name][i]
                    row[name] = "" if value is None else float(value).hex()
                rows.append(row)
    return rows


def test_known_answers() -> None:
    with FILE.open(newline="", encoding="utf-8") as file:
        wanted = list(csv.DictReader(file))
    found = answers()
    assert len(found) == len(wanted) == 160
    assert {row["fate"] for row in wanted} >= {"1", "2", "4"}
    for one, other in zip(found, wanted, strict=True):
        assert one == other
    assert not any(
        math.isnan(float.fromhex(row["energy_reco"])) for row in wanted if row["energy_reco"]
    )


if __name__ == "__main__":
    table = answers()
    with FILE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
