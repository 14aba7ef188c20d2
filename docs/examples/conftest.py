"""What the tests of all examples share: the application in the folder above them.

In a project of your own this is a `conftest.py` of one line: `from app import app`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from quart import Quart

# Their own module: example_server.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def example(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The example's `app.py`, loaded anew for each test."""
    folder: Path = request.path.parents[1]
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    # All examples have an app.py, so none may be called "app".
    name = f"example_{folder.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The app finds its folder, and so its templates, by this entry.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    for added in set(sys.modules) - before:
        file = getattr(sys.modules[added], "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[added]


@pytest.fixture
def app(example: ModuleType) -> Quart:
    """The application; the fixtures `client` and `live_server` are made of it."""
    found: Quart = example.app
    return found
