"""Run with ``python -m quart_cli``, where ``quart`` is not installed."""

from .cli import main

if __name__ == "__main__":
    main()
