"""How long to wait before trying again: exponential backoff with full jitter, never less than the provider asks."""

import email.utils
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Pace:
    """When and how often to try again.

    ``tries`` counts the first one. The n-th pause is drawn from [0, min(cap_s, base_s * 2^n)] (AWS Architecture Blog,
    "Exponential Backoff and Jitter", full jitter), with the provider's own wish as its floor.
    """

    tries: int = 5
    base_s: float = 0.5
    cap_s: float = 30.0
    pause: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.time

    def wait(self, tried: int, headers: Mapping[str, str]) -> bool:
        """Wait before try number ``tried + 1``; False, at once, where there is to be none.

        Args:
            tried: how many there were, at least 1.
            headers: of the last answer, names in lower case.
        """
        if tried >= self.tries:
            return False
        asked = retry_after(headers, self.clock())
        if asked > LONGEST_WAIT_S:  # whoever asked for so much is better served by another run
            return False
        drawn = self.draw() * min(self.cap_s, self.base_s * 2 ** (tried - 1))
        self.pause(max(asked, drawn))
        return True


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds the provider asks for; 0 where it does not, or not in a form that exists.

    Read are ``retry-after-ms`` (milliseconds, as some providers send) and ``retry-after`` in seconds or as a date
    (RFC 9110, 10.2.3).

    Args:
        headers: names in lower case.
        now: seconds since 1970.
    """
    if (fine := _number(headers.get("retry-after-ms", ""))) is not None:
        return fine / 1000
    text = headers.get("retry-after", "").strip()
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
