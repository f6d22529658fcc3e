"""Small pictures of what drifted, for a run's page: the recorded output beside its replay, few and bounded in bytes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drift.compare import compare
from drift.errors import MintmarkError
from drift.media.image import load_rgb
from drift.media.limits import Limits
from drift.media.video import picked
from drift.metrics.logmel import mel_pictures
from drift.report.audio import mel_picture
from drift.report.picture import data_uri
from drift.report.transcript import word_spans
from drift.side import Side
from drift.word_edits import Edits
from registry.canonical import JSON
from registry.home import Registry
from replay.preparing import output_files
from replay.report.html import Picture

MOST_MANIFESTS: Final = 24
MOST_BYTES: Final = 4_000_000  # of all pictures of a page together
_SIDE: Final = 320  # pixels of a longer side
_WORDS: Final = 80
_LISTENED: Final = 30 * 16_000  # samples of sound that are drawn


class Shown:
    """Draws the first output of each drifted manifest and of its last replay that drifted, while there is room."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry in which the outputs lie."""
        self._registry = registry
        self._manifests, self._bytes = MOST_MANIFESTS, MOST_BYTES

    def __call__(self, manifest: JSON) -> Sequence[Picture]:
        """Pictures of a manifest of a result; nothing where there is no room, no replay, or no bytes any more."""
        if self._manifests <= 0 or self._bytes <= 0:
            return ()
        try:
            found = self._drawn(manifest)
        except (MintmarkError, OSError):  # erased, damaged or gone: the numbers are still told
            return ()
        size = sum(len(one.uri or "") for one in found)
        if not found or size > self._bytes:
            return ()
        self._manifests, self._bytes = self._manifests - 1, self._bytes - size
        return found

    def _drawn(self, manifest: JSON) -> Sequence[Picture]:
        made = [one for one in manifest["replays"] if one["generation"]]
        odd = [one for one in made if any(verdict["kind"] == "drifted" for verdict in one["verdicts"])] or made
        if not odd:
            return ()
        catalog, limits = self._registry.catalog, self._registry.settings.limits
        made_last = odd[-1]["generation"]
        ids = (catalog.manifest(made_last).replay_of or manifest["id"], made_last)  # what it was held against
        original, replayed = (output_files(self._registry, one, catalog.manifest(one))[0] for one in ids)
        return _BY_KIND[manifest["media"][0]](original, replayed, limits)


def _images(original: Path, replayed: Path, limits: Limits) -> Sequence[Picture]:
    return _pair(load_rgb(original, limits=limits), load_rgb(replayed, limits=limits), "")


def _films(original: Path, replayed: Path, limits: Limits) -> Sequence[Picture]:
    return _pair(_first_frame(original, limits), _first_frame(replayed, limits), ", first frame")


def _first_frame(path: Path, limits: Limits) -> NDArray[np.uint8]:
    frame = next(iter(picked(path, [0], limits=limits)))
    rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return np.ascontiguousarray(np.rot90(rgb, frame.rotation // 90 if frame.rotation % 90 == 0 else 0))


def _sounds(original: Path, replayed: Path, limits: Limits) -> Sequence[Picture]:
    ours, theirs = (Side(path, limits=limits).sound[:_LISTENED] for path in (original, replayed))
    found = mel_pictures(ours, theirs)
    return _pair(mel_picture(found.reference), mel_picture(found.candidate), ", loudness of each tone over time")


def _texts(original: Path, replayed: Path, limits: Limits) -> Sequence[Picture]:
    comparison = compare(original, replayed, metrics=["wer", "cer"], limits=limits)
    by_words = comparison.details.get("wer.raw/1")
    found = by_words or comparison.details.get("cer.raw/1")
    if not isinstance(found, Edits):
        return ()
    pieces: list[tuple[str, str]] = []
    count = 0
    for span in word_spans(found, glue=" " if by_words else ""):
        if span.kind not in {"same", "gone", "new"}:
            continue
        words = span.text.split()
        words = words[-8:] if not pieces and span.kind == "same" else words[: _WORDS - count]
        pieces.append((span.kind, " ".join(words)))
        count += len(words)
        if count >= _WORDS:
            pieces.append(("same", "…"))
            break
    return [Picture("words, from the first change on", words=pieces)] if pieces else ()


def _pair(original: NDArray[np.uint8], replayed: NDArray[np.uint8], what: str) -> Sequence[Picture]:
    return [
        Picture(f"recorded output{what}", data_uri(original, most=_SIDE)),
        Picture(f"replay{what}", data_uri(replayed, most=_SIDE)),
    ]


_BY_KIND: Final[dict[str, Callable[[Path, Path, Limits], Sequence[Picture]]]] = {
    "image": _images,
    "video": _films,
    "audio": _sounds,
    "transcript": _texts,
}
