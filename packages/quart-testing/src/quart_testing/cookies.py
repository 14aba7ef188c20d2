"""The cookies of a client, kept and sent as RFC 6265 says.

They are in an `http.cookiejar.CookieJar`, for tests to look at; its own rules are
those of 2000 and do not know ``localhost``, so parsing and choosing is done here.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import Cookie as JarCookie
from http.cookiejar import CookieJar

from werkzeug.http import parse_date
from werkzeug.sansio.http import parse_cookie

__all__ = ("Cookie", "cookie_header", "find_cookie", "remove_cookie", "store_cookies")


@dataclass(frozen=True)
class Cookie:
    """A cookie of a test client, as `get_cookie` gives it (API of Flask's client)."""

    key: str
    value: str
    decoded_key: str
    decoded_value: str
    expires: datetime | None
    max_age: int | None
    domain: str
    origin_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str | None


def store_cookies(
    jar: CookieJar, headers: Iterable[str], host: str, path: str = "/"
) -> None:
    """Take the cookies of `Set-Cookie` headers into the jar (RFC 6265, 5.3).

    Args:
        jar: Where to.
        headers: The values of the headers.
        host: Who sent them; a port is ignored.
        path: What was requested.
    """
    host = without_port(host)
    for header in headers:
        cookie = _parse(header, host, path)
        if cookie is None:
            continue
        if cookie.is_expired():
            remove_cookie(jar, cookie.name, cookie.domain, cookie.path)
        else:
            jar.set_cookie(cookie)


def cookie_header(jar: CookieJar, host: str, path: str) -> str:
    """Return the `Cookie` header for a request, empty for none (RFC 6265, 5.4).

    `Secure` cookies are sent whatever the scheme: nothing leaves the process.
    """
    host = without_port(host)
    jar.clear_expired_cookies()
    chosen = [
        cookie
        for cookie in jar
        if _domain_matches(cookie, host) and _path_matches(cookie.path, path)
    ]
    # The longest paths first; the sort keeps the order of the others.
    chosen.sort(key=lambda cookie: -len(cookie.path))
    return "; ".join(f"{cookie.name}={cookie.value or ''}" for cookie in chosen)


def find_cookie(jar: CookieJar, key: str, host: str, path: str) -> Cookie | None:
    """Return the cookie of this name, host and path, if there is one."""
    host = without_port(host)
    jar.clear_expired_cookies()
    for cookie in jar:
        if (
            cookie.name == key
            and cookie.path == path
            and cookie.domain.lstrip(".") == host.lstrip(".")
        ):
            return _as_cookie(cookie)
    return None


def remove_cookie(jar: CookieJar, key: str, host: str, path: str) -> None:
    """Remove the cookie of this name, host and path; nothing if there is none."""
    host = without_port(host).lstrip(".")
    for cookie in list(jar):
        if (cookie.name, cookie.path, cookie.domain.lstrip(".")) == (key, path, host):
            jar.clear(cookie.domain, cookie.path, cookie.name)


def without_port(host: str) -> str:
    """Return a host in lower case, without its port."""
    name, colon, port = host.rpartition(":")
    bare = name if colon and port.isdigit() else host
    return bare.strip("[]").lower()


def _parse(header: str, host: str, request_path: str) -> JarCookie | None:
    """Return the cookie of a header, None where it is to be ignored."""
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip()
    if not equals or not name:
        return None
    attributes: dict[str, str] = {}
    for part in rest:
        key, _, content = part.partition("=")
        attributes[key.strip().lower()] = content.strip()
    domain = attributes.get("domain", "").lstrip(".").lower()
    if domain and domain != host and not _is_below(host, domain):
        return None
    path = attributes.get("path", "")
    return JarCookie(
        version=0,
        name=name,
        value=value.strip(),
        port=None,
        port_specified=False,
        domain=domain or host,
        domain_specified=bool(domain),
        domain_initial_dot=False,
        path=path if path.startswith("/") else _default_path(request_path),
        path_specified=path.startswith("/"),
        secure="secure" in attributes,
        expires=_expiry(attributes),
        discard=not {"max-age", "expires"} & attributes.keys(),
        comment=None,
        comment_url=None,
        rest={
            known: attributes[known.lower()]
            for known in ("HttpOnly", "SameSite", "Max-Age", "Partitioned")
            if known.lower() in attributes
        },
    )


def _expiry(attributes: dict[str, str]) -> int | None:
    """Return when a cookie expires; `Max-Age` wins (RFC 6265, 5.3, 3)."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal() and age.isascii():
        # The jar takes a cookie for expired once its time has come.
        return int(time.time()) + int(age) if int(age) > 0 else 0
    date = parse_date(attributes.get("expires"))
    return None if date is None else int(date.timestamp())


def _default_path(path: str) -> str:
    """Return the folder of a path (RFC 6265, 5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _path_matches(cookie_path: str, path: str) -> bool:
    """Say whether a cookie is for a path (RFC 6265, 5.1.4)."""
    if path == cookie_path:
        return True
    prefix = cookie_path if cookie_path.endswith("/") else f"{cookie_path}/"
    return path.startswith(prefix)


def _domain_matches(cookie: JarCookie, host: str) -> bool:
    """Say whether a cookie is for a host (RFC 6265, 5.1.3)."""
    domain = cookie.domain.lstrip(".")
    return domain == host or (cookie.domain_specified and _is_below(host, domain))


def _is_below(host: str, domain: str) -> bool:
    return host.endswith(f".{domain}") and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _as_cookie(cookie: JarCookie) -> Cookie:
    value = cookie.value or ""
    age = cookie.get_nonstandard_attr("Max-Age")
    return Cookie(
        key=cookie.name,
        value=value,
        decoded_key=cookie.name,
        decoded_value=parse_cookie(f"value={value}").get("value", ""),
        expires=None
        if cookie.expires is None
        else datetime.fromtimestamp(cookie.expires, UTC),
        max_age=int(age) if age else None,
        domain=cookie.domain,
        origin_only=not cookie.domain_specified,
        path=cookie.path,
        secure=cookie.secure,
        http_only=cookie.has_nonstandard_attr("HttpOnly"),
        same_site=cookie.get_nonstandard_attr("SameSite"),
    )
