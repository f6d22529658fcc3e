"""The one shape every transcript is read into: timed, attributed segments."""

import re
import unicodedata
from dataclasses import dataclass

from drift.media.media import Fact


@dataclass(frozen=True, slots=True)
class Segment:
    """What one speaker said in one stretch of time; times are integer milliseconds, absent ones None."""

    text: str
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word with its own times in integer milliseconds, as a file lists it; its text may lack punctuation."""

    text: str
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as its file states it: nothing is guessed, so ``language`` is None unless written there.

    ``media_type`` is the form the file turned out to have. ``words`` are the timed words in reading order, empty where
    the file has none; the text is that of the segments alone.
    """

    media_type: str
    language: str | None
    segments: tuple[Segment, ...]
    words: tuple[TimedWord, ...] = ()

    @property
    def text(self) -> str:
        """All segments' text, one after another, separated by single spaces."""
        return " ".join(filter(None, (collapsed(segment.text) for segment in self.segments)))

    def facts(self) -> dict[str, Fact]:
        """The manifest's facts.

        ``words`` counts runs of characters between white space, also in scripts that have no spaces between words.
        ``speakers`` counts distinct labels and is None where no segment has one.
        """
        speakers = {segment.speaker for segment in self.segments if segment.speaker is not None}
        return {
            "kind": "transcript",
            "language": self.language,
            "segments": len(self.segments),
            "speakers": len(speakers) or None,
            "words": len(self.text.split()),
            "has_timestamps": any(segment.start_ms is not None for segment in self.segments),
        }


def collapsed(text: str) -> str:
    """``text`` in NFC with runs of white space as one space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


_MOST_MARKS = 1000
_JOINER = "\u034f"  # combining grapheme joiner: invisible, and no mark is sorted past it


def stream_safe(text: str) -> str:
    """``text`` with a joiner within each run of more than a thousand combining marks, else unchanged.

    Normalising sorts the marks of a run in quadratic time; nothing that anybody wrote has so many. As the Stream-Safe
    Text Process does (Unicode Standard Annex 15, section 13), with a wider bound.
    """
    if len(text) <= _MOST_MARKS or text.isascii():
        return text
    parts, start, run = [], 0, 0
    for at, character in enumerate(text):
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MOST_MARKS:
            parts += [text[start:at], _JOINER]
            start, run = at, 1
    return "".join([*parts, text[start:]])


# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han (and its extensions).
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def unspaced(text: str) -> bool:
    """Whether most letters belong to scripts written without spaces between words."""
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and 2 * len(_UNSPACED.findall(text)) > letters
