"""Run with ``python -m quart`` or the ``quart`` console script."""

from quart_cli.cli import main

__all__ = ("main",)

if __name__ == "__main__":
    main()
