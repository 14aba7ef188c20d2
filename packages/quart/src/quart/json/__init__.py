"""JSON as the application's provider writes it, see :mod:`quart_core.json`."""

from quart_core.json import dump, dumps, jsonify, load, loads

from quart._submodules import lazy_submodules

__all__ = ("dump", "dumps", "jsonify", "load", "loads")

__getattr__ = lazy_submodules(__name__, "provider", "tag")
