"""Small pictures of media for pages: an image, a frame of a video, the wave of a sound, the first words of a text."""

import base64
import io
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from drift.errors import MediaRefused, MediaUnreadable
from drift.media.audio import load_mono
from drift.media.image import load_rgb
from drift.media.limits import Limits
from drift.media.probe import probe
from drift.media.transcript import read_transcript
from drift.media.video import frames

SIDE = 512  # pixels of the longer side
_WAVE = (512, 160)  # pixels
_BARS = 96
_LOOK_AT = 12  # the frame of a video that is shown: the very first is often black
_WORDS = 280  # characters of a text
_GREEN = (47, 143, 109, 255)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page shows of a file nobody keeps: a picture (as a data URI) or a text, and what kind it is."""

    name: str
    kind: str
    picture: str | None = None
    text: str | None = None


def picture_of(path: Path, kind: str, *, limits: Limits, name: str | None = None) -> bytes:
    """A WebP picture, 512 pixels on its longer side.

    Raises:
        MediaRefused: the file cannot be decoded, or its kind has no picture.
    """
    if kind == "image":
        picture = Image.fromarray(load_rgb(path, limits=limits, name=name))
    elif kind == "video":
        picture = _frame(path, limits, name)
    elif kind == "audio":
        picture = _wave(path, limits, name)
    else:
        raise MediaUnreadable(name or path.name, f"there is no picture of a {kind}", "read it instead")
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def text_of(path: Path, *, limits: Limits, name: str | None = None) -> str:
    """The first words of a transcript.

    Raises:
        MediaRefused: it is none.
    """
    text = read_transcript(path, limits=limits, name=name).text
    return text if len(text) <= _WORDS else f"{text[:_WORDS].rsplit(' ', 1)[0]} …"


def preview(path: Path, name: str, *, limits: Limits) -> Preview:
    """What to show of an upload, whatever it is."""
    try:
        kind = probe(path, limits=limits, name=name).kind
        if kind == "transcript":
            return Preview(name, kind, text=text_of(path, limits=limits, name=name))
        encoded = base64.b64encode(picture_of(path, kind, limits=limits, name=name)).decode()
        return Preview(name, kind, picture=f"data:image/webp;base64,{encoded}")
    except MediaRefused:
        return Preview(name, "file")


def _frame(path: Path, limits: Limits, name: str | None) -> Image.Image:
    shown = None
    for frame in islice(frames(path, limits=limits, name=name), _LOOK_AT):
        shown = frame
    if shown is None:
        raise MediaUnreadable(name or path.name, "it has no frame", "give a video")
    return Image.fromarray(shown.to_ndarray(format="rgb24"))


def _wave(path: Path, limits: Limits, name: str | None) -> Image.Image:
    """Peaks of the first ten minutes as bars, on a transparent ground that suits light and dark pages."""
    samples = np.abs(load_mono(path, rate=4000, seconds=600, limits=limits, name=name))
    edges = np.linspace(0, len(samples), _BARS + 1).astype(int)
    peaks = np.array([samples[a : max(b, a + 1)].max(initial=0) for a, b in pairwise(edges)])
    peaks = peaks / (peaks.max() or 1.0)
    width, height = _WAVE
    picture = Image.new("RGBA", _WAVE, (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    step = width / _BARS
    for n, peak in enumerate(peaks):
        half = max(1.5, float(peak) * (height / 2 - 8))
        left = n * step + 1
        draw.rounded_rectangle((left, height / 2 - half, left + step - 2.5, height / 2 + half), 1.5, fill=_GREEN)
    return picture
