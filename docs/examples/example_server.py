"""An example as a process of its own, as its README starts it, but on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

EXAMPLES = Path(__file__).parent
WAIT_SECONDS = 30.0
_SERVING = re.compile(r"Serving on (https?)://127\.0\.0\.1:(\d+)")


class ExampleServer:
    """Serves an example until the end of a block, or until it is stopped.

    Args:
        name: The example's folder.
        port: The port, 0 for a free one.
        https: Serve HTTPS and HTTP/2, with a certificate made on the spot.
        env: Variables to set for it.
        options: More options of ``quart serve``.
    """

    def __init__(
        self,
        name: str,
        *,
        port: int = 0,
        https: bool = False,
        env: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.port = port
        self.url = ""
        self._command = [sys.executable, "-m", "quart_cli"]
        self._command += ["--app", str(EXAMPLES / name / "app.py"), "serve"]
        self._command += ["--set", f"https={str(https).lower()}", *options]
        self._env = {**os.environ, **(env or {})}
        self._output: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, while it runs.

        Raises:
            RuntimeError: It does not.
        """
        if self._process is None:
            raise RuntimeError("The example is not being served")
        return self._process

    def start(self) -> None:
        """Start the process and wait until it accepts connections."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self.port)],
            env=self._env,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := _SERVING.search(self.output())) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                output = self.output()
                self.stop(signal.SIGKILL)
                raise AssertionError(f"The example did not start:\n{output}")
            time.sleep(0.02)
        self.port = int(found[2])
        self.url = f"{found[1]}://127.0.0.1:{self.port}"

    def output(self) -> str:
        """Return what it has printed."""
        if self._output is None:
            return ""
        self._output.seek(0)
        return self._output.read().decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process with a signal and return its exit code."""
        process, self._process = self.process, None
        process.send_signal(number)
        try:
            return process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(WAIT_SECONDS)
            raise
        finally:
            if self._output is not None:
                self._output.close()
                self._output = None

    # Memory, where the system tells (Linux)

    def memory(self) -> int:
        """Return the memory in use, in bytes."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """Return the most memory that was in use since `reset_peak`, in bytes."""
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        """Let the peak begin with what is in use now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.split("\n") if line.startswith(name))
        return int(line.split()[1]) * 1024

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self.stop()
