"""Files of numpy arrays, ``.npz``: what is wrong with one is one line."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_npz"]

_ARCHIVE = b"PK"
# what zipfile, zlib and numpy's parser of headers raise on damaged files
_DAMAGE = (
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an ``.npz``; pickled objects are refused.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ValueError
        If it is none, or a damaged one.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from forefold.io.native.arrays import read_npz
    >>> np.savez("two.npz", a=[1.0, 2.0])
    >>> read_npz("two.npz")["a"].tolist()
    [1.0, 2.0]
    """
    try:
        # opened here: numpy leaves it open when it is no archive
        with Path(path).open("rb") as whole:
            _refuse_others(whole)
            with np.load(whole, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
    except OSError as error:
        if error.errno is not None:
            raise
        reason: BaseException = error
    except _DAMAGE as error:
        reason = error
    words = str(reason).splitlines()
    message = f"not an .npz of numbers: {words[0] if words else type(reason).__name__}"
    raise ValueError(message)


def _refuse_others(whole: IO[bytes]) -> None:
    """Refuse what is no archive before numpy takes it for pickled objects."""
    start = whole.read(len(_ARCHIVE))
    if start != _ARCHIVE:
        message = (
            f"an .npz is an archive (zip), and this begins with {start!r}"
            if start
            else "the file is empty"
        )
        raise ValueError(message)
    whole.seek(0)
