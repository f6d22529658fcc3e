"""Whether one picture is another one turned: rotated, mirrored or both."""

from drift.fingerprints.pdq import DIHEDRAL, distance
from drift.side import Side

_NEAR = 48  # of 256 bits: the same picture, coded anew
_AHEAD = 40  # bits nearer than as it stands
_QUALITY, _STABLE = 50, 96  # below these a hash says little
_WORDS = {
    "rot90": "rotated by 90° counter-clockwise",
    "rot180": "rotated by 180°",
    "rot270": "rotated by 90° clockwise",
    "flipx": "flipped upside down",
    "flipy": "mirrored left to right",
    "transpose": "mirrored about its diagonal",
    "antitranspose": "mirrored about its other diagonal",
}
_SIDEWAYS = frozenset({"rot90", "rot270", "transpose", "antitranspose"})


def turn(reference: Side, candidate: Side) -> str | None:
    """How the candidate is turned, one of ``DIHEDRAL``; None where it is upright, or another picture."""
    ours, theirs = reference.turns, candidate.turns[0]
    if min(ours[0].quality, theirs.quality) < _QUALITY or min(ours[0].stable, theirs.stable) < _STABLE:
        return None
    away = [distance(form.bits, theirs.bits) for form in ours]
    best = away.index(min(away))
    return DIHEDRAL[best] if best and away[best] <= _NEAR and away[best] + _AHEAD <= away[0] else None


def turned_words(turned: str) -> str:
    """A sentence of a turn."""
    return f"the candidate looks like the reference {_WORDS[turned]}"


def sideways(reference: Side, candidate: Side) -> str | None:
    """Why pixels cannot be laid on one another: the candidate lies on its side, and would have to be stretched.

    None where the pictures have one shape, or where no turn explains the difference.
    """
    height, width = reference.rgb.shape[:2]
    other_height, other_width = candidate.rgb.shape[:2]
    if width * other_height == other_width * height or (width > height) == (other_width > other_height):
        return None
    turned = turn(reference, candidate)
    if turned not in _SIDEWAYS:
        return None
    return f"{turned_words(turned)}; turn it back to compare pixels"
