"""The proxies do what werkzeug's do."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest
from quart_contexts.proxies import attribute_proxy, session_proxy
from werkzeug.local import LocalProxy

UNBOUND = "nothing is current"
variable: ContextVar[Any] = ContextVar("variable")


class Thing:
    """What stands behind the proxies."""

    value = 1
    _hidden = 2

    @property
    def broken(self) -> Any:
        raise AttributeError("broken")

    def method(self) -> str:
        return "called"


def _set(proxy: Any) -> Any:
    proxy.new = 5
    return proxy.new


def _delete(proxy: Any) -> Any:
    proxy.gone = 1
    del proxy.gone
    return hasattr(proxy, "gone")


def _failure(read: Callable[[Any], Any], proxy: Any) -> Any:
    with pytest.raises((AttributeError, RuntimeError)) as caught:
        read(proxy)
    return type(caught.value), str(caught.value)


READS: list[Callable[[Any], Any]] = [
    lambda proxy: proxy.value,
    lambda proxy: proxy._hidden,
    lambda proxy: proxy.method(),
    lambda proxy: getattr(proxy, "missing", "none"),
    lambda proxy: hasattr(proxy, "missing"),
    lambda proxy: isinstance(proxy, Thing),
    lambda proxy: proxy.__class__,
    lambda proxy: proxy.__doc__,
    lambda proxy: proxy._get_current_object(),
    lambda proxy: proxy.__dict__,
    lambda proxy: bool(proxy),
    lambda proxy: proxy == proxy._get_current_object(),
    lambda proxy: repr(proxy).partition(" at ")[0],
    lambda proxy: sorted(set(dir(proxy)) - {"new"}),
    _set,
    _delete,
    lambda proxy: _failure(lambda one: one.missing, proxy),
    lambda proxy: _failure(lambda one: one.broken, proxy),
    lambda proxy: _failure(lambda one: getattr(one, ""), proxy),
]

UNBOUND_READS: list[Callable[[Any], Any]] = [
    lambda proxy: _failure(lambda one: one.value, proxy),
    lambda proxy: _failure(_set, proxy),
    bool,
    repr,
    lambda proxy: isinstance(proxy, LocalProxy),
]


@pytest.mark.parametrize("attribute", [None, "thing"])
@pytest.mark.parametrize("read", READS)
def test_a_bound_proxy_does_what_werkzeugs_does(
    attribute: str | None, read: Callable[[Any], Any]
) -> None:
    thing = Thing()
    token = variable.set(thing if attribute is None else SimpleNamespace(thing=thing))
    try:
        ours = read(attribute_proxy(variable, attribute, UNBOUND))
        theirs = read(LocalProxy(variable, attribute, unbound_message=UNBOUND))
    finally:
        variable.reset(token)
    assert ours == theirs


@pytest.mark.parametrize("attribute", [None, "thing"])
@pytest.mark.parametrize("read", UNBOUND_READS)
def test_an_unbound_proxy_does_what_werkzeugs_does(
    attribute: str | None, read: Callable[[Any], Any]
) -> None:
    ours = read(attribute_proxy(variable, attribute, UNBOUND))
    theirs = read(LocalProxy(variable, attribute, unbound_message=UNBOUND))
    assert str(ours).replace("ContextProxy", "LocalProxy") == str(theirs)


def test_the_session_proxy_reads_and_writes_items() -> None:
    current = {"a": 1}
    session = session_proxy(lambda: current)
    session["b"] = session["a"] + 1
    del session["a"]
    assert current == {"b": 2}
    assert "b" in session
    assert "a" not in session
    assert session.get("a", 3) == 3
    assert session == {"b": 2}
    assert len(session) == 1


def test_without_a_session_the_error_is_that_of_its_source() -> None:
    def current() -> Any:
        raise RuntimeError(UNBOUND)

    session = session_proxy(current)
    for read in (
        lambda: session["a"],
        lambda: session.get("a"),
        lambda: "a" in session,
    ):
        with pytest.raises(RuntimeError, match=UNBOUND):
            read()
