"""Loading templates: the application's folder first, then its blueprints'."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, TemplateNotFound

__all__ = ("DispatchingJinjaLoader", "loader_of")

Source = tuple[str, str | None, Callable[[], bool] | None]


# The scaffold is an application or blueprint of quart-core, as its parts call this.
def loader_of(scaffold: Any) -> BaseLoader:
    """Return the loader of an application's or blueprint's template folder."""
    return FileSystemLoader(os.path.join(scaffold.root_path, scaffold.template_folder))


class DispatchingJinjaLoader(BaseLoader):
    """Asks the application's loader, then those of its blueprints in order.

    API of ``flask.templating.DispatchingJinjaLoader``.

    Args:
        app: The application.
    """

    def __init__(self, app: Any) -> None:
        # The application holds the environment, and that this loader.
        self._app = weakref.ref(app)

    @property
    def app(self) -> Any:
        """The application."""
        return self._app()

    def get_source(self, environment: Environment, template: str) -> Source:
        """Return source, file name and a check for changes.

        Raises:
            TemplateNotFound: No loader has the template.
        """
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            return self._get_source_explained(environment, template)
        for _, loader in self._loaders():
            try:
                return loader.get_source(environment, template)
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)

    def _get_source_explained(self, environment: Environment, template: str) -> Source:
        """Do the same, and log every place that was looked at."""
        lines = [f"Locating template {template!r}:"]
        found: list[tuple[str, Source]] = []
        for number, (owner, loader) in enumerate(self._loaders(), 1):
            try:
                source = loader.get_source(environment, template)
            except TemplateNotFound:
                outcome = "no match"
            else:
                outcome = f"found ({source[1] or '<string>'})"
                found.append((owner, source))
            lines.append(f"{number:5}: {owner}: {_describe(loader)} -> {outcome}")
        if not found:
            lines.append("Error: the template could not be found.")
        elif len(found) > 1:
            lines.append(f"Warning: several loaders have it, {found[0][0]} wins.")
        self.app.logger.info("\n".join(lines))
        if not found:
            raise TemplateNotFound(template)
        return found[0][1]

    def _loaders(self) -> Iterator[tuple[str, BaseLoader]]:
        """Give the loaders that there are, with the name of whose they are."""
        app = self.app
        loader = app.jinja_loader
        if loader is not None:
            yield f"application {app.import_name!r}", loader
        for blueprint in app.iter_blueprints():
            loader = blueprint.jinja_loader
            if loader is not None:
                yield f"blueprint {blueprint.name!r}", loader

    def searched_folders(self) -> list[str]:
        """Return the folders of the loaders, for messages."""
        folders: list[str] = []
        for _, loader in self._loaders():
            folders += getattr(loader, "searchpath", [_describe(loader)])
        return list(dict.fromkeys(folders))

    def list_templates(self) -> list[str]:
        """Return the names of all templates, sorted."""
        names: set[str] = set()
        for _, loader in self._loaders():
            names.update(loader.list_templates())
        return sorted(names)


def _describe(loader: BaseLoader) -> str:
    path = getattr(loader, "searchpath", None)
    return ", ".join(path) if path else type(loader).__name__
