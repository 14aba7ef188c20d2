"""Groups of commands: an application's own, and the ``quart`` command itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from .app_context import awaiting, is_loop_running, loop_module, with_appcontext
from .dotenv_files import load_dotenv as load_dotenv_files
from .errors import NoAppException
from .locate import USUAL_FILES
from .script_info import ScriptInfo
from .version import version_option

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("AppGroup", "QuartGroup")

PLUGINS: Final = "quart.commands"
"""The group of entry points whose commands are added."""

_SAYS_NO: Final = frozenset({"0", "false", "no"})


class AppGroup(click.Group):
    """A group whose commands may be async and have an application context.

    API of ``quart.cli``.
    """

    # Any: what click's own methods take, among it the class of the command.
    def command(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a command, as `click.Group` does.

        Args:
            *args: As for `click.Group.command`.
            **kwargs: As there. ``with_appcontext=False`` leaves the context out.
        """
        wrap = with_appcontext if kwargs.pop("with_appcontext", True) else awaiting
        if args and callable(args[0]):
            return super().command(wrap(args[0]))
        decorate = super().command(*args, **kwargs)

        def decorator(f: Callable[..., Any]) -> click.Command:
            command: click.Command = decorate(wrap(f))
            return command

        return decorator

    def group(self, *args: Any, **kwargs: Any) -> Any:
        """Register the decorated function as a group, an `AppGroup` too."""
        kwargs.setdefault("cls", AppGroup)
        return super().group(*args, **kwargs)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Register a command, whose function may be async."""
        if cmd.callback is not None:
            cmd.callback = awaiting(cmd.callback)
        super().add_command(cmd, name)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; inside a running event loop, in a thread."""
        if is_loop_running():
            return loop_module().in_thread(super().main, *args, **kwargs)
        return super().main(*args, **kwargs)


class QuartGroup(AppGroup):
    """The ``quart`` command, or one like it for an application. API of ``quart.cli``.

    Adds the commands of installed packages and of the application to its own.

    Args:
        add_default_commands: Add ``run``, ``shell``, ``routes`` and the others.
        create_app: Returns the application, for a command line of its own.
        add_version_option: Add ``--version``.
        load_dotenv: Load ``.env`` and ``.quartenv``.
        set_debug_flag: Set ``app.debug`` from QUART_DEBUG.
        **extra: As for `click.Group`.
    """

    def __init__(
        self,
        add_default_commands: bool = True,
        create_app: Callable[..., Quart] | None = None,
        add_version_option: bool = True,
        load_dotenv: bool = True,
        set_debug_flag: bool = True,
        **extra: Any,
    ) -> None:
        params = [*(extra.pop("params", None) or ()), *_options()]
        if add_version_option:
            params.append(version_option)
        settings = extra.setdefault("context_settings", {})
        settings.setdefault("auto_envvar_prefix", "QUART")
        super().__init__(params=params, **extra)
        self.create_app = create_app
        self.load_dotenv = load_dotenv
        self.set_debug_flag = set_debug_flag
        self._has_plugins = False
        if add_default_commands:
            commands = import_module(".commands", __package__)
            for command in commands.DEFAULT_COMMANDS:
                self.add_command(command)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Make the context of the invocation, with a `ScriptInfo` as its object."""
        if "obj" not in extra and "obj" not in self.context_settings:
            extra["obj"] = ScriptInfo(
                create_app=self.create_app,
                set_debug_flag=self.set_debug_flag,
                load_dotenv_defaults=self.load_dotenv,
            )
        return super().make_context(info_name, args, parent=parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options; files of variables are loaded before all others."""
        # Looked at beforehand, so that the order of the options does not matter:
        # --help lists the commands of the application that --app names after it.
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        _load_variables(ctx, given.get("env_file"))
        info = ctx.find_object(ScriptInfo)
        app = given.get("app") or os.environ.get("QUART_APP")
        if info is not None and info.create_app is None and app:
            info.app_import_path = app
        if isinstance(given.get("debug"), bool):
            set_debug_variable(given["debug"])
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands.

        Those of the application are among them where somebody said which it is: a
        list of commands does not import what it happens to find.
        """
        self._add_plugins()
        names = list(self.commands)
        info = ctx.ensure_object(ScriptInfo)
        if not info.is_named and info._loaded_app is None:
            return names
        app = _load_or_explain(info)
        if app is not None:
            names += [n for n in app.cli.list_commands(ctx) if n not in names]
        return names

    def get_command(  # pyright: ignore[reportIncompatibleMethodOverride] - Quart's name
        self, ctx: click.Context, name: str
    ) -> click.Command | None:
        """Return a command by name, the application's after our own."""
        self._add_plugins()
        command = super().get_command(ctx, name)
        if command is not None:
            return command
        app = _load_or_explain(ctx.ensure_object(ScriptInfo))
        found: click.Command | None = (
            None if app is None else app.cli.get_command(ctx, name)
        )
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; one of the application's has its context."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            self._enter_app(ctx, name)
        return name, command, rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say which application the commands are for."""
        super().format_epilog(ctx, formatter)
        if self.create_app is None:
            with formatter.section("App"):
                formatter.write_text(_which_app(ctx.ensure_object(ScriptInfo)))

    def _enter_app(self, ctx: click.Context, name: str | None) -> None:
        if name is None or name in self.commands:
            return
        app = ctx.ensure_object(ScriptInfo).load_app()
        current = import_module("quart_contexts.globals")._cv_app.get(None)
        if current is None or current.app is not app:
            ctx.with_resource(loop_module().AppScope(app))

    def _add_plugins(self) -> None:
        if self._has_plugins:
            return
        self._has_plugins = True
        metadata = import_module("importlib.metadata")
        for entry in metadata.entry_points(group=PLUGINS):
            self.add_command(entry.load(), entry.name)


def set_debug_variable(debug: bool) -> None:
    """Ask for debug mode, or not, by the variable that all parts read."""
    os.environ["QUART_DEBUG"] = "1" if debug else "0"


def _options() -> Iterable[click.Option]:
    """Return the options of the group, made anew as click keeps state in them."""
    yield click.Option(
        ["-e", "--env-file"],
        type=click.Path(exists=True, dir_okay=False),
        help="Load environment variables from this file.",
        expose_value=False,
        is_eager=True,
    )
    yield click.Option(
        ["-A", "--app"],
        metavar="IMPORT",
        help="The application: module, module:name, file.py, module:factory('arg').",
        expose_value=False,
        is_eager=True,
    )
    yield debug_option()


def debug_option() -> click.Option:
    """Return the option ``--debug/--no-debug``."""
    return click.Option(
        ["--debug/--no-debug"],
        default=None,
        help="Set debug mode.",
        expose_value=False,
        # QUART_DEBUG is read where it is needed: any text but a few means yes.
        allow_from_autoenv=False,
        callback=_on_debug,
    )


def _on_debug(
    ctx: click.Context, param: click.Parameter, value: bool | None
) -> bool | None:
    sources = click.core.ParameterSource
    source = ctx.get_parameter_source(param.name or "debug")
    if value is not None and source in {sources.COMMANDLINE, sources.PROMPT}:
        set_debug_variable(value)
    return value


def _load_variables(ctx: click.Context, env_file: str | None) -> None:
    """Load files of variables: the named one, and the defaults unless told not to."""
    info = ctx.find_object(ScriptInfo)
    wants_defaults = info is None or info.load_dotenv_defaults
    skip = os.environ.get("QUART_SKIP_DOTENV", "")
    if skip and skip.lower() not in _SAYS_NO:
        wants_defaults = False
    load_dotenv_files(env_file or os.environ.get("QUART_ENV_FILE"), wants_defaults)


def _load_or_explain(info: ScriptInfo) -> Quart | None:
    """Return the application; say why not on standard error if it does not load."""
    try:
        return info.load_app()
    except NoAppException as error:
        click.secho(f"Error: {error.format_message()}\n", fg="red", err=True)
    except Exception as error:  # noqa: BLE001 - told; other commands still work
        failures = import_module(".failures", __package__)
        click.secho(f"{failures.explain_load_error(error)}\n", fg="red", err=True)
    return None


def _which_app(info: ScriptInfo) -> str:
    target = info.describe()
    if target is None:
        return (
            f"None found here. Looked for {', '.join(USUAL_FILES)}. "
            "Use --app, or start one with: quart new"
        )
    if info.is_named:
        return target
    return f"{target} Its own commands: quart --app {Path(target).as_posix()} --help"
