"""The digest of what a file decodes to: the same pixels, samples or words have one digest in every container."""

import json
from pathlib import Path

import numpy as np
from blake3 import blake3

from drift.media import audio, avif, container, video
from drift.media.image import canonical_frames
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.media.probe import probe
from drift.media.segments import Transcript, collapsed
from drift.media.transcript import read_transcript


def content_digest(path: Path, media: Media | None = None, *, limits: Limits = DEFAULT_LIMITS) -> str:
    """``blake3:<64 hex digits>`` of decoded content; docs/formats/metrics.md specifies the hashed bytes.

    A change of container, metadata or lossless encoding keeps it; a change of any pixel, sample, word, speaker or time
    changes it. Frames stream through: memory does not grow with duration. ``media`` spares the probe.

    Raises: MediaRefused.
    """
    media = media or probe(path, limits=limits)
    kind = media.kind
    state = blake3()
    if kind == "image":
        _image(path, state, limits)
        if str(media.facts["mode"]).endswith((";10", ";12")):
            _coded(path, state, limits)
    elif kind == "transcript":
        state.update(transcript_bytes(read_transcript(path, limits=limits)))
    else:
        if kind == "video":
            _video(path, state, limits)
        _audio(path, state, limits)
    return f"blake3:{state.hexdigest()}"


def _image(path: Path, state: blake3, limits: Limits) -> None:
    for frame, low, duration in canonical_frames(path, limits=limits):
        depth = "" if low is None else ";16"
        state.update(f"image {frame.mode}{depth} {frame.width}x{frame.height} {duration}ms\n".encode())
        state.update(frame.tobytes())
        if low is not None:
            state.update(f"low {low.mode}\n".encode())
            state.update(low.tobytes())


def _coded(path: Path, state: blake3, limits: Limits) -> None:
    """Two AVIF pictures that differ in their low bits alone must not have one digest."""
    for pixel_format, width, height, planes in avif.deep_planes(path, limits=limits):
        state.update(f"coded {pixel_format} {width}x{height}\n".encode())
        for plane in planes:
            state.update(np.ascontiguousarray(plane).data)


def _video(path: Path, state: blake3, limits: Limits) -> None:
    with container.opened(path, limits=limits) as opened:
        stream = container.picture(opened)
        if stream is None:
            return
        rate = video.frame_rate(stream)
        state.update(f"video {'unknown' if rate is None else format(float(rate), '.2f')}\n".encode())
        for frame in video.decoded(opened, stream, limits, path.name):
            pixel_format, planes = video.planes(frame)
            state.update(f"frame {pixel_format} {frame.width}x{frame.height}\n".encode())
            for plane in planes:
                state.update(np.ascontiguousarray(plane).data)


def _audio(path: Path, state: blake3, limits: Limits) -> None:
    with container.opened(path, limits=limits) as opened:
        stream = container.sound(opened)
        if stream is None:
            return
        described = ""
        for frame in audio.decoded(opened, stream, limits, path.name):
            encoding, samples = audio.blocks(frame)
            header = f"audio {frame.sample_rate} {samples.shape[1]} {encoding}\n"
            if header != described:  # once, and again only where the stream itself changes
                state.update(header.encode())
                described = header
            state.update(np.ascontiguousarray(samples).view(np.uint8).data)


def transcript_bytes(transcript: Transcript) -> bytes:
    """The bytes a transcript's content digest is taken of: JSON lines of text, speaker, start and end.

    Text is NFC with white space collapsed; a speaker is its order of first appearance, so renaming all is no change.
    """
    order: dict[str, int] = {}
    lines = []
    for segment in transcript.segments:
        speaker = None if segment.speaker is None else order.setdefault(segment.speaker, len(order))
        fields = [collapsed(segment.text), speaker, segment.start_ms, segment.end_ms]
        lines.append(json.dumps(fields, ensure_ascii=False, separators=(",", ":")))
    return ("transcript\n" + "\n".join(lines)).encode()
