"""Price tables in a home: which is in force, and what recordings make of them."""

from datetime import date

import pytest

from registry.errors import Corrupted, ExchangeConflict
from registry.manifest import Cost, Outcome
from registry.prices.store import PricesDamaged, import_prices, price_for, prices_of, stored_tables
from registry.record import record

IMAGE = {"images": 1}


@pytest.fixture
def priced(registry, price_list):
    """A registry with a list in which every image of ``m`` has a price."""

    def take(price=0.04, day=date(2026, 1, 1)):
        path = price_list({"m": {"litellm_provider": "openai", "output_cost_per_image": price}}, f"list{price}.json")
        return import_prices(registry, path, day)

    return take


def test_an_estimate_names_the_table_it_came_from(registry, priced):
    stored = priced()

    cost = price_for(registry, "openai", "m", IMAGE)

    assert (cost.amount, cost.currency, cost.kind, cost.units) == ("0.04", "USD", "estimated", {"images": 1})
    assert (cost.price_table.sha256, cost.price_table.effective_from) == (stored.sha256, "2026-01-01")


def test_without_tables_or_entries_the_cost_is_unknown(registry, priced):
    assert price_for(registry, "openai", "m", IMAGE) == Cost(units=IMAGE)
    priced()
    assert price_for(registry, "openai", "other", IMAGE) == Cost(units=IMAGE)
    assert price_for(registry, "another", "m", IMAGE) == Cost(units=IMAGE)


def test_the_table_in_force_on_the_day_counts(registry, priced):
    priced(0.04, date(2026, 1, 1))
    priced(0.05, date(2026, 6, 1))

    costs = [price_for(registry, "openai", "m", IMAGE, on=date(2026, month, 1)).amount for month in (5, 6, 7)]

    assert costs == ["0.04", "0.05", "0.05"]
    assert price_for(registry, "openai", "m", IMAGE, on=date(2025, 12, 31)).kind == "unknown"


def test_own_prices_go_before_the_list(registry, price_list, own_prices):
    import_prices(registry, price_list(), date(2026, 1, 1))
    before = price_for(registry, "openai", "gpt-image-2", IMAGE)
    import_prices(registry, own_prices(), date(2026, 1, 1))

    cost = price_for(registry, "openai", "gpt-image-2", IMAGE)

    assert before.kind == "unknown"
    assert (cost.amount, cost.currency) == ("0.035", "EUR")
    assert [stored.kind for stored, _ in prices_of(registry.home, "openai", "gpt-image-2")] == ["own", "list"]


def test_the_same_table_is_stored_once(registry, priced):
    first, again = priced(), priced()

    assert first == again and list(stored_tables(registry.home)) == [first]


def test_an_altered_table_is_noticed(registry, priced):
    stored = priced()
    path = registry.home / "prices" / f"{stored.sha256}.json"
    path.write_text(path.read_text().replace("0.04", "0.01"))

    with pytest.raises(Corrupted, match="price table"):
        price_for(registry, "openai", "m", IMAGE)


def test_a_damaged_list_of_tables_says_what_to_do(registry, priced):
    priced()
    (registry.home / "prices" / "tables.json").write_text("[{")

    with pytest.raises(PricesDamaged, match="import the tables again"):
        price_for(registry, "openai", "m", IMAGE)


def test_a_recording_that_says_no_cost_gets_an_estimate(registry, priced, made, picture):
    stored = priced()
    path = picture()

    cost = record(registry, made(path, model="m"), {str(path): path}).manifest.cost

    assert (cost.amount, cost.kind, cost.price_table.sha256, cost.units) == (
        "0.04",
        "estimated",
        stored.sha256,
        {"images": 1},
    )


@pytest.mark.parametrize(
    "said",
    [
        {"cost": Cost(amount="1", currency="USD", kind="reported")},
        {"outcome": Outcome(completed_at="2025-12-31T12:00:00.000Z")},
        {"model": "other"},
    ],
)
def test_what_is_said_stays_and_what_is_unknown_too(registry, priced, made, picture, said):
    priced()
    path = picture()

    cost = record(registry, made(path, **({"model": "m"} | said)), {str(path): path}).manifest.cost

    assert cost == said.get("cost", Cost())


def test_a_call_that_failed_is_not_priced(registry, priced, made):
    priced()

    draft = made(model="m", operation="image.generate", outcome=Outcome(class_="blocked", state="failed"))

    assert record(registry, draft, {}).manifest.cost == Cost()


def test_the_same_draft_is_the_same_after_prices_changed(registry, priced, made, picture):
    path = picture()
    draft = made(path, model="m", exchange_id="exchange-1")
    first = record(registry, draft, {str(path): path})
    priced()

    again = record(registry, draft, {str(path): path})

    assert (again.id, again.new) == (first.id, False)
    with pytest.raises(ExchangeConflict):
        record(registry, made(path, model="n", exchange_id="exchange-1"), {str(path): path})


@pytest.mark.parametrize(
    ("reported", "amount"),
    [
        ({"audio_ms": 60_000}, "0.006"),
        ({"seconds": 60}, "0.006"),
        ({"audio_ms": 60_000, "channels": 2}, None),
        ({}, None),
    ],
)
def test_what_transcribers_report_is_charged_as_heard(registry, price_list, made, tmp_path, reported, amount):
    import_prices(registry, price_list(), date(2026, 1, 1))
    path = tmp_path / "t.txt"
    path.write_text("good morning and welcome to the morning news")
    draft = made(path, model="whisper-1", operation="audio.transcribe", cost=Cost(units=reported))

    cost = record(registry, draft, {str(path): path}).manifest.cost

    assert cost.amount == amount and reported.items() <= cost.units.items()
