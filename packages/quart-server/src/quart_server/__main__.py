"""Run with ``python -m quart_server module:app``."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
