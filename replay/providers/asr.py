"""PocketSphinx: English speech to text with word times, on this machine (extra ``asr``).

A decoder carries what it heard before into the next utterance, so each call gets a fresh one: the same file then gives
the same bytes. Decoding is by ``en-us``, the model that the package carries.
"""

import functools
import hashlib
import importlib.metadata
import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from drift.errors import MediaRefused
from drift.media.audio import decoded
from drift.media.container import opened, sound
from drift.media.limits import DEFAULT_LIMITS
from registry.canonical import JSON, canonical
from replay.provider import Call, CallInput, Output
from replay.providers.body import Body
from replay.providers.local import LocalEngine, Made, Refusal

RATE: Final = 16000
"""Sample rate of the acoustic model, Hz."""

FRAMES_A_SECOND: Final = 100
CHANNEL_MIXES: Final = ("mean", "first")
"""All channels averaged, or the first one alone."""

_PAUSE_S: Final = 0.5
"""A silence from this length on ends a segment."""

_NAME: Final = "en-us"
_SHORTEST: Final = RATE // 10


class PocketSphinx(LocalEngine):
    """Transcribes one input of role ``audio``; the body holds the model and how the sound is prepared."""

    def make(self, call: Call) -> Made:
        """Write ``transcript.json``: text, language, segments and words, times in seconds."""
        body = Body(call.body)
        model = body.text("model", longest=128)
        body.choice("sample_rate", RATE, (RATE,))
        mix = str(body.choice("channel_mix", "mean", CHANNEL_MIXES))
        body.end()
        served = _served(model)
        if len(call.inputs) != 1 or call.inputs[0].role != "audio":
            raise Refusal("inputs: expected one file of role 'audio'")
        samples = _decode(call.inputs[0], mix)
        path = call.workdir / "transcript.json"
        path.write_bytes(canonical(_transcript(_recognise(samples))))
        return Made((Output("transcript", "application/json", path),), served)

    def engine(self) -> Mapping[str, JSON]:
        """Name, library version, and the SHA-256 of each model file."""
        return {
            "name": "pocketsphinx",
            "libraries": {"pocketsphinx": _version(), "av": av.__version__, "numpy": np.__version__},
            "model_files": dict(_model_files()),
        }


def model_digest() -> str:
    """The model files as one digest: SHA-256 over the lines ``<sha256> <name>``, in hex; the ``hash`` pin holds it."""
    lines = "".join(f"{digest['sha256']} {name}\n" for name, digest in sorted(_model_files().items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _served(model: str) -> str:
    build, content = f"{_NAME}@{_version()}", f"{_NAME}@sha256:{model_digest()}"
    if model not in (_NAME, build, content):
        raise Refusal(f"model: expected {build} or {content}, or {_NAME} for what is installed, not {model!r}")
    return build if model == _NAME else model


@functools.cache
def _version() -> str:
    return importlib.metadata.version("pocketsphinx")


@functools.cache
def _model_files() -> dict[str, dict[str, str]]:
    """Digest of each file of acoustic model, language model and dictionary; read once, 35 MB."""
    root = Path(pocketsphinx.get_model_path()) / _NAME
    used = [root / "cmudict-en-us.dict", root / "en-us.lm.bin", *sorted((root / _NAME).iterdir())]
    digests = {}
    for path in used:
        with path.open("rb") as file:
            digests[str(path.relative_to(root))] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    return digests


def _decode(source: CallInput, mix: str) -> NDArray[np.int16]:
    """The first audio stream at 16 kHz as int16, its channels brought down to one."""
    pieces: list[NDArray[np.int16]] = []
    where = source.path.name
    try:
        with opened(source.path) as container:
            stream = sound(container)
            if stream is None:
                raise Refusal("audio: the file has no sound in it")
            # Packed: PyAV reads wild memory of planar frames with eight channels and more.
            resampler = av.AudioResampler("s16", "mono" if mix == "mean" else None, RATE)
            for frame in chain(decoded(container, stream, DEFAULT_LIMITS, where), (None,)):
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().reshape(-1, piece.layout.nb_channels)[:, 0].astype(np.int16))
    except MediaRefused as refusal:
        raise Refusal(f"audio: {refusal.why}; {refusal.remedy}") from None
    if sum(map(len, pieces)) < _SHORTEST:
        raise Refusal("audio: shorter than a tenth of a second")
    return np.concatenate(pieces)


def _recognise(samples: NDArray[np.int16]) -> list[Any]:
    """Segments of the best path: word, start_frame, end_frame, a hundredth of a second each, end included."""
    if not samples.any():  # out of nothing but zeros the decoder makes words
        return []
    decoder = pocketsphinx.Decoder(samprate=float(RATE), logfn=os.devnull)
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    return list(decoder.seg() or [])


def _transcript(found: list[Any]) -> dict[str, JSON]:
    words: list[dict[str, JSON]] = []
    for segment in found:
        # Fillers (<s>, <sil>, [NOISE]) are no words; a variant of pronunciation is written word(2).
        if segment.word[0] in "<[":
            continue
        start, end = segment.start_frame / FRAMES_A_SECOND, (segment.end_frame + 1) / FRAMES_A_SECOND
        words.append({"word": segment.word.split("(")[0], "start": start, "end": end})
    return {
        "language": "en",
        "segments": _segments(words),
        "text": " ".join(str(word["word"]) for word in words),
        "words": words,
    }


def _segments(words: list[dict[str, JSON]]) -> list[dict[str, JSON]]:
    """Words between two pauses."""
    segments: list[dict[str, JSON]] = []
    for word in words:
        if segments and word["start"] - segments[-1]["end"] < _PAUSE_S:
            segments[-1]["text"] += f" {word['word']}"
            segments[-1]["end"] = word["end"]
        else:
            segments.append({"start": word["start"], "end": word["end"], "text": word["word"]})
    return segments
