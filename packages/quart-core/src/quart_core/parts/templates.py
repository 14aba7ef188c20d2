"""Template methods; quart-templating implements what renders.

Registering filters, tests and globals only writes into tables, so it works
without the package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..missing import import_part
from ..setup import setupmethod
from .lazy import LazyClass

if TYPE_CHECKING:
    # Not there in an install of core alone, where these become Any.
    from jinja2 import (  # type: ignore[import-not-found, unused-ignore]  # pyright: ignore[reportMissingImports]
        BaseLoader,
        Environment,
    )

    from ..blueprints import BlueprintSetupState

__all__ = ("BlueprintTemplateMethods", "TemplateLoading", "TemplateMethods")

PACKAGE = "quart-templating"

# A function, a name, or nothing: what the decorators take. The result is the
# function or a decorator, which a signature cannot tell apart without overloads
# that would repeat it three times for six methods, hence Any.
NameOrFunction = Any


def _named_decorator(
    add: Callable[[Callable[..., Any], str | None], None], name: NameOrFunction
) -> Any:
    """Serve ``@filter``, ``@filter()`` and ``@filter("name")`` alike."""
    if callable(name):
        add(name, None)
        return name

    def decorator(f: Callable[..., Any]) -> Callable[..., Any]:
        add(f, name)
        return f

    return decorator


class TemplateLoading:
    """Where an application or blueprint looks for its templates."""

    template_folder: str | None
    root_path: str

    @cached_property
    def jinja_loader(self) -> BaseLoader | None:
        """The loader for the template folder, None without one; can be replaced.

        Raises:
            MissingPackageError: quart-templating is not installed.
        """
        if self.template_folder is None:
            return None
        part = import_part("quart_templating.loading", "jinja_loader", PACKAGE)
        loader: BaseLoader = part.loader_of(self)
        return loader


class TemplateMethods:
    """The template methods of the application."""

    # Filters, tests and globals by name, given to the environment when it is made.
    _template_filters: dict[str, Callable[..., Any]]
    _template_tests: dict[str, Callable[..., Any]]
    _template_globals: dict[str, Callable[..., Any]]
    _jinja_env: Environment | None

    if TYPE_CHECKING:

        def _check_setup_finished(self, f_name: str) -> None: ...

    # The class of the environment.
    jinja_environment: Any = LazyClass(
        "quart_templating.environment", "Environment", PACKAGE
    )
    # Options of the environment, such as extensions or trim_blocks.
    jinja_options: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._template_filters = {}
        self._template_tests = {}
        self._template_globals = {}
        self._jinja_env = None
        super().__init__(*args, **kwargs)

    @property
    def jinja_env(self) -> Environment:
        """The template environment, made on first use."""
        if self._jinja_env is None:
            self._jinja_env = self.create_jinja_environment()
        return self._jinja_env

    @jinja_env.setter
    def jinja_env(self, value: Environment) -> None:
        self._jinja_env = value

    def create_jinja_environment(self) -> Environment:
        """Make the template environment; override it to change it."""
        part = import_part("quart_templating.environment", "app.jinja_env", PACKAGE)
        environment: Environment = part.create_environment(self)
        return environment

    def create_global_jinja_loader(self) -> Any:
        """Make the loader that asks the application, then its blueprints."""
        part = import_part("quart_templating.loading", "app.jinja_env", PACKAGE)
        return part.DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Return whether the template escapes: HTML, XML, SVG and strings do."""
        if filename is None:
            return True
        return filename.lower().endswith((".html", ".htm", ".xml", ".xhtml", ".svg"))

    async def update_template_context(self, context: dict[str, Any]) -> None:
        """Add the values of the context processors; given values win."""
        part = import_part(
            "quart_templating.context", "app.update_template_context()", PACKAGE
        )
        await part.update_template_context(self, context)

    @setupmethod
    def template_filter(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a filter, with or without a name."""
        return _named_decorator(self.add_template_filter, name)

    @setupmethod
    def add_template_filter(
        self, f: Callable[..., Any], name: str | None = None
    ) -> None:
        """Register a template filter, under the function's name if not given."""
        self._template_filters[name or f.__name__] = f
        if self._jinja_env is not None:
            self._jinja_env.filters[name or f.__name__] = f

    @setupmethod
    def template_test(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a test, with or without a name."""
        return _named_decorator(self.add_template_test, name)

    @setupmethod
    def add_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Register a template test, under the function's name if not given."""
        self._template_tests[name or f.__name__] = f
        if self._jinja_env is not None:
            self._jinja_env.tests[name or f.__name__] = f

    @setupmethod
    def template_global(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a global, with or without a name."""
        return _named_decorator(self.add_template_global, name)

    @setupmethod
    def add_template_global(
        self, f: Callable[..., Any], name: str | None = None
    ) -> None:
        """Register a template global, under the function's name if not given."""
        self._template_globals[name or f.__name__] = f
        if self._jinja_env is not None:
            self._jinja_env.globals[name or f.__name__] = f


class BlueprintTemplateMethods:
    """Filters, tests and globals of a blueprint, for the whole application."""

    if TYPE_CHECKING:

        def _check_setup_finished(self, f_name: str) -> None: ...

        record_once: Callable[[Callable[[BlueprintSetupState], None]], None]

    @setupmethod
    def app_template_filter(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a filter, with or without a name."""
        return _named_decorator(self.add_app_template_filter, name)

    @setupmethod
    def add_app_template_filter(
        self, f: Callable[..., Any], name: str | None = None
    ) -> None:
        """Register a template filter."""
        self.record_once(lambda state: state.app.add_template_filter(f, name))

    @setupmethod
    def app_template_test(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a test, with or without a name."""
        return _named_decorator(self.add_app_template_test, name)

    @setupmethod
    def add_app_template_test(
        self, f: Callable[..., Any], name: str | None = None
    ) -> None:
        """Register a template test."""
        self.record_once(lambda state: state.app.add_template_test(f, name))

    @setupmethod
    def app_template_global(self, name: NameOrFunction = None) -> Any:
        """Register the decorated function as a global, with or without a name."""
        return _named_decorator(self.add_app_template_global, name)

    @setupmethod
    def add_app_template_global(
        self, f: Callable[..., Any], name: str | None = None
    ) -> None:
        """Register a template global."""
        self.record_once(lambda state: state.app.add_template_global(f, name))
