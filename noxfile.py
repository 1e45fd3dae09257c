#!/usr/bin/env -S uv run --script

# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""Tasks for developers: `nox -l` lists them."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
FOLDER = Path(__file__).resolve().parent


@nox.session
def lint(session: nox.Session) -> None:
    """Run every linter and the type checker."""
    session.install("-e.", *nox.project.dependency_groups(PROJECT, "test", "lint"))
    session.run("ruff", "check", ".", *session.posargs)
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")
    session.run("codespell", "--skip", "*.root,*.gz,./.git,./.nox")
    session.run("validate-pyproject", "pyproject.toml")
    session.run("sp-repo-review", ".")


@nox.session(python=PYTHONS, default=False)
def tests(session: nox.Session) -> None:
    """Run the tests on one Python (`nox -s tests-3.13`) or on all."""
    session.install("-e.[test]")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def slow(session: nox.Session) -> None:
    """Run the tests that are left out elsewhere: many processes, every card, everything compiled anew."""
    session.install("-e.[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and say which lines they miss."""
    session.install("-e.[test]")
    session.run("pytest", "--cov", "--cov-report=term", *session.posargs)


@nox.session(default=False)
def owners(session: nox.Session) -> None:
    """Let other tools read the files that are written for them."""
    session.install("-e.[test]", *nox.project.dependency_groups(PROJECT, "owners"))
    session.run("pytest", "tests/matrix/formats", *session.posargs)


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """Run the tests of the graphics card: in the simulator and of its code, and on a GPU where there is one."""
    session.install("-e.[test,cuda]")
    session.run("pytest", "tests/kernels/test_cuda.py", *session.posargs)


@nox.session(python=False, default=False)
def minimums(session: nox.Session) -> None:
    """Run every command and format with the oldest dependencies that pyproject.toml allows."""
    session.run(".ci/minimum", external=True)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build."""
    session.install("-e.[docs]")
    session.run(
        "sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build", *session.posargs
    )


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the source distribution and the wheel into dist."""
    shutil.rmtree(FOLDER / "dist", ignore_errors=True)
    session.install("build")
    session.run("python", "-m", "build")


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """Show what the fragments in changelog.d would add to CHANGELOG.md."""
    session.install("towncrier")
    session.run("towncrier", "build", "--draft", "--version", "next")


if __name__ == "__main__":
    nox.main()
