"""NuHepMC: the text of events, all but their numbers, which depend on what stands before them in the file."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pyarrow as pa

from forefold import events as records
from forefold.io.native.columns import Flat, arrow, flatten, stored
from forefold.io.native.runinfo import RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forefold.io.native.metadata import About

__all__ = ["EVENT", "PARTICLE", "TEXT", "encode"]

EVENT, PARTICLE = "forefold.event.", "forefold.particles."
"""What the names of the attributes begin with that hold the columns."""

TEXT = ("_number", "_before", "_after", "_about")
"""Columns of an encoded table: number of the event, its text before and after the place of its source, and facts."""

_DETECTED, _ENERGY_BELOW_MASS = 1, 128
_MOMENTUM = ("px", "py", "pz", "energy")
_VERTEX = ("vertex_x", "vertex_y", "vertex_z", "vertex_t")  # m, s
_OTHER = 100
_EVENTS = 2000
_SOURCE = "source"


def encode(about: About, piece: ak.Array, events: ak.Array | None = None) -> Iterator[pa.Table]:
    """Write events as text, for the sink's `append`.

    Raises
    ------
    ValueError
        If `events` are not the records that smeared ones come from.
    """
    truth = piece if about.content == "events" else events
    if truth is None:
        msg = f"{about.path}: NuHepMC holds the true momenta: give the event records too"
        raise ValueError(msg)
    if len(truth) != len(piece) or ak.any(ak.num(truth.particles) != _originals(piece)):
        msg = f"{about.path}: the event records are not those that were smeared"
        raise ValueError(msg)
    # The text is ten times as large as the arrays.
    for at in range(0, max(len(piece), 1), _EVENTS):
        yield _encoded(about, piece[at : at + _EVENTS], truth[at : at + _EVENTS])


def _encoded(about: About, piece: ak.Array, truth: ak.Array) -> pa.Table:
    smeared = about.content == "smeared"
    attributes = _attributes(flatten(piece)) if smeared else ([], [])
    places = _places(truth)
    text = list(_texts(piece, truth, attributes, places, smeared=smeared))
    timed = places is not None and any(len(row.split()) == 4 for row in places)
    facts = json.dumps({"currents": _currents(truth), "odd": _odd(truth), "timed": timed})
    columns: Any = (
        pa.array(ak.to_numpy(truth.event), pa.int64()),
        pa.array([before for before, _ in text], pa.large_string()),
        pa.array([after for _, after in text], pa.large_string()),
        pa.array([facts, *[None] * (len(text) - 1)][: len(text)], pa.string()),
    )
    named = dict(zip(TEXT, columns, strict=True))
    if not smeared:
        return pa.table(named)
    table = arrow(piece)
    for name, column in named.items():
        table = table.append_column(name, column)
    return table


def _attributes(flat: Flat) -> tuple[list[list[str]], list[list[str]]]:
    """Columns of events and of particles as lines; those of events up to the place of the source, and the rest."""
    bounds = np.concatenate(([0], np.cumsum(flat.counts))).tolist()
    before: list[list[str]] = []
    after: list[list[str]] = []
    lines = before
    for name, column in flat.event.items():
        head = f"A 0 {EVENT}{name} "
        if column.words is not None:
            if name != _SOURCE:
                msg = f"the field {name} holds text, of which NuHepMC takes only that of {_SOURCE}"
                raise ValueError(msg)
            lines.append([head] * len(flat.counts))
            lines = after
            continue
        lines.append([f"{head}{value!r}\n" for value in stored(column).tolist()])
    for name, column in flat.particle.items():
        words = [repr(value) for value in stored(column).tolist()]
        head = f"A 0 {PARTICLE}{name} "
        lines.append([f"{head}{' '.join(words[a:b])}\n" for a, b in pairwise(bounds)])
    return before, after


def _currents(truth: ak.Array) -> list[tuple[int, str]]:
    """List the processes that occur, each with CC, NC or nothing."""
    process = ak.to_numpy(truth.process_id)
    cc = ak.to_numpy(ak.fill_none(truth.cc, False))
    nc = ak.to_numpy(ak.fill_none(truth.nc, False))
    currents = []
    for number in np.unique(process).tolist():
        these = process == number
        kinds = [name for name, flag in (("CC", cc), ("NC", nc)) if flag[these].all()]
        currents.append((number, kinds[0] if kinds else ""))
    return currents


def _odd(truth: ak.Array) -> list[int]:
    """Particles that have no PDG number."""
    pdgids = np.unique(
        np.concatenate([ak.to_numpy(ak.flatten(truth.particles.pdgid)), truth.probe, truth.target])
    )
    odd: list[int] = pdgids[records.is_pseudo_particle(pdgids) | (pdgids == 0)].tolist()
    return odd


def _texts(
    piece: ak.Array,
    truth: ak.Array,
    attributes: tuple[list[list[str]], list[list[str]]],
    places: list[str] | None,
    *,
    smeared: bool,
) -> Iterator[tuple[str, str]]:
    """Text of each event after its number, before and after the place of its source."""
    counts = ak.to_numpy(ak.num(truth.particles)).tolist()
    rows = ak.to_numpy(ak.num(piece.particles)).tolist()
    true = _lines(truth.particles)
    status = ak.to_numpy(ak.flatten(truth.particles.status)).tolist()
    reco = _reconstructed(piece) if smeared else [None] * len(status)
    fates = _fates(piece) if smeared else None
    origins = _origins(piece)
    beams, targets = _initial(truth)
    weights = ak.to_numpy(truth.weight).tolist()
    processes = ak.to_numpy(truth.process_id).tolist()
    at = first = 0
    for i, n in enumerate(counts):
        own = range(at, at + n)
        at += n
        # What a stage made of a particle, such as the photons of a pion, is seen as coming from it.
        detected: dict[int, list[str]] = {}
        for k in range(first, first + rows[i]):
            if (line := reco[k]) is not None:
                detected.setdefault(origins[k], []).append(line)
        n_detected = sum(map(len, detected.values()))
        lines = [f" {1 + len(detected)} {2 + n + n_detected}\nU GEV MM\n"]
        lines.append(f"W {weights[i]!r}\nA 0 signal_process_id {processes[i]}\n")
        lines.append(f"A 0 lab_pos {places[i] if places else '0 0 0'}\n")
        before = [column[i] for column in attributes[0]]
        first_part, lines = "".join([*lines, *before]), [column[i] for column in attributes[1]]
        for place, k in enumerate(own, start=3):
            if fates is not None:
                lines.append(f"A {place} fate {fates[first + place - 3]}\n")
            elif status[k] != records.FINAL_STATE:
                lines.append(f"A {place} status {status[k]}\n")
        lines += [f"P 1 0 {beams[i]} 4\n", f"P 2 0 {targets[i]} 20\n", "V -1 1 [1,2]\n"]
        for place, k in enumerate(own, start=3):
            shown = status[k] if status[k] == records.FINAL_STATE else _OTHER
            lines.append(f"P {place} -1 {true[k]} {shown}\n")
        place = 3 + n
        for vertex, (origin, particles) in enumerate(sorted(detected.items()), start=2):
            lines.append(f"V -{vertex} {RESPONSE} [{3 + origin}]\n")
            for line in particles:
                lines.append(f"P {place} -{vertex} {line} {RESPONSE}\n")
                place += 1
        first += rows[i]
        yield first_part, "".join(lines)


def _numbers(values: Any) -> list[float]:
    """Give finite numbers: the format has no other."""
    array = np.asarray(ak.to_numpy(values), dtype=np.float64)
    out: list[float] = np.where(np.isfinite(array), array, 0.0).tolist()
    return out


def _rows(pdgid: Any, px: Any, py: Any, pz: Any, energy: Any, mass: Any) -> list[str]:
    columns = [_numbers(value) for value in (px, py, pz, energy, mass)]
    return [
        f"{kind} {x!r} {y!r} {z!r} {e!r} {m!r}"
        for kind, x, y, z, e, m in zip(ak.to_numpy(pdgid).tolist(), *columns, strict=True)
    ]


def _lines(particles: ak.Array) -> list[str]:
    """Middle of the lines of true particles."""
    flat = ak.flatten(particles, axis=1)
    px, py, pz, energy = (ak.to_numpy(flat[name]) for name in _MOMENTUM)
    with np.errstate(all="ignore"):
        mass = np.sqrt(np.maximum(energy * energy - px * px - py * py - pz * pz, 0.0))
    return _rows(flat.pdgid, px, py, pz, energy, mass)


def _reconstructed(smeared: ak.Array) -> list[str | None]:
    """Middle of the lines of reconstructed particles, None for what was not detected."""
    flat = ak.flatten(smeared.particles, axis=1)
    fate = ak.to_numpy(flat.fate)
    px, py, pz, energy = (
        ak.to_numpy(ak.fill_none(flat[f"{name}_reco"], 0.0)) for name in _MOMENTUM
    )
    mass = ak.to_numpy(flat.mass)
    # A particle whose drawn energy is below its mass is at rest.
    energy = np.where((fate & _ENERGY_BELOW_MASS) != 0, mass, energy)
    taken = ak.fill_none(flat.pdgid_reco, 0) if "pdgid_reco" in flat.fields else flat.pdgid
    lines = _rows(taken, px, py, pz, energy, mass)
    detected = ((fate & _DETECTED) != 0).tolist()
    return [line if there else None for line, there in zip(lines, detected, strict=True)]


def _originals(piece: ak.Array) -> ak.Array:
    """Count the particles of each event that no stage made; these stand in front."""
    if "parent" not in piece.particles.fields:
        return ak.num(piece.particles)
    return ak.sum(piece.particles.parent == ak.local_index(piece.particles.parent), axis=1)


def _origins(piece: ak.Array) -> list[int]:
    """Give the generator's particle that each particle is, or that it goes back to, by its place in its event."""
    own = ak.local_index(piece.particles.pdgid)
    if "parent" not in piece.particles.fields:
        flat: list[int] = ak.to_numpy(ak.flatten(own)).tolist()
        return flat
    parent = piece.particles.parent
    while ak.any(parent[parent] != parent):  # a product of a product
        parent = parent[parent]
    out: list[int] = ak.to_numpy(ak.flatten(parent)).tolist()
    return out


def _fates(smeared: ak.Array) -> list[int]:
    out: list[int] = ak.to_numpy(ak.flatten(smeared.particles.fate)).tolist()
    return out


def _initial(truth: ak.Array) -> tuple[list[str], list[str]]:
    """Middle of the lines of beam and target; the target is at rest."""
    from forefold.events import particles as species

    px, py, pz, energy = (truth.probe_momentum[name] for name in _MOMENTUM)
    beams = _rows(truth.probe, px, py, pz, energy, np.zeros(len(truth)))
    targets = ak.to_numpy(truth.target)
    kinds, places = np.unique(targets, return_inverse=True)
    masses = np.array([species.mass(int(kind)) or 0.0 for kind in kinds], dtype=np.float64)
    mass = np.nan_to_num(masses)[places]
    zero = np.zeros(len(truth))
    return beams, _rows(targets, zero, zero, zero, mass, mass)


def _places(truth: ak.Array) -> list[str] | None:
    """Say where events are, in mm, and when, in s; None if the record does not say it."""
    if not set(_VERTEX) <= set(truth.fields):
        return None
    columns = [_numbers(truth[name] * 1000.0) for name in _VERTEX[:3]]
    times = ak.to_numpy(truth[_VERTEX[3]]).tolist()
    return [
        " ".join(map(repr, (*row, time) if math.isfinite(time) else row))
        for *row, time in zip(*columns, times, strict=True)
    ]
