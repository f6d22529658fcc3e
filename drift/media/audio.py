"""Audio: facts counted on decoded samples, canonical PCM blocks, and mono floats for the metrics."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from drift.errors import MediaEmpty, MediaUnreadable
from drift.media.container import check_duration, damage, opened, reason, sound
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Fact


def audio_facts(
    path: Path,
    *,
    missing: str | None = None,
    expected: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    name: str | None = None,
) -> dict[str, Fact]:
    """Decode all audio and return ``kind``, ``sample_rate`` (Hz), ``channels``, ``duration_ms`` and ``codec``.

    ``missing`` is what ``structure.shortfall`` found, ``expected`` the number of samples the header promises; a file
    that falls short of either is refused with the milliseconds that can still be read.
    """
    where = name or path.name
    with opened(path, limits=limits, name=name) as container:
        stream = sound(container)
        if stream is None:
            raise MediaEmpty(where, "it holds neither picture nor sound", "give a file with a stream in it")
        samples = 0
        rate = stream.codec_context.sample_rate
        try:
            for frame in decoded(container, stream, limits, where):
                samples += frame.samples
                rate = frame.sample_rate
        except damage() as error:
            missing = missing or reason(error)
        duration = round(samples * 1000 / rate) if rate else 0
        if not missing and expected is not None and samples < expected:
            missing = f"{samples:,} of {expected:,} samples are there"
        if missing:
            why = f"truncated or damaged: {missing}; {duration:,} ms can be decoded"
            raise MediaUnreadable(where, why, "fetch it again")
        if not samples:
            raise MediaEmpty(where, "the audio has no sample", "give audio with at least one sample")
        return {
            "kind": "audio",
            "sample_rate": rate,
            "channels": stream.codec_context.channels,
            "duration_ms": duration,
            "codec": stream.codec_context.codec.canonical_name,
        }


def decoded(container: InputContainer, stream: AudioStream, limits: Limits, where: str) -> Iterator[AudioFrame]:
    """The audio frames of an opened stream in order, checked against the duration limit."""
    samples = 0
    for frame in container.decode(stream):
        samples += frame.samples
        if frame.sample_rate:
            check_duration(samples * 1000 / frame.sample_rate, limits, where)
        yield frame


def blocks(frame: AudioFrame) -> tuple[str, NDArray[np.generic]]:
    """A frame's samples, shape (samples, channels), in one of three canonical encodings.

    Integers are left-justified in little-endian 32 bits ("i32", so 16-bit WAV and FLAC agree); floats stay as decoded
    ("f32" or "f64").
    """
    data = frame.to_ndarray()
    channels = len(frame.layout.channels)
    data = data.T if frame.format.is_planar else data.reshape(-1, channels)
    if data.dtype == np.uint8:
        return "i32", (data.astype("<i4") - 128) << 24
    if data.dtype == np.int16:
        return "i32", data.astype("<i4") << 16
    if data.dtype == np.int32:
        return "i32", data.astype("<i4")
    if data.dtype == np.float64:
        return "f64", data.astype("<f8")
    return "f32", data.astype("<f4")


def load(
    path: Path, *, rate: int | None = None, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> tuple[NDArray[np.float32], int]:
    """All samples of the first audio stream as float32 in [-1, 1], shape (samples, channels), and their rate in Hz.

    ``rate`` resamples with FFmpeg's swresample. Memory is 4 bytes per sample and channel.

    Raises: MediaRefused.
    """
    where = name or path.name
    parts: list[NDArray[np.float32]] = []
    with opened(path, limits=limits, name=name) as container:
        stream = sound(container)
        if stream is None:
            raise MediaEmpty(where, "it holds no sound", "give a file with an audio stream")
        target = rate or stream.codec_context.sample_rate
        resampler = av.AudioResampler(format="fltp", layout=stream.codec_context.layout, rate=target)
        for frame in decoded(container, stream, limits, where):
            parts += [_floats(part) for part in resampler.resample(frame)]
        parts += [_floats(part) for part in resampler.resample(None)]
    if not sum(len(part) for part in parts):
        raise MediaEmpty(where, "the audio has no sample", "give audio with at least one sample")
    return np.ascontiguousarray(np.concatenate(parts)), target


def _floats(frame: AudioFrame) -> NDArray[np.float32]:
    return frame.to_ndarray().T.astype(np.float32, copy=False)
