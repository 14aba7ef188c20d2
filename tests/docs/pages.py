"""The pages of the documentation, and what is in them: blocks, comments, links.

A block is a fence with a language. What the tests do with it depends on that, on its
first line (``# app.py`` names a file) and on a comment in front of it:

* ``<!-- not run: reason -->``: the block cannot run here; it is listed as skipped.
* ``<!-- check`` ... ``-->``: Python that checks what the page says, unseen by readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,})(?P<language>[^`]*)$")
_COMMENT = re.compile(r"^<!-- *(?P<kind>not run:|check\b)(?P<rest>.*)$")
_TITLE = re.compile(r"^(?:#|//|;|<!--|\{#) ?(?P<name>[\w./-]+\.\w+)(?: *(?:-->|#\}))?$")


@dataclass(frozen=True)
class Block:
    """A fence of a page, or a comment that checks.

    Attributes:
        language: The fence's, or ``check`` for a comment.
        text: What is inside, without the line that names a file.
        line: Number of the first line of the text, from 1.
        file: The file it stands for.
        not_run: Why it cannot run.
    """

    language: str
    text: str
    line: int
    file: str | None = None
    not_run: str | None = None


def pages() -> list[Path]:
    """Return the Markdown files that people read, examples excepted."""
    docs = [
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if not {"_build", "examples"} & set(page.relative_to(ROOT).parts)
    ]
    return [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md")), *docs]


def name_of(page: Path) -> str:
    """Return a page's name for messages: its path in the project."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    lines = text.split("\n")
    number = 0
    reason: str | None = None
    while number < len(lines):
        line = lines[number]
        number += 1
        if comment := _COMMENT.match(line):
            start = number
            body = [comment["rest"]]
            while "-->" not in lines[number - 1]:
                body.append(lines[number])
                number += 1
            content = "\n".join(body).replace("-->", "").rstrip()
            if comment["kind"] == "check":
                yield Block("check", content.removeprefix("\n"), start + 1)
            else:
                reason = content.strip()
        elif fence := _FENCE.match(line):
            end = _end_of(lines, number, fence["mark"])
            indent = len(fence["indent"])
            body = [each[indent:] for each in lines[number:end]]
            yield _block(fence["language"].strip(), body, number + 1, reason)
            reason = None
            number = end + 1
        elif line.strip():
            reason = None


def _end_of(lines: list[str], number: int, mark: str) -> int:
    while lines[number].strip() != mark:
        number += 1
    return number


def _block(language: str, body: list[str], line: int, reason: str | None) -> Block:
    title = _TITLE.match(body[0]) if body else None
    if title is None:
        return Block(language, "\n".join(body), line, None, reason)
    # The line stays, so that numbers of lines are right; it is a comment anyway.
    return Block(language, "\n".join(body), line, title["name"], reason)


def without_code(text: str) -> str:
    """Return a page's text without fences, code spans and comments."""
    text = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    found: set[str] = set()
    text = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,4} +(.+?) *$", text, flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        unique = slug
        while unique in found:
            number += 1
            unique = f"{slug}-{number}"
        found.add(unique)
    return found
