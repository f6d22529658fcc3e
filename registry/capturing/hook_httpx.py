"""The hook in httpx and httpx2: their transports, sync and async; bytes pass as they come, one piece after another."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from registry.capturing.observing import Observation
from registry.capturing.patching import UNSENT, Patch
from registry.capturing.recorder import Recorder


def patches_of_httpx(module: ModuleType, recorder: Recorder) -> list[Patch]:
    """The two methods through which every request of the module leaves."""
    sync = type("ObservedStream", (_Sync, module.SyncByteStream), {})
    both = type("ObservedRequestStream", (_Sync, _Async, module.SyncByteStream, module.AsyncByteStream), {})
    asynchronous = type("ObservedAsyncStream", (_Async, module.AsyncByteStream), {})

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def handle_request(self: Any, request: Any) -> Any:  # noqa: ANN401 - the client's own types
            with _sending(recorder, request, both) as seen:
                response = original(self, request)
            return _received(response, seen, sync)

        return handle_request

    def around_async(original: Callable[..., Any]) -> Callable[..., Any]:
        async def handle_async_request(self: Any, request: Any) -> Any:  # noqa: ANN401 - the client's own types
            with _sending(recorder, request, both) as seen:
                response = await original(self, request)
            return _received(response, seen, asynchronous)

        return handle_async_request

    return [
        Patch(module.HTTPTransport, "handle_request", around),
        Patch(module.AsyncHTTPTransport, "handle_async_request", around_async),
    ]


def _observed(recorder: Recorder, request: Any) -> Observation | None:  # noqa: ANN401 - a request of either module
    url = str(request.url)
    if recorder.known.place_of(url) is None:
        return None
    return recorder.observe(request.method, url, request.headers.multi_items(), "hook")


@contextmanager
def _sending(recorder: Recorder, request: Any, stream: type) -> Iterator[Observation | None]:  # noqa: ANN401
    """Watch a request of either module while it is sent, and how that ends; None where it is nothing to capture."""
    seen = _observed(recorder, request)
    if seen is None:
        yield None
        return
    own, whole = request.stream, getattr(request, "_content", None)
    if isinstance(whole, bytes):
        seen.sent(whole)
    else:
        request.stream = stream(own, seen, request=True)
    try:
        yield seen
    except BaseException as problem:
        _failed(seen, problem)
        raise
    finally:
        request.stream = own


def _received(response: Any, seen: Observation | None, stream: type) -> Any:  # noqa: ANN401 - of either module
    """The same answer, watched on its way."""
    if seen is not None:
        seen.answered(response.status_code, response.headers.multi_items())
        response.stream = stream(response.stream, seen)
    return response


def _failed(seen: Observation, problem: BaseException) -> None:
    if type(problem).__name__ in UNSENT:
        seen.unsent()
    else:
        seen.end("cut" if isinstance(problem, Exception) else "left", f"cut: {type(problem).__name__}")


class _Watched:
    """A stream of the client with an observer."""

    def __init__(self, own: Any, seen: Observation, *, request: bool = False) -> None:  # noqa: ANN401
        self._own = own
        self._take = seen.sent if request else seen.received
        self._seen = None if request else seen

    def _end(self, problem: BaseException | None = None) -> None:
        if self._seen is None:
            return
        if problem is None:
            self._seen.end()
        elif isinstance(problem, Exception):
            self._seen.end("cut", f"cut: {type(problem).__name__}")
        else:  # a generator that is closed, a task that is canceled: the caller has gone
            self._seen.end("left")

    def _close(self) -> None:
        if self._seen is not None:
            self._seen.end("left")


class _Sync(_Watched):
    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._own:
                self._take(piece)
                yield piece
        except BaseException as problem:
            self._end(problem)
            raise
        self._end()

    def close(self) -> None:
        """Close the client's own stream."""
        try:
            self._own.close()
        finally:
            self._close()


class _Async(_Watched):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._own:
                self._take(piece)
                yield piece
        except BaseException as problem:
            self._end(problem)
            raise
        self._end()

    async def aclose(self) -> None:
        """Close the client's own stream."""
        try:
            await self._own.aclose()
        finally:
            self._close()
