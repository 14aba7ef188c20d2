"""Jinja templates for Quart: rendering, streaming, fragments."""

from __future__ import annotations

from .environment import Environment
from .loading import DispatchingJinjaLoader
from .templating import (
    render_fragment,
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)

__all__ = (
    "DispatchingJinjaLoader",
    "Environment",
    "render_fragment",
    "render_template",
    "render_template_string",
    "stream_template",
    "stream_template_string",
)

__version__ = "1.0.0"
