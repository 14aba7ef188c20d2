"""The command line. API of ``quart.cli``, and of ``flask.cli`` in its names."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from .app_context import with_appcontext
from .app_names import find_app_by_string, find_best_app
from .banner import show_server_banner
from .commands import (
    dev_command,
    doctor_command,
    error_command,
    new_command,
    routes_command,
    run_command,
    serve_command,
    shell_command,
)
from .dotenv_files import load_dotenv
from .errors import NoAppException
from .groups import AppGroup, QuartGroup
from .locate import locate_app, prepare_import
from .parameters import CertParamType, SeparatedPathType
from .reloader.variable import CHILD_VARIABLE
from .script_info import ScriptInfo, pass_script_info
from .version import get_version, version_option

__all__ = (
    "AppGroup",
    "CertParamType",
    "NoAppException",
    "QuartGroup",
    "ScriptInfo",
    "SeparatedPathType",
    "cli",
    "click",
    "dev_command",
    "doctor_command",
    "error_command",
    "find_app_by_string",
    "find_best_app",
    "get_version",
    "load_dotenv",
    "locate_app",
    "main",
    "new_command",
    "pass_script_info",
    "prepare_import",
    "routes_command",
    "run_command",
    "serve_command",
    "shell_command",
    "show_server_banner",
    "version_option",
    "with_appcontext",
)

cli = QuartGroup(
    name="quart",
    help="""\
Run, serve and look into a Quart application.

The application is app.py in this folder, or what --app names.
""",
)


def main() -> None:
    """Run the command line. What the console script ``quart`` calls."""
    if CHILD_VARIABLE in os.environ:
        # Before anything is read that may change, such as files of variables.
        import_module("quart_cli.reloader.child").begin()
    name = "python -m quart" if sys.argv[0].endswith("__main__.py") else None
    cli.main(prog_name=name)


if __name__ == "__main__":
    main()
