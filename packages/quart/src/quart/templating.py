"""Templates: this module is :mod:`quart_templating.templating`."""

import sys

from quart_templating import templating as _implementation
from quart_templating.templating import *  # noqa: F403

# The implementation itself, so that patches and private names work here too.
sys.modules[__name__] = _implementation
