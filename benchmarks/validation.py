"""``python -m benchmarks.validation [PART ...]``: the tables of docs/validation.md, measured.

Every part prints a table in Markdown; ``containment`` also draws docs/contained.png with ``--figure``.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from scipy import stats

import forefold
from benchmarks.formulas import RIGHT, WRONG
from forefold import species
from forefold.expression import parse
from forefold.fitting import Template, fit_card
from forefold.formula import compile_formula
from forefold.physics.containment import DUNE_FAR, DUNE_FAR_FIDUCIAL, contained
from forefold.physics.ranges import csda_range
from forefold.physics.showers import shower_fractions

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


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as Markdown."""
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def cards() -> None:
    """Validate every shipped card: rng=1, 10,000 draws of each particle."""
    rows = []
    for name in forefold.cards():
        found = forefold.validate_card(name, rng=1)
        pulls = np.abs([check.pull for check in found.checks])
        rms = math.sqrt(float(np.square(pulls).mean())) if pulls.size else 0.0
        good = "yes" if found.good else "no"
        rows.append((f"`{name}`", pulls.size, f"{rms:.2f}", f"{pulls.max(initial=0.0):.2f}", good))
    table(("card", "checks", "rms of the pulls", "largest", "within 5"), rows)


def containment(figure: str | None = None) -> None:
    """Tracks from vertices of their own against the closed form: rng=2, 200,000 each."""
    rng = np.random.default_rng(2)
    kinetic = np.array([0.05, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 30.0])
    n, rows = 200_000, []
    for angle in (0.0, 90.0):
        direction = np.array([math.sin(math.radians(angle)), 0.0, math.cos(math.radians(angle))])
        for energy, length in zip(kinetic, csda_range(kinetic, 13), strict=True):
            vertex = rng.uniform(DUNE_FAR_FIDUCIAL.low, DUNE_FAR_FIDUCIAL.high, (n, 3))
            end = vertex + length * direction
            inside = np.all((end >= DUNE_FAR.low) & (end <= DUNE_FAR.high), axis=1).sum()
            exact = float(_contained(length, direction))
            width = math.sqrt(n * exact * (1.0 - exact))
            pull = f"{(inside - n * exact) / width:+.2f}" if width else f"{inside - n * exact:+g}"
            rows.append(
                (
                    f"{angle:g}",
                    f"{energy:g}",
                    f"{length:.0f}",
                    f"{exact:.4f}",
                    f"{inside / n:.4f}",
                    pull,
                )
            )
    table(
        (
            "degrees to the beam",
            "kinetic energy [GeV]",
            "range [cm]",
            "closed form",
            "tracks",
            "pull",
        ),
        rows,
    )
    if figure:
        draw_containment(figure)


def _contained(length: Any, direction: Array) -> Array:
    return contained(length, *direction, active=DUNE_FAR, fiducial=DUNE_FAR_FIDUCIAL)


def draw_containment(path: str) -> None:
    """Draw the fraction of contained muons against energy, for three directions."""
    from matplotlib.figure import Figure

    from forefold.plot import save, style

    kinetic = np.geomspace(0.02, 30.0, 200)
    length = csda_range(kinetic, 13)
    with style():
        made = Figure(figsize=(4.6, 3.0), layout="constrained")
        axes = made.subplots()
        for angle, line in ((0.0, "-"), (45.0, "--"), (90.0, ":")):
            direction = np.array(
                [math.sin(math.radians(angle)), 0.0, math.cos(math.radians(angle))]
            )
            axes.plot(kinetic, _contained(length, direction), line, label=f"{angle:g}° to the beam")
        axes.set(xscale="log", xlim=(0.02, 30.0), ylim=(0.0, 1.05))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("Kinetic energy of the muon [GeV]")
        axes.set_ylabel("Contained")
        axes.legend(loc="lower left")
        save(made, path, overwrite=True)


def directions() -> None:
    """Space angles of each convention against formulas: rng=3, 4, ... by cell, 20,000 muons, sigma 5 degrees."""
    sigma, n = math.radians(5.0), 20_000
    rows: list[tuple[str, ...]] = []
    kappa = 1.0 / sigma**2
    space = {
        "rayleigh": lambda x: -np.expm1(-0.5 * (x / sigma) ** 2),
        "half-normal": lambda x: 2.0 * stats.norm.cdf(x / sigma) - 1.0,
        "von-mises-fisher": lambda x: (
            -np.expm1(kappa * (np.cos(x) - 1.0)) / -np.expm1(-2.0 * kappa)
        ),
    }
    for name, cdf in space.items():
        angle = {"convention": "space", "distribution": name, "sigma_deg": 5.0}
        rows.append(
            (
                f"space, {name}",
                *(f"{_ks(angle, t, n, cdf, _cell(rows, k)):.2f}" for k, t in enumerate(_ANGLES)),
            )
        )
    for name in ("polar", "independent"):
        angle = {"convention": name, "distribution": "normal", "sigma_deg": 5.0}
        angle |= {"sigma_phi_deg": 3.0} if name == "independent" else {}
        rows.append(
            (
                f"{name}, θ",
                *(
                    f"{_ks_polar(angle, t, n, sigma, _cell(rows, k)):.2f}"
                    for k, t in enumerate(_ANGLES)
                ),
            )
        )
    table(("convention", *(f"{t:g}°" for t in _ANGLES)), rows)


def _cell(rows: Sequence[object], column: int) -> int:
    return 3 + len(rows) * len(_ANGLES) + column


_ANGLES = (0.0, 1.0, 90.0, 179.0, 180.0)


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


def _ks(
    angle: dict[str, Any], theta_deg: float, n: int, cdf: Callable[[Array], Array], rng: int
) -> float:
    return float(stats.kstest(_drawn(angle, theta_deg, n, rng)[1], cdf).pvalue)


def _ks_polar(angle: dict[str, Any], theta_deg: float, n: int, sigma: float, rng: int) -> float:
    at = math.radians(theta_deg)

    def folded(x: Array) -> Array:
        found = np.zeros(x.shape)
        for k in range(-2, 3):
            up, down = ((k * 2.0 * math.pi + s * x - at) / sigma for s in (1.0, -1.0))
            found = found + stats.norm.cdf(up) - stats.norm.cdf(down)
        return found

    return float(stats.kstest(_drawn(angle, theta_deg, n, rng)[0], folded).pvalue)


def identification() -> None:
    """Draw a table of three particles 10^6 times each: rng=4."""
    names = ("mu-", "pi-", "p")
    chances = ((0.90, 0.06, 0.01), (0.10, 0.80, 0.05), (0.00, 0.03, 0.95))
    blocks = [
        {
            "particles": [name],
            "source": "me",
            "row": [{"as": a, "probability": c} for a, c in zip(names, row, strict=True)],
        }
        for name, row in zip(names, chances, strict=True)
    ]
    made = card("confusion", [{"particles": ["other"]}], identification=blocks)
    n, rows = 1_000_000, []
    for name, row in zip(names, chances, strict=True):
        events = particles(np.full(n, species.pdgid(name)), 1.0)
        seen = ak.flatten(forefold.smear(events, made, rng=4, axis="z").particles)
        taken = ak.to_numpy(ak.fill_none(ak.where(seen.detected, seen.pdgid_reco, 0), 0))
        counts = [int((taken == species.pdgid(other)).sum()) for other in names]
        counts.append(n - sum(counts))
        expected = n * np.array([*row, 1.0 - sum(row)])
        kept = expected > 0.5
        chi2 = float((np.square(np.array(counts) - expected)[kept] / expected[kept]).sum())
        p = stats.chi2.sf(chi2, kept.sum() - 1)
        energy = ak.to_numpy(ak.fill_none(seen.energy_reco, np.nan))
        mass2 = np.square(energy) - 1.0
        wrong = max(
            float(
                np.abs(
                    np.sqrt(mass2[taken == species.pdgid(o)]) - species.mass(species.pdgid(o))
                ).max(initial=0.0)
            )
            for o in names
        )
        cells = [f"{c:,} ({e:,.0f})" for c, e in zip(counts, expected, strict=True)]
        rows.append(
            (
                f"`{name}`",
                *cells,
                f"{chi2:.1f} / {kept.sum() - 1}, {p:.2f}",
                f"{1e9 * wrong:.2g} eV",
            )
        )
    table(
        (
            "true",
            *(f"as `{n}`" for n in names),
            "lost",
            "chi2 / degrees, p",
            "largest error of the mass",
        ),
        rows,
    )


def pions() -> None:
    """Count showers of neutral pions, 5 degrees, 30 MeV: rng=5, 100,000 each."""
    stages = [
        {"kind": "pi0-decay", "source": "me"},
        {"kind": "shower-merging", "angle_deg": 5.0, "source": "me"},
    ]
    rule = {"particles": ["other"], "threshold": {"kinetic_energy": {"ge": 0.03}}}
    made = card("pions", [rule], stage=stages)
    n, rows = 100_000, []
    for energy in (0.2, 0.5, 1.0, 2.0, 5.0):
        events = particles(np.full(n, 111), math.sqrt(energy**2 - species.mass(111) ** 2))
        seen = forefold.smear(events, made, rng=5, axis="z").particles
        numbers = ak.to_numpy(ak.sum(seen.detected & (seen.pdgid == 22), axis=1))
        found = shower_fractions(energy, angle_deg=5.0, threshold=0.03)
        cells = []
        for k, exact in zip((2, 1, 0), found, strict=True):
            share, p = float((numbers == k).mean()), float(exact)
            width = math.sqrt(max(p * (1.0 - p) / n, 0.0))
            pull = f"{(share - p) / width:+.1f}" if width else "exact" if share == p else "wrong"
            cells.append(f"{share:.4f} ({p:.4f}, {pull})")
        rows.append((f"{energy:g}", *cells))
    table(("energy [GeV]", "two showers", "one", "none"), rows)


def formulas() -> None:
    """Compare formulas with numpy in 10,000 points, and show what is said of wrong ones: rng=6."""
    rng = np.random.default_rng(6)
    names = ("E", "p", "theta")
    values = {"E": np.exp(rng.uniform(-5, 3, 10_000)), "p": rng.uniform(0.01, 4, 10_000)}
    values["theta"] = rng.uniform(0.0, math.pi, 10_000)
    kinds: dict[str, Any] = dict.fromkeys(names, "number")
    rows: list[tuple[object, ...]] = []
    for text, numpy_says in RIGHT.items():
        program = compile_formula(parse(text, kinds), names)
        found = program.evaluate(np.stack(list(values.values())))
        wanted = np.broadcast_to(numpy_says(**values), found.shape).astype(np.float64)
        apart = np.abs(found - wanted) / np.maximum(np.abs(wanted), 1.0)
        rows.append((f"`{text}`", f"{found[0]:.6g}", f"{apart.max():.1e}"))
    table(("formula", "value in the first point", "largest deviation from numpy"), rows)
    rows = []
    for text in WRONG:
        try:
            parse(text, kinds)
        except ValueError as error:
            said = f"`{text}`" if text else "(nothing)"
            rows.append((said, str(error).partition(": ")[2] or str(error)))
        else:
            rows.append((f"`{text}`", "**accepted**"))
    table(("wrong formula", "message"), [[str(c).replace("||", "\\|\\|") for c in r] for r in rows])


def fits() -> None:
    """Fit 200 samples of 2,000 pairs (rng=1000, 1001, ...), and one of 10^5 (rng=999)."""
    truth = {"constant": 0.05, "scale": 1.02, "efficiency": 0.9}
    template = Template(
        ("mu-",), distribution="normal", free=("constant", "scale"), efficiency="constant"
    )

    def sample(n: int, seed: int) -> dict[str, Array]:
        rng = np.random.default_rng(seed)
        true = rng.uniform(0.3, 3.0, n)
        reco = true * truth["scale"] * rng.normal(1.0, truth["constant"], n)
        reco[rng.random(n) >= truth["efficiency"]] = np.nan
        return {"pdgid": np.full(n, 13), "energy_true": true, "energy_reco": reco}

    whole = fit_card(sample(100_000, 999), template)
    pulls: dict[str, list[float]] = {key: [] for key in truth}
    for k in range(200):
        found = fit_card(sample(2_000, 1000 + k), template)
        for key, value in truth.items():
            name = f"mu_{key}"
            pulls[key].append((found.values[name] - value) / found.uncertainties[name])
    rows = [
        (
            key,
            f"{value:g}",
            f"{whole.values[f'mu_{key}']:.5f} ± {whole.uncertainties[f'mu_{key}']:.5f}",
            f"{np.mean(pulls[key]):+.2f} ± {1 / math.sqrt(200):.2f}",
            f"{np.std(pulls[key], ddof=1):.3f} ± {1 / math.sqrt(400):.3f}",
        )
        for key, value in truth.items()
    ]
    table(("parameter", "true", "10⁵ pairs", "mean of 200 pulls", "width of 200 pulls"), rows)


PARTS = {
    f.__name__: f for f in (cards, containment, directions, identification, pions, formulas, fits)
}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    parser.add_argument("--figure", metavar="OUT", help="of the contained fraction, .png")
    options = parser.parse_args()
    for name in options.parts or PARTS:
        print(f"<!-- {name}: {(PARTS[name].__doc__ or '').splitlines()[0]} -->")
        if name == "containment":
            containment(options.figure)
        else:
            PARTS[name]()


if __name__ == "__main__":
    main()
