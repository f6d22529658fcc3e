"""Where exact versions are wanted, an alias is refused by name of its pins; nothing else is."""

import pytest

from registry.capture.description import shipped
from registry.errors import InvalidValue
from registry.pinning import PinRequired, check_pin
from registry.settings import Settings, load_settings


def described(kind):
    """A model of a shipped description that is a pin, or an alias with known pins."""
    for one in shipped():
        for alias, pins in one.pins.items():
            return one, (alias if kind == "alias" else pins[0]), pins
    pytest.skip("no shipped description has both")


def test_an_alias_is_refused_and_its_pins_are_named(tmp_path):
    description, alias, pins = described("alias")

    with pytest.raises(PinRequired, match="require_pin") as problem:
        check_pin(Settings(home=tmp_path, require_pin=True), description, alias)

    assert all(pin in str(problem.value) for pin in pins)


def test_a_pin_passes_and_so_does_an_alias_where_none_is_required(tmp_path):
    description, pin, _ = described("pin")
    _, alias, _ = described("alias")

    check_pin(Settings(home=tmp_path, require_pin=True), description, pin)
    check_pin(Settings(home=tmp_path), description, alias)


PAINTS = {"image_model": "gpt-image-2-2026-04-21"}
WRITES = "gpt-5.2-2025-12-11"


@pytest.mark.parametrize(
    ("model", "settings", "named"),
    [
        (WRITES, {"image_model": "gpt-image-2"}, "'gpt-image-2' is an alias .* gpt-image-2-2026-04-21"),
        (WRITES, {}, "no exact version is named.* --setting image_model="),
        ("gpt-5.2", PAINTS, f"'gpt-5.2' is an alias .* {WRITES}"),
    ],
)
def test_where_one_model_writes_and_another_paints_both_have_to_be_exact(tmp_path, model, settings, named):
    description = shipped().by_id("openai-responses")
    strict = Settings(home=tmp_path, require_pin=True)

    with pytest.raises(PinRequired, match=named):
        check_pin(strict, description, model, settings)

    assert description.pin(model, settings) == "alias"
    check_pin(strict, description, WRITES, PAINTS)
    assert description.pin(WRITES, PAINTS) == "snapshot"


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_the_setting_from_the_environment(tmp_path, text, expected):
    assert load_settings(tmp_path, {"MINTMARK_REQUIRE_PIN": text}).require_pin is expected


def test_the_setting_from_the_file(tmp_path):
    (tmp_path / "mintmark.toml").write_text("require_pin = true\n")

    assert load_settings(tmp_path, {}).require_pin is True


def test_what_is_no_truth_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="true or false"):
        load_settings(tmp_path, {"MINTMARK_REQUIRE_PIN": "maybe"})
    (tmp_path / "mintmark.toml").write_text("require_pin = 1\n")
    with pytest.raises(InvalidValue, match="true or false"):
        load_settings(tmp_path, {})
