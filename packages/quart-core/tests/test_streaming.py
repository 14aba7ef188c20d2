"""Streaming with the context of the request: contexts, teardown, closing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from quart_contexts.ctx import has_app_context, has_request_context
from quart_contexts.globals import _cv_app, _cv_request
from quart_core import Quart, Response
from quart_core.globals import g, request, session
from quart_core.signals import appcontext_popped, appcontext_pushed
from quart_core.streaming import stream_with_context
from werkzeug.datastructures import Headers


class Tested(Quart):
    """An app that notes what is torn down."""

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.config["PROPAGATE_EXCEPTIONS"] = True
        self.secret_key = "key"
        self.events: list[Any] = []
        self.teardown_request(self._note_request)
        self.teardown_appcontext(self._note_app)

    async def _note_request(self, exc: BaseException | None) -> None:
        self.events.append(("request", type(exc), has_request_context()))

    async def _note_app(self, exc: BaseException | None) -> None:
        self.events.append(("app", type(exc), has_app_context()))


NONE = type(None)
TORN_DOWN = [("request", NONE, True), ("app", NONE, True)]


@pytest.fixture
def app() -> Tested:
    return Tested()


def make_request(app: Quart, path: str = "/?name=you", method: str = "GET") -> Any:
    async def no_push(path: str, headers: Headers) -> None:
        raise AssertionError("No push promise was to be sent.")

    path, _, query = path.partition("?")
    headers = Headers({"Host": "localhost"})
    scope: Any = {"type": "http", "headers": [(b"host", b"localhost")]}
    return app.request_class(
        method,
        "http",
        path,
        query.encode(),
        headers,
        "",
        "1.1",
        scope,
        send_push_promise=no_push,
    )


async def begin(app: Quart, view: Any) -> Response:
    app.add_url_rule("/", "view", view)
    return await app.handle_request(make_request(app))


async def received(response: Response) -> list[Any]:
    async with response.response as body:
        return [chunk async for chunk in body]


# What may be streamed


async def test_a_decorated_async_generator_keeps_the_request(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "Hello "
            yield request.args["name"]

        return generate()

    assert await received(await begin(app, view)) == ["Hello ", "you"]


async def test_a_decorated_generator_takes_arguments(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate(first: int, *, last: int) -> AsyncIterator[str]:
            """Count."""
            for number in range(first, last):
                yield f"{number}{request.path}"

        assert generate.__doc__ == "Count."
        return generate(1, last=3)

    assert await received(await begin(app, view)) == ["1/", "2/"]


async def test_an_async_generator_itself_keeps_the_request(app: Tested) -> None:
    async def generate() -> AsyncIterator[str]:
        yield request.args["name"]

    async def view() -> Any:
        return stream_with_context(generate())

    assert await received(await begin(app, view)) == ["you"]


async def test_a_sync_generator_keeps_the_request_in_its_thread(app: Tested) -> None:
    def generate() -> Iterator[str]:
        yield request.args["name"]
        yield g.get("user", "-")

    async def view() -> Any:
        g.user = "somebody"
        return stream_with_context(generate())

    assert await received(await begin(app, view)) == ["you", "somebody"]


async def test_a_sync_generator_function_can_be_decorated_at_module_level(
    app: Tested,
) -> None:
    @stream_with_context
    def generate(greeting: str) -> Iterator[str]:
        yield greeting
        yield request.args["name"]

    async def view() -> Any:
        return generate("Hello ")

    assert await received(await begin(app, view)) == ["Hello ", "you"]


async def test_a_sync_view_can_stream_with_context(app: Tested) -> None:
    def generate() -> Iterator[str]:
        yield request.args["name"]

    def view() -> Any:
        return stream_with_context(generate())

    assert await received(await begin(app, view)) == ["you"]
    assert app.events == TORN_DOWN


async def test_any_iterable_can_be_streamed(app: Tested) -> None:
    async def view() -> Any:
        return Response(stream_with_context(iter(["a", "b"])))

    assert await received(await begin(app, view)) == ["a", "b"]


async def test_flasks_name_of_the_argument_is_taken(app: Tested) -> None:
    async def generate() -> AsyncIterator[str]:
        yield request.path

    async def view() -> Any:
        return stream_with_context(generator_or_function=generate)()

    assert await received(await begin(app, view)) == ["/"]


async def test_what_cannot_be_iterated_over_is_explained(app: Tested) -> None:
    async def no_generator() -> str:
        return "x"

    async with app.request_context(make_request(app)):
        with pytest.raises(TypeError, match="got 5, which cannot be iterated over"):
            stream_with_context(5)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="with 'yield'"):
            stream_with_context(no_generator)()  # type: ignore[call-overload]


async def test_a_stream_needs_a_request(app: Tested) -> None:
    async def generate() -> AsyncIterator[str]:
        yield "x"

    generator = generate()
    with pytest.raises(RuntimeError, match="needs an active request"):
        stream_with_context(generator)
    await generator.aclose()  # type: ignore[attr-defined]
    decorated = stream_with_context(generate)
    with pytest.raises(RuntimeError, match="needs an active request"):
        decorated()


async def test_without_it_the_generator_has_no_request(app: Tested) -> None:
    async def generate() -> AsyncIterator[str]:
        yield str(has_request_context())

    async def view() -> Any:
        return generate()

    assert await received(await begin(app, view)) == ["False"]
    assert app.events == TORN_DOWN


# Contexts


async def test_the_generator_shares_g_and_session_with_the_view(app: Tested) -> None:
    async def view() -> Any:
        g.user = "somebody"
        session["a"] = 1

        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield f"{g.user} {session['a']}"

        return generate()

    assert await received(await begin(app, view)) == ["somebody 1"]


async def test_the_context_does_not_leak_between_the_steps(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "a"
            yield "b"

        return generate()

    response = await begin(app, view)
    async with response.response as body:
        async for _chunk in body:
            assert _cv_request.get(None) is None
            assert _cv_app.get(None) is None
    assert _cv_request.get(None) is None
    assert _cv_app.get(None) is None


async def test_steps_may_be_taken_by_another_task(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "a"
            yield request.path

        return generate()

    response = await begin(app, view)
    async with response.response as body:
        iterator = aiter(body)

        async def step() -> Any:
            return await anext(iterator)

        assert await asyncio.create_task(step()) == "a"
        assert await asyncio.create_task(step()) == "/"
    assert app.events == TORN_DOWN


async def test_two_streams_of_two_requests_keep_apart(app: Tested) -> None:
    async def view(name: str) -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield request.path
            yield g.name

        g.name = name
        return generate()

    app.add_url_rule("/<name>", "named", view)
    first = await app.handle_request(make_request(app, "/1"))
    second = await app.handle_request(make_request(app, "/2"))
    async with first.response as one, second.response as two:
        steps = [await anext(aiter(body)) for body in (one, two, one, two)]
    assert steps == ["/1", "/2", "1", "2"]


# Teardown


async def test_teardown_waits_for_the_end_of_the_stream(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            for number in range(2):
                app.events.append(number)
                yield str(number)

        return generate()

    response = await begin(app, view)
    assert app.events == []
    await received(response)
    assert app.events == [0, 1, *TORN_DOWN]


async def test_a_stream_that_nobody_reads_is_torn_down_when_it_is_closed(
    app: Tested,
) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            app.events.append("began")
            yield "x"

        return generate()

    response = await begin(app, view)
    await response.response.aclose()
    assert app.events == TORN_DOWN


async def test_a_stream_that_is_left_early_is_closed_and_torn_down(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            try:
                while True:
                    yield "x"
            finally:
                app.events.append(("closed", request.path))

        return generate()

    response = await begin(app, view)
    async with response.response as body:
        async for _chunk in body:
            break
    assert app.events == [("closed", "/"), *TORN_DOWN]


async def test_an_error_of_the_generator_reaches_the_teardown(app: Tested) -> None:
    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "x"
            raise ZeroDivisionError

        return generate()

    response = await begin(app, view)
    with pytest.raises(ZeroDivisionError):
        await received(response)
    assert app.events == [
        ("request", ZeroDivisionError, True),
        ("app", ZeroDivisionError, True),
    ]


async def test_a_cancelled_stream_is_torn_down(app: Tested) -> None:
    waiting = asyncio.Event()

    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "x"
            waiting.set()
            await asyncio.Event().wait()

        return generate()

    task = asyncio.create_task(received(await begin(app, view)))
    await asyncio.wait_for(waiting.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert app.events == TORN_DOWN


async def test_two_streams_of_one_request_are_torn_down_once(app: Tested) -> None:
    async def generate(text: str) -> AsyncIterator[str]:
        yield f"{text}{request.path}"

    async def view() -> Any:
        first = stream_with_context(generate("a"))
        second = stream_with_context(generate("b"))

        async def both() -> AsyncIterator[str]:
            for stream in (first, second):
                async for item in stream:
                    app.events.append(item)
                    yield item

        return both()

    assert await received(await begin(app, view)) == ["a/", "b/"]
    assert app.events == ["a/", "b/", *TORN_DOWN]


async def test_a_stream_that_the_view_reads_itself_does_not_tear_down(
    app: Tested,
) -> None:
    async def view() -> str:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield request.path

        items = [item async for item in generate()]
        app.events.append("read")
        return f"{items} {request.args['name']}"

    response = await begin(app, view)
    assert await response.get_data(as_text=True) == "['/'] you"
    assert app.events == ["read", *TORN_DOWN]


async def test_a_stream_that_is_dropped_is_torn_down_by_the_loop(app: Tested) -> None:
    async def view() -> str:
        stream_with_context(aiter(Numbers()))
        return "x"

    torn_down = asyncio.Event()

    @app.teardown_appcontext
    async def tell(exc: BaseException | None) -> None:
        torn_down.set()

    await begin(app, view)
    gc.collect()
    await asyncio.wait_for(torn_down.wait(), 10)
    assert app.events == TORN_DOWN


class Numbers:
    """An iterator that notes how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __aiter__(self) -> Numbers:
        return self

    async def __anext__(self) -> str:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1


async def test_an_iterator_with_aclose_is_closed_once_even_if_never_begun(
    app: Tested,
) -> None:
    numbers = Numbers()

    async def view() -> Any:
        return stream_with_context(numbers)

    response = await begin(app, view)
    await response.response.aclose()
    await response.response.aclose()
    assert numbers.closed == 1
    assert app.events == TORN_DOWN


class Lines:
    """A sync iterator that can be closed, as WSGI knows them."""

    def __init__(self) -> None:
        self.closed = 0
        self.lines = iter(["a", "b"])

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        return next(self.lines)

    def close(self) -> None:
        self.closed += 1


async def test_a_sync_iterator_with_close_is_closed_once(app: Tested) -> None:
    lines = Lines()

    async def view() -> Any:
        return stream_with_context(lines)

    assert await received(await begin(app, view)) == ["a", "b"]
    assert lines.closed == 1


async def test_signals_of_contexts_come_in_pairs(app: Tested) -> None:
    events: list[str] = []

    async def pushed(sender: Any) -> None:
        events.append("pushed")

    async def popped(sender: Any) -> None:
        events.append("popped")

    async def view() -> Any:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "x"

        return generate()

    with (
        appcontext_pushed.connected_to(pushed, app),
        appcontext_popped.connected_to(popped, app),
    ):
        await received(await begin(app, view))
    assert events == ["pushed", "popped"] * 2


async def test_the_context_is_freed_with_the_stream(app: Tested) -> None:
    references = []

    async def view() -> Any:
        references.append(weakref.ref(_cv_request.get()))

        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield request.path

        return generate()

    response = await begin(app, view)
    gc.collect()
    gc.disable()
    try:
        await received(response)
        del response
        assert references[0]() is None
    finally:
        gc.enable()
