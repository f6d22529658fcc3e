"""The first words of a transcript diff, for a terminal."""

from rich.text import Text

from drift.compare import Comparison
from drift.report.transcript import word_spans
from drift.visible import visible
from drift.word_edits import Edits

_WORDS = 60
_SIGNS = {"gone": ("[-", "-]"), "new": ("{+", "+}"), "fold": ("(", " unchanged)")}  # without colour, and for copying
_STYLES = {"gone": "red strike", "new": "green bold", "fold": "dim"}


def excerpt(comparison: Comparison) -> Text | None:
    """The diff from a little before the first change on; None where there is none."""
    found = comparison.details.get("wer.raw/1") or comparison.details.get("cer.raw/1")
    if not isinstance(found, Edits) or all(kind == "equal" for kind, *_ in found.ranges):
        return None
    text = Text("\n")
    words = 0
    spans = word_spans(found, glue=" " if "wer.raw/1" in comparison.details else "")
    for number, span in enumerate(spans):
        said = span.text
        if number == 0 and span.kind == "same":
            said = " ".join(said.split(" ")[-8:])
        before, after = _SIGNS.get(span.kind, ("", ""))
        text.append(f"{before}{visible(said)}{after}", style=_STYLES.get(span.kind, ""))
        text.append(" ")
        words += len(said.split())
        if words >= _WORDS:
            text.append("...", style="dim")
            break
    return text
