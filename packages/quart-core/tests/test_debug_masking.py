"""Which names and values are secret, and how texts lose them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.debug.masking import MASK, Masker, is_secret_name, secrets_of
from quart_core.sessions import NullSession


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "user_password",
        "userPassword",
        "dbpassword",
        "passwd",
        "secret",
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "clientSecret",
        "token",
        "X-Auth-Token",
        "csrf_token",
        "accesstoken",
        "key",
        "api_key",
        "apiKey",
        "X-API-Key",
        "cookie",
        "Set-Cookie",
        "Authorization",
        "Proxy-Authorization",
        "credentials",
    ],
)
def test_names_of_secrets_are_known(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["name", "monkey", "keyboard", "author", "tokyo", "passenger", "x", ""]
)
def test_other_names_are_not_secret(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("User(password='hunter2', name='Ada')", "User(password=***, name='Ada')"),
        ("User(password='a\\'b', n=1)", "User(password=***, n=1)"),
        ('{"token": "abc", "n": 1}', '{"token": ***, "n": 1}'),
        (
            "Headers([('Authorization', 'Bearer x')])",
            "Headers([('Authorization', ***)])",
        ),
        ("Authorization: Bearer abc\nHost: a", "Authorization: ***\nHost: a"),
        ("<Config api_key=abc n=2>", "<Config api_key=*** n=2>"),
        ("{'headers': {'Cookie': 'a=b'}}", "{'headers': {'Cookie': ***}}"),
        ("config={'password': 'x'}", "config={'password': ***}"),
        ("password='unterminated", "password=***"),
        ("postgresql://ada:hunter2@db/x", "postgresql://ada:***@db/x"),
        ("User(name='Ada')", "User(name='Ada')"),
    ],
)
def test_a_repr_loses_what_stands_after_a_secret_name(text, masked):
    assert Masker().representation(text) == masked


def test_a_message_may_name_a_key():
    masker = Masker()
    assert masker.message("no such key: 'colour'") == "no such key: 'colour'"
    assert masker.message("wrong password: hunter2") == "wrong password: ***"


def test_known_values_are_masked_wherever_they_stand():
    masker = Masker({"correct horse", "abc"})
    assert masker.values("It is correct horse.") == "It is ***."
    # Too short to be looked for inside other words.
    assert masker.values("abcdef") == "abcdef"
    assert masker.is_secret("anything", "abc")
    assert not masker.is_secret("anything", "abcdef")


def test_the_advice_about_secret_keys_is_readable():
    with pytest.raises(RuntimeError) as caught:
        NullSession()["user"] = 1
    assert Masker().message(str(caught.value)) == str(caught.value)


def test_a_value_is_masked_in_its_escaped_form_too():
    secret = "line\nbreak'and\"quotes"
    masked = Masker({secret}).values(f"x = {secret!r}")
    assert "break" not in masked


def test_a_secret_that_begins_like_another_is_masked_whole():
    assert Masker({"secret1", "secret1234"}).values("secret1234") == MASK


@given(secret=st.text(min_size=6), before=st.text(), after=st.text())
def test_no_text_keeps_a_known_secret(secret, before, after):
    for method in ("values", "message", "representation"):
        masked = getattr(Masker({secret}), method)(before + secret + after)
        assert secret not in masked.replace(MASK, "\x00") or secret in MASK


@given(st.text(alphabet="ab=:,'\"\\ \n()[]{}-_password", max_size=200))
def test_any_text_can_be_masked(text):
    assert isinstance(Masker().representation(text), str)


def test_long_texts_are_masked_in_linear_time():
    # Would take hours if the patterns backtracked.
    for text in ("a" * 100_000, "password='" + "\\'" * 50_000, "://" + "a:" * 50_000):
        assert Masker().representation(text)


def test_secrets_come_from_settings_environment_and_request(monkeypatch):
    monkeypatch.setenv("SERVICE_TOKEN", "from-the-environment")
    monkeypatch.setenv("KEY_FOLDER", "/etc/keys")
    app = SimpleNamespace(
        config={
            "SECRET_KEY": b"as-bytes",
            "SECRET_KEY_FALLBACKS": ["older", None],
            "SESSION_COOKIE_NAME": "session",
            "DEBUG": True,
        }
    )
    scope = {
        "headers": [
            (b"cookie", b"session=abc.def; theme=dark"),
            (b"authorization", b"Basic YWRhOmh1bnRlcjI="),
            (b"x-api-key", b"k-123"),
            (b"accept", b"text/html"),
        ]
    }
    secrets = secrets_of(app, scope)
    assert {
        "as-bytes",
        "older",
        "from-the-environment",
        "abc.def",
        "YWRhOmh1bnRlcjI=",
        "hunter2",
        "k-123",
    } <= secrets
    assert not {"", "text/html", "/etc/keys", "session"} & secrets


def test_what_is_no_base64_is_kept_as_it_is():
    scope = {"headers": [(b"authorization", b"Basic ???")]}
    assert "???" in secrets_of(None, scope)
