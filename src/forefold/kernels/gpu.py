"""Particles that stay on a graphics card: copied there once, smeared, counted in a histogram, copied back if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from forefold.kernels.cuda import launch, ready
from forefold.kernels.layout import Smeared, Species, TrueParticles
from forefold.kernels.simple_rules import Assigned, candidates, frames, unassigned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forefold.kernels.simple_rules import SimpleRules

__all__ = [
    "DeviceParticles",
    "count_on_device",
    "draw_on_gpu",
    "from_device",
    "smear_on_device",
    "to_device",
]

_BITS = 62
"""Sums of weights are whole numbers of this many bits."""


class DeviceParticles(NamedTuple):
    """Particles on the device, with what a draw of them needs.

    Attributes
    ----------
    truth, species, table, assigned
        As `forefold.kernels.blocks.draw_blocks` takes them, with arrays of the device.
    axes : device array of float64
        Frames of the events, or of the first one where all are the same.
    same : bool
    fate : device array of uint16, shape (n,)
        From before.
    n : int
    """

    truth: Any
    species: Any
    table: Any
    assigned: Any
    axes: Any
    same: bool
    fate: Any
    n: int


def _on_device(value: Any) -> Any:
    """Copy arrays to the device, those in tuples too."""
    if isinstance(value, np.ndarray):
        return ready().to_device(np.ascontiguousarray(value))
    if isinstance(value, tuple):
        return type(value)(*(_on_device(one) for one in value))
    return value


def to_device(
    truth: TrueParticles,
    species: Species,
    *,
    assigned: Assigned | None = None,
    fate: NDArray[np.uint16] | None = None,
) -> DeviceParticles:
    """Copy particles to the device.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    assigned : Assigned, optional
        What is determined of them, see `forefold.kernels.simple_rules.Assigned`.
    fate : ndarray of uint16, shape (n,), optional
        Flags that are set already, and outcomes of particles that are left out.

    Returns
    -------
    DeviceParticles

    Raises
    ------
    OSError
        There is no graphics card, or numba-cuda is not installed.
    """
    n = truth.energy.size
    axes, same = frames(truth.axis)
    before = np.zeros(n, np.uint16) if fate is None else fate
    return DeviceParticles(
        _on_device(truth),
        _on_device(species),
        _on_device(candidates(species)),
        _on_device(unassigned() if assigned is None else assigned),
        _on_device(axes[:4] if same else axes),
        same,
        _on_device(before),
        n,
    )


def smear_on_device(
    particles: DeviceParticles, rules: SimpleRules, *, variation: int = 0
) -> tuple[Smeared, Any]:
    """Smear particles on the device; nothing comes back from there.

    Parameters
    ----------
    particles : DeviceParticles
    rules : SimpleRules
    variation : int

    Returns
    -------
    Smeared
        Arrays of the device; its floating-point columns are not to be written.
    device array of float64, shape (9, n)
        The same columns.
    """
    cuda, n, has_rules = ready(), particles.n, particles.assigned.chosen.size > 0
    columns = cuda.device_array((9, n))
    fate = cuda.device_array(n, np.uint16)
    fate.copy_to_device(particles.fate)
    true = particles.assigned.kinematics
    a, b, c, d, e, f, g = (columns[j] for j in range(2, 9))
    out = Smeared(
        true.mass if has_rules else columns[0],
        true.theta if has_rules else columns[1],
        *(a, b, c, d, e, f, g),
        fate,
        cuda.device_array(n, np.int16),
        cuda.device_array(n, np.int8),
    )
    block = np.uint64(variation << 16)
    if n:
        launch(
            "smear",
            n,
            particles.truth,
            particles.species,
            particles.table,
            _on_device(rules),
            particles.assigned,
            particles.axes,
            particles.same,
            block,
            columns[2:],
            out,
        )
    return out, columns


def from_device(there: Any, here: NDArray[Any]) -> None:
    """Copy an array of the device over one of the processor."""
    if here.size:
        there.copy_to_host(here)


def count_on_device(
    particles: DeviceParticles,
    out: Smeared,
    true_edges: NDArray[np.float64],
    reco_edges: NDArray[np.float64],
    *,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Fill a histogram of true and reconstructed energies of the detected particles, on the device.

    Parameters
    ----------
    particles : DeviceParticles
    out : Smeared
        Of `smear_on_device`.
    true_edges, reco_edges : ndarray of float64, GeV
        Ascending; bins are half-open, the last one closed.
    weight : ndarray of float64, shape (n,), optional

    Returns
    -------
    ndarray, shape (len(true_edges) - 1, len(reco_edges) - 1)
        Numbers of particles as int64; with weights their sums as float64.

    Raises
    ------
    ValueError
        A weight is not finite, or there are not as many as particles.

    Notes
    -----
    Threads add in any order, so they add whole numbers: a weight is counted in units of the largest power of two
    with which all of them together stay below 2^62; it is rounded to half a unit.
    """
    cuda, n = ready(), particles.n
    shape = (len(true_edges) - 1, len(reco_edges) - 1)
    counts = np.zeros(shape, np.int64)
    whole, unit = np.empty(0, np.int64), 1.0
    if weight is not None:
        whole, unit = _whole(np.asarray(weight, dtype=np.float64), n)
    if n:
        sums = cuda.to_device(counts)
        edges = (_on_device(np.asarray(e, dtype=np.float64)) for e in (true_edges, reco_edges))
        launch(
            "count",
            n,
            particles.truth.energy,
            out.energy_reco,
            out.fate,
            *edges,
            _on_device(whole),
            sums,
        )
        sums.copy_to_host(counts)
    return counts if weight is None else counts * unit


def _whole(weight: NDArray[np.float64], n: int) -> tuple[NDArray[np.int64], float]:
    """Weights as whole numbers of a unit."""
    if weight.shape != (n,) or not np.isfinite(weight).all():
        message = f"weight: {n} finite numbers, one a particle; found shape {weight.shape}"
        message += "" if np.isfinite(weight).all() else ", and some are not finite"
        raise ValueError(message)
    largest = float(np.abs(weight).max(initial=0.0)) * max(n, 1)
    power = _BITS - 1 - int(np.frexp(largest)[1]) if largest else 0
    unit = float(np.ldexp(1.0, -power))
    return np.rint(weight / unit).astype(np.int64), unit


def draw_on_gpu(
    truth: TrueParticles,
    species: Species,
    rules: SimpleRules,
    assigned: Assigned,
    block: np.uint64,
    columns: NDArray[np.float64],
    out: Smeared,
) -> None:
    """Fill `out`, as `forefold.kernels.blocks.draw_blocks` for all particles.

    Parameters
    ----------
    truth : TrueParticles
    species : Species
    rules : SimpleRules
    assigned : Assigned
    block : uint64
    columns : ndarray of float64, shape (7 or 9, n)
        Those of `out` in its order, without mass and angle where they are given.
    out : Smeared
        Its fates are those from before.
    """
    particles = to_device(truth, species, assigned=assigned, fate=out.fate)
    there, all_columns = smear_on_device(particles, rules, variation=int(block) >> 16)
    from_device(all_columns[9 - len(columns) :], columns)
    from_device(there.fate, out.fate)
    from_device(there.rule, out.rule)
    from_device(there.component, out.component)
