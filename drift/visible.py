"""Other people's words made safe for a terminal: what would steer it is spelled out."""

import unicodedata

_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    r"""Spell control characters, direction marks and undecodable bytes as ``\x1b`` or ``\u202e``."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if not _steers(character):
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def steering_escaped(document: str) -> str:
    r"""A JSON text whose strings spell such characters as ``\u009b``: the same document, harmless on a terminal."""
    if document.isascii():
        return document
    return "".join(
        character if character == "\n" or not _steers(character) else f"\\u{ord(character):04x}"
        for character in document
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERING or character in _DIRECTION
