"""GLoBES files read another way: includes put in their place as text, and then regular expressions and numpy.

It knows numbers, lists and names of constants, no expressions. What does not look as it should is an error, so that a file that was damaged
is not read as something that it is not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

EXPERIMENT = {
    "far.glb": """%!GLoBES
$version = "3.2.13"
include "constants.inc"
$target_mass = MASS   // kt
$lengthtab = {810.5}
$densitytab = {2.7, 2.9}
$bins = 3
$emin = 0.5
$emax = 3.5
$sampling_min = 0.25
$sampling_max = 4.25
$sampling_stepsize = {0.5, 0.5, 1, 2}
include "smear/all.inc"
%centres = bincenter()
%points = samplingbincenter()
%seen = {0.9, 0.8, 0.25}
nuflux(#beam)<
  @flux_file = "tables/beam.dat"
  @time = YEARS  /* years */
  @power = 7.5
>
cross(#CC)< @cross_file = "./tables/cc.dat" >
sys(#norm)< @error = 0.03 >
channel(#signal)<
  @channel = #beam: +: m: NOSC_e: #CC: #electron
  @post_smearing_efficiencies = copy(%seen)
  @pre_smearing_efficiencies = {1, 0.5, 0.25, 0.125}
>
channel(#wrong)<
  @channel = #beam: -: muon: tau: #CC: #muon
>
rule(#appearance)<
  @signal = 0.95@#signal : 1@#wrong
  @background = 1.5e-2@#wrong
  @sys_on_multiex_errors_sig = {#norm} : {#norm}
  @energy_window = 0.5 : 3.25
  @sys_on_function = "chiMultiExp"
  @errordim_sys_off = 2
>
""",
    "constants.inc": "MASS = 41.5\nYEARS = 6\n",
    "smear/all.inc": 'energy(#electron)<>\ninclude "smear/electron.dat"\ninclude "muon.dat"\n',
    "smear/electron.dat": "energy(#electron)<\n@energy = {0,1,0.8,0.15}:\n{0, 3, 0.1, 0.7, 0.25, 0.05}:\n{2,3,0.6,0.9};\n>\n",
    "smear/muon.dat": "energy(#muon)<\n@energy = {0,0,1}: {1,2,.5,.25}: {3,3,6.25e-2}\n>\n",
    "tables/beam.dat": "# E e mu tau ...\n0.4  1e2 4.5e4 0 20 3e3 0\n1.0  2e2 9e4 0 30 4e3 0\n2.6 2e2 2e4 0 20 1e3 0\n",
    "tables/cc.dat": "-0.5 0.50 0.45 0 0.2 0.18 0\n0.5 0.71 0.70 0 0.34 0.32 0\n",
}

KINDS = ("nuflux", "cross", "energy", "channel", "rule", "sys")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ENVIRONMENT = re.compile(r"\b(\w+)\s*\(\s*#(\w+)\s*\)\s*<([^>]*)>")
_ATTRIBUTE = re.compile(r"@([A-Za-z]\w*)\s*=\s*(.*?)\s*(?=@[A-Za-z]|\Z)", re.DOTALL)
_DEFINITION = re.compile(
    rf'([$%]?)([A-Za-z]\w*)\s*=\s*(\{{[^{{}}]*\}}|"[^"\n]*"|{_NUMBER}(?![\w.])|[A-Za-z]\w*(?:\s*\(\s*\))?)\s*',
    re.ASCII,
)


def text_of(path: Path, base: Path) -> str:
    """Give a file without comments and with all that it includes."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(encoding="latin-1"), flags=re.DOTALL)
    parts = re.split(r'\binclude\s+"([^"\n]*)"', text)
    for k in range(1, len(parts), 2):
        place = base / parts[k]
        parts[k] = text_of(place if place.is_file() else path.parent / parts[k], base)
    return "\n".join(parts)


def numbers(text: str) -> np.ndarray:
    """Read numbers in braces."""
    inside = re.fullmatch(r"\{([^{}]*)\}", text.strip())
    assert inside, text
    parts = [part.strip() for part in inside[1].split(",")] if inside[1].strip() else []
    assert all(re.fullmatch(_NUMBER, part) for part in parts), text
    return np.array([float(part) for part in parts])


def matrix(text: str, n_true: int) -> np.ndarray:
    """Read R[true, reco] of rows of reconstructed bins."""
    rows = [numbers(row) for row in text.strip().removesuffix(";").split(":")]
    cells = np.zeros((n_true, len(rows)))
    for j, (first, last, *values) in enumerate(rows):
        assert len(values) == last - first + 1
        assert 0 <= first <= last < n_true
        cells[int(first) : int(last) + 1, j] = values
    return cells


def edges(settings: dict[str, Any], widths: str, low: str, count: str, high: str) -> np.ndarray:
    """Give edges of widths, or of a number of bins."""
    if widths in settings:
        return np.asarray(settings[low] + np.concatenate([[0.0], np.cumsum(settings[widths])]))
    return np.linspace(settings[low], settings[high], int(settings[count]) + 1)


def read(path: Path) -> dict[str, Any]:
    """Read a configuration: settings, variables, lists, texts of environments, matrices, tables and bins."""
    text = text_of(path, path.parent).replace("%!GLoBES", "")
    environments: dict[str, dict[str, dict[str, str]]] = {kind: {} for kind in KINDS}
    for kind, name, body in _ENVIRONMENT.findall(text):
        of = environments[kind].setdefault(name, {})
        assert _ATTRIBUTE.sub("", body).strip() == "", body
        assert not any("=" in text for _, text in _ATTRIBUTE.findall(body)), body
        of.update(_ATTRIBUTE.findall(body))
    settings: dict[str, Any] = {}
    lists: dict[str, np.ndarray] = {}
    variables: dict[str, float] = {}
    rest = _ENVIRONMENT.sub(" ", text)
    assert _DEFINITION.sub("", rest).strip() == "", _DEFINITION.sub("", rest).strip()[:60]
    for sigil, name, value in _DEFINITION.findall(rest):
        if sigil == "$":
            plain: Any = value.strip('"') if value.startswith('"') else None
            plain = numbers(value) if value.startswith("{") else plain
            settings[name] = plain if plain is not None else constant(value, variables)
        elif sigil == "%":
            true, reco = bins(settings) if "(" in value else (None, None)
            of_bins = {"bincenter": reco, "samplingbincenter": true}.get(value.partition("(")[0])
            lists[name] = numbers(value) if of_bins is None else 0.5 * (of_bins[1:] + of_bins[:-1])
        else:
            variables[name] = constant(value, variables)
    true, reco = bins(settings)
    matrices = {
        name: matrix(of["energy"], true.size - 1)
        for name, of in environments["energy"].items()
        if "energy" in of
    }
    tables = {
        f"{kind}_{name}": np.loadtxt(path.parent / of[key].strip('"'), ndmin=2, encoding="latin-1")
        for kind, key in (("nuflux", "flux_file"), ("cross", "cross_file"))
        for name, of in environments[kind].items()
    }
    return {
        "settings": settings,
        "variables": variables,
        "lists": lists,
        "environments": environments,
        "matrices": matrices,
        "tables": tables,
        "true_edges": true,
        "reco_edges": reco,
    }


def bins(settings: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Give edges of sampling points and bins."""
    reco = edges(settings, "binsize", "emin", "bins", "emax")
    if not any(name.startswith("sampling") for name in settings):
        return reco, reco
    sampling = ("sampling_stepsize", "sampling_min", "sampling_points", "sampling_max")
    return edges(settings, *sampling), reco


def constant(text: str, variables: dict[str, float]) -> float:
    """Read a number, or the name of one."""
    return variables[text] if text in variables else float(text)


def value(text: str, content: dict[str, Any]) -> Any:
    """Read what stands in an environment, as the record of forefold has it."""
    parts = [part.strip() for part in text.split(":")]
    if all(part[:1] in "#+-" or re.fullmatch(r"[A-Za-z]\w*", part) for part in parts) and parts[1:]:
        return [part.removeprefix("#") for part in parts]
    if text.startswith('"'):
        return text.strip('"')
    if text.startswith("copy("):
        return content["lists"][re.fullmatch(r"copy\(\s*%(\w+)\s*\)", text)[1]]  # type: ignore[index]
    if "@" in text:
        terms = [re.fullmatch(rf"({_NUMBER})\s*@\s*#(\w+)", part) for part in parts]
        return [[float(term[1]), term[2]] for term in terms if term]
    if "#" in text:
        return [re.findall(r"#(\w+)", part) for part in parts]
    if text.startswith("{"):
        return numbers(text)
    plain = [constant(part, content["variables"]) for part in parts]
    return plain[0] if len(plain) == 1 else np.array(plain)


def same(mine: Any, other: Any) -> bool:
    """Tell whether a value of a record is that of this reading."""
    if isinstance(other, np.ndarray | float):
        return np.array_equal(mine, other)
    return bool(mine == other)
