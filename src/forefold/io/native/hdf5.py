"""HDF5: the columns of events and of particles as datasets, and offsets from one to the other.

Group `events`: one dataset a column, one value an event. Group `particles`: the same, one value a particle.
Dataset `offsets`: the particles of event i are those from `offsets[i]` to `offsets[i + 1]`. What is missing is
NaN, a flag that may be unknown is 1, 0 or -1, and `source` is the place of the input in the provenance. The
provenance is JSON in the dataset `provenance`; its short parts are attributes of the file, too.
"""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold.io import source as remote
from forefold.io.native.columns import Flat, Schema, file_name, nest, restored, stored_type
from forefold.io.native.metadata import NAME, About, Opened, damage, document, parsed
from forefold.io.native.sink import Checksums, FlatSink, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import awkward as ak
    from numpy.typing import NDArray

__all__ = ["MAGIC", "encode", "opened", "sink"]

MAGIC = b"\x89HDF\r\n\x1a\n"
_ROWS = 16384
_DENSE = 1100
_TEXT, _OFFSETS = "provenance", "offsets"


def _h5py(path: str) -> Any:
    """Import h5py, or say how to get it."""
    try:
        import h5py
    except ImportError as error:
        msg = f"{path}: HDF5 needs the package h5py; install it with: pip install 'forefold[hdf5]'"
        raise ModuleNotFoundError(msg, name="h5py") from error
    return h5py


class _Disk:
    """A file that keeps the first error of writing for later, and takes what follows without writing it.

    The HDF5 library leaves its objects half closed when a write fails: messages without end, then a segmentation fault.
    """

    def __init__(self, path: Path) -> None:
        self._raw = path.open("w+b", buffering=0)
        self._error: OSError | None = None
        self.read, self.seek, self.tell = self._raw.read, self._raw.seek, self._raw.tell

    def _unless_failed(self, action: Callable[[], object]) -> None:
        if self._error is None:
            try:
                action()
            except OSError as error:
                self._error = error

    def write(self, data: Any) -> int:
        """Write all of it."""
        rest = memoryview(data)

        def all_of_it() -> None:
            done = 0
            while done < len(rest):
                done += self._raw.write(rest[done:])

        self._unless_failed(all_of_it)
        return len(rest)

    def readinto(self, buffer: Any) -> int:
        """Read; zeros where nothing was written."""
        view = memoryview(buffer)
        n = self._raw.readinto(view) or 0
        view[n:] = bytes(len(view) - n)
        return len(view)

    def truncate(self, size: int) -> int:
        """Set the length."""
        self._unless_failed(lambda: self._raw.truncate(size))
        return size

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    @contextmanager
    def first_error(self) -> Iterator[None]:
        """Raise the first error of writing, if there was one, rather than what the library made of it."""
        try:
            yield
        except Exception:
            if self._error is None:
                raise
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Close the file."""
        self._unless_failed(self._raw.close)


class _Sink(FlatSink):
    """An HDF5 file that is being written."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(about)
        h5py = _h5py(about.path)
        self._disk = _Disk(path)
        self._file = h5py.File(self._disk, "w")

    def begin(self) -> None:
        """Make the datasets."""
        for name, kind in self.schema.event.items():
            self._column(f"events/{file_name(name)}", stored_type(kind))
        for name, kind in self.schema.particle.items():
            self._column(f"particles/{name}", stored_type(kind))
        self._column(_OFFSETS, np.dtype(np.int64))
        self._append(_OFFSETS, np.zeros(1, dtype=np.int64))

    def _column(self, name: str, dtype: np.dtype[Any]) -> None:
        self._file.create_dataset(
            name,
            shape=(0,),
            maxshape=(None,),
            chunks=(_ROWS,),
            dtype=dtype,
            compression="gzip",
            compression_opts=1,
            shuffle=True,
            fletcher32=True,
        )

    def _append(self, name: str, values: NDArray[Any]) -> None:
        dataset = self._file[name]
        n = len(dataset)
        dataset.resize((n + len(values),))
        dataset[n:] = values

    def put(
        self,
        event: dict[str, NDArray[Any]],
        particle: dict[str, NDArray[Any]],
        counts: NDArray[np.int64],
    ) -> None:
        """Append columns."""
        with self._disk.first_error():
            for name, values in event.items():
                self._append(f"events/{file_name(name)}", values)
            for name, values in particle.items():
                self._append(f"particles/{name}", values)
            self._append(_OFFSETS, self.particles + np.cumsum(counts))

    def finish(self) -> None:
        """Write the provenance and close the file."""
        with self._disk.first_error():
            self._describe()
            self._file.close()
            self._disk.close()

    def _describe(self) -> None:
        """Write the provenance."""
        text = np.frombuffer(document(self.about, **self.facts).encode(), dtype=np.uint8)
        self._file.create_dataset(_TEXT, data=text, chunks=text.shape, fletcher32=True)
        # Text of fixed length: the library can hang on damage in text of any length.
        self._file.attrs["format"] = np.bytes_(NAME)
        self._file.attrs["content"] = np.bytes_(self.about.content)
        for name in ("version", "card", "card_sha256", "axis", "rng"):
            value = self.about.provenance.get(name)
            if isinstance(value, str):
                self._file.attrs[name] = np.bytes_(value.encode())
            elif isinstance(value, int):
                self._file.attrs[name] = np.uint64(value)

    def abandon(self) -> None:
        """Close the file."""
        with suppress(OSError), self._disk.first_error():
            self._file.close()
        self._disk.close()


def sink(path: Path, about: About) -> _Sink:
    """Start a file."""
    return _Sink(path, about)


@contextmanager
def _complaints(path: str, what: str) -> Iterator[None]:
    """Turn what the library raises on damage into one line."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError, OverflowError) as error:
        if isinstance(error, PermissionError):
            raise
        raise damage(path, f"cannot read {what} ({str(error)[:120]})") from error


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open an HDF5 file that forefold wrote."""
    h5py = _h5py(path)
    size = remote.size(path)
    remote.need_parts(path)
    with ExitStack() as stack:
        source = stack.enter_context(remote.opened(path)) if remote.is_remote(path) else path
        with _complaints(path, "its header"):
            file = stack.enter_context(h5py.File(source, "r"))
        with _complaints(path, "its list of contents"):
            mine = _is_ours(file)
            contents = ", ".join(list(file)[:20])
        if not mine:
            msg = f"{path}: an HDF5 file that forefold did not write; it holds: {contents or 'nothing'}"
            raise ValueError(msg)
        with _complaints(path, f"the dataset {_TEXT}"):
            text = _dataset(file, _TEXT, size)[:]
        facts = parsed(path, text.tobytes())
        try:
            schema = Schema.ordered(facts)
        except ValueError as error:
            raise damage(path, error) from error
        columns = _checked(path, file, schema, facts, size)
        yield Opened(
            path,
            facts["content"],
            facts["provenance"],
            int(facts["events"]),
            lambda start, stop, chunk: _pieces(path, columns, schema, facts, start, stop, chunk),
        )


def _is_ours(file: Any) -> bool:
    """Look at the attribute `format`, if it is text of fixed length."""
    if "format" not in file.attrs or file.attrs.get_id("format").dtype.kind != "S":
        return False
    return bool(file.attrs["format"] == np.bytes_(NAME))


def _dataset(file: Any, name: str, size: int) -> Any:
    """Find a dataset of one dimension that can hold what it says."""
    dataset = file[name]
    if dataset.ndim != 1:
        msg = f"{name} has {dataset.ndim} dimensions"
        raise TypeError(msg)
    # gzip packs at most thousandfold: a longer dataset is made of nothing
    most = _DENSE * min(size, dataset.id.get_storage_size()) + _ROWS * 8
    if not math.isfinite(len(dataset)) or len(dataset) * dataset.dtype.itemsize > most:
        msg = f"{name} claims {len(dataset)} values"
        raise TypeError(msg)
    return dataset


def _checked(
    path: str, file: Any, schema: Schema, facts: dict[str, Any], size: int
) -> dict[str, Any]:
    """Take the datasets; all must be as long as the file says."""
    events, particles = facts.get("events"), facts.get("particles")
    lengths = {f"events/{file_name(name)}": events for name in schema.event}
    lengths |= {f"particles/{name}": particles for name in schema.particle}
    if not isinstance(events, int) or not isinstance(particles, int) or events < 1:
        raise damage(path, "its provenance does not say how many events there are")
    lengths[_OFFSETS] = events + 1
    columns = {}
    for name, wanted in lengths.items():
        with _complaints(path, f"the dataset {name}"):
            columns[name] = _dataset(file, name, size)
            length = len(columns[name])
        if length != wanted:
            raise damage(path, f"the dataset {name} has {length} values, {wanted} were written")
    return columns


def _pieces(
    path: str,
    columns: dict[str, Any],
    schema: Schema,
    facts: dict[str, Any],
    start: int,
    stop: int | None,
    chunk: int,
) -> Iterator[tuple[ak.Array, float]]:
    total = int(facts["events"])
    stop = total if stop is None else min(stop, total)
    words = facts.get("words")
    words = words if isinstance(words, dict) else {}
    checksums = Checksums()
    for first in range(start, stop, chunk):
        last = min(first + chunk, stop)
        where = f"events {first} to {last - 1}"
        with _complaints(path, where):
            bounds = columns[_OFFSETS][first : last + 1].astype(np.int64)
        counts = np.diff(bounds)
        if (counts < 0).any() or bounds[0] < 0 or bounds[-1] > facts["particles"]:
            raise damage(path, f"{where}: offsets that do not increase")
        if (first == 0 and bounds[0]) or (last == total and bounds[-1] != facts["particles"]):
            raise damage(path, f"{where}: offsets that leave particles out")
        low, high = int(bounds[0]), int(bounds[-1])
        event, particle = {}, {}
        try:
            with _complaints(path, where):
                for name, kind in schema.event.items():
                    values = columns[f"events/{file_name(name)}"][first:last]
                    event[name] = restored(name, values, kind, words.get(name))
                for name, kind in schema.particle.items():
                    values = columns[f"particles/{name}"][low:high]
                    particle[name] = restored(name, values, kind, words.get(name))
        except ValueError as error:
            if str(error).startswith(f"{path}: "):
                raise
            raise damage(path, f"{where}: {error}") from error
        flat = Flat(event, particle, counts)
        checksums.add_all(flat)
        yield nest(flat, vectors=facts["content"] == "events"), (last - start) / (stop - start)
    if (start, stop) == (0, total) and checksums.to_dict() != facts.get("crc32"):
        raise damage(path, "its columns are not those that were written (CRC-32 differs)")
