"""Logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from .options import option

__all__ = ["LogSettings"]


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What is written about requests and about the server."""

    heading: ClassVar[str] = "Logs"

    access_log: bool = option(True, "Write one line per request, when it is over.")
    access_log_format: Literal["text", "json"] = option("text", "How those lines look.")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = option(
        "info", "The least severe messages written."
    )
