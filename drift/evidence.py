"""Scores in words: one value as a person reads it, and the few that say most about a difference."""

from collections.abc import Iterable, Sequence

from drift.metrics.lag import BOTH_SILENT
from drift.metrics.timeline import STILL
from drift.score import Score

_DECIMALS = {"dB": 2, "bits": 1, "dE00": 2, "LU": 2, "ms": 1, "": 4}
_PLURALS = frozenset({"bits", "cuts", "facts", "frames", "words"})
# What is quoted, and first of each medium where nothing stands out: structure, identity, words, spectrum.
_TELLING = {
    "ssim": "SSIM",
    "phash": "pHash",
    "color.mean": "colour difference",
    "timeline.ssim.mean": "mean SSIM",
    "timeline.phash.mean": "mean frame hash distance",
    "wer.norm": "word error rate",
    "cer.norm": "character error rate",
    "punctuation": "punctuation error rate",
    "casing": "casing error rate",
    "speaker_confusion": "speaker confusion",
    "boundary_shift_ms.median": "median shift of times",
    "logmel": "log-mel distance",
    "lag_ms": "lag",
    "lufs_delta": "loudness difference",
    "timeline.offset": "offset",
    "timeline.dropped": "dropped",
    "timeline.duplicated": "duplicated",
}
# The best value of a score, and how far from it hardly anybody would notice: 2 dE00 people see at a glance, one word in
# fifty they may miss, and 250 ms are what evaluations of speakers forgive at the edges of a turn (NIST RT).
_UNNOTICED = {
    "ssim": (1.0, 0.05),
    "phash": (0.0, 6.0),
    "color.mean": (0.0, 2.0),
    "timeline.ssim.mean": (1.0, 0.05),
    "timeline.phash.mean": (0.0, 6.0),
    "logmel": (0.0, 3.0),
    "lag_ms": (0.0, 40.0),
    "lufs_delta": (0.0, 1.0),
    "timeline.offset": (0.0, 2.0),
    "timeline.dropped": (0.0, 2.0),
    "timeline.duplicated": (0.0, 2.0),
    "wer.norm": (0.0, 0.02),
    "cer.norm": (0.0, 0.02),
    "speaker_confusion": (0.0, 0.02),
    "punctuation": (0.0, 0.1),
    "casing": (0.0, 0.1),
    "boundary_shift_ms.median": (0.0, 250.0),
}
# Scores whose lack of a value says as much as any number: nothing could be laid over each other, or nothing is heard.
_LAID = ("timeline.offset", "lag_ms")
_LAYING = ("timeline.offset", "timeline.dropped", "timeline.duplicated")  # left open where all frames are the same
_SAID, _MEASURED = 3, 2  # things said in words, and scores quoted where there are none of these
_LENGTH_MS, _FRAMES = 100, 1  # differences up to these are what coders and containers add
_NAMED = 2  # changed facts that are spelled out
_SOUND = {"has_audio True became False": "the sound is gone", "has_audio False became True": "sound was added"}
_WORDS = ("wer.norm", "cer.norm")  # of a script without spaces the second
_BEYOND_WORDS = ("punctuation", "casing", "speaker_confusion", "boundary_shift_ms.median")


def shown(score: Score) -> str:
    """A score's value with its unit; its reason where it has none."""
    if score.value is None:
        return score.reason or ""
    if score.unit == "equal":
        return "equal" if score.value else "different"
    if score.unit == "ratio":
        return f"{score.value:.2%}"
    whole = float(score.value).is_integer() and score.unit not in {"", "dB", "dE00", "LU"}
    number = f"{score.value:,.0f}" if whole else f"{score.value:,.{_DECIMALS.get(score.unit, 4)}f}"
    unit = score.unit[:-1] if number == "1" and score.unit in _PLURALS else score.unit
    return f"{number} {unit}".rstrip()


def telling(scores: Iterable[Score]) -> str:
    """The scores that say most about a difference: ``SSIM 0.9100, pHash 6 of 64``; "" when there are none.

    What these cannot show comes first: different clips or recordings, silence, another length, sound lost or added,
    changed facts. Then the built-in metrics, at least one: those furthest beyond what anybody would notice, and in a
    fixed order where none is. Where words differ, how many is always among them. Other metrics are quoted by name.
    """
    scores = tuple(scores)
    beyond_words = _beyond_words(scores)
    if beyond_words is not None:
        return beyond_words
    measured = [score for score in scores if score.value is not None and score.base not in {"bytes", "decoded"}]
    known = [score for score in telling_scores(scores) if score.value or score.base not in _BEYOND_WORDS]
    if still := _still(scores):
        known = [score for score in known if score.base not in _LAYING]
    foreign = [score for score in measured if score.base not in _TELLING and "." not in score.base]
    unlaid = {score.base: score.reason for score in scores if score.base in _LAID and score.value is None}
    words = next((score for score in known if score.base in _WORDS), None)
    second = {"logmel" if "lag_ms" in unlaid else "", "cer.norm" if words and words.base == "wer.norm" else ""}
    known.sort(key=lambda score: 0.0 if score.base in second else -_beyond_notice(score))
    plain = [reason.partition(":")[0] for name in _LAID if (reason := unlaid.get(name)) and reason != BOTH_SILENT]
    plain += [*still, *_no_rate(scores), *_plain(scores)]
    quoted = (known or foreign)[: 1 if plain else _MEASURED]
    if words is not None and words not in quoted:
        quoted = [quoted[0], words]
    return ", ".join([*plain[:_SAID], *map(_quoted, quoted)])


def _beyond_notice(score: Score) -> float:
    """How many times what nobody would notice a score differs from its best value; 0 where it is less than once."""
    best, unnoticed = _UNNOTICED[score.base]
    times = 0.0 if score.value is None else abs(score.value - best) / unnoticed
    return times if times >= 1 else 0.0


def _still(scores: Sequence[Score]) -> list[str]:
    """Which of two films stands still while the other moves."""
    notes = [score.note or "" for score in scores if score.base == "timeline.offset"]
    return [note.partition(":")[0] for note in notes if note.startswith(STILL)]


def _no_rate(scores: Sequence[Score]) -> list[str]:
    """Why no share of words differs: the reference has none, or they are too many to be aligned."""
    rates = [score for name in _WORDS for score in scores if score.base == name]
    if any(score.value is not None for score in rates):
        return []
    spaced = any(score.base == "wer.insertions" for score in scores)
    return [score.reason for score in (rates[:1] if spaced else rates[-1:]) if score.reason]


def _plain(scores: Sequence[Score]) -> list[str]:
    """Differences that anybody sees or hears, and that no quoted metric shows."""
    values = {score.base: score.value for score in scores if score.value is not None}
    length, frames = values.get("facts.duration_ms", 0.0), values.get("facts.frames", 0.0)
    found = []
    if length > _LENGTH_MS:
        found.append(f"{length / 1000:,.1f} s longer or shorter")
    elif frames > _FRAMES:
        found.append(f"{frames:,.0f} frames more or fewer")
    stated = next((score for score in scores if score.base == "facts.stated" and score.value), None)
    changed = stated.note.split("; ") if stated is not None and stated.note else []
    found += [said for known, said in _SOUND.items() if known in changed]
    changed = [one for one in changed if one not in _SOUND]
    return found + ([", ".join(changed[:_NAMED])] if changed else [])


def _beyond_words(scores: Sequence[Score]) -> str | None:
    """What differs in a transcript whose words are the same; None for any other pair."""
    values = {score.base: score for score in scores if score.value is not None}
    same = values.get("wer.norm") or values.get("cer.norm")
    if same is None or same.value:
        return None
    differing = [values[name] for name in _BEYOND_WORDS if name in values and values[name].value]
    if not differing:
        raw = values.get("wer.raw") or values.get("cer.raw")
        if raw is not None and raw.value:
            how = same.name.partition("/1/")[2]
            return f"the words are the same once normalised by {how}, as written {shown(raw)} of them differ"
        return "the words are the same, what else the files say of them (markup, segments, labels, times) is not"
    return ", ".join(["the words are the same", *(_quoted(score) for score in differing)])


def telling_scores(scores: Iterable[Score]) -> list[Score]:
    """The built-in scores with a value that say most about a difference, in the order they are quoted."""
    measured = [score for score in scores if score.value is not None]
    return [score for name in _TELLING for score in measured if score.base == name]


def quoted_as(name: str) -> str:
    """What a sentence calls the score of that name (without version)."""
    return _TELLING.get(name, name)


def _quoted(score: Score) -> str:
    if score.base == "color.mean":
        return f"colours {score.value:.1f} dE00 apart"
    name = quoted_as(score.base)
    return f"{name} {score.value:.0f} of 64" if score.base == "phash" else f"{name} {shown(score)}"
