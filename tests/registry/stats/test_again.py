from registry.schema import validate
from registry.stats.again import made_again
from registry.stats.calls import Selection
from registry.stats.period import Period

SCORE = {"name": "ssim/1", "value": 0.9, "unit": "", "reason": None}


def drift(history, baseline, replay, kind, at="2026-11-20T12:00:00.000Z"):
    value = {
        "format": "mintmark/drift/v1",
        "recorded_at": at,
        "baseline": baseline,
        "replay": replay,
        "output": 0,
        "level": "perceptual",
        "regime": "seeded",
        "scores": [SCORE],
        "verdict": {"kind": kind, "reason": None, "sentence": "It is so."},
        "calibration": None,
        "test": None,
        "actor": "tester",
    }
    validate("record/v1", value)
    return history.speaks("drift", value, *{baseline, replay})


def calibration(history, manifest, regime, at, *runs):
    value = {
        "format": "mintmark/calibration/v1",
        "recorded_at": at,
        "manifest": manifest,
        "regime": regime,
        "measure": "floor/1",
        "apart": False,
        "runs": [{"id": run, "outputs": []} for run in runs],
        "actor": "tester",
    }
    validate("record/v1", value)
    return history.speaks("calibration", value, manifest, *runs)


def test_only_replays_of_the_recorded_version_and_seed_speak_of_a_provider(history_anywhere):
    history = history_anywhere
    first = history(seed="7")
    honest = history(seed="7", replay_of=first)
    drift(history, first, honest, "reproduced")
    drift(history, honest, history(seed="7", replay_of=honest), "drifted")
    drift(history, first, history(seed="8", replay_of=first), "drifted")
    drift(history, first, history(seed="7", model="m-2", replay_of=first), "drifted")
    drift(history, first, history(seed="7", provider="other", replay_of=first), "drifted")

    found = made_again(history.registry, Selection())

    assert {origin: dict(made.verdicts) for origin, made in found.items()} == {
        ("vendor", "m-1"): {"reproduced": 1, "drifted": 1}
    }


def test_the_newest_calibration_of_a_generation_counts_once(history):
    first = history()
    run = history(replay_of=first)
    calibration(history, first, "unseeded", "2026-11-01T00:00:00.000Z", run)
    calibration(history, first, "seeded", "2026-11-02T00:00:00.000Z", run)
    calibration(history, history(), "deterministic", "2026-11-01T00:00:00.000Z", run)

    regimes = made_again(history.registry, Selection())["vendor", "m-1"].regimes

    assert regimes == {"seeded": 1, "deterministic": 1}


def test_a_period_and_a_filter_bound_what_counts(history):
    first = history()
    again = history(replay_of=first)
    drift(history, first, again, "reproduced", "2026-10-01T00:00:00.000Z")
    drift(history, first, again, "drifted", "2026-11-01T00:00:00.000Z")

    selection = Selection(Period("2026-10-15T00:00:00.000Z", "2026-11-15T00:00:00.000Z"))

    assert made_again(history.registry, selection)["vendor", "m-1"].verdicts == {"drifted": 1}
    assert made_again(history.registry, Selection(provider="nobody")) == {}
