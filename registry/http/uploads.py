"""Reads multipart/form-data while it arrives: files go to the asset store's drafts, digested on the way.

The loop that reads the socket only parses; writing and digesting happen in a
worker thread, a piece of 1 MiB at a time. What is left at the end is written
by the thread that goes on to use it. Nothing is written twice and memory
stays bounded whatever comes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from registry.assets.store import Arriving, AssetStore, Staged
from registry.http.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PIECE = 1 << 20  # bytes gathered before a worker thread takes them
LONGEST_FIELD = 8 << 20  # bytes of a part that is no file: a draft, a query
MOST_PARTS = 1000


@dataclass(slots=True)
class Form:
    """What was sent, by part name; ``names`` holds the file names that uploads came with."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Staged] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


class Arrived:
    """A form that has come whole; its last pieces may wait to be written."""

    def __init__(self, reader: "_Reader") -> None:
        self._reader = reader

    @contextmanager
    def opened(self) -> Iterator[Form]:
        """The form, in a worker thread; what of its files was not kept is discarded at the end."""
        try:
            self._reader.flush()
            yield self._reader.form
        finally:
            self._reader.discard()


async def read_form(request: Request, assets: AssetStore, *, fields: frozenset[str], max_bytes: int) -> Arrived:
    """Read a form.

    Args:
        request: with a multipart body.
        assets: where the files wait; the end of ``opened`` removes what is not kept.
        fields: the parts that are kept as bytes; every other part is a file.
        max_bytes: the most bytes of one file.

    Raises:
        Problem: not multipart (415), malformed (400), a part or file too large (413).
        StorageFailed: the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Problem(415, "media-type-unsupported", "send multipart/form-data with a boundary, as `curl -F` does")
    reader = _Reader(assets, fields, max_bytes)
    try:
        parser = MultipartParser(options[b"boundary"], reader.callbacks())
        async for piece in request.stream():
            parser.write(piece)
            if reader.waiting >= PIECE:
                await run_sync(reader.flush)
        parser.finalize()
        if not reader.ended:
            raise Problem(400, "form-malformed", "the form ends before its last boundary; send it whole")
        return Arrived(reader)
    except FormParserError as problem:
        reader.discard()
        raise Problem(400, "form-malformed", f"the form cannot be read: {problem}") from None
    except BaseException:
        reader.discard()
        raise


class _Reader:
    """Gathers what the parser finds; ``flush`` writes it out, in the order it came."""

    def __init__(self, assets: AssetStore, fields: frozenset[str], max_bytes: int) -> None:
        self.form = Form()
        self.waiting = 0
        self.ended = False
        self._assets, self._fields, self._max_bytes = assets, fields, max_bytes
        self._header: list[bytes] = [b"", b""]
        self._disposition = b""
        self._parts: list[str] = []
        self._lengths = 0
        self._gathered: list[tuple[str, bytes | None]] = []  # None ends a file
        self._arriving: dict[str, Arriving] = {}

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header_piece(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._header_piece(1, data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._disposition, self._lengths = b"", 0
        if len(self._parts) >= MOST_PARTS:
            raise Problem(413, "form-too-large", f"more than {MOST_PARTS} parts")

    def _header_piece(self, which: int, piece: bytes) -> None:
        self._header[which] += piece

    def _header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = [b"", b""]

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        try:
            # curl, browsers and httpx write a quotation mark inside a name as %22 (HTML, multipart/form-data encoding)
            name = options[b"name"].decode("utf-8").replace("%22", '"')
            filename = options.get(b"filename", b"").decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            raise Problem(400, "form-malformed", "a part has no name in UTF-8; name every part") from None
        if name in self._parts:
            raise Problem(400, "form-malformed", f"two parts are named {name[:100]!r}; give each its own name")
        self._parts.append(name)
        if filename:
            self.form.names[name] = filename
        if name in self._fields:
            self.form.fields[name] = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        name, piece = self._parts[-1], data[start:end]
        self._lengths += len(piece)
        most = LONGEST_FIELD if name in self._fields else self._max_bytes
        if self._lengths > most:
            raise Problem(413, "upload-too-large", f"part {name[:100]!r} is longer than the limit of {most:,} bytes")
        if name in self._fields:
            self.form.fields[name] += piece
        else:
            self._gathered.append((name, piece))
            self.waiting += len(piece)

    def _end(self) -> None:
        if self._parts[-1] not in self._fields:
            self._gathered.append((self._parts[-1], None))

    def _finish(self) -> None:
        self.ended = True

    def flush(self) -> None:
        """Write what was gathered."""
        for name, piece in self._gathered:
            if name not in self._arriving:
                self._arriving[name] = self._assets.receive()
            if piece is None:
                self.form.files[name] = self._arriving[name].finish()
            else:
                self._arriving[name].take(piece)
        self._gathered.clear()
        self.waiting = 0

    def discard(self) -> None:
        """Forget everything that came."""
        for arriving in self._arriving.values():
            arriving.discard()
