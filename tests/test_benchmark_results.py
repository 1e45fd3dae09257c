"""The page and the comparison of benchmark results, with made-up numbers: nothing is timed here."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, page
from benchmarks.clock import best, wall_and_work
from benchmarks.machine import machine
from benchmarks.ratios import NUMBERS, PARTS, RATIOS, arranged
from benchmarks.steps import STEPS

ROOT = Path(__file__).parent.parent
BASELINE = ROOT / "benchmarks" / "baseline.json"


def results(**changed: float | None) -> dict[str, Any]:
    found: dict[str, float | None] = {name: 2.0 + k / 8 for k, name in enumerate(RATIOS)}
    found |= {name: 1000.0 + k for k, name in enumerate(NUMBERS)} | changed
    absent = {name: "it is not there" for name, value in changed.items() if value is None}
    about = machine() | {"load": 0.5, "load_after": 0.75}
    return arranged(found, absent) | {"about": about}


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_what_is_as_the_baseline_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = str(written(tmp_path, "same.json", results()))
    assert compare.main([same, "--baseline", same]) == 0
    assert f"0 of {len(RATIOS)} worse" in capsys.readouterr().out


@pytest.mark.parametrize("name", list(RATIOS))
def test_each_ratio_fails_beyond_its_own_tolerance(name: str) -> None:
    before = results()
    for factor, fails in ((0.99, False), (1.01, True)):
        now = results(**{name: before[name] * RATIOS[name].tolerance * factor})
        assert [row.name for row in compare.compared(now, before) if row.fails] == [name] * fails


def test_a_worse_ratio_is_named_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = str(written(tmp_path, "before.json", results()))
    now = str(written(tmp_path, "now.json", results(kernel_over_copy=99.0)))
    assert compare.main([now, "--baseline", before]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^WORSE kernel_over_copy +2 +99 +3.2$", out, re.MULTILINE)
    assert "1 of" in out.splitlines()[-1]


def test_results_without_ratios_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = str(written(tmp_path, "part.json", {"steps": {"load": 1.0}}))
    assert compare.main([part, "--baseline", str(written(tmp_path, "b.json", results()))]) == 2
    assert "has no ratio" in capsys.readouterr().err


def test_better_is_never_worse() -> None:
    now = {name: results()[name] / 100 for name in RATIOS}
    assert not any(row.fails for row in compare.compared(now, results()))


def test_null_is_not_measured_but_a_missing_ratio_is_lost() -> None:
    name = "kernel_over_correctionlib"
    (row,) = (r for r in compare.compared(results(**{name: None}), results()) if r.name == name)
    assert not row.fails
    assert "not m" in compare.table([row])
    now = results()
    del now[name]
    (row,) = (r for r in compare.compared(now, results()) if r.name == name)
    assert row.fails
    assert compare.table([row]).splitlines()[1].startswith("LOST")


def test_what_the_baseline_does_not_have_cannot_fail() -> None:
    before: dict[str, Any] = results()
    del before["file_over_read"]
    before["help_over_python"] = None
    rows = {row.name: row for row in compare.compared(results(file_over_read=1e9), before)}
    assert not rows["file_over_read"].fails
    assert not rows["help_over_python"].fails
    assert math.isnan(rows["file_over_read"].allowed)


@pytest.mark.parametrize("value", [0.0, -1.0, "fast", True, [], math.nan, math.inf])
def test_a_ratio_that_is_no_number_above_0_is_refused(
    value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = str(written(tmp_path, "bad.json", results() | {"threads2_over_1": value}))
    good = str(written(tmp_path, "good.json", results()))
    for given in ([bad, "--baseline", good], [good, "--baseline", bad]):
        assert compare.main(given) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "bad.json: threads2_over_1: a number above 0 or null, found" in line


@pytest.mark.parametrize(
    ("text", "told"), [("{", "no JSON"), ("[1]", "found list"), (None, "No such file")]
)
@pytest.mark.parametrize("tool", [compare.main, page.main])
def test_files_that_cannot_be_used(
    text: str | None, told: str, tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert tool([str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


def test_results_need_every_ratio() -> None:
    with pytest.raises(KeyError, match="kernel_over_copy"):
        arranged({}, {})


def test_every_ratio_and_number_has_a_part_and_a_tolerance() -> None:
    assert {ratio.part for ratio in RATIOS.values()} | {p for p, _ in NUMBERS.values()} == {*PARTS}
    assert all(1.0 < ratio.tolerance <= 2.0 for ratio in RATIOS.values())
    assert not RATIOS.keys() & NUMBERS.keys()


def test_the_page_names_every_ratio_with_its_number_once() -> None:
    text = page.page(results(file_over_read=7.625))
    rows = re.findall(r"^\| `(\w+_over_\w+)` +\| (\S+)", text, re.MULTILINE)
    assert [name for name, _ in rows] == list(RATIOS)
    assert dict(rows)["file_over_read"] == "7.625"
    assert "before the run 0.5, after it 0.75" in text


def test_the_page_says_why_a_ratio_is_absent() -> None:
    text = page.page(results(kernel_over_correctionlib=None))
    assert "`kernel_over_correctionlib` was not measured: it is not there." in text
    assert re.search(r"`kernel_over_correctionlib` +\| not measured", text)


def test_the_page_tells_where_the_time_goes_only_if_it_was_measured() -> None:
    found = dict.fromkeys(STEPS, 1.5) | {"sum": 27.0, "energy_and_angle": 9.0, "copy": 2.0}
    assert "Where the kernel's time goes" not in page.page(results())
    text = page.page(results() | {"steps": found})
    assert "All of them: 27 ns a particle." in text
    assert "9 ns, 4.5 times a copy" in text
    assert all(f"| {name} " in text for name in STEPS)


def test_every_loop_of_the_kernel_is_timed() -> None:
    """Not compiled and once, on whatever machine: that every loop is there and takes time, not how long."""
    code = (
        "import json; from benchmarks import steps; steps.BLOCKS = 1; "
        "print(json.dumps(steps.steps(repeats=1, times=1)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert set(found) == {*STEPS, "sum", "energy_and_angle", "copy"}
    # loading is the difference of two short times, which a busy machine can turn round
    assert found["uniforms"] > max(found["load"], 0.0)
    assert found["sum"] > found["energy_and_angle"] > found["uniforms"]


def test_the_page_tells_of_the_large_file_only_if_there_is_one() -> None:
    large = {"file_over_read": 3.5, "file_events": 999000.0, "share_reading": 0.25, "repeats": 2}
    large |= {"load_before": 0.1, "load_after": 0.2}
    assert "A file of" not in page.page(results())
    text = page.page(results() | {"large": large})
    assert "## A file of 999,000 events" in text
    assert re.search(r"share of the time in reading +\| 0.25 ", text[text.index("999,000") :])


def test_tables_of_the_page_are_whole() -> None:
    tables = [p for p in page.page(results()).split("\n\n") if p.startswith("|")]
    assert len(tables) == 2 * len(PARTS) + 1
    for table in tables:
        assert len({len(line) for line in table.splitlines()}) == 1
        assert len({line.count(" | ") for line in table.splitlines()}) == 1


def test_every_benchmark_is_listed() -> None:
    text = page.page(results())
    for path in (ROOT / "benchmarks").glob("*.py"):
        if 'prog="python -m benchmarks' in path.read_text("utf-8") and path.stem != "__main__":
            assert f"python -m benchmarks.{path.stem}" in text, path.stem


def test_results_of_something_else_make_no_page() -> None:
    with pytest.raises(ValueError, match="without about, numbers, absent"):
        page.page({"kernel_over_copy": 2.0})


def test_the_committed_page_is_that_of_the_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    assert page.main([str(BASELINE)]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert {row.name for row in compare.compared({}, compare.load(BASELINE))} == set(RATIOS)


def test_the_machine_has_no_name_of_a_host() -> None:
    import platform

    assert platform.node() not in json.dumps(machine()) or not platform.node()
    assert machine()["python"] == platform.python_version()


def test_the_shortest_time_of_each_is_taken_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 5, 10, 11, 20, 23, 30, 39])  # first: 5 and 3; second: 1 and 9
    called: list[str] = []
    functions = [lambda: called.append("a"), lambda: called.append("b")]
    assert best(functions, 2, lambda: next(ticks)) == [3, 1]
    assert called == ["a", "b", "a", "b"]
    monkeypatch.setattr(time, "perf_counter", count(step=10).__next__)
    work = cycle([0.0, 0.5, 1.0, 3.0])
    assert wall_and_work(functions, 3, lambda: next(work))[1] == [0.5, 2.0]


def test_a_busy_machine_repeats_three_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", count(step=1000).__next__)
    called: list[int] = []
    best([lambda: called.append(1)], 10)
    assert len(called) == 3
