"""Which recorded models are shut down, and when."""

import json
from datetime import date
from importlib import resources

import msgspec
import pytest

from registry.capture.description import Descriptions, load, shipped
from registry.errors import InvalidValue
from registry.manifest import Model, Provider
from registry.prices.store import import_prices
from registry.record import record
from registry.retiring import locked, retirements


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def descriptions(tmp_path):
    """One description of provider ``vendor`` that names a day for ``old-model``, ``both`` and all of ``clay-2``."""
    source = next(path for path in shipped_files() if path.name == "procedural-image.toml")
    text = source.read_text().replace('provider = "procedural"', 'provider = "vendor"')
    path = tmp_path / "procedural-image.toml"
    path.write_text(
        text + '\n[retires]\n"old-model" = "2026-09-24"\n"both" = "2027-05-01"\n"clay-2.*" = "2027-06-01"\n'
    )
    return Descriptions([load(path)])


def shipped_files():
    return sorted((resources.files("registry.capture") / "descriptions").iterdir())


@pytest.fixture
def add(registry, made, picture):
    def add(model, seed=1, provider="vendor", **more):
        path = picture(f"{model}{seed}.png", seed=seed)
        asked = {"provider": Provider(name=provider), "model": Model(requested=model), "operation": "image.generate"}
        draft = msgspec.structs.replace(made(path, **more), **asked)
        return record(registry, draft, {str(path): path}).id

    return add


def told(registry, descriptions, until=None):
    found = retirements(registry, descriptions, until=until)
    return [(one.model, one.day.isoformat(), one.generations, one.replays, one.source) for one in found]


def test_nothing_recorded_nothing_retires(registry, descriptions):
    assert told(registry, descriptions) == []


def test_a_pattern_names_the_day_of_every_model_that_it_fits(registry, descriptions, add):
    for model in ("clay-2.0", "clay-2.1-turbo", "clay-20"):
        add(model)

    days = [("clay-2.0", "2027-06-01", 1, 0, "description"), ("clay-2.1-turbo", "2027-06-01", 1, 0, "description")]
    assert told(registry, descriptions) == days


def test_days_come_from_descriptions_and_price_tables_the_earlier_counts(registry, descriptions, add, tmp_path):
    (tmp_path / "list.json").write_text(
        json.dumps(
            {
                "listed": {"litellm_provider": "vendor", "output_cost_per_image": 1, "deprecation_date": "2027-01-01"},
                "vendor/both": {"litellm_provider": "vendor", "deprecation_date": "2027-03-01"},
                "unused": {"litellm_provider": "vendor", "deprecation_date": "2026-01-01"},
            }
        )
    )
    import_prices(registry, tmp_path / "list.json", date(2026, 1, 1))
    original = add("old-model")
    add("old-model", seed=2)
    add("old-model", seed=3, replay_of=original)
    for model in ("listed", "both", "lasting"):
        add(model)
    add("old-model", seed=4, provider="another")

    expected = [
        ("old-model", "2026-09-24", 2, 1, "description"),
        ("listed", "2027-01-01", 1, 0, "price table"),
        ("both", "2027-03-01", 1, 0, "price table"),
    ]
    assert told(registry, descriptions) == expected
    assert told(registry, descriptions, until=date(2027, 1, 1)) == expected[:2]


def test_days_left_are_counted(registry, descriptions, add):
    add("old-model")

    (one,) = retirements(registry, descriptions)

    assert (one.days_left(date(2026, 9, 20)), one.days_left(date(2026, 9, 25))) == (4, -1)
    assert shipped() is not descriptions


@pytest.fixture
def lock(tmp_path):
    """The lock of a suite that pins generations."""

    def write(*ids, **more):
        value = {"format": "mintmark/lock/v1", "select": "0" * 64, "manifests": [{"id": one} for one in ids]}
        path = tmp_path / "suite.lock"
        path.write_text(json.dumps(value | more))
        return path

    return write


def test_a_lock_narrows_it_to_what_the_suite_pins(registry, descriptions, add, lock):
    first = add("old-model")
    add("old-model", seed=2)
    add("both")

    (one,) = retirements(registry, descriptions, among=locked(lock(first, first, f"sha256:{'0' * 64}")))

    assert (one.model, one.generations) == ("old-model", 1)
    assert retirements(registry, descriptions, among=[]) == []


def test_what_a_provider_says_goes_before_what_was_written_of_it(registry, descriptions, add):
    add("old-model")
    told = {("vendor", "old-model"): date(2026, 12, 1), ("vendor", "both"): date(2020, 1, 1)}

    (one,) = retirements(registry, descriptions, told=told)

    assert (one.day, one.source) == (date(2026, 12, 1), "provider")


@pytest.mark.parametrize("more", [{"format": "other"}, {"manifests": [1]}, {"manifests": [{"id": 7}]}])
def test_what_is_no_lock_is_refused(lock, more):
    with pytest.raises(InvalidValue, match="mintmark/lock/v1"):
        locked(lock(**more))


def test_a_lock_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="No such file"):
        locked(tmp_path / "no.lock")
