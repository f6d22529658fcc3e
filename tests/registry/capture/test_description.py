"""Descriptions: slots point into a request, pins are read off patterns, nothing is public unless named."""

import datetime
import json
from pathlib import Path

import jsonschema
import pytest

from registry.capture.description import Descriptions, load, shipped
from registry.capture.errors import AmbiguousDescription, CaptureError, SlotMismatch, UnknownSlot
from registry.capture.request import path_matches

SCHEMA = Path(__file__).parents[3] / "schemas" / "provider"

MODERN = """
id = "painter-images"
provider = "painter"
base_url = "https://api.painter.example"
hosts = ["api.painter.example"]
operation = "image.generate"
pin = [{ kind = "snapshot", pattern = 'painter-\\d{4}-\\d{2}-\\d{2}' }]
caps = { seed = true, idempotency = false, webhook = false, echoes_model = false }
public = ["body.size", "body.items[].x", "response.status"]
template = { body = { contents = [{ parts = [{ text = "" }] }], size = "1024" } }

[submit]
match = "POST /v1/{model}"

[submit.slots]
model = "path.model"
prompt = "body.contents[0].parts[0].text"
seed = "body.options.seed"
size = "body.size"

[output]
kind = "bytes"

[pins]
painter = ["painter-2026-04-21"]

[retires]
"painter-2026-04-21" = "2026-09-24"
"""


@pytest.fixture
def painter(tmp_path):
    path = tmp_path / "painter-images.toml"
    path.write_text(MODERN, encoding="utf-8")
    return load(path)


def test_every_shipped_description_loads_and_fills_its_own_slots():
    for description in shipped():
        if description.local:
            assert description.fill({"model": "some-model"})["model"] == "some-model"
        else:
            assert description.protocol.outputs.kind
        assert all(
            any(known.pattern.fullmatch(pin) for known in description.pin_patterns)
            and not any(known.pattern.fullmatch(alias) for known in description.pin_patterns)
            for alias, pins in description.pins.items()
            for pin in pins
        )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("procedural-image@2", "build"),
        ("procedural-image@12", "build"),
        ("procedural-image", "alias"),
        ("procedural-image@2 ", "alias"),
        ("procedural-image@2\n", "alias"),
        ("xprocedural-image@2", "alias"),
    ],
)
def test_a_pin_is_a_full_match(name, kind):
    assert shipped().by_id("procedural-image").pin(name) == kind


def test_the_model_files_of_pocketsphinx_can_be_pinned_by_hash_or_build():
    description = shipped().find("pocketsphinx")

    assert description.pin("en-us@5.0.4") == "build"
    assert description.pin("en-us@sha256:" + "0" * 64) == "hash"
    assert description.pin("en-us") == "alias"


def test_fill_writes_into_a_copy_of_the_template(painter):
    body = painter.fill({"prompt": "a coin", "seed": "7"})

    assert body == {"contents": [{"parts": [{"text": "a coin"}]}], "size": "1024", "options": {"seed": "7"}}
    assert painter.template["body"]["contents"][0]["parts"][0]["text"] == ""
    body["contents"][0]["parts"][0]["text"] = "changed"
    assert painter.fill({})["contents"][0]["parts"][0]["text"] == ""


def test_an_unknown_slot_is_refused_with_the_known_ones(painter):
    with pytest.raises(UnknownSlot, match=r"no slot 'colour'; it has: model, prompt, seed, size"):
        painter.fill({"colour": "red"})


def test_a_slot_of_the_path_is_no_part_of_the_body(painter):
    with pytest.raises(SlotMismatch, match="no part of the body"):
        painter.fill({"model": "painter-2026-04-21"})


def test_write_leaves_the_given_body_alone(painter):
    body = {"contents": [{"parts": [{"text": "a"}, {"text": "b"}], "role": "user"}]}

    written = painter.write(body, "prompt", "c")

    assert body["contents"][0]["parts"][0]["text"] == "a"
    assert written == {"contents": [{"parts": [{"text": "c"}, {"text": "b"}], "role": "user"}]}


def test_write_into_a_body_without_that_place_is_refused(painter):
    with pytest.raises(SlotMismatch, match="no place"):
        painter.write({"contents": []}, "prompt", "c")


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("body.size", True),
        ("body.items[0].x", True),
        ("body.items[].x", True),
        (["body", "items", 3, "x"], True),
        ("response.status", True),
        ("body.contents[0].parts[0].text", False),
        ("body.items[0].y", False),
        ("body.items", False),
        ("body.size.inner", False),
        ("response.size", False),
        ("body", False),
        ("", False),
        (["body", "items[0].x"], False),
        (["body", "items", "0", "x"], False),
        (["body.size"], False),
    ],
)
def test_only_named_places_are_public(painter, path, public):
    assert painter.is_public(path) is public


def test_retired_from_the_day_on(painter):
    day = datetime.date(2026, 9, 24)

    assert painter.retired("painter-2026-04-21", datetime.date(2026, 9, 23)) is None
    assert painter.retired("painter-2026-04-21", day) == day
    assert painter.retired("painter", day) is None


def test_days_of_retirement_hold_for_patterns_and_a_name_in_full_goes_first(tmp_path):
    path = tmp_path / "painter-images.toml"
    path.write_text(MODERN + '"painter-1*" = "2026-02-01"\n"painter-*" = "2026-03-01"\n"painter-1.5" = "2027-01-01"\n')

    painter = load(path)

    days = {model: str(painter.retires_on(model)) for model in ("painter-1.0", "painter-1.5", "painter-2", "etcher")}
    assert days == {
        "painter-1.0": "2026-02-01",
        "painter-1.5": "2027-01-01",
        "painter-2": "2026-03-01",
        "etcher": "None",
    }
    assert painter.retired("painter-1.0", datetime.date(2026, 2, 1)) == datetime.date(2026, 2, 1)
    assert painter.knows("painter-2") and not painter.knows("etcher")


def test_the_digest_is_of_the_bytes_of_the_file(painter, tmp_path):
    (tmp_path / "painter-images.toml").write_text(MODERN + "# a remark\n", encoding="utf-8")

    again = load(tmp_path / "painter-images.toml")

    assert again.sha256 != painter.sha256
    assert again != painter


def test_model_or_operation_decides_between_descriptions_of_one_provider():
    descriptions = shipped()

    assert descriptions.find("procedural", model="procedural-video@1").id == "procedural-video"
    assert descriptions.find("procedural", model="procedural-video").id == "procedural-video"
    assert descriptions.find("procedural", operation="music.generate").id == "procedural-music"
    assert descriptions.find("procedural", model="other", operation="music.generate").id == "procedural-music"
    assert descriptions.find("pocketsphinx").id == "pocketsphinx-transcribe"
    assert descriptions.find("pocketsphinx", model="de-de").id == "pocketsphinx-transcribe"


def test_nothing_found_is_none():
    assert shipped().find("nobody") is None
    assert shipped().find("procedural", operation="audio.transcribe") is None
    assert shipped().by_id("nobody") is None


@pytest.mark.parametrize("model", [None, "procedural-text@1"])
def test_several_operations_and_nothing_that_decides(model):
    with pytest.raises(AmbiguousDescription, match=r"image\.generate, music\.generate, speech\.generate") as caught:
        shipped().find("procedural", model=model)

    assert caught.value.exit_code == 2 and "--operation" in str(caught.value)


@pytest.fixture
def painters(tmp_path):
    """Descriptions of one vendor and one operation; ``painters(first=…, second=…)`` takes lines of each file."""

    def made(**lines):
        for name, more in lines.items():
            text = MODERN.replace('"painter-images"', f'"{name}"').replace('operation = "image.generate"', more)
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return Descriptions([load(tmp_path / f"{name}.toml") for name in lines])

    return made


@pytest.mark.parametrize(
    ("asked", "about"),
    [
        ({"model": "bad-1.0", "operation": "image.generate"}, " that fit model 'bad-1.0'"),
        ({"model": "bad-1.0"}, " that fit model 'bad-1.0'"),
        ({"operation": "image.generate"}, ""),
    ],
)
def test_descriptions_of_one_operation_are_named_and_how_to_tell_them_apart(painters, asked, about):
    both = painters(first='operation = "image.generate"', second='operation = "image.generate"')

    with pytest.raises(AmbiguousDescription) as caught:
        both.find("painter", **asked)

    told = f"provider 'painter' has several descriptions of image.generate{about}: first, second; name a model that one"
    assert str(caught.value).startswith(told)
    assert "mintmark providers show painter" in str(caught.value) and "`models`" in str(caught.value)
    assert "--operation" not in str(caught.value)


def test_a_model_that_no_pattern_of_the_operations_fits_is_not_taken(painters):
    table = 'operation = { "clay-*" = "image.generate", "wax-*" = "image.edit" }'
    both = painters(first=table, second='operation = "image.generate"')
    first, second = both.by_id("first"), both.by_id("second")

    assert (first.takes, second.takes) == (("clay-*", "wax-*"), ("*",))
    assert both.find("painter", model="stone-1") is second
    assert not path_matches(first, "POST", "/v1/stone-1") and path_matches(first, "POST", "/v1/clay-1")


@pytest.mark.parametrize(
    "sample", sorted((SCHEMA / "v1").glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_the_samples_of_the_schema_agree_with_another_validator(sample, tmp_path):
    schema = json.loads((SCHEMA / "v1.schema.json").read_text("utf-8"))
    document = json.loads(sample.read_text("utf-8"))

    valid = jsonschema.Draft202012Validator(schema).is_valid(document)

    assert valid is (sample.parent.name == "valid")
    path = tmp_path / f"{document['id']}.toml"
    path.write_text(_toml(document), encoding="utf-8")
    if valid:
        assert load(path).id == document["id"]
    else:
        with pytest.raises(CaptureError):
            load(path)


def _toml(document):
    return "".join(f"{key} = {_inline(value)}\n" for key, value in document.items())


def _inline(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_inline(member)}" for key, member in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(element) for element in value) + "]"
    return json.dumps(value)


WAVESPEED = {
    "wavespeed-ai/flux-dev": "image.generate",
    "wavespeed-ai/flux-2-pro/edit": "image.edit",
    "wavespeed-ai/flux-kontext-pro": "image.edit",
    "bytedance/seedream-v4.5": "image.generate",
    "bytedance/seedream-v4.5/edit": "image.edit",
    "google/nano-banana-pro/text-to-image": "image.generate",
    "google/nano-banana-pro/edit": "image.edit",
    "wavespeed-ai/qwen-image/text-to-image": "image.generate",
    "wavespeed-ai/qwen-image/edit": "image.edit",
    "alibaba/wan-2.5/text-to-video": "video.generate",
    "alibaba/wan-2.5/text-to-image": "image.generate",
    "alibaba/wan-2.5/image-edit": "image.edit",
    "wavespeed-ai/wan-2.2/video-edit": "video.generate",
    "wavespeed-ai/wan-2.2/animate": "video.generate",
    "kwaivgi/kling-v2.5-turbo-pro/image-to-video": "video.generate",
    "kwaivgi/kling-image-o1": "image.generate",
    "openai/sora-2/text-to-video": "video.generate",
    "bytedance/seedance-v1-pro-i2v-720p": "video.generate",
    "bytedance/seedance-2.5/edit": "video.generate",
    "minimax/speech-02-hd": "speech.generate",
}


@pytest.mark.parametrize(("model", "operation"), WAVESPEED.items())
def test_a_model_of_wavespeed_makes_what_its_name_says(model, operation):
    assert shipped().by_id("wavespeed-predictions").operation_of(model) == operation


@pytest.mark.parametrize(
    ("model", "operation"),
    [
        ("fal-ai/flux/dev", "image.generate"),
        ("fal-ai/flux-pro/kontext", "image.edit"),
        ("fal-ai/kling-video/v2.1/master/image-to-video", "video.generate"),
        ("fal-ai/nano-banana-pro/edit", "image.edit"),
        ("fal-ai/elevenlabs/tts/eleven-v3", "speech.generate"),
        ("fal-ai/stable-audio", "music.generate"),
    ],
)
def test_a_model_of_fal_makes_what_its_name_says(model, operation):
    assert shipped().by_id("fal-queue").operation_of(model) == operation


def test_models_of_one_provider_are_told_apart_by_their_names():
    told = {
        ("google", "gemini-3-pro-image", "image.generate"): "google-gemini-images",
        ("google", "gemini-3-pro-image", "image.edit"): "google-gemini-edits",
        ("google", "imagen-4.0-generate-001", None): "google-imagen",
        ("elevenlabs", "music_v1", "music.generate"): "elevenlabs-music",
        ("elevenlabs", "eleven_text_to_sound_v2", "music.generate"): "elevenlabs-sounds",
        ("bfl", "flux-3-video", "video.generate"): "bfl-generate",
    }

    found = {asked: shipped().find(asked[0], model=asked[1], operation=asked[2]).id for asked in told}

    assert found == told
