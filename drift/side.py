"""One side of a comparison: a file with what it decodes to, decoded once however many metrics ask."""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from drift.errors import MediaEmpty
from drift.fingerprints.pdq import Pdq, canonical_luma, pdq_dihedral
from drift.media import audio
from drift.media.content import content_digest, transcript_bytes
from drift.media.image import frame_count, grey, load_rgb
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.media.probe import probe
from drift.media.segments import Transcript
from drift.media.transcript import read_transcript

SPEECH_RATE = 16_000  # Hz; what the spectral metrics listen at
LISTENED_S = 1_800  # seconds of audio they hold in memory
TRANSCRIPTS = {
    ".txt": "text/plain",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".json": "application/json",
}


class Side:
    """A probed file. Every property raises MediaRefused where decoding fails, and is computed at most once."""

    def __init__(
        self, path: Path, *, limits: Limits = DEFAULT_LIMITS, media: Media | None = None, name: str | None = None
    ) -> None:
        """Probe ``path`` unless ``media`` is given; ``name`` is what readers call the file. Raises: MediaRefused."""
        self.path = path
        self.name = name or path.name
        self.limits = limits
        self.media = media or probe(path, limits=limits, name=self.name)

    @cached_property
    def digest(self) -> dict[str, str]:
        """BLAKE3 and SHA-256 of the file, hexadecimal, in one pass."""
        fast, slow = blake3(), hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 20):
                fast.update(chunk)
                slow.update(chunk)
        return {"blake3": fast.hexdigest(), "sha256": slow.hexdigest()}

    @cached_property
    def content(self) -> str:
        """The digest of the decoded content, ``blake3:<hex>``."""
        return content_digest(self.path, self.media, limits=self.limits)

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        """An image's pixels, shape (height, width, 3)."""
        return load_rgb(self.path, limits=self.limits, name=self.name)

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """An image's 8-bit luma, shape (height, width)."""
        return grey(self.rgb)

    @cached_property
    def frames(self) -> int:
        """How many frames an image has; 1 for a still."""
        return frame_count(self.path, limits=self.limits, name=self.name)

    @cached_property
    def turns(self) -> tuple[Pdq, ...]:
        """PDQ hashes of an image and of its seven turned forms, in the order of ``drift.fingerprints.pdq.DIHEDRAL``."""
        return pdq_dihedral(canonical_luma(self.grey))

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """Mono samples at 16 kHz, shape (samples,), of the first 30 minutes: the mean of all channels."""
        return audio.load_mono(self.path, rate=SPEECH_RATE, seconds=LISTENED_S, limits=self.limits, name=self.name)

    @cached_property
    def transcript(self) -> Transcript:
        """A transcript's segments."""
        return read_transcript(self.path, limits=self.limits, name=self.name)

    def described(self) -> dict[str, object]:
        """What the comparison's document says of this side."""
        return {
            "digest": self.digest,
            "content": self.content,
            "bytes": self.path.stat().st_size,
            "media_type": self.media.media_type,
            "media": dict(self.media.facts),
        }


def side_of(path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None) -> Side:
    """A side; a file without a byte whose name says that it is a transcript is an empty one. Raises: MediaRefused."""
    try:
        return Side(path, limits=limits, name=name)
    except MediaEmpty:
        suffixes = (Path(name or "").suffix.lower(), path.suffix.lower())
        media_type = next((TRANSCRIPTS[suffix] for suffix in suffixes if suffix in TRANSCRIPTS), None)
        if media_type is None or path.stat().st_size:
            raise
    empty = Transcript(media_type, None, ())
    side = Side(path, limits=limits, media=Media("transcript", media_type, empty.facts()), name=name)
    side.transcript = empty
    side.content = f"blake3:{blake3(transcript_bytes(empty)).hexdigest()}"
    return side
