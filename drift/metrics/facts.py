"""Container facts that differ between two videos or two recordings: duration and frame count."""

from drift.score import Score
from drift.side import Side

_COUNTED = {"duration_ms": "ms", "frames": "frames"}
_STATED = ("width", "height", "fps", "codec", "has_audio", "sample_rate", "channels")


class Facts:
    """Absolute differences of what is counted; what is merely stated (codec, size, rate) becomes a note."""

    name = "facts"
    version = 1
    media = "any"
    unit = "ms"
    higher_is_better = False

    def compare(self, reference: Side, candidate: Side) -> tuple[Score, ...]:
        """Compare the probed facts; media without a duration have no such score."""
        ours, theirs = reference.media.facts, candidate.media.facts
        stated = [
            f"{key} {ours[key]} became {theirs[key]}" for key in _STATED if key in ours and ours[key] != theirs[key]
        ]
        note = "; ".join(stated) or None
        scores = []
        for key, unit in _COUNTED.items():
            if key not in ours:
                continue
            before, after = ours[key], theirs[key]
            if isinstance(before, int) and isinstance(after, int):
                scores.append(Score(f"facts.{key}/1", float(abs(after - before)), unit, note=note))
            else:
                scores.append(Score(f"facts.{key}/1", None, unit, "the container does not tell", note=note))
            note = None
        return tuple(scores)
