"""Running the application's commands in tests (API of ``quart.testing``).

Needs click, which comes with quart-cli.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from quart_core.missing import import_part, missing

try:
    from click.testing import CliRunner
except ModuleNotFoundError as error:
    if error.name != "click":
        raise
    raise missing("app.test_cli_runner()", "quart-cli") from None

if TYPE_CHECKING:
    from click.testing import Result
    from quart_core import Quart

__all__ = ("QuartCliRunner",)


class QuartCliRunner(CliRunner):
    """Runs commands of an application, in this process.

    Works in coroutines as well: where an event loop runs, the command runs in a
    thread, as it may run a loop of its own.

    Args:
        app: The application.
        **kwargs: As for `click.testing.CliRunner`.
    """

    def __init__(self, app: Quart, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    # Any: a click command; click's own types are not needed to use this.
    def invoke(  # type: ignore[override]
        self, cli: Any = None, args: Any = None, **kwargs: Any
    ) -> Result:
        """Run a command.

        Args:
            cli: The command, or group of commands; ``app.cli`` if None.
            args: Its arguments, as a list or as in a shell.
            **kwargs: As for `click.testing.CliRunner.invoke`. Unless `obj` is among
                them, it is a `ScriptInfo` that knows the application.
        """
        command = self.app.cli if cli is None else cli
        if "obj" not in kwargs:
            kwargs["obj"] = self._script_info()
        call = partial(super().invoke, command, args, **kwargs)
        return _in_thread(call) if _loop_is_running() else call()

    def _script_info(self) -> Any:
        part = import_part("quart_cli.cli", "app.test_cli_runner()", "quart-cli")
        return part.ScriptInfo(create_app=lambda *_: self.app)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


# Any: a partial call, which returns click's result.
def _in_thread(call: Any) -> Any:
    results: list[Any] = []
    errors: list[BaseException] = []
    context = copy_context()

    def run() -> None:
        try:
            results.append(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = Thread(target=run, name="command of the application")
    thread.start()
    # No longer than the command itself, just as without a thread.
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
