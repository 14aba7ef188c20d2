"""The debug page and its other forms, as clients get them."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser

import pytest
from core_driver import Driver
from debug_failures import load_module
from quart_core import Quart
from quart_core.debug import TEMPLATE, traceback_response

BROWSER = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")

SOURCE = """\
from quart_core import Quart

app = Quart(__name__)
app.debug = True
app.secret_key = "correct horse battery"


@app.get("/boom")
async def boom():
    password = "hunter2"
    return await load({"a": 1})


async def load(values):
    return values["b"]
"""

# Whatever of this is not escaped becomes an element, an attribute or an entity.
CORPUS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</pre></title></textarea><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>alert(1)",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;",
    "{style}{0}%s",
    "\u202e<script>",
    "<scr\x00ipt>alert(1)</script>",
    "\ud800<script>",
)

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "footer"),
    *("p", "h1", "h2", "h3", "span", "b", "i", "code", "pre", "mark", "section", "div"),
    *("details", "summary", "ol", "li", "table", "tr", "th", "td", "button", "script"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "nonce", "class", "title", "scope"),
    *("open", "type", "data-copies", "hidden", "id"),
}


class Page(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags = []
        self.attributes = []
        self.data = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.data.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"A comment: {data}")

    @property
    def text(self):
        return "".join(self.data)


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_module(tmp_path, SOURCE).app


async def get(app, *headers, path="/boom", **options):
    return await Driver(app, raise_exceptions=False)(
        "GET", path, headers=headers, **options
    )


async def test_a_browser_gets_the_page(app):
    answer = await get(app, BROWSER)
    assert answer.status == 500
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert "KeyError" in page.text
    assert "app.py:15" in page.text
    assert "load awaited by boom (app.py:11)" in page.text
    assert "hunter2" not in page.text.replace('password = "hunter2"', "")
    assert "frames in quart_core" in page.text
    assert page.text.index("app.py:15") < page.text.index("app.py:11")
    assert page.text.index("app.py:11") < page.text.index("frames in quart_core")


async def test_f_49_the_page_loads_nothing_and_is_kept_by_nobody(app):
    answer = await get(app, BROWSER)
    policy = answer.headers["Content-Security-Policy"]
    (nonce,) = set(re.findall("'nonce-([^']+)'", policy))
    assert len(nonce) >= 22
    assert policy.split("; ") == [
        "default-src 'none'",
        "frame-ancestors 'none'",
        f"style-src 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    page = Page(answer.text)
    assert ("nonce", nonce) in page.attributes
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "action", "style"}
    other = (await get(app, BROWSER)).headers["Content-Security-Policy"]
    assert nonce not in other


async def test_curl_gets_plain_text(app):
    answer = await get(app, ("Accept", "*/*"), query="token=abc&x=1")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    head, _, rest = answer.text.partition("\n\n")
    assert head == "GET http://localhost/boom?token=***&x=1"
    assert "    > 15      return values[\"b\"]\n    KeyError: 'b'" in rest
    assert (await get(app)).headers["Content-Type"].startswith("text/plain")


async def test_json_is_given_where_it_is_preferred(app):
    answer = await get(
        app, ("Accept", "application/json, text/plain;q=0.9"), ("Cookie", "a=b")
    )
    assert answer.headers["Content-Type"] == "application/json"
    data = answer.json
    assert data["error"]["type"] == "KeyError"
    assert data["error"]["message"] == "'b'"
    assert data["error"]["frames"][-1] == {
        "file": "app.py",
        "line": 15,
        "function": "load",
        "source": 'return values["b"]',
    }
    assert data["error"]["hidden_frames"] > 0
    assert data["request"]["method"] == "GET"
    assert ["cookie", "***"] in data["request"]["headers"]
    assert "hunter2" not in answer.text


async def test_causes_and_members_are_in_the_json(app):
    @app.get("/group")
    async def group():
        try:
            raise ExceptionGroup("several", [ValueError("a")])
        except ExceptionGroup as error:
            raise RuntimeError from error

    answer = await get(app, ("Accept", "application/json"), path="/group")
    cause = answer.json["error"]["cause"]
    assert cause["exceptions"][0]["message"] == "a"
    html = await get(app, BROWSER, path="/group")
    assert "caused by" in Page(html.text).text


async def test_the_secret_key_is_never_shown(app):
    @app.get("/leak")
    async def leak():
        copied = app.secret_key
        mapping = {"config": app.config, "copied": copied}
        raise ValueError(f"The key is {copied}", mapping)

    for accept in ("text/html", "text/plain", "application/json"):
        answer = await get(app, ("Accept", accept), path="/leak")
        assert answer.status == 500
        assert "correct horse" not in answer.text


async def test_other_clients_get_the_plain_page(app):
    for options in (
        {"client": ("203.0.113.9", 1)},
        {"client": None},
        {"headers": [("Host", "evil.example")]},
    ):
        headers = [BROWSER, *options.pop("headers", [])]
        answer = await get(app, *headers, **options)
        assert answer.status == 500
        assert "KeyError" not in answer.text
        assert "app.py" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


async def test_debug_hosts_opens_the_page(app):
    app.config["DEBUG_HOSTS"] = ["203.0.113.0/24"]
    answer = await get(app, BROWSER, client=("203.0.113.9", 1))
    assert "KeyError" in answer.text


async def test_f_49_there_is_no_page_when_debug_is_off(app):
    @app.errorhandler(KeyError)
    async def show(error):
        return await traceback_response(error)

    assert "KeyError" in (await get(app, BROWSER)).text
    app.debug = False
    answer = await get(app, BROWSER)
    assert answer.status == 500
    assert "KeyError" not in answer.text


async def test_a_test_sees_the_exception_whatever_the_mode():
    app = Quart("tested")
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "extensions": {"quart.raise_exceptions": {}},
    }
    request = app.asgi_http_class(app, scope)._create_request_from_scope(None)
    async with app.request_context(request):
        response = await traceback_response(KeyError("b"))
    assert "KeyError" in await response.get_data(as_text=True)


async def test_without_a_request_there_is_no_page():
    response = await traceback_response(KeyError("b"))
    assert response.status_code == 500
    assert "KeyError" not in await response.get_data(as_text=True)


def hostile_app(text):
    """Make an application whose every shown part has the text in it."""
    app = Quart("hostile", root_path="/nowhere")
    app.debug = True
    # The runner of the tests cannot send every text that would be captured.
    app.logger.disabled = True

    class Hostile(Exception):
        def __repr__(self):
            return text

    # What neither the name of a class nor that of a file can have.
    name = text.replace("\ud800", "").replace("\0", "")
    Hostile.__qualname__ = Hostile.__name__ = f"Hostile{name}"
    names = {"Hostile": Hostile, "text": text, "__name__": f"module{text}"}
    source = """
async def view(path):
    local = {text: [text], "repr": Hostile()}
    locals_by_name = text
    error = Hostile(text)
    error.add_note(text)
    try:
        raise ValueError(text)
    except ValueError as cause:
        raise ExceptionGroup(text, [error]) from cause
"""
    filename = f"/nowhere/{name}.py"
    exec(compile(source, filename, "exec"), names)
    app.add_url_rule("/<path:path>", "view", names["view"])
    return app


@pytest.mark.parametrize("text", CORPUS)
async def test_fw_04_nothing_hostile_becomes_markup(text):
    plain = await get(hostile_app("harmless"), BROWSER, path="/harmless")
    app = hostile_app(text)
    sent = text.encode("utf-8", "replace").decode()
    answer = await get(
        app,
        BROWSER,
        ("X-Hostile", sent),
        ("User-Agent", sent),
        path="/" + sent,
        query="hostile=" + sent,
    )
    assert answer.status == 500
    page = Page(answer.text)
    assert set(page.tags) <= TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    assert page.tags.count("script") == 1
    assert page.tags.count("style") == 1
    # More rows, for what the plain request did not send; nothing else.
    extra = len(page.tags) - len(Page(plain.text).tags)
    assert extra >= 0
    assert set(page.tags) - set(Page(plain.text).tags) <= {"tr", "th", "td", "table"}
    assert "Hostile" in page.text
    assert "\x00" not in answer.text
    assert "\u202e" not in answer.text


@pytest.mark.parametrize("text", CORPUS)
async def test_fw_04_json_and_text_stay_what_they_are(text):
    app = hostile_app(text)
    for accept in ("application/json", "text/plain"):
        answer = await get(app, ("Accept", accept), path="/x")
        assert answer.headers["Content-Type"].startswith(accept)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if accept == "application/json":
            assert json.loads(answer.text)["error"]["notes"] == []


async def test_a_hint_is_at_the_top_of_the_page(app):
    @app.get("/forgotten")
    async def forgotten():
        return page()["x"]

    async def page():
        return {}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        answer = await get(app, BROWSER, path="/forgotten")
        gc.collect()
    text = Page(answer.text).text
    hint = 'used page() without await. Write: (await page())["x"]'
    assert hint in text
    assert text.index(hint) < text.index("Your code")


def test_the_template_is_the_frame_of_the_page():
    filled = TEMPLATE.format(
        title="<b>",
        nonce="n",
        style="",
        script="",
        head="",
        failures="",
        request="",
        python="",
    )
    assert "<title>&lt;b&gt;</title>" in filled


async def test_an_exception_group_of_tasks_is_shown(app):
    @app.get("/tasks")
    async def tasks():
        async def fail(name):
            raise ValueError(name)

        results = await asyncio.gather(fail("one"), fail("two"), return_exceptions=True)
        raise ExceptionGroup("both failed", results)

    answer = await get(app, BROWSER, path="/tasks")
    text = Page(answer.text).text
    assert "1 of 2" in text
    assert "two" in text


def test_an_application_that_works_loads_none_of_it():
    code = (
        "import quart_core, sys\n"
        "assert not [x for x in sys.modules if x.startswith('quart_core.debug.')]\n"
        "assert 'format_error' in dir(quart_core.debug)\n"
        "assert not hasattr(quart_core.debug, 'nothing')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
