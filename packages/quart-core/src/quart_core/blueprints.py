"""Blueprints: parts of an application, registered under a name and a URL prefix.

API of ``quart.blueprints`` and ``flask.sansio.blueprints``. A blueprint records
what to do; registering it plays the record on an application.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

from .parts.cli import CommandGroup
from .parts.templates import BlueprintTemplateMethods
from .parts.websockets import BlueprintWebsocketMethods
from .scaffold import (
    Scaffold,
    T_after_request,
    T_after_websocket,
    T_before_request,
    T_before_websocket,
    T_error_handler,
    T_teardown,
    T_template_context_processor,
    T_url_defaults,
    T_url_value_preprocessor,
    _endpoint_from_view_func,
)
from .setup import setupmethod

if TYPE_CHECKING:
    from .app import Quart
    from .typing import (
        AfterServingCallable,
        BeforeServingCallable,
        RouteCallable,
        WhileServingCallable,
    )

__all__ = ("Blueprint", "BlueprintSetupState")

_sentinel: Any = object()

DeferredSetupFunction = Callable[["BlueprintSetupState"], None]
T_before_serving = TypeVar("T_before_serving", bound="BeforeServingCallable")
T_after_serving = TypeVar("T_after_serving", bound="AfterServingCallable")
T_while_serving = TypeVar("T_while_serving", bound="WhileServingCallable")


def _join_paths(prefix: str | None, rule: str) -> str:
    """Join a URL prefix and a rule by exactly one slash."""
    if prefix is None:
        return rule
    if not rule:
        return prefix
    return f"{prefix.rstrip('/')}/{rule.lstrip('/')}"


class BlueprintSetupState:
    """What a recorded function is given when the blueprint is registered.

    API of ``flask.sansio.blueprints.BlueprintSetupState``.

    Args:
        blueprint: The blueprint being registered.
        app: The application it is registered on.
        options: What was passed to ``register_blueprint``.
        first_registration: Whether this blueprint has not been registered before.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        app: Quart,
        options: Any,
        first_registration: bool,
    ) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        self.subdomain: str | None = options.get("subdomain")
        if self.subdomain is None:
            self.subdomain = blueprint.subdomain
        self.url_prefix: str | None = options.get("url_prefix")
        if self.url_prefix is None:
            self.url_prefix = blueprint.url_prefix
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        self.url_defaults = {
            **blueprint.url_values_defaults,
            **(options.get("url_defaults") or {}),
        }

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        **options: Any,
    ) -> None:
        """Register a rule below the blueprint's prefix and name."""
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = _endpoint_from_view_func(view_func)  # type: ignore[arg-type]
        defaults = self.url_defaults
        if "defaults" in options:
            defaults = {**defaults, **(options.pop("defaults") or {})}
        self.app.add_url_rule(
            _join_paths(self.url_prefix, rule),
            f"{self.name_prefix}.{self.name}.{endpoint}".lstrip("."),
            view_func,
            defaults=defaults,
            **options,
        )


class Blueprint(
    BlueprintWebsocketMethods, BlueprintTemplateMethods, CommandGroup, Scaffold
):
    """A part of an application. API of ``quart.Blueprint`` and ``flask.Blueprint``.

    Args:
        name: Its name, the prefix of its endpoints; no dots, not empty.
        import_name: Usually ``__name__``.
        static_folder: Folder of static files, relative to the root path.
        static_url_path: URL prefix of static files, below ``url_prefix``.
        template_folder: Folder of templates, looked at after the application's.
        url_prefix: Prefix of all its rules.
        subdomain: Subdomain of its rules.
        url_defaults: Default values of its rules.
        root_path: Where relative folders start.
        cli_group: Name of its command group; None puts its commands at the top.

    Raises:
        ValueError: The name is empty or has a dot.
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | os.PathLike[str] | None = None,
        cli_group: str | None = _sentinel,
    ) -> None:
        super().__init__(
            import_name, static_folder, static_url_path, template_folder, root_path
        )
        if not name:
            raise ValueError("A blueprint needs a name that is not empty.")
        if "." in name:
            raise ValueError(
                f"The blueprint name {name!r} has a dot; dots separate nested names."
            )
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.url_values_defaults = url_defaults or {}
        if cli_group is not _sentinel:
            self.cli_group = cli_group
        self.deferred_functions: list[DeferredSetupFunction] = []
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(
                f"{f_name}() was called on the blueprint {self.name!r} after it was "
                "registered, so it would have no effect. Move the call, and the "
                "import of the module it is in, before register_blueprint()."
            )

    # Recording

    @setupmethod
    def record(self, func: DeferredSetupFunction) -> None:
        """Remember a function to be called with the setup state at registration."""
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: DeferredSetupFunction) -> None:
        """Like :meth:`record`, but only for the first registration."""

        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(once, func))

    def make_setup_state(
        self, app: Quart, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Return the state that recorded functions are given."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Nest a blueprint in this one.

        Raises:
            ValueError: A blueprint cannot be nested in itself.
        """
        if blueprint is self:
            raise ValueError("A blueprint cannot be registered on itself.")
        self._blueprints.append((blueprint, options))

    # Registering

    def register(self, app: Quart, options: dict[str, Any]) -> None:
        """Play what was recorded on the application.

        Called by ``register_blueprint``; override it to do more.

        Raises:
            ValueError: The name is taken.
        """
        name_prefix = options.get("name_prefix", "")
        own_name = options.get("name", self.name)
        name = f"{name_prefix}.{own_name}".lstrip(".")
        self._claim_name(app, name)
        first_registration = not any(
            blueprint is self for blueprint in app.blueprints.values()
        )
        first_of_name = name not in app.blueprints
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first_registration)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                view_func=self.send_static_file,
                endpoint="static",
            )
        if first_registration or first_of_name:
            self._merge_into(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        self._register_commands(app, options)
        self._register_nested(app, state, name)

    def _claim_name(self, app: Quart, name: str) -> None:
        other = app.blueprints.get(name)
        if other is None:
            return
        which = "this blueprint" if other is self else f"the blueprint {other!r}"
        raise ValueError(
            f"The name {name!r} is taken by {which}, already registered. "
            "Pass name= to register_blueprint() for a name of its own."
        )

    def _merge_into(self, app: Quart, name: str) -> None:
        """Copy the blueprint's tables into the application's."""

        def key_of(key: str | None) -> str:
            return name if key is None else f"{name}.{key}"

        for scope, by_code in self.error_handler_spec.items():
            target = app.error_handler_spec[key_of(scope)]
            for code, handlers in by_code.items():
                target[code].update(handlers)
        for endpoint, view_func in self.view_functions.items():
            app.view_functions[endpoint] = view_func
        # Each pair is of one type, but they differ among each other.
        pairs: Any = (
            (self.before_request_funcs, app.before_request_funcs),
            (self.after_request_funcs, app.after_request_funcs),
            (self.teardown_request_funcs, app.teardown_request_funcs),
            (self.before_websocket_funcs, app.before_websocket_funcs),
            (self.after_websocket_funcs, app.after_websocket_funcs),
            (self.teardown_websocket_funcs, app.teardown_websocket_funcs),
            (self.url_default_functions, app.url_default_functions),
            (self.url_value_preprocessors, app.url_value_preprocessors),
            (self.template_context_processors, app.template_context_processors),
        )
        for own, apps in pairs:
            for scope, functions in own.items():
                apps.setdefault(key_of(scope), []).extend(functions)

    def _register_nested(
        self, app: Quart, state: BlueprintSetupState, name: str
    ) -> None:
        for blueprint, given in self._blueprints:
            options = dict(given)
            prefix = options.get("url_prefix")
            if prefix is None:
                prefix = blueprint.url_prefix
            if prefix is not None and state.url_prefix is not None:
                options["url_prefix"] = _join_paths(state.url_prefix, prefix)
            elif prefix is not None or state.url_prefix is not None:
                options["url_prefix"] = prefix or state.url_prefix
            subdomain = options.get("subdomain") or blueprint.subdomain
            parts = [part for part in (subdomain, state.subdomain) if part]
            if parts:
                options["subdomain"] = ".".join(parts)
            options["name_prefix"] = name
            blueprint.register(app, options)

    # Routes

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule below the blueprint's prefix; see the application's.

        Raises:
            ValueError: The endpoint or the view's name has a dot.
        """
        if endpoint and "." in endpoint:
            raise ValueError(f"The endpoint {endpoint!r} may not have a dot.")
        if "." in getattr(view_func, "__name__", ""):
            raise ValueError(
                f"The name of {view_func!r} has a dot; pass endpoint= without one."
            )
        self.record(
            lambda state: state.add_url_rule(
                rule,
                endpoint,
                view_func,
                provide_automatic_options=provide_automatic_options,
                **options,
            )
        )

    # Functions for the whole application

    def _record_app_function(self, table: str, key: None, f: Any) -> None:
        def add(state: BlueprintSetupState) -> None:
            getattr(state.app, table).setdefault(key, []).append(f)

        self.record_once(add)

    @setupmethod
    def before_app_request(self, f: T_before_request) -> T_before_request:
        """Like ``before_request``, for every request to the application."""
        self._record_app_function("before_request_funcs", None, f)
        return f

    @setupmethod
    def after_app_request(self, f: T_after_request) -> T_after_request:
        """Like ``after_request``, for every request to the application."""
        self._record_app_function("after_request_funcs", None, f)
        return f

    @setupmethod
    def teardown_app_request(self, f: T_teardown) -> T_teardown:
        """Like ``teardown_request``, for every request to the application."""
        self._record_app_function("teardown_request_funcs", None, f)
        return f

    @setupmethod
    def before_app_websocket(self, func: T_before_websocket) -> T_before_websocket:
        """Like ``before_websocket``, for every websocket of the application."""
        self._record_app_function("before_websocket_funcs", None, func)
        return func

    @setupmethod
    def after_app_websocket(self, func: T_after_websocket) -> T_after_websocket:
        """Like ``after_websocket``, for every websocket of the application."""
        self._record_app_function("after_websocket_funcs", None, func)
        return func

    @setupmethod
    def teardown_app_websocket(self, func: T_teardown) -> T_teardown:
        """Like ``teardown_websocket``, for every websocket of the application."""
        self._record_app_function("teardown_websocket_funcs", None, func)
        return func

    @setupmethod
    def app_context_processor(
        self, f: T_template_context_processor
    ) -> T_template_context_processor:
        """Like ``context_processor``, for every template of the application."""
        self._record_app_function("template_context_processors", None, f)
        return f

    @setupmethod
    def app_url_value_preprocessor(
        self, f: T_url_value_preprocessor
    ) -> T_url_value_preprocessor:
        """Like ``url_value_preprocessor``, for every URL of the application."""
        self._record_app_function("url_value_preprocessors", None, f)
        return f

    @setupmethod
    def app_url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Like ``url_defaults``, for every URL of the application."""
        self._record_app_function("url_default_functions", None, f)
        return f

    @setupmethod
    def app_errorhandler(
        self, code: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """Like ``errorhandler``, for every request to the application."""

        def decorator(f: T_error_handler) -> T_error_handler:
            self.record_once(lambda state: state.app.register_error_handler(code, f))
            return f

        return decorator

    # The life of the application

    @setupmethod
    def before_app_serving(self, func: T_before_serving) -> T_before_serving:
        """Register a function to run before the application serves."""
        self.record_once(lambda state: _discard(state.app.before_serving(func)))
        return func

    @setupmethod
    def after_app_serving(self, func: T_after_serving) -> T_after_serving:
        """Register a function to run after the application has served."""
        self.record_once(lambda state: _discard(state.app.after_serving(func)))
        return func

    @setupmethod
    def while_app_serving(self, func: T_while_serving) -> T_while_serving:
        """Register an async generator to run up to its yield, and on at the end."""
        self.record_once(lambda state: _discard(state.app.while_serving(func)))
        return func


def _discard(result: object) -> None:
    """Give a lambda for its effect the result None."""
