"""The table of scores is what the metrics give; a plug-in's scores are taken by its name."""

import pytest
from PIL import Image

from drift.compare import compare
from drift.metrics import listing
from drift.metrics.scores import SCORES, Scale, scale_of


@pytest.fixture
def measured(make, clip, panning, pair, tmp_path):
    """Every score that a pair of each medium gives, with or without a value."""
    for name, seed in (("a", 1), ("b", 2)):
        Image.fromarray(make.picture(shift=seed)).save(tmp_path / f"{name}.png")
        make.audio(tmp_path / f"{name}.wav", make.tone(seed=seed))
        clip(tmp_path / f"{name}.mp4", panning(seed, 6, width=64, height=48))
    said = [{"start": 0.0, "end": 1.0, "text": "Well, hello there.", "speaker": "A"}]
    found = [pair(said, [{**said[0], "text": "Well hello, here."}])]
    found += [compare(tmp_path / f"a.{kind}", tmp_path / f"b.{kind}") for kind in ("png", "wav", "mp4")]
    return [score for one in found for score in one.scores]


def test_every_score_stands_in_the_table_with_its_version_and_within_its_ends(measured):
    assert {score.base for score in measured} == set(SCORES)
    for score in measured:
        scale = scale_of(score.name)
        assert isinstance(scale, Scale), (score.name, scale)
        assert score.value is None or scale.least <= score.value <= scale.greatest, score
        assert scale.higher_is_better is score.higher_is_better, score


class Sparkle:
    """A foreign metric."""

    name, version, media, unit, higher_is_better = "sparkle", 3, "image", "", True

    def compare(self, reference, candidate):
        return ()


def test_scores_of_plugins_go_by_the_metric(monkeypatch):
    built_in = listing.metrics()
    monkeypatch.setattr("drift.metrics.scores.metrics", lambda: {**built_in, "sparkle": Sparkle()})

    assert scale_of("sparkle") == Scale(3, float("-inf"), higher_is_better=True)
    assert scale_of("sparkle.worst/3") == Scale(3, float("-inf"), higher_is_better=None)
    assert scale_of("sparkle/2") == "sparkle/3" and "sparkle" in str(scale_of("sparkel"))
