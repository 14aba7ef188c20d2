"""Writing Set-Cookie headers, with nothing of the caller's able to add an attribute."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from werkzeug.http import dump_cookie

__all__ = ("make_cookie",)

# RFC 6265, 4.1.1: a name is a token. Text beyond ASCII is let through, as in Flask.
_BAD_IN_KEY: Final = re.compile(r"[\x00-\x20\x7f()<>@,;:\\\"/\[\]?={}]")
_BAD_IN_ATTRIBUTE: Final = re.compile(r"[\x00-\x1f\x7f;]")
# What stands in a cookie as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_BAD_IN_DOMAIN: Final = re.compile(r"[\x00-\x20\x7f;,/\\\"=]")


def make_cookie(
    key: str,
    value: str = "",
    max_age: timedelta | int | None = None,
    expires: str | datetime | float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = None,
    partitioned: bool = False,
    *,
    max_size: int,
) -> str:
    """Write the value of a Set-Cookie header.

    Raises:
        ValueError: The key is no token, or an attribute holds what would end it.
    """
    _refuse("key", key, _BAD_IN_KEY)
    if max_age is None and expires is None and _PLAIN.fullmatch(key + value):
        suffix = _attributes(path, domain, secure, httponly, samesite, partitioned)
        cookie = f"{key}={value}{suffix}"
        if key and len(cookie) <= max_size:
            return cookie
    if not key:
        raise ValueError("A cookie needs a key, found an empty one")
    if isinstance(expires, str):
        _refuse("expires", expires, _BAD_IN_ATTRIBUTE)
    if domain:
        _refuse("domain", domain, _BAD_IN_DOMAIN)
    if max_age is not None and not isinstance(max_age, timedelta):
        max_age = int(max_age)
    cookie = dump_cookie(
        key,
        value,
        max_age=max_age,
        expires=expires,
        path=path,
        domain=domain,
        secure=bool(secure),
        httponly=bool(httponly),
        max_size=max_size,
        samesite=samesite,
        partitioned=bool(partitioned),
    )
    # Werkzeug writes a key beyond ASCII for WSGI, UTF-8 bytes read as Latin-1.
    return cookie if cookie.isascii() else cookie.encode("latin-1").decode()


# By type too, since True and 1 are one key otherwise.
@lru_cache(maxsize=64, typed=True)
def _attributes(
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
    partitioned: bool,
) -> str:
    """Write the attributes of a cookie that ends with the browser."""
    cookie = make_cookie(
        "k",
        " ",  # no plain value
        path=path,
        domain=domain,
        secure=secure,
        httponly=httponly,
        samesite=samesite,
        partitioned=partitioned,
        max_size=0,
    )
    return cookie.removeprefix('k=" "')


def _refuse(what: str, value: str, pattern: re.Pattern[str]) -> None:
    match = pattern.search(value)
    if match is not None:
        raise ValueError(
            f"The cookie's {what} {value!r} holds {match[0]!r}, which must not be "
            "part of it"
        )
