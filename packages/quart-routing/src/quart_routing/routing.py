"""The public face of routing: what an application imports as ``quart.routing``."""

from __future__ import annotations

from .adapter import QuartMapAdapter, sorted_methods
from .map import BindableRequest, QuartMap
from .rules import QuartRule
from .table import Match

__all__ = [
    "BindableRequest",
    "Match",
    "QuartMap",
    "QuartMapAdapter",
    "QuartRule",
    "sorted_methods",
]
