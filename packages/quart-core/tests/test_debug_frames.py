"""An exception as data: frames, chains, groups, all bounded."""

from __future__ import annotations

import json

import pytest
from debug_failures import failure_of, load_module
from quart_core.debug.frames import describe
from quart_core.debug.masking import Masker


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda source: load_module(tmp_path, source)


def test_a_frame_has_its_place_its_source_and_the_failing_part(load):
    app = load(
        """\
        def other():
            pass

        def index(n):
            ü = "größe"
            return ü + {"a": n}["b"]

        def last():
            pass
        """
    )
    (failure,) = describe(failure_of(app.index, 1))
    assert (failure.kind, failure.message) == ("KeyError", "'b'")
    (frame,) = failure.frames
    assert (frame.file, frame.line, frame.function) == ("app.py", 6, "index")
    assert frame.path == app.__file__
    assert frame.is_own
    assert [line.number for line in frame.lines] == [4, 5, 6]
    failed = frame.lines[-1]
    assert failed.failed
    assert failed.text[slice(*failed.mark)] == '{"a": n}["b"]'


def test_decorators_belong_to_a_function_and_what_follows_does_not(load):
    app = load(
        """\
        same = lambda f: f

        class Views:
            @same
            def index(self):
                raise ValueError

            def other(self):
                pass
        """
    )
    (frame,) = describe(failure_of(app.Views().index))[0].frames
    assert [line.text for line in frame.lines] == [
        "@same",
        "def index(self):",
        "    raise ValueError",
    ]
    assert frame.first_line == 5


def test_frames_of_libraries_have_no_variables(load):
    app = load("import json\ndef index(): return json.loads('{')\n")
    (failure,) = describe(failure_of(app.index), variables=True)
    assert failure.kind == "json.decoder.JSONDecodeError"
    own, *others = failure.frames
    assert own.is_own
    assert {frame.package for frame in others} == {"json"}
    assert not any(frame.is_own or frame.variables for frame in others)
    assert failure.own_frames == (own,)


def test_without_own_frames_the_one_that_raised_stands_for_them():
    error = failure_of(json.loads, "{")
    (failure,) = describe(error)
    assert failure.own_frames == failure.frames[-1:]
    assert describe(ValueError("never raised"))[0].own_frames == ()


def test_variables_are_shown_when_asked_for(load):
    app = load("def index(password, n):\n    __hidden = 1\n    raise ValueError\n")
    error = failure_of(app.index, "hunter2", [1])
    assert describe(error)[0].frames[0].variables == ()
    (frame,) = describe(error, variables=True)[0].frames
    assert frame.variables == (("password", "***"), ("n", "[1]"))


def test_many_variables_are_counted(load):
    names = "\n".join(f"    v{n} = {n}" for n in range(50))
    app = load(f"def index():\n{names}\n    raise ValueError\n")
    (frame,) = describe(failure_of(app.index), variables=True)[0].frames
    assert len(frame.variables) == 41
    assert frame.variables[-1] == ("...", "10 more")


def test_causes_follow_and_suppressed_ones_do_not(load):
    app = load(
        """\
        def cause():
            try:
                {}["a"]
            except KeyError as error:
                raise ValueError from error

        def context():
            try:
                {}["a"]
            except KeyError:
                raise ValueError

        def none():
            try:
                {}["a"]
            except KeyError:
                raise ValueError from None
        """
    )

    def chain(function):
        return [(f.kind, f.relation) for f in describe(failure_of(function))]

    assert chain(app.cause) == [("ValueError", ""), ("KeyError", "cause")]
    assert chain(app.context) == [("ValueError", ""), ("KeyError", "context")]
    assert chain(app.none) == [("ValueError", "")]


def test_cycles_and_long_chains_end():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert len(describe(first)) == 2
    error = last = ValueError()
    for _ in range(100):
        last.__cause__ = ValueError()
        last = last.__cause__
    assert len(describe(error)) == 10


def test_members_of_groups_are_described_within_bounds():
    inner = ExceptionGroup("inner", [KeyError("a")])
    (failure,) = describe(ExceptionGroup("outer", [inner, ValueError("b")]))
    assert [chain[0].kind for chain in failure.members] == [
        "ExceptionGroup",
        "ValueError",
    ]
    assert failure.members[0][0].members[0][0].message == "'a'"
    (failure,) = describe(ExceptionGroup("many", [ValueError()] * 1_000))
    assert (len(failure.members), failure.left_out) == (10, 990)
    deep: Exception = ValueError()
    for _ in range(100):
        deep = ExceptionGroup("deep", [deep])
    (failure,) = describe(deep)
    depth = 0
    while failure.members:
        ((failure,),) = failure.members
        depth += 1
    assert (depth, failure.left_out) == (3, 1)


def test_a_deep_recursion_leaves_out_its_middle(load):
    app = load("def index(n):\n    return index(n + 1)\n")
    (failure,) = describe(failure_of(app.index, 0), variables=True)
    assert failure.kind == "RecursionError"
    assert len(failure.frames) == 30
    assert failure.frames[10].left_out > 500
    assert sum(frame.left_out for frame in failure.frames[11:]) == 0


def test_comprehensions_do_not_repeat_their_line(load):
    app = load("def index():\n    return [{}[x] for x in 'ab']\n")
    (failure,) = describe(failure_of(app.index))
    assert [frame.function for frame in failure.frames] == ["index"]


def test_coroutines_are_told_from_calls(load):
    app = load(
        """\
        async def index():
            return await load()

        async def load():
            return fail()

        def fail():
            raise ValueError
        """
    )
    frames = describe(failure_of(app.index))[0].own_frames
    assert [(frame.function, frame.is_coroutine) for frame in frames] == [
        ("index", True),
        ("load", True),
        ("fail", False),
    ]


def test_a_syntax_error_is_shown_at_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "broken.py"
    broken.write_text("a = 1\nb = (\n", encoding="utf-8")
    error = failure_of(compile, broken.read_text(), str(broken), "exec")
    (failure,) = describe(error)
    assert failure.message == "'(' was never closed"
    frame = failure.frames[-1]
    assert (frame.file, frame.line) == ("broken.py", 2)
    assert [line.text for line in frame.lines if line.failed] == ["b = ("]


def test_messages_and_notes_are_masked_bounded_and_printable():
    error = ValueError("\x1b[31mknown secret\u202e" + "a" * 100_000)
    error.__notes__ = ["note known secret\r", 7, *["more"] * 100]
    (failure,) = describe(error, Masker({"known secret"}))
    assert failure.message.startswith("\\x1b[31m***\\u202eaaa")
    assert len(failure.message) < 5_100
    assert failure.notes[0] == "note ***\\r"
    assert len(failure.notes) == 19
    error.__notes__ = "no list"
    assert describe(error)[0].notes == ()


def test_known_secrets_and_control_characters_leave_the_source(load):
    app = load('def index():\n    raise ValueError("known secret\u202e")\n')
    (frame,) = describe(failure_of(app.index), Masker({"known secret"}))[0].frames
    assert frame.lines[-1].text == '    raise ValueError("***\\u202e")'
    assert frame.lines[-1].mark is None


def test_a_long_line_is_cut(load):
    app = load(f"def index():\n    return {{}}['{'a' * 10_000}']\n")
    (frame,) = describe(failure_of(app.index))[0].frames
    assert len(frame.lines[-1].text) == 300


def test_a_file_that_is_gone_leaves_the_place(load, tmp_path):
    app = load("def index():\n    raise ValueError\n")
    (tmp_path / "app.py").unlink()
    (frame,) = describe(failure_of(app.index))[0].frames
    assert (frame.file, frame.line, frame.lines) == ("app.py", 2, ())


def test_frames_that_stand_for_a_template_show_what_the_template_has(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "page.html"
    path.write_text("<p>{{ year + 1 }}\n")
    names = {"__name__": str(path), "year": "1985", "range": range, "config": {}}
    code = compile("raise error", str(path), "exec")
    for name, shown in (
        ("<module>", "the template"),
        ("top-level template code", "the template"),
        ("block 'content'", "block 'content'"),
    ):
        error = failure_of(
            exec, code.replace(co_name=name), {**names, "error": TypeError("no")}
        )
        frame = describe(error, variables=True)[0].frames[-1]
        assert (frame.file, frame.line, frame.function) == ("page.html", 1, shown)
        assert frame.lines[0].mark is None
        shown_names = [name for name, _ in frame.variables]
        assert "year" in shown_names
        assert not {"range", "config"} & set(shown_names)
