"""Who may come in and what every answer carries, until there are tokens: this machine's own programs and pages.

The server listens on loopback only. Two ways round that are shut here: a name
that someone else's DNS points at 127.0.0.1 (the Host header tells), and a page
from elsewhere that posts through the user's browser (Origin and Sec-Fetch-Site
tell). No answer carries a CORS header.
"""

import ipaddress
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.http.problems import Problem, internal, response

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # not no-referrer: with it, browsers send "Origin: null" from our own form
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Doors:
    """ASGI middleware: refuses foreign hosts and origins, adds the security headers, ends what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def closing(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"] = [*message.get("headers", []), *_ALWAYS]
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", API_POLICY.encode()))
            await send(message)

        refused = refusal(scope["method"], scope["headers"])
        if refused is not None:
            await response(refused)(scope, receive, closing)
            return
        try:
            await self._app(scope, receive, closing)
        except ClientDisconnect:
            return
        except Exception as problem:
            unforeseen = internal(problem)
            if not started:
                await response(unforeseen)(scope, receive, closing)


def refusal(method: str, headers: Iterable[tuple[bytes, bytes]]) -> Problem | None:
    """Why a request may not come in; None where it may."""
    said: dict[bytes, str] = {}
    for name, value in headers:
        if name in (b"host", b"origin", b"sec-fetch-site"):
            if name in said:
                return Problem(400, "header-repeated", f"the header {name.decode()} stands twice; send it once")
            said[name] = value.decode("latin-1").lower()
    host = said.get(b"host", "")
    if not is_loopback(_name(host)):
        return Problem(
            421, "host-refused", f"the Host header says {host[:100]!r}; use localhost, 127.0.0.1 or [::1] and the port"
        )
    if method in SAFE:
        return None
    origin, site = said.get(b"origin"), said.get(b"sec-fetch-site")
    foreign = site not in ("same-origin", "none") if site is not None else origin not in (None, f"http://{host}")
    if foreign:
        return Problem(
            403, "cross-origin-refused", "a page from elsewhere sent this; open the registry's own page and do it there"
        )
    return None


def _name(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
