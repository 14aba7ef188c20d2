"""How a test sets and reads the cookies of its client, in Quart's ways and Flask's."""

from __future__ import annotations

from datetime import datetime, timedelta
from http.cookiejar import CookieJar
from typing import Any, Final

from werkzeug.http import dump_cookie

from .cookies import Cookie, find_cookie, remove_cookie, store_cookies, without_port
from .utils import DEFAULT_HOST

__all__ = ("CookieAccess",)

_missing: Final[Any] = object()


class CookieAccess:
    """A client as far as its cookies are concerned.

    Attributes:
        cookie_jar: The cookies, None for a client without.
    """

    app: Any  # an application of whatever class, for SERVER_NAME
    cookie_jar: CookieJar | None

    def set_cookie(
        self,
        server_name: str = _missing,
        key: str = _missing,
        value: str = _missing,
        max_age: int | timedelta | None = None,
        expires: str | float | datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
        *,
        origin_only: bool = True,
    ) -> None:
        """Put a cookie into the jar.

        Flask's form, ``set_cookie("key", "value")``, and Quart's, which begins with
        the server's name: ``set_cookie("localhost", "key", "value")``. Two positional
        arguments are a key and a value, unless the first is the application's host.

        Args:
            server_name: Who is supposed to have set it.
            key: The name.
            value: The value, empty if not given.
            max_age: Seconds until it expires.
            expires: When it expires.
            path: It is sent to this path and those below.
            domain: Who is supposed to have set it, in Flask's form; in Quart's, the
                domain that it is sent to, with what is below.
            secure: As the attribute of this name.
            httponly: As the attribute of this name.
            samesite: As the attribute of this name.
            partitioned: As the attribute of this name.
            origin_only: In Flask's form, do not send it to what is below the domain.

        Raises:
            RuntimeError: The client has no cookies.
            TypeError: There is no key.
        """
        host, key, value = self._cookie_arguments(server_name, key, value)
        if host is None:
            host = domain or self._host
            domain = None if origin_only else host
        self._jar()
        header = dump_cookie(
            key,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            max_size=0,
        )
        store_cookies(self._jar(), [header], host, path)

    def get_cookie(
        self, key: str, domain: str | None = None, path: str = "/"
    ) -> Cookie | None:
        """Return a cookie, None if there is none (API of Flask).

        Args:
            key: The name.
            domain: Who set it; the application's host if not given.
            path: Its path.

        Raises:
            RuntimeError: The client has no cookies.
        """
        return find_cookie(self._jar(), key, domain or self._host, path)

    def delete_cookie(
        self,
        server_name: str = _missing,
        key: str = _missing,
        path: str = "/",
        domain: str | None = None,
    ) -> None:
        """Remove a cookie from the jar; nothing if it is not there.

        Flask's form, ``delete_cookie("key")``, and Quart's,
        ``delete_cookie("localhost", "key")``.

        Raises:
            RuntimeError: The client has no cookies.
            TypeError: There is no key.
        """
        if key is _missing:
            server_name, key = _missing, server_name
        if key is _missing:
            raise TypeError("delete_cookie() needs the key of the cookie")
        given = None if server_name is _missing else server_name
        remove_cookie(self._jar(), key, domain or given or self._host, path)

    @property
    def _host(self) -> str:
        name: str = self.app.config["SERVER_NAME"] or DEFAULT_HOST
        return without_port(name)

    def _is_host(self, server_name: Any) -> bool:
        """Say whether this begins the arguments of Quart's form, or is not given."""
        return server_name is _missing or without_port(server_name) == self._host

    def _cookie_arguments(
        self, server_name: Any, key: Any, value: Any
    ) -> tuple[str | None, str, str]:
        """Return host, key and value, the host None in Flask's form."""
        if key is _missing:
            # A key alone, or with its value by keyword.
            server_name, key = _missing, server_name
        elif value is _missing and not self._is_host(server_name):
            server_name, key, value = _missing, server_name, key
        if key is _missing:
            raise TypeError("set_cookie() needs the key of the cookie")
        host = None if server_name is _missing else server_name
        return host, key, "" if value is _missing else value

    def _jar(self) -> CookieJar:
        if self.cookie_jar is None:
            raise RuntimeError(
                "The client has no cookies: make it with test_client(use_cookies=True)"
            )
        return self.cookie_jar
