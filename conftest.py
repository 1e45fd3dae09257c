"""The whole suite: examples in docstrings and pages, all cores, and a watch over what tests take."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

os.environ.setdefault("MPLBACKEND", "Agg")

SAMPLES = Path(__file__).parent / "tests" / "data"
REPRODUCTIONS = Path(__file__).parent / "docs" / "reproductions"


@pytest.fixture(autouse=True)
def _folder_of_examples(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Run examples in a folder of their own that holds `events.gst.root`, `events.ghep.root` and the tables of papers."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    folder = tmp_path_factory.mktemp("example")
    for kind in ("gst", "ghep"):
        shutil.copy(SAMPLES / f"genie_numu_Ar40_300.{kind}.root", folder / f"events.{kind}.root")
    for table in REPRODUCTIONS.glob("*.csv"):
        shutil.copy(table, folder)
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.chdir(folder)


def _whole(config: pytest.Config) -> bool:
    """Whether no file and no test is named."""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Share the whole suite among the cores; tests that are named stay in this process, where they start at once."""
    return None if _whole(config) else 0


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile before the workers start, where the whole suite is shared among some."""
    config = session.config
    if _whole(config) and config.getoption("numprocesses", None) and not config.option.collectonly:
        from warm import warm

        warm()


HEAVY = 30.0
"""CPU seconds that a test may take unless it is marked slow: five times what the heaviest need, whatever else the machine does."""

SPENT = pytest.StashKey[float]()


def _cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[SPENT] = _cpu()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note what each part of a test took; who takes too much fails."""
    report: pytest.TestReport = yield
    now = _cpu()
    took, item.stash[SPENT] = now - item.stash[SPENT], now
    report.user_properties.append(("cpu", took))
    if report.passed and took > HEAVY and item.get_closest_marker("slow") is None:
        report.outcome = "failed"
        report.longrepr = f"{took:.0f} s of CPU time: make it lighter, or mark it slow (CONTRIBUTING.md: Tests that are quick)"
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the whole suite took, and the tests that took most."""
    if not _whole(config):
        return
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                properties: dict[str, Any] = dict(report.user_properties)
                spent[report.nodeid] += properties["cpu"]
    if spent:
        terminalreporter.section(f"CPU time of {len(spent):,} tests: {spent.total():.0f} s")
    for name, seconds in spent.most_common(10):
        terminalreporter.write_line(f"{seconds:5.1f} s {name}")
