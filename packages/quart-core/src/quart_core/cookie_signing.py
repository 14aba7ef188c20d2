"""Signing of session cookies, by itsdangerous, with what is costly done once."""

from __future__ import annotations

import time
from typing import Any

from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, want_bytes

__all__ = ["CookieSerializer", "check_key", "verified_values"]

#: How far in the future a cookie may have been signed, for servers whose clocks differ.
MAX_CLOCK_SKEW_SECONDS = 60


class _Signer(TimestampSigner):
    """A signer that derives each key once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._derived: dict[str | bytes | None, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        key = self._derived.get(secret_key)
        if key is None:
            key = self._derived[secret_key] = super().derive_key(secret_key)
        return key

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        # Decoding skips foreign characters and unused bits (RFC 4648, 3.3 and 3.5), so
        # one signature has many spellings. Only the one we write is accepted.
        return super().verify_signature(value, sig) and base64_encode(
            base64_decode(sig)
        ) == want_bytes(sig)


class CookieSerializer(URLSafeTimedSerializer):
    """A serializer that makes its signer once."""

    default_signer = _Signer
    _signer: Signer | None = None

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        """Give the signer, a new one for another salt."""
        if salt is not None and salt != self.salt:
            return super().make_signer(salt)
        if self._signer is None:
            self._signer = super().make_signer()
        return self._signer


def check_key(name: str, key: object) -> None:
    """Refuse a secret key that cannot be one.

    Args:
        name: The setting it is from.
        key: The key, which the message does not show.

    Raises:
        TypeError: It is neither ``str`` nor ``bytes``.
    """
    if not isinstance(key, (str, bytes)):
        raise TypeError(
            f"A key in {name} is of type {type(key).__name__}, expected str or bytes."
            f" If it comes from an environment variable of digits, put it in quotes:"
            f" QUART_{name}='\"1234\"'."
        )


def verified_values(
    serializer: URLSafeTimedSerializer, cookie: str, max_age_seconds: float
) -> dict[str, Any]:
    """Give the values of a cookie, none where its signature or age is bad.

    Args:
        serializer: What has signed it.
        cookie: The cookie's value.
        max_age_seconds: How long ago it may have been signed.
    """
    try:
        values, signed_at = serializer.loads(cookie, return_timestamp=True)
        # Whole seconds, as the cookie has them.
        age_seconds = int(time.time()) - int(signed_at.timestamp())
    except (BadData, ValueError, OverflowError, OSError):
        # All but the first: signed at a time that the platform cannot represent.
        return {}
    if not -MAX_CLOCK_SKEW_SECONDS <= age_seconds <= max_age_seconds:
        return {}
    return values if isinstance(values, dict) else {}
