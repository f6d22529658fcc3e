"""The hook in requests: the adapter that sends, and the urllib3 answer that it reads from."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from registry.capturing.observing import Observation
from registry.capturing.patching import UNSENT, Patch
from registry.capturing.recorder import Recorder


def patches_of_requests(module: ModuleType, recorder: Recorder) -> list[Patch]:
    """The one method through which every request of the module leaves."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(self: Any, request: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the client's own types
            seen = recorder.observe(request.method or "", request.url or "", _texts(request.headers), "hook")
            if seen is None:
                return original(self, request, *args, **options)
            own = request.body
            request.body = _sending(own, seen)
            try:
                response = original(self, request, *args, **options)
            except BaseException as problem:
                reason = getattr(problem.args[0] if problem.args else None, "reason", None)
                if {type(problem).__name__, type(reason).__name__} & set(UNSENT):
                    seen.unsent()
                else:
                    seen.end("cut" if isinstance(problem, Exception) else "left", f"cut: {type(problem).__name__}")
                raise
            finally:
                request.body = own
            raw = response.raw
            seen.answered(response.status_code, list(raw.headers.items()))
            _watch(raw, seen)
            return response

        return send

    return [Patch(module.adapters.HTTPAdapter, "send", around)]


def _texts(headers: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a mapping of text or bytes
    return [(_text(name), _text(value)) for name, value in (headers or {}).items()]


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _sending(body: Any, seen: Observation) -> Any:  # noqa: ANN401 - whatever requests takes
    if body is None:
        return None
    if isinstance(body, str):
        seen.sent(body.encode("utf-8"))
        return body
    if isinstance(body, bytes | bytearray | memoryview):
        seen.sent(bytes(body))
        return body
    return _Body(body, seen)


class _Body:
    """A file or generator of the caller's, watched while it is read; everything else of it shows through."""

    def __init__(self, own: Any, seen: Observation) -> None:  # noqa: ANN401
        self._own, self._seen = own, seen
        if hasattr(own, "read"):
            self.read = self._read

    def _read(self, *args: Any) -> Any:  # noqa: ANN401
        piece = self._own.read(*args)
        self._seen.sent(piece.encode("utf-8") if isinstance(piece, str) else piece)
        return piece

    def __iter__(self) -> Iterator[Any]:
        for piece in self._own:
            self._seen.sent(piece.encode("utf-8") if isinstance(piece, str) else piece)
            yield piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._own, name)


def _watch(raw: Any, seen: Observation) -> None:  # noqa: ANN401 - an answer of any urllib3
    """Watch what is read of an answer: plain content passes ``_fp_read``, chunks the other two."""
    for name in ("_fp_read", "_handle_chunk", "_update_chunk_length"):
        if hasattr(raw, name):
            setattr(raw, name, _tee(getattr(raw, name), seen))
    let_go, close = raw.release_conn, raw.close

    def release_conn() -> None:
        let_go()
        _ended(raw, seen)

    def closing() -> None:
        try:
            close()
        finally:
            seen.end("left")

    raw.release_conn, raw.close = release_conn, closing
    _ended(raw, seen)


def _tee(read: Callable[..., bytes], seen: Observation) -> Callable[..., bytes]:
    def reading(*args: Any, **options: Any) -> bytes:  # noqa: ANN401
        try:
            piece = read(*args, **options)
        except Exception as problem:
            seen.end("cut", f"cut: {type(problem).__name__}")
            raise
        seen.received(piece)
        return piece

    return reading


def _ended(raw: Any, seen: Observation) -> None:  # noqa: ANN401
    """The connection is let go: at the end of the answer, or because nobody wants the rest."""
    own = getattr(raw, "_original_response", None)
    if own is None or own.isclosed():
        announced = raw.headers.get("content-length", "")
        short = announced.isdigit() and seen.response.size < int(announced)
        seen.end("cut" if short else "whole", "cut: the answer is shorter than announced" if short else None)
