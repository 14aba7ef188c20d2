"""A pytest plugin: fixtures for an application, and tests that are coroutines.

Fixtures: `app`, `client`, `sync_client`, `runner`, `live_server`. Tests and fixtures
written with ``async def`` run without another plugin; where pytest-asyncio, anyio or
pytest-trio owns a test, this one steps aside. ``-p no:quart`` turns it off.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Generator, Iterator
from collections.abc import Set as AbstractSet
from contextvars import Context, copy_context
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest

# Nothing of Quart is imported before a test asks for it: this module is loaded in
# every run of pytest where the package is installed.
if TYPE_CHECKING:
    from quart_core import Quart

    from .client import QuartClient
    from .live_server import LiveServer
    from .sync import SyncClient

APP_OPTION = "quart_app"
LEAKS_OPTION = "quart_check_leaks"
WAIT_OPTION = "quart_wait_seconds"

# What users call an application, and what makes one.
_NAMES = ("app", "application", "create_app", "make_app")

#: Seconds for tasks that a test has left to end once they are cancelled.
CANCEL_SECONDS = 1.0

_runners: pytest.StashKey[asyncio.Runner] = pytest.StashKey()
_contexts: pytest.StashKey[Context] = pytest.StashKey()
# What the tests before have left.
_tasks: pytest.StashKey[AbstractSet[object]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of the configuration file."""
    parser.addini(
        APP_OPTION, "The application: module:name, or module:function that makes it."
    )
    parser.addini(
        LEAKS_OPTION,
        "Fail requests that leave tasks, contexts or files behind.",
        type="bool",
        default=False,
    )
    parser.addini(
        WAIT_OPTION,
        "Seconds that clients and live servers wait for the application; 10 if not "
        "given.",
    )


# Fixtures


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Quart:
    """The application: of the setting ``quart_app``, or of the test's module."""
    target = request.config.getini(APP_OPTION)
    if target:
        return _imported(target)
    module = getattr(request, "module", None)
    for name in _NAMES:
        found = getattr(module, name, None)
        if _is_app(found):
            return cast("Quart", found)
        if callable(found) and name.endswith("_app"):
            return _made(found, f"{name}()")
    pytest.fail(
        "Which application is to be tested? Say it in one of these ways:\n"
        "- a fixture in conftest.py:\n"
        "      @pytest.fixture\n"
        "      def app():\n"
        "          return create_app()\n"
        "- a line below [pytest] or [tool.pytest.ini_options]: "
        f"{APP_OPTION} = module:app\n"
        "- an import in the test's module: from module import app",
        pytrace=False,
    )


@pytest.fixture
def client(app: Quart, request: pytest.FixtureRequest) -> QuartClient:
    """A client of the application; its methods are awaited."""
    made: QuartClient = app.test_client(**_client_options(request))
    return made


@pytest.fixture
def sync_client(app: Quart, request: pytest.FixtureRequest) -> Iterator[SyncClient]:
    """A client of the application for tests that are plain functions."""
    part = import_module("quart_testing.sync")
    made: SyncClient = part.SyncClient(app, **_client_options(request))
    yield made
    made.close()


@pytest.fixture
def runner(app: Quart) -> Any:  # of quart-cli, which may be absent
    """A runner of the application's commands."""
    return app.test_cli_runner()


@pytest.fixture
def live_server(app: Quart, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """The application on a real server, at ``live_server.url``."""
    part = import_module("quart_testing.live_server")
    with part.LiveServer(app, **_wait_options(request)) as server:
        yield server


def _client_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = _wait_options(request)
    if request.config.getini(LEAKS_OPTION):
        options["check_leaks"] = True
    return options


def _wait_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    seconds = request.config.getini(WAIT_OPTION)
    return {"timeout": float(seconds)} if seconds else {}


def _imported(target: str) -> Quart:
    module_name, _, name = target.partition(":")
    module = import_module(module_name)
    for each in (name,) if name else _NAMES:
        found = getattr(module, each, None)
        if _is_app(found):
            return cast("Quart", found)
        if callable(found):
            return _made(found, f"{target}()")
    pytest.fail(
        f"{APP_OPTION} = {target}: no application is there. Name one as module:app, or "
        "a function that makes one as module:create_app",
        pytrace=False,
    )


# Any: whatever the user's name stands for.
def _made(factory: Any, what: str) -> Quart:
    made = factory()
    if inspect.iscoroutine(made):
        made.close()
        pytest.fail(f"{what} is a coroutine function; make the app without awaiting")
    if not _is_app(made):
        pytest.fail(f"{what} returned {made!r}, which is no application", pytrace=False)
    return cast("Quart", made)


def _is_app(found: Any) -> bool:
    return hasattr(found, "asgi_app") and hasattr(found, "test_client")


# Tests and fixtures that are coroutines


@pytest.hookimpl
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function, unless it is another plugin's."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function) or _has_owner(pyfuncitem):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    _run(pyfuncitem, function(**arguments))
    return True


# Any: pytest's definition of a fixture has no public class.
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: Any, request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Let fixtures be coroutine functions or asynchronous generators."""
    function = fixturedef.func
    item = getattr(request, "_pyfuncitem", None)
    is_generator = inspect.isasyncgenfunction(function)
    if (
        not (is_generator or inspect.iscoroutinefunction(function))
        or not isinstance(item, pytest.Function)
        or _is_marked(function)
        or _has_owner(item)
    ):
        return (yield)
    fixturedef.func = (
        _as_generator(item, function) if is_generator else _as_function(item, function)
    )
    try:
        return (yield)
    finally:
        fixturedef.func = function


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Cancel the tasks that a test has left, after its fixtures are gone."""
    try:
        return (yield)
    finally:
        if _tasks in item.stash:
            _cancel_left_tasks(item)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the event loop of the tests, if there was one."""
    runner = session.config.stash.get(_runners, None)
    if runner is not None:
        runner.close()


def _as_function(
    item: pytest.Function, function: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _run(item, function(*args, **kwargs))

    # What wraps() leaves would show pytest the coroutine function again.
    del call.__wrapped__
    return call


def _as_generator(
    item: pytest.Function, function: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Iterator[Any]:
        generator = function(*args, **kwargs)
        yield _run(item, anext(generator))
        try:
            _run(item, anext(generator))
        except StopAsyncIteration:
            return
        _run(item, generator.aclose())
        pytest.fail(f"The fixture {function.__name__}() yielded twice", pytrace=False)

    del generate.__wrapped__
    return generate


def _run(item: pytest.Function, awaitable: Any) -> Any:
    """Run a coroutine in the loop of all tests and the context of this one."""
    config = item.config
    if _runners not in config.stash:
        config.stash[_runners] = asyncio.Runner()
    runner = config.stash[_runners]
    if _contexts not in item.stash:
        item.stash[_contexts] = copy_context()
        item.stash[_tasks] = set(asyncio.all_tasks(runner.get_loop()))
    return runner.run(_awaited(awaitable), context=item.stash[_contexts])


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def _cancel_left_tasks(item: pytest.Item) -> None:
    runner = item.config.stash[_runners]
    left = asyncio.all_tasks(runner.get_loop()) - item.stash[_tasks]
    if left:
        runner.run(_cancel(left))


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=CANCEL_SECONDS)


# Whose a test is


def _has_owner(item: pytest.Function) -> bool:
    """Say whether another plugin runs this test and its fixtures."""
    return _is_of_asyncio(item) or _is_of_anyio(item) or _is_of_trio(item)


def _is_of_asyncio(item: pytest.Function) -> bool:
    if not item.config.pluginmanager.hasplugin("asyncio"):
        return False
    return _setting(item, "asyncio_mode") == "auto" or _has_marker(item, "asyncio")


def _is_of_anyio(item: pytest.Function) -> bool:
    if not item.config.pluginmanager.hasplugin("anyio"):
        return False
    return (
        _has_marker(item, "anyio")
        or "anyio_backend" in item.fixturenames
        or _setting(item, "anyio_mode") == "auto"
    )


def _is_of_trio(item: pytest.Function) -> bool:
    if not item.config.pluginmanager.hasplugin("trio"):
        return False
    return _setting(item, "trio_mode") in {True, "true"} or _has_marker(item, "trio")


def _has_marker(item: pytest.Function, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def _setting(item: pytest.Function, name: str) -> object:
    """Return a setting of another plugin: its option, else its line in the file."""
    option = item.config.getoption(name, default=None)
    if option is not None:
        return option
    try:
        return item.config.getini(name)
    except (KeyError, ValueError):
        return None


# Any: a function of the user's, which pytest-asyncio marks.
def _is_marked(function: Any) -> bool:
    return bool(getattr(function, "_force_asyncio_fixture", False))
