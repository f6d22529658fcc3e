"""A look before anything is paid for: what the vendor's own SDK is told, and what is left where it is not answered."""

import os
from dataclasses import replace

import openai
import pytest
from sdk_calls import response_schema

from registry.capture.description import shipped
from registry.capturing.known import Known
from replay.errors import SecretMissing
from replay.providers.http.moderating import MODEL, moderate
from replay.providers.http.pace import Pace

PACE = Pace(tries=2, pause=lambda seconds: None)


@pytest.fixture
def look(emulator, tmp_path):
    def asked(prompt, pictures=(), **more):
        return moderate(prompt, pictures, tmp_path, dict(os.environ), pace=PACE, **more)

    return asked


def test_words_and_pictures_are_sent_as_the_sdk_sends_them(look, emulator, picture):
    client = openai.OpenAI(api_key=os.environ["OPENAI_API_KEY"], base_url=f"{emulator.url('openai')}/v1")
    source = picture()

    verdict = look("a stone bridge", [(source, "image/png")])
    sent = emulator.seen[0].json
    told = client.moderations.create(**sent)

    assert emulator.seen[1].json == sent and told.results[0].flagged is False
    response_schema("CreateModerationResponse").validate(emulator.exchanges[0][1].body)
    assert verdict.to_json() == {"provider": "openai", "model": MODEL, "flagged": False, "categories": []}
    assert [part["type"] for part in sent["input"]] == ["text", "image_url"]
    assert emulator.charges("openai") == 0


def test_what_is_flagged_names_its_categories_and_nothing_else(look):
    verdict = look("something grim")

    assert (verdict.flagged, verdict.categories) == (True, ("violence",))
    assert "grim" not in str(verdict.to_json())


def test_pictures_alone_are_looked_at_without_words(look, emulator, picture):
    look(None, [(picture(), "image/png")])

    assert [part["type"] for part in emulator.seen[0].json["input"]] == ["image_url"]


@pytest.mark.parametrize("fault", ["500", "cut-after", "html", "401"])
def test_where_nothing_is_said_there_is_a_reason_and_no_verdict(look, emulator, fault):
    emulator.misbehave(fault, times=9)

    verdict = look("a stone bridge")

    assert verdict.flagged is None and verdict.why and verdict.categories == ()
    assert verdict.to_json()["flagged"] is None


@pytest.mark.parametrize(
    "body", [{"results": []}, {"results": [{}]}, {"results": [{"flagged": "no"}]}, {"results": [7]}]
)
def test_an_answer_of_another_shape_is_no_verdict(look, emulator, monkeypatch, body):
    vendor = emulator.vendors["openai"]
    monkeypatch.setattr(vendor, "moderate", lambda request: replace(type(vendor).moderate(vendor, request), body=body))

    assert look("a stone bridge").flagged is None


def test_without_a_key_nothing_is_sent(tmp_path, emulator):
    with pytest.raises(SecretMissing):
        moderate("x", (), tmp_path, {})

    assert emulator.seen == []


def test_a_check_is_no_generation_and_is_not_captured():
    place = Known(environment={}).places["openai"]

    assert place.description_of("POST", "https://api.openai.com/v1/moderations") is None
    assert (
        shipped().find("openai", model="omni-moderation-latest", operation="media.moderate").id == "openai-moderations"
    )
    assert shipped().find("openai", model="gpt-image-2", operation="image.generate").id == "openai-images"
