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
