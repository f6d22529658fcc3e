"""VMAF of two aligned videos by libvmaf, from the FFmpeg program of the extra ``mintmark[vmaf]``.

Frames are decoded, checked and aligned here as for every other video metric; the program gets raw pictures through a
pipe and reads no file. Li, Aaron, Katsavounidis, Moorthy and Manohara 2016; model vmaf_v0.6.1, which libvmaf contains.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from threading import Thread, Timer
from typing import IO

import numpy as np
from numpy.typing import NDArray

from drift.media.video import as_shown, luma, picked
from drift.resampling import resized_to
from drift.score import Score
from drift.side import Side
from drift.timelines import timelines

MODEL = "vmaf_v0.6.1"
_PACKAGE, _EXTRA = "imageio-ffmpeg", "python3 -m pip --python .venv/bin/python install 'mintmark[vmaf]'"
_NAMES = ("vmaf/1", "vmaf.p05/1")
_STARTING_S, _PER_MEGAPIXEL_S = 60.0, 1.0  # how long the program may take: to start, and for each frame
_SMALLEST = 20  # pixels; libvmaf 3 ends without a word at 16
_LOG = "vmaf.json"


class VmafFailed(Exception):
    """The program gave no scores; the message is the reason a reader gets. Never leaves this module."""


@cache
def program() -> str | None:
    """The path of the extra's FFmpeg where it is installed and contains libvmaf, else None."""
    try:
        metadata.version(_PACKAGE)
        path = str(import_module("imageio_ffmpeg").get_ffmpeg_exe())
        filters = subprocess.run([path, "-hide_banner", "-filters"], capture_output=True, timeout=60, check=True)
    except (ImportError, metadata.PackageNotFoundError, RuntimeError, OSError, subprocess.SubprocessError):
        return None
    return path if b" libvmaf " in filters.stdout else None


class Vmaf:
    """Mean VMAF of all pairs of aligned frames, and its 5th percentile."""

    name = "vmaf"
    version = 1
    media = "video"
    unit = ""
    higher_is_better = True

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Measure luma; without the extra, or of clips that show different pictures, a reason."""
        path = program()
        if path is None:
            return self._absent(f"VMAF needs FFmpeg with libvmaf: {_EXTRA}")
        if min(_sides(reference)) < _SMALLEST:
            return self._absent(f"libvmaf measures pictures of at least {_SMALLEST} pixels on each side")
        if timelines(reference, candidate).alignment.different is not None:
            return self._absent("the clips show different pictures, which cannot be aligned")
        try:
            values = vmaf(path, reference, candidate)
        except VmafFailed as error:
            return self._absent(str(error))
        numbers = float(values.mean()), float(np.percentile(values, 5))
        return tuple(Score(name, n, self.unit, higher_is_better=True) for name, n in zip(_NAMES, numbers, strict=True))

    def _absent(self, why: str) -> tuple[Score, ...]:
        return tuple(Score(name, None, self.unit, why, higher_is_better=True) for name in _NAMES)


def _sides(video: Side) -> list[int]:
    return [size for name in ("width", "height") if isinstance(size := video.media.facts[name], int)]


def vmaf(path: str, reference: Side, candidate: Side) -> NDArray[np.float64]:
    """VMAF of each pair of aligned frames, float64, shape (pairs,), 0 to 100.

    Args:
        path: an FFmpeg with libvmaf.
        reference: a video.
        candidate: another, resampled to the reference's size where it differs.

    Raises: VmafFailed, MediaRefused.
    """
    pairs = _pairs(reference, candidate)
    first = next(pairs)
    height, width = first[0].shape
    count = len(timelines(reference, candidate).path.ours)
    seconds = _STARTING_S + count * max(1.0, height * width / 1e6) * _PER_MEGAPIXEL_S
    with tempfile.TemporaryDirectory(prefix="mintmark-vmaf-") as folder:
        with subprocess.Popen(
            [path, *_arguments(width, height)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as running:
            said: list[bytes] = []
            assert running.stdin is not None and running.stderr is not None
            reader = Thread(target=_drain, args=(running.stderr, said), daemon=True)
            limit = Timer(seconds, running.kill)
            reader.start()
            limit.start()
            try:
                _feed(running.stdin, first, pairs)
                code = running.wait()
            finally:
                overdue = not limit.is_alive()
                limit.cancel()
                running.kill()
                reader.join()
        if overdue:
            raise VmafFailed(f"libvmaf did not finish within {seconds:,.0f} s")
        if code:
            raise VmafFailed(f"libvmaf failed: {_last_line(b''.join(said))}")
        return _read(Path(folder) / _LOG)


def _arguments(width: int, height: int) -> list[str]:
    """Both pictures arrive in one frame, the reference above; they are cut apart again by the filter."""
    half = height + height % 2
    cut = f"crop={width}:{height}:0:%d:exact=1"
    graph = (
        f"[0:v]split[a][b];[a]{cut % 0}[reference];[b]{cut % half}[candidate];"
        f"[candidate][reference]libvmaf=model=version={MODEL}:log_fmt=json:log_path={_LOG}:n_threads=2"
    )
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{2 * half}", "-framerate", "25"]
    return [
        *("-hide_banner", "-nostats", "-v", "error", "-protocol_whitelist", "pipe,file"),
        *(*source, "-i", "pipe:0", "-filter_complex", graph, "-f", "null", "-"),
    ]


def _pairs(reference: Side, candidate: Side) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """The luma of each pair of aligned frames, at the reference's size."""
    path = timelines(reference, candidate).path
    ours = picked(reference.path, path.ours.tolist(), limits=reference.limits)
    theirs = picked(candidate.path, path.theirs.tolist(), limits=candidate.limits)
    shape: tuple[int, ...] = ()
    for mine, other in zip(ours, theirs, strict=True):
        upright = as_shown(luma(mine), mine)
        shape = shape or upright.shape
        picture, _ = resized_to(upright, shape)  # a stream may change its size midway
        against, _ = resized_to(as_shown(luma(other), other), shape)
        yield picture, against


def _feed(
    pipe: IO[bytes],
    first: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    rest: Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> None:
    height, width = first[0].shape
    half = height + height % 2
    stacked = np.zeros((2 * half, width), np.uint8)
    colourless = bytes([128]) * (half * -(-width // 2) * 2)
    try:
        for ours, theirs in _with(first, rest):
            stacked[:height], stacked[half : half + height] = ours, theirs
            pipe.write(stacked.data)
            pipe.write(colourless)
        pipe.close()
    except OSError:  # the program ended early: its exit status and last words say why
        return


def _with(
    first: tuple[NDArray[np.uint8], NDArray[np.uint8]], rest: Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    yield first
    yield from rest


def _drain(pipe: IO[bytes], said: list[bytes]) -> None:
    """Keep the last few kilobytes of what the program says; a full pipe would stop it."""
    while part := pipe.read1(4096):  # type: ignore[attr-defined]  # a buffered reader
        said.append(part)
        del said[:-4]


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no reason given"


def _read(log: Path) -> NDArray[np.float64]:
    try:
        frames = json.loads(log.read_text())["frames"]
        values = np.asarray([frame["metrics"]["vmaf"] for frame in frames], np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VmafFailed(f"libvmaf left no readable scores ({type(error).__name__})") from None
    if not len(values) or not np.isfinite(values).all():
        raise VmafFailed("libvmaf left no scores")
    return values
