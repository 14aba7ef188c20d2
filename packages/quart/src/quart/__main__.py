"""Run with ``python -m quart`` or the ``quart`` console script."""


def main() -> None:
    """Run the command line."""
