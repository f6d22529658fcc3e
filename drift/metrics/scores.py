"""The scores of the built-in metrics: the version of each name, and the values there can be."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import Final

from drift.metrics.facts import COUNTED
from drift.metrics.listing import BUILT_IN, metrics


@dataclass(frozen=True, slots=True)
class Scale:
    """A score's version, and the least and the greatest value it can have; infinite where there is no such end.

    ``higher_is_better`` is None where a plug-in's metric does not say it of each of its scores.
    """

    version: int
    least: float = 0.0
    greatest: float = inf
    higher_is_better: bool | None = False


def _each(names: str, scale: Scale) -> dict[str, Scale]:
    return dict.fromkeys(names.split(), scale)


SCORES: Final = (
    _each("bytes decoded", Scale(1, 0, 1, True))
    | _each("ssim msssim", Scale(1, -1, 1, True))
    | _each("psnr.rgb", Scale(1, higher_is_better=True))
    | _each("phash dhash", Scale(1, 0, 64))
    | _each("color.mean color.p95 descriptor descriptor.glob descriptor.lay descriptor.scat", Scale(1))
    | _each("descriptor.hist", Scale(1, 0, 1))
    | _each("timeline.offset timeline.dropped timeline.duplicated", Scale(2))
    | _each("timeline.rate_ratio", Scale(2, 1))
    | _each("timeline.phash.mean timeline.phash.p95 timeline.phash.worst", Scale(2, 0, 64))
    | _each("timeline.ssim.mean timeline.ssim.p05 timeline.ssim.worst", Scale(2, -1, 1, True))
    | _each("flicker flicker.p95 cuts cuts.count motion motion.magnitude motion.smoothness", Scale(1))
    | _each("vmaf vmaf.p05", Scale(1, 0, 100, True))
    | _each("facts.stated", Scale(1))
    | _each(" ".join(f"facts.{key}" for key in COUNTED), Scale(1))
    | _each("lag_ms logmel", Scale(2))
    | _each("lufs_delta", Scale(1))
    | _each("wer.norm wer.raw wer.substitutions wer.deletions wer.insertions cer.norm cer.raw cpwer", Scale(1))
    | _each("mer.norm wil.norm speaker_confusion casing", Scale(1, 0, 1))
    | _each("boundary_shift_ms.median boundary_shift_ms.p95 punctuation", Scale(1))
)  # fmt: skip
"""By name without version."""


def scale_of(name: str) -> Scale | str:
    """What can be limited under a name, with version (``ssim/1``) or without.

    Of a plug-in's metric nothing is known but its name and version: whatever follows its name after a point is taken.

    Returns:
        The score's scale; or, where there is no such score, the names to choose from, those near it first.

    Raises:
        BrokenPlugin: an installed metric cannot be loaded.
    """
    base, _, rest = name.partition("/")
    foreign = {one: metric for one, metric in metrics().items() if not isinstance(metric, BUILT_IN)}
    scale = SCORES.get(base)
    if scale is None and (plugged := foreign.get(base.partition(".")[0])) is not None:
        scale = Scale(plugged.version, -inf, inf, plugged.higher_is_better if base == plugged.name else None)
    if scale is None:
        return nearest(base, [*SCORES, *foreign])
    if rest and rest.partition("/")[0] != str(scale.version):
        return f"{base}/{scale.version}"
    return scale


def nearest(name: str, known: Iterable[str]) -> str:
    """The names that are like one, or all there are where none is."""
    names = list(known)
    return ", ".join(get_close_matches(name, names, 4, 0.6) or sorted(names))
