"""Finding calls of url_for that no route answers."""

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from quart_cli.cli import cli

Write = Callable[[str, str], Path]
APP = """
    from quart_core import Blueprint, Quart, url_for
    app = Quart(__name__)
    shop = Blueprint("shop", __name__, url_prefix="/shop")
    @app.get("/film/<int:id>")
    async def film(id): return {}
    @shop.get("/", defaults={{"page": 1}})
    @shop.get("/<int:page>")
    async def items(page): return ""
    app.register_blueprint(shop)
    async def links(values):
        return [{}]
"""


def check(write: Write, calls: str) -> tuple[int, list[str]]:
    write("app.py", APP.format("{}", calls))
    result = CliRunner().invoke(cli, ["routes", "--check"])
    return result.exit_code, result.output.splitlines()


def test_calls_that_are_right_are_no_problem(write: Write) -> None:
    write("templates/a.html", "{{ url_for('film', id=1) }}{{ url_for(endpoint) }}")
    status, lines = check(
        write,
        "url_for('film', id=1), url_for('film', **values), url_for('shop.items'), "
        "url_for('.items'), app.url_for('static', filename='x'), url_for(values)",
    )
    assert (status, lines) == (0, ["6 calls of url_for, no problem"])


def test_a_template_with_an_unknown_endpoint_is_named_with_its_line(
    write: Write,
) -> None:
    write("templates/index.html", "\n\n<a href=\"{{ url_for('flim', id=3) }}\">x</a>\n")
    status, lines = check(write, "")
    assert status == 1
    text = "url_for('flim', id=...)   no such endpoint, did you mean 'film'?"
    assert lines == [f"templates/index.html:3  {text}", "1 problem"]


def test_python_calls_with_unknown_endpoints_and_missing_values_are_named(
    write: Write,
) -> None:
    write("deep/other.py", "from quart_core import url_for\nurl_for('nowhere')\n")
    status, lines = check(write, "url_for('film'), app.url_for('.item')")
    assert status == 1
    assert lines == [
        "app.py:12  url_for('film')   'film' needs 'id' as well",
        "app.py:12  url_for('.item')   no such endpoint, did you mean 'shop.items'?",
        "deep/other.py:2  url_for('nowhere')   no such endpoint",
        "3 problems",
    ]


def test_environments_and_hidden_folders_are_left_out(write: Write) -> None:
    for name in ("venv/pyvenv.cfg", "venv/lib/x.py", ".tox/x.py", "node_modules/x.py"):
        write(name, "url_for('nowhere')")
    status, lines = check(write, "")
    assert (status, lines) == (0, ["0 calls of url_for, no problem"])


def test_a_template_that_does_not_parse_is_told_and_the_others_checked(
    write: Write,
) -> None:
    write("templates/a.html", "{% if %}")
    write("templates/b.html", "{{ url_for('nowhere') }}")
    status, lines = check(write, "")
    assert status == 1
    assert any(line.startswith("not checked: templates/a.html: ") for line in lines)
    assert "1 problem" in lines


def test_url_defaults_may_add_values(write: Write) -> None:
    path = write("app.py", APP.format("{}", "url_for('film')"))
    path.write_text(f"{path.read_text()}app.url_defaults(lambda *_: None)\n")
    result = CliRunner().invoke(cli, ["routes", "--check"])
    assert (result.exit_code, result.output) == (0, "1 call of url_for, no problem\n")
