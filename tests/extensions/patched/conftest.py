"""Flask's place is taken before anything of Quart is imported."""

from __future__ import annotations

import quart_flask_patch  # noqa: F401
