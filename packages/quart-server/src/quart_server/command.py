"""The command: ``python -m quart_server module:app``.

Every setting of `Config` is an option. Options win over environment variables
(`QUART_SERVER_...`), those over the file given with `--config`.
"""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from . import __version__
from .binds import BindError
from .config import Config, ConfigError
from .importer import AppImportError
from .runner import run_server
from .settings.sources import read_environment, read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from .settings.options import Option

__all__ = ["main"]

EXIT_USAGE = 2
EXIT_BIND = 1
EXIT_APP = 3

_ENV_PREFIX = "QUART_SERVER_"
_SHORT = {"bind": "-b", "workers": "-w"}
_METAVARS = {
    "bind": "ADDRESS",
    "insecure_bind": "ADDRESS",
    "headers": "FIELD",
    "seconds": "SECONDS",
    "bytes": "BYTES",
    "octal": "MODE",
}
_USAGE = "python -m quart_server [options] module:app"
_EPILOG = f"""\
Each option is also a setting in the file given with --config (TOML, with underscores)
and an environment variable: --keep-alive-timeout is keep_alive_timeout and
{_ENV_PREFIX}KEEP_ALIVE_TIMEOUT. Options win over variables, those over the file.

Exit codes: 0 stopped as told, 1 an address cannot be listened on, 2 a bad option or
setting, 3 the app cannot be started, 130 or 143 forced to end by a second signal.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"quart-server: {message} (--help lists all options)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    _prepare_signals()
    try:
        options, config = _read(arguments)
        return run_server(
            options.app, config, factory=options.factory, app_dir=options.app_dir
        )
    except ConfigError as error:
        return _fail(error, EXIT_USAGE)
    except BindError as error:
        return _fail(error, EXIT_BIND)
    except AppImportError as error:
        return _fail(error, EXIT_APP)
    except KeyboardInterrupt:  # Ctrl+C while the app is imported.
        return 130


def _prepare_signals() -> None:
    """Handle signals that come before the server handles them itself.

    Process 1 of a container would not even notice SIGTERM; SIGHUP would end it.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _fail(error: Exception, exit_code: int) -> int:
    sys.stderr.write(f"quart-server: {error}\n")
    return exit_code


def _read(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Config]:
    """Return the parsed options and the settings from all sources."""
    parser = _make_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_explain_unknown(unknown[0], parser))
    given = {
        name: value
        for name in Config.options()
        if (value := getattr(options, name)) is not None
    }
    values: dict[str, object] = {}
    if options.config:
        # Checked by itself first, so that an error names the file.
        Config.from_toml(options.config)
        values.update(read_toml(options.config))
    variables = read_environment(os.environ, _ENV_PREFIX)
    values.update(Config.parse_texts(variables, _ENV_PREFIX))
    values.update(given)
    return options, Config.from_mapping(values)


def _make_parser() -> _Parser:
    parser = _Parser(
        prog="quart-server",
        usage=_USAGE,
        description="Serve an ASGI app over HTTP/1.1, HTTP/2 and WebSocket.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("app", metavar="module:app", help="The app's import string.")
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="Settings in TOML, see below."
    )
    parser.add_argument(
        "--factory", action="store_true", help="module:app makes the app when called."
    )
    parser.add_argument(
        "--app-dir",
        default=".",
        metavar="FOLDER",
        help="The folder put first on the import path (default: this one).",
    )
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, option in Config.options().items():
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        _add_option(groups[option.group], name, option)
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the explanations in one column."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=88)


def _add_option(group: argparse._ArgumentGroup, name: str, option: Option) -> None:
    flag = "--" + name.replace("_", "-")
    names = [_SHORT[name], flag] if name in _SHORT else [flag]
    text = f"{option.text} (default: {option.default_text})".replace("%", "%%")
    if option.kind == "flag":
        group.add_argument(
            *names, action=argparse.BooleanOptionalAction, default=None, help=text
        )
        return
    if option.kind in {"texts", "pairs"}:
        text = f"{text[:-1]}; repeatable)"
    group.add_argument(
        *names,
        dest=name,
        action=_Append if option.kind in {"texts", "pairs"} else "store",
        type=_reader(option),
        metavar=_metavar(option),
        help=text,
    )


class _Append(argparse.Action):
    """Joins the lists that a repeated option gives."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        earlier = getattr(namespace, self.dest) or ()
        if isinstance(values, tuple):
            setattr(namespace, self.dest, (*earlier, *values))


def _reader(option: Option) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return option.parse(text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _metavar(option: Option) -> str:
    if option.kind == "choice":
        return "{" + ",".join(option.choices) + "}"
    if option.kind in {"integer", "number"}:
        return _METAVARS.get(option.unit, "NUMBER")
    return _METAVARS.get(option.name, "TEXT")


def _version() -> str:
    implementation = sys.implementation.name
    python = ".".join(map(str, sys.version_info[:3]))
    return f"quart-server {__version__} ({implementation} {python}, {sys.platform})"


def _explain_unknown(word: str, parser: argparse.ArgumentParser) -> str:
    if not word.startswith("-"):
        return f"there is one app to serve, what is {word!r}?"
    name = word.partition("=")[0]
    known = [flag for action in parser._actions for flag in action.option_strings]
    close = difflib.get_close_matches(name, known, n=3)
    hint = f", did you mean {' or '.join(close)}?" if close else ""
    return f"there is no option {name}{hint}"
