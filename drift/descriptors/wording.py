"""A transcript as a sample ``mm-text-1``: its words, and forty numbers on how it is written."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from drift.media.segments import unspaced

SIZE = 40  # 13 rates and 27 shares of letters
DECILES = 10  # of a transcript, in which inserted words are counted
_MARKS = ",.?!'"
_LETTERS = 27
_FILLERS = frozenset({"um", "uh", "uhm", "erm", "hm", "äh", "ähm", "euh"})
_PLAIN = str.maketrans({"\u2019": "'", "\u3002": ".", "\u3001": ",", "\uff0c": ",", "\uff1f": "?", "\uff01": "!"})

Apart = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """One transcript as tests of samples take it.

    Attributes:
        raw: what stands between white space, as written; single characters in scripts without spaces.
        words: the same case folded, without any sign but the apostrophe.
        rates: float32, shape (40,); see ``describe_text``.
    """

    version: ClassVar[str] = "mm-text-1"  # rises whenever any number changes

    raw: tuple[str, ...]
    words: tuple[str, ...]
    rates: NDArray[np.float32]


def describe_text(text: str) -> Wording:
    """Describe a transcript's text.

    The forty numbers are square roots, so that rare and frequent things vary alike. Thirteen rates, per hundred raw
    words: comma, full stop, question mark, exclamation mark, apostrophe; words with a capital, hesitations; then words
    in all / 5 and their mean length x 10; words in -ed, in -ing, of digits; different words per hundred. Then the
    shares of 27 classes of letters x 25: a...z and the rest; other letters fall into the same classes by code point.
    """
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    raw, words = _split(plain)
    hundredth = max(len(raw), 1) / 100
    lengths = [len(word) for word in words] or [0]
    rates = [plain.count(mark) / hundredth for mark in _MARKS]
    rates += [
        sum(word[:1].isupper() for word in raw) / hundredth,
        sum(word in _FILLERS for word in words) / hundredth,
        len(words) / 5,
        10 * sum(lengths) / len(lengths),
        sum(word.endswith("ed") for word in words) / hundredth,
        sum(word.endswith("ing") for word in words) / hundredth,
        sum(word.isdigit() for word in words) / hundredth,
        100 * len(set(words)) / max(len(words), 1),
    ]
    letters = np.sqrt(_letters(words)) * 5
    return Wording(raw, words, np.concatenate([np.sqrt(rates), letters]).astype(np.float32))


def _split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    folded = "".join(c if _counts(c) else " " for c in text.casefold())
    if unspaced(text):
        return tuple(re.sub(r"\s", "", text)), tuple(folded.replace(" ", ""))
    return tuple(text.split()), tuple(folded.split())


def _counts(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"


def _letters(words: Sequence[str]) -> NDArray[np.float64]:
    counts = np.zeros(_LETTERS)
    for character in "".join(words):
        counts[(ord(character) - ord("a")) % _LETTERS if character.isalpha() else _LETTERS - 1] += 1
    return counts / max(float(counts.sum()), 1)


def edit_distances(sequences: Sequence[Sequence[str]]) -> Apart:
    """Word edit distances of all pairs over the longer one's length, in [0, 1], shape (samples, samples)."""
    numbers: dict[str, int] = {}
    coded = [[numbers.setdefault(word, len(numbers)) for word in words] for words in sequences]
    apart = np.zeros((len(coded), len(coded)))
    for i, ours in enumerate(coded):
        for j in range(i):
            longer = max(len(ours), len(coded[j]), 1)
            apart[i, j] = apart[j, i] = Levenshtein.distance(ours, coded[j], score_hint=longer // 8) / longer
    return apart


def medoid(apart: Apart, sequences: Sequence[Sequence[str]]) -> int:
    """The sample nearest to all others; of equally near ones the first in the order of their words.

    It must not depend on the order of the samples, else those given first, the baseline, would be favoured.
    """
    sums = apart.sum(1)
    near = [int(index) for index in np.flatnonzero(sums <= sums.min() + 1e-9)]
    return min(near, key=lambda index: tuple(sequences[index]))


def not_reproduced(anchor: Sequence[str], sequences: Sequence[Sequence[str]]) -> Apart:
    """Which of the anchor's words each sample lacks, and where it says more than the anchor.

    Returns:
        Shape (samples, words of the anchor + 10): 1 where a word is replaced or deleted; then the square roots of how
        many words are inserted in each tenth of the anchor.
    """
    size = len(anchor)
    found = np.zeros((len(sequences), size + DECILES))
    for row, words in zip(found, sequences, strict=True):
        for step in Levenshtein.opcodes(anchor, words):
            if step.tag in {"replace", "delete"}:
                row[step.src_start : step.src_end] = 1
            if step.tag in {"replace", "insert"}:
                tenth = min(DECILES - 1, step.src_start * DECILES // max(size, 1))
                more = (step.dest_end - step.dest_start) - (step.src_end - step.src_start)
                row[size + tenth] += max(0, more)
    found[:, size:] = np.sqrt(found[:, size:])
    return found
