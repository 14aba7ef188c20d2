"""The README's tables of settings; running this file writes them anew."""

import re
from pathlib import Path

from quart_server.config import Config

README = Path(__file__).parent.parent / "README.md"


def settings_tables():
    """Return the README's tables of settings as they must be."""
    lines = []
    group = ""
    for name, option in Config.options().items():
        if option.group != group:
            group = option.group
            lines += ["", f"### {group}", "", "| Setting | Default | |"]
            lines.append("| --- | --- | --- |")
        choices = f" One of {', '.join(option.choices)}." if option.choices else ""
        default = option.default_text or '""'
        lines.append(f"| `{name}` | {default} | {option.text}{choices} |")
    return "\n".join([*lines, ""])


def with_tables(text):
    """Return the README's text with the tables as they must be."""
    before, rest = text.split("<!-- settings -->")
    _, after = rest.split("<!-- /settings -->")
    tables = settings_tables()
    return f"{before}<!-- settings -->\n{tables}\n<!-- /settings -->{after}"


def test_the_readme_lists_every_setting_with_its_default():
    text = README.read_text()
    assert text == with_tables(text), f"run 'python {__file__}' to write the tables"


def test_settings_named_in_the_text_exist():
    text = re.sub(r"<!-- settings -->.*<!-- /settings -->", "", README.read_text())
    options = Config.options()
    named = re.findall(r"--([a-z][a-z-]+)", text)
    own = {"config", "factory", "app-dir"}
    for name in set(named) - own:
        assert name.replace("-", "_") in options


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
