"""Command line: the table of routes."""

import sys
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner
from quart_cli.cli import QuartGroup
from quart_core import Quart


def table(app: Quart, *args: str) -> list[str]:
    group = QuartGroup(create_app=lambda: app)
    result = CliRunner().invoke(group, ["routes", *args])
    assert result.exit_code == 0, result.output
    lines: list[str] = result.output.splitlines()
    return lines


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__, static_folder=None)

    async def view(**_: Any) -> str:
        return ""

    app.add_url_rule("/z", "aaa", view, methods=["POST", "GET"])
    app.add_url_rule("/<int:number>", "bbb", view, methods=["PUT"])
    app.add_websocket("/a", "ccc", view)
    return app


def test_the_table_has_endpoint_methods_and_rule(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    line = app.view_functions["aaa"].__code__.co_firstlineno  # type: ignore[attr-defined]
    source = f"test_routes.py:{line}"
    assert table(app) == [
        "Endpoint  Methods    Rule           Source",
        f"--------  ---------  -------------  {'-' * len(source)}",
        f"aaa       GET, POST  /z             {source}",
        f"bbb       PUT        /<int:number>  {source}",
        f"ccc       WS         /a             {source}",
    ]


def test_the_source_is_the_function_or_class_that_the_user_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop.py").write_text(
        dedent(
            """
            from functools import wraps
            from quart_core import Quart
            from quart_core.views import MethodView
            app = Quart(__name__)
            def plain(f):
                @wraps(f)
                async def wrapper(*args, **kwargs):
                    return await f(*args, **kwargs)
                return wrapper
            @app.get("/a")
            @plain
            async def a(): return ""
            class B(MethodView):
                async def get(self): return ""
            app.add_url_rule("/b", view_func=B.as_view("b"))
            made = {}
            exec("async def c(): return ''", made)
            app.add_url_rule("/c", view_func=made["c"])
            """
        )
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    lines = table(import_module("shop").app)
    assert [line.split()[2:] for line in lines[2:]] == [
        ["/a", "shop.py:13"],
        ["/b", "shop.py:14"],
        ["/c"],
        ["/static/<path:filename>"],
    ]


def test_all_methods_shows_the_automatic_ones(app: Quart) -> None:
    assert "  GET, HEAD, OPTIONS, POST  " in table(app, "--all-methods")[2]


@pytest.mark.parametrize(
    ("sort", "endpoints"),
    [
        ("endpoint", ["aaa", "bbb", "ccc"]),
        ("methods", ["aaa", "bbb", "ccc"]),
        ("rule", ["bbb", "ccc", "aaa"]),
        ("domain", ["aaa", "bbb", "ccc"]),
    ],
)
def test_the_table_is_sorted(app: Quart, sort: str, endpoints: list[str]) -> None:
    assert [line.split()[0] for line in table(app, "-s", sort)[2:]] == endpoints


def test_match_is_the_order_of_matching(app: Quart) -> None:
    expected = [str(rule.endpoint) for rule in app.url_map.iter_rules()]
    assert [line.split()[0] for line in table(app, "-s", "match")[2:]] == expected


def test_the_sort_order_can_come_from_a_variable(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUART_ROUTES_SORT", "rule")
    monkeypatch.setenv("QUART_ROUTES_ALL_METHODS", "1")
    lines = table(app)
    assert lines[2].startswith("bbb")
    assert "OPTIONS" in lines[2]


def test_subdomains_have_a_column() -> None:
    app = Quart(__name__, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "b", subdomain="admin", methods=["GET"])
    app.add_url_rule("/", "a", methods=["GET"])
    lines = table(app, "--sort", "domain")
    assert lines[0].split() == ["Endpoint", "Methods", "Subdomain", "Rule", "Source"]
    assert [line.split()[0] for line in lines[2:]] == ["a", "b"]
    assert "admin" in lines[3]


def test_hosts_have_a_column() -> None:
    app = Quart(__name__, static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", host="example.com", methods=["GET"])
    lines = table(app)
    assert lines[0].split() == ["Endpoint", "Methods", "Host", "Rule", "Source"]
    assert "example.com" in lines[2]


def test_no_routes_is_one_line() -> None:
    assert table(Quart(__name__, static_folder=None)) == ["No routes were registered."]
