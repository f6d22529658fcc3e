"""Files checked one by one, the unreadable ones among them, and the document that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drift.assertions.checking import check_side, failed
from drift.assertions.finding import Finding
from drift.errors import MediaRefused
from drift.media.limits import DEFAULT_LIMITS, Limits
from drift.media.media import Media
from drift.side import side_of

FORMAT = "mintmark/findings/v1"


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
        side = side_of(path, limits=limits, name=name)
        return CheckedFile(name, side.media, check_side(side, language=language))
    except MediaRefused as refusal:
        return CheckedFile(name, None, (), str(refusal))


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
