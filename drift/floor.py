"""Calibration: what replays of one version do among themselves, hence how a replay may be judged."""

from collections.abc import Sequence
from enum import StrEnum


class Regime(StrEnum):
    """How far two honest runs of the same version lie apart."""

    DETERMINISTIC = "deterministic"  # the same content every time
    SEEDED = "seeded"  # numeric noise inside a small floor
    UNSEEDED = "unseeded"  # free samples
    UNKNOWN = "unknown"  # not calibrated, or the calibration does not tell


def regime_of(contents: Sequence[str]) -> Regime:
    """The regime that calibration runs of one version show.

    ``contents`` are the content digests of runs of the *same* version, the recorded one among them or not. Two or more
    that all agree establish determinism. One differing run refutes it; how far apart such runs lie takes distances to
    tell, so the answer is then ``unknown``, as it is for fewer than two.
    """
    if len(contents) >= 2 and len(set(contents)) == 1:
        return Regime.DETERMINISTIC
    return Regime.UNKNOWN
