"""Types: every name of the public modules is there and can be evaluated."""

from __future__ import annotations

import asyncio
from typing import Any, get_args, get_type_hints

import pytest
from quart_core import asgi_typing, testing_typing, typing
from quart_core.app import Quart
from quart_core.wrappers.response import Response

ALIASES = [
    "AfterRequestCallable",
    "AfterServingCallable",
    "AfterWebsocketCallable",
    "AppOrBlueprintKey",
    "BeforeFirstRequestCallable",
    "BeforeRequestCallable",
    "BeforeServingCallable",
    "BeforeWebsocketCallable",
    "ErrorHandlerCallable",
    "FilePath",
    "HeaderName",
    "HeaderValue",
    "HeadersValue",
    "ResponseReturnValue",
    "ResponseTypes",
    "ResponseValue",
    "RouteCallable",
    "ShellContextProcessorCallable",
    "StatusCode",
    "TeardownCallable",
    "TemplateContextProcessorCallable",
    "TemplateFilterCallable",
    "TemplateGlobalCallable",
    "TemplateTestCallable",
    "URLDefaultCallable",
    "URLValuePreprocessorCallable",
    "WebsocketCallable",
    "WhileServingCallable",
]
PROTOCOLS = [
    "ASGIHTTPProtocol",
    "ASGILifespanProtocol",
    "ASGIWebsocketProtocol",
    "Event",
    "TestAppProtocol",
    "TestClientProtocol",
    "TestHTTPConnectionProtocol",
    "TestWebsocketConnectionProtocol",
]


@pytest.mark.parametrize("name", ALIASES + PROTOCOLS)
def test_the_public_names_are_there(name: str) -> None:
    assert name in typing.__all__
    assert hasattr(typing, name)


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_is_made_of_types(name: str) -> None:
    alias = getattr(typing, name)
    assert isinstance(alias, type) or get_args(alias)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_one(name: str) -> None:
    assert getattr(typing, name)._is_protocol is True


@pytest.mark.parametrize(
    ("scope", "required"),
    [
        (asgi_typing.HTTPScope, {"type", "http_version", "method", "path", "headers"}),
        (asgi_typing.WebsocketScope, {"type", "path", "headers"}),
        (asgi_typing.LifespanScope, {"type"}),
    ],
)
def test_scopes_may_leave_out_what_asgi_calls_optional(
    scope: Any, required: set[str]
) -> None:
    # Read from the hints, as the annotations themselves are text.
    hints = get_type_hints(scope, include_extras=True)
    optional = {name for name, hint in hints.items() if "NotRequired" in repr(hint)}
    assert set(hints) - optional == required


def test_an_asyncio_event_is_an_event() -> None:
    event: typing.Event = asyncio.Event()
    assert event.is_set() is False


def test_a_view_function_is_a_route_callable() -> None:
    async def view(number: int) -> tuple[str, int]:
        return str(number), 201

    callable_: typing.RouteCallable = view
    value: typing.ResponseReturnValue = ("text", 200, {"X": ["a", "b"]})
    kept: tuple[Any, ...] = (callable_, value, Quart, Response)
    assert kept[0] is view


def test_the_testing_protocols_are_the_same_objects() -> None:
    assert typing.TestClientProtocol is testing_typing.TestClientProtocol


@pytest.mark.parametrize(
    "name", [name for name in typing.__all__ if name.startswith("Test")]
)
def test_protocols_named_after_tests_are_not_collected_as_tests(name: str) -> None:
    assert getattr(typing, name).__test__ is False
