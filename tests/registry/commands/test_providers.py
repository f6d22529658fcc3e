"""``mintmark providers list``, ``show`` and ``check``: what is known of providers, and what a file lacks."""

import wave

import pytest

from registry.capture.description import shipped
from registry.capture.overview import RECORD_ONLY, checked_by

GOOD = """
id = "painter-images"
provider = "painter"
base_url = "https://api.painter.example"
hosts = ["api.painter.example"]
operation = "image.generate"
pin = []
caps = { seed = true, idempotency = false, webhook = false, echoes_model = true }
public = []
template = { body = {} }
submit = { match = "POST /v1/{model}", slots = { model = "path.model" } }
output = { kind = "url", expr = "body.pictures[].url" }
"""


def test_every_description_and_who_has_none_is_listed(mintmark):
    said = mintmark("providers", "list")

    lines = said.out.splitlines()
    assert said.status == 0 and len(lines) == 1 + len(shipped()) + len(RECORD_ONLY)
    assert all(any(one.id in line and line.startswith(one.provider) for line in lines) for one in shipped())
    films = next(line for line in lines if "openai-videos" in line)
    for word in ("video.generate", "SDK, schema", "echoes_model", "OPENAI_API_KEY", "2026-09-24 and 4 more"):
        assert word in films
    assert "record only" in next(line for line in lines if line.startswith("udio"))


def test_the_list_as_json_holds_all_that_show_tells(mintmark):
    every = mintmark("providers", "list", "--json").json

    assert [of["provider"] for of in every] == sorted({one.provider for one in shipped()} | set(RECORD_ONLY))
    for of in every:
        assert mintmark("providers", "show", of["provider"], "--json").json == of


def test_a_provider_is_shown_with_all_that_is_known_and_what_is_not(mintmark):
    told = mintmark("providers", "show", "openai", "--json").json

    images = next(one for one in told["operations"] if one["description"] == "openai-images")
    assert images["data"] == {
        "retention_days": 30,
        "trains_on_inputs": False,
        "regions": "unknown",
        "source": "https://platform.openai.com/docs/guides/your-data",
    }
    assert images["contract"] == {"availability": "unknown", "support": "unknown", "source": "unknown"}
    assert images["pins"] == {"gpt-image-2": ["gpt-image-2-2026-04-21"]}
    assert images["key"] == "OPENAI_API_KEY" and images["hosts"] == ["api.openai.com"]

    text = mintmark("providers", "show", "openai").out
    for one in told["operations"]:
        assert f"\n{one['description']}\n" in f"\n{text}"
    assert text.count("contract: availability   unknown") == len(told["operations"])
    assert "data: trains_on_inputs   no" in text and "sora-2: 2026-09-24" in text


@pytest.mark.parametrize("provider", sorted({one.provider for one in shipped()}))
def test_every_provider_can_be_shown(mintmark, provider):
    said = mintmark("providers", "show", provider)

    assert said.status == 0 and "None" not in said.out


def test_one_operation_of_the_list_can_be_shown(mintmark):
    whole = mintmark("providers", "show", "openai", "--json").json

    one = mintmark("providers", "show", "openai-images", "--json").json

    assert one["operations"] == [found for found in whole["operations"] if found["description"] == "openai-images"]
    assert mintmark("providers", "show", "openai-images").out.startswith("openai-images\n")


def test_how_callbacks_are_signed_is_told_with_the_variable_of_the_secret(mintmark):
    assert "standard, secret in REPLICATE_WEBHOOK_SECRET" in mintmark("providers", "show", "replicate").out
    assert (
        "shared-header, header dg-token, secret in DEEPGRAM_WEBHOOK_TOKEN"
        in mintmark("providers", "show", "deepgram").out
    )
    assert "or in FAL_WEBHOOK_KEYS" in mintmark("providers", "show", "fal").out


@pytest.mark.parametrize("one", list(shipped()), ids=lambda one: one.id)
def test_only_callbacks_that_are_taken_here_are_listed(one):
    assert one.caps.webhook == bool(one.protocol and one.protocol.webhook)


def test_of_a_provider_that_nobody_described_nothing_is_known(mintmark):
    said = mintmark("providers", "show", "openia")

    assert said.status == 2 and "openai" in said.err and said.out == ""


def test_udio_has_no_api_is_recorded_and_not_replayed(mintmark, tmp_path):
    shown = mintmark("providers", "show", "udio")
    assert shown.status == 0 and "no public API" in shown.out and "mintmark record FILE" in shown.out
    with wave.open(str(tmp_path / "song.wav"), "wb") as song:
        song.setparams((1, 2, 8000, 0, "NONE", ""))
        song.writeframes(bytes(range(256)) * 100)
    words = ["song.wav", "--provider", "udio", "--model", "udio-130", "--operation", "music.generate"]
    assert mintmark("record", *words).status == 0

    said = mintmark("replay", "@last", "--json")

    assert said.json["refused"]["reason"] == "unsupported", said.json
    assert mintmark("generate", "--provider", "udio", "--model", "udio-130", "--prompt", "x").status == 2


def test_a_file_that_can_be_used_says_what_it_is(mintmark, tmp_path):
    (tmp_path / "painter-images.toml").write_text(GOOD)

    said = mintmark("providers", "check", "painter-images.toml")

    assert said.status == 0 and "painter-images can be used: painter, image.generate, POST /v1/{model}" in said.out
    assert mintmark("providers", "check", "painter-images.toml", "--json").json["usable"] is True
    assert list(tmp_path.iterdir()) == [tmp_path / "painter-images.toml"], "no registry out of a check"


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("base_url", "base_ulr", 4, "base_ulr"),
        ('"path.model"', '"body.model"', 11, "submit.slots"),
        ("body.pictures[].url", "body.pictures[", 12, "output.expr"),
        ('hosts = ["api.', 'hosts = ["other.', 4, "base_url"),
        ("caps = {", "caps = ", 8, "caps"),
        ("painter-images", "painter-pictures", 2, "id"),
    ],
)
def test_a_mistake_is_told_by_line_and_key(mintmark, tmp_path, old, new, line, key):
    (tmp_path / "painter-images.toml").write_text(GOOD.replace(old, new))

    said = mintmark("providers", "check", "painter-images.toml")
    told = mintmark("providers", "check", "painter-images.toml", "--json")

    assert said.status == told.status == 2 and f"painter-images.toml:{line}: {key or 'file'}:" in said.err
    assert (told.json["usable"], told.json["line"], told.json["key"]) == (False, line, key)


def test_a_file_that_is_not_there_is_no_description(mintmark):
    said = mintmark("providers", "check", "nothing.toml")

    assert said.status == 2 and "cannot be read" in said.err


@pytest.mark.parametrize("one", [one for one in shipped() if not one.local], ids=lambda one: one.id)
def test_every_remote_description_says_what_holds_it(one):
    assert checked_by(one.id)


def test_what_holds_a_description_is_read_from_its_head():
    assert checked_by("deepgram-listen") == ("SDK", "schema")
    assert checked_by("comfyui-prompt") == ("published documents",)
    assert checked_by("replicate-models") == ("SDK", "recorded traffic")
    assert checked_by("procedural-image") == ()


@pytest.mark.parametrize("content", ["", "# nothing yet\n"])
def test_a_file_without_a_key_is_told_what_it_lacks(mintmark, tmp_path, content):
    (tmp_path / "mine.toml").write_text(content)

    said = mintmark("providers", "check", "mine.toml")

    assert said.status == 2 and "missing" in said.err and "internal" not in said.err
