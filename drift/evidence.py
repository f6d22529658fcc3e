"""Scores in words: one value as a person reads it, and the few that say most about a difference."""

from collections.abc import Iterable

from drift.score import Score

_DECIMALS = {"dB": 2, "bits": 1, "dE00": 2, "LU": 2, "ms": 1, "": 4}
# What is quoted first: one or two per medium, by structure, identity, words, spectrum.
_TELLING = {
    "ssim": "SSIM",
    "phash": "pHash",
    "timeline.ssim.mean": "mean SSIM",
    "timeline.phash.mean": "mean frame hash distance",
    "wer.norm": "word error rate",
    "cer.norm": "character error rate",
    "logmel": "log-mel distance",
    "lag_ms": "lag",
}


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
    return f"{number} {score.unit}".rstrip()


def telling(scores: Iterable[Score], *, most: int = 2) -> str:
    """The scores that say most about a difference: ``SSIM 0.9100, pHash 6 of 64``; "" when there are none.

    Those of the built-in metrics come first, in a fixed order; other metrics are quoted by name.
    """
    measured = [score for score in scores if score.value is not None and score.base not in {"bytes", "decoded"}]
    known = [score for name in _TELLING for score in measured if score.base == name]
    foreign = [score for score in measured if score.base not in _TELLING and "." not in score.base]
    return ", ".join(_quoted(score) for score in (known or foreign)[:most])


def _quoted(score: Score) -> str:
    name = _TELLING.get(score.base, score.base)
    return f"{name} {score.value:.0f} of 64" if score.base == "phash" else f"{name} {shown(score)}"
