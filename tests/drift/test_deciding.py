"""Regime and verdict: pure decisions, and never a pass by default."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.assertions import Finding
from drift.descriptor import describe
from drift.floor import UNCALIBRATED, NoiseFloor, Regime, deviations, distance, noise_floor, regime_of
from drift.score import Score
from drift.significance.sequential import sequential
from drift.verdict import (
    InvalidLimit,
    Limit,
    Verdict,
    decide_each,
    none_broken,
    not_replayable,
    of_assertions,
    of_samples,
    undecided,
)


def decide(level, scores, floor, kind, *, confirmation=None, **options):
    """The verdict of one replay, or of one and its confirmation."""
    scored = [scores] if confirmation is None else [scores, confirmation]
    return decide_each(level, scored, floor, kind, **options)[0]


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
    found = decide(level, pair(1, 1), NoiseFloor(regime), "image")

    assert (found.kind, found.reason_code) == ("reproduced", None)
    assert found.sentence == "The file is byte for byte the recorded one."


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("regime", Regime)
def test_equal_content_is_reproduced_unless_bytes_are_asked_for(level, regime):
    assert decide(level, pair(0, 1), NoiseFloor(regime), "image").kind == (
        "drifted" if level == "bytes" else "reproduced"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_a_deterministic_version_drifts_with_the_first_difference(level):
    found = decide(level, DIFFERENT, NoiseFloor(Regime.DETERMINISTIC), "image")

    assert (found.kind, found.reason_code) == ("drifted", None)
    assert found.sentence.endswith("earlier runs of this version repeat bit for bit: SSIM 0.9100, pHash 6 of 64.")


@pytest.mark.parametrize("level", LEVELS)
def test_without_calibration_nothing_is_decided(level):
    found = decide(level, DIFFERENT, UNCALIBRATED, "image")

    assert (found.kind, found.reason_code) == ("undecided", "uncalibrated")
    assert "SSIM 0.9100" in found.sentence and "calibration" in found.sentence


@pytest.mark.parametrize("regime", [Regime.SEEDED, Regime.UNSEEDED])
def test_exact_content_cannot_be_asked_of_a_version_that_does_not_repeat(regime):
    assert decide("decoded", DIFFERENT, NoiseFloor(regime), "image").kind == "drifted"
    assert decide("perceptual", DIFFERENT, NoiseFloor(regime), "image").kind == "undecided"


@given(
    ssim=st.floats(-1, 1), phash=st.integers(0, 64), level=st.sampled_from(LEVELS), regime=st.sampled_from(list(Regime))
)
def test_no_score_passes_by_itself(ssim, phash, level, regime):
    scores = pair(0, 0, Score("ssim/1", ssim), Score("phash/1", float(phash), "bits"))

    assert decide(level, scores, NoiseFloor(regime), "image").kind in {"undecided", "drifted"}


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
    found = decide("perceptual", DIFFERENT, UNCALIBRATED, "image", limits=limits)

    assert found.kind == kind
    assert kind == "undecided" or "error rate not stated" in found.sentence


def test_a_limited_score_without_a_value_never_passes():
    scores = pair(0, 0, Score("ssim/1", None, "", "too small"))
    found = decide("perceptual", scores, UNCALIBRATED, "image", limits={"ssim": Limit(min=0.1)})

    assert (found.kind, found.reason_code) == ("undecided", "unmeasured") and "too small" in found.sentence


def test_a_broken_limit_is_quoted():
    found = decide("perceptual", DIFFERENT, UNCALIBRATED, "image", limits={"phash": Limit(max=5)})

    assert "phash 6 bits is above 5" in found.sentence


@pytest.mark.parametrize("ends", [{}, {"min": 2, "max": 1}, {"min": float("nan")}, {"max": float("inf")}])
def test_a_limit_that_limits_nothing_is_refused(ends):
    with pytest.raises(InvalidLimit):
        Limit(**ends)


def test_deciding_needs_the_two_exact_scores():
    with pytest.raises(ValueError, match="'bytes'"):
        decide("decoded", [], UNCALIBRATED, "image")


def test_verdicts_that_need_no_pair():
    assert not_replayable("retired", "Gone since March.") == Verdict("not-replayable", "retired", "Gone since March.")
    assert undecided("budget", "x").to_json() == {"kind": "undecided", "reason": "budget", "sentence": "x"}


def picture_pair(ssim, phash=0.0, color=0.0):
    return pair(
        0,
        0,
        Score("ssim/1", ssim, higher_is_better=True),
        Score("phash/1", phash, "bits"),
        Score("color.mean/1", color, "dE00"),
    )


RUNS = [picture_pair(0.97 + n / 1000) for n in range(13)]
FLOOR = noise_floor([f"blake3:{n}" for n in range(13)], "image", RUNS)


def test_three_runs_that_differ_a_little_are_seeded_and_a_lot_are_free_samples():
    assert FLOOR.regime is Regime.SEEDED
    assert noise_floor(["a", "b", "c"], "image", [*RUNS[:2], picture_pair(0.2, 30)]).regime is Regime.UNSEEDED
    assert noise_floor(["a", "b"], "image", RUNS[:2]).regime is Regime.UNKNOWN
    assert noise_floor(["a", "a", "a"], "image", RUNS[:3]).regime is Regime.DETERMINISTIC


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (picture_pair(0.75, 16, 5), 0.25 + 0.25 + 0.25),
        (picture_pair(-1, 64, 100), 3.0),
        (pair(0, 1, Score("ssim/1", None, "", "too small")), 0.0),
        (pair(0, 0, Score("ssim/1", None, "", "too small"), Score("phash/1", 32.0, "bits")), 2.5),
    ],
)
def test_a_distance_adds_what_each_part_lacks_and_counts_the_unmeasured_as_wholly_different(scores, expected):
    assert distance("image", scores) == pytest.approx(expected)


@given(st.permutations(range(6)))
def test_deviations_treat_all_pairs_alike(order):
    pairs = [picture_pair(0.9 + n / 100, n % 3, n / 10) for n in range(6)]

    assert [deviations(pairs, 2)[n] for n in order] == deviations([pairs[n] for n in order], 2)


def test_a_replay_inside_the_floor_is_within_noise_and_says_where_it_lies_and_what_would_have_shown():
    found = decide("perceptual", picture_pair(0.975), FLOOR, "image")

    assert (found.kind, found.reason_code) == ("within-noise", None)
    assert "13 calibration replays of this version: SSIM 0.9750, theirs 0.9700 to 0.9820." in found.sentence
    assert "Two replays with SSIM below 0.9700" in found.sentence
    assert (found.test["rule"], found.test["baseline"], found.test["p"]) == ("seeded/1", 13, 1.0)


def test_one_replay_beyond_the_floor_waits_for_another_and_two_drift():
    beyond, inside = picture_pair(0.91), picture_pair(0.975)

    alone = decide("perceptual", beyond, FLOOR, "image")
    twice = decide("perceptual", beyond, FLOOR, "image", confirmation=picture_pair(0.92))
    cleared = decide("perceptual", beyond, FLOOR, "image", confirmation=inside)

    assert (alone.kind, alone.reason_code) == ("undecided", "confirmation")
    assert (twice.kind, twice.sentence) == (
        "drifted",
        "SSIM 0.9100 lies outside all 13 calibration replays (lowest 0.9700) twice in a row, p = 0.0095.",
    )
    assert cleared.kind == "within-noise" and "only in 1 of 2 replays" in cleared.sentence


@pytest.mark.parametrize(
    ("beyond", "of", "kind"),
    [(2, 2, "drifted"), (2, 3, "within-noise"), (3, 3, "drifted"), (4, 20, "within-noise"), (10, 20, "drifted")],
)
def test_all_replays_of_a_run_are_one_decision_at_one_error_rate(beyond, of, kind):
    scored = [picture_pair(0.91 if n < beyond else 0.975) for n in range(of)]

    found = decide_each("perceptual", scored, FLOOR, "image")

    assert {one.kind for one in found} == {kind} and len({one.sentence for one in found}) == 1
    assert (found[0].test["p"] <= 0.01) is (kind == "drifted")


@pytest.mark.parametrize(
    ("name", "unit", "usual", "now"),
    [
        ("facts.duration_ms/1", "ms", 0.0, 1500.0),
        ("facts.stated/1", "facts", 0.0, 1.0),
        ("timeline.dropped/2", "frames", 0.0, 3.0),
        ("color.mean/1", "dE00", 0.2, 2.0),
        ("lag_ms/2", "ms", 0.0, None),
    ],
)
def test_any_score_that_leaves_the_floor_counts_not_only_the_telling_ones(name, unit, usual, now):
    def run(ssim, value):
        why = None if value is not None else "different recordings"
        return pair(0, 0, Score("ssim/1", ssim, higher_is_better=True), Score(name, value, unit, why))

    floor = NoiseFloor(Regime.SEEDED, tuple(tuple(run(0.97 + n / 1000, usual)) for n in range(13)))

    found = decide_each("perceptual", [run(0.975, now), run(0.976, now)], floor, "video")

    assert {one.kind for one in found} == {"drifted"}


def test_a_version_that_had_changed_before_it_was_calibrated_is_not_certified():
    far = [picture_pair(0.90 + n / 10_000) for n in range(13)]
    near = [picture_pair(0.99) for _ in range(12)]

    seeded = noise_floor([str(n) for n in range(13)], "image", far, neighbours=near)
    repeats = noise_floor(["b"] * 3, "image", far[:3], recorded="a")

    assert seeded.apart and repeats.apart
    assert not noise_floor([str(n) for n in range(13)], "image", RUNS, neighbours=RUNS[1:]).apart
    for floor in (seeded, repeats):
        found = decide("perceptual", far[0], floor, "image")
        assert found.kind == "drifted" and "changed before it was calibrated" in found.sentence


def test_too_small_a_floor_is_no_pass_and_names_what_it_takes():
    floor = noise_floor(["a", "b", "c"], "image", RUNS[:3])

    found = decide("perceptual", picture_pair(0.99), floor, "image")

    assert (found.kind, found.reason_code) == ("undecided", "resolution")
    assert "3 calibration replays cannot decide at 0.01; 13 can" in found.sentence
    assert decide("perceptual", picture_pair(0.975), FLOOR, "image", alpha=0.001).reason_code == "resolution"


def test_the_form_of_a_transcript_is_no_drift_where_its_meaning_is_asked_for():
    scores = pair(
        0,
        0,
        Score("wer.norm/1/english/1", 0.0, "ratio"),
        Score("cer.norm/1/english/1", 0.0, "ratio"),
        Score("wer.raw/1", 0.3, "ratio"),
    )

    assert decide("semantic", scores, NoiseFloor(Regime.DETERMINISTIC), "transcript").kind == "within-noise"
    assert decide("decoded", scores, NoiseFloor(Regime.DETERMINISTIC), "transcript").kind == "drifted"


def test_one_free_sample_is_undecided_and_a_series_of_them_is_not():
    def some(count, low, high, seed):
        chance = np.random.default_rng(seed)
        return [describe(chance.integers(low, high, (64, 64, 3), np.uint8)) for _ in range(count)]

    floor = NoiseFloor(Regime.UNSEEDED)
    baseline = some(20, 0, 255, 1)

    assert decide("statistical", DIFFERENT, floor, "image").reason_code == "samples"
    early = of_samples(sequential(baseline, some(2, 0, 255, 2), seed=1))
    assert (early.kind, early.reason_code) == ("undecided", "samples")
    drifted = of_samples(sequential(baseline, some(5, 40, 255, 2), seed=1))
    assert drifted.kind == "drifted" and "what moved" in drifted.sentence and drifted.test["looks"]
    small = of_samples(sequential(baseline[:5], some(5, 0, 255, 2), seed=1))
    assert (small.kind, small.reason_code) in {("undecided", "resolution"), ("undecided", "samples")}


def test_an_assertion_counts_where_only_the_replay_fails_it():
    fine, black = Finding("image.black/1", "ok", "it is not black"), Finding("image.black/1", "failed", "it is black")

    assert of_assertions([], [fine]) is None
    assert of_assertions([black.name], [black]) is None, "a night sky stays one"
    found = of_assertions([], [black])
    assert found.kind == "drifted" and found.sentence.endswith("it is black.")


def test_samples_without_a_broken_one_bound_how_many_are():
    assert none_broken(12) == "No broken output in 12: at 95 % fewer than 3/12 (25 %) are broken."
    assert "3/800 (0.38 %)" in none_broken(800)
    assert none_broken(0) == none_broken(3) == "", "a bound of 100 % is none"
