"""The Content-Disposition header: what a file is called where it is saved."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from werkzeug.http import dump_options_header

__all__ = ("content_disposition",)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# What every client reads alike inside of quotes; notably not % and the backslash
# (RFC 6266, appendix D).
_PLAIN: Final = re.compile(r"[A-Za-z0-9 !#$&'()+,\-.;=@\[\]^_`{}~/]*")

# RFC 5987, 3.2.1: attr-char.
_SAFE_IN_EXTENDED: Final = "!#$&+-.^_`|~"


def content_disposition(disposition: str, filename: str | None) -> str:
    """Write the header's value (RFC 6266).

    A name that not all clients read alike is given twice: simplified to ASCII, and
    exactly, encoded after RFC 5987. Control characters become underscores.

    Args:
        disposition: ``"attachment"`` or ``"inline"``.
        filename: The name to suggest, None to suggest none.
    """
    if filename is None:
        return disposition
    filename = _CONTROL.sub("_", filename)
    parameters = {"filename": _simplified(filename)}
    if _PLAIN.fullmatch(filename) is None:
        exact = quote(filename.encode(errors="replace"), safe=_SAFE_IN_EXTENDED)
        parameters["filename*"] = f"UTF-8''{exact}"
    return dump_options_header(disposition, parameters)


def _simplified(filename: str) -> str:
    if filename.isascii():
        return filename
    decomposed = unicodedata.normalize("NFKD", filename)
    kept = (char for char in decomposed if not unicodedata.combining(char))
    simplified = "".join(kept).encode("ascii", "replace").decode()
    return simplified.replace("?", "_")
