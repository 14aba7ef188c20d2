"""What an application and a blueprint have in common: registering functions.

API of ``quart.scaffold`` and ``flask.sansio.scaffold``. Everything here only
writes into tables; the pipeline reads them. A table maps None (the application)
or a blueprint's name to functions.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.exceptions import HTTPException, default_exceptions

from .parts.templates import TemplateLoading
from .resources import Resources
from .setup import F, setupmethod

if TYPE_CHECKING:
    from .typing import (
        AfterRequestCallable,
        AfterWebsocketCallable,
        BeforeRequestCallable,
        BeforeWebsocketCallable,
        ErrorHandlerCallable,
        RouteCallable,
        TeardownCallable,
        TemplateContextProcessorCallable,
        URLDefaultCallable,
        URLValuePreprocessorCallable,
    )

T_route = TypeVar("T_route", bound="RouteCallable")
T_before_request = TypeVar("T_before_request", bound="BeforeRequestCallable")
T_after_request = TypeVar("T_after_request", bound="AfterRequestCallable")
T_before_websocket = TypeVar("T_before_websocket", bound="BeforeWebsocketCallable")
T_after_websocket = TypeVar("T_after_websocket", bound="AfterWebsocketCallable")
T_teardown = TypeVar("T_teardown", bound="TeardownCallable")
T_error_handler = TypeVar("T_error_handler", bound="ErrorHandlerCallable")
T_template_context_processor = TypeVar(
    "T_template_context_processor", bound="TemplateContextProcessorCallable"
)
T_url_defaults = TypeVar("T_url_defaults", bound="URLDefaultCallable")
T_url_value_preprocessor = TypeVar(
    "T_url_value_preprocessor", bound="URLValuePreprocessorCallable"
)

__all__ = ("Scaffold", "setupmethod")


def _endpoint_from_view_func(view_func: Callable[..., Any]) -> str:
    """Return the endpoint of a view that was registered without one."""
    try:
        return view_func.__name__
    except AttributeError:
        raise TypeError(
            f"{view_func!r} has no __name__ to take the endpoint from: pass endpoint=."
        ) from None


class Scaffold(TemplateLoading, Resources):
    """Tables of functions and the methods that fill them.

    API of ``flask.sansio.scaffold.Scaffold`` plus Quart's websocket functions.
    """

    name: str

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(
            import_name, static_folder, static_url_path, template_folder, root_path
        )
        self.view_functions: dict[str, RouteCallable] = {}
        # scope -> code (None for exceptions without one) -> class -> handler
        self.error_handler_spec: dict[
            str | None, dict[int | None, dict[type[Exception], ErrorHandlerCallable]]
        ] = defaultdict(lambda: defaultdict(dict))
        self.before_request_funcs: dict[str | None, list[BeforeRequestCallable]] = (
            defaultdict(list)
        )
        self.after_request_funcs: dict[str | None, list[AfterRequestCallable]] = (
            defaultdict(list)
        )
        self.teardown_request_funcs: dict[str | None, list[TeardownCallable]] = (
            defaultdict(list)
        )
        self.before_websocket_funcs: dict[str | None, list[BeforeWebsocketCallable]] = (
            defaultdict(list)
        )
        self.after_websocket_funcs: dict[str | None, list[AfterWebsocketCallable]] = (
            defaultdict(list)
        )
        self.teardown_websocket_funcs: dict[str | None, list[TeardownCallable]] = (
            defaultdict(list)
        )
        self.template_context_processors: dict[
            str | None, list[TemplateContextProcessorCallable]
        ] = defaultdict(list)
        self.url_value_preprocessors: dict[
            str | None, list[URLValuePreprocessorCallable]
        ] = defaultdict(list)
        self.url_default_functions: dict[str | None, list[URLDefaultCallable]] = (
            defaultdict(list)
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _check_setup_finished(self, f_name: str) -> None:
        """Raise if it is too late to call the setup method."""
        raise NotImplementedError

    # Routes

    def _method_route(
        self, method: str, rule: str, options: dict[str, Any]
    ) -> Callable[[T_route], T_route]:
        if "methods" in options:
            raise TypeError(
                f"{method.lower()}() takes no methods=: it is for {method} alone. "
                "Use route() for several methods."
            )
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register a view for GET requests, see :meth:`route`."""
        return self._method_route("GET", rule, options)

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register a view for POST requests, see :meth:`route`."""
        return self._method_route("POST", rule, options)

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register a view for PUT requests, see :meth:`route`."""
        return self._method_route("PUT", rule, options)

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register a view for DELETE requests, see :meth:`route`."""
        return self._method_route("DELETE", rule, options)

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register a view for PATCH requests, see :meth:`route`."""
        return self._method_route("PATCH", rule, options)

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Register the decorated function as the view of a URL rule.

        Args:
            rule: The URL rule, such as ``"/films/<int:id>"``.
            **options: See :meth:`add_url_rule`.
        """

        def decorator(f: T_route) -> T_route:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return decorator

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

        Args:
            rule: The URL rule.
            endpoint: The name to build URLs with; the view's name if not given.
            view_func: The view; may be set later with :meth:`endpoint`.
            provide_automatic_options: Whether OPTIONS is answered by the
                application; PROVIDE_AUTOMATIC_OPTIONS if not given.
            **options: ``methods``, ``defaults``, ``subdomain``, ``host``,
                ``strict_slashes``, ``merge_slashes``, ``redirect_to``, ``alias``,
                ``build_only``, ``websocket``.
        """
        raise NotImplementedError

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Register the decorated function as the view of an endpoint."""

        def decorator(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return decorator

    # Functions around a request or a websocket

    @setupmethod
    def before_request(self, f: T_before_request) -> T_before_request:
        """Register a function before each request; a result ends the request."""
        self.before_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def after_request(self, f: T_after_request) -> T_after_request:
        """Register a function that gets each response and returns one."""
        self.after_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def teardown_request(self, f: T_teardown) -> T_teardown:
        """Register a function for the end of each request, given its exception."""
        self.teardown_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def before_websocket(self, func: T_before_websocket) -> T_before_websocket:
        """Register a function before each websocket; a result rejects it."""
        self.before_websocket_funcs.setdefault(None, []).append(func)
        return func

    @setupmethod
    def after_websocket(self, func: T_after_websocket) -> T_after_websocket:
        """Register a function after each websocket, given the response or None."""
        self.after_websocket_funcs.setdefault(None, []).append(func)
        return func

    @setupmethod
    def teardown_websocket(self, func: T_teardown) -> T_teardown:
        """Register a function for the end of each websocket, given its exception."""
        self.teardown_websocket_funcs.setdefault(None, []).append(func)
        return func

    @setupmethod
    def context_processor(
        self, f: T_template_context_processor
    ) -> T_template_context_processor:
        """Register a function whose dict is added to the template context."""
        self.template_context_processors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_value_preprocessor(
        self, f: T_url_value_preprocessor
    ) -> T_url_value_preprocessor:
        """Register a function that may change the view arguments."""
        self.url_value_preprocessors.setdefault(None, []).append(f)
        return f

    @setupmethod
    def url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Register a function that adds values when a URL is built."""
        self.url_default_functions.setdefault(None, []).append(f)
        return f

    # Error handlers

    @setupmethod
    def errorhandler(
        self, code_or_exception: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """Register the decorated function for a status code or exception class."""

        def decorator(f: T_error_handler) -> T_error_handler:
            self.register_error_handler(code_or_exception, f)
            return f

        return decorator

    @setupmethod
    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: ErrorHandlerCallable
    ) -> None:
        """Register a function for a status code or exception class.

        Raises:
            ValueError: There is no HTTP exception with this code, or the class is no
                exception.
            TypeError: An instance was given, or what is no class.
        """
        exc_class, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exc_class] = f

    @staticmethod
    def _get_exc_class_and_code(
        exc_class_or_code: type[Exception] | int,
    ) -> tuple[type[Exception], int | None]:
        """Return the class a handler is for, and its status code if it has one."""
        if isinstance(exc_class_or_code, int):
            exc_class = default_exceptions.get(exc_class_or_code)
            if exc_class is None:
                raise ValueError(
                    f"There is no HTTP exception for the status code "
                    f"{exc_class_or_code}. Use a subclass of HTTPException with that "
                    "code instead."
                )
            return exc_class, exc_class.code
        if isinstance(exc_class_or_code, Exception):
            raise TypeError(
                f"{exc_class_or_code!r} is an instance, not a class. Handlers are "
                "registered for exception classes or status codes."
            )
        # What callers really pass may be anything.
        given: object = exc_class_or_code
        if not isinstance(given, type):
            raise TypeError(
                f"{exc_class_or_code!r} is neither a status code nor an exception "
                "class."
            )
        if not issubclass(given, Exception):
            # By Flask's contract.
            raise ValueError(  # noqa: TRY004
                f"{given.__name__!r} is not a subclass of Exception. Handlers are "
                "registered for exception classes or status codes."
            )
        if issubclass(exc_class_or_code, HTTPException):
            return exc_class_or_code, exc_class_or_code.code
        return exc_class_or_code, None
