"""Export and import of response matrices by the name of the format."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.events.particles import near
from forefold.io.files import expand, from_home
from forefold.io.source import local

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from forefold.matrix import ResponseMatrix
    from forefold.matrix.formats.common import Exported

__all__ = [
    "FORMATS",
    "READABLE",
    "UnknownSetting",
    "check_settings",
    "export_matrix",
    "import_matrix",
    "read_from",
    "settings_of",
]

FORMATS = {
    "globes": "GLoBES, a smearing matrix to include in a .glb",
    "snowglobes": "SNOwGLoBES, smear_CHANNEL_DETECTOR.dat and effic_CHANNEL_DETECTOR.dat",
    "root": "ROOT, a TH2D with x true and y reconstructed",
    "roounfold": "RooUnfold, response, measured and truth",
    "tunfold": "TUnfold, one TH2D with its flow bins",
    "remu": "ReMU, .npz",
    "ogip": "OGIP, an RMF and an ARF (FITS)",
    "pyhf": "pyhf, a workspace",
    "correctionlib": "correctionlib, efficiency and migration",
    "hepdata": "HEPData, a submission folder",
    "uhi": "UHI, one histogram of probabilities",
}
READABLE = tuple(name for name in FORMATS if name != "pyhf")
_FOLDERS = ("hepdata",)
_FIRST = ("matrix", "path")


def _module(requested: str, allowed: tuple[str, ...]) -> tuple[str, Any]:
    """Give the name of a format in small letters, and its module."""
    name = requested.lower()
    if name not in allowed:
        if name in FORMATS:
            message = f"format {requested!r} is written, not read: it has a folded spectrum, and no matrix; {', '.join(allowed)} are read"
            raise ValueError(message)
        message = (
            f"format {requested!r}{near(name, list(allowed))}: {', '.join(allowed)} are possible"
        )
        raise ValueError(message)
    return name, import_module(f"forefold.matrix.formats.{name}")


def settings_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Give the names of the settings of a writer or reader."""
    return tuple(name for name in inspect.signature(function).parameters if name not in _FIRST)


class UnknownSetting(ValueError):
    """Error about a setting that a format does not have.

    Attributes
    ----------
    format, setting : str
        Name of the format and the unknown setting.
    allowed : tuple of str
        Settings of the format.
    """

    def __init__(self, format: str, setting: str, allowed: tuple[str, ...]) -> None:
        self.format, self.setting, self.allowed = format, setting, allowed
        has = f"it has {', '.join(allowed) or 'none'}"
        super().__init__(
            f"{format} has no setting {setting!r}{near(setting, list(allowed))}; {has}"
        )


def check_settings(function: Callable[..., Any], name: str, settings: dict[str, Any]) -> None:
    """Refuse settings that a writer or reader does not have."""
    allowed = settings_of(function)
    wrong = [setting for setting in settings if setting not in allowed]
    if wrong:
        raise UnknownSetting(name, wrong[0], allowed)


def export_matrix(
    matrix: ResponseMatrix,
    path: str | os.PathLike[str],
    format: str,
    *,
    overwrite: bool = False,
    **settings: Any,
) -> Exported:
    """Write a response matrix in the format of another tool.

    Parameters
    ----------
    matrix : ResponseMatrix
        The matrix R[true, reco]; it is transposed where the format has the other order.
    path : str or path
        File to make, or folder (``hepdata``). It appears complete or not at all.
    format : str
        ``globes``, ``snowglobes``, ``root``, ``roounfold``, ``tunfold``, ``remu``, ``ogip``, ``pyhf``, ``correctionlib``, ``hepdata`` or ``uhi``.
    overwrite : bool
        Replace files that are there.
    **settings
        Options of the format, see the functions ``write`` in `forefold.formats`, such as ``name`` of ``globes``, ``area`` of ``ogip``, ``signal`` and
        ``background`` of ``pyhf``.

    Returns
    -------
    Exported
        Files that were written, and notes on what the format cannot hold.

    Raises
    ------
    ValueError
        If the format or a setting is not known, or the format cannot hold this matrix; the message says why.
    OSError
        If the file cannot be written.

    See Also
    --------
    import_matrix : the other way.

    Examples
    --------
    >>> import forefold
    >>> matrix = forefold.ResponseMatrix.from_array([[0.5, 0.25], [0.0, 0.5]], {"enu": [0, 1, 2]}, {"enu": [0, 1, 2]})
    >>> forefold.export_matrix(matrix, "near.dat", "globes", name="near")
    near.dat
      give channels of #near: @pre_smearing_efficiencies = copy(%near_efficiency)
    >>> forefold.import_matrix("near.dat", "globes").matrix.tolist()
    [[0.5, 0.25], [0.0, 0.5]]
    """
    format, module = _module(format, tuple(FORMATS))
    check_settings(module.write, format, settings)
    exported: Exported = module.write(
        matrix, Path(from_home(path)), overwrite=overwrite, **settings
    )
    return exported


def import_matrix(path: str | os.PathLike[str], format: str, **settings: Any) -> ResponseMatrix:
    """Read a response matrix from a file of another tool, or a published one.

    Parameters
    ----------
    path : str or path
        File, or folder for ``hepdata``.
    format : str
        As in `export_matrix`, except ``pyhf``.
    **settings
        Options of the format, see the functions ``read`` in `forefold.formats`, such as ``orientation`` of ``root``, ``true`` and ``reco`` of
        ``snowglobes``.

    Returns
    -------
    ResponseMatrix
        Without uncertainties, unless the format holds counts (``root``, ``roounfold``, ``tunfold``) or the file has errors (``hepdata``, ``uhi``, see
        `ResponseMatrix.errors_given`). Its `provenance` has format, file and SHA-256.

    Raises
    ------
    ValueError
        If the format or a setting is not known, or the file is damaged or of another format; the message names the file.
    OSError
        If it cannot be read.

    See Also
    --------
    import_spectrum : for a spectrum.
    matrix_response : a matrix as a `Response`.
    """
    format, module = _module(format, READABLE)
    check_settings(module.read, format, settings)
    matrix, place = read_from(module.read, path, format, settings)
    return _sourced(matrix, place, format)


def read_from(
    reader: Callable[..., Any],
    path: str | os.PathLike[str],
    format: str,
    settings: dict[str, Any],
) -> tuple[Any, Path]:
    """Read a file with the reader of a format; an error is one line that names the file."""
    name = from_home(path)
    if not (format in _FOLDERS and Path(name).is_dir()):
        (name,) = expand(name)
    try:
        return reader(Path(name), **settings), Path(name)
    except ValueError as error:
        message = f"{name}: {error}"
        raise ValueError(message) from None
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        # of a part that is there, and is not what the format says
        words = " ".join(f"{type(error).__name__} {error}".split())[:200]
        message = f"{name}: damaged, or not what {format} means: {words}"
        raise ValueError(message) from None


def _sourced(matrix: ResponseMatrix, path: Path, format: str) -> ResponseMatrix:
    """Note where a matrix comes from; a folder is its own table's business."""
    notes = {**matrix.provenance, "imported": format, "source": path.name}
    file = local(str(path))
    if file.is_file():
        notes["source_sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return type(matrix)(replace(matrix._contents, provenance=notes))
