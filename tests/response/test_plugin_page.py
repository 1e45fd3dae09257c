"""The package of docs/responses.md, put where an installed one would be."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import forefold
from forefold.response import registered
from forefold.response.contract import check_response

PAGE = (Path(__file__).parents[2] / "docs" / "responses.md").read_text(encoding="utf-8")
MODULE, USE, TEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROJECT,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay the files down as pip does."""
    project = tomllib.loads(PROJECT)["project"]
    (tmp_path / "laplace_response.py").write_text(MODULE, encoding="utf-8")
    about = tmp_path / "laplace_response-1.0.dist-info"
    about.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (about / "METADATA").write_text(head, encoding="utf-8")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "laplace_response", raising=False)


@pytest.mark.usefixtures("installed")
def test_page_is_a_package_that_works() -> None:
    laplace = registered()["laplace"]
    assert laplace.efficiency([1.0]).tolist() == [0.9]
    check_response(laplace, [0.5, 1.0, 2.0])
    scope: dict[str, object] = {}
    exec(USE + TEST, scope)  # noqa: S102 - the page's own words
    scope["test_contract"]()  # type: ignore[operator]
    seen = forefold.smear_values(laplace, np.full(20_000, 5.0), rng=1)
    kept = np.isfinite(seen)
    # standard deviations of a fraction and of a mean of |x|, five times
    assert kept.mean() == pytest.approx(0.9, abs=5 * 0.0022)
    assert np.abs(seen[kept] - 5.0).mean() == pytest.approx(0.1, abs=5 * 0.00075)


@pytest.mark.usefixtures("installed")
def test_name_that_is_taken(tmp_path: Path) -> None:
    about = tmp_path / "laplace_response-1.0.dist-info"
    text = "[forefold.responses]\nnormal = laplace_response:made\n"
    (about / "entry_points.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"'normal' of forefold\.responses: the name is taken"):
        registered()
