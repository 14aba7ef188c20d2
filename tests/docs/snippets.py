"""Runs the blocks of a page in order, as a reader would who types them in.

* ``python``: executed in the module that its first line names (``# app.py``, written
  to the page's folder as well), else in that of the block before. Functions named
  ``test_...`` are run. A ``text`` block right after it is what it prints.
* ``check``: an unseen comment; Python, may await, has ``client``.
* ``console``: lines after ``$``. ``curl`` goes to the page's ``app`` through the test
  client, commands that serve are parsed, others are run; what follows is compared,
  ``...`` standing for any text.
* ``toml``, ``json``, ``html`` and others: written where they name a file, and parsed.

Each Python block must be followed by something that checks it, or check itself; each
view of each ``app`` must be called.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import re
import sys
import tempfile
import tomllib
import traceback
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import commands
from curl import Curl
from pages import Block
from quart.signals import request_started, websocket_started
from quart_core import Quart

_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class SnippetError(AssertionError):
    """A snippet does not do what the page says; the message names page and line."""


class Page:
    """A page whose blocks run one after the other.

    Args:
        name: The page's path, for messages.
        folder: Where its files are written, and its commands run.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.module = self._module("app")
        # The file that blocks without a name go on with.
        self.file: Path | None = None
        self.runner = asyncio.Runner()
        self.serving: Any = None
        self.clients: dict[int, Any] = {}
        self.apps: list[Quart] = []
        self.called: set[tuple[int, str | None]] = set()
        self.unchecked: Block | None = None
        # Files of tests that pytest has not run yet.
        self.test_files: list[str] = []
        self.printed: str | None = None

    def run(self, blocks: Iterable[Block]) -> None:
        """Run the blocks."""
        before = set(sys.modules)
        request_started.connect(self._note_request)
        websocket_started.connect(self._note_websocket)
        serve, Quart.run = Quart.run, _do_not_serve  # type: ignore[method-assign]
        try:
            for block in blocks:
                if block.not_run is None:
                    self._run_block(block)
            self._expect_checked()
            self._stop_serving()
            self._run_pytest()
            self._expect_views_called()
        finally:
            Quart.run = serve  # type: ignore[method-assign]
            self._stop_serving()
            self.runner.close()
            request_started.disconnect(self._note_request)
            websocket_started.disconnect(self._note_websocket)
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None) or ""
                if name == "app" or file.startswith(str(self.folder)):
                    del sys.modules[name]
            sys.modules.pop("app", None)

    def _run_block(self, block: Block) -> None:
        run = getattr(self, f"_run_{block.language}", None)
        if block.file is not None:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n")
        if run is not None:
            try:
                run(block)
            except SnippetError:
                raise
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                # Without the cause: pytest would look for Python in the page.
                raise SnippetError(self._failure(block, error)) from None

    def _failure(self, block: Block, error: BaseException) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == self.name]
        text = "".join(traceback.format_exception_only(error))
        outer = "".join(traceback.format_list(frames[-3:]))
        return f"{self.name}:{own[-1] if own else block.line}: {text}{outer}"

    # Languages

    def _run_python(self, block: Block) -> None:
        checks = re.search(
            r"^\s*assert |pytest\.raises|def test_", block.text, flags=re.MULTILINE
        )
        if not checks:
            self._expect_checked()
        self._stop_serving()
        if block.file is not None:
            self.module = self._module(block.file.removesuffix(".py").replace("/", "."))
            self.file = self.folder / block.file
            self.module.__dict__["__file__"] = str(self.file)
            if block.file.startswith("test_"):
                self.test_files.append(block.file)
        elif self.file is not None:
            with self.file.open("a") as file:
                file.write(f"\n\n{block.text}\n")
        for app in self.apps:
            # Pages go on with an application that has answered already.
            app._got_first_request = False
        self.unchecked = None if checks else block
        output = io.StringIO()
        names = set(vars(self.module))
        with contextlib.redirect_stdout(output):
            self._execute(block)
        self.printed = output.getvalue()
        app = getattr(self.module, "app", None)
        if isinstance(app, Quart) and not any(app is each for each in self.apps):
            self.apps.append(app)
        for name in set(vars(self.module)) - names:
            if name.startswith("test_"):
                self._run_test(getattr(self.module, name), block)

    def _run_text(self, block: Block) -> None:
        if self.printed is not None and self.unchecked is not None:
            self._expect_output(block.line, block.text, self.printed)
            self.unchecked = None

    def _run_check(self, block: Block) -> None:
        self.unchecked = None
        self._execute(block)

    def _run_console(self, block: Block) -> None:
        for command, output, line in commands.split(block.text, block.line):
            self._run_command(command, output, line)

    def _run_json(self, block: Block) -> None:
        json.loads(block.text)

    def _run_toml(self, block: Block) -> None:
        commands.check_toml(tomllib.loads(block.text), block.file)

    # How it is done

    def _module(self, name: str) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__dict__["__file__"] = str(self.folder / "app.py")
        sys.modules[name] = module
        return module

    def _execute(self, block: Block) -> None:
        if block.file is not None:
            source, name = block.text, str(self.file)
        else:
            # Empty lines in front, so that tracebacks name the page's own lines.
            source, name = "\n" * (block.line - 1) + block.text, self.name
        code = compile(source, name, "exec", flags=_AWAIT, dont_inherit=True)
        names = self.module.__dict__
        if not code.co_flags & inspect.CO_COROUTINE:
            if block.language == "check":
                names["client"] = self._client()
            exec(code, names)
            return

        async def run() -> None:
            if block.language == "check" and isinstance(names.get("app"), Quart):
                names["client"] = await self._open_client()
            await eval(code, names)

        self.runner.run(asyncio.wait_for(run(), 30))

    def _run_test(self, test: Any, block: Block) -> None:
        wanted = inspect.signature(test).parameters
        fixtures = {"app", "client"} if "app" in vars(self.module) else set()
        unknown = set(wanted) - fixtures - {"tmp_path"}
        if unknown and self.test_files:
            # A fixture that pytest knows, when it runs the file.
            return
        if unknown:
            raise SnippetError(f"{self.name}:{block.line}: no fixtures {unknown} here")
        known = {"app": getattr(self.module, "app", None)}
        if "tmp_path" in wanted:
            known["tmp_path"] = Path(tempfile.mkdtemp(dir=self.folder))
        if not inspect.iscoroutinefunction(test):
            test(**{name: known[name] for name in wanted})
            return

        async def run() -> None:
            if "client" in wanted:
                known["client"] = await self._open_client()
            await test(**{name: known[name] for name in wanted})

        self.runner.run(asyncio.wait_for(run(), 30))

    def _run_pytest(self) -> None:
        """Run the files of tests that no command of the page has run."""
        files, self.test_files = self.test_files, []
        if files:
            shown = commands.run(f"python -m pytest {' '.join(files)}", self.folder, "")
            if not re.search(r"\d passed", shown or "") or "failed" in (shown or ""):
                raise SnippetError(f"{self.name}: {shown}")

    def _client(self) -> Any:
        if not isinstance(getattr(self.module, "app", None), Quart):
            return None
        return self.runner.run(self._open_client())

    async def _open_client(self) -> Any:
        """Return a client of the page's application, which is started for it."""
        app = self.module.app
        if self.serving is None:
            self.serving = app.test_app()
            await self.serving.startup()
            # Cookies stay, as in a reader's cookie file.
            client = self.serving.test_client()
            old = self.clients.get(id(app))
            if old is not None:
                client.cookie_jar = old.cookie_jar
            self.clients[id(app)] = client
        return self.clients[id(app)]

    def _stop_serving(self) -> None:
        if self.serving is not None:
            serving, self.serving = self.serving, None
            self.runner.run(serving.shutdown())

    def _run_command(self, command: str, output: str | None, line: int) -> None:
        where = f"{self.name}:{line}"
        if command.startswith("curl "):
            self.unchecked = None
            self.runner.run(self._curl(command, output, line))
            return
        shown = commands.run(command, self.folder, where)
        if shown is None:
            return
        if output is not None:
            self.unchecked = None
            self._expect_output(line, output, shown)
        if "pytest" in command:
            self.unchecked = None
            self.test_files = []

    async def _curl(self, command: str, output: str | None, line: int) -> None:
        curl = Curl(command, self.folder)
        client = await self._open_client()
        if output is not None and curl.options.N and output.endswith("\n..."):
            wanted = output.removesuffix("...")
            shown = await curl.stream(client, wanted)
            self._expect_output(line, wanted.strip() + "...", shown)
            return
        jar = client.cookie_jar
        if not curl.options.cookies:
            client.cookie_jar = None
        try:
            response = await curl.run(client)
        finally:
            client.cookie_jar = jar
        text = await response.get_data(as_text=True)
        if curl.shows_head:
            assert output is not None
            head, _, output = output.partition("\n\n")
            self._expect_head(line, head, response)
        elif output is None and response.status_code >= 400:
            raise SnippetError(f"{self.name}:{line}: {response.status}\n{text}")
        if output is not None:
            self._expect_output(line, output, text)

    def _expect_head(self, line: int, head: str, response: Any) -> None:
        first, *fields = head.split("\n")
        status = f"HTTP/1.1 {response.status}"
        if first.upper() != status.upper():
            raise SnippetError(f"{self.name}:{line}: {first!r} is shown, got {status}")
        got = {f"{name}: {value}".lower() for name, value in response.headers}
        for field in fields:
            if not any(_matches(field.lower(), each) for each in got):
                raise SnippetError(f"{self.name}:{line}: no {field!r} in {sorted(got)}")

    def _expect_output(self, line: int, expected: str, got: str) -> None:
        if not _matches(expected.strip(), got.strip()):
            raise SnippetError(
                f"{self.name}:{line}: the page shows\n{expected}\nbut it is\n{got}"
            )

    def _expect_checked(self) -> None:
        block, self.unchecked = self.unchecked, None
        if block is not None:
            raise SnippetError(
                f"{self.name}:{block.line}: nothing checks this snippet. Let a curl "
                "command, a test, its output or a '<!-- check' comment follow."
            )

    def _expect_views_called(self) -> None:
        for app in self.apps:
            for endpoint in app.view_functions:
                if endpoint.rpartition(".")[2] == "static":
                    continue
                if (id(app), endpoint) not in self.called:
                    raise SnippetError(f"{self.name}: nothing calls {endpoint!r}")

    async def _note_request(self, app: Any, **_: Any) -> None:
        from quart import request

        self.called.add((id(app), request.endpoint))

    async def _note_websocket(self, app: Any, **_: Any) -> None:
        from quart import websocket

        self.called.add((id(app), websocket.endpoint))


def _do_not_serve(self: Quart, *_: Any, **__: Any) -> None:
    """Stand for ``app.run()``, which would serve until it is stopped."""


def _matches(expected: str, got: str) -> bool:
    """Return whether a text is as shown, where ``...`` stands for anything."""
    parts = [re.escape(part) for part in expected.split("...")]
    return re.fullmatch(".*?".join(parts), got, flags=re.DOTALL) is not None
