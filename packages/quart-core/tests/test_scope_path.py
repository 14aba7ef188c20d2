"""The path of a request below the root path of its scope."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.wrappers.scope_path import request_path


@pytest.mark.parametrize(
    ("root_path", "path", "expected"),
    [
        ("", "/", "/"),
        ("", "/a/b", "/a/b"),
        ("/app", "/app", "/"),
        ("/app", "/app/", "/"),
        ("/app", "/app/a", "/a"),
        ("/app/", "/app/a", "/a"),
        ("/app/", "/app", "/"),
        ("/", "/a", "/a"),
        ("/app", "/application", None),
        ("/app", "/", None),
        ("/app", "/other/app/admin", None),
        ("/app", "/App/a", None),
        ("/app/v1", "/app/v1/a", "/a"),
        ("/app/v1", "/app", None),
        ("/app", "/app//a", "//a"),
    ],
)
def test_fw_16_the_root_counts_at_the_start_and_on_segment_borders(
    root_path: str, path: str, expected: str | None
) -> None:
    assert request_path({"root_path": root_path, "path": path}) == expected


def test_a_scope_without_a_root_path_is_its_own_root() -> None:
    assert request_path({"path": "/a"}) == "/a"
    assert request_path({"path": "/a", "root_path": None}) == "/a"


segments = st.lists(st.text("ab/", min_size=1, max_size=3), max_size=4)


@given(root=segments, rest=segments)
def test_the_rest_of_a_mounted_path_is_found(root: list[str], rest: list[str]) -> None:
    root_path = "".join(f"/{segment}" for segment in root).rstrip("/")
    path = "".join(f"/{segment}" for segment in rest)
    found = request_path({"root_path": root_path, "path": root_path + path})
    assert found == (path or ("/" if root_path else ""))


@pytest.mark.parametrize(
    ("target", "expected"),
    [("http://h/a/b", "/a/b"), ("https://h", "/"), ("ws://h/a", "/a"), ("*", "*")],
)
def test_the_absolute_form_of_a_target_is_left_out(target: str, expected: str) -> None:
    assert request_path({"path": target}) == expected
