"""Facts that differ between two media: duration and frames as numbers, the rest by count and in words."""

from drift.score import Score
from drift.side import Side

COUNTED = {"duration_ms": "ms", "frames": "frames"}
_STATED = ("width", "height", "mode", "fps", "codec", "has_audio", "sample_rate", "channels", "language")


class Facts:
    """Absolute differences of what is counted, and how many of the merely stated facts (codec, size) differ."""

    name = "facts"
    version = 1
    media = "any"
    unit = "facts"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare the probed facts; the note says which stated facts became what."""
        ours, theirs = reference.media.facts, candidate.media.facts
        changed = [
            f"{key} {ours[key]} became {theirs[key]}" for key in _STATED if key in ours and ours[key] != theirs[key]
        ]
        scores = [Score("facts.stated/1", float(len(changed)), self.unit, note="; ".join(changed) or None)]
        for key, unit in COUNTED.items():
            if key not in ours:
                continue
            before, after = ours[key], theirs[key]
            known = isinstance(before, int) and isinstance(after, int)
            value = float(abs(int(after or 0) - int(before or 0))) if known else None
            scores.append(Score(f"facts.{key}/1", value, unit, None if known else "the container does not tell"))
        return tuple(scores)
