import os
import subprocess
import sys

import pytest
from quart_server.config import Config, ConfigError
from quart_server.privileges import drop_privileges

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX users")
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can become others"
)

_DROP = """
import os, sys
from quart_server.config import Config
from quart_server.privileges import drop_privileges
user, group = (text or None for text in sys.argv[1:])
drop_privileges(Config(user=user, group=group, umask=0o027))
print(os.getuid(), os.getgid(), os.getgroups(), oct(os.umask(0)))
"""


def dropped(user="", group=""):
    finished = subprocess.run(
        [sys.executable, "-c", _DROP, user, group],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return finished.stdout.strip()


def test_without_settings_nothing_changes():
    before = os.getuid(), os.getgid()
    drop_privileges(Config())
    assert (os.getuid(), os.getgid()) == before


@as_root
def test_user_and_group_are_taken_with_their_groups_alone():
    assert dropped("65534", "65533") == "65534 65533 [65533] 0o27"
    assert dropped("nobody").startswith("65534 ")


@as_root
def test_a_group_alone_is_taken_as_well():
    assert dropped("", "65533") == "0 65533 [65533] 0o27"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"user": "no-such-user"}, "user is 'no-such-user', who is unknown"),
        ({"group": "no-such-group"}, "group is 'no-such-group', unknown"),
    ],
)
def test_unknown_names_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        drop_privileges(Config(**settings))


def test_others_than_root_cannot_become_somebody(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setgroups", refuse)
    with pytest.raises(ConfigError, match="by root only"):
        drop_privileges(Config(group="0"))
