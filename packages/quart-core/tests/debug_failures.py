"""Exceptions from files of a user, for the tests of what is shown of them."""

from __future__ import annotations

import asyncio
import importlib.util
import textwrap


def load_module(folder, source, name="app"):
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failure_of(function, *args):
    """Call a function and return the exception that it raises."""
    try:
        result = function(*args)
        if asyncio.iscoroutine(result):
            asyncio.run(result)
    except BaseException as error:
        # Without the frame of this module.
        tb = error.__traceback__.tb_next
        while tb is not None and "asyncio" in tb.tb_frame.f_code.co_filename:
            tb = tb.tb_next
        return error.with_traceback(tb)
    raise AssertionError("Nothing was raised")
