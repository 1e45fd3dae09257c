"""When something is compiled, and what is not even imported before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numba
import pytest

from forefold.kernels import jit


def test_small_inputs_wait_for_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "_seen", {})
    monkeypatch.setattr(jit, "_cached", {"fresh": False})

    def fresh(x: float) -> float:
        return x

    fresh.__qualname__ = "fresh"
    compiled = jit.Kernel(fresh, {})
    assert not jit.worth_compiling(compiled, 1000)
    assert not jit.worth_compiling(compiled, jit.COMPILE_FROM - 1001)
    assert jit.worth_compiling(compiled, 1)
    monkeypatch.setattr(jit, "_cached", {"fresh": True})
    monkeypatch.setattr(jit, "_seen", {})
    assert not jit.worth_compiling(compiled, jit.LOAD_FROM - 1)
    assert jit.worth_compiling(compiled, 1)
    monkeypatch.setattr(jit, "_seen", {})
    compiled(1.0)
    assert jit.worth_compiling(compiled, 1)
    assert jit.worth_compiling(fresh, 1)


def test_where_compiling_begins_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "_seen", {})
    never = jit.Kernel(doubled, {})
    monkeypatch.setenv("FOREFOLD_COMPILE_FROM", "100")
    assert not jit.worth_compiling(never, 99)
    assert jit.worth_compiling(never, 1)
    for wrong in ("", "-1", "all"):
        monkeypatch.setenv("FOREFOLD_COMPILE_FROM", wrong)
        with pytest.raises(ValueError, match="FOREFOLD_COMPILE_FROM: a whole number of particles"):
            jit.worth_compiling(never, 1)


class Pair(NamedTuple):
    """An argument whose class the next version of a package may call something else."""

    first: float
    second: float


def test_a_cache_of_another_version_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file names the classes of arguments; one that is gone must not stop a run."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    jit.Kernel(first_of, {"cache": True})(Pair(1.0, 2.0))
    monkeypatch.delattr(sys.modules[__name__], "Pair")
    again = jit.Kernel(first_of, {"cache": True})
    assert not jit._on_disk(again)
    assert again((3.0, 4.0)) == 3.0


def test_the_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process compiled is on the disk; this asks numba itself, whose file it is."""
    monkeypatch.setattr(jit, "_cached", {})
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    one, two = (jit.Kernel(doubled, {"cache": True}) for _ in range(2))
    assert not jit._on_disk(one)
    one(1.0)
    monkeypatch.setattr(jit, "_cached", {})
    assert jit._on_disk(two)


def test_watchers_hear_of_what_is_compiled_and_not_of_what_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bool] = []
    monkeypatch.setattr(jit, "watchers", [heard.append])
    monkeypatch.setattr(jit, "_cached", {})
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    one, two = (jit.Kernel(doubled, {"cache": True}) for _ in range(2))
    assert one(1.0) == 2.0
    assert heard == [True, False]
    assert one.kept_in is not None
    assert tmp_path in Path(one.kept_in).parents
    monkeypatch.setattr(jit, "_cached", {})
    assert (one(2.0), two(1.5)) == (4.0, 3.0)
    assert heard == [True, False]


def test_all_is_compiled_from_a_number_on(monkeypatch: pytest.MonkeyPatch) -> None:
    never = jit.Kernel(doubled, {})
    for before in (None, "100"):
        if before is not None:
            monkeypatch.setenv("FOREFOLD_COMPILE_FROM", before)
        with jit.compiled_from(0):
            assert jit.worth_compiling(never, 1)
        assert os.environ.get("FOREFOLD_COMPILE_FROM") == before


@pytest.mark.slow
def test_warmup_leaves_nothing_to_compile(ghep_file: Path) -> None:
    """In a process that keeps what it compiles, nothing is left to a second call or to a file of GENIE's own records."""
    code = (
        "import sys, forefold\n"
        "from forefold.io.readers.ghep.scan import scan\n"
        "from forefold.workflows.warmup import warm_up\n"
        "print(warm_up())\n"
        "print(warm_up().compiled)\n"
        "before = list(scan.dispatcher.signatures)\n"
        "forefold.read(sys.argv[1])\n"
        "print(before == scan.dispatcher.signatures)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(ghep_file)], check=True, capture_output=True, text=True
    )
    assert "kept in" in run.stdout or "nothing to compile" in run.stdout
    assert run.stdout.splitlines()[-2:] == ["0", "True"]


def first_of(pair: Any) -> Any:
    return pair[0]


def doubled(x: float) -> float:
    return 2.0 * x


def test_small_inputs_import_no_compiler(tmp_path: Path, gst_file: Path) -> None:
    """Neither numba nor the table of particles is imported for a small file: each takes a third of a second."""
    code = (
        "import sys, forefold\n"
        "forefold.smear_files(sys.argv[1], 'nusmear-dune-cdr', sys.argv[2], rng=1)\n"
        "assert not {'numba', 'particle'} & set(sys.modules), 'imported'\n"
    )
    out = tmp_path / "o.parquet"
    place = {key: value for key, value in os.environ.items() if key != "FOREFOLD_COMPILE_FROM"}
    subprocess.run([sys.executable, "-c", code, str(gst_file), str(out)], check=True, env=place)
    assert out.exists()
