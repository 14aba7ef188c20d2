"""The commands of ``quart`` and their options.

What they do is in modules that are imported when they run, so that listing the
commands costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from .groups import debug_option
from .parameters import CertParamType, SeparatedPathType
from .script_info import ScriptInfo, pass_script_info
from .server_options import DEFAULT_HOST, DEFAULT_PORT, ServerOptions

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import ModuleType

__all__ = (
    "DEFAULT_COMMANDS",
    "dev_command",
    "doctor_command",
    "error_command",
    "new_command",
    "routes_command",
    "run_command",
    "serve_command",
    "shell_command",
)

TEMPLATE_NAMES: Final = ("minimal", "site", "api", "chat")
SERVE_PORT: Final = 8000
SORTS: Final = ("endpoint", "methods", "domain", "rule", "match")


def _module(name: str) -> ModuleType:
    return import_module(f".{name}", __package__)


# Any: a command's function.
def _watch_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the reloader."""
    f = click.option(
        "--exclude-patterns",
        default=None,
        type=SeparatedPathType(),
        help="Changes of files that match these patterns do not reload; separated "
        f"by {os.pathsep!r}.",
    )(f)
    return click.option(
        "--extra-files",
        default=None,
        type=SeparatedPathType(),
        help=f"More files and folders that reload when they change; separated by "
        f"{os.pathsep!r}.",
    )(f)


# Any: a command's function.
def _address_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of an address for development."""
    f = click.option(
        "-p",
        "--port",
        default=DEFAULT_PORT,
        show_default=True,
        type=click.IntRange(0, 65535),
        help="The port to listen on, 0 for a free one.",
    )(f)
    return click.option(
        "-h",
        "--host",
        default=DEFAULT_HOST,
        show_default=True,
        help="The address to listen on; also unix:PATH.",
    )(f)


def _certificate_options(f: Callable[..., Any]) -> Callable[..., Any]:
    f = click.option(
        "--keyfile",
        "--key",
        "keyfile",
        type=click.Path(exists=True, dir_okay=False),
        envvar=["QUART_RUN_KEY"],
        help="File of the certificate's private key.",
    )(f)
    return click.option(
        "--certfile",
        "--cert",
        "certfile",
        type=CertParamType(),
        envvar=["QUART_RUN_CERT"],
        help="File of the certificate, for https; or adhoc for one made on the spot.",
    )(f)


@click.command("run", short_help="Run as 'flask run' does.")
@_address_options
@_certificate_options
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Start anew when a file changes; by default in debug mode.",
)
@click.option(
    "--debugger/--no-debugger",
    default=None,
    help="Show errors in the browser; by default in debug mode.",
)
@click.option(
    "--with-threads/--without-threads",
    default=True,
    help="Has no effect, requests are served at the same time anyway.",
)
@_watch_options
@pass_script_info
def run_command(
    info: ScriptInfo,
    host: str,
    port: int,
    certfile: str | ssl.SSLContext | None,
    keyfile: str | None,
    reload: bool | None,
    debugger: bool | None,
    with_threads: bool,  # noqa: ARG001 - accepted for Flask's sake
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Serve the application on this machine, for development.

    In debug mode it starts anew when a file changes, and shows errors in the browser.
    """
    options = ServerOptions.of(host, port, certfile, keyfile)
    _module("run").run(
        info,
        options,
        reload=reload,
        debugger=debugger,
        extra_files=extra_files or (),
        exclude_patterns=exclude_patterns or (),
    )


run_command.params.insert(0, debug_option())


@click.command("dev", short_help="Run for development: debug, reload.")
@click.argument("path", required=False, type=click.Path(exists=True))
@_address_options
@_certificate_options
@click.option("--https", is_flag=True, help="Make a certificate and serve https.")
@click.option("--reload/--no-reload", default=True, help="Start anew on changes.")
@click.option(
    "--browser-reload/--no-browser-reload",
    default=True,
    help="Load pages in browsers anew afterwards, by a script added to them.",
)
@_watch_options
@pass_script_info
def dev_command(
    info: ScriptInfo,
    path: str | None,
    host: str,
    port: int,
    certfile: str | ssl.SSLContext | None,
    keyfile: str | None,
    https: bool,
    reload: bool,
    browser_reload: bool,
    extra_files: list[str] | None,
    exclude_patterns: list[str] | None,
) -> None:
    """Serve the application in debug mode, and start anew when a file changes.

    Errors are shown in the browser and here, your own code first, and kept for
    quart error. A request that comes during a reload waits for it.

    PATH is the application's file or folder, as --app takes it.
    """
    if path is not None:
        info.app_import_path = path
    options = ServerOptions.of(host, port, "adhoc" if https else certfile, keyfile)
    _module("run").dev(
        info,
        options,
        reload=reload,
        browser_reload=browser_reload,
        extra_files=extra_files or (),
        exclude_patterns=exclude_patterns or (),
    )


@click.command("serve", short_help="Run for production: workers, TLS, HTTP/2.")
@click.option(
    "-b",
    "--bind",
    multiple=True,
    help="An address to listen on, host:port or unix:PATH; can be repeated.",
)
@click.option("-h", "--host", help="As --bind, without the port.  [default: 127.0.0.1]")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on, 0 for a free one.  [default: 8000]",
)
@click.option("-w", "--workers", type=click.IntRange(1), help="Worker processes.")
@_certificate_options
@click.option(
    "--drain",
    type=click.FloatRange(0),
    help="Seconds that requests in flight have when it stops.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other setting of the server; can be repeated.",
)
@pass_script_info
def serve_command(
    info: ScriptInfo,
    bind: tuple[str, ...],
    host: str | None,
    port: int | None,
    workers: int | None,
    certfile: str | ssl.SSLContext | None,
    keyfile: str | None,
    drain: float | None,
    settings: tuple[str, ...],
) -> None:
    """Serve the application to others: worker processes, certificates, HTTP/2.

    Settings come from QUART_SERVER_ variables too, such as QUART_SERVER_WORKERS.
    """
    options = ServerOptions.of(
        host or DEFAULT_HOST, SERVE_PORT if port is None else port, certfile, keyfile
    )
    if host is not None or port is not None:
        bind = (*bind, options.bind)
    _module("serve").serve(
        info, options, bind=bind, workers=workers, drain=drain, settings=settings
    )


@click.command("routes", short_help="List the routes; --check finds bad url_for.")
@click.option(
    "-s",
    "--sort",
    type=click.Choice(SORTS),
    default="endpoint",
    show_default=True,
    help="What to sort by; match is the order of matching.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS as well.")
@click.option(
    "--check",
    is_flag=True,
    help="Instead look for calls of url_for that no route answers, in Python files "
    "and templates; the exit status is 1 if there are any.",
)
@pass_script_info
@click.pass_context
def routes_command(
    ctx: click.Context, info: ScriptInfo, sort: str, all_methods: bool, check: bool
) -> None:
    """List the routes of the application."""
    app = info.load_app()
    if not check:
        table = _module("routes").routes_table(app, sort=sort, all_methods=all_methods)
        click.echo(table)
        return
    if not _module("routes_check").report(app):
        ctx.exit(1)


@click.command("shell", short_help="A Python shell with app, client and await.")
@pass_script_info
def shell_command(info: ScriptInfo) -> None:
    """Run a Python shell with an application context.

    It has ``app``, ``g``, a test ``client`` and what shell context processors add,
    and ``await`` works in it.
    """
    _module("shell").run_shell(info.load_app())


@click.command("new", short_help="Start a project.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "-t",
    "--template",
    type=click.Choice(TEMPLATE_NAMES),
    default=TEMPLATE_NAMES[0],
    show_default=True,
    help="What to start from.",
)
def new_command(folder: str, template: str) -> None:
    """Make a folder with an application and its tests."""
    _module("new").create_project(folder, template)


@click.command("doctor", short_help="Check versions, extras, settings, secrets, proxy.")
@click.option("--secret", is_flag=True, help="Print a new secret key, nothing else.")
@pass_script_info
@click.pass_context
def doctor_command(ctx: click.Context, info: ScriptInfo, secret: bool) -> None:
    """Check the installation and the application, and say what to do.

    The exit status is 1 if something is wrong.
    """
    doctor = _module("doctor")
    if secret:
        click.echo(doctor.new_secret())
    elif not doctor.examine(info):
        ctx.exit(1)


@click.command("error", short_help="Show an error of quart dev, or make a test of it.")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--pytest", is_flag=True, help="Write a test of the request instead.")
def error_command(number: int | None, pytest: bool) -> None:
    """Show an error that quart dev has kept, or list them all.

    With --pytest a test that makes the request again is written, into the folder
    tests if there is one.
    """
    errors = _module("error_command")
    if number is None and pytest:
        raise click.UsageError("--pytest needs the number of the error")
    if number is None:
        errors.list_errors()
    elif pytest:
        errors.write_test(number)
    else:
        errors.show_error(number)


DEFAULT_COMMANDS: Final[tuple[click.Command, ...]] = (
    dev_command,
    serve_command,
    run_command,
    routes_command,
    shell_command,
    new_command,
    doctor_command,
    error_command,
)
"""In the order in which the help lists them."""
