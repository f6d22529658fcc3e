"""The use case as a whole: what is measured of which pair, and the document it makes."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
import rfc8785

from drift import errors
from drift.compare import compare
from drift.metric import APPLIES_TO, BrokenPlugin, Metric, UnknownMetric
from drift.metrics import listing
from drift.score import InvalidScore, Score

SCHEMAS = Path(__file__).parents[2] / "schemas" / "comparison"
SCHEMA = json.loads((SCHEMAS / "v1.schema.json").read_text())
VALIDATORS = {
    "jsonschema": jsonschema.Draft202012Validator(SCHEMA).is_valid,
    "jsonschema_rs": jsonschema_rs.Draft202012Validator(SCHEMA).is_valid,
}
every_validator = pytest.mark.parametrize("is_valid", VALIDATORS.values(), ids=VALIDATORS)
PAIRS = [
    ("a.png", "a.jpg"),
    ("a.png", "a.png"),
    ("a.png", "moving.gif"),
    ("a.mp4", "a.webm"),
    ("fast.mp4", "a.mov"),
    ("a.wav", "a.mp3"),
    ("openai.json", "cues.srt"),
    ("openai.json", "deepgram.json"),
    ("lines.txt", "deepgram.json"),
]


@every_validator
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_document_fits_its_schema_and_has_a_canonical_form(media, is_valid, ours, theirs):
    document = compare(media / ours, media / theirs).to_json()

    assert is_valid(document)
    assert json.loads(rfc8785.dumps(document)) == document


@every_validator
@pytest.mark.parametrize("sample", sorted(SCHEMAS.glob("v1/*/*.json")), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_samples(is_valid, sample):
    assert is_valid(json.loads(sample.read_text())) == (sample.parent.name == "valid")


def test_the_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_comparing_twice_gives_the_same_document(media):
    for ours, theirs in PAIRS:
        once, again = (compare(media / ours, media / theirs).to_json() for _ in range(2))
        assert once == again


def test_identical_files_only_tell_that_they_are(media, tmp_path):
    copy = tmp_path / "copy.bin"
    copy.write_bytes((media / "a.mp4").read_bytes())

    found = compare(media / "a.mp4", copy)

    assert [(score.base, score.value) for score in found.scores] == [("bytes", 1), ("decoded", 1)]
    assert found.summary == "The files are byte for byte the same."
    assert found.to_json()["notes"]


def test_metrics_asked_for_run_even_on_identical_files(media):
    found = compare(media / "a.png", media / "a.png", metrics=["ssim", "phash"])

    assert found.score("ssim").value == pytest.approx(1, abs=1e-6) and found.score("phash/1").value == 0


def test_a_metric_of_another_medium_says_so(media):
    score = compare(media / "a.wav", media / "a.mp3", metrics=["ssim"]).score("ssim")

    assert score.value is None and score.reason == "it measures image, these are audio"


def test_an_unknown_metric_lists_the_known(media):
    with pytest.raises(UnknownMetric, match="known are boundary_shift_ms, bytes, "):
        compare(media / "a.png", media / "a.jpg", metrics=["sim"])


def test_two_media_are_not_comparable(media):
    with pytest.raises(errors.NotComparable, match=r"a\.png \(image, image/png\) with a\.wav"):
        compare(media / "a.png", media / "a.wav")


@pytest.mark.parametrize("metric", listing.BUILT_IN, ids=lambda m: m.name)
def test_every_metric_keeps_the_contract(media, metric):
    made = metric()
    assert isinstance(made, Metric) and made.media in APPLIES_TO and made.__doc__
    pairs = [p for p in PAIRS if p[0] != p[1]]

    seen = False
    for ours, theirs in pairs:
        for score in compare(media / ours, media / theirs, metrics=[made.name]).scores:
            assert score.name.split("/")[1] == str(made.version)
            seen |= score.value is not None
    assert seen or made.name in {"msssim", "vmaf"}  # larger pictures than these; an extra: each has tests of its own


class Nothing:
    """A plug-in that finds the sum of two sizes, or fails on request."""

    name, version, media, unit, higher_is_better = "sizes", 1, "any", "bytes", False

    def compare(self, reference, candidate):
        """Add sizes."""
        if reference.media.kind == "audio":
            raise RuntimeError("no ears")
        return Score("sizes/1", float(reference.path.stat().st_size + candidate.path.stat().st_size), "bytes")


def plug(monkeypatch, **objects):
    entries = [EntryPoint(name, f"{__name__}:{value}", listing.GROUP) for name, value in objects.items()]
    for entry, value in zip(entries, objects.values(), strict=True):
        object.__setattr__(entry, "load", lambda value=value: value)
    monkeypatch.setattr(listing, "entry_points", lambda group: entries if group == listing.GROUP else [])


def test_a_plug_in_is_run_by_entry_point_and_its_failure_is_a_reason(media, monkeypatch):
    plug(monkeypatch, sizes=Nothing)

    assert compare(media / "a.png", media / "a.jpg").score("sizes").value > 0
    failed = compare(media / "a.wav", media / "a.mp3").score("sizes")
    assert failed.value is None and "RuntimeError: no ears" in failed.reason


@pytest.mark.parametrize(
    ("plugin", "why"),
    [
        (object, "lacks"),
        (type("A", (Nothing,), {"media": "smell"}), "smell"),
        (type("B", (Nothing,), {"name": "ssim"}), "taken"),
        (3, "TypeError"),
    ],
)
def test_a_broken_plug_in_is_named(media, monkeypatch, plugin, why):
    plug(monkeypatch, broken=plugin)

    with pytest.raises(BrokenPlugin, match=f"'broken'.*{why}"):
        compare(media / "a.png", media / "a.jpg")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ssim/1", float("nan")),
        ("ssim/1", float("inf")),
        ("ssim/1", None),
        ("ssim", 1.0),
        ("ssim/1", 1.0, "", "but"),
        ("Big Name/1", 1.0),
    ],
)
def test_what_is_no_score_cannot_be_built(arguments):
    with pytest.raises(InvalidScore, match="broke its contract"):
        Score(*arguments)
