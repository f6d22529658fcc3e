"""Use case: every assertion that applies to a file."""

from collections.abc import Iterable
from pathlib import Path

from drift.assertions.film import check_film
from drift.assertions.finding import Finding
from drift.assertions.language import check_language
from drift.assertions.picture import check_picture
from drift.assertions.sound import check_sound
from drift.assertions.words import check_words
from drift.media.image import frames_rgb
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.side import Side

_FRAMES = 50  # of an animated image; one good frame is enough


def check(path: Path, *, limits: Limits = DEFAULT_LIMITS, language: str | None = None) -> tuple[Finding, ...]:
    """Check one file against every assertion of its medium.

    ``language`` is what a transcript should be in (a code such as ``de`` or an English name); where it is None, the
    language the transcript itself states is taken.

    Raises: MediaRefused: the file is unusable.
    """
    return check_side(Side(path, limits=limits), language=language)


def check_side(side: Side, *, language: str | None = None) -> tuple[Finding, ...]:
    """The same for a file already probed; what it has decoded is not decoded again. Raises: MediaRefused."""
    kind = side.media.kind
    if kind == "image":
        return _image(side)
    if kind == "video":
        found = check_film(side)
        return (*found, *check_sound(side)) if side.media.facts["has_audio"] else found
    if kind == "audio":
        return check_sound(side)
    return (*check_words(side.transcript), check_language(side.transcript, language))


def failed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that failed, in their order; empty is a pass."""
    return tuple(finding for finding in findings if finding.verdict == "failed")


def _image(side: Side) -> tuple[Finding, ...]:
    """The first frame's findings; an animation may begin black, so the first frame without a failure speaks for it."""
    first = check_picture(side.rgb)
    if not failed(first) or side.frames < 2:
        return first
    for rgb in frames_rgb(side.path, most=_FRAMES, limits=side.limits):
        later = check_picture(rgb)
        if not failed(later):
            return later
    return first
