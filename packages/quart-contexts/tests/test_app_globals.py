"""The namespace behind ``g``."""

from __future__ import annotations

import pytest
from quart_contexts.ctx import _AppCtxGlobals


def test_attributes_are_set_read_and_deleted() -> None:
    g = _AppCtxGlobals()
    g.name = "value"
    assert g.name == "value"
    assert "name" in g
    assert list(g) == ["name"]
    del g.name
    assert "name" not in g


def test_a_missing_attribute_is_named() -> None:
    g = _AppCtxGlobals()
    with pytest.raises(AttributeError, match="'nope'"):
        _ = g.nope
    with pytest.raises(AttributeError, match="'nope'"):
        del g.nope


def test_get_gives_the_default() -> None:
    g = _AppCtxGlobals()
    assert g.get("x") is None
    assert g.get("x", 1) == 1
    g.x = 2
    assert g.get("x", 1) == 2


def test_pop_removes_or_gives_the_default() -> None:
    g = _AppCtxGlobals()
    g.x = 1
    assert g.pop("x") == 1
    assert g.pop("x", 2) == 2
    with pytest.raises(KeyError):
        g.pop("x")


def test_setdefault_keeps_what_is_there() -> None:
    g = _AppCtxGlobals()
    assert g.setdefault("x", []) == []
    g.x.append(1)
    assert g.setdefault("x", []) == [1]
