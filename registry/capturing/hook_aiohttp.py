"""The hook in aiohttp: what is sent is heard by a trace, what comes back as it is fed to the answer's reader."""

from collections.abc import Callable
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from registry.capturing.observing import Observation
from registry.capturing.patching import UNSENT, Patch
from registry.capturing.recorder import Recorder

_sending: Final[ContextVar[Any]] = ContextVar("mintmark_aiohttp", default=None)


def patches_of_aiohttp(module: ModuleType, recorder: Recorder) -> list[Patch]:
    """The session's one way out, which gets a trace of ours, and the start of every answer."""
    config = _trace(module, recorder)
    watching: dict[int, Observation] = {}
    reader = _reader(module.StreamReader, watching)

    def around_request(original: Callable[..., Any]) -> Callable[..., Any]:
        async def _request(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
            if config not in self._trace_configs:
                self._trace_configs.append(config)
            return await original(self, *args, **options)

        return _request

    def around_start(original: Callable[..., Any]) -> Callable[..., Any]:
        async def start(self: Any, connection: Any) -> Any:  # noqa: ANN401
            answer = await original(self, connection)
            about = self.request_info
            seen = recorder.observe(self.method, str(about.real_url), list(about.headers.items()), "hook")
            ctx = _sending.get()
            if seen is not None and ctx is not None:
                _replay(seen, ctx)
                _answered(seen, self, reader, watching)
            return answer

        return start

    return [
        Patch(module.ClientSession, "_request", around_request),
        Patch(module.ClientResponse, "start", around_start),
    ]


def _trace(module: ModuleType, recorder: Recorder) -> Any:  # noqa: ANN401 - aiohttp's TraceConfig
    """A trace that keeps what is sent to captured providers, and hears of calls that got no answer."""
    config = module.TraceConfig(trace_config_ctx_factory=lambda **_: SimpleNamespace(sent=[]))

    async def started(_: Any, ctx: Any, __: Any) -> None:  # noqa: ANN401 - aiohttp's signature
        _sending.set(ctx)

    async def chunk(_: Any, ctx: Any, params: Any) -> None:  # noqa: ANN401
        if recorder.known.place_of(str(params.url)) is not None:
            ctx.sent.append(bytes(params.chunk))

    async def redirected(_: Any, ctx: Any, __: Any) -> None:  # noqa: ANN401
        ctx.sent.clear()

    async def failed(_: Any, ctx: Any, params: Any) -> None:  # noqa: ANN401
        seen = recorder.observe(params.method, str(params.url), list(params.headers.items()), "hook")
        if seen is None:
            return
        _replay(seen, ctx)
        if type(params.exception).__name__ in UNSENT and not ctx.sent:
            seen.unsent()
        else:
            whole = isinstance(params.exception, Exception)
            seen.end("cut" if whole else "left", f"cut: {type(params.exception).__name__}")

    config.on_request_start.append(started)
    config.on_request_chunk_sent.append(chunk)
    config.on_request_redirect.append(redirected)
    config.on_request_exception.append(failed)
    config.freeze()
    return config


def _replay(seen: Observation, ctx: Any) -> None:  # noqa: ANN401
    for piece in ctx.sent:
        seen.sent(piece)


def _answered(seen: Observation, response: Any, reader: type, watching: dict[int, Observation]) -> None:  # noqa: ANN401
    """Watch the content of an answer; aiohttp has taken its coding off already."""
    headers = [(name, value) for name, value in response.headers.items() if name.lower() != "content-encoding"]
    seen.answered(response.status, headers)
    content = response.content
    for piece in getattr(content, "_buffer", ()):
        seen.received(bytes(piece))
    if content.is_eof() or not isinstance(content, reader.__bases__[0]):
        seen.end()
        return
    watching[id(content)] = seen
    content.__class__ = reader  # same layout; the reader has slots, so that nothing can be hung on it


def _reader(base: type, watching: dict[int, Observation]) -> type:
    """The reader of aiohttp that tells what it is fed."""
    own: Any = base

    def feed_data(self: Any, data: bytes, *args: Any) -> Any:  # noqa: ANN401
        seen = watching.get(id(self))
        if seen is not None:
            seen.received(bytes(data))
        return own.feed_data(self, data, *args)

    def feed_eof(self: Any) -> None:  # noqa: ANN401
        seen = watching.pop(id(self), None)
        if seen is not None:
            seen.end()
        own.feed_eof(self)

    def set_exception(self: Any, exc: BaseException, *args: Any) -> None:  # noqa: ANN401
        seen = watching.pop(id(self), None)
        if seen is not None:
            left = type(exc).__name__ in ("ClientConnectionError", "CancelledError")
            seen.end("left" if left else "cut", f"cut: {type(exc).__name__}")
        own.set_exception(self, exc, *args)

    methods = {"__slots__": (), "feed_data": feed_data, "feed_eof": feed_eof, "set_exception": set_exception}
    return type("ObservedReader", (base,), methods)
