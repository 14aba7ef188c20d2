"""Sessions: a dictionary that a client carries from request to request.

API of ``quart.sessions`` and ``flask.sessions``. The session is a cookie with its
values in readable JSON and a signature, so clients can read it and cannot change it.
Cookies are interchangeable with Flask's, in both directions, under the same key.

The public methods are coroutine functions that an interface of one's own overrides.
Beside them the cookie interface has private synchronous ones that do the same, by
which a context opens the session when it is first used, or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.datastructures import CallbackDict
from werkzeug.sansio.request import Request as SansIORequest

from .cookie_signing import CookieSerializer, check_key, verified_values
from .json.tag import TaggedJSONSerializer

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer
    from werkzeug.sansio.response import Response as SansIOResponse

    from .app import Quart
    from .wrappers.base import BaseRequestWebsocket

__all__ = [
    "NullSession",
    "SecureCookieSession",
    "SecureCookieSessionInterface",
    "SessionInterface",
    "SessionMixin",
    "session_json_serializer",
]

# Apps that share an interface (it is a class attribute) share its serializers.
_SERIALIZERS_KEPT = 8

# A cookie whose characters mean nothing to the parser of cookies, such as ours.
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)

_MISSING: Any = object()


# The values of a session are the application's, hence Any throughout.
class SessionMixin(MutableMapping[str, Any]):
    """What a session has beyond being a dictionary."""

    #: Whether the session was made for this request. Not every interface can tell;
    #: the cookie interface cannot.
    new = False

    #: Whether the session was changed. Where it cannot be told it counts as changed.
    modified = True

    #: Whether the session was used at all in this request. Then the response depends on
    #: the cookie and says so to caches, with ``Vary: Cookie``.
    accessed = False

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser, for ``permanent_session_lifetime``.

        Kept in the session itself, as ``_permanent``.
        """
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


# werkzeug types update() more narrowly than MutableMapping does.
class SecureCookieSession(  # pyright: ignore[reportIncompatibleMethodOverride]
    CallbackDict[str, Any], SessionMixin
):
    """A session that is kept in a signed cookie.

    Changes are noticed at its own level only: after changing a list inside, set
    ``session.modified = True``.

    Args:
        initial: The first values.
    """

    modified = False

    def __init__(self, initial: Any = None) -> None:
        super().__init__(initial, _mark_modified)


def _mark_modified(session: SecureCookieSession) -> None:
    session.modified = True


def _refuse(self: object, *_args: object, **_kwargs: object) -> NoReturn:  # noqa: ARG001
    raise RuntimeError(
        "The session is unavailable because no secret key was set."
        " Set app.secret_key to a random text, such as 'quart doctor --secret' prints."
    )


class NullSession(SecureCookieSession):
    """The session of an app without a secret key: can be read, and is empty."""

    __setitem__ = __delitem__ = clear = pop = popitem = update = setdefault = _refuse
    __ior__ = _refuse


class SessionInterface:
    """How sessions are opened and saved. Subclass it to keep them elsewhere.

    ::

        class App(Quart):
            session_interface = MySessionInterface()

    ``open_session`` and ``save_session`` may also be plain functions.
    """

    #: What ``make_null_session`` makes.
    null_session_class: type[NullSession] = NullSession

    #: Whether sessions are stored with pickle. Nothing here does; extensions ask.
    pickle_based = False

    #: Whether the session can be opened without waiting, when it is first used.
    opens_lazily = False

    async def make_null_session(self, app: Quart) -> NullSession:  # noqa: ARG002
        """Make the session of a request for which none can be opened."""
        return self.null_session_class()

    def is_null_session(
        self, instance: object = _MISSING, *, obj: object = _MISSING
    ) -> bool:
        """Say whether a session is a null session, which is never saved.

        Args:
            instance: The session.
            obj: Flask's name for it.
        """
        session = obj if instance is _MISSING else instance
        return isinstance(session, self.null_session_class)

    def get_cookie_name(self, app: Quart) -> str:
        """Give the name of the cookie, ``SESSION_COOKIE_NAME``."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Quart) -> str | None:
        """Give the domain of the cookie, None for the exact host only.

        ``SESSION_COOKIE_DOMAIN``.
        """
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: Quart) -> str:
        """Give the path of the cookie.

        ``SESSION_COOKIE_PATH``, else ``APPLICATION_ROOT``.
        """
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: Quart) -> bool:
        """Say whether scripts are kept from the cookie, ``SESSION_COOKIE_HTTPONLY``."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: Quart) -> bool:
        """Say whether the cookie needs HTTPS, ``SESSION_COOKIE_SECURE``."""
        secure: bool = app.config["SESSION_COOKIE_SECURE"]
        return secure

    def get_cookie_samesite(self, app: Quart) -> str | None:
        """Give ``Strict``, ``Lax`` or nothing, ``SESSION_COOKIE_SAMESITE``."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: Quart) -> bool:
        """Say whether each top-level site has a cookie of its own.

        ``SESSION_COOKIE_PARTITIONED``; it also makes the cookie need HTTPS.
        """
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def get_expiration_time(self, app: Quart, session: SessionMixin) -> datetime | None:
        """Say when the cookie ends: with the browser (None), or if permanent later."""
        if not session.permanent:
            return None
        return datetime.now(UTC) + app.permanent_session_lifetime

    def should_set_cookie(self, app: Quart, session: SessionMixin) -> bool:
        """Say whether the response carries the cookie.

        It does when the session changed, and for a permanent session always, unless
        ``SESSION_REFRESH_EACH_REQUEST`` is off: then its lifetime counts from its last
        change.
        """
        return session.modified or (
            session.permanent and bool(app.config["SESSION_REFRESH_EACH_REQUEST"])
        )

    async def open_session(
        self, app: Quart, request: BaseRequestWebsocket
    ) -> SessionMixin | None:
        """Open the session of a request or websocket.

        Returns:
            The session; None where there can be none, which gives a null session.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define open_session(app, request)."
        )

    async def save_session(
        self, app: Quart, session: SessionMixin, response: SansIOResponse | None
    ) -> None:
        """Save the session at the end of a request or websocket.

        Args:
            app: The app.
            session: What ``open_session`` gave, never a null session.
            response: Where cookies go; None for a websocket that was accepted.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define save_session(app, session, response)."
        )


#: Writes sessions as JSON that keeps tuples, bytes, UUIDs, dates and markup.
session_json_serializer = TaggedJSONSerializer()


class SecureCookieSessionInterface(SessionInterface):
    """Keeps sessions in signed cookies, with itsdangerous.

    The attributes are part of the signature: with other values older cookies become
    invalid, and so do Flask's.
    """

    #: Sets signatures of sessions apart from others made with the same key.
    salt = "cookie-session"

    #: The hash of the signature. HMAC does not need it to be free of collisions.
    digest_method: Callable[..., Any] = staticmethod(hashlib.sha1)

    #: How the key of the signature is made from the secret key.
    key_derivation = "hmac"

    #: Writes and reads the values.
    serializer: Any = session_json_serializer

    #: What ``open_session`` makes.
    session_class: type[SecureCookieSession] = SecureCookieSession

    # Each with the settings it was made of. Replaced as a whole, for threads.
    _serializers: tuple[tuple[tuple[Any, ...], URLSafeTimedSerializer], ...] = ()

    def get_signing_serializer(self, app: Quart) -> URLSafeTimedSerializer | None:
        """Give what signs and verifies cookies, None without a secret key.

        ``SECRET_KEY`` signs; it and ``SECRET_KEY_FALLBACKS`` verify. Made once for the
        same settings.

        Raises:
            TypeError: A key is neither ``str`` nor ``bytes``.
        """
        secret_key = app.config["SECRET_KEY"]
        if not secret_key:
            return None
        settings = (
            secret_key,
            tuple(app.config["SECRET_KEY_FALLBACKS"] or ()),
            self.salt,
            self.serializer,
            self.key_derivation,
            self.digest_method,
        )
        for known, serializer in self._serializers:
            if known == settings:
                return serializer
        serializer = self._make_serializer(secret_key, settings[1])
        kept = self._serializers[: _SERIALIZERS_KEPT - 1]
        self._serializers = ((settings, serializer), *kept)
        return serializer

    def _make_serializer(
        self, secret_key: Any, fallbacks: tuple[Any, ...]
    ) -> URLSafeTimedSerializer:
        check_key("SECRET_KEY", secret_key)
        for fallback in fallbacks:
            check_key("SECRET_KEY_FALLBACKS", fallback)
        return CookieSerializer(
            # itsdangerous signs with the last key.
            [*fallbacks, secret_key],
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={
                "key_derivation": self.key_derivation,
                "digest_method": self.digest_method,
            },
        )

    @property
    def opens_lazily(self) -> bool:  # type: ignore[override]
        """Whether no subclass has replaced how a session is opened.

        Then a context opens it when it is first used.
        """
        cls = type(self)
        return (
            cls.open_session is SecureCookieSessionInterface.open_session
            and cls.make_null_session is SessionInterface.make_null_session
            and "open_session" not in self.__dict__
        )

    async def open_session(
        self, app: Quart, request: BaseRequestWebsocket
    ) -> SessionMixin | None:
        """Read the session from the request's cookie.

        A missing, changed or outdated cookie gives an empty session.

        Returns:
            The session; None without a secret key.
        """
        return self._read(app, request)

    async def save_session(
        self, app: Quart, session: SessionMixin, response: SansIOResponse | None
    ) -> None:
        """Write the session into a cookie of the response, if it must be.

        A session that was emptied deletes the cookie. Whatever depends on the session
        says so to caches: ``Vary: Cookie`` where it was used, and where a cookie is set
        also ``Cache-Control: private``, in place of ``public`` if that was set; any
        other value of the app stays.
        """
        self._save(app, session, response)

    def _open(self, app: Quart, request: BaseRequestWebsocket) -> SessionMixin:
        """Do what ``open_session`` does, and make the null session where it is due."""
        session = self._read(app, request)
        return self.null_session_class() if session is None else session

    def _read(
        self, app: Quart, request: BaseRequestWebsocket
    ) -> SecureCookieSession | None:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        cookie = _cookie(request, self.get_cookie_name(app))
        if not cookie:
            return self.session_class()
        values = verified_values(
            serializer, cookie, app.permanent_session_lifetime.total_seconds()
        )
        return self.session_class(values)

    def _save(
        self, app: Quart, session: SessionMixin, response: SansIOResponse | None
    ) -> None:
        """Do what ``save_session`` does; nothing for a null session."""
        if self.is_null_session(session):
            return
        if response is None:
            _report_lost(app, session)
            return
        if session:
            if self.should_set_cookie(app, session):
                self._set_cookie(app, session, response)
                return
        elif session.modified:
            response.delete_cookie(self.get_cookie_name(app), **self._attributes(app))
            _tell_caches(response, private=True)
            return
        if session.accessed:
            _tell_caches(response, private=False)

    def _set_cookie(
        self, app: Quart, session: SessionMixin, response: SansIOResponse
    ) -> None:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            _refuse(session)
        response.set_cookie(
            self.get_cookie_name(app),
            serializer.dumps(dict(session)),
            expires=self.get_expiration_time(app, session),
            **self._attributes(app),
        )
        _tell_caches(response, private=True)

    def _attributes(self, app: Quart) -> dict[str, Any]:
        """Give the attributes that setting and deleting the cookie share."""
        return {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
            "partitioned": self.get_cookie_partitioned(app),
        }


def _cookie(request: BaseRequestWebsocket, name: str) -> str | None:
    """Give a cookie of the request, without parsing what is the only one."""
    own = getattr(type(request), "cookies", None) is SansIORequest.cookies
    if own and "cookies" not in request.__dict__:
        header = request.headers.get("Cookie")
        if header is None:
            return None
        key, _, value = header.partition("=")
        if key == name and _PLAIN_VALUE.fullmatch(value):
            return value
    return request.cookies.get(name)


def _tell_caches(response: SansIOResponse, *, private: bool) -> None:
    """Say that the response depends on the cookie, and whether it carries one."""
    headers = response.headers
    names = {name.lower() for name, _ in headers}
    if "vary" in names:
        response.vary.add("Cookie")
    else:
        headers.add("Vary", "Cookie")
    # A shared cache must not give one client's cookie to another.
    if not private:
        return
    if "cache-control" not in names:
        headers.add("Cache-Control", "private")
    elif "public" in (value := headers["Cache-Control"].lower()):
        # That of files; what the app says otherwise stays.
        kept = [each.strip() for each in value.split(",")]
        named = ["private" if each == "public" else each for each in kept]
        headers["Cache-Control"] = ", ".join(
            each for each in named if not each.startswith("s-maxage")
        )


def _report_lost(app: Quart, session: SessionMixin) -> None:
    if session.modified:
        app.logger.error(
            "The session was changed in a websocket that is already accepted, and the"
            " change is lost: there is no response left to carry the cookie. Change the"
            " session in an HTTP request instead."
        )
