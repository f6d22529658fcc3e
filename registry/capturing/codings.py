"""Takes content codings off, a bounded piece at a time: what was packed small may be huge."""

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

MOST: Final = 128 << 20
"""Bytes of the longest content that is unpacked."""

_PIECE: Final = 1 << 18
_WINDOW_LOG: Final = 23  # RFC 9659, section 3: a zstd decoder need not have more than 8 MiB of memory

Unpacking: TypeAlias = Callable[[Iterable[bytes]], Iterator[bytes]]


class Unreadable(Exception):
    """Content in a coding that is not known here, or too long without it; the message says which."""


def decoded(pieces: Iterable[bytes], coding: str) -> Iterable[bytes]:
    """The content without its coding; what was cut, or is not what it says, is as much as can be had of it.

    Args:
        pieces: any cut of the content.
        coding: the value of ``Content-Encoding``; empty for none.

    Raises:
        Unreadable: at once for an unknown coding; on the way once more than 128 MiB come of it.
    """
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return pieces
    unpacking = _UNPACKING.get(coding)
    if unpacking is None:
        raise Unreadable(f"the coding {coding[:20]!r} cannot be read here")
    return _bounded(unpacking(pieces))


def readable(accepted: str) -> str:
    """An ``Accept-Encoding`` without the codings that are not known here."""
    kept = [one for one in accepted.split(",") if one.partition(";")[0].strip().lower() in {*_UNPACKING, "identity"}]
    return ",".join(kept).strip() or "identity"


def _bounded(unpacked: Iterator[bytes]) -> Iterator[bytes]:
    count = 0
    while True:
        try:
            piece = next(unpacked, None)
        except OSError:
            raise
        except Exception:  # of whichever library: cut on its way, or not what it says
            return
        if piece is None:
            return
        count += len(piece)
        if count > MOST:
            raise Unreadable(f"it is longer than {MOST:,} bytes without its coding")
        yield piece


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    made = zlib.decompressobj(wbits=47)  # of gzip and zlib
    for piece in pieces:
        while True:
            some = made.decompress(piece, _PIECE)
            yield some
            piece = made.unconsumed_tail
            if not piece and len(some) < _PIECE:
                break


def _brotli(module: Any) -> Unpacking:  # noqa: ANN401 - a module
    if not hasattr(module.Decompressor, "can_accept_more_data"):  # before 1.2 nothing bounds what one byte becomes
        raise ImportError

    def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
        made = module.Decompressor()
        for piece in pieces:
            some = made.process(piece, output_buffer_limit=_PIECE)
            # It takes more before it has told all that it holds, so that nothing must have come of nothing at the end.
            while some or not made.can_accept_more_data():
                yield some
                some = b"" if made.is_finished() else made.process(b"", output_buffer_limit=_PIECE)

    return unpacked


def _zstandard(module: Any) -> Unpacking:  # noqa: ANN401 - a module
    def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
        reading = module.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).stream_reader(
            _Source(pieces), read_across_frames=True
        )
        while some := reading.read(_PIECE):
            yield some

    return unpacked


def _zstd(module: Any) -> Unpacking:  # noqa: ANN401 - a module: the standard library's from 3.14, or its backport
    options = {module.DecompressionParameter.window_log_max: _WINDOW_LOG}

    def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
        made = module.ZstdDecompressor(options=options)
        for piece in pieces:
            while piece or not (made.needs_input or made.eof):
                if made.eof:  # of one frame
                    made = module.ZstdDecompressor(options=options)
                yield made.decompress(piece, _PIECE)
                piece = made.unused_data if made.eof else b""

    return unpacked


class _Source:
    """Pieces as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._left = iter(pieces), b""

    def read(self, count: int) -> bytes:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        some, self._left = self._left[:count], self._left[count:]
        return some


def _known() -> Mapping[str, Unpacking]:
    """By coding; a client asks for the last two only where it has one of these libraries itself."""
    found: dict[str, Unpacking] = {"gzip": _inflated, "x-gzip": _inflated, "deflate": _inflated}
    for coding, name, unpacking in (
        ("br", "brotli", _brotli),
        ("br", "brotlicffi", _brotli),
        ("zstd", "compression.zstd", _zstd),
        ("zstd", "backports.zstd", _zstd),
        ("zstd", "zstandard", _zstandard),
    ):
        if coding not in found:
            with suppress(ImportError):
                found[coding] = unpacking(importlib.import_module(name))
    return found


_UNPACKING: Final = _known()
