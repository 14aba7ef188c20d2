"""The snippets of the README."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_each_snippet_is_python(number: int) -> None:
    body = textwrap.indent(SNIPPETS[number], "    ")

    # In a coroutine, as some of them are the inside of a test.
    tree = ast.parse(f"async def test():\n{body}")

    assert tree.body


async def test_the_first_snippet_passes() -> None:
    # With core alone there is no quart to import from.
    names: dict[str, object] = {"__name__": "readme"}
    source = SNIPPETS[0].replace("from quart import", "from quart_core import")

    exec(compile(source, "README.md", "exec"), names)
    test = names["test_greet"]

    assert callable(test)
    await test()
