"""Text normalisers for error rates, each named and versioned: what must not count as an error.

English rules run only on transcripts that both say they are English, or one says and the other does not tell.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from drift.media.segments import Transcript

_SPELLED = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\bshan't\b"), "shall not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'m\b"), " am"),
)
_FILLERS = re.compile(r"\b(?:uh+|um+|hm+|mm+|mhm|uhm|er+m|ah+)\b")
_SIGNS = str.maketrans({"&": " and ", "%": " percent ", "@": " at "})


@dataclass(frozen=True, slots=True)
class Normaliser:
    """A rule set; ``name`` includes its version, which rises when any result changes."""

    name: str
    apply: Callable[[str], str]


class _Spaces(dict[int, int]):
    """For ``str.translate``: punctuation, symbols, separators and controls become spaces; filled as characters come."""

    def __missing__(self, character: int) -> int:
        kept = 32 if unicodedata.category(chr(character))[0] in "PSZC" else character
        self[character] = kept
        return kept


_SPACES = _Spaces()
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")


def unicode_1(text: str) -> str:
    """NFKC, case folded, punctuation and symbols become spaces, apostrophes within words vanish."""
    return bare(unicodedata.normalize("NFKC", text).casefold())


def bare(compatible: str) -> str:
    """What ``unicode_1`` does to a text in NFKC, except for the case: words alone, separated by single spaces."""
    return " ".join(unicodedata.normalize("NFKC", without_apostrophes(compatible)).translate(_SPACES).split())


def without_apostrophes(text: str) -> str:
    """``text`` without the apostrophes between word characters."""
    return _APOSTROPHE.sub("", text)


def english_1(text: str) -> str:
    """Contractions spelled out, hesitations dropped, ``& % @`` read aloud, then ``unicode_1``."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").translate(_SIGNS)
    for pattern, spelled in _SPELLED:
        folded = pattern.sub(spelled, folded)
    return unicode_1(_FILLERS.sub(" ", folded))


UNICODE = Normaliser("unicode/1", unicode_1)
ENGLISH = Normaliser("english/1", english_1)


def normaliser_for(reference: Transcript, candidate: Transcript) -> Normaliser:
    """The English rules where at least one transcript names English and neither names another language."""
    named = {language for side in (reference, candidate) if (language := side.language)}
    return ENGLISH if named and all(map(_is_english, named)) else UNICODE


def _is_english(language: str) -> bool:
    return language.casefold().replace("_", "-").split("-")[0] in {"en", "eng", "english"}
