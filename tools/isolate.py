"""Test each package alone, in a throw-away environment of only what it declares.

    uv run tools/isolate.py                  # every package, then the small installs
    uv run tools/isolate.py quart-core       # one of them
    uv run tools/isolate.py core-only templates websockets  # the small installs: core
                      # alone and with templates under Uvicorn; with quart-ws on either

The package and its siblings are installed as built wheels, not from the checkout,
so a file that the build leaves out is found here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir())
TIMEOUT_SECONDS = 1200

CORE_ONLY = {
    "blinker",
    "itsdangerous",
    "markupsafe",
    "quart-contexts",
    "quart-core",
    "quart-routing",
    "werkzeug",
}
UVICORN = "uvicorn[standard]"
CORE_PACKAGES = ("quart-routing", "quart-contexts", "quart-core")


def uv() -> str:
    """Return the path of uv."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        sys.exit("uv is not installed: run 'pip install uv'")
    return found


def call(*command: str, env: dict[str, str] | None = None) -> None:
    """Run a command at the root; stop with its exit status if it fails."""
    environment = {**os.environ, **(env or {})}
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run(
        command, cwd=ROOT, check=True, timeout=TIMEOUT_SECONDS, env=environment
    )


def test_alone(package: str) -> None:
    """Run a package's tests with its dependencies and its test group only."""
    # fmt: off
    call(
        uv(), "run", "--isolated", "--exact", "--no-editable", "--package", package,
        "--no-default-groups", "--group", "tests",
        "python", "-Im", "pytest", "-q", "-n", "2", f"packages/{package}/tests",
    )
    # fmt: on


def core_only() -> None:
    """Install core alone, look at what came with it, serve JSON, check its types."""
    with tempfile.TemporaryDirectory(prefix="quart-core-only-") as folder:
        python = make_environment(Path(folder) / "env")
        sources = [str(ROOT / "packages" / name) for name in CORE_PACKAGES]
        call(uv(), "pip", "install", "-q", "--python", python, *sources)
        listed = subprocess.run(
            [uv(), "pip", "list", "--python", python, "--format", "json"],
            capture_output=True,
            text=True,
            check=True,
        )
        installed = {entry["name"] for entry in json.loads(listed.stdout)}
        if installed != CORE_ONLY:
            sys.exit(
                f"a core-only install holds {sorted(installed ^ CORE_ONLY)} as well"
            )
        print("core-only install:", ", ".join(sorted(installed)))
        check_core_types(folder, sources)
        call(uv(), "pip", "install", "-q", "--python", python, pinned(UVICORN))
        run_program(python, "core_under_uvicorn.py")


def websockets() -> None:
    """Serve a websocket with core and quart-ws, on Uvicorn and on quart-server."""
    for server in ("uvicorn", "quart-server"):
        sources = [
            str(ROOT / "packages" / name) for name in (*CORE_PACKAGES, "quart-ws")
        ]
        ours = server == "quart-server"
        sources.append(str(ROOT / "packages" / server) if ours else pinned(UVICORN))
        with tempfile.TemporaryDirectory(prefix="quart-websockets-") as folder:
            python = make_environment(Path(folder) / "env")
            call(uv(), "pip", "install", "-q", "--python", python, *sources)
            run_program(python, "websocket_echo.py", server)


def templates() -> None:
    """Serve pages with core and quart-templating, on Uvicorn."""
    names = (*CORE_PACKAGES, "quart-templating")
    sources = [str(ROOT / "packages" / name) for name in names]
    with tempfile.TemporaryDirectory(prefix="quart-templates-") as folder:
        python = make_environment(Path(folder) / "env")
        call(
            uv(), "pip", "install", "-q", "--python", python, *sources, pinned(UVICORN)
        )
        run_program(python, "templates_under_uvicorn.py")


def run_program(python: str, name: str, *arguments: str) -> None:
    """Run a program of the packaging tests, beside which its modules are."""
    folder = ROOT / "tests" / "packaging"
    # Not -I, which would keep its own folder out as well.
    call(python, "-E", "-s", str(folder / name), *arguments)


def check_core_types(folder: str, sources: list[str]) -> None:
    """Check the types of core and of its users where nothing else is installed."""
    python = make_environment(Path(folder) / "types")
    call(uv(), "pip", "install", "-q", "--python", python, *sources)
    for name, tool in (("mypy", ["--strict"]), ("pyright", ["--pythonpath", python])):
        command = [uv(), "tool", "run", "--from", tool_spec(name), name, *tool]
        if name == "mypy":
            command += ["--python-executable", python, "--config-file", os.devnull]
        else:
            config = Path(folder) / "pyrightconfig.json"
            config.write_text(json.dumps({"typeCheckingMode": "standard"}))
            command += ["--project", str(config)]
        call(
            *command, "tests/typing/core_only.py", "packages/quart-core/src/quart_core"
        )


def tool_spec(name: str) -> str:
    """Return the tool with the version that the workspace pins."""
    return pinned("pyright[nodejs]" if name == "pyright" else name)


def pinned(requirement: str) -> str:
    """Return a requirement, with extras or not, with the workspace's version."""
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = settings["tool"]["uv"]["constraint-dependencies"]
    name = requirement.partition("[")[0]
    pin = next((pin for pin in pins if pin.split("==")[0] == name), name)
    return pin.replace(name, requirement, 1)


def make_environment(folder: Path) -> str:
    """Make an empty environment with this Python and return its interpreter."""
    call(uv(), "venv", "-q", "--python", sys.executable, str(folder))
    scripts = "Scripts" if os.name == "nt" else "bin"
    return str(folder / scripts / "python")


def main(names: list[str]) -> int:
    """Test the packages and small installs named, or all of them."""
    for name in names or PACKAGES:
        if name in INSTALLS:
            continue
        if name not in PACKAGES:
            sys.exit(
                f"no package {name!r}; there are: {', '.join((*PACKAGES, *INSTALLS))}"
            )
        start = time.monotonic()
        print(f"== {name}", flush=True)
        test_alone(name)
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    for name, test in INSTALLS.items():
        if not names or name in names:
            print(f"== {name}", flush=True)
            test()
    return 0


INSTALLS = {"core-only": core_only, "templates": templates, "websockets": websockets}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"failed with status {error.returncode}: {' '.join(error.cmd)}")
