"""The tests of the extensions, each folder in an environment that holds them.

``uv run tools/extensions.py`` runs them and the packages' own suites, with upstream
Quart as well.
"""

from __future__ import annotations

import os

import extensions
import peers
import pytest


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", sorted(extensions.EXTENSIONS))
def test_extensions_work(group: str, subtests: pytest.Subtests) -> None:
    try:
        interpreter = extensions.environment(group)
    except peers.PeerUnavailableError as error:
        if os.environ.get("QUART_PEERS") == "required":
            raise
        pytest.skip(f"the environment of the extensions cannot be made: {error}")
    results, output = extensions.run_our_tests(interpreter, group)
    assert "passed" in results.outcomes.values(), output
    for name, outcome in results.outcomes.items():
        with subtests.test(name):
            assert outcome == "passed", output


@pytest.mark.parametrize("group", sorted(extensions.EXTENSIONS))
def test_every_extension_has_tests(group: str) -> None:
    folder = extensions.TESTS / group
    tests = {extension.tests for extension in extensions.EXTENSIONS[group].extensions}
    assert {path.name for path in folder.glob("test_*.py")} == tests


def test_the_table_holds_every_extension() -> None:
    rows = [
        line.split("|")[1:3]
        for line in extensions.TABLE.read_text(encoding="utf-8").split("\n")
        if line.startswith("|") and "---" not in line
    ]
    listed = [(name.strip(), version.strip()) for name, version in rows[1:]]
    groups = extensions.EXTENSIONS.values()
    known = [(each.name, each.version) for group in groups for each in group.extensions]
    assert listed == known


def test_reasons_are_for_packages_in_the_table() -> None:
    groups = extensions.EXTENSIONS.values()
    names = {each.name for group in groups for each in group.extensions}
    assert {name for name, _ in extensions.REASONS} <= names
    assert all(extensions.REASONS.values())
