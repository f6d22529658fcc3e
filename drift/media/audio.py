"""Audio: facts counted on decoded samples, canonical PCM blocks, and mono floats for the metrics."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

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

# PyAV 18 counts a frame's planes up to a null pointer that is not there from eight planes on, and reads wild memory:
# such frames are packed into one plane (by FFmpeg, without loss) before they are looked at.
_UNSAFE = 8


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
    """The audio frames of an opened stream in order, checked against the duration limit.

    A stream whose rate or channels change midway is refused: nothing here, and hardly any player, copes with one.
    """
    samples = 0
    form: tuple[int, int] | None = None
    for frame in container.decode(stream):
        if form is not None and form != (frame.sample_rate, frame.layout.nb_channels):
            why = f"rate or channels change after {samples:,} samples"
            raise MediaUnreadable(where, why, "give a stream of one form, or an undamaged file")
        form = frame.sample_rate, frame.layout.nb_channels
        samples += frame.samples
        if frame.sample_rate:
            check_duration(samples * 1000 / frame.sample_rate, limits, where)
        yield frame


def blocks(frame: AudioFrame) -> tuple[str, NDArray[np.generic]]:
    """A frame's samples, shape (samples, channels), in one of three canonical encodings.

    Integers are left-justified in little-endian 32 bits ("i32", so 16-bit WAV and FLAC agree); floats stay as decoded
    ("f32" or "f64").
    """
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels >= _UNSAFE:
        parts = [_packed(part, channels) for part in _repacked(frame)]
        data = np.concatenate(parts) if parts else np.empty((0, channels), np.float32)
    else:
        data = _packed(frame, channels)
    if data.dtype == np.uint8:
        return "i32", (data.astype("<i4") - 128) << 24
    if data.dtype == np.int16:
        return "i32", data.astype("<i4") << 16
    if data.dtype == np.int32:
        return "i32", data.astype("<i4")
    if data.dtype == np.float64:
        return "f64", data.astype("<f8")
    return "f32", data.astype("<f4")


def _repacked(frame: AudioFrame) -> list[AudioFrame]:
    packed = frame.format.packed
    return av.AudioResampler(format=packed, layout=frame.layout, rate=frame.sample_rate).resample(frame)


def _packed(frame: AudioFrame, channels: int) -> NDArray[Any]:
    data: NDArray[Any] = frame.to_ndarray()
    return data.T if frame.format.is_planar else data.reshape(-1, channels)


def load_mono(
    path: Path, *, rate: int, seconds: int, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> NDArray[np.float32]:
    """The first ``seconds`` of the first audio stream, float32 in [-1, 1], shape (samples,).

    The mean of all channels, resampled to ``rate`` Hz by FFmpeg's swresample; one zero where that leaves no sample.

    Raises: MediaRefused: also for samples that are no finite numbers.
    """
    where = name or path.name
    parts: list[NDArray[np.float32]] = []
    came, held, wanted = 0, 0, rate * seconds
    with opened(path, limits=limits, name=name) as container:
        stream = _sound_of(container, where)
        resampler = av.AudioResampler(format="flt", layout=stream.codec_context.layout, rate=rate)
        for frame in chain(decoded(container, stream, limits, where), [None]):
            came += frame.samples if frame is not None else 0
            for part in resampler.resample(frame):
                parts.append(_packed(part, part.layout.nb_channels).mean(axis=1, dtype=np.float32))
                held += part.samples
            if held >= wanted:
                break
    if not came:
        raise MediaEmpty(where, "the audio has no sample", "give audio with at least one sample")
    samples = np.concatenate(parts)[:wanted] if held else np.zeros(1, np.float32)
    _check_finite(samples, 0, rate, where)
    return samples


def _check_finite(samples: NDArray[np.float32], before: int, rate: int, where: str) -> None:
    """Floating-point files can hold infinities and non-numbers, which poison every sum they enter."""
    if np.isfinite(samples).all():
        return
    bad = np.flatnonzero(~np.isfinite(samples).reshape(len(samples), -1).all(axis=1))
    why = f"the sample at {round((before + int(bad[0])) * 1000 / rate):,} ms is no finite number"
    raise MediaUnreadable(where, why, "export it again, or as integer PCM")


def stream_floats(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, name: str | None = None
) -> Iterator[tuple[NDArray[np.float32], int, str]]:
    """Samples of the first audio stream frame by frame: float32 (samples, channels), rate in Hz, layout's name.

    Full scale is 1. Raises: MediaRefused: also for samples that are no finite numbers.
    """
    where = name or path.name
    before = 0
    with opened(path, limits=limits, name=name) as container:
        for frame in decoded(container, _sound_of(container, where), limits, where):
            encoding, samples = blocks(frame)
            floats = samples.astype(np.float64)
            if encoding == "i32":
                floats *= 2.0**-31
            with np.errstate(over="ignore"):
                narrow = floats.astype(np.float32)
            _check_finite(narrow, before, frame.sample_rate, where)
            before += len(narrow)
            yield narrow, frame.sample_rate, frame.layout.name


def _sound_of(container: InputContainer, where: str) -> AudioStream:
    stream = sound(container)
    if stream is None:
        raise MediaEmpty(where, "it holds no sound", "give a file with an audio stream")
    return stream
