"""Sphinx's settings: uv run sphinx-build -W --keep-going -b html docs docs/_build."""

from __future__ import annotations

import importlib.metadata

project = "Quart"
author = "The Quart authors"
project_copyright = author
release = importlib.metadata.version("quart")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

exclude_patterns = ["_build"]

# Links to headings, as on GitHub.
myst_heading_anchors = 4
# Two packages have a class Config, and a signature names one of them.
suppress_warnings = ["ref.python"]

# The reference comes from docstrings, in the order of the source.
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
# Longer signatures have a line for each parameter.
python_maximum_signature_line_length = 76
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# A name in single backticks is code.
default_role = "code"

html_theme = "furo"
html_title = f"Quart {release}"
html_static_path: list[str] = []
html_show_sourcelink = False
html_copy_source = False
