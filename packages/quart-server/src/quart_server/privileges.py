"""Giving up root: sockets and keys are opened first, the app runs as somebody else."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .settings.options import ConfigError

if sys.platform != "win32":
    import grp
    import pwd

if TYPE_CHECKING:
    from .config import Config

__all__ = ["drop_privileges"]


def drop_privileges(config: Config) -> None:
    """Become the user and group of the settings, and take their umask.

    Raises:
        ConfigError: They do not exist, or this process may not become them.
    """
    if config.umask is not None:
        os.umask(config.umask)
    if config.user is None and config.group is None:
        return
    if sys.platform == "win32":
        raise ConfigError("user", "user and group cannot be set on Windows")
    group_id = None if config.group is None else _group_id(config.group)
    try:
        _become(config.user, group_id)
    except PermissionError:
        raise ConfigError(
            "user", "user and group can be set by root only: start the server as root"
        ) from None


if sys.platform != "win32":

    def _become(user: str | None, group_id: int | None) -> None:
        # Groups before the user: afterwards it is not permitted any more.
        if user is None:
            if group_id is not None:
                os.setgroups([group_id])
                os.setgid(group_id)
            return
        entry = _user_entry(user)
        os.initgroups(entry.pw_name, entry.pw_gid if group_id is None else group_id)
        os.setgid(entry.pw_gid if group_id is None else group_id)
        os.setuid(entry.pw_uid)

    def _user_entry(user: str) -> pwd.struct_passwd:
        try:
            return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
        except KeyError:
            raise ConfigError("user", f"user is {user!r}, who is unknown") from None

    def _group_id(group: str) -> int:
        if group.isdecimal():
            return int(group)
        try:
            return grp.getgrnam(group).gr_gid
        except KeyError:
            raise ConfigError("group", f"group is {group!r}, unknown here") from None
