"""``python -m benchmarks.validation [PART ...]``: the tables of docs/validation.md, measured.

Every part prints its tables in Markdown; ``--figure`` draws docs/contained.png. A row is made from its key alone, so that any
of them can be made again: tests/test_validation_page.py compares rows with those of the page.
"""

from __future__ import annotations

import argparse
import math
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import numpy as np
from scipy import stats

import forefold
from benchmarks.formulas import RIGHT, WRONG
from forefold.detector.materials.containment import DUNE_FAR, DUNE_FAR_FIDUCIAL, contained
from forefold.detector.materials.ranges import csda_range
from forefold.detector.stages.showers import shower_fractions
from forefold.events import particles as species
from forefold.expressions import parse
from forefold.expressions.compile import compile_formula
from forefold.inference.card_fit import Fit, Template, fit_card

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXACT = {"of": "total", "distribution": "none"}
KEPT = {"convention": "none", "distribution": "none"}


def card(name: str, rules: Sequence[dict[str, Any]], **more: Any) -> forefold.Card:
    """Make a card whose rules have these keys."""
    base = {"type": "x", "source": "me", "energy": EXACT, "angle": KEPT}
    named = [{**base, "name": f"rule {k}", **rule} for k, rule in enumerate(rules)]
    head = {"schema": 1, "name": name, "title": name, "sources": {"me": "an example"}}
    return forefold.Card.model_validate({**head, "rule": named, **more})


def particles(pdgid: Any, momentum: Any, theta: Any = 0.0) -> ak.Array:
    """One particle an event, in the plane of x and z."""
    pdg, p, angle = np.broadcast_arrays(np.asarray(pdgid), momentum, theta)
    mass = np.array([species.mass(int(kind)) for kind in np.unique(pdg)])
    mass = mass[np.searchsorted(np.unique(pdg), pdg)]
    return forefold.events.build(
        pdgid=pdg,
        px=p * np.sin(angle),
        py=np.zeros(pdg.size),
        pz=p * np.cos(angle),
        energy=np.hypot(p, mass),
        counts=np.ones(pdg.size, dtype=np.int64),
    )


class Table(NamedTuple):
    """A table of the page: the words above its columns, and what makes a row of a key."""

    head: str
    keys: tuple[Any, ...]
    row: Callable[[Any], tuple[str, ...]]

    def print(self) -> None:
        """Print it as Markdown, row by row."""
        print("| " + " | ".join(self.head.split("|")) + " |")
        print("|" + " --- |" * len(self.head.split("|")))
        for key in self.keys:
            print("| " + " | ".join(self.row(key)) + " |", flush=True)
        print()


def card_row(name: str) -> tuple[str, ...]:
    """Validate a shipped card: rng=1, 10,000 draws of each particle."""
    found = forefold.validate_card(name, rng=1)
    pulls = np.abs([check.pull for check in found.checks])
    rms = math.sqrt(float(np.square(pulls).mean())) if pulls.size else 0.0
    good = "yes" if found.good else "no"
    return f"`{name}`", f"{pulls.size}", f"{rms:.2f}", f"{pulls.max(initial=0.0):.2f}", good


_KINETIC = (0.05, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 30.0)  # GeV
_TRACKS = tuple(product((0.0, 90.0), _KINETIC))


def track_cells(angle: float, energy: float) -> tuple[str, ...]:
    """Give angle, kinetic energy, range, and the closed form of the fraction that is contained."""
    length = float(csda_range(energy, 13))
    exact = float(_contained(length, _direction(angle)))
    return f"{angle:g}", f"{energy:g}", f"{length:.0f}", f"{exact:.4f}"


def track_row(key: tuple[float, float]) -> tuple[str, ...]:
    """Tracks from vertices of their own against the closed form: 200,000, rng=(2, number of the row)."""
    angle, energy = key
    n, length, direction = 200_000, float(csda_range(energy, 13)), _direction(angle)
    rng = np.random.default_rng((2, _TRACKS.index(key)))
    end = rng.uniform(DUNE_FAR_FIDUCIAL.low, DUNE_FAR_FIDUCIAL.high, (n, 3)) + length * direction
    inside = np.all((end >= DUNE_FAR.low) & (end <= DUNE_FAR.high), axis=1).sum()
    exact = float(_contained(length, direction))
    width = math.sqrt(n * exact * (1.0 - exact))
    pull = f"{(inside - n * exact) / width:+.2f}" if width else f"{inside - n * exact:+g}"
    return *track_cells(angle, energy), f"{inside / n:.4f}", pull


def _direction(angle_deg: float) -> Array:
    return np.array([math.sin(math.radians(angle_deg)), 0.0, math.cos(math.radians(angle_deg))])


def _contained(length: Any, direction: Array) -> Array:
    return contained(length, *direction, active=DUNE_FAR, fiducial=DUNE_FAR_FIDUCIAL)


def draw_containment(path: str) -> None:
    """Draw the fraction of contained muons against energy, for three directions."""
    from matplotlib.figure import Figure

    from forefold.plotting import save, style

    kinetic = np.geomspace(0.02, 30.0, 200)
    length = csda_range(kinetic, 13)
    with style():
        made = Figure(figsize=(4.6, 3.0), layout="constrained")
        axes = made.subplots()
        for angle, line in ((0.0, "-"), (45.0, "--"), (90.0, ":")):
            inside = _contained(length, _direction(angle))
            axes.plot(kinetic, inside, line, label=f"{angle:g}° to the beam")
        axes.set(xscale="log", xlim=(0.02, 30.0), ylim=(0.0, 1.05))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("Kinetic energy of the muon [GeV]")
        axes.set_ylabel("Contained")
        axes.legend(loc="lower left")
        save(made, path, overwrite=True)


_ANGLES = (0.0, 1.0, 90.0, 179.0, 180.0)
_SIGMA = math.radians(5.0)
_SPACE: dict[str, Callable[[Array], Array]] = {
    "rayleigh": lambda x: -np.expm1(-0.5 * (x / _SIGMA) ** 2),
    "half-normal": lambda x: 2.0 * stats.norm.cdf(x / _SIGMA) - 1.0,
    "von-mises-fisher": lambda x: (
        np.expm1((np.cos(x) - 1.0) / _SIGMA**2) / np.expm1(-2.0 / _SIGMA**2)
    ),
}
_POLAR = ("polar", "independent")
_CONVENTIONS = (*_SPACE, *_POLAR)


def direction_row(name: str) -> tuple[str, ...]:
    """Angles of a convention against formulas: 20,000 muons, sigma 5 degrees, rng=3, 4, ... by cell."""
    first = 3 + _CONVENTIONS.index(name) * len(_ANGLES)
    cells = (f"{_p_value(name, theta, first + k):.2f}" for k, theta in enumerate(_ANGLES))
    return f"{name}, θ" if name in _POLAR else f"space, {name}", *cells


def _p_value(name: str, theta_deg: float, rng: int) -> float:
    """Of a Kolmogorov-Smirnov test: of the polar angle, or of that between true and reconstructed directions."""
    angle: dict[str, Any] = {"distribution": "normal", "sigma_deg": 5.0, "convention": name}
    if name in _SPACE:
        angle |= {"convention": "space", "distribution": name}
    if name == "independent":
        angle |= {"sigma_phi_deg": 3.0}
    polar, space = _drawn(angle, theta_deg, 20_000, rng)
    if name in _SPACE:
        return float(stats.kstest(space, _SPACE[name]).pvalue)
    return float(stats.kstest(polar, _folded(math.radians(theta_deg))).pvalue)


def _folded(at: float) -> Callable[[Array], Array]:
    """Cdf of a normal about an angle, of width sigma, folded back at 0 and pi."""

    def cdf(x: Array) -> Array:
        found = np.zeros(x.shape)
        for k in range(-2, 3):
            up, down = ((k * 2.0 * math.pi + s * x - at) / _SIGMA for s in (1.0, -1.0))
            found = found + stats.norm.cdf(up) - stats.norm.cdf(down)
        return found

    return cdf


def _drawn(angle: dict[str, Any], theta_deg: float, n: int, rng: int) -> tuple[Array, Array]:
    """Reconstructed polar angles, and the angles between true and reconstructed directions."""
    made = card("angles", [{"particles": ["other"], "angle": angle}])
    theta = math.radians(theta_deg)
    seen = forefold.smear(particles(np.full(n, 13), 1.0, theta), made, rng=rng, axis="z").particles
    p = np.array([ak.to_numpy(ak.flatten(seen[f"p{k}_reco"])) for k in "xyz"])
    p /= np.sqrt(np.square(p).sum(axis=0))
    true = np.array([math.sin(theta), 0.0, math.cos(theta)])[:, None]
    apart, along = (np.sqrt(np.square(p - s * true).sum(axis=0)) for s in (1.0, -1.0))
    polar = np.arctan2(np.hypot(p[0], p[1]), p[2])
    return polar, 2.0 * np.arctan2(apart, along)


_NAMES = ("mu-", "pi-", "p")
_CHANCES = ((0.90, 0.06, 0.01), (0.10, 0.80, 0.05), (0.00, 0.03, 0.95))


def identity_row(name: str) -> tuple[str, ...]:
    """Draw what a particle is taken for 10^6 times: rng=4."""
    blocks = [
        {
            "particles": [true],
            "source": "me",
            "row": [{"as": a, "probability": c} for a, c in zip(_NAMES, row, strict=True)],
        }
        for true, row in zip(_NAMES, _CHANCES, strict=True)
    ]
    made = card("confusion", [{"particles": ["other"]}], identification=blocks)
    n, row = 1_000_000, _CHANCES[_NAMES.index(name)]
    events = particles(np.full(n, species.pdgid(name)), 1.0)
    seen = ak.flatten(forefold.smear(events, made, rng=4, axis="z").particles)
    taken = ak.to_numpy(ak.fill_none(ak.where(seen.detected, seen.pdgid_reco, 0), 0))
    counts = [int((taken == species.pdgid(other)).sum()) for other in _NAMES]
    counts.append(n - sum(counts))
    expected = n * np.array([*row, 1.0 - sum(row)])
    kept = expected > 0.5
    chi2 = float((np.square(np.array(counts) - expected)[kept] / expected[kept]).sum())
    chance = stats.chi2.sf(chi2, kept.sum() - 1)
    found = np.sqrt(np.square(ak.to_numpy(ak.fill_none(seen.energy_reco, np.nan))) - 1.0)
    masses = {other: species.mass(species.pdgid(other)) for other in _NAMES}
    wrong = max(
        float(np.abs(found[taken == species.pdgid(other)] - mass).max(initial=0.0))
        for other, mass in masses.items()
    )
    cells = (f"{c:,} ({e:,.0f})" for c, e in zip(counts, expected, strict=True))
    rest = f"{chi2:.1f} / {kept.sum() - 1}, {chance:.2f}", f"{1e9 * wrong:.2g} eV"
    return f"`{name}`", *cells, *rest


def pion_row(energy: float) -> tuple[str, ...]:
    """Count showers of neutral pions, 5 degrees, 30 MeV: rng=5, 100,000."""
    stages = [
        {"kind": "pi0-decay", "source": "me"},
        {"kind": "shower-merging", "angle_deg": 5.0, "source": "me"},
    ]
    rule = {"particles": ["other"], "threshold": {"kinetic_energy": {"ge": 0.03}}}
    n = 100_000
    events = particles(np.full(n, 111), math.sqrt(energy**2 - species.mass(111) ** 2))
    made = card("pions", [rule], stage=stages)
    seen = forefold.smear(events, made, rng=5, axis="z").particles
    numbers = ak.to_numpy(ak.sum(seen.detected & (seen.pdgid == 22), axis=1))
    cells = []
    for k, exact in zip(
        (2, 1, 0), shower_fractions(energy, angle_deg=5.0, threshold=0.03), strict=True
    ):
        share, p = float((numbers == k).mean()), float(exact)
        width = math.sqrt(max(p * (1.0 - p) / n, 0.0))
        pull = f"{(share - p) / width:+.1f}" if width else "exact" if share == p else "wrong"
        cells.append(f"{share:.4f} ({p:.4f}, {pull})")
    return f"{energy:g}", *cells


_KINDS: dict[str, Any] = dict.fromkeys(("E", "p", "theta"), "number")


def formula_row(text: str) -> tuple[str, ...]:
    """Compare a formula with numpy in 10,000 points: rng=6."""
    rng = np.random.default_rng(6)
    values = {"E": np.exp(rng.uniform(-5, 3, 10_000)), "p": rng.uniform(0.01, 4, 10_000)}
    values["theta"] = rng.uniform(0.0, math.pi, 10_000)
    program = compile_formula(parse(text, _KINDS), tuple(_KINDS))
    found = program.evaluate(np.stack(list(values.values())))
    wanted = np.broadcast_to(RIGHT[text](**values), found.shape).astype(np.float64)
    apart = np.abs(found - wanted) / np.maximum(np.abs(wanted), 1.0)
    return f"`{text}`", f"{found[0]:.6g}", f"{apart.max():.1e}"


def wrong_row(text: str) -> tuple[str, ...]:
    """Show what is said of a wrong formula."""
    try:
        parse(text, _KINDS)
    except ValueError as error:
        message = str(error).partition(": ")[2] or str(error)
    else:
        message = "**accepted**"
    shown = f"`{text}`" if text else "(nothing)"
    return shown.replace("||", "\\|\\|"), message.replace("||", "\\|\\|")


_TRUTH = {"constant": 0.05, "scale": 1.02, "efficiency": 0.9}


def fitted(n: int, seed: int) -> Fit:
    """Fit pairs of a detector that is known."""
    template = Template(
        ("mu-",), distribution="normal", free=("constant", "scale"), efficiency="constant"
    )
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.3, 3.0, n)
    reco = true * _TRUTH["scale"] * rng.normal(1.0, _TRUTH["constant"], n)
    reco[rng.random(n) >= _TRUTH["efficiency"]] = np.nan
    pairs = {"pdgid": np.full(n, 13), "energy_true": true, "energy_reco": reco}
    return fit_card(pairs, template)


@cache
def whole() -> Fit:
    """Fit 10^5 pairs once: rng=999."""
    return fitted(100_000, 999)


@cache
def pulls() -> dict[str, Array]:
    """Give the pulls of 200 fits of 2,000 pairs: rng=1000, 1001, ..."""
    fits = [fitted(2_000, 1000 + k) for k in range(200)]
    return {
        key: np.array([(f.values[f"mu_{key}"] - v) / f.uncertainties[f"mu_{key}"] for f in fits])
        for key, v in _TRUTH.items()
    }


def whole_cells(key: str) -> tuple[str, ...]:
    """Parameter, true value, and what 10^5 pairs say."""
    value, uncertainty = (found[f"mu_{key}"] for found in (whole().values, whole().uncertainties))
    return key, f"{_TRUTH[key]:g}", f"{value:.5f} ± {uncertainty:.5f}"


def fit_row(key: str) -> tuple[str, ...]:
    """Compare fits of one parameter with its true value."""
    mine = pulls()[key]
    mean = f"{np.mean(mine):+.2f} ± {1 / math.sqrt(200):.2f}"
    return *whole_cells(key), mean, f"{np.std(mine, ddof=1):.3f} ± {1 / math.sqrt(400):.3f}"


PARTS: dict[str, tuple[Table, ...]] = {
    "cards": (
        Table("card|checks|rms of the pulls|largest|within 5", tuple(forefold.cards()), card_row),
    ),
    "containment": (
        Table(
            "degrees to the beam|kinetic energy [GeV]|range [cm]|closed form|tracks|pull",
            _TRACKS,
            track_row,
        ),
    ),
    "directions": (Table("convention|0°|1°|90°|179°|180°", _CONVENTIONS, direction_row),),
    "identification": (
        Table(
            "true|as `mu-`|as `pi-`|as `p`|lost|chi2 / degrees, p|largest error of the mass",
            _NAMES,
            identity_row,
        ),
    ),
    "pions": (Table("energy [GeV]|two showers|one|none", (0.2, 0.5, 1.0, 2.0, 5.0), pion_row),),
    "formulas": (
        Table(
            "formula|value in the first point|largest deviation from numpy",
            tuple(RIGHT),
            formula_row,
        ),
        Table("wrong formula|message", tuple(WRONG), wrong_row),
    ),
    "fits": (
        Table(
            "parameter|true|10⁵ pairs|mean of 200 pulls|width of 200 pulls",
            tuple(_TRUTH),
            fit_row,
        ),
    ),
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--figure", metavar="OUT", help="of the contained fraction, .png")
    options = parser.parse_args()
    for name in options.parts or PARTS:
        for table in PARTS[name]:
            print(f"<!-- {name}: {table.row.__doc__} -->")
            table.print()
    if options.figure:
        draw_containment(options.figure)


if __name__ == "__main__":
    main()
