from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from contexts_fake_app import FakeApp


@pytest.fixture
def app() -> FakeApp:
    return FakeApp()
