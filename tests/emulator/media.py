"""Real media made from a prompt and a seed: the same bytes for the same request, others for another."""

import hashlib
import io
import json
import wave

import av
import numpy as np
from PIL import Image


def _random(*parts):
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def png(*parts, width=64, height=64):
    """A smooth random picture."""
    return _picture(parts, width, height, "PNG")


def jpeg(*parts, width=64, height=64):
    """The same, as JPEG."""
    return _picture(parts, width, height, "JPEG")


def _picture(parts, width, height, form):
    small = _random(*parts).integers(0, 256, (5, 5, 3), np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    data = io.BytesIO()
    image.save(data, form)
    return data.getvalue()


def wav(*parts, seconds=0.5, rate=16000):
    """A tone whose pitch the parts decide, mono, 16 bit."""
    pitch = 200 + 400 * _random(*parts).random()
    tone = (8000 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype("<i2")
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    return data.getvalue()


def mp4(*parts, width=64, height=64, frames=6):
    """A few frames of H.264."""
    random, data = _random(*parts), io.BytesIO()
    start = random.integers(0, 200, 3)
    with av.open(data, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=12, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            pixels = np.full((height, width, 3), start + 5 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return data.getvalue()


def transcript(*parts):
    """Words and their times, as segments."""
    words = ["the", "harbour", "lies", "still", "this", "morning"]
    return {"text": " ".join(words), "segments": [{"start": 0.0, "end": 2.0, "text": " ".join(words)}]}


def mp3(*parts, seconds=0.5, rate=44100):
    """The same tone as MP3."""
    pitch, data = 200 + 400 * _random(*parts).random(), io.BytesIO()
    tone = (8000 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype("<i2")
    with av.open(data, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="s16p", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return data.getvalue()
