"""Every snippet of the documentation runs, and does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import Block, blocks, name_of, pages
from snippets import Page

PAGES = pages()
NOT_RUN = [
    pytest.param(block, id=f"{name_of(page)}:{block.line}")
    for page in PAGES
    for block in blocks(page.read_text())
    if block.not_run is not None
]


# Some pages start a dozen processes, on a machine that may be busy.
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_snippets_do_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for variable in ("QUART_APP", "QUART_DEBUG", "QUART_ENV"):
        monkeypatch.delenv(variable, raising=False)
    Page(name_of(page), tmp_path).run(blocks(page.read_text()))


@pytest.mark.parametrize("block", NOT_RUN)
def test_snippet_that_cannot_run_here(block: Block) -> None:
    assert block.not_run, "say why"
    pytest.skip(f"not run: {block.not_run}")
