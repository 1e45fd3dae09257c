"""What a full simulation says of single particles: true values, and what was reconstructed of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import refuse_masked
from forefold.events import particles as species
from forefold.io.native.arrays import read_npz

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Pairs", "read_pairs"]

_ENERGIES = ("energy_true", "energy_reco")
_ROUNDED = 1e-4  # of the mass: generators have their own, and files are rounded
_ANGLES = ("theta_true", "phi_true", "theta_reco", "phi_reco", "space_angle")


@dataclass(frozen=True)
class Pairs:
    """Particles of a full simulation.

    Attributes
    ----------
    pdgid : ndarray of int64, shape (n,)
    energy_true, energy_reco : ndarray, shape (n,), GeV
        Total energies; NaN where a particle was not seen.
    theta_true, phi_true : ndarray, shape (n,), rad
        True direction to the axis; 0 where it is not known.
    theta_reco, phi_reco, space_angle : ndarray, shape (n,), rad, or None
        Reconstructed direction; angle between true and reconstructed direction.
    source : str
        Where they come from, with the SHA-256 of the file.
    """

    pdgid: NDArray[np.int64]
    energy_true: Array
    energy_reco: Array
    theta_true: Array
    phi_true: Array
    theta_reco: Array | None = None
    phi_reco: Array | None = None
    space_angle: Array | None = None
    source: str = "columns in memory"

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any], source: str = "columns in memory") -> Pairs:
        """Take named columns.

        Parameters
        ----------
        columns : mapping of str to array_like
            ``pdgid`` (or ``particle``: names), ``energy_true`` and ``energy_reco`` in GeV, where NaN or a missing
            value is a particle that was not seen; optionally angles in rad. Others are not looked at.
        source : str

        Returns
        -------
        Pairs

        Raises
        ------
        ValueError
            A column is missing, or has values that cannot be: a true energy below the mass, an infinite one, a reconstructed
            angle without the true one.

        Examples
        --------
        >>> columns = {"particle": ["mu-", "p"], "energy_true": [1.0, 1.2], "energy_reco": [1.1, None]}
        >>> pairs = Pairs.from_columns(columns)
        >>> pairs.pdgid.tolist(), pairs.seen.tolist()
        ([13, 2212], [True, False])
        """
        pdgid = _pdgid(columns, source)
        arrays = {name: _numbers(columns, name, source) for name in (*_ENERGIES, *_ANGLES)}
        for name in _ENERGIES:
            if arrays[name] is None:
                near = species.near(name, list(columns))
                message = f"{source}: no column {name}{near}; there are {', '.join(columns)}"
                raise ValueError(message)
        sizes = {name: a.size for name, a in arrays.items() if a is not None} | {
            "pdgid": pdgid.size
        }
        if len(set(sizes.values())) > 1 or pdgid.size == 0:
            message = f"{source}: columns of one length above 0 are needed, found {sizes}"
            raise ValueError(message)
        _check_angles(arrays, source)
        true, reco = arrays["energy_true"], arrays["energy_reco"]
        assert true is not None
        assert reco is not None
        _check_energies(pdgid, true, reco, source)
        zero = np.zeros(pdgid.size)
        for name in ("theta_true", "phi_true"):
            arrays[name] = zero if arrays[name] is None else arrays[name]
        return cls(pdgid=pdgid, source=source, **arrays)  # type: ignore[arg-type]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether each was seen."""
        return np.isfinite(self.energy_reco)

    def __len__(self) -> int:
        return int(self.pdgid.size)

    def rows(self, which: NDArray[Any]) -> Pairs:
        """Give some of the rows."""
        changed = {
            name: value[which]
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, **changed)

    def opening(self) -> Array | None:
        """Angle between true and reconstructed direction, rad, if the columns tell."""
        if self.space_angle is not None:
            return self.space_angle
        if self.theta_reco is None or self.phi_reco is None:
            return None
        one, other = (
            (t, f) for t, f in ((self.theta_true, self.phi_true), (self.theta_reco, self.phi_reco))
        )
        a, b = _unit(*one), _unit(*other)
        apart = np.sqrt(np.square(a - b).sum(axis=0))
        return np.asarray(2.0 * np.arctan2(apart, np.sqrt(np.square(a + b).sum(axis=0))))


def _check_angles(arrays: Mapping[str, Array | None], source: str) -> None:
    """Refuse a reconstructed angle of which the true one is not known: 0 would be taken for it."""
    for reco in ("theta_reco", "phi_reco"):
        true = reco.replace("reco", "true")
        if arrays[reco] is not None and arrays[true] is None:
            message = f"{source}: a column {reco}, but no {true}: both are needed"
            raise ValueError(message)


def _check_energies(pdgid: NDArray[np.int64], true: Array, reco: Array, source: str) -> None:
    """Refuse energies that no particle has, and name the first row that has one."""
    kinds, rows = np.unique(pdgid, return_inverse=True)
    mass = np.array([species.mass(int(kind)) for kind in kinds])[rows]
    least = mass * (1.0 - _ROUNDED)
    good = np.isfinite(true) & (true >= least)
    if not good.all():
        row = int(np.argmin(good))
        message = (
            f"{source}: row {row}: energy_true is {true[row]:g}; total energies from the mass on are allowed, for "
            f"particle {pdgid[row]} from {mass[row]:g} GeV"
        )
        raise ValueError(message)
    if np.isinf(reco).any():
        row = int(np.argmax(np.isinf(reco)))
        message = (
            f"{source}: row {row}: energy_reco is {reco[row]:g}; a finite number is allowed, or nothing (NaN) where the "
            "particle was not seen"
        )
        raise ValueError(message)


def _unit(theta: Array, phi: Array) -> Array:
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


def _pdgid(columns: Mapping[str, Any], source: str) -> NDArray[np.int64]:
    if "pdgid" in columns:
        refuse_masked(f"{source}: pdgid", columns["pdgid"])
        return np.asarray(columns["pdgid"], dtype=np.int64)
    if "particle" not in columns:
        message = (
            f"{source}: no column pdgid (or particle, with names); there are {', '.join(columns)}"
        )
        raise ValueError(message)
    names, rows = np.unique(np.asarray(columns["particle"], dtype=str), return_inverse=True)
    return np.array([species.pdgid(str(name)) for name in names], dtype=np.int64)[rows]


def _numbers(columns: Mapping[str, Any], name: str, source: str) -> Array | None:
    if name not in columns:
        return None
    values = columns[name]
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{source}: column {name} holds something that is no number"
        raise ValueError(message) from None


def read_pairs(path: str | Path) -> Pairs:
    """Read pairs from a table with named columns: .csv (.csv.gz), .parquet or .npz.

    Parameters
    ----------
    path : str or Path
        See `Pairs.from_columns` for the columns; the csv that ``forefold smear`` writes is such a table.

    Returns
    -------
    Pairs
        With the name of the file and its SHA-256 as `Pairs.source`.

    Raises
    ------
    ValueError
        Not such a table.
    OSError
        It cannot be read.
    """
    place = Path(path)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    source = f"{place.name}, SHA-256 {digest}"
    try:
        columns = _columns(place)
    except (ValueError, KeyError) as error:
        message = f"{place}: not a table: {' '.join(str(error).split())}"
        raise ValueError(message) from None
    try:
        return Pairs.from_columns(columns, source)
    except ValueError as error:
        raise ValueError(str(error).replace(source, str(place))) from None


def _columns(place: Path) -> dict[str, Any]:
    name = place.name.lower()
    if name.endswith(".npz"):
        return read_npz(place)
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq

        table = pq.read_table(place)
    elif name.endswith((".csv", ".csv.gz")):
        from pyarrow import csv

        table = csv.read_csv(place)
    else:
        message = "the name ends in .csv, .csv.gz, .parquet or .npz"
        raise ValueError(message)
    wanted = [c for c in ("pdgid", "particle", *_ENERGIES, *_ANGLES) if c in table.column_names]
    arrays = {key: table[key].to_numpy(zero_copy_only=False) for key in wanted}
    return arrays or dict.fromkeys(table.column_names)
