"""The package: its version, its names, the example of its README."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import quart_routing
from quart_routing import routing

PACKAGE = Path(__file__).parent.parent


def test_the_version_is_that_of_the_project_file():
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert quart_routing.__version__ == project["version"]
    assert importlib.metadata.version("quart-routing") == project["version"]


def test_every_public_name_is_importable_from_both_places():
    assert quart_routing.__all__ == routing.__all__
    for name in routing.__all__:
        assert getattr(quart_routing, name) is getattr(routing, name)


def test_the_example_of_the_readme_runs(capsys):
    readme = (PACKAGE / "README.md").read_text()
    example, expected = re.search(
        r"```python\n(.*?)```.*?```text\n(.*?)```", readme, re.DOTALL
    ).groups()
    exec(example, {})
    assert capsys.readouterr().out == expected
