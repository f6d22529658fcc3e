"""Assertions on a transcript's words: empty, looping."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drift.assertions.finding import Finding
from drift.media.segments import Transcript, unspaced
from drift.normalising import unicode_1

_LONGEST = 60  # words (characters in scripts without spaces) of a phrase
_NEAR = 48  # repetitions spelled as one word
# Words of a phrase: how often it may stand in a row. Laughter, chants and refrains repeat short phrases.
_TIMES = ((1, 24), (3, 12), (_LONGEST, 8))
_TIMES_UNSPACED = ((2, 24), (5, 12), (_LONGEST, 8))
_REMARK = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*")
_NOTHING = frozenset({"blank audio", "silence", "no speech", "no audio", "inaudible"})


def check_words(transcript: Transcript) -> tuple[Finding, ...]:
    """Both findings of a transcript."""
    return check_empty(transcript), check_looping(transcript)


def check_empty(transcript: Transcript) -> Finding:
    """Whether no word was written down: ``[Music]`` is one, ``[BLANK_AUDIO]`` and the like say that there is none."""
    name = "transcript.empty/1"
    text = _REMARK.sub(lambda found: " " if unicode_1(found[0]) in _NOTHING else found[0], transcript.text)
    words = len(unicode_1(text).split())
    if words:
        return Finding(name, "ok", f"it has {words:,} {'word' if words == 1 else 'words'}", words, "words", 0, "below")
    return Finding(name, "failed", "the transcript holds no word", 0, "words", 0, "below")


def check_looping(transcript: Transcript) -> Finding:
    """Whether a phrase stands many times in a row: 24 times one word, 12 times two or three, 8 times more."""
    name = "transcript.looping/1"
    text = unicode_1(transcript.text)
    tight = unspaced(text)
    tokens: Sequence[str] = text.replace(" ", "") if tight else text.split()
    if not tokens:
        return Finding(name, "not-applicable", "the transcript holds no word")
    worst, phrase, times, most = 0.0, "", 1, 8
    previous = 0
    for upto, allowed in _TIMES_UNSPACED if tight else _TIMES:
        found, size, start = longest_row(tokens, previous + 1, upto)
        if found / allowed > worst:
            worst, times, most = found / allowed, found, allowed
            phrase = ("" if tight else " ").join(tokens[start : start + size])
        previous = upto
    long = max((_stutter(word) for word in tokens if len(word) > _NEAR), default=0) if not tight else 0
    if long >= _NEAR:
        why = f"the transcript loops: one word repeats its letters {long} times"
        return Finding(name, "failed", why, long, "times", _NEAR)
    if worst >= 1:
        shown = phrase if len(phrase) <= 60 else phrase[:59] + "…"
        why = f"the transcript loops: “{shown}” stands {times} times in a row"
        return Finding(name, "failed", why, times, "times", most)
    often = "once" if times == 1 else f"{times} times"
    return Finding(name, "ok", f"no phrase stands more than {often} in a row", times, "times", most)


def longest_row(tokens: Sequence[str], shortest: int, longest: int) -> tuple[int, int, int]:
    """The phrase of ``shortest`` to ``longest`` tokens that stands most often in a row.

    Returns:
        How often, the phrase's length, where it begins; (1, shortest, 0) where none is repeated. A phrase that is
        itself a repetition counts as the shorter one only.
    """
    numbers: dict[str, int] = {}
    ids = np.asarray([numbers.setdefault(token, len(numbers)) for token in tokens], np.int32)
    best = (1, shortest, 0)
    for size in range(shortest, min(longest, len(ids) // 2) + 1):
        same = ids[size:] == ids[:-size]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
        if not len(edges):
            continue
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        for at in np.argsort(-lengths, kind="stable")[:4]:
            times = int(lengths[at]) // size + 1
            begin = int(starts[at])
            if times > best[0] and not _composed(ids[begin : begin + size]):
                best = (times, size, begin)
    return best


def _composed(phrase: NDArray[np.int32]) -> bool:
    """Whether a phrase is a shorter one several times."""
    size = len(phrase)
    return any(size % part == 0 and bool((phrase[part:] == phrase[:-part]).all()) for part in range(1, size // 2 + 1))


def _stutter(word: str) -> int:
    """How often a few letters follow one another within a word, at most."""
    return max((len(found[0]) // len(found[1]) for found in re.finditer(r"(.{1,6}?)\1{23,}", word)), default=0)
