"""The tests of snippets fail where a page says what is not so."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import blocks
from snippets import Page, SnippetError

APP = """\
```python
from quart import Quart

app = Quart(__name__)


@app.get("/")
async def index():
    return {"a": 1}
```
"""
CURL = """
```console
$ curl http://127.0.0.1:5000/
%s
```
"""


def run(text: str, folder: Path) -> None:
    Page("page.md", folder).run(blocks(text))


def test_a_page_that_is_right_passes(tmp_path: Path) -> None:
    run(APP + CURL % '{"a":1}', tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (APP + CURL % '{"a":2}', "page.md:13: the page shows"),
        (APP, "page.md:2: nothing checks this snippet"),
        (APP + "<!-- check\nassert True\n-->\n", "nothing calls 'index'"),
        (APP + "<!-- check\n\nassert 1 == 2\n-->\n", "page.md:13: AssertionError"),
        ("```python\nprint(1)\n```\n```text\n2\n```\n", "page.md:5: the page shows"),
        ("```python\nasync def test_it():\n    assert 0\n```\n", "page.md:3: "),
        ("```python\n# test_a.py\ndef test_it(x):\n    pass\n```\n", "'x' not found"),
        ("```console\n$ quart serve --no-such\n```\n", "No such option"),
        ("```console\n$ pip install quart[no]\n```\n", "has no extra 'no'"),
        ("```console\n$ make coffee\n```\n", "do not know how to run"),
        ("```console\n$ python -m quart_server a --no\n```\n", "knows no"),
        ("```toml\n# server.toml\nno_such = 1\n```\n", "There is no setting"),
        ("```json\n{\n```\n", "JSONDecodeError"),
    ],
)
def test_a_page_that_is_wrong_fails(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SnippetError) as caught:
        run(text, tmp_path)
    assert message in str(caught.value)


def test_what_is_not_run_says_why(tmp_path: Path) -> None:
    text = "<!-- not run: no server here -->\n```python\nraise OSError\n```\n"
    (block,) = blocks(text)
    assert block.not_run == "no server here"
    run(text, tmp_path)
