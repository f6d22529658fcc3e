"""Sound families of the embedded providers: speech-like voices and plucked songs, mono at 24 kHz, 3 s."""

import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from replay.providers.body import Body
from replay.providers.procedural.music import make_music
from replay.providers.procedural.speech import make_speech

RATE = 24_000
_SAID = ("river", "quiet", "morning", "letter", "harbour", "golden", "painter", "window", "bridges", "northern")


def scene(rng):
    """A prompt of five words, to be spoken or played."""
    making = (make_speech, "procedural-audio@1") if rng.random() < 0.5 else (make_music, "procedural-music@1")
    return {"making": making, "prompt": " ".join(rng.choice(_SAID, 5))}


def sample(rng, scene):
    """Float32, shape (samples, 1)."""
    make, model = scene["making"]
    body = Body(
        {
            "model": model,
            "prompt": scene["prompt"],
            "seed": str(rng.integers(2**31)),
            "duration_ms": 3000,
            "sample_rate": RATE,
        }
    )
    with TemporaryDirectory() as folder:
        (made,) = make(body, Path(folder)).outputs
        with wave.open(str(made.path)) as file:
            read = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (read.astype(np.float32) / 32768)[:, None]
