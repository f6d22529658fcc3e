"""Base64 that has one spelling per value."""

import base64
import binascii

from registry.log.errors import NoteRefused


def encode64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode64(text: str, what: str) -> bytes:
    """Read standard base64; other alphabets, missing padding, line breaks and stray low bits are refused.

    Raises:
        NoteRefused: the bytes would not encode back to the same text.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused(what, f"{text[:40]!r} is not base64") from None
    if encode64(data) != text:
        raise NoteRefused(what, f"{text[:40]!r} is not the one base64 form of its bytes")
    return data
