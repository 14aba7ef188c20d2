"""Run other people's Quart extensions with this framework and with upstream Quart.

    uv run tools/extensions.py                        # all, and write the table
    uv run tools/extensions.py quart-auth quart-trio  # some, and their rows

For each package of `EXTENSIONS`, at exactly its version: its source distribution is
downloaded and the test suite in it is run twice, in an environment with our packages
and in one with Quart from the package index. Where it has no suite that uses Quart, our
own tests of it, in `tests/extensions`, are run. The table is
`docs/reference/extensions.md`.

Ends with 1 if a test that passes upstream fails with ours, and `REASONS` does not say
why that is meant to be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import peers

TABLE = peers.ROOT / "docs" / "reference" / "extensions.md"
TESTS = peers.ROOT / "tests" / "extensions"
SOURCES = peers.FOLDER / "sources"
UPSTREAM = "quart==0.22.0"

SUITE_SECONDS = 600
TEST_SECONDS = 60
DOWNLOAD_SECONDS = 300


@dataclass(frozen=True)
class Extension:
    """A package, and what of its suite uses Quart.

    Attributes:
        name: The name in the package index.
        version: The one that is tested.
        extras: Its extras.
        suite: Arguments of pytest, for each run; none where we test it ourselves.
        needs: What the suite needs beside it.
        why_ours: Why its own suite is not run, if it is not.
        remark: What else readers of the table should know.
    """

    name: str
    version: str
    extras: str = ""
    suite: tuple[tuple[str, ...], ...] = ()
    needs: tuple[str, ...] = ()
    why_ours: str = "its source distribution holds no tests"
    remark: str = ""

    @property
    def requirement(self) -> str:
        """The package as an installer takes it."""
        extras = f"[{self.extras}]" if self.extras else ""
        return f"{self.name}{extras}=={self.version}"

    @property
    def tests(self) -> str:
        """The name of our own tests of it."""
        return f"test_{self.name.replace('-', '_')}.py"


@dataclass(frozen=True)
class Group:
    """Extensions that can be installed together.

    Attributes:
        extensions: They.
        tools: What our own tests of them need.
        alone: Requirements whose own requirements cannot be met.
    """

    extensions: tuple[Extension, ...]
    tools: tuple[str, ...]
    alone: tuple[str, ...] = ()


PYTEST = ("pytest==9.2.0", "pytest-timeout==2.4.0")
ASYNCIO = (*PYTEST, "pytest-asyncio==1.5.0")
NO_QUART = "its own suite does not use Quart"
_SENTRY = "tests/integrations/quart/test_quart.py"
_PATCHED = f"{_SENTRY}::test_quart_flask_patch"

EXTENSIONS: dict[str, Group] = {
    "together": Group(
        (
            Extension("quart-auth", "0.12.0", suite=(("tests",),)),
            Extension("quart-babel", "1.0.7"),
            Extension("quart-cors", "0.8.0", suite=(("tests",),)),
            Extension(
                "quart-db",
                "0.12.0",
                extras="sqlite",
                # The others need a PostgreSQL server.
                suite=(("tests", "-k", "not asyncpg and not psycopg"),),
                needs=("psycopg[binary]==3.3.9", "psycopg-pool==3.3.3"),
                remark="with SQLite, its tests of PostgreSQL are left out",
            ),
            Extension(
                "quart-rate-limiter",
                "0.12.1",
                suite=(("tests",),),
                needs=("redis==8.1.0", "valkey==6.2.0"),
            ),
            Extension(
                "quart-schema",
                "0.25.0",
                extras="pydantic,msgspec",
                suite=(("tests", "--hypothesis-seed=0"),),
                needs=("hypothesis==6.170.15",),
            ),
            Extension("quart-session", "3.0.0"),
            Extension(
                "quart-tasks",
                "0.5.0",
                suite=(("tests",),),
                needs=("freezegun==1.5.5",),
            ),
            Extension("quart-uploads", "0.0.4"),
            Extension("quart-wtforms", "1.0.3"),
            Extension("strawberry-graphql", "0.341.2"),
            Extension("spectree", "3.0.0", extras="pydantic"),
            Extension(
                "sentry-sdk",
                "2.75.0",
                # The last patches the whole process, so it has one of its own.
                suite=(
                    ("tests/integrations/quart", "--deselect", _PATCHED),
                    (_PATCHED,),
                ),
                needs=(
                    "brotli==1.2.1",
                    "flask-login==0.6.3",
                    "jsonschema==4.26.0",
                    "pytest-localserver==0.10.0.post0",
                    "quart-flask-patch==0.3.0",
                ),
            ),
            Extension(
                "opentelemetry-instrumentation-asgi", "0.66b2", why_ours=NO_QUART
            ),
            Extension("asgi-lifespan", "2.1.0", why_ours=NO_QUART),
            Extension("httpx", "0.28.1", why_ours=NO_QUART),
            Extension(
                "python-socketio",
                "5.18.1",
                extras="asyncio-client",
                why_ours=NO_QUART,
            ),
            Extension("dash", "4.4.1", extras="async"),
        ),
        tools=(
            *ASYNCIO,
            "fakeredis==2.40.0",
            "flask==3.1.3",
            # Pre-releases, as their project makes no others.
            "opentelemetry-instrumentation==0.66b2",
            "opentelemetry-semantic-conventions==0.66b2",
            "opentelemetry-util-http==0.66b2",
            "opentelemetry-sdk==1.45.2",
        ),
    ),
    "trio": Group(
        (
            Extension(
                "quart-trio",
                "0.12.0",
                suite=(("tests",),),
                needs=("exceptiongroup==1.3.1",),
            ),
        ),
        # Without pytest-asyncio, which takes the tests that are for pytest-trio.
        tools=(*PYTEST, "pytest-trio==0.8.0"),
    ),
    "patched": Group(
        (
            Extension("quart-flask-patch", "0.3.0"),
            Extension(
                "flask-login",
                "0.6.3",
                why_ours=NO_QUART,
                remark=(
                    "the tests give it Quart's `has_request_context`, as that of "
                    "`flask.ctx` stays Flask's own with Quart-Flask-Patch"
                ),
            ),
            Extension("flask-limiter", "4.1.1", why_ours=NO_QUART),
            Extension("flask-sqlalchemy", "3.1.1", why_ours=NO_QUART),
            Extension("flask-wtf", "1.3.0", why_ours=NO_QUART),
        ),
        tools=ASYNCIO,
    ),
    "apart": Group(
        (
            # It needs an older graphql-core than strawberry does.
            Extension("graphql-server", "3.0.0"),
            # Its module has the name of that of quart-wtforms.
            Extension("quart-wtf", "0.0.1"),
        ),
        tools=(*ASYNCIO, "graphql-core==3.2.14", "wtforms==3.3.2"),
        # It asks for quart<0.19.
        alone=("quart-wtf==0.0.1",),
    ),
}

NAMES = [each.name for group in EXTENSIONS.values() for each in group.extensions]

# Tests that fail with ours and pass upstream, and why that is meant.
REASONS: dict[tuple[str, str], str] = {
    ("quart-db", "test_g_connection_release[aiosqlite-CancelledError]"): (
        "the view ends without a response; upstream's test client makes that an "
        "empty 200, ours raises HTTPDisconnectError"
    ),
    ("sentry-sdk", "test_error_in_errorhandler"): (
        "for versions from 0.23 on the test expects the exception in an exception "
        "group; ours comes as it is, as with 0.22"
    ),
}


@dataclass
class Results:
    """The outcomes of a suite: a word for each test."""

    outcomes: dict[str, str] = field(default_factory=dict)

    def named(self, word: str) -> list[str]:
        """Return the tests of an outcome, sorted."""
        return sorted(
            name for name, outcome in self.outcomes.items() if outcome == word
        )

    def __str__(self) -> str:
        skipped = len(self.named("skipped"))
        text = f"{len(self.named('passed'))} / {len(self.named('failed'))}"
        return f"{text} ({skipped} skipped)" if skipped else text


def environment(group: str, *, upstream: bool = False, suites: bool = False) -> Path:
    """Return the interpreter of a group's environment, made if need be.

    Args:
        group: A key of `EXTENSIONS`.
        upstream: With Quart from the package index instead of ours.
        suites: With what the packages' own suites need.

    Raises:
        peers.PeerUnavailableError: It cannot be made.
    """
    made = EXTENSIONS[group]
    packages = [*made.tools]
    for extension in made.extensions:
        if f"{extension.name}=={extension.version}" not in made.alone:
            packages.append(extension.requirement)
        if suites:
            packages.extend(extension.needs)
    if upstream:
        packages.append(UPSTREAM)
    name = f"extensions-{group}"
    name += "-suites" if suites else ""
    name += "-upstream" if upstream else ""
    ours = () if upstream else peers.OUR_FRAMEWORK
    return peers.environment_of(name, tuple(packages), ours, made.alone)


def run_our_tests(
    interpreter: Path, group: str, names: tuple[str, ...] = ()
) -> tuple[Results, str]:
    """Run our own tests of a group's extensions; return their outcomes and output."""
    folder = TESTS / group
    arguments = ["-c", str(TESTS / "environments.ini")]
    arguments += [str(folder / name) for name in names] or [str(folder)]
    return _pytest(interpreter, TESTS, tuple(arguments), {"QUART_EXTENSIONS": group})


def run_suite(interpreter: Path, extension: Extension) -> tuple[Results, str]:
    """Run the suite that a package's source distribution holds."""
    folder = source_of(extension)
    results, outputs = Results(), []
    for arguments in extension.suite:
        found, output = _pytest(
            interpreter,
            folder,
            # Their own settings, but for what needs further plugins.
            ("-o", "addopts=", *arguments),
        )
        results.outcomes.update(found.outcomes)
        outputs.append(output)
    return results, "\n".join(outputs)


def _pytest(
    interpreter: Path,
    folder: Path,
    arguments: tuple[str, ...],
    settings: dict[str, str] | None = None,
) -> tuple[Results, str]:
    environ = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "PYTHONPATH") and not key.startswith("PYTEST")
    }
    with tempfile.TemporaryDirectory(prefix="quart-extensions-") as temporary:
        report = Path(temporary) / "report.xml"
        # fmt: off
        done = subprocess.run(
            [
                str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider",
                "--timeout", str(TEST_SECONDS), "--junitxml", str(report), *arguments,
            ],
            cwd=folder,
            env={**environ, "PYTHONHASHSEED": "0", **(settings or {})},
            capture_output=True,
            text=True,
            timeout=SUITE_SECONDS,
            check=False,
        )
        # fmt: on
        output = done.stdout + done.stderr
        results = _read(report) if report.exists() else Results()
    # 1: tests failed. Anything else is no run of a suite.
    if done.returncode not in (0, 1) or not results.outcomes:
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{output}")
    return results, output


def _read(report: Path) -> Results:
    results = Results()
    for case in ET.parse(report).getroot().iter("testcase"):
        words = {child.tag for child in case}
        outcome = "passed"
        if words & {"failure", "error"}:
            outcome = "failed"
        elif "skipped" in words:
            outcome = "skipped"
        module = case.get("classname", "").rpartition(".")[2]
        name = f"{module}::{case.get('name')}"
        # A test that fails as it is torn down stands there twice.
        if results.outcomes.get(name) != "failed":
            results.outcomes[name] = outcome
    return results


def source_of(extension: Extension) -> Path:
    """Return the folder of a source distribution, downloaded if need be."""
    folder = SOURCES / f"{extension.name}-{extension.version}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(prefix="quart-extensions-") as temporary:
            archive = _download(extension, Path(temporary))
            unpacked = Path(temporary) / "unpacked"
            with tarfile.open(archive) as file:
                file.extractall(unpacked, filter="data")
            (root,) = unpacked.iterdir()
            SOURCES.mkdir(parents=True, exist_ok=True)
            shutil.move(root, folder)
    return folder


def _download(extension: Extension, folder: Path) -> Path:
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    # fmt: off
    subprocess.run(
        [
            uv, "tool", "run", "--python", sys.executable,
            "pip", "download", "-q", "--no-deps", "--no-binary", extension.name,
            "-d", str(folder), f"{extension.name}=={extension.version}",
        ],
        check=True,
        timeout=DOWNLOAD_SECONDS,
    )
    # fmt: on
    (archive,) = folder.glob("*.tar.gz")
    return archive


# The table


@dataclass
class Row:
    """A package in the table."""

    extension: Extension
    ours: Results
    upstream: Results
    output: str

    @property
    def worse(self) -> list[str]:
        """The tests that fail with ours and pass upstream."""
        good = set(self.upstream.named("passed"))
        return [name for name in self.ours.named("failed") if name in good]

    @property
    def unexplained(self) -> list[str]:
        """Those of them that are not meant to fail."""
        return [name for name in self.worse if self._reason(name) is None]

    @property
    def cells(self) -> list[str]:
        """What stands in the table."""
        whose = "its own" if self.extension.suite else "ours"
        return [
            self.extension.name,
            self.extension.version,
            whose,
            str(self.ours),
            str(self.upstream),
            self._why(),
        ]

    def _reason(self, name: str) -> str | None:
        return REASONS.get((self.extension.name, _short(name)))

    def _why(self) -> str:
        notes = [] if self.extension.suite else [self.extension.why_ours]
        notes += [self.extension.remark] if self.extension.remark else []
        for name in self.worse:
            reason = self._reason(name) or "not explained"
            notes.append(f"`{_short(name)}`: {reason}")
        theirs, ours = self.upstream.named("failed"), self.ours.named("failed")
        both = [name for name in ours if name in theirs]
        notes += [f"`{_short(name)}` fails with both" for name in both]
        rest = [name for name in theirs if name not in ours]
        notes += [f"`{_short(name)}` fails upstream" for name in rest]
        return "; ".join(notes)


def _short(name: str) -> str:
    return name.partition("::")[2]


def row_of(group: str, extension: Extension) -> Row:
    """Run what there is for a package, with ours and upstream."""
    found = []
    for upstream in (False, True):
        interpreter = environment(group, upstream=upstream, suites=True)
        if extension.suite:
            found.append(run_suite(interpreter, extension))
        else:
            found.append(run_our_tests(interpreter, group, (extension.tests,)))
    (ours, output), (upstreams, _) = found
    return Row(extension, ours, upstreams, output)


HEAD = """\
# Extensions

Packages that were written for Quart, or for any ASGI application, as they are on the
package index, and how their tests do with this framework and with {upstream}. Written
by `uv run tools/extensions.py`, which runs all of it; change that, not this page.

*Tests*: the suite of the package's own source distribution, run unmodified; or our
tests of it, in `tests/extensions`. Numbers: passed / failed.

| Package | Version | Tests | This Quart | {upstream} | Why, and remarks |
| --- | --- | --- | --- | --- | --- |
"""


def write(rows: list[Row]) -> None:
    """Write the table; packages that were not run keep their rows."""
    upstream = UPSTREAM.replace("quart==", "Quart ")
    written = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    lines = {line.split(" ")[1]: line for line in written.split("\n") if "| " in line}
    for row in rows:
        lines[row.extension.name] = f"| {' | '.join(row.cells)} |"
    ordered = [lines[name] for name in NAMES if name in lines]
    text = HEAD.format(upstream=upstream) + "\n".join(ordered) + "\n"
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")


def main(names: list[str]) -> int:
    """Run the packages named, or all of them and write the table."""
    if unknown := sorted(set(names) - set(NAMES)):
        sys.exit(f"no extension {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    rows = []
    for group, made in EXTENSIONS.items():
        for extension in made.extensions:
            if names and extension.name not in names:
                continue
            row = row_of(group, extension)
            print(" | ".join(row.cells), flush=True)
            if row.unexplained:
                print(row.output, flush=True)
            rows.append(row)
    write(rows)
    failed = [name for row in rows for name in row.unexplained]
    if failed:
        print("worse than upstream:", *failed, sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except peers.PeerUnavailableError as error:
        sys.exit(str(error))
