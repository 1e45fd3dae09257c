"""The folder of a job: what is to be done, and the parts that are.

``OUT.parts/manifest.json`` says what the job is. Part 7 is ``part-000007.arrow``; ``part-000007.json`` says what it
holds, with its SHA-256, and is written after it. Every file is written aside and renamed, so one that has its name is
whole, and a part that is made twice is the same file twice.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import stat
import uuid
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forefold.io.files import is_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["Folder", "digest"]

_MINE = re.compile(
    r"\.?(part-\d{6}\.(arrow|json)|manifest\.json|merging|lock)(\.[0-9a-f]{32}\.aside)?"
)
_CHECK = "check"


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Folder:
    """The folder beside an output that holds its parts while they are made.

    Parameters
    ----------
    out : str or Path
        Output; the folder is ``OUT.parts``.

    Examples
    --------
    >>> str(Folder("smeared.parquet").path)
    'smeared.parquet.parts'
    """

    def __init__(self, out: str | os.PathLike[str]) -> None:
        self.path = Path(f"{os.fspath(out)}.parts")
        self._held: Any = None

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """Whether a job was begun here.

        Raises
        ------
        OSError
            If a link stands here.
        """
        self._refuse_link()
        return self.path.is_dir() and any(self.path.iterdir())

    def lock(self) -> None:
        """Keep other jobs from this folder, until `unlock` or until this process ends, however it ends.

        Raises
        ------
        OSError
            If another job is at work here, or the lock is no file of its own.
        """
        if self._held is not None or find_spec("fcntl") is None:
            return
        import fcntl

        held = self._own("lock")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            who = held.read().strip()
            held.close()
            msg = f"{self}: another job is at work here{f' ({who})' if who else ''}; wait for it, or end it"
            raise OSError(msg) from None
        except OSError:  # a file system without locks
            held.close()
            return
        held.truncate(0)
        held.write(f"process {os.getpid()} on {platform.node()}\n")
        held.flush()
        self._held = held

    def _own(self, name: str) -> TextIO:
        """Open a file of this folder for reading and writing; it is made if need be, and never another under this name."""
        path = self.path / name
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            number = os.open(path, flags, 0o666)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            msg = f"{path}: is a link, which forefold did not make; remove it"
            raise OSError(msg) from None
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            os.close(number)
            msg = f"{path}: is no file of its own, and forefold did not make it; remove it"
            raise OSError(msg)
        return os.fdopen(number, "r+", encoding="utf-8")

    def _refuse_link(self) -> None:
        if self.path.is_symlink():
            msg = (
                f"{self}: is a link; a job makes its parts in a folder of its own: remove the link"
            )
            raise OSError(msg)

    def unlock(self) -> None:
        """Let others in."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def begin(self, manifest: dict[str, Any]) -> None:
        """Make the folder, and say what is to be done.

        Raises
        ------
        OSError
            If another job is at work here.
        """
        self._refuse_link()
        self.path.mkdir(exist_ok=True)
        try:
            self.lock()
            self._write("manifest.json", manifest)
        except OSError as error:
            if not is_full(error):
                raise
            if not (self.path / "manifest.json").exists():  # nothing to go on with
                self.remove()
            message = f"{self}: no space left to write it"
            raise OSError(message) from error

    def manifest(self) -> dict[str, Any] | None:
        """Read what is to be done; None if that was never said.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        return self._read("manifest.json")

    def part(self, number: int) -> Path:
        """Give the place of a part."""
        return self.path / f"part-{number:06d}.arrow"

    def done(self, number: int) -> dict[str, Any] | None:
        """Say what a part holds, if it is there and is what was written."""
        try:
            facts = self._read(f"part-{number:06d}.json")
            if facts is None or digest(self.part(number)) != facts.get("sha256"):
                return None
        except (FileNotFoundError, ValueError):
            return None
        return facts

    def note(self, number: int, facts: dict[str, Any]) -> None:
        """Say what a part holds, which makes it done."""
        self._write(f"part-{number:06d}.json", facts)

    @contextmanager
    def aside(self, target: Path) -> Iterator[Path]:
        """Give a file that takes the place of `target` when all went well."""
        path = target.with_name(f".{target.name}.{uuid.uuid4().hex}.aside")
        try:
            yield path
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            path.replace(target)
        except OSError as error:
            if is_full(error):
                message = f"{target}: no space left to write it"
                raise OSError(message) from error
            raise
        finally:
            path.unlink(missing_ok=True)

    def merge(self) -> None:
        """Note that the output may appear under its name from now on."""
        self._own("merging").close()

    def merges(self) -> bool:
        """Whether that was noted."""
        return (self.path / "merging").exists()

    def remove(self) -> None:
        """Remove what a job made here, the manifest last; other files stay, and then the folder too.

        Raises
        ------
        OSError
            If something else is in the folder.
        """
        if not self.path.is_dir():
            return
        mine = [path for path in self.path.iterdir() if _MINE.fullmatch(path.name)]
        for path in sorted(mine, key=lambda path: path.name == "manifest.json"):
            path.unlink(missing_ok=True)
        other = [path.name for path in self.path.iterdir()]
        if other:
            msg = (
                f"{self}: holds {other[0]}, which forefold did not make; remove the folder yourself"
            )
            raise OSError(msg)
        self.path.rmdir()
        self.unlock()

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict) or content.pop(_CHECK, None) != _checksum(content):
                raise ValueError
        except ValueError:
            msg = f"{path}: damaged, or changed by hand; --overwrite begins the job anew"
            raise ValueError(msg) from None
        return content

    def _write(self, name: str, facts: dict[str, Any]) -> None:
        checked = {**facts, _CHECK: _checksum(facts)}
        with self.aside(self.path / name) as aside:
            aside.write_text(json.dumps(checked) + "\n", encoding="utf-8")


def _checksum(facts: dict[str, Any]) -> str:
    """Take the SHA-256 of what a file of the folder says: a manifest of which parts are missing would lose their events."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
