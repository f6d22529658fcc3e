"""Files checked one by one, the unreadable ones among them, and the document that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from drift.assertions.checking import check_side, failed
from drift.assertions.finding import Finding
from drift.assertions.language import check_language
from drift.assertions.words import check_words
from drift.errors import MediaEmpty, MediaRefused
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.media.segments import Transcript
from drift.side import Side

FORMAT = "mintmark/findings/v1"
_TRANSCRIPTS = {
    ".txt": "text/plain",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file: its findings, or the ``error`` for which it cannot be read; ``name`` is what readers call it."""

    name: str
    media: Media | None
    findings: tuple[Finding, ...]
    error: str | None = None

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that are alarms."""
        return failed(self.findings)


def checked(path: Path, name: str, *, language: str | None = None, limits: Limits = DEFAULT_LIMITS) -> CheckedFile:
    """Check one file; one that is refused is an answer too, and a transcript of no bytes is an empty one."""
    try:
        side = Side(path, limits=limits, name=name)
        return CheckedFile(name, side.media, check_side(side, language=language))
    except MediaEmpty as refusal:
        return _nothing(path, name, language) or CheckedFile(name, None, (), str(refusal))
    except MediaRefused as refusal:
        return CheckedFile(name, None, (), str(refusal))


def _nothing(path: Path, name: str, language: str | None) -> CheckedFile | None:
    """The findings of a file without a byte whose name says that it is a transcript; None for other empty ones."""
    media_type = _TRANSCRIPTS.get(PurePath(name).suffix.lower()) or _TRANSCRIPTS.get(path.suffix.lower())
    if media_type is None or path.stat().st_size:
        return None
    empty = Transcript(media_type, None, ())
    media = Media("transcript", media_type, empty.facts())
    return CheckedFile(name, media, (*check_words(empty), check_language(empty, language)))


def to_json(files: Sequence[CheckedFile]) -> dict[str, object]:
    """The document of schemas/findings/v1.schema.json."""
    return {"format": FORMAT, "files": [_file(found) for found in files]}


def _file(found: CheckedFile) -> dict[str, object]:
    verdict = "unreadable" if found.error is not None else "failed" if found.failed else "ok"
    return {
        "name": found.name,
        "verdict": verdict,
        "media_type": None if found.media is None else found.media.media_type,
        "error": found.error,
        "findings": [finding.to_json() for finding in found.findings],
    }
