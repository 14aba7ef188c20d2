"""Run with ``python -m quart_server module:app``."""

import sys

from .command import main
from .ending import exit_after

# Threads of the application may never return; the command ends all the same.
_SECONDS_FOR_THREADS = 2.0

if __name__ == "__main__":
    code = main()
    exit_after(_SECONDS_FOR_THREADS, code)
    sys.exit(code)
