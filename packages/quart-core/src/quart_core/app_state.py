"""What an application is: its configuration, tables and classes.

What happens to a request is in :mod:`.pipeline`, how the application starts and
stops in :mod:`.lifecycle`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import weakref
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

from quart_contexts.ctx import _AppCtxGlobals
from quart_routing.routing import QuartMap, QuartRule
from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter
from werkzeug.utils import redirect as _redirect

from .config import Config, ConfigAttribute
from .first_waits import FirstWaits
from .helpers import find_package, get_debug_flag
from .json.provider import DefaultJSONProvider, JSONProvider
from .logging import create_logger
from .parts.cli import CommandGroup
from .parts.templates import TemplateMethods
from .scaffold import Scaffold, _endpoint_from_view_func
from .sessions import SecureCookieSessionInterface, SessionInterface
from .setup import setupmethod
from .utils import is_coroutine_callable, run_sync
from .wrappers import Request, Response

if TYPE_CHECKING:
    from .blueprints import Blueprint
    from .typing import (
        AfterServingCallable,
        BeforeServingCallable,
        RouteCallable,
        ShellContextProcessorCallable,
        TeardownCallable,
        WhileServingCallable,
    )

T_shell_context_processor = TypeVar(
    "T_shell_context_processor", bound="ShellContextProcessorCallable"
)
T_teardown = TypeVar("T_teardown", bound="TeardownCallable")

# A view's result, an exception of unknown class and what overridden methods return
# are the user's: Any stands for them throughout.


def _make_timedelta(value: timedelta | int | None) -> timedelta | None:
    """Return the seconds as a timedelta."""
    if value is None or isinstance(value, timedelta):
        return value
    return timedelta(seconds=value)


def _name_of(import_name: str) -> str:
    """Return the import name, or the file's name where that is ``__main__``."""
    if import_name == "__main__":
        file: str | None = getattr(sys.modules["__main__"], "__file__", None)
        if file is not None:
            return os.path.splitext(os.path.basename(file))[0]
    return import_name


class AppState(CommandGroup, TemplateMethods, Scaffold):
    """The state of an application. API of ``flask.Flask`` and ``quart.Quart``.

    See :class:`quart_core.app.Quart` for the arguments.
    """

    aborter_class = Aborter
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    config_class = Config
    # Asynchronous primitives, replaced where another event loop family is used.
    event_class: Any = asyncio.Event
    lock_class: Any = asyncio.Lock
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    request_class: type[Request] = Request
    response_class: type[Response] = Response
    session_interface: SessionInterface = SecureCookieSessionInterface()
    url_map_class = QuartMap
    url_rule_class = QuartRule

    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute[str | bytes | None]("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute[timedelta](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_make_timedelta,  # type: ignore[arg-type]
    )

    default_config: Any = ImmutableDict(
        {
            "APPLICATION_ROOT": "/",
            "BACKGROUND_TASK_SHUTDOWN_TIMEOUT": 5,  # seconds
            "BODY_TIMEOUT": 60,  # seconds
            "DEBUG": None,
            "DEBUG_HOSTS": None,  # who sees the debug page, beside loopback
            "ENV": None,
            "EXPLAIN_TEMPLATE_LOADING": False,
            "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,  # bytes
            "MAX_COOKIE_SIZE": 4093,  # bytes
            "MAX_FORM_MEMORY_SIZE": 500_000,  # bytes
            "MAX_FORM_PARTS": 1_000,
            "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
            "PREFERRED_URL_SCHEME": "http",
            "PREFER_SECURE_URLS": False,
            "PRESERVE_CONTEXT_ON_EXCEPTION": None,
            "PROPAGATE_EXCEPTIONS": None,
            "PROVIDE_AUTOMATIC_OPTIONS": True,
            "RESPONSE_TIMEOUT": 60,  # seconds
            "SECRET_KEY": None,
            "SECRET_KEY_FALLBACKS": None,
            "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=12),
            "SERVER_NAME": None,
            "SESSION_COOKIE_DOMAIN": None,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_NAME": "session",
            "SESSION_COOKIE_PARTITIONED": False,
            "SESSION_COOKIE_PATH": None,
            "SESSION_COOKIE_SAMESITE": None,
            "SESSION_COOKIE_SECURE": False,
            "SESSION_REFRESH_EACH_REQUEST": True,
            "TEMPLATES_AUTO_RELOAD": None,
            "TESTING": False,
            "TRAP_BAD_REQUEST_ERRORS": None,
            "TRAP_HTTP_EXCEPTIONS": False,
            "TRUSTED_HOSTS": None,
            "USE_X_SENDFILE": False,
        }
    )

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            import_name, static_folder, static_url_path, template_folder, root_path
        )
        self.name = _name_of(import_name)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                f"instance_path is {instance_path!r}, but it must be absolute."
            )
        self.instance_path = instance_path
        self._logger: logging.Logger | None = None
        self.config: Config = self.make_config(instance_relative_config)
        self.aborter = self.make_aborter()
        self.json: JSONProvider = self.json_provider_class(self)  # type: ignore[arg-type]
        self.extensions: dict[str, Any] = {}
        self.blueprints: dict[str, Blueprint] = {}
        self.shell_context_processors: list[ShellContextProcessorCallable] = []
        self.teardown_appcontext_funcs: list[TeardownCallable] = []
        self.url_build_error_handlers: list[
            Callable[[Exception, str, dict[str, Any]], str]
        ] = []
        self.before_serving_funcs: list[
            Callable[[], Awaitable[None]] | BeforeServingCallable
        ] = []
        self.after_serving_funcs: list[
            Callable[[], Awaitable[None]] | AfterServingCallable
        ] = []
        self.while_serving_gens: list[Any] = []
        self._while_serving_funcs: list[WhileServingCallable] = []
        self.background_tasks: set[asyncio.Task[Any]] = set()
        self.url_map: QuartMap = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._got_first_request = False
        self._preserved_context: Any = None
        self._first_waits: FirstWaits | None = None
        # endpoint -> (registered view, what to await): made at first use.
        self._views: dict[str, tuple[Any, Callable[..., Awaitable[Any]]]] = {}
        if self.has_static_folder:
            self._add_static_rule(static_host)

    def _add_static_rule(self, static_host: str | None) -> None:
        if bool(static_host) != self.url_map.host_matching:
            raise AssertionError(
                "host_matching=True needs static_host= to say where static files "
                "are, and static_host= needs host_matching=True. Pass both, or "
                "static_folder=None."
            )
        # A bound method, as extensions mark its function (quart-schema's hide());
        # bound to the application itself, it would keep that alive in a cycle.
        function = type(self).send_static_file
        self.add_url_rule(
            f"{self.static_url_path}/<path:filename>",
            "static",
            MethodType(function, weakref.proxy(self)),
            host=static_host,
        )

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            raise AssertionError(
                f"The setup method {f_name!r} was called on the application after its "
                "first request, so it would not take effect everywhere. Move the call, "
                "and the import of the module it is in, to where the application is "
                "made."
            )

    # Names and folders

    def auto_find_instance_path(self) -> str:
        """Return where the instance folder is if none was given."""
        prefix, package_path = find_package(self.import_name)
        if prefix is None:
            return os.path.join(package_path, "instance")
        return os.path.join(prefix, "var", f"{self.name}-instance")

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the configuration, with DEBUG taken from QUART_DEBUG."""
        root = self.instance_path if instance_relative else self.root_path
        defaults = dict(self.default_config)
        defaults["DEBUG"] = get_debug_flag()
        return self.config_class(root, defaults)

    def make_aborter(self) -> Aborter:
        """Make what ``abort()`` calls."""
        return self.aborter_class()

    def redirect(self, location: str, code: int = 302) -> Any:
        """Return a redirect to the location."""
        return _redirect(location, code, Response=self.response_class)  # type: ignore[arg-type]

    @property
    def logger(self) -> logging.Logger:
        """The application's logger, named as the application."""
        if self._logger is None:
            self._logger = create_logger(self)  # type: ignore[arg-type]
        return self._logger

    @property
    def debug(self) -> bool:
        """Whether the application is in debug mode."""
        return bool(self.config["DEBUG"])

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and self._jinja_env is not None:
            self._jinja_env.auto_reload = value

    # Routes and blueprints

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Connect a URL rule with an endpoint and its view.

        See :meth:`Scaffold.add_url_rule` for the arguments.

        Raises:
            AssertionError: Another view has the endpoint.
            TypeError: ``methods`` is a string.
        """
        if endpoint is None:
            endpoint = _endpoint_from_view_func(view_func)  # type: ignore[arg-type]
        methods = options.pop("methods", None)
        if methods is None:
            methods = getattr(view_func, "methods", None) or ("GET",)
        if isinstance(methods, str):
            raise TypeError(
                f"methods={methods!r} is a string; pass a list, as in ['GET', 'POST']."
            )
        methods = {method.upper() for method in methods}
        methods |= {
            method.upper() for method in getattr(view_func, "required_methods", ())
        }
        automatic = provide_automatic_options
        if automatic is None:
            automatic = getattr(view_func, "provide_automatic_options", None)
        if automatic is None:
            automatic = self._automatic_options(methods, options)
            if automatic:
                methods.add("OPTIONS")
        self.url_map.add(
            self.url_rule_class(
                rule,
                methods=methods,
                endpoint=endpoint,
                provide_automatic_options=automatic,
                **options,
            )
        )
        if view_func is None:
            return
        old = self.view_functions.get(endpoint)
        if old is not None and old != view_func:
            raise AssertionError(
                f"The endpoint {endpoint!r} belongs to {old!r} already. Pass "
                f"endpoint= to register {view_func!r} under a name of its own."
            )
        self.view_functions[endpoint] = view_func

    def _automatic_options(self, methods: set[str], options: dict[str, Any]) -> bool:
        """Return whether OPTIONS is answered for a rule that does not say."""
        return (
            "OPTIONS" not in methods
            and not options.get("websocket", False)
            and bool(self.config["PROVIDE_AUTOMATIC_OPTIONS"])
        )

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint.

        Args:
            blueprint: The blueprint.
            **options: ``url_prefix``, ``subdomain``, ``url_defaults``, ``name``,
                ``cli_group``, each instead of the blueprint's own.
        """
        blueprint.register(self, options)  # type: ignore[arg-type]

    def iter_blueprints(self) -> Any:
        """Return the blueprints in the order of their registration."""
        return self.blueprints.values()

    # Functions of the whole application

    @setupmethod
    def teardown_appcontext(self, f: T_teardown) -> T_teardown:
        """Register a function for the end of each application context."""
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def shell_context_processor(
        self, f: T_shell_context_processor
    ) -> T_shell_context_processor:
        """Register a function whose dict is added to the shell's names."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """Return the names that ``quart shell`` starts with."""
        from quart_contexts.globals import g

        context: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            context.update(processor())
        return context

    # Sync and async

    def ensure_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return the function as something to await.

        A coroutine function is returned as it is; any other runs in a thread, with
        the context variables copied. Decided from the function, before any call.
        """
        if is_coroutine_callable(func):
            return func
        return self.sync_to_async(func)

    def sync_to_async(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return a coroutine function that runs the function in a thread."""
        return run_sync(func)

    def async_to_sync(self, func: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        """Return a function that runs the coroutine function to its end.

        API of Flask, for code that is called from a thread, such as a sync view:
        the coroutine runs on a loop of its own in that thread.

        Raises:
            RuntimeError: Called where an event loop is running.
        """

        def run(*args: Any, **kwargs: Any) -> Any:
            async def call() -> Any:
                return await func(*args, **kwargs)

            return asyncio.run(call())

        return run

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as a plain function; coroutine functions are run.

        API of Flask, see :meth:`async_to_sync`.
        """
        if is_coroutine_callable(func):
            return self.async_to_sync(func)
        return func

    def _view(self, endpoint: str) -> Callable[..., Awaitable[Any]]:
        """Return the view of an endpoint as something to await.

        Prepared once for each view; a replaced view or ``ensure_async`` counts.
        """
        view_func = self.view_functions[endpoint]
        cached = self._views.get(endpoint)
        stock = (
            type(self).ensure_async is AppState.ensure_async
            and "ensure_async" not in self.__dict__
        )
        if cached is not None and cached[0] is view_func and stock:
            prepared = cached[1]
            if prepared is view_func or self._has_stock_threads():
                return prepared
        prepared = self.ensure_async(view_func)
        if stock:
            self._views[endpoint] = (view_func, prepared)
        return prepared

    def _has_stock_threads(self) -> bool:
        """Return whether nobody replaced ``sync_to_async``, on class or object."""
        function = getattr(self.sync_to_async, "__func__", None)
        return function is AppState.sync_to_async
