"""Public keys that a provider publishes for its webhooks: read when they are needed, kept for a while."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httpx2

from registry.capture.webhooks import keys_of

FRESH_S: Final = 24 * 3600.0
"""For how long keys are kept; fal asks for no more."""
PAUSE_S: Final = 300.0
"""The least time between two readings, so that forged deliveries make nobody ask for keys over and over."""
_MOST: Final = 1 << 16
_TIMEOUT_S: Final = 10.0


@dataclass
class PublishedKeys:
    """Keys by the address they are published at; one for the whole server."""

    read: Callable[[str], bytes] = field(default_factory=lambda: _read)
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, list[str]] = field(default_factory=dict)
    _tried: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, url: str, *, anew: bool = False) -> list[str]:
        """The keys; none where they cannot be read.

        Args:
            url: where they are published.
            anew: whether those that are kept did not fit: they are read again, unless that was just done.
        """
        with self._lock:
            kept, tried = self._kept.get(url, []), self._tried.get(url)
            age = self.clock() - tried if tried is not None else None
            if age is not None and (age < PAUSE_S or (kept and age < FRESH_S and not anew)):
                return kept
            self._tried[url] = self.clock()
            with suppress(httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError):  # what is kept still holds
                kept = keys_of(json.loads(self.read(url))) or kept
            self._kept[url] = kept
            return kept


def _read(url: str) -> bytes:
    with (
        httpx2.Client(trust_env=False, follow_redirects=False, timeout=_TIMEOUT_S) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        data = b""
        for piece in answer.iter_bytes():
            data += piece
            if len(data) > _MOST:
                raise ValueError("longer than a set of keys")
        return data
