"""The folders of an application or blueprint: its root, static files, templates."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from quart_contexts.globals import current_app

from .async_files import AsyncFileContext
from .helpers import get_root_path, send_from_directory

READ_MODES = frozenset({"r", "rb", "rt"})


class Resources:
    """What lies beside the Python files of an application or blueprint.

    API of ``flask.sansio.scaffold.Scaffold`` as far as it concerns files.

    Args:
        import_name: Name of the module that defines the application or blueprint.
        static_folder: Folder of static files, relative to the root path.
        static_url_path: URL prefix of the static files.
        template_folder: Folder of templates, relative to the root path.
        root_path: Where the relative folders start; found by the import name if
            not given.
    """

    _static_folder: str | None = None
    _static_url_path: str | None = None

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        self.template_folder = (
            os.fspath(template_folder) if template_folder is not None else None
        )
        self.root_path = (
            os.fspath(root_path)
            if root_path is not None
            else get_root_path(import_name)
        )

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the static folder, None without one."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = (
            os.fspath(value).rstrip(r"\/") if value is not None else None
        )

    @property
    def has_static_folder(self) -> bool:
        """Whether there is a static folder."""
        return self._static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of static files; by default the folder's last part."""
        if self._static_url_path is not None:
            return self._static_url_path
        if self._static_folder is None:
            return None
        name = os.path.basename(self._static_folder)
        return f"/{name}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = value.rstrip("/") if value is not None else None

    def get_send_file_max_age(
        self,
        filename: str | None,  # noqa: ARG002 - for those who override
    ) -> int | None:
        """Return for how many seconds a client may cache the file.

        SEND_FILE_MAX_AGE_DEFAULT of the current application; override it to decide
        by name. None means that the client asks every time.
        """
        value = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
        if value is None:
            return None
        if isinstance(value, timedelta):
            return int(value.total_seconds())
        return int(value)

    async def send_static_file(self, filename: str) -> Any:
        """Answer with a file of the static folder.

        Raises:
            RuntimeError: There is no static folder.
            werkzeug.exceptions.NotFound: No such file, or it is outside the folder.
        """
        folder = self.static_folder
        if folder is None:
            raise RuntimeError(
                f"{self!r} has no static folder; pass static_folder= to it."
            )
        return await send_from_directory(
            folder, filename, cache_timeout=self.get_send_file_max_age(filename)
        )

    async def open_resource(
        self,
        path: Any = None,
        mode: str = "rb",
        encoding: str | None = None,
        *,
        resource: Any = None,
    ) -> AsyncFileContext:
        """Open a file below the root path for reading.

        ``async with await app.open_resource("schema.sql") as file``, then
        ``await file.read()``. API of Quart, with Flask's names accepted.

        Args:
            path: Path relative to the root path.
            mode: "r", "rt" or "rb".
            encoding: Encoding in text mode, UTF-8 if not given.
            resource: Flask's name for ``path``.

        Raises:
            ValueError: The mode is for writing.
        """
        if mode not in READ_MODES:
            raise ValueError(
                f"open_resource() got mode {mode!r}, but resources are only read: "
                "use 'r', 'rt' or 'rb'."
            )
        name = path if resource is None else resource
        if encoding is None and mode != "rb":
            encoding = "utf-8"
        return AsyncFileContext(Path(self.root_path) / os.fspath(name), mode, encoding)
