"""How text is cut into words for the index, the same way for prompts and for queries."""

import re
import unicodedata

from drift.media.segments import stream_safe

# Scripts that are written without spaces: runs of them are cut into pairs, because a
# tokenizer that waits for spaces finds nothing inside a Japanese or Thai sentence.
_SPACELESS = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Kana, Han
    "\U00020000-\U0003ffff"
)
_PIECE = re.compile(f"[{_SPACELESS}]+|[^{_SPACELESS}]+")
_IS_SPACELESS = re.compile(f"[{_SPACELESS}]").match


def words(text: str) -> list[str]:
    """The words of a text: NFKC, case-folded; spaceless scripts as overlapping pairs of characters."""
    # Marks stay with their letter: "\\w" leaves Thai and Devanagari vowel signs out.
    folded = unicodedata.normalize("NFKC", stream_safe(text)).casefold()
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded)
    found: list[str] = []
    for run in kept.split():
        for piece in _PIECE.findall(run):
            found += _pairs(piece) if _IS_SPACELESS(piece) else [piece]
    return found


def indexed_words(text: str) -> list[str]:
    """What goes into the index: the words, and after each spaceless pair its second character alone.

    A query of one Han or Thai character can then be answered: it begins a pair, or it ends the text.
    """
    return [token for word in words(text) for token in (word, *(word[1:] if _is_pair(word) else ""))]


def match_expression(text: str) -> str | None:
    """An FTS5 expression that asks for every word of ``text``; None when there is no word in it."""
    found = words(text)
    asked = (f'"{word}"*' if len(word) == 1 and _IS_SPACELESS(word) else f'"{word}"' for word in found)
    return " ".join(asked) if found else None


def _is_pair(word: str) -> bool:
    return len(word) == 2 and bool(_IS_SPACELESS(word))


def _pairs(run: str) -> list[str]:
    return [run[n : n + 2] for n in range(len(run) - 1)] or [run]
