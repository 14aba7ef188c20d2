"""The pytest plugin: fixtures, coroutine tests, and stepping aside."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

APP = """
    import pytest
    from quart_core import Quart, request

    quart = Quart(__name__)

    @quart.get("/")
    async def index():
        return request.args.get("a", "hello")
"""
CONFTEST = f"""
{APP}
    @pytest.fixture
    def app():
        return quart
"""


def run(pytester: pytest.Pytester, *plugins: str) -> pytest.RunResult:
    """Run the tests in a process of their own, with this plugin and those named."""
    pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    options = [
        option
        for plugin in ("quart_testing.pytest_plugin", *plugins, "no:cacheprovider")
        for option in ("-p", plugin)
    ]
    return pytester.runpytest_subprocess(*options, "-W", "error", timeout=50)


def test_coroutine_tests_run_without_another_plugin(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import pytest

        async def test_passes(client):
            response = await client.get("/")
            assert response.text == "hello"

        async def test_fails(client):
            assert (await client.get("/")).text == "other"

        class TestIt:
            @pytest.mark.parametrize("a", ["1", "2"])
            async def test_method(self, client, a):
                assert (await client.get(f"/?a={a}")).text == a
    """)

    run(pytester).assert_outcomes(passed=3, failed=1)


def test_fixtures_may_be_coroutines_of_any_scope(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import asyncio
        import pytest
        from quart_core import request

        steps = []

        @pytest.fixture(scope="session")
        async def queue():
            steps.append("begin")
            yield asyncio.Queue()
            steps.append("end")

        @pytest.fixture
        async def value(queue):
            await queue.put(1)
            return await queue.get()

        @pytest.fixture
        async def entered(app):
            async with app.test_client() as client:
                await client.get("/?a=1")
                yield client

        async def test_value(value, queue):
            assert value == 1
            assert steps == ["begin"]

        async def test_again(value):
            assert value == 1

        def test_plain(value):
            assert value == 1

        async def test_context(entered):
            assert request.args["a"] == "1"
    """)

    run(pytester).assert_outcomes(passed=4)


def test_a_fixture_that_yields_twice_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        async def twice():
            yield 1
            yield 2

        async def test_it(twice):
            assert twice == 1
    """)

    result = run(pytester)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture twice() yielded twice*"])


def test_tasks_of_a_test_do_not_reach_the_next(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import asyncio

        tasks = []

        async def test_leaves_a_task():
            tasks.append(asyncio.create_task(asyncio.Event().wait()))

        async def test_after_it():
            assert tasks[0].cancelled()
    """)

    run(pytester).assert_outcomes(passed=2)


# The fixtures


@pytest.mark.parametrize(
    "source",
    [
        "from application import quart as app",
        "from application import quart as application",
        "from application import create_app",
        "from application import create_app as make_app",
    ],
)
def test_the_application_is_found_in_the_module(
    pytester: pytest.Pytester, source: str
) -> None:
    pytester.makepyfile(
        application=f"{APP}\n    def create_app():\n        return quart"
    )
    pytester.makepyfile(f"""
        {source}

        async def test_it(client):
            assert (await client.get("/")).text == "hello"
    """)

    run(pytester).assert_outcomes(passed=1)


@pytest.mark.parametrize("target", ["application:quart", "application:create_app"])
def test_the_application_is_found_by_the_setting(
    pytester: pytest.Pytester, target: str
) -> None:
    pytester.makepyfile(
        application=f"{APP}\n    def create_app():\n        return quart"
    )
    pytester.makeini(f"[pytest]\nquart_app = {target}\npythonpath = .")
    pytester.makepyfile("""
        async def test_it(client):
            assert (await client.get("/")).text == "hello"
    """)

    run(pytester).assert_outcomes(passed=1)


def test_without_an_application_the_error_says_what_to_define(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        async def test_it(client):
            pass
    """)

    result = run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*Which application is to be tested?*",
            "*def app():*",
            "*quart_app = module:app*",
            "*from module import app*",
        ]
    )


@pytest.mark.parametrize(
    ("made", "complaint"),
    [("None", "*create_app() returned None, which is no application*")],
)
def test_what_is_no_application_is_refused(
    pytester: pytest.Pytester, made: str, complaint: str
) -> None:
    pytester.makepyfile(f"""
        def create_app():
            return {made}

        async def test_it(client):
            pass
    """)

    result = run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])


def test_a_wrong_setting_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(application="nothing = 1")
    pytester.makeini("[pytest]\nquart_app = application:nothing\npythonpath = .")
    pytester.makepyfile("""
        async def test_it(client):
            pass
    """)

    result = run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*quart_app = application:nothing: no application*"])


def test_plain_tests_have_a_plain_client(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        def test_it(sync_client):
            assert sync_client.get("/").text == "hello"
    """)

    run(pytester).assert_outcomes(passed=1)


def test_the_settings_reach_the_clients(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nquart_wait_seconds = 3\nquart_check_leaks = true")
    pytester.makepyfile("""
        def test_it(client, sync_client):
            for each in (client, sync_client.client):
                assert (each.timeout, each.check_leaks) == (3, True)
    """)

    run(pytester).assert_outcomes(passed=1)


def test_the_application_on_a_real_server(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import urllib.request

        def test_it(live_server):
            with urllib.request.urlopen(f"{live_server.url}/?a=live", timeout=10) as it:
                assert it.read() == b"live"
    """)

    run(pytester).assert_outcomes(passed=1)


def test_a_live_server_that_does_not_start_or_stop_is_an_error_in_time(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nquart_wait_seconds = 0.5")
    pytester.makepyfile("""
        import asyncio

        import pytest

        @pytest.fixture
        def app(request, app):
            async def never():
                await asyncio.Event().wait()

            getattr(app, f"{request.node.name[5:]}_serving")(never)
            yield app
            app.before_serving_funcs.clear()
            app.after_serving_funcs.clear()

        def test_before(live_server):
            pass

        def test_after(live_server):
            pass
    """)

    result = run(pytester)

    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*StillWaitingError: The application did not start within 0.5 seconds*",
            "*in app.<locals>.never",
            "*await asyncio.Event().wait()",
            "*StillWaitingError: The server did not stop within 0.5 seconds*",
            "*in app.<locals>.never",
        ]
    )


def test_commands_are_run(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        def test_it(app, runner):
            @app.cli.command("greet")
            def greet():
                print("hello")

            assert runner.invoke(args=["greet"]).output == "hello\\n"
    """)

    run(pytester).assert_outcomes(passed=1)


# Other plugins


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_tests_of_pytest_asyncio_are_left_to_it(
    pytester: pytest.Pytester, mode: str
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini(
        f"[pytest]\nasyncio_mode = {mode}\n"
        "asyncio_default_fixture_loop_scope = function"
    )
    pytester.makepyfile("""
        import asyncio
        import pytest
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def theirs():
            yield asyncio.get_running_loop()

        @pytest.mark.asyncio
        async def test_marked(client, theirs):
            assert theirs is asyncio.get_running_loop()
            assert (await client.get("/")).text == "hello"
            names = [line.name for line in __import__("traceback").extract_stack()]
            assert "pytest_pyfunc_call" in names

        async def test_unmarked(client):
            assert (await client.get("/")).text == "hello"
    """)

    run(pytester, "pytest_asyncio.plugin").assert_outcomes(passed=2)


def test_tests_of_anyio_are_left_to_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import anyio
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def theirs(anyio_backend):
            yield "theirs"

        @pytest.mark.anyio
        async def test_marked(client, theirs):
            await anyio.sleep(0)
            assert (await client.get("/")).text == "hello"

        async def test_unmarked(client):
            assert (await client.get("/")).text == "hello"
    """)

    result = run(pytester, "anyio.pytest_plugin")

    result.assert_outcomes(passed=2)


def test_nothing_of_quart_is_imported_for_other_tests(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        import sys

        def test_it():
            assert "quart_core" not in sys.modules
            assert "werkzeug" not in sys.modules
    """)

    run(pytester).assert_outcomes(passed=1)
