"""Keeps secrets out of what is shown of an exception.

Three ways lead to a mask: the name beside a value (``password``, ``api_key``,
``Authorization``), the value itself (of SECRET_KEY, of this request's cookies) and the
user information of a URL.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

__all__ = ("MASK", "Masker", "is_secret_name", "secrets_of")

MASK: Final = "***"

MIN_SECRET_CHARACTERS: Final = 6
"""Shorter values are masked only as a whole: 'dev' is also a part of 'device'."""

_STRONG_WORDS: Final = frozenset(
    [
        "apikey",
        "authorization",
        "bearer",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "jwt",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "pwd",
        "secret",
        "secrets",
        "token",
        "tokens",
    ]
)
_WORDS: Final = _STRONG_WORDS | frozenset(
    [
        "auth",
        "csrf",
        "cvc",
        "cvv",
        "dsn",
        "key",
        "keys",
        "otp",
        "pass",
        "pin",
        "private",
        "salt",
        "signature",
        "ssn",
    ]
)
# Found in names that are written as one word too.
_STEMS: Final = ("password", "passwd", "secret", "token", "apikey", "credential")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_USER_INFORMATION: Final = re.compile(
    r"(?<=://)([^/\s:@'\"]{0,256}):([^/\s@'\"]{1,256})@"
)
_NAME: Final = re.compile(
    r"(?<![\w-])(['\"]?)([A-Za-z_][\w-]{0,63})\1(?:\s{0,9}([=:])\s{0,9}|(?<=['\"]),\s)"
)
_VALUE: Final = re.compile(
    r"b?'(?:[^'\\]|\\.)*'?|b?\"(?:[^\"\\]|\\.)*\"?|[^\s,;&)\]}>'\"]+", re.DOTALL
)
# What follows a colon without quotes may be "Bearer abc".
_LINE: Final = re.compile(r"b?'[^']*'?|b?\"[^\"]*\"?|[^\r\n,)\]}>'\"]+")


@lru_cache(maxsize=512)
def is_secret_name(name: str, *, strong: bool = False) -> bool:
    """Return whether a name is one that secrets have.

    Args:
        name: In any style: ``api_key``, ``X-Auth-Token``, ``clientSecret``.
        strong: Leave out words that often mean something else, such as ``key``.
    """
    words = {word.lower() for word in _WORD.findall(name)}
    if words & (_STRONG_WORDS if strong else _WORDS):
        return True
    lower = name.lower()
    return any(stem in lower for stem in _STEMS)


class Masker:
    """Replaces secrets in texts.

    Args:
        secrets: Values never to be shown.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._whole = frozenset(secrets)
        long = {s for s in self._whole if len(s) >= MIN_SECRET_CHARACTERS}
        # A repr shows some characters escaped.
        long |= {repr(secret)[1:-1] for secret in long}
        # The longest first: one secret may begin with another.
        found = sorted(map(re.escape, long), key=len, reverse=True)
        self._parts = re.compile("|".join(found)) if found else None

    def is_secret(self, name: object, value: object = None) -> bool:
        """Return whether a value must not be shown, by its name or as a whole."""
        if isinstance(name, bytes):
            name = name.decode("latin-1")
        if isinstance(name, str) and is_secret_name(name[:256]):
            return True
        return type(value) is str and value in self._whole

    def values(self, text: str) -> str:
        """Mask known secrets and the passwords of URLs."""
        if self._parts is not None:
            text = self._parts.sub(MASK, text)
        if "://" in text:
            text = _USER_INFORMATION.sub(rf"\1:{MASK}@", text)
        return text

    def message(self, text: str) -> str:
        """Mask a text written for people, where ``key:`` may mean anything."""
        return self._named(self.values(text), strong=True)

    def representation(self, text: str) -> str:
        """Mask what an object says of itself: ``User(password='...')``."""
        return self._named(self.values(text), strong=False)

    @staticmethod
    def _named(text: str, *, strong: bool) -> str:
        """Mask the values that stand after a secret name."""
        pieces: list[str] = []
        end = 0
        for match in _NAME.finditer(text):
            if match.start() < end or not is_secret_name(match[2], strong=strong):
                continue
            pattern = _LINE if match[3] == ":" else _VALUE
            value = pattern.match(text, match.end())
            if value is None:
                continue
            pieces += text[end : match.end()], MASK
            end = value.end()
        return "".join(pieces) + text[end:] if pieces else text


# Any: an application, and a scope with whatever its server puts there.
def secrets_of(app: Any, scope: Mapping[str, Any] | None) -> set[str]:
    """Return the values of settings, environment and request that are secret."""
    secrets: set[str] = set()
    if app is not None:
        for name, value in app.config.items():
            if _is_secret_setting(name):
                secrets.update(_texts(value))
    for name, value in os.environ.items():
        # A folder would be masked in every path.
        if is_secret_name(name) and not value.startswith(os.sep):
            secrets.add(value)
    for name, value in () if scope is None else scope.get("headers", ()):
        if is_secret_name(name.decode("latin-1")):
            secrets.update(_credentials(value.decode("latin-1")))
    secrets.discard("")
    return secrets


def _is_secret_setting(name: object) -> bool:
    # What is said about the cookie is no secret; its name would be masked in the code.
    return (
        isinstance(name, str)
        and not name.startswith("SESSION_COOKIE_")
        and is_secret_name(name)
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)


def _credentials(header: str) -> Iterator[str]:
    """Yield a header's value and the secrets in it: a token, cookies, a password."""
    yield header
    for part in header.split(";"):
        yield part.partition("=")[2].strip().strip('"')
    scheme, _, rest = header.partition(" ")
    yield rest.strip()
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(rest, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        yield pair.partition(":")[2]
