"""URL rules, converters and a compiled lookup for Quart.

Rules and maps are werkzeug's with a websocket flag, automatic ``OPTIONS`` and a
compiled lookup beside werkzeug's matcher. Everything public is importable from
here and from [quart_routing.routing][].
"""

from .routing import (
    BindableRequest,
    Match,
    QuartMap,
    QuartMapAdapter,
    QuartRule,
    sorted_methods,
)

__all__ = [
    "BindableRequest",
    "Match",
    "QuartMap",
    "QuartMapAdapter",
    "QuartRule",
    "sorted_methods",
]

__version__ = "1.0.0"
