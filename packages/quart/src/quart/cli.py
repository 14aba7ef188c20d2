"""The command line: this module is :mod:`quart_cli.cli`."""

import sys

from quart_cli import cli as _implementation
from quart_cli.cli import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
