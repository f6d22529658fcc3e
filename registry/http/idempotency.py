"""``Idempotency-Key``: the same key and payload give the same answer, across restarts too.

A key becomes the exchange id of the generation it makes, so the catalog itself
remembers it: there is no second table that could disagree. Only keys whose
request is still being answered are held in memory.
"""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from registry.http.problems import Problem

HEADER = "Idempotency-Key"
LONGEST = 255


class InFlight:
    """The keys whose requests are being answered by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def holding(self, exchange_id: str | None) -> Iterator[None]:
        """Hold a key until its request is answered; None holds nothing.

        Raises:
            Problem: another request holds it (409).
        """
        if exchange_id is None:
            yield
            return
        with self._lock:
            if exchange_id in self._keys:
                raise Problem(
                    409,
                    "idempotency-key-in-flight",
                    f"a request with this {HEADER} is being answered; ask again when it is",
                    headers={"Retry-After": "1"},
                )
            self._keys.add(exchange_id)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(exchange_id)


def exchange_of(key: str | None, secret: bytes) -> str | None:
    """The exchange id a key stands for; keyed, because a client may have made the key from private text.

    Raises:
        Problem: the key is empty, longer than 255 characters or not printable ASCII.
    """
    if key is None:
        return None
    if not key or len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise Problem(422, "idempotency-key-malformed", f"{HEADER} takes 1 to {LONGEST} printable ASCII characters")
    return f"idempotency-key:{hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()}"
