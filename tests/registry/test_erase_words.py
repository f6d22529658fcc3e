"""``--field prompt`` takes all words for the model, wherever a description says they stand, and tells what stays."""

import msgspec
import pytest

from registry.capture.description import shipped
from registry.capture.request import Placed, settings_of, template_request
from registry.capture.slots import WORDS
from registry.cli import run
from registry.drafting import Incoming
from registry.erase import NothingToErase, ValueInAsset, erase, plan_erasure
from registry.manifest import Request
from registry.record import record
from registry.show import view
from registry.verbatim import read_body

WHY = {"reason": "the person asked", "authority": "ticket 12"}
SLOTS = [(one.id, slot) for one in shipped() for slot in one.slots if slot in WORDS and slot != "prompt"]
NAMED = "no Grzegorz Kowalczyk"


@pytest.fixture
def recorded(local_registry, picture, made):
    """Records what a description's template holds with some values in it: ``recorded("fal-queue", text="…")``."""

    def one(description_id, **values):
        path, description = picture(), shipped().by_id(description_id)
        needed = {"model": "x", "version": "1", "api_version": "v1", "variant": "x", "voice": "x"}
        own = {name: value for name, value in needed.items() if name in description.slots}
        sound = [Placed("audio", {"blake3": "a" * 64, "sha256": "b" * 64}, 2000, "audio/wav")]
        files = sound if description.encode == "bytes" else []
        request = template_request(description, own | values, files)
        draft = made(
            path,
            prompt=values.get("prompt"),
            request=request,
            settings=settings_of(description, request),
            operation="image.generate",
        )
        return record(local_registry, draft, {str(path): path}).id

    return one


def opened(local_registry, manifest):
    return {found.pointer: found.value for found in local_registry.vault.get(manifest)}


def test_every_description_that_knows_a_negative_prompt_is_among_these():
    assert {name for name, slot in SLOTS if slot == "negative_prompt"} >= {
        "automatic1111-img2img", "automatic1111-txt2img", "comfyui-prompt", "fal-queue", "google-imagen",
        "replicate-models", "replicate-predictions", "stability-generate", "wavespeed-predictions",
    }  # fmt: skip
    assert {("fal-queue", "text"), ("openai-responses", "instructions"), ("deepgram-listen", "keyterm")} <= set(SLOTS)


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_words_beside_the_prompt_go_with_it(local_registry, recorded, name, slot):
    prompt = {"prompt": "a quiet harbour"} if "prompt" in shipped().by_id(name).slots else {}
    manifest = recorded(name, **prompt, **{slot: NAMED})
    assert list(opened(local_registry, manifest).values()).count(NAMED) == 2, "in the settings and in the request"

    plan = plan_erasure(local_registry, manifest, fields=["prompt"], **WHY)
    erase(local_registry, plan)

    assert not {NAMED, "a quiet harbour"} & {str(value) for value in opened(local_registry, manifest).values()}
    assert view(local_registry, manifest).state[f"/settings/{slot}"] == "erased"


def test_words_are_sealed_even_where_nothing_was_captured(local_registry, picture, made):
    """A caller's own settings have no request beside them that would tell that they are private."""
    path = picture()
    settings = {"text": NAMED, "keyterm": ["Kowalczyk", "Nowak"], "style": f"{NAMED} in oil"}

    manifest = record(local_registry, made(path, settings=settings), {str(path): path}).id

    assert {"/settings/text", "/settings/keyterm", "/settings/style"} <= opened(local_registry, manifest).keys()
    erase(local_registry, plan_erasure(local_registry, manifest, fields=["prompt"], **WHY))
    assert opened(local_registry, manifest) == {}


@pytest.mark.parametrize("terms", [["harbour", "Nowak"], "harbour"], ids=["a list", "one term"])
def test_a_key_term_goes_where_it_stands_alone_and_stays_in_what_was_said(
    local_registry, picture, made, tmp_path, terms
):
    """Transcripts are full of key terms: their owner asked for the words, not for all that was said with them."""
    path, transcript = picture(), tmp_path / "transcript.txt"
    transcript.write_text("the harbour of Nowak lies still")
    settings = {"keyterm": terms, "style": "harbour", "note": "paint the harbour at dawn", "text": "Anna of the mill"}
    draft = made(path, prompt="a boat", settings=settings | {"caption": "seen by Anna of the mill"})
    draft = msgspec.structs.replace(draft, inputs=[Incoming(file=str(transcript), role="transcript")])
    manifest = record(local_registry, draft, {str(path): path, str(transcript): transcript}).id

    erase(local_registry, plan_erasure(local_registry, manifest, fields=["prompt"], **WHY))

    kept = opened(local_registry, manifest)
    assert kept.pop("/inputs/0/digest") and kept == {"/settings/note": "paint the harbour at dawn"}


def test_a_whole_text_goes_wherever_it_stands(local_registry, picture, made, tmp_path):
    """Unlike a key term, a text in a kept file's own bytes stops the erasure."""
    path, script = picture(), tmp_path / "script.txt"
    script.write_text("the quiet harbour, read aloud")
    draft = made(path, settings={"text": "the quiet harbour", "note": "from: the quiet harbour"})
    with_script = msgspec.structs.replace(draft, inputs=[Incoming(file=str(script), role="script")])
    manifest = record(local_registry, with_script, {str(path): path, str(script): script}).id

    with pytest.raises(ValueInAsset, match="--asset"):
        plan_erasure(local_registry, manifest, fields=["prompt"], **WHY)
    erase(local_registry, plan_erasure(local_registry, manifest, fields=["prompt"], asset=True, **WHY))

    assert opened(local_registry, manifest) == {}


def test_what_else_a_request_holds_is_told_the_longest_first(local_registry, picture, made, monkeypatch, capsys):
    """A graph may have more text nodes than any description has slots."""
    body = read_body(
        b'{"6": {"text": "a boat"}, "12": {"text": "in the style of Mrs Nowak", "clip": "5", "by": "euler"}}'
    )
    request, path = Request(origin="captured", method="POST", path="/prompt", body=body), picture()
    manifest = record(local_registry, made(path, prompt="a boat", request=request), {str(path): path}).id

    plan = plan_erasure(local_registry, manifest, fields=["prompt"], **WHY)

    assert plan.stays == [(manifest, "/request/body/12/text"), (manifest, "/request/body/12/by")]
    assert plan_erasure(local_registry, manifest, fields=["prompt", "request"], **WHY).stays == []
    assert plan_erasure(local_registry, manifest, fields=["/request/body/12/by"], **WHY).stays == []
    erase(local_registry, plan)
    with pytest.raises(NothingToErase, match="--field request takes 2 sealed texts"):
        plan_erasure(local_registry, manifest, fields=["prompt"], **WHY)
    erase(local_registry, plan_erasure(local_registry, manifest, fields=["request"], **WHY))
    assert opened(local_registry, manifest) == {}


def test_the_program_says_what_stays(tmp_path, monkeypatch, capsys, local_registry, picture, made):
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.home))
    body = read_body(b'{"prompt": "a boat", "notes": "for Mrs Nowak"}')
    request, path = Request(origin="captured", method="POST", path="/prompt", body=body), picture()
    record(local_registry, made(path, prompt="a boat", request=request), {str(path): path})

    assert run(["erase", "@last", "--field", "prompt", "--reason", "r", "--authority", "a", "--plan"]) == 0

    told = capsys.readouterr().err
    assert "still sealed in the request: 1 other text, the longest at /request/body/notes of " in told
    assert "--field request takes all of it" in told and "Nowak" not in told
