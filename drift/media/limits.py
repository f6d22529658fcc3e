"""How much a file may unfold to; bombs are refused before anything is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; a file beyond any of them raises MediaTooLarge.

    ``pixels`` counts one picture, or frames x pixels for an animated one; for video it bounds a single frame.
    """

    pixels: int = 100_000_000
    duration_ms: int = 4 * 3600 * 1000
    frames: int = 4 * 3600 * 120  # a clip within the duration limit at 120 frames per second
    file_bytes: int = 20 * 1024**3
    transcript_bytes: int = 64 * 1024**2


DEFAULT_LIMITS = Limits()
