"""Regime and verdict: pure decisions, and never a pass by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.floor import Regime, regime_of
from drift.score import Score
from drift.verdict import InvalidLimit, Limit, Verdict, decide, not_replayable, undecided

LEVELS = ["bytes", "decoded", "perceptual", "semantic", "statistical"]


def pair(same_bytes, same_content, *more):
    return [Score("bytes/1", float(same_bytes), "equal"), Score("decoded/1", float(same_content), "equal"), *more]


DIFFERENT = pair(0, 0, Score("ssim/1", 0.91, higher_is_better=True), Score("phash/1", 6.0, "bits"))


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ([], Regime.UNKNOWN),
        (["a"], Regime.UNKNOWN),
        (["a", "a"], Regime.DETERMINISTIC),
        (["a", "a", "a"], Regime.DETERMINISTIC),
        (["a", "a", "b"], Regime.UNKNOWN),
        (["a", "b"], Regime.UNKNOWN),
    ],
)
def test_two_equal_runs_and_no_other_make_a_version_deterministic(contents, expected):
    assert regime_of(contents) is expected


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("regime", Regime)
def test_equal_bytes_are_reproduced_whatever_is_known(level, regime):
    found = decide(level, pair(1, 1), regime)

    assert (found.kind, found.reason_code) == ("reproduced", None)
    assert found.sentence == "The file is byte for byte the recorded one."


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("regime", Regime)
def test_equal_content_is_reproduced_unless_bytes_are_asked_for(level, regime):
    assert decide(level, pair(0, 1), regime).kind == ("drifted" if level == "bytes" else "reproduced")


@pytest.mark.parametrize("level", LEVELS)
def test_a_deterministic_version_drifts_with_the_first_difference(level):
    found = decide(level, DIFFERENT, Regime.DETERMINISTIC)

    assert (found.kind, found.reason_code) == ("drifted", None)
    assert found.sentence.endswith("earlier runs of this version repeat bit for bit: SSIM 0.9100, pHash 6 of 64.")


@pytest.mark.parametrize("level", LEVELS)
def test_without_calibration_nothing_is_decided(level):
    found = decide(level, DIFFERENT, Regime.UNKNOWN)

    assert (found.kind, found.reason_code) == ("undecided", "uncalibrated")
    assert "SSIM 0.9100" in found.sentence and "calibration" in found.sentence


@pytest.mark.parametrize("regime", [Regime.SEEDED, Regime.UNSEEDED])
def test_exact_content_cannot_be_asked_of_a_version_that_does_not_repeat(regime):
    assert decide("decoded", DIFFERENT, regime).kind == "drifted"
    assert decide("perceptual", DIFFERENT, regime).kind == "undecided"


@given(
    ssim=st.floats(-1, 1), phash=st.integers(0, 64), level=st.sampled_from(LEVELS), regime=st.sampled_from(list(Regime))
)
def test_no_score_passes_by_itself(ssim, phash, level, regime):
    scores = pair(0, 0, Score("ssim/1", ssim), Score("phash/1", float(phash), "bits"))

    assert decide(level, scores, regime).kind in {"undecided", "drifted"}


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"ssim": Limit(min=0.9)}, "within-noise"),
        ({"ssim": Limit(min=0.91)}, "within-noise"),
        ({"ssim/1": Limit(min=0.92)}, "drifted"),
        ({"ssim": Limit(min=0.9), "phash": Limit(max=5)}, "drifted"),
        ({"ssim": Limit(min=0.5, max=0.9)}, "drifted"),
        ({"ssim": Limit(min=0.9), "lpips": Limit(max=0.1)}, "undecided"),
        ({"ssim": Limit(min=0.95), "lpips": Limit(max=0.1)}, "drifted"),
    ],
)
def test_limits_of_a_policy_decide_and_state_no_error_rate(limits, kind):
    found = decide("perceptual", DIFFERENT, Regime.UNKNOWN, limits=limits)

    assert found.kind == kind
    assert kind == "undecided" or "error rate not stated" in found.sentence


def test_a_limited_score_without_a_value_never_passes():
    scores = pair(0, 0, Score("ssim/1", None, "", "too small"))
    found = decide("perceptual", scores, Regime.UNKNOWN, limits={"ssim": Limit(min=0.1)})

    assert (found.kind, found.reason_code) == ("undecided", "unmeasured") and "too small" in found.sentence


def test_a_broken_limit_is_quoted():
    found = decide("perceptual", DIFFERENT, Regime.UNKNOWN, limits={"phash": Limit(max=5)})

    assert "phash 6 bits is above 5" in found.sentence


@pytest.mark.parametrize("ends", [{}, {"min": 2, "max": 1}, {"min": float("nan")}, {"max": float("inf")}])
def test_a_limit_that_limits_nothing_is_refused(ends):
    with pytest.raises(InvalidLimit):
        Limit(**ends)


def test_deciding_needs_the_two_exact_scores():
    with pytest.raises(ValueError, match="'bytes'"):
        decide("decoded", [], Regime.UNKNOWN)


def test_verdicts_that_need_no_pair():
    assert not_replayable("retired", "Gone since March.") == Verdict("not-replayable", "retired", "Gone since March.")
    assert undecided("budget", "x").to_json() == {"kind": "undecided", "reason": "budget", "sentence": "x"}
