"""Jobs of real processes: workers that die, jobs that are killed, clusters. One hash."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fewer import fewer_gst
from shuffled import digest

import forefold
from forefold import _parallel

CARD = "nusmear-dune-cdr"
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="children of a process are found in /proc"
)


@pytest.fixture(scope="module")
def many(gst_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Write eight files of some events each."""
    folder = tmp_path_factory.mktemp("many")
    paths = [folder / f"run{i}.gst.root" for i in range(8)]
    return [str(fewer_gst(gst_file, path, 30 * i, 30 * i + 60)) for i, path in enumerate(paths)]


@pytest.fixture(scope="module")
def wanted(many: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Hash of what one process writes."""
    out = tmp_path_factory.mktemp("one") / "one.parquet"
    forefold.smear_files(many, CARD, out, rng=1)
    return digest(out)


def start(many: list[str], out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a job in a process group of its own."""
    command = [sys.executable, "-m", "forefold", "smear", *many, "-d", CARD, "--rng", "1"]
    return subprocess.Popen(
        [*command, "-o", str(out), "--workers", "2", *more],
        start_new_session=True,
        stderr=subprocess.PIPE,
    )


def wait_for_parts(out: Path, process: subprocess.Popen[bytes], number: int = 1) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        if len(list(Path(f"{out}.parts").glob("part-*.json"))) >= number:
            return
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    """Processes that this one started, without the one that keeps count of what they share."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    found = [int(word) for word in text.split()]
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_workers(workers: int, many: list[str], wanted: str, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    tally = forefold.smear_files(many, CARD, out, rng=1, workers=workers)
    assert (tally.events, digest(out)) == (480, wanted)


@pytest.mark.slow
def test_matrix_on_the_command_line(
    many: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from forefold.cli import main

    paths = [str(tmp_path / name) for name in ("one.json", "two.json")]
    command = ["matrix", *many, "-d", CARD, "--rng", "1", "--bins", "20", "-o"]
    assert main([*command, paths[0]]) == 0
    assert main([*command, paths[1], "--workers", "2"]) == 0
    assert Path(paths[0]).read_text() == Path(paths[1]).read_text()
    assert main([*command, paths[1], "--resume"]) == 0  # it is done
    assert main([*command, "-", "--workers", "2"]) == 2
    assert "give -o OUT" in capsys.readouterr().err


@pytest.mark.slow
@needs_proc
def test_a_worker_that_is_killed(many: list[str], wanted: str, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    process = start(many, out)
    wait_for_parts(out, process)
    if process.poll() is None and (found := children(process.pid)):
        os.kill(found[0], signal.SIGKILL)
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error.decode()
    assert digest(out) == wanted


@pytest.mark.slow
def test_kill_and_resume(many: list[str], wanted: str, tmp_path: Path) -> None:
    """The whole group is killed at random moments; nothing half-written has the output's name."""
    out = tmp_path / "out.parquet"
    moments = random.Random(1)
    for parts in (1, 4):
        process = start(many, out, "--resume")
        wait_for_parts(out, process, parts)
        time.sleep(moments.uniform(0.0, 0.2))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not out.exists() or digest(out) == wanted
    process = start(many, out, "--resume")
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error.decode()
    assert digest(out) == wanted
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out.parquet", "out.parquet.manifest.json"]


@pytest.mark.slow
@needs_proc
def test_interrupt(many: list[str], wanted: str, tmp_path: Path) -> None:
    """Ctrl-C ends the workers, leaves the parts, and says so."""
    out = tmp_path / "out.parquet"
    process = start(many, out)
    wait_for_parts(out, process)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=120)
    if process.returncode == 0:  # it was faster
        assert digest(out) == wanted
        return
    assert process.returncode == 130
    assert error.decode().strip().endswith("--resume goes on")
    assert not out.exists()
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert Path(f"{out}.parts").is_dir()


@pytest.mark.slow
def test_an_error_is_one_line(many: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("event,pdgid,px,py,pz,energy\n1,13,0,0,1,-1.1\n")
    process = start([str(bad), *many], tmp_path / "out.parquet", "-q")
    _, error = process.communicate(timeout=240)
    assert process.returncode == 2
    assert error.decode().count("\n") == 1
    assert "bad.csv: entry 0" in error.decode()


@pytest.mark.slow
def test_two_dask_workers(many: list[str], wanted: str, tmp_path: Path) -> None:
    """Two workers of a Dask cluster, given as an address and as a client; one of them is ended half-way."""
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "out.parquet"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        forefold.smear_files(many, CARD, out, rng=1, cluster=cluster.scheduler_address)
        assert digest(out) == wanted
        with distributed.Client(cluster, set_as_default=False) as client:
            pids = client.run(os.getpid)

            def kill_one(_: float | None, events: int) -> None:
                if pids and events:
                    os.kill(pids.popitem()[1], signal.SIGKILL)

            forefold.smear_files(
                many, CARD, out, rng=1, executor=client, overwrite=True, progress=kill_one
            )
        assert digest(out) == wanted


class _Cluster:
    """A Dask client whose futures wait until its workers, listed by look, have come to an answer."""

    status = "running"

    def __init__(self, *workers: int) -> None:
        self.workers = list(workers)

    def ncores(self) -> dict[str, int]:
        n = self.workers.pop(0) if len(self.workers) > 1 else self.workers[0]
        return dict.fromkeys(map(str, range(n)), 1)


class _Future:
    def __init__(self, cluster: _Cluster, error: Exception | None = None) -> None:
        self.cluster, self.error = cluster, error

    def done(self) -> bool:
        return self.error is not None

    def result(self, **_: float) -> str:
        if self.error is not None:
            raise self.error
        if self.cluster.workers[0] > 1:
            return "done"
        raise TimeoutError


def test_a_cluster_without_workers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parallel, "_PATIENCE", 60.0)
    gone = _Cluster(1, 0, 0, 2)
    with pytest.warns(UserWarning, match="has no worker; the job waits at most 1 minutes") as said:
        assert _parallel._DaskResults(gone)(_Future(gone)) == "done"
    assert len(said) == 1
    queued = _Cluster(0, 0, 2)
    with pytest.warns(UserWarning, match="has no worker; the job waits for one"):
        assert _parallel._DaskResults(queued)(_Future(queued)) == "done"
    monkeypatch.setattr(_parallel, "_PATIENCE", 0.0)
    lost = _Cluster(1, 0)
    with (
        pytest.warns(UserWarning, match="has no worker"),
        pytest.raises(OSError, match="has had no worker for 0 minutes"),
    ):
        _parallel._DaskResults(lost)(_Future(lost))


def test_errors_of_a_cluster_are_one_line_and_those_of_a_task_its_own() -> None:
    cluster = _Cluster(1)
    results = _parallel._DaskResults(cluster)
    with pytest.raises(TimeoutError, match="of the task"):
        results(_Future(cluster, TimeoutError("of the task")))
    lost = type("Cancelled", (Exception,), {"__module__": "distributed.client"})
    with pytest.raises(OSError, match=r"^the Dask cluster was lost: part-1 cancelled$"):
        results(_Future(cluster, lost("part-1 cancelled. Client lost\nthe connection.")))


def test_no_scheduler(many: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("forefold._parallel._SECONDS", 0.5)
    with pytest.raises(OSError, match="no Dask scheduler answers there"):
        forefold.smear_files(many, CARD, tmp_path / "o.csv", cluster="tcp://127.0.0.1:9")


def test_without_distributed(
    many: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'forefold\[dask\]'"):
        forefold.smear_files(many, CARD, tmp_path / "o.csv", cluster="tcp://127.0.0.1:9")


def test_a_process_pool_of_the_user_that_breaks(many: list[str], tmp_path: Path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with (
        ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=os._exit, initargs=(1,)
        ) as pool,
        pytest.raises(OSError, match="a worker of the executor died"),
    ):
        forefold.smear_files(many, CARD, tmp_path / "o.csv", rng=1, executor=pool)


def test_workers_that_always_die() -> None:
    from forefold._parallel import crew

    with (
        crew(workers=1) as run,
        pytest.raises(OSError, match="a worker process died 4 times in a row"),
    ):
        list(run(os._exit, [(1,)]))
