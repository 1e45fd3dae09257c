"""A folder of results that appears when all of it is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forefold.io.files import from_home, is_full
from forefold.io.write import put_together

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["folder_aside"]


@contextmanager
def folder_aside(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `path` when all goes well.

    Parameters
    ----------
    path : str or path
        Folder to make.
    overwrite : bool
        If the folder exists, replace the files in it that have the same names; others stay.

    Yields
    ------
    Path
        Empty temporary folder beside it, for files.  After an exception it is removed and `path` stays as it was.

    Raises
    ------
    FileNotFoundError
        If the folder to make it in is missing.
    FileExistsError
        If there is such a folder and `overwrite` is False, or if `path` is a file.
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from forefold.io.folders import folder_aside
    >>> with tempfile.TemporaryDirectory() as top:
    ...     with folder_aside(Path(top, "plots")) as aside:
    ...         _ = Path(aside, "a.txt").write_text("1")
    ...     [file.name for file in Path(top, "plots").iterdir()]
    ['a.txt']
    """
    target = Path(from_home(path)).absolute()
    if target.exists() and not target.is_dir():
        message = f"{path}: exists and is a file; give the name of a folder"
        raise FileExistsError(message)
    if target.exists() and not overwrite:
        message = f"{path}: exists already; --overwrite (overwrite=True) replaces the files in it"
        raise FileExistsError(message)
    if not target.parent.is_dir():
        message = f"{path}: the folder {target.parent} does not exist; make it first"
        raise FileNotFoundError(message)
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise type(error)(message) from error
    try:
        yield aside
        # mkdtemp is private to its maker; the folder gets the permissions of any new one
        aside.chmod(0o777 & ~_umask())
        if target.exists():
            put_together([(file, target / file.name) for file in sorted(aside.iterdir())])
        else:
            aside.replace(target)
    except OSError as error:
        if is_full(error):
            message = f"{path}: no space left to write it; nothing was written"
            raise OSError(message) from error
        if str(aside) not in str(error):
            raise
        reason = error.strerror or str(error).replace(str(aside), str(path))
        message = f"{path}: cannot be written: {reason}"
        raise type(error)(message) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
