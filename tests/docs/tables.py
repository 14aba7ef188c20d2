"""The generated parts of the reference; running this file writes them anew.

Each stands between ``<!-- name -->`` and ``<!-- /name -->`` in a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from commands import help_of
from pages import ROOT
from quart_cli.cli import cli
from quart_server.config import Config

REFERENCE = ROOT / "docs" / "reference"


def server_settings() -> str:
    """Return the tables of the server's settings."""
    lines: list[str] = []
    group = ""
    for name, option in Config.options().items():
        if option.group != group:
            group = option.group
            lines += ["", f"## {group}", ""]
            lines += ["| Setting | Default | Takes | |", "| --- | --- | --- | --- |"]
        default = option.default_text or '""'
        lines.append(f"| `{name}` | {default} | {option.expected} | {option.text} |")
    return "\n".join(lines[1:])


def commands() -> str:
    """Return the help of each command, as console blocks that the tests run."""
    return "\n\n".join(_help(name) for name in sorted(cli.commands))


def _help(name: str) -> str:
    text = help_of(name).rstrip()
    return f"## quart {name}\n\n```console\n$ quart {name} --help\n{text}\n```"


def facade() -> str:
    """Return the names of ``quart``, each with the module that documents it."""
    quart = import_module("quart")
    names = sorted(quart.__all__, key=str.lower)
    rows = [f"| `{name}` | {_home(name)} |" for name in names]
    return "\n".join(["| Name | Is |", "| --- | --- |", *rows])


def _home(name: str) -> str:
    if name in {"Markup", "escape"}:
        return f"`markupsafe.{name}`"
    if name == "signals_available":
        return "`True`, as signals always work"
    for page, module in _documented():
        if name in getattr(import_module(module), "__all__", ()):
            return f"`{module}.{name}`, in [{page.stem}]({page.name})"
    raise AssertionError(f"no page of the reference documents quart.{name}")


def _documented() -> Iterator[tuple[Path, str]]:
    for page in sorted(REFERENCE.glob("*.md")):
        for module in re.findall(r"automodule:: (\S+)", page.read_text()):
            yield page, module


# What a client may do, the setting that bounds it, and what answers more than that.
LIMITS = {
    "HTTP/1.1": [
        ("be silent after connecting", "first_byte_timeout", "closed"),
        ("send a head slowly", "header_timeout", "408"),
        ("send a long request line", "max_request_line_size", "414"),
        ("send a large field", "max_field_size", "431"),
        ("send many fields", "max_header_count", "431"),
        ("send a large head", "max_head_size", "431"),
        ("send chunk extensions", "max_chunk_extension_size", "400"),
        ("pause within a body", "body_timeout", "408"),
        ("send a body slowly (bytes a second)", "body_min_rate", "408"),
        ("send a large body", "max_body_size", "413"),
        ("pipeline requests", "pipeline_depth", "reading pauses"),
        ("keep an idle connection", "keep_alive_timeout", "closed"),
        ("take nothing of a response", "write_timeout", "closed"),
    ],
    "HTTP/2": [
        ("say nothing at first", "h2_preface_timeout", "closed"),
        ("open streams at once", "h2_max_concurrent_streams", "REFUSED_STREAM"),
        ("send a large list of fields", "h2_max_header_list_size", "431 or closed"),
        ("send a large header block", "h2_max_header_block_size", "closed"),
        ("cut it in many frames", "h2_max_continuation_frames", "closed"),
        ("send a large frame", "h2_max_inbound_frame_size", "FRAME_SIZE_ERROR"),
        ("reset streams", "h2_max_resets", "ENHANCE_YOUR_CALM"),
        ("send frames that bring nothing", "h2_max_frames", "ENHANCE_YOUR_CALM"),
        ("send empty frames", "h2_max_empty_frames", "ENHANCE_YOUR_CALM"),
        ("leave its window shut", "h2_stalled_stream_timeout", "stream reset"),
        ("have memory held for it", "h2_connection_memory", "reading pauses"),
    ],
    "WebSocket": [
        ("send a large message", "websocket_max_message_size", "1009"),
        ("send a large frame", "websocket_max_frame_size", "1009"),
        ("cut a message in many frames", "websocket_max_fragments", "1009"),
        ("inflate far (times)", "websocket_max_inflate_ratio", "1009"),
        ("send more than is read", "websocket_queue_messages", "reading pauses"),
        ("leave a ping unanswered", "websocket_ping_timeout", "closed"),
        ("leave a close unanswered", "websocket_close_timeout", "closed"),
    ],
    "TLS": [("take long for the handshake", "ssl_handshake_timeout", "closed")],
}


def limits() -> str:
    """Return the tables of what a client may do."""
    options = Config.options()
    lines: list[str] = []
    for heading, rows in LIMITS.items():
        lines += ["", f"### {heading}", ""]
        lines += ["| A client may | up to | by setting | then |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| {what} | {options[name].default_text} | `{name}` | {answer} |"
            for what, name, answer in rows
        ]
    return "\n".join(lines[1:])


PARTS: dict[str, tuple[Path, Callable[[], str]]] = {
    "settings": (REFERENCE / "server-settings.md", server_settings),
    "commands": (REFERENCE / "cli.md", commands),
    "limits": (REFERENCE / "protocols.md", limits),
    "names": (REFERENCE / "quart.md", facade),
}


def with_part(name: str) -> tuple[str, str]:
    """Return a page's text as it is, and with its generated part as it must be."""
    page, make = PARTS[name]
    text = page.read_text()
    before, rest = text.split(f"<!-- {name} -->")
    _, after = rest.split(f"<!-- /{name} -->")
    return text, f"{before}<!-- {name} -->\n\n{make()}\n\n<!-- /{name} -->{after}"


if __name__ == "__main__":
    for part, (path, _) in PARTS.items():
        path.write_text(with_part(part)[1])
