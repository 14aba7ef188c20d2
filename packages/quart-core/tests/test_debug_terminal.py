"""An exception in the terminal."""

from __future__ import annotations

import textwrap

import pytest
from core_driver import Driver
from debug_failures import failure_of, load_module
from quart_core.debug import format_error


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUART_TRACE", raising=False)
    return lambda source: load_module(tmp_path, source)


def block(text):
    return textwrap.indent(textwrap.dedent(text), "    ").rstrip("\n")


def test_an_own_frame_is_shown_with_two_lines_and_a_marker(load):
    app = load(
        """\
        def boom():
            w = 0
            y = 0
            x = {"a": 1}
            return x["b"]
        """
    )
    assert format_error(failure_of(app.boom)) == block(
        """\
        app.py:5 in boom
          3      y = 0
          4      x = {"a": 1}
        > 5      return x["b"]
        KeyError: 'b'
        """
    )


def test_frames_of_libraries_are_counted(load, monkeypatch):
    app = load("import json\n\n\ndef boom():\n    return json.loads('')\n")
    error = failure_of(app.boom)
    text = format_error(error)
    assert "decoder.py" not in text
    assert text.endswith("\n    3 framework frames hidden, QUART_TRACE=full shows them")
    monkeypatch.setenv("QUART_TRACE", "full")
    full = format_error(error)
    assert "decoder.py" in full
    assert "hidden" not in full


def test_the_count_stands_beside_a_short_message(load):
    app = load("import textwrap\ndef boom(): return textwrap.fill('a', 0)\n")
    error = failure_of(app.boom)
    error.args = ("short",)
    last = format_error(error).split("\n")[-1]
    assert last.startswith("    ValueError: short                   ")
    assert last.endswith(" framework frames hidden, QUART_TRACE=full shows them")


def test_the_cause_comes_first(load):
    app = load(
        """\
        def boom():
            try:
                {}["a"]
            except KeyError as error:
                raise ValueError("b") from error
        """
    )
    assert format_error(failure_of(app.boom)) == block(
        """\
        app.py:3 in boom
          2      try:
        > 3          {}["a"]
        KeyError: 'a'

        which was the cause of:

        app.py:5 in boom
          3          {}["a"]
          4      except KeyError as error:
        > 5          raise ValueError("b") from error
        ValueError: b
        """
    )


def test_members_of_a_group_are_indented():
    group = ExceptionGroup("several", [ValueError("a"), KeyError("b")])
    assert format_error(group) == block(
        """\
        ExceptionGroup: several (2 sub-exceptions)
        -- 1 of 2
           ValueError: a
        -- 2 of 2
           KeyError: 'b'
        """
    )


def test_members_that_are_left_out_are_counted():
    text = format_error(ExceptionGroup("many", [ValueError()] * 12))
    assert text.endswith("    -- 10 of 12\n       ValueError\n    -- 2 more")


def test_hints_stand_below_the_message():
    error = TypeError("wrong")
    error.add_note("app.py:5: write it like this")
    assert format_error(error) == (
        "    TypeError: wrong\n    app.py:5: write it like this"
    )


def test_a_recursion_names_the_frames_in_between(load):
    app = load("def boom(n):\n    return boom(n + 1)\n")
    text = format_error(failure_of(app.boom, 0))
    assert " frames in between\n" in text
    assert text.count("\n") < 100


def test_st_01_no_control_character_reaches_the_terminal(load):
    app = load(
        """\
        def boom(text):
            raise ValueError(text)  # \u202e \x1b[31m
        """
    )
    hostile = "\x1b]0;owned\x07\r\x08\x9b31m\u202e\u2066\u200b\ud800\nnext"
    error = failure_of(app.boom, hostile)
    error.add_note(hostile)
    text = format_error(error)
    assert text.replace("\n", "").isprintable()
    assert "\\x1b]0;owned\\x07\\r" in text
    assert "\\u202e" in text


def test_passwords_of_urls_are_masked():
    text = format_error(ValueError("cannot reach postgresql://ada:hunter2@db/x"))
    assert text == "    ValueError: cannot reach postgresql://ada:***@db/x"


async def test_a_view_that_returned_nothing_usable_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = load_module(
        tmp_path,
        """\
        from quart_core import Quart
        app = Quart(__name__)
        @app.get("/none")
        async def none():
            value = 1
        @app.get("/forgotten")
        async def forgotten():
            name = "x"
            return page(name)
        async def page(name):
            return name
        app.testing = True
        """,
    )
    texts = {}
    for path in ("none", "forgotten"):
        with pytest.raises(TypeError) as caught:
            await Driver(module.app)("GET", f"/{path}")
        texts[path] = format_error(caught.value)
    # The frames of this test are the user's too, and before these.
    assert (
        "    app.py:4 in none\n"
        "    > 4  async def none():\n"
        "    TypeError: app.py:4 none() returned None"
    ) in texts["none"]
    assert (
        "    app.py:9 in forgotten\n"
        '      8      name = "x"\n'
        "    > 9      return page(name)\n"
        "    TypeError: app.py:9 returned page(...) without await."
    ) in texts["forgotten"]
