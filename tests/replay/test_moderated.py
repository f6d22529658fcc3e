"""A look before anything is sent: what is flagged is recorded and goes to nobody; without a verdict nothing goes."""

import json

import pytest

from registry.home import open_registry
from registry.sealing import disclose
from replay.providers.http.moderating import MODEL

PAID = ["--assume-cost", "0.04", "--yes"]
OPENAI = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--operation", "image.generate"]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Whoever is told to wait goes on at once."""
    monkeypatch.setattr("replay.providers.http.pace.time.sleep", lambda seconds: None)


def opened(tmp_path, record_id):
    """The manifest with every seal opened."""
    registry = open_registry(tmp_path)
    value = disclose(registry.catalog.manifest(record_id).to_json(), registry.vault.get(record_id))
    registry.close()
    return value


def test_what_passes_is_sent_and_the_verdict_stands_in_the_manifest(mintmark, emulator, tmp_path):
    status, out, err = mintmark("generate", *OPENAI, "--prompt", "a stone bridge", "--moderate", *PAID)

    value = opened(tmp_path, out.strip())
    assert status == 0, err
    assert value["outcome"]["class"] == "succeeded"
    assert value["outcome"]["moderation"] == {
        "provider": "openai", "model": MODEL, "flagged": False, "categories": [],
    }  # fmt: skip
    assert [request.path for request in emulator.seen] == ["/openai/v1/moderations", "/openai/v1/images/generations"]
    assert f"moderation  passed, {MODEL} of openai" in mintmark("show", "@last")[1]


def test_what_is_flagged_is_blocked_and_nothing_is_paid(mintmark, emulator, tmp_path):
    words = [*OPENAI, "--prompt", "something grim", "--moderate", "--fallback", "stability:core"]

    status, out, err = mintmark("generate", *words, *PAID, "--json")

    told = json.loads(out)
    value = opened(tmp_path, told["id"])
    outcome, cost = value["outcome"], value["cost"]
    assert (status, told["outcome"], len(told["attempts"])) == (1, "blocked", 1)
    assert (outcome["class"], outcome["safety"], outcome["attempts"]) == ("blocked", "refused", 0)
    assert outcome["moderation"]["flagged"] is True and outcome["moderation"]["categories"] == ["violence"]
    assert outcome["submitted_at"] is None and cost["amount"] == "0" and value["outputs"] == []
    assert "violence" in outcome["error"] and "grim" not in outcome["error"] and "violence" in err
    assert "grim" not in json.dumps(told["manifest"])
    assert [request.path for request in emulator.seen] == ["/openai/v1/moderations"]
    assert emulator.charges("openai") == emulator.charges("stability") == 0


def test_what_is_flagged_took_no_time_and_is_shown_with_its_category(mintmark, tmp_path):
    status, out, err = mintmark("generate", *OPENAI, "--prompt", "something grim", "--moderate", *PAID)

    assert status == 1 and "None" not in err
    assert "blocked; try: mintmark show" in err
    assert f"moderation  flagged (violence), {MODEL} of openai" in mintmark("show", out.strip())[1]
    gone = ["--field", "/outcome/moderation/categories/0", "--field", "/outcome/moderation/model"]
    status, _, err = mintmark("erase", out.strip(), *gone, "--reason", "asked for", "--authority", "office")
    assert status == 0, err
    assert "moderation  flagged ([erased]), [erased] of openai" in mintmark("show", out.strip())[1]


@pytest.mark.parametrize("fault", ["500", "cut-after"])
def test_without_a_verdict_nothing_is_sent(mintmark, emulator, tmp_path, fault):
    emulator.misbehave(fault, at="moderations", times=99)

    status, _, err = mintmark("generate", *OPENAI, "--prompt", "a stone bridge", "--moderate", *PAID)

    assert status == 3 and "gave no verdict" in err and "nothing was sent or paid" in err
    assert {request.path for request in emulator.seen} == {"/openai/v1/moderations"}
    registry = open_registry(tmp_path)
    assert registry.catalog.generations() == 0
    registry.close()


def test_settings_have_a_workflow_looked_at(mintmark, emulator, tmp_path):
    toml = tmp_path / ".mintmark" / "mintmark.toml"
    toml.write_text('[moderate]\n"hero" = "openai"\n')
    local = ["--provider", "procedural", "--model", "procedural-image@1", "--setting", "width=64"]
    local += ["--prompt", "something grim", "--operation", "image.generate"]

    assert mintmark("generate", *local, "--workflow", "other")[0] == 0
    assert mintmark("generate", *local)[0] == 0
    assert emulator.seen == []
    status, _, err = mintmark("generate", *local, "--workflow", "hero")
    toml.write_text('[moderate]\n"*" = "openai"\n')
    everything = mintmark("generate", *local)

    assert (status, everything[0]) == (1, 1) and "flagged" in err, err


def test_pictures_are_looked_at_too(mintmark, emulator, picture, tmp_path):
    edit = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--operation", "image.edit"]

    status, _, err = mintmark("generate", *edit, "--input", f"image={picture()}", "--prompt", "x", "--moderate", *PAID)

    assert status == 0, err
    assert [part["type"] for part in emulator.seen[0].json["input"]] == ["text", "image_url"]


def test_nothing_to_look_at_is_said_so(mintmark, emulator, tmp_path):
    (tmp_path / "speech.txt").write_text("no picture")
    listen = ["--provider", "deepgram", "--model", "nova-3", "--input", "audio=speech.txt", "--moderate"]

    status, _, err = mintmark("generate", *listen, *PAID)

    assert status == 2 and "neither a prompt nor a picture" in err and emulator.seen == []


@pytest.mark.parametrize("operation", [["--operation", "media.moderate"], []])
def test_a_moderation_model_generates_nothing(mintmark, emulator, tmp_path, operation):
    status, _, err = mintmark("generate", "--provider", "openai", "--model", MODEL, *operation, "--prompt", "x", *PAID)

    assert status == 2 and "add --moderate" in err and emulator.seen == []
