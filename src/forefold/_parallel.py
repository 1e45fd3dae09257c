"""Who does the work: processes of this machine, a Dask cluster, or anything with `map`."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import warnings
from collections import deque
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Crew", "Executor", "crew", "in_order"]

_WINDOW = 256
_DEATHS = 3
_SECONDS = 20
_LOOK = 5.0  # seconds between two looks at the workers of a cluster
_PATIENCE = 600.0  # seconds: batch systems take some minutes to start another worker
_DASK = (
    "a Dask cluster needs the package distributed; install it with: pip install 'forefold[dask]'"
)


class Executor(Protocol):
    """What can be given as `executor`."""

    def map(self, function: Callable[..., Any], /, *iterables: Any) -> Any:
        """Apply a function to each; gives the results in order, or futures of them."""
        ...


class Crew(Protocol):
    """Applies a function to tasks and gives the results in their order."""

    def __call__(
        self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
    ) -> Iterator[Any]:
        """Do it."""
        ...


@contextmanager
def crew(
    executor: Executor | None = None, workers: int | None = None, cluster: str | None = None
) -> Iterator[Crew]:
    """Get those who do the work.

    Parameters
    ----------
    executor : object with `map`, optional
        Of `concurrent.futures`, `dask.distributed.Client`, of `mpi4py.futures`, or one like these. It stays open.
    workers : int, optional
        Processes to be started on this machine.
    cluster : str, optional
        Address of the scheduler of a Dask cluster, such as ``tcp://host:8786``.

    Yields
    ------
    callable
        See `Crew`.

    Raises
    ------
    ValueError
        If not exactly one is given, or there are to be no workers.
    ModuleNotFoundError
        If a cluster is asked for and the package for it is not installed.
    OSError
        If the scheduler does not answer.
    """
    if sum(given is not None for given in (executor, workers, cluster)) != 1:
        msg = "give one of executor, workers and cluster"
        raise ValueError(msg)
    if cluster is not None:
        with _client(cluster) as client:
            yield _of(client)
    elif executor is not None:
        if not hasattr(executor, "map"):
            msg = f"executor: an object with map is expected, found {type(executor).__name__}"
            raise ValueError(msg)
        yield _of(executor)
    else:
        with _processes(workers or 0) as found:
            yield found


def _of(executor: Executor) -> Crew:
    def run(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        try:
            yield from in_order(executor, function, tasks)
        except BrokenExecutor as error:
            msg = f"a worker of the executor died ({error}); what is done stays done: --resume goes on"
            raise OSError(msg) from error

    return run


def in_order(
    executor: Any, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
) -> Iterator[Any]:
    """Apply a function to tasks, and give the results in the order of the tasks.

    Parameters
    ----------
    executor : object with `map`
    function : callable
    tasks : sequence of tuples
        Arguments.

    Yields
    ------
    object
        Results. When the caller stops, what has not begun is cancelled.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(in_order(pool, pow, [(2, 3), (3, 2)]))
    [8, 9]
    """
    if not tasks:
        return
    if hasattr(executor, "starmap") and not hasattr(executor, "submit"):
        # the second argument of a multiprocessing.Pool's map is another one
        yield from executor.starmap(function, tasks, 1)
        return
    if not hasattr(executor, "submit"):
        for result in executor.map(function, *map(list, zip(*tasks, strict=True))):
            yield result.result() if hasattr(result, "result") else result
        return
    # dask would take a task of the same name for done
    dask = type(executor).__module__.split(".", maxsplit=1)[0] == "distributed"
    options = {"pure": False, "retries": _DEATHS} if dask else {}
    result_of: Callable[[Any], Any] = _DaskResults(executor) if dask else _result
    waiting: deque[Any] = deque()
    try:
        for task in tasks:
            if len(waiting) >= _WINDOW:
                yield result_of(waiting.popleft())
            waiting.append(executor.submit(function, *task, **options))
        while waiting:
            yield result_of(waiting.popleft())
    finally:
        for future in waiting:
            future.cancel()


def _result(future: Any) -> Any:
    return future.result()


class _DaskResults:
    """Wait for results of a Dask cluster, and say what happens to it: it tells nobody that its last worker is gone."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._had_workers, self._alone = bool(client.ncores()), False
        self._since = time.monotonic()

    def __call__(self, future: Any) -> Any:
        while True:
            try:
                return future.result(timeout=_LOOK)
            except TimeoutError:
                if future.done():  # the task itself raised it
                    return future.result()
                self._look()
            except Exception as error:
                if type(error).__module__.partition(".")[0] != "distributed":
                    raise
                reason = " ".join(str(error).split()).partition(". ")[0]
                message = f"the Dask cluster was lost: {reason[:200]}"
                raise OSError(message) from error

    def _look(self) -> None:
        """Warn when the cluster has no worker; one that had some and stays without them ends the job."""
        if self._client.status != "running":  # the client tries to reach its scheduler again
            return
        if self._client.ncores():
            self._had_workers, self._alone = True, False
            return
        if not self._alone:
            self._alone, self._since = True, time.monotonic()
            most = f" at most {_PATIENCE / 60:g} minutes" if self._had_workers else ""
            message = f"the Dask cluster has no worker; the job waits{most} for one"
            warnings.warn(message, UserWarning, stacklevel=2)
        elif self._had_workers and time.monotonic() - self._since > _PATIENCE:
            message = f"the Dask cluster has had no worker for {_PATIENCE / 60:g} minutes"
            raise OSError(message)


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """Keep loggers from showing tracebacks of what becomes one line."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to a Dask cluster."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ModuleNotFoundError(_DASK, name="distributed") from error
    _check_address(address)
    try:
        client = distributed.Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        msg = f"{address}: no Dask scheduler answers there ({' '.join(str(error).split())[:120]})"
        raise OSError(msg) from error
    with _silent("distributed", "distributed.client", "distributed.core", "tornado"), client:
        yield client


def _check_address(address: str) -> None:
    """Look whether somebody answers, before a client is made that goes on trying when nobody wants it."""
    parts = urlsplit(address)
    if parts.scheme != "tcp":
        return
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_SECONDS):
            pass
    except (OSError, ValueError) as error:
        msg = f"{address}: no Dask scheduler answers there ({error})"
        raise OSError(msg) from error


@contextmanager
def _processes(workers: int) -> Iterator[Crew]:
    """Start processes, which end with this one, however it ends."""
    if workers < 1:
        msg = f"workers = {workers}: must be at least one process"
        raise ValueError(msg)
    pool = _Pool(workers)
    try:
        yield pool
    except BaseException:
        pool.stop()
        raise
    else:
        pool.close()


class _Pool:
    """Processes that are started again when one dies."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._start()

    def _start(self) -> None:
        # fork would copy the threads' locks of numba and arrow, but not the threads
        context = get_context("spawn")
        self._mine, theirs = context.Pipe()
        self._executor = ProcessPoolExecutor(
            self._workers, mp_context=context, initializer=_begin, initargs=(theirs,)
        )
        self._theirs = theirs

    def __call__(
        self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
    ) -> Iterator[Any]:
        at = deaths = 0
        while at < len(tasks):
            try:
                for result in in_order(self._executor, function, tasks[at:]):
                    yield result
                    at += 1
                    deaths = 0
            except BrokenExecutor as error:
                deaths += 1
                if deaths > _DEATHS:
                    msg = (
                        f"a worker process died {deaths} times in a row (was it out of memory? in a script, is what "
                        "it does under `if __name__ == '__main__':`?); what is done stays done: --resume goes on"
                    )
                    raise OSError(msg) from error
                self.stop()
                self._start()

    def stop(self) -> None:
        """End the processes now."""
        self._mine.close()
        self._theirs.close()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """End the processes when they have nothing to do."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._mine.close()
        self._theirs.close()


def _begin(pipe: connection.Connection) -> None:
    """Prepare a process: one thread, no share in Ctrl-C, and an end when the parent ends or says so."""
    import signal

    for name in ("FOREFOLD_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_watch, args=(pipe, parent.sentinel), daemon=True).start()


def _watch(pipe: connection.Connection, parent: int) -> None:
    """End this process when there is nobody for whom it works."""
    connection.wait([pipe, parent])
    os._exit(1)
