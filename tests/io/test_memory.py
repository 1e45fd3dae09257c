"""What was read is let go of at once, not when Python looks for old reference cycles: workers read thousands of files."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from forefold import io


def arrays() -> int:
    return sum(type(each).__name__ == "NumpyArray" for each in gc.get_objects())


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No automatic search for reference cycles."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_trees_leave_no_arrays(gst_file: Path) -> None:
    def read() -> None:
        for _ in io.iterate(gst_file, chunk=50):
            pass

    read()
    before = arrays()
    for _ in range(3):
        read()
    assert arrays() - before < 25, "a file has 25 columns, and was read in six pieces"


def test_the_collector_is_left_as_it_was(gst_file: Path) -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            io.read(gst_file)
            assert gc.isenabled() == enabled
        finally:
            gc.enable()
