"""What must hold, with every Python that is supported and there: `nox`; one part of it: `nox -s style`."""

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests; arguments behind `--` go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def style(session: nox.Session) -> None:
    """Style, types and layers."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Generated pages are fresh, and the site is built without a warning."""
    session.install("-e", ".[test]")
    session.run("python", "docs/generate.py", "--check")
    session.run("mkdocs", "build", "--strict", "--quiet", "--site-dir", session.create_tmp())
