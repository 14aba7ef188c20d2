"""Command line groups; quart-cli implements them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..missing import import_part

if TYPE_CHECKING:
    from ..app import Quart

__all__ = ("CommandGroup",)

PACKAGE = "quart-cli"

_sentinel: Any = object()


class CommandGroup:
    """The commands of an application or blueprint, made on first use."""

    name: str
    _cli: Any = None
    cli_group: Any = _sentinel

    @property
    def cli(self) -> Any:
        """The click group that commands are registered on.

        Raises:
            MissingPackageError: quart-cli is not installed.
        """
        if self._cli is None:
            part = import_part("quart_cli.groups", "app.cli", PACKAGE)
            self._cli = part.AppGroup(name=self.name)
        return self._cli

    @cli.setter
    def cli(self, value: Any) -> None:
        self._cli = value

    def _register_commands(self, app: Quart, options: dict[str, Any]) -> None:
        """Put the commands below the application's, if there are any.

        Under the group name if there is one, at the top for None, else under the
        blueprint's name.
        """
        if self._cli is None or not self._cli.commands:
            return
        group = options.get("cli_group", self.cli_group)
        if group is None:
            app.cli.commands.update(self._cli.commands)
            return
        self._cli.name = options.get("name", self.name) if group is _sentinel else group
        app.cli.add_command(self._cli)
