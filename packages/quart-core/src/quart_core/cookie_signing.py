"""Signing of session cookies, by itsdangerous, with what is costly done once."""

from __future__ import annotations

import hashlib
import hmac
import time
import zlib
from binascii import b2a_base64
from functools import lru_cache
from typing import Any, Final

from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, int_to_bytes, want_bytes

__all__ = ["CookieSerializer", "check_key", "verified_values"]

#: How far in the future a cookie may have been signed, for servers whose clocks differ.
MAX_CLOCK_SKEW_SECONDS = 60


# One call in C signs with these, given their names.
_NAMES: Final = {
    method: method().name for method in (hashlib.sha1, hashlib.sha256, hashlib.sha512)
}
_TO_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


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

    def get_signature(self, value: str | bytes) -> bytes:
        name = _NAMES.get(self.digest_method)
        if name is None:
            return super().get_signature(value)
        return _base64(hmac.digest(self.derive_key(), want_bytes(value), name))

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

    def dumps(self, obj: Any, salt: str | bytes | None = None) -> str:
        """Sign a value; the text is that of itsdangerous, made in fewer steps."""
        signer = self.make_signer(salt)
        value = self.dump_payload(obj) + b"." + _stamp(int(time.time()))
        return (value + b"." + signer.get_signature(value)).decode()

    def dump_payload(self, obj: Any) -> bytes:
        """Give the value as it is signed: JSON, compressed where that is shorter."""
        text: bytes = want_bytes(self.serializer.dumps(obj, **self.serializer_kwargs))
        compressed = zlib.compress(text)
        if len(compressed) < len(text) - 1:
            return b"." + _base64(compressed)
        return _base64(text)


@lru_cache(maxsize=2)
def _stamp(seconds: int) -> bytes:
    return base64_encode(int_to_bytes(seconds))


def _base64(data: bytes) -> bytes:
    encoded = b2a_base64(data, newline=False)
    return encoded.translate(_TO_URL_SAFE).rstrip(b"=")


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
        found = _signed_now(serializer, cookie)
        if found is None:
            values, signed_at = serializer.loads(cookie, return_timestamp=True)
            # Whole seconds, as the cookie has them.
            signed_seconds = int(signed_at.timestamp())
        else:
            values, signed_seconds = found
    except (BadData, ValueError, OverflowError, OSError):
        # All but the first: signed at a time that the platform cannot represent.
        return {}
    age_seconds = int(time.time()) - signed_seconds
    if not -MAX_CLOCK_SKEW_SECONDS <= age_seconds <= max_age_seconds:
        return {}
    return values if isinstance(values, dict) else {}


def _signed_now(serializer: Any, cookie: str) -> tuple[Any, int] | None:
    """Read what is signed with the key of this moment, as nearly all cookies are.

    It is what `loads` comes to then. None leaves the others to it: old keys, bad
    signatures, and serializers that are not ours.

    Raises:
        itsdangerous.BadData: What was signed is no session.
    """
    if type(serializer) is not CookieSerializer:
        return None
    value, _, signature = want_bytes(cookie).rpartition(b".")
    payload, _, signed_at = value.rpartition(b".")
    signer = serializer.make_signer()
    if type(signer) is not _Signer or not payload:
        return None
    if not hmac.compare_digest(signature, signer.get_signature(value)):
        return None
    seconds = int.from_bytes(base64_decode(signed_at), "big")
    return serializer.load_payload(payload), seconds
