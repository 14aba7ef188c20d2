"""Runs a program as `python program.py` does, but on a free port for port 5000.

python on_free_port.py program.py        prints "bound to PORT" as it listens
"""

from __future__ import annotations

import runpy
import socket
import sys
from pathlib import Path
from typing import Any

_bind = socket.socket.bind


# Any: addresses are of several forms.
def bind(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[1] == 5000:
        address = (address[0], 0, *address[2:])
    _bind(self, address)
    if isinstance(address, tuple):
        print(f"bound to {self.getsockname()[1]}", flush=True)


if __name__ == "__main__":
    socket.socket.bind = bind  # type: ignore[method-assign]
    program = sys.argv[1]
    # As for the program itself.
    sys.path[0] = str(Path(program).parent)
    runpy.run_path(program, run_name="__main__")
