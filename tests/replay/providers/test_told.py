"""What ``generate``, ``replay`` and ``show`` say besides the result: outputs that are missing, models that are gone."""

import pytest

from registry.cli import run

PAINT = ["generate", "--provider", "openai", "--prompt", "a stone bridge", "--assume-cost", "0.01", "--yes"]
PINNED = ["--operation", "image.generate", "--model", "gpt-image-2-2026-04-21"]
SHORT = ", 1 of 3 outputs (safety omitted)"


@pytest.fixture
def said(emulator, tmp_path, monkeypatch, capsys):
    """``said(…)``: status, output and errors of a command in a home of its own."""
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "home"))

    def call(*arguments):
        capsys.readouterr()
        status = run(list(arguments))
        return (status, *capsys.readouterr())

    return call


def test_fewer_outputs_than_asked_for_are_told_by_every_command(emulator, said):
    emulator.misbehave("fewer", method="POST", times=2, left=1)

    status, _, err = said(*PAINT, *PINNED, "--setting", "n=3")
    assert (status, f"ms{SHORT}; try" in err) == (0, True)
    assert f"succeeded{SHORT}" in said("show", "@last")[1]
    assert SHORT in said("replay", "@last", "--assume-cost", "0.01", "--yes")[1]

    assert "outputs" not in said(*PAINT, *PINNED, "--setting", "n=3")[2]


def test_a_model_that_is_shut_down_is_warned_of_and_asked(emulator, said):
    words = [*PAINT, "--operation", "image.generate", "--model", "gpt-image-1"]

    status, _, err = said(*words)

    assert status == 0 and "openai shut gpt-image-1 down on 2026-10-23; it is asked all the same" in err


def test_a_provider_without_an_api_is_refused_with_the_reason(said, tmp_path):
    status, _, err = said("generate", "--provider", "udio", "--model", "udio-130", "--prompt", "x")

    assert status == 2 and "record-only" in err and "no public API" in err and "mintmark record FILE" in err
    assert not (tmp_path / "home").exists()


def test_an_alias_paints_no_more_than_it_is_asked_itself_where_pins_are_required(emulator, said, monkeypatch):
    monkeypatch.setenv("MINTMARK_REQUIRE_PIN", "true")
    words = [*PAINT, "--operation", "image.generate", "--model", "gpt-5.2-2025-12-11", "--setting"]

    status, _, err = said(*words, "image_model=gpt-image-2")
    assert status == 2 and "'gpt-image-2' is an alias" in err
    assert emulator.charges("openai") == 0

    assert said(*words, "image_model=gpt-image-2-2026-04-21")[0] == 0
