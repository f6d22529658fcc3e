"""``mintmark providers retiring --ask``: what a vendor says of its models, and what is said where it says nothing."""

import json

import msgspec
import openai
import pytest
from sdk_calls import response_schema

from registry.cli import run
from registry.home import open_or_create
from registry.manifest import Model, Provider
from registry.record import record


@pytest.fixture
def retiring(tmp_path, monkeypatch, emulator, capfd):
    """``retiring("--ask", …)`` in ``tmp_path``: status, what it printed, what it complained about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / ".mintmark"))

    def call(*words):
        capfd.readouterr()
        status = run(["providers", "retiring", *words])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return call


@pytest.fixture
def add(tmp_path, made, picture, retiring):
    """Records generations with models of OpenAI."""

    def add(*models, provider="openai"):
        registry, _ = open_or_create(tmp_path)
        for number, model in enumerate(models):
            path = picture(f"{provider}{number}.png", seed=number)
            asked = {"provider": Provider(name=provider), "model": Model(requested=model)}
            record(registry, msgspec.structs.replace(made(path), **asked), {str(path): path})
        registry.sign_checkpoint()
        registry.close()

    return add


def test_nobody_is_asked_unless_it_is_wanted(retiring, add, emulator):
    add("gpt-image-1.5")

    assert retiring()[0] == 0 and emulator.seen == []


def test_what_the_vendor_says_is_what_its_sdk_is_told(retiring, add, emulator):
    add("gpt-image-1", "gpt-image-1.5", "gpt-image-2-2026-04-21", "gpt-image-1")
    add("core", provider="stability")
    client = openai.OpenAI(base_url=f"{emulator.url('openai')}/v1")

    status, out, err = retiring("--ask", "--json")

    asked = [(request.method, request.path) for request in emulator.seen]
    told = {one["model"]: (one["day"], one["source"]) for one in json.loads(out)}
    assert (status, err) == (1, "")
    assert told == {"gpt-image-1": ("2026-12-01", "provider"), "gpt-image-1.5": ("2027-06-30", "provider")}
    assert asked == [
        ("GET", f"/openai/v1/models/{name}") for name in ("gpt-image-1", "gpt-image-1.5", "gpt-image-2-2026-04-21")
    ]
    for model, (day, _) in told.items():
        assert client.models.retrieve(model).shutdown_date == day
    response_schema("Model").validate(emulator.exchanges[0][1].body)


def test_a_model_that_the_vendor_does_not_know_is_told(retiring, add, emulator):
    add("gpt-image-0")

    status, _, err = retiring("--ask")

    assert status == 3 and "openai did not tell of gpt-image-0: HTTP 404" in err


@pytest.mark.parametrize("fault", ["500", "cut-after", "html", "redirect"])
def test_without_an_answer_what_is_known_otherwise_stands(retiring, add, emulator, fault):
    add("gpt-image-1", "gpt-image-1.5")
    emulator.misbehave(fault, times=9)

    status, out, err = retiring("--ask", "--json")

    assert status == 1 and err.count("did not tell of") == 2, err
    assert [(one["model"], one["day"], one["source"]) for one in json.loads(out)] == [
        ("gpt-image-1", "2026-10-23", "description")
    ]
    assert len(emulator.seen) == 2, "nothing is followed, nothing is asked twice"


def test_without_a_key_nothing_is_sent(retiring, add, emulator, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    add("gpt-image-1.5")

    status, _, err = retiring("--ask")

    assert status == 3 and "set OPENAI_API_KEY" in err and emulator.seen == []


def test_what_is_no_day_is_no_answer(retiring, add, monkeypatch):
    monkeypatch.setitem(__import__("emulator.vendors.openai", fromlist=["MODELS"]).MODELS, "gpt-image-1.5", "soon")
    add("gpt-image-1.5")

    status, _, err = retiring("--ask")

    assert status == 3 and "no day" in err
