from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parents[1] / "tools"))

# What is in these folders is run by test_extensions.py, in environments that hold the
# extensions, and only there.
if "QUART_EXTENSIONS" not in os.environ:
    collect_ignore = [path.name for path in HERE.iterdir() if path.is_dir()]
