"""Assertion on a transcript's language: told by script and by frequent words, and only where that is plain."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files

from drift.assertions.finding import Finding
from drift.media.segments import Transcript
from drift.normalising import unicode_1

_NAME = "transcript.language/1"
_UNIT = "share of words"
_LETTERS = 12  # fewest a script is told by
_SCRIPT = 0.9  # share of letters
_WORDS = 15  # fewest a language is told by
_KNOWN = 0.12  # share of words that are frequent in the language told, and not in the declared one
_HITS, _DISTINCT = 5, 4
_AHEAD = 5  # times as many as the other way round
_KANA = frozenset({"HIRAGANA", "KATAKANA"})
_KANA_IN_JAPANESE = 0.2  # share of letters, at least
_LONG = 40  # letters of Chinese characters alone that are no Japanese


@dataclass(frozen=True, slots=True)
class Language:
    """One line of ``languages.txt``: code, other names for it, the scripts it is written in, its frequent words."""

    code: str
    names: tuple[str, ...]
    scripts: frozenset[str]
    words: frozenset[str]


def _read() -> dict[str, Language]:
    text = (files("drift.assertions") / "languages.txt").read_text("utf-8")
    known = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, names, scripts, words = (part.strip() for part in line.split("|"))
            known[code] = Language(
                code, tuple(names.split()), frozenset(scripts.upper().split()), frozenset(words.split())
            )
    return known


LANGUAGES = _read()
_CODES = {name: language.code for language in LANGUAGES.values() for name in (language.code, *language.names)}


def code_of(stated: str) -> str | None:
    """The code of a language stated as ``de``, ``deu``, ``de-AT`` or ``german``; None for one unknown here."""
    first = stated.strip().casefold().replace("_", "-").split("-")[0]
    return _CODES.get(first)


def check_language(transcript: Transcript, declared: str | None) -> Finding:
    """Whether the words are plainly of another language than ``declared``, else than the transcript states."""
    stated = declared or transcript.language
    if not stated:
        return Finding(_NAME, "not-applicable", "no language is stated")
    code = code_of(stated)
    if code is None:
        return Finding(_NAME, "not-applicable", f"the language {stated[:40]!r} is not among those that can be told")
    expected = LANGUAGES[code]
    text = unicodedata.normalize("NFC", transcript.text)
    other = _by_script(text, expected)
    if other:
        name, share = other
        why = f"{share:.0%} of the letters are {name}, {_english(expected)} was stated"
        return Finding(_NAME, "failed", why, share, "share of letters", _SCRIPT)
    found = _by_words(unicode_1(text).split(), expected)
    if found is None:
        return Finding(_NAME, "not-applicable", "too little to tell the language by")
    told, share = found
    if told is expected:
        return Finding(_NAME, "ok", f"the words are {_english(expected)}, as stated", share, _UNIT, _KNOWN)
    why = f"the words are {_english(told)}, {_english(expected)} was stated"
    return Finding(_NAME, "failed", why, share, _UNIT, _KNOWN)


def scripts_of(text: str) -> Counter[str]:
    """How many letters of each script; named after the first word of the letters' Unicode names (LATIN, CJK …)."""
    found: Counter[str] = Counter()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            found[unicodedata.name(letter, "OTHER").split()[0].removeprefix("FULLWIDTH").split("-")[0]] += count
    return found


def _by_script(text: str, expected: Language) -> tuple[str, float] | None:
    """The script and its share of the letters where nearly all are of one that the expected language never uses."""
    found = scripts_of(text)
    total = sum(found.values())
    foreign = {script: count for script, count in found.items() if script not in expected.scripts}
    kana = sum(found[script] for script in _KANA) / max(total, 1)
    if expected.code == "zh" and total >= _LETTERS and kana >= _KANA_IN_JAPANESE:
        return "kana", kana
    if expected.code == "ja" and total >= _LONG and not kana and found["CJK"] >= _SCRIPT * total:
        return _script_name("CJK"), found["CJK"] / total
    if total < _LETTERS or sum(foreign.values()) < _SCRIPT * total:
        return None
    script = max(foreign, key=lambda name: foreign[name])
    if script == "LATIN":
        return None  # many languages are written so by their speakers: only words tell
    return _script_name(script), sum(foreign.values()) / total


def _script_name(script: str) -> str:
    return {"CJK": "Chinese characters", "HANGUL": "Korean"}.get(script, script.capitalize())


def _by_words(words: list[str], expected: Language) -> tuple[Language, float] | None:
    """The language whose frequent words stand out, and their share; None where none does."""
    if len(words) < _WORDS:
        return None
    counts = Counter(words)
    total = len(words)
    best = max(LANGUAGES.values(), key=lambda language: _hits(counts, language.words)[0])
    if not best.words:
        return None
    if best is expected:
        hits, distinct = _hits(counts, expected.words)
        return (expected, hits / total) if hits >= _HITS and distinct >= _DISTINCT and hits >= _KNOWN * total else None
    ours, kinds = _hits(counts, best.words - expected.words)
    theirs, _ = _hits(counts, expected.words - best.words)
    if ours >= _HITS and kinds >= _DISTINCT and ours >= _KNOWN * total and ours >= _AHEAD * theirs:
        return best, ours / total
    return None


def _hits(counts: Counter[str], known: frozenset[str]) -> tuple[int, int]:
    found = [counts[word] for word in known if word in counts]
    return sum(found), len(found)


def _english(language: Language) -> str:
    return language.names[0].capitalize()
