"""The page of a comparison: what the files are, every score, and pictures of what differs."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from drift.assertions import Finding, failed
from drift.compare import Comparison
from drift.evidence import shown
from drift.report.audio import audio_section
from drift.report.image import image_section
from drift.report.transcript import transcript_section
from drift.report.video import video_section
from drift.side import Side

_templates = Environment(
    loader=PackageLoader("drift", "report/templates"),
    autoescape=True,  # file names and transcripts are other people's words
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(comparison: Comparison) -> str:
    """The HTML text of the report; pictures are data URIs, style and script are inside.

    Raises: MediaRefused: a file changed since it was compared.
    """
    kind = comparison.reference.media.kind
    page = _templates.get_template("page.html.j2")
    return page.render(
        kind=kind,
        sides=[_side("Reference", comparison.reference), _side("Candidate", comparison.candidate)],
        summary=comparison.summary,
        scores=[(score, shown(score)) for score in comparison.scores],
        notes=comparison.notes,
        failures=_failures(comparison),
        image=image_section(comparison) if kind == "image" else None,
        video=video_section(comparison) if kind == "video" else None,
        audio=audio_section(comparison),
        transcript=transcript_section(comparison) if kind == "transcript" else None,
    )


def _failures(comparison: Comparison) -> list[tuple[str, Finding]]:
    sides = zip(("reference", "candidate"), comparison.findings or (), strict=False)
    return [(which, finding) for which, findings in sides for finding in failed(findings)]


def _side(title: str, side: Side) -> dict[str, object]:
    facts = {key: value for key, value in side.media.facts.items() if key != "kind" and value is not None}
    return {
        "title": title,
        "name": side.name,
        "media_type": side.media.media_type,
        "facts": facts,
        "bytes": side.path.stat().st_size,
        "digest": side.digest["blake3"],
        "content": side.content,
    }
