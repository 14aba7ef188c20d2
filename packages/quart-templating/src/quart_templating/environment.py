"""The template environment of an application."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from jinja2 import Environment as BaseEnvironment
from jinja2 import nodes
from jinja2.environment import create_cache
from quart_contexts.globals import g, request, session
from quart_core.helpers import get_flashed_messages, url_for

from .needs_async import (
    CheckedContext,
    NeedsAsync,
    is_awaitable,
    refuse,
    uses_async_functions,
)
from .plain_code import PlainCodeGenerator

__all__ = ("Environment", "create_environment")

# The application is one of quart-core; its parts name this package, not the other
# way round, hence Any.


class Environment(BaseEnvironment):
    """An environment whose templates may await.

    API of ``quart.templating.Environment``. Beside it stands a plain one, for the
    templates that have nothing to await; the two share filters, tests and globals.

    Args:
        app: The application.
        **options: Those of Jinja's environment.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        options.setdefault("loader", app.create_global_jinja_loader())
        options["enable_async"] = True
        super().__init__(**options)
        # The application holds the environment.
        self._app = weakref.ref(app)
        self._plain: PlainEnvironment | None = None
        self._is_stock = _is_stock(type(self))

    @property
    def app(self) -> Any:
        """The application."""
        return self._app()

    @property
    def plain(self) -> PlainEnvironment | None:
        """The environment for templates without anything to await.

        None with a bytecode cache, as what a cached template uses cannot be seen,
        and where how templates are compiled or look values up was changed.
        """
        if self.bytecode_cache is not None or not self._is_stock:
            return None
        if self._plain is None:
            self._plain = PlainEnvironment.beside(self)
        self._plain.auto_reload = self.auto_reload
        return self._plain


# How many templates are remembered as asynchronous.
MAX_KNOWN = 4096


class PlainEnvironment(BaseEnvironment):
    """Runs templates as plain code, and raises NeedsAsync where that cannot do."""

    code_generator_class = PlainCodeGenerator
    context_class = CheckedContext
    _known_async: set[Any]

    def knows_as_async(self, key: Any) -> bool:
        """Return whether a template is known to have something to await."""
        return key in self._known_async

    def remember_as_async(self, key: Any) -> None:
        """Remember that a template has something to await."""
        if len(self._known_async) >= MAX_KNOWN:
            self._known_async.clear()
        self._known_async.add(key)

    @classmethod
    def beside(cls, environment: Environment) -> PlainEnvironment:
        """Return a plain environment with the settings and tables of another."""
        plain = cls()
        own = dict(environment.__dict__)
        for name in ("cache", "_app", "_plain", "_is_stock"):
            own.pop(name, None)
        plain.__dict__.update(own)
        plain.is_async = False
        plain._known_async = set()
        plain.context_class = CheckedContext
        plain.code_generator_class = PlainCodeGenerator
        # What is compiled differs, so it must not be found in the other's cache.
        plain.cache = create_cache(_cache_size(environment))
        plain.extensions = {
            name: extension.bind(plain)
            for name, extension in environment.extensions.items()
        }
        return plain

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item or attribute, as templates look them up."""
        try:
            value = obj[argument]
        except (AttributeError, TypeError, LookupError):
            value = super().getitem(obj, argument)
        if is_awaitable(value):
            refuse(value)
        return value

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if uses_async_functions(self, tree):
            raise NeedsAsync
        return tree


def _autoescape_of(app: Any) -> Callable[[str | None], bool]:
    """Return the application's choice, without a reference to the application."""
    select = weakref.WeakMethod(app.select_jinja_autoescape)

    def autoescape(template_name: str | None) -> bool:
        method = select()
        return True if method is None else bool(method(template_name))

    return autoescape


def _is_stock(cls: type[Environment]) -> bool:
    """Return whether a class leaves the code and lookups of templates alone."""
    return all(
        getattr(cls, name) is getattr(BaseEnvironment, name)
        for name in (
            "code_generator_class",
            "context_class",
            "getattr",
            "getitem",
            "template_class",
        )
    )


def _cache_size(environment: BaseEnvironment) -> int:
    """Return how many compiled templates an environment keeps; -1 for all."""
    cache = environment.cache
    if cache is None:
        return 0
    return getattr(cache, "capacity", -1)


def create_environment(app: Any) -> Environment:
    """Return the environment of an application, with its filters and globals."""
    options = dict(app.jinja_options)
    options.setdefault("autoescape", _autoescape_of(app))
    if "auto_reload" not in options:
        reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if reload is None else bool(reload)
    environment: Environment = app.jinja_environment(app, **options)
    environment.globals.update(
        config=app.config,
        g=g,
        get_flashed_messages=get_flashed_messages,
        request=request,
        session=session,
        url_for=url_for,
    )
    environment.policies["json.dumps_function"] = app.json.dumps
    environment.filters.update(app._template_filters)
    environment.tests.update(app._template_tests)
    environment.globals.update(app._template_globals)
    return environment
