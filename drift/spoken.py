"""A transcript word by word, normalised, with what its file tells of each word: speaker, times, its written form."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise

from drift.media.segments import Segment, Transcript, collapsed, unspaced
from drift.normalising import Normaliser, bare, normaliser_for, without_apostrophes
from drift.pairwise import once_per_pair
from drift.side import Side
from drift.word_edits import Edits, check_alignable, edits

_READ_ALOUD = frozenset("&%@#*/\\_")  # punctuation to Unicode, words to a reader
_QUOTES = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a", "'"),
}
_Times = list[int | None]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Normalised words in reading order; the lists run parallel.

    Attributes:
        words: as the normaliser leaves them; single characters for scripts without spaces.
        runs: number of the run between white space that a word is from; one run may be several words, or none.
        cased: the word's letters as written.
        marks: one entry more than words: the punctuation before each word, and after the last.
        speakers: labels, None where a segment has none.
        starts: milliseconds, where ``timed_by`` tells them: of every "words", or of the first word of "segments".
        ends: like ``starts``, of the last word of a segment.
        timed_by: "words", "segments", or None without any time.
        backward: how many words or segments end before they start; their times are left out.
        early: how many start before the one before them; their order and times stay.
    """

    words: list[str]
    runs: list[int]
    cased: list[str]
    marks: list[str]
    speakers: list[str | None]
    starts: _Times
    ends: _Times
    timed_by: str | None
    backward: int
    early: int


@dataclass(frozen=True, slots=True)
class SpokenPair:
    """Two transcripts word by word, or character by character for scripts without spaces, and their alignment."""

    reference: Spoken
    candidate: Spoken
    edits: Edits
    normaliser: str
    by_characters: bool

    @property
    def unit(self) -> str:
        """What was aligned: "words" or "characters"."""
        return "characters" if self.by_characters else "words"


@once_per_pair
def spoken_pair(reference: Side, candidate: Side) -> SpokenPair:
    """Normalise and align two transcripts. Raises: TooLongToAlign, MediaRefused."""
    ours, theirs = reference.transcript, candidate.transcript
    normaliser = normaliser_for(ours, theirs)
    by_characters = unspaced(ours.text) or unspaced(theirs.text)
    check_alignable(*(len(side.text if by_characters else side.text.split()) for side in (ours, theirs)))
    first, second = (spoken(side, normaliser, by_characters=by_characters) for side in (ours, theirs))
    return SpokenPair(first, second, edits(first.words, second.words), normaliser.name, by_characters)


def spoken(transcript: Transcript, normaliser: Normaliser, *, by_characters: bool = False) -> Spoken:
    """Take a transcript apart."""
    forms = _forms(normaliser, by_characters)
    words: list[str] = []
    runs: list[int] = []
    cased: list[str] = []
    marks = [""]
    speakers: list[str | None] = []
    spans: list[tuple[int, int]] = []
    run = 0
    for segment in transcript.segments:
        first = len(words)
        for token in collapsed(segment.text).split():
            form = forms(token)
            words += form.words
            runs += [run] * len(form.words)
            cased += form.cased
            marks[-1] += form.marks[0]
            marks += form.marks[1:]
            run += 1
        speakers += [segment.speaker] * (len(words) - first)
        spans.append((first, len(words)))
    timed = _by_words(transcript, forms, words) if transcript.words else _by_segments(transcript.segments, spans)
    starts, ends = _laid_out(timed, len(words))
    by = "words" if transcript.words else "segments" if any(at is not None for at in starts + ends) else None
    backward = sum(_backward(start, end) for _, _, start, end in timed)
    begun = [start for _, _, start, _ in timed if start is not None]
    early = sum(after < before for before, after in pairwise(begun))
    return Spoken(words, runs, cased, marks, speakers, starts, ends, by, backward, early)


@dataclass(frozen=True, slots=True)
class _Form:
    """A run between white space: its words, their letters as written, the marks before, between and after them."""

    words: list[str]
    cased: list[str]
    marks: list[str]


def _forms(normaliser: Normaliser, by_characters: bool) -> Callable[[str], _Form]:
    @cache
    def form(token: str) -> _Form:
        words = normaliser.apply(token).split()
        written, marks = _written(token)
        if written and not words:  # a hesitation; its punctuation goes with it
            return _Form([], [], [""])
        if by_characters:
            after = zip(written, marks[1:], strict=True)
            marks = [marks[0], *(mark for word, last in after for mark in [*[""] * (len(word) - 1), last])]
            words, written = [*"".join(words)], [*"".join(written)]
        if len(words) != len(written):  # spelled out: "can't" is two words, written as one
            written = ["".join(written), *[""] * (len(words) - 1)][: len(words)]
            marks = [marks[0], *[""] * (len(words) - 1), marks[-1]] if words else ["".join(marks)]
        return _Form(words, ["".join(filter(str.isalpha, word)) for word in written], marks)

    return form


def _written(token: str) -> tuple[list[str], list[str]]:
    """Words of a run with their case, and one mark more: what stands before each and after the last."""
    text = without_apostrophes(unicodedata.normalize("NFKC", token))
    words: list[str] = []
    marks = [""]
    for kept, group in groupby(text, key=lambda character: bool(bare(character))):
        piece = "".join(group)
        if kept:
            words.append(piece)
            marks.append("")
        else:
            marks[-1] += _one_form(piece)
    return words, marks


def _one_form(piece: str) -> str:
    """The punctuation in a piece; all quotes of a kind, all dashes and all runs of dots are written alike."""
    marks = ""
    for character in piece:
        category = unicodedata.category(character)
        if category == "Pd":
            marks += "-"
        elif category[0] == "P" and character not in _READ_ALOUD:
            marks += _QUOTES.get(character, character)
    return re.sub(r"\.{2,}", "\u2026", marks)


_Timed = tuple[int, int, int | None, int | None]  # first word, one after the last, start, end


def _by_words(transcript: Transcript, forms: Callable[[str], _Form], words: Sequence[str]) -> list[_Timed]:
    """Timed words laid over the text's: a list may spell, split or leave out what the text does not."""
    listed: list[str] = []
    spans: list[tuple[int, int, int | None, int | None]] = []
    for word in transcript.words:
        first = len(listed)
        for token in collapsed(word.text).split():
            listed += forms(token).words
        spans.append((first, len(listed), word.start_ms, word.end_ms))
    if listed == words:
        return [span for span in spans if span[1] > span[0]]
    at = dict(edits(listed, words).matches())
    timed: list[_Timed] = []
    for first, last, start, end in spans:
        if last > first and (first in at or last - 1 in at):
            begins, stops = at.get(first), at.get(last - 1)
            timed.append(
                (
                    begins if begins is not None else -1,
                    stops + 1 if stops is not None else -1,
                    start,
                    end,
                )
            )
    return timed


def _by_segments(segments: Sequence[Segment], spans: Sequence[tuple[int, int]]) -> list[_Timed]:
    """Segments with their words; of neighbours with the same times (voices in one cue) the outer ends count."""
    timed: list[_Timed] = []
    for segment, (first, last) in zip(segments, spans, strict=True):
        start, end = segment.start_ms, segment.end_ms
        if last == first or (start is None and end is None):
            continue
        if timed and timed[-1][2:] == (start, end) and start is not None and timed[-1][1] == first:
            timed[-1] = (timed[-1][0], last, start, end)
        else:
            timed.append((first, last, start, end))
    return timed


def _backward(start: int | None, end: int | None) -> bool:
    return start is not None and end is not None and end < start


def _laid_out(timed: Sequence[_Timed], count: int) -> tuple[_Times, _Times]:
    starts: _Times = [None] * count
    ends: _Times = [None] * count
    for first, last, start, end in timed:
        if _backward(start, end):
            continue
        if first >= 0:
            starts[first] = start
        if last > 0:
            ends[last - 1] = end
    return starts, ends
