"""A GLoBES experiment as it was published: all that its files define, as names, numbers and arrays.

Nothing is given a meaning here: rules, channels, systematic errors, normalisations and the energy window stand under the names that the files give them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._about import __version__
from forefold.events.particles import near
from forefold.io.files import expand
from forefold.io.folders import folder_aside
from forefold.matrix.formats import globes_aedl as aedl
from forefold.matrix.formats.common import PRINTED, Exported
from forefold.matrix.formats.globes_rows import matrix_of
from forefold.matrix.formats.globes_tokens import Sources, shown
from forefold.matrix.formats.registry import read_from

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from forefold.matrix.formats.globes_tokens import Token

    Array = NDArray[np.float64]

__all__ = ["CONFIGURATION", "KIND", "GlobesConfiguration"]

KIND, _SCHEMA = "globes-configuration", 1
CONFIGURATION = "configuration.json"
"""The file of a folder that names all others."""

_COLUMNS = ("e", "mu", "tau", "ebar", "mubar", "taubar")
_TABLES = {
    "energy": "R[true, reco]: a row a true bin (sampling point), a column a reconstructed bin",
    "nuflux": f"energy / GeV, then fluxes: {' '.join(_COLUMNS)}",
    "cross": f"log10(energy / GeV), then cross-section / energy: {' '.join(_COLUMNS)}",
}
_FILES = {"nuflux": "flux_file", "flux": "flux_file", "cross": "cross_file"}
_NAMES = {
    "": "version citation parent_energy target_mass sampling_points sampling_min sampling_max sampling_stepsize bins binsize emin emax "
    "baseline profiletype densitysteps densitytab lengthtab filter_state filter_value",
    "nuflux": "flux_file builtin time power stored_muons parent_energy norm gamma end_point stored_ions",
    "cross": "cross_file",
    "energy": "energy type sigma_e sigma_function",
    "channel": "channel pre_smearing_efficiencies post_smearing_efficiencies pre_smearing_background post_smearing_background",
    "rule": "signal background signalerror backgrounderror backgroundcenter errordim_sys_on errordim_sys_off sys_on_function "
    "sys_off_function sys_on_errors sys_off_errors sys_on_multiex_errors_sig sys_on_multiex_errors_bg sys_off_multiex_errors_sig "
    "sys_off_multiex_errors_bg energy_window",
    "sys": "error error_list energy_list",
}
_NAMES["flux"] = _NAMES["nuflux"]
_STORED: dict[str, tuple[type, ...]] = {
    "files": (dict, str),
    "settings": (dict, object),
    "variables": (dict, float),
    "lists": (dict, np.ndarray),
    "environments": (dict, dict, dict, object),
    "tables": (dict, dict, str),
}
_NUMBERS = re.compile(r"[\s,]+")


@dataclass(frozen=True, repr=False)
class GlobesConfiguration:
    """All that the files of a GLoBES experiment define, by name without ``$``, ``%``, ``@`` and ``#``.

    Attributes
    ----------
    source : str
        Name of the first file, which includes all others.
    files : dict of str to str
        SHA-256 of every file that was read, by name.
    settings : dict of str to Value
        ``$name``: a number, a text, or an array.
    variables : dict of str to float
        Constants of the files, and those passed to `read`.
    lists : dict of str to ndarray
        ``%name``.
    environments : dict of str to dict of str to dict of str to Value
        ``@name`` by kind (`nuflux`, `cross`, `energy`, `channel`, `rule`, `sys`) and name of the environment. Numbers between colons are an array
        (``energy_window``), terms ``0.5@#name`` a list of ``[0.5, "name"]``, lists of names lists of texts; `channel` has its six fields as texts.
    matrices : dict of str to ndarray, shape (n_true, n_reco)
        ``@energy``, with one row for each sampling point.
    fluxes : dict of str to ndarray, shape (n, 7)
        Flux files; columns are the energy in GeV, and e, mu, tau, ebar, mubar, taubar.
    cross_sections : dict of str to ndarray, shape (n, 7)
        Cross-section files; columns are log10 of the energy in GeV, and cross-section over energy in that order.
    true_edges, reco_edges : ndarray or None
        Edges of sampling points and of reconstructed bins, in GeV; None if the files do not define them.
    notes : tuple of str
        Remarks on what was not understood, is defined twice, or is unusual.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("smear.inc").write_text("energy(#near)<@energy = {0,1,0.8,0.1}: {0,1,0.1,0.7};>")
    >>> _ = Path("toy.glb").write_text('''%!GLoBES
    ... MASS = 2 * 17
    ... $target_mass = MASS
    ... $bins = 2   $emin = 0   $emax = 4
    ... include "smear.inc"
    ... %seen = {0.5, 0.9}
    ... rule(#all)<@energy_window = 0.5 : 3>
    ... ''')
    >>> toy = GlobesConfiguration.read("toy.glb")
    >>> toy.settings["target_mass"], toy.matrices["near"].tolist()
    (34.0, [[0.8, 0.1], [0.1, 0.7]])
    >>> toy.environments["rule"]["all"]["energy_window"].tolist()
    [0.5, 3.0]
    >>> toy.write("toy")
    toy
      smearing matrices 1, fluxes 0, cross-sections 0, lists 1, channels 0, rules 1; configuration.json and 1 table (.csv)
    >>> GlobesConfiguration.read("toy") == toy
    True
    """

    source: str
    files: dict[str, str]
    settings: dict[str, Any]
    variables: dict[str, float]
    lists: dict[str, Array]
    environments: dict[str, dict[str, dict[str, Any]]]
    matrices: dict[str, Array]
    fluxes: dict[str, Array]
    cross_sections: dict[str, Array]
    true_edges: Array | None
    reco_edges: Array | None
    notes: tuple[str, ...]

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        *,
        base: str | os.PathLike[str] | None = None,
        constants: Mapping[str, float] | None = None,
    ) -> GlobesConfiguration:
        """Read the files of an experiment, or a folder that `write` made.

        Parameters
        ----------
        path : str or path
            The ``.glb`` file that includes all others; or the folder.
        base : str or path, optional
            Folder in which included files are looked for, and outside of which none is read; that of `path` if left out.
        constants : mapping of str to float, optional
            Values of constants that the files use but do not define, as ``glbDefineAEDLVariable`` sets them.

        Returns
        -------
        GlobesConfiguration

        Raises
        ------
        ValueError
            If the syntax of a file is wrong, an included file is missing or outside `base`, a name is not defined, or the length of
            a list does not fit the bins; the message says file and line.
        OSError
            If it cannot be read.
        """
        place = Path(path)
        if place.is_dir():
            place = place / CONFIGURATION
        stored = place.name == CONFIGURATION
        reader: Callable[..., GlobesConfiguration] = _stored if stored else _published
        settings = {} if stored else {"base": base, "constants": constants}
        configuration: GlobesConfiguration = read_from(reader, place, "globes", settings)[0]
        return configuration

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Exported:
        """Write a folder of plain files: ``configuration.json``, and a table of numbers (``.csv``) for each matrix, flux and cross-section.

        Parameters
        ----------
        folder : str or path
            Folder to make.
        overwrite : bool
            Replace the files of the same names in it.

        Returns
        -------
        Exported

        Raises
        ------
        OSError
            If it cannot be written, or exists already.
        """
        tables = self._tables()
        names = [f"{kind}_{name}.csv".lower() for kind, named in tables.items() for name in named]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            message = f"{self.source}: two names become the file {min(twice)} where large and small letters are one"
            raise ValueError(message)
        document = {
            "kind": KIND,
            "schema": _SCHEMA,
            "version": __version__,
            "source": self.source,
            "files": self.files,
            "settings": _plain(self.settings),
            "variables": self.variables,
            "lists": _plain(self.lists),
            "environments": _plain(self.environments),
            "tables": {
                kind: {name: f"{kind}_{name}.csv" for name in named}
                for kind, named in tables.items()
            },
            "true_edges": _plain(self.true_edges),
            "reco_edges": _plain(self.reco_edges),
            "notes": list(self.notes),
        }
        with folder_aside(folder, overwrite) as aside:
            for kind, named in tables.items():
                for name, table in named.items():
                    lines = [f"# {kind}(#{name}); {_TABLES[kind]}"]
                    lines += [",".join(map(repr, row)) for row in table.tolist()]
                    text = "\n".join(lines) + "\n"
                    (aside / f"{kind}_{name}.csv").write_text(text, encoding="utf-8", newline="")
            text = json.dumps(document, indent=1) + "\n"
            (aside / CONFIGURATION).write_text(text, encoding="utf-8", newline="")
        n = len(names)
        counts = [
            (len(self.matrices), "smearing matrices"),
            (len(self.fluxes), "fluxes"),
            (len(self.cross_sections), "cross-sections"),
            (len(self.lists), "lists"),
            *((len(self.environments.get(kind, ())), f"{kind}s") for kind in ("channel", "rule")),
        ]
        held = ", ".join(f"{words} {count}" for count, words in counts)
        files = f"{held}; {CONFIGURATION} and {n} table{'s' * (n != 1)} (.csv)"
        return Exported((Path(folder),), (files, *self.notes))

    def _tables(self) -> dict[str, dict[str, Array]]:
        return {"energy": self.matrices, "nuflux": self.fluxes, "cross": self.cross_sections}

    def to_dict(self) -> dict[str, Any]:
        """Give everything as lists, numbers and texts, in terms of JSON."""
        plain: dict[str, Any] = _plain(vars(self))
        return plain

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GlobesConfiguration):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        lines = [f"{self.source}: GLoBES configuration of {len(self.files)} files"]
        for words, edges in (
            ("true bins (sampling points)", self.true_edges),
            ("reconstructed bins", self.reco_edges),
        ):
            where = "not said" if edges is None else f"{edges[0]:g} to {edges[-1]:g} GeV"
            lines.append(f"  {0 if edges is None else edges.size - 1} {words}: {where}")
        for words, tables in (
            ("smearing matrices", self.matrices),
            ("fluxes", self.fluxes),
            ("cross-sections", self.cross_sections),
            ("lists", self.lists),
        ):
            held = ", ".join(f"{name} ({_shape(table)})" for name, table in tables.items())
            lines.append(f"  {len(tables)} {words}: {held or 'none'}")
        for kind, named in self.environments.items():
            if named:
                lines.append(f"  {len(named)} {kind}: {', '.join(named)}")
        for words, values in (("variables", self.variables), ("settings", self.settings)):
            held = ", ".join(f"{name} = {_short(value)}" for name, value in values.items())
            lines.append(f"  {len(values)} {words}: {held or 'none'}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def _shape(table: Array) -> str:
    return " x ".join(map(str, table.shape))


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.size} numbers" if value.size > 3 else str(value.tolist())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """Turn arrays into lists, as JSON has them."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _arrays(value: Any) -> Any:
    """Turn lists of numbers into arrays: the other way of `_plain`."""
    if isinstance(value, dict):
        return {name: _arrays(part) for name, part in value.items()}
    if isinstance(value, list):
        if all(isinstance(part, float) for part in value):
            return np.array(value, dtype=np.float64)
        return [_arrays(part) for part in value]
    return value


def _published(
    path: Path, *, base: str | os.PathLike[str] | None, constants: Mapping[str, float] | None
) -> GlobesConfiguration:
    """Read a ``.glb`` and all that it names."""
    sources = Sources(path, None if base is None else Path(base))
    content = aedl.defined(sources.tokens(), constants)
    edges = [_edges_or_none(of, content) for of in (aedl.sampling_edges, aedl.bin_edges)]
    notes = [*content.notes, *_unknown(content)]
    _check_names(content)
    matrices = {}
    for name, rows in content.matrices.items():
        _, elements = matrix_of(content, name, None if edges[0] is None else edges[0].size - 1)
        if edges[1] is not None and len(rows) != edges[1].size - 1:
            message = f"{rows[0].place}: energy(#{name}) has {len(rows)} rows for {edges[1].size - 1} bins"
            raise ValueError(message)
        notes += _odd_columns(name, rows, elements)
        matrices[name] = np.ascontiguousarray(elements.T)
    _check_lengths(content, *edges)
    tables: dict[str, dict[str, Array]] = {"flux_file": {}, "cross_file": {}}
    for kind, attribute in _FILES.items():
        for name, of in content.environments[kind].items():
            if attribute in of:
                token = content.tokens[kind, name, attribute]
                table = _table(sources, of[attribute], token)
                notes += _odd_table(f"{kind}(#{name})", of[attribute], table)
                tables[attribute][name] = table
            elif "builtin" not in of:
                notes.append(f"{kind}(#{name}) names no file (@{attribute})")
    return GlobesConfiguration(
        source=path.name,
        files=sources.digests,
        settings=content.settings,
        variables=content.variables,
        lists=content.lists,
        environments=content.environments,
        matrices=matrices,
        fluxes=tables["flux_file"],
        cross_sections=tables["cross_file"],
        true_edges=edges[0],
        reco_edges=edges[1],
        notes=tuple(notes),
    )


def _edges_or_none(of: Any, content: aedl.Definitions) -> Array | None:
    """Give edges; None where the files say nothing of bins."""
    if not {"bins", "binsize", "emin", "emax"} & set(content.settings):
        return None
    edges: Array = of(content.settings)
    return edges


def _unknown(content: aedl.Definitions) -> Iterator[str]:
    """Note names that the GLoBES manual does not have."""
    for (kind, name, attribute), token in content.tokens.items():
        names = _NAMES[kind].split()
        if token.kind == "setting" and attribute not in names:
            where = f"{kind}(#{name}): " if kind else ""
            yield f"{token.place}: {where}{token.text} is no name of the GLoBES manual{near(attribute, names)}, and is kept as it is"


def _check_names(content: aedl.Definitions) -> None:
    """Refuse names of environments that are not there."""
    for name, of in content.environments["channel"].items():
        fields = of.get("channel")
        if fields is None:
            message = f"channel(#{name}) has no @channel"
            raise ValueError(message)
        token = content.tokens["channel", name, "channel"]
        for k, kinds in ((0, ("nuflux", "flux")), (4, ("cross",)), (5, ("energy",))):
            _check_name(fields[k], kinds, content, token)
    for name, of in content.environments["rule"].items():
        for attribute, value in of.items():
            if not isinstance(value, list):
                continue
            token = content.tokens["rule", name, attribute]
            for part in value:
                if isinstance(part, list) and part and isinstance(part[0], float):
                    _check_name(part[1], ("channel",), content, token)
                elif isinstance(part, list):
                    for error in part:
                        _check_name(error, ("sys",), content, token)


def _check_name(name: str, kinds: tuple[str, ...], content: aedl.Definitions, token: Token) -> None:
    names = [other for kind in kinds for other in content.environments[kind]]
    if name not in names:
        message = f"{token.place}: {token.text} names #{name}, and there is no {kinds[0]}(#{name}){near(name, names)}"
        raise ValueError(message)


def _odd_columns(name: str, rows: list[aedl.Row], elements: Array) -> Iterator[str]:
    """Note columns that are no probabilities: GLoBES takes them, and so does a record."""
    sums = elements.sum(axis=0)
    for bad, words in (
        ((elements < 0.0).any(axis=0), "have negative numbers"),
        (sums > 1.0 + PRINTED, f"sum to more than 1, up to {sums.max():.6g}"),
    ):
        if bad.any():
            yield (
                f"{rows[0].place}: energy(#{name}): {int(bad.sum())} of {bad.size} columns {words}, the first is column "
                f"{int(np.argmax(bad))}"
            )


def _check_lengths(content: aedl.Definitions, true: Array | None, reco: Array | None) -> None:
    """Refuse efficiencies and backgrounds of channels that do not go with the bins."""
    for name, of in content.environments["channel"].items():
        for attribute, value in of.items():
            edges = {"pre": true, "post": reco}.get(attribute.partition("_")[0])
            n = value.size if isinstance(value, np.ndarray) else 0
            if edges is not None and n != edges.size - 1:
                token = content.tokens["channel", name, attribute]
                what = "sampling points" if edges is true else "bins"
                message = f"{token.place}: channel(#{name}): {token.text} is a list of {n} numbers for {edges.size - 1} {what}"
                raise ValueError(message)


def _table(sources: Sources, name: Any, token: Token) -> Array:
    """Read a table of numbers."""
    if not isinstance(name, str):
        message = f"{token.place}: {token.text} is the name of a file in quotes"
        raise ValueError(message)
    path = sources.locate(name, token)
    try:
        text = sources.text(path)
    except OSError as error:
        message = f"{token.place}: {shown(name)} cannot be read: {error.strerror}"
        raise ValueError(message) from None
    return _numbers_of(text, sources.name(path))


def _numbers_of(text: str, name: str) -> Array:
    """Read lines of as many numbers each, between blanks or commas."""
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}, line {number}"
        parts = [part for part in _NUMBERS.split(line.partition("#")[0]) if part]
        if not parts:
            continue
        rows.append([_table_number(part, where, column) for column, part in enumerate(parts, 1)])
        if len(rows[-1]) != len(rows[0]):
            message = f"{where}: {len(rows[-1])} numbers, where lines before have {len(rows[0])}"
            raise ValueError(message)
    if not rows:
        message = f"{name}: holds no numbers"
        raise ValueError(message)
    return np.array(rows)


def _table_number(text: str, where: str, column: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or "_" in text:
        message = f"{where}, column {column}: {shown(text)} is no finite number"
        raise ValueError(message)
    return value


def _odd_table(where: str, file: str, table: Array) -> Iterator[str]:
    """Note what is unusual in a table of fluxes or cross-sections."""
    if table.shape[1] != 1 + len(_COLUMNS):
        yield f"{file}: {where}: {table.shape[1]} columns; GLoBES has {1 + len(_COLUMNS)}, the energy and {', '.join(_COLUMNS)}"
    fall = np.flatnonzero(np.diff(table[:, 0]) <= 0.0)
    if fall.size:
        yield f"{file}: {where}: energies do not ascend at row {int(fall[0]) + 1}, counted from 0"
    if (table[:, 1:] < 0.0).any():
        i, j = (int(k) for k in np.argwhere(table[:, 1:] < 0.0)[0])
        yield f"{file}: {where}: row {i}, column {j + 1}, counted from 0, is negative"


def _stored(path: Path) -> GlobesConfiguration:
    """Read a folder that `GlobesConfiguration.write` made, from the file that names the others."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        message = f"no document of the kind {KIND!r}, which 'forefold import globes' writes"
        raise ValueError(message)
    if document.get("schema") != _SCHEMA:
        message = f"schema {document.get('schema')!r}; {_SCHEMA} is read"
        raise ValueError(message)
    parts = {name: _arrays(document[name]) for name in _STORED}
    for name, depth in _STORED.items():
        if not _nested(parts[name], depth):
            message = f"{name!r} does not hold what is written there"
            raise ValueError(message)
    tables = {
        kind: {
            name: _stored_table(path.parent, file) for name, file in parts["tables"][kind].items()
        }
        for kind in _TABLES
    }
    edges = [_arrays(document[name]) for name in ("true_edges", "reco_edges")]
    if any(limits is not None and not isinstance(limits, np.ndarray) for limits in edges):
        message = "'true_edges' or 'reco_edges' are no numbers"
        raise ValueError(message)
    return GlobesConfiguration(
        source=str(document["source"]),
        files=parts["files"],
        settings=parts["settings"],
        variables=parts["variables"],
        lists=parts["lists"],
        environments=parts["environments"],
        matrices=tables["energy"],
        fluxes=tables["nuflux"],
        cross_sections=tables["cross"],
        true_edges=edges[0],
        reco_edges=edges[1],
        notes=tuple(map(str, document["notes"])),
    )


def _nested(value: Any, depth: tuple[type, ...]) -> bool:
    """Tell whether a part of a document has these types from outside to inside; object is any of them."""
    good = isinstance(value, depth[0])
    return good and (len(depth) == 1 or all(_nested(part, depth[1:]) for part in value.values()))


def _stored_table(folder: Path, file: str) -> Array:
    if Path(file).name != file:
        message = f"{shown(file)} is no file of the folder"
        raise ValueError(message)
    (name,) = expand(folder / file)
    return _numbers_of(Path(name).read_text(encoding="utf-8"), file)
