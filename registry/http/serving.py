"""Listens on this machine and serves one registry until a signal."""

import errno
import socket
from dataclasses import dataclass
from types import FrameType

import uvicorn

from registry.errors import CouldNotRun, InvalidValue
from registry.home import Registry
from registry.http.app import create_app
from registry.http.doors import is_loopback
from registry.http.work import Work

PATIENCE = 10  # seconds for requests that are being answered when the server is told to stop


class PortTaken(CouldNotRun):
    """Somebody listens there already, or may not be listened to."""

    def __init__(self, where: str, problem: OSError) -> None:
        """Name the address and the system's reason."""
        next_step = "take another with --port, or --port 0 for a free one"
        if problem.errno == errno.EADDRINUSE:
            super().__init__(f"{where} is taken, perhaps by another `mintmark serve`; {next_step}")
        else:
            super().__init__(f"{where}: {problem.strerror or problem}; {next_step}")


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens; requests wait in it until ``serve``."""

    socket: socket.socket
    url: str

    def serve(self, registry: Registry, work: Work | None = None) -> None:
        """Answer requests until SIGINT or SIGTERM; ``work`` makes the replays that they ask for.

        Raises:
            CouldNotRun: a store or a key cannot be opened.
        """
        warm(registry)
        server(registry, work).run(sockets=[self.socket])


def listen(host: str, port: int) -> Listener:
    """Listen on a loopback address.

    Args:
        host: localhost, 127.x.y.z or ::1.
        port: 0 takes a free one.

    Raises:
        InvalidValue: another host; there are no access tokens yet.
        PortTaken: somebody listens there.
    """
    if not is_loopback(host):
        raise InvalidValue(
            "--host", host, "an address of this machine (127.0.0.1, ::1, localhost); others need access tokens, "
            "which this version does not have. Put a proxy with its own log-in before it, or use an SSH tunnel"
        )  # fmt: skip
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is spelled out; left out, each answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((bare, port))
        listening.listen(128)
    except OSError as problem:
        listening.close()
        raise PortTaken(f"{host}:{port}", problem) from None
    taken = listening.getsockname()[1]
    shown = f"[{bare}]" if family == socket.AF_INET6 else bare
    return Listener(listening, f"http://{shown}:{taken}/")


def warm(registry: Registry) -> None:
    """Open every store before requests come: what fails is said at once, and no two threads open one twice."""
    _ = registry.vault, registry.assets, registry.index, registry.recorder, registry.log_signer
    _ = registry.draft_secret, registry.snapshot
    registry.sign_checkpoint()


def server(registry: Registry, work: Work | None = None) -> uvicorn.Server:
    """A server that writes no access log: paths hold digests, queries hold prompts."""
    config = uvicorn.Config(
        create_app(registry, work),
        access_log=False,
        log_level="warning",
        server_header=False,
        http="h11",  # httptools, which uvicorn takes where it is installed, bounds no header
        timeout_graceful_shutdown=PATIENCE,
        timeout_keep_alive=30,
    )
    return _Patient(config)


class _Patient(uvicorn.Server):
    """Ends cleanly, within ``PATIENCE`` seconds, however often it is told to."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # uvicorn takes the second Ctrl-C for an order to break off, with a traceback
            super().handle_exit(sig, frame)
