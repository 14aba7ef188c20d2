"""No link of a Markdown file leads nowhere: files, folders, headings."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import ROOT, anchors, name_of, pages, without_code

PAGES = [
    *pages(),
    *sorted(ROOT.glob("docs/examples/**/README.md")),
    *sorted(ROOT.glob("packages/*/CHANGELOG.md")),
    *sorted(ROOT.glob("tools/*/README.md")),
]
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)")


def problem_with(page: Path, link: str) -> str | None:
    """Return what is wrong with a link of a page."""
    target, _, anchor = unquote(link).partition("#")
    path = (page.parent / target).resolve() if target else page
    if not path.exists():
        return f"{link}: there is no {target}"
    if not path.is_relative_to(ROOT):
        return f"{link}: is outside of the project"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
        return f"{link}: {target or 'the page'} has no heading {anchor!r}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(without_code(page.read_text()))
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    problems = [problem_with(page, link) for link in inside]
    assert not [problem for problem in problems if problem]


def test_files_of_tests_that_pages_name_exist() -> None:
    names = set()
    for page in pages():
        names |= set(re.findall(r"[\w/*.-]*test_[\w*]+\.py", without_fences(page)))
    files = [
        path for folder in ("packages", "tests") for path in files_of_tests(folder)
    ]
    assert names
    for name in names:
        assert any(path.match(name) for path in files), f"there is no {name}"


def without_fences(page: Path) -> str:
    """Return a page's text and comments, without what readers are to write."""
    return re.sub(
        r"^( *)(`{3,}).*?^\1\2 *$",
        "",
        page.read_text(),
        flags=re.MULTILINE | re.DOTALL,
    )


def files_of_tests(folder: str) -> list[Path]:
    """Return the files of tests below a folder of the project."""
    return [path.relative_to(ROOT) for path in (ROOT / folder).rglob("test_*.py")]


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = set()
    for page in pages():
        text = page.read_text()
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", text, flags=re.DOTALL):
            lines = [line for line in tree.split("\n") if not line.startswith(":")]
            names = [re.sub(r".*<(.*)>$", r"\1", line) for line in lines]
            listed |= {(page.parent / name).resolve() for name in names if name}
    docs = {page.with_suffix("") for page in pages() if "docs" in page.parts}
    assert docs - listed == {ROOT / "docs" / "index"}
