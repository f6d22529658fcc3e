"""What drift claims about speed: each row is ours and a peer's median, interleaved in one run on one core.

Run it alone: ``python benchmarks/bench_drift.py``.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads: one core, as the figures say

import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import imagehash
import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein
from skimage.metrics import structural_similarity

from drift.descriptor import describe
from drift.fingerprints.frames import marks_of, reduced
from drift.fingerprints.pdq import canonical_luma, pdq_dihedral, pdq_of_file
from drift.frame_alignment import aligned
from drift.media.video import frames, luma
from drift.metrics.cpwer import cpwer
from drift.metrics.cuts import cuts_along
from drift.metrics.flicker import both_flickers
from drift.metrics.motion import both_steps
from drift.metrics.ssim import ssim
from drift.metrics.wer import Wer
from drift.side import Side
from drift.significance.manifest import decide_manifest
from drift.significance.suite import Prompt, suite_gate
from drift.timelines import measure
from drift.word_edits import edits

Row = dict[str, object]


def interleaved(
    calls: Sequence[Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Median milliseconds of each call, the calls taking turns so that a busy machine slows all alike.

    For figures "on one core" give ``time.thread_time``: it does not count what other processes take away.
    """
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for call, spent in zip(calls, times, strict=True):
            start = clock()
            call()
            spent.append(clock() - start)
    return [statistics.median(spent) * 1000 for spent in times]


def row(figure: str, ours: float, peer: str, theirs: float | None, limit: str, ok: bool) -> Row:
    """One line of the table; ``ratio`` is how many times faster than the peer."""
    ratio = None if theirs is None else theirs / ours
    return {
        "figure": figure,
        "ours_ms": ours,
        "peer": peer,
        "peer_ms": theirs,
        "ratio": ratio,
        "limit": limit,
        "ok": ok,
    }


def texture(side: int, grain: int = 8) -> np.ndarray:
    """A textured RGB picture, uint8 (side, side, 3), the same everywhere; ``grain`` pixels between its details."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (side // grain, side // grain, 3), dtype=np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def wang(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM by its definition in float64: 11 x 11 Gaussian of sigma 1.5, windows inside the picture."""
    offsets = np.arange(11) - 5
    weights = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()

    def mean(a: np.ndarray) -> np.ndarray:
        return cv2.sepFilter2D(a, cv2.CV_64F, weights, weights)[5:-5, 5:-5]

    x, y = x.astype(np.float64), y.astype(np.float64)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def ssim_rows() -> list[Row]:
    """SSIM of two 1024 x 1024 pictures."""
    x = texture(1024)[..., 1]
    y = np.clip(x + np.random.default_rng(1).normal(0, 12, x.shape), 0, 255).astype(np.uint8)
    settings = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    ours, theirs = interleaved(
        [lambda: ssim(x, y), lambda: structural_similarity(x, y, **settings)], 15, time.thread_time
    )
    error = max(
        abs(ssim(a, b) - wang(a, b)) for a, b in ((x, y), (x, x // 2), (np.where(x > 128, 255, 0).astype(np.uint8), y))
    )
    return [
        row("SSIM 1024x1024", ours, "scikit-image, Gaussian", theirs, ">= 6x", theirs / ours >= 6),
        row(f"SSIM error {error:.1e}", ours, "float64 definition", None, "<= 1e-6", error <= 1e-6),
    ]


def pdq_rows() -> list[Row]:
    """The eight PDQ hashes of decoded pixels, and of a JPEG file."""
    rgb = texture(1024, grain=24)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jpg"
        Image.fromarray(rgb).save(path, quality=90)
        size = path.stat().st_size // 1000
        pixels, full, fast, peer = interleaved(
            [
                lambda: pdq_dihedral(canonical_luma(rgb)),
                lambda: pdq_of_file(path),
                lambda: pdq_of_file(path, fast=True),
                lambda: imagehash.phash(Image.open(path)),
            ],
            40,
            time.thread_time,
        )
    return [
        row("8 PDQ from 1024x1024 pixels", pixels, "limit alone", None, "<= 1 ms", pixels <= 1),
        row(
            f"8 PDQ of a {size} KB JPEG, {1000 / full:.0f}/s",
            full,
            "imagehash.phash",
            peer,
            ">= 250/s",
            1000 / full >= 250,
        ),
        row(f"the same, fast, {1000 / fast:.0f}/s", fast, "imagehash.phash", peer, ">= 600/s", 1000 / fast >= 600),
    ]


def video_rows() -> list[Row]:
    """Pairs of clips against decoding both, decoding against OpenCV, shifts, and memory of a long pair."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, width, height in (("720p", 1280, 720), ("1080p", 1920, 1080)):
            paths = [_clip(folder / f"{label}{crf}.mp4", crf, width, height) for crf in ("20", "30")]
            sides = [Side(path) for path in paths]
            ours, bare, luma_only, opencv = interleaved(
                [
                    lambda sides=sides: _measured(*sides),
                    lambda paths=paths: [_decode(path) for path in paths],
                    lambda path=paths[0]: _luma(path),
                    lambda path=paths[0]: _opencv(path),
                ],
                5,
            )
            share, gain = ours / bare, opencv / luma_only
            what = f"video pair {label}, {share:.2f}x decoding"
            found.append(row(what, ours, "decoding both", bare, "<= 1.35x", share <= 1.35))
            found.append(row(f"luma of {label}", luma_only, "OpenCV VideoCapture", opencv, ">= 2x", gain >= 2))
        found += [_shifts(), _peak(folder)]
    return found


def _measured(reference: Side, candidate: Side) -> None:
    """Everything that is measured of a pair: hashes, SSIM, alignment, flicker, cuts and motion."""
    found = measure(reference, candidate)
    both_flickers(found)
    cuts_along(found)
    both_steps(found)


def _decode(path: Path) -> None:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def _luma(path: Path) -> int:
    return sum(int(luma(frame)[0, 0]) for frame in frames(path))


def _opencv(path: Path) -> int:
    """OpenCV as it comes: several threads are its decoder's default as they are ours."""
    capture, total = cv2.VideoCapture(str(path)), 0
    while True:
        read, frame = capture.read()
        if not read:
            return total
        total += int(frame[0, 0, 0])


def _shifts() -> Row:
    """Every constant shift of -60 to 60 frames of a moving clip, found from marks."""
    base, small = texture(512), []
    for n in range(260):
        moved = np.roll(base, (-n, -2 * n), (0, 1))[:180, :320, 1]
        small.append(reduced(np.ascontiguousarray(moved)))
    whole = marks_of(np.stack(small))
    start, wrong = time.perf_counter(), 0
    for shift in range(-60, 61):
        ours, theirs = np.arange(max(0, -shift), 200), np.arange(max(0, shift), 200)
        wrong += aligned(whole.taken(ours), whole.taken(theirs)).offset != -shift
    spent = (time.perf_counter() - start) * 1000 / 121
    return row(f"shifts of -60...60 frames, {wrong} wrong", spent, "none", None, "0 wrong", wrong == 0)


# Linux hands a parent's peak down through getrusage; VmHWM is this process's own.
_PEAK = """
import sys
from pathlib import Path
from drift.media.media import Media
from drift.side import Side
from drift.timelines import measure
media = Media("video", "video/mp4", {"kind": "video", "fps": "30/1"})
found = measure(*(Side(Path(name), media=media) for name in sys.argv[1:]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(len(found.reference), peak.split()[1])
"""


def _peak(folder: Path) -> Row:
    """Peak memory of a 10-minute 1080p pair in a process of its own; one second encoded once, its packets repeated."""
    clips = [_long(folder / f"long{crf}.mp4", crf) for crf in ("30", "40")]
    start = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", _PEAK, *map(str, clips)], capture_output=True, check=True).stdout
    count, kilobytes = map(int, said.split())
    what = f"{count:,} frames of 1080p, {kilobytes / 1024:.0f} MB"
    spent = (time.perf_counter() - start) * 1000
    return row(what, spent, "none", None, "< 500 MB", count == 18_000 and kilobytes < 500 * 1024)


def _long(path: Path, crf: str, repeats: int = 600) -> Path:
    part = _clip(path.with_suffix(".part.mp4"), crf, 1920, 1080, count=30, rate=30, options={"bf": "0"})
    with av.open(str(part)) as source, av.open(str(path), "w") as out:
        from_stream = source.streams.video[0]
        stream = out.add_stream_from_template(from_stream)
        packets = [packet for packet in source.demux(from_stream) if packet.dts is not None]
        kept = [(bytes(packet), packet.pts, packet.dts, packet.duration, packet.is_keyframe) for packet in packets]
        for turn in range(repeats):
            later = turn * 30 * kept[0][3]
            for data, pts, dts, duration, key in kept:
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts + later, dts + later, duration, key
                packet.time_base, packet.stream = from_stream.time_base, stream
                out.mux(packet)
    return path


def _clip(
    path: Path,
    crf: str,
    width: int = 1280,
    height: int = 720,
    *,
    count: int = 100,
    rate: int = 25,
    options: dict[str, str] | None = None,
) -> Path:
    base = texture(width)[:height]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": crf, **(options or {})}
        for n in range(count):
            frame = av.VideoFrame.from_ndarray(np.roll(base, (3 * n, 5 * n), (0, 1)), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def transcript_rows() -> list[Row]:
    """Words of a 60,000-word pair, and speaker-attributed errors."""
    rng = np.random.default_rng(2)
    ours = [f"w{n}" for n in rng.integers(0, 5000, 60_000)]
    theirs = [word if rng.random() > 0.1 else "x" for word in ours]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("a.txt", "b.txt")]
        for path, words in zip(paths, (ours, theirs), strict=True):
            path.write_text(" ".join(words), encoding="utf-8")
        sides = [Side(path) for path in paths]
        mine, peer, metric = interleaved(
            [
                lambda: edits(ours, theirs),
                lambda: Levenshtein.opcodes(ours, theirs),
                lambda: Wer().compare(Side(paths[0], media=sides[0].media), Side(paths[1], media=sides[1].media)),
            ],
            3,
        )
        grown = _memory(lambda: Wer().compare(*sides))
    return [
        row("edits of 60,000 words", mine, "rapidfuzz opcodes", peer, "<= 1.5x", mine / peer <= 1.5),
        row("60,000-word pair: read, both WER", metric, "rapidfuzz opcodes", peer, "<= 1.5x", metric / peer <= 1.5),
        row(f"its memory {grown:.0f} MiB", metric, "limit alone", None, "< 64 MiB", grown < 64),
        *cpwer_rows(),
    ]


def _memory(call: Callable[[], object]) -> float:
    """Peak of what Python and NumPy allocate during a call, in MiB."""
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def cpwer_rows() -> list[Row]:
    """4 speakers of 4,000 words each, against meeteval where it is installed (it has no wheel)."""
    rng = np.random.default_rng(3)
    said = {f"r{n}": [f"w{w}" for w in rng.integers(0, 3000, 4_000)] for n in range(4)}
    heard = {f"c{name}": [word if rng.random() > 0.1 else "x" for word in words] for name, words in said.items()}
    figure, limit = "cpWER, 4 x 4,000 words", ">= 20x"
    try:
        peer = importlib.import_module("meeteval.wer").cp_word_error_rate
    except ImportError:
        (ours,) = interleaved([lambda: cpwer(said, heard)], 5)
        return [row(figure, ours, "meeteval is not installed", None, limit, ok=True)]
    texts = [{name: " ".join(words) for name, words in side.items()} for side in (said, heard)]
    ours, theirs = interleaved([lambda: cpwer(said, heard), lambda: peer(*texts)], 3)
    same = cpwer(said, heard).errors == peer(*texts).errors
    return [row(figure, ours, "meeteval", theirs, limit, same and theirs / ours >= 20)]


def sample_rows() -> list[Row]:
    """Describing a picture, and the two tests of samples at their full number of labelings."""
    chance = np.random.default_rng(2)
    picture = texture(1024)
    some = [describe(texture(256, 4 + n)) for n in range(5)]
    samples = [some[chance.integers(5)] for _ in range(32)]
    prompts = [Prompt(samples[:5], samples[5:7]) for _ in range(40)]
    (described,) = interleaved([lambda: describe(picture)], 15)
    (one,) = interleaved([lambda: decide_manifest(samples[:20], samples[20:], seed=1)], 3)
    (suite,) = interleaved([lambda: suite_gate(prompts, seed=1)], 3)
    return [
        row("describe a 1024 x 1024 picture", described, "", None, "<= 20 ms", described <= 20),
        row("one manifest, m 20, n 12, 9,999 labelings", one, "", None, "told", ok=True),
        row("suite gate, 40 prompts, 9,999 labelings", suite, "", None, "told", ok=True),
    ]


def rows() -> list[Row]:
    """Every figure of this floor; OpenCV on one thread meanwhile."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return [*ssim_rows(), *pdq_rows(), *video_rows(), *transcript_rows(), *sample_rows()]
    finally:
        cv2.setNumThreads(before)


def main() -> int:
    """Print the table (``--json`` for rows); exit 1 when a limit is missed."""
    found = rows()
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))
    else:
        for line in found:
            peer = "" if line["peer_ms"] is None else f"{line['peer_ms']:9.2f} ms {line['ratio']:5.1f}x"
            mark = "ok  " if line["ok"] else "MISS"
            print(f"{mark} {line['figure']:38} {line['ours_ms']:9.2f} ms  {line['peer']:24} {peer:20} {line['limit']}")
    return 0 if all(line["ok"] for line in found) else 1


if __name__ == "__main__":
    sys.exit(main())
