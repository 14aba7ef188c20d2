r"""Joining a path from a request to a folder, so that it cannot leave the folder.

Two walls. First a grammar of what a path may be, the strictest of all systems on every
system, checked before the file system is asked anything: on Windows merely looking at
``\\host\share`` sends credentials, and ``aux.txt`` is no file. Then, since links may
lead anywhere, the place where the path really ends up.
"""

from __future__ import annotations

import os
import re
from typing import Final

from werkzeug.exceptions import NotFound

__all__ = ("confined_path", "is_safe_path", "safe_join", "without_detours")

MAX_PATH_LENGTH: Final = 4096
"""Characters that a path may have."""

MAX_SEGMENT_BYTES: Final = 255
"""Bytes that a file or folder name may have, the limit of common file systems."""

# Control characters, separators, drive letters and streams (:), wildcards; halves of
# surrogate pairs, which no file name can be made of.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|\ud800-\udfff]')

# Names that Windows takes for devices, whatever extension follows.
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
)


def is_safe_path(path: str) -> bool:
    """Tell whether a relative path with ``/`` between its parts names a place inside.

    Only the text is looked at.
    """
    if not path or len(path) > MAX_PATH_LENGTH or _FORBIDDEN.search(path):
        return False
    return all(map(_is_safe_segment, path.split("/")))


def _is_safe_segment(segment: str) -> bool:
    # Empty, "." and "..", and what Windows reads as another name: it drops dots and
    # spaces at the end.
    if not segment or segment[-1] in ". ":
        return False
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return False
    stem = segment.partition(".")[0].strip(" ")
    return stem.upper() not in _DEVICES


def without_detours(path: str) -> str:
    """Leave out parts of a path that are taken back by a ``..`` right behind them.

    Only the text is looked at, and only what names a place inside all the way is
    changed: ``a/../b`` becomes ``b``, while ``../b`` and ``a/../../b`` stay, and so
    does what holds a part that is not safe.
    """
    if "/../" not in path or len(path) > MAX_PATH_LENGTH:
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment != "..":
            if _FORBIDDEN.search(segment) or not _is_safe_segment(segment):
                return path
            kept.append(segment)
        elif kept:
            kept.pop()
        else:
            return path
    return "/".join(kept)


def safe_join(directory: str | os.PathLike[str], *paths: str) -> str:
    """Join paths that are not trusted to a folder that is.

    Links are not followed here, see `confined_path`.

    Raises:
        NotFound: A path is absolute, goes up, or holds what no file name may hold on
            one of the systems.
    """
    for path in paths:
        if not is_safe_path(path):
            raise NotFound
    return os.path.join(os.fspath(directory), *paths)


def confined_path(directory: str, path: str) -> str:
    """Join like `safe_join` and follow links; asks the file system, so blocks.

    Links inside of the folder are followed as long as they end inside of it. The folder
    itself may be a link.

    Raises:
        NotFound: As in `safe_join`, or a link leads out of the folder.
    """
    joined = safe_join(directory, path)
    if not _passes_a_link(directory, path):
        return joined
    root = os.path.realpath(directory)
    target = os.path.realpath(joined)
    # By parts: /files-secret is not inside of /files.
    if not _is_inside(root, target):
        raise NotFound
    return target


def _passes_a_link(directory: str, path: str) -> bool:
    if os.name == "nt":
        # Junctions and other reparse points are no links to islink.
        return True
    place = directory
    for segment in path.split("/"):
        place = os.path.join(place, segment)
        if os.path.islink(place):
            return True
    return False


def _is_inside(root: str, target: str) -> bool:
    try:
        common = os.path.commonpath((root, target))
    except ValueError:
        # Another drive.
        return False
    return os.path.normcase(common) == os.path.normcase(root)
