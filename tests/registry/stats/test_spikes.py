"""What is out of the ordinary in a window: shares, amounts and promises against the windows before."""

from datetime import UTC, datetime

import pytest

from registry.errors import InvalidValue
from registry.notices import Watch, read_watch
from registry.objectives import Holding, Objective
from registry.stats.spikes import spikes, window_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def said(history):
    """Adds ``count`` calls made in an hour of that day: ``said(11, 5, status="timeout")``."""

    def add(hour, count=1, **more):
        for n in range(count):
            history(at=f"2026-11-20T{hour:02d}:{n % 60:02d}:30.000Z", **more)

    add.registry = history.registry
    return add


def test_windows_lie_edge_to_edge():
    assert window_of(Watch(), datetime(2026, 11, 20, 12, 59, 59, tzinfo=UTC)) == NOON
    assert window_of(Watch(5), datetime(2026, 11, 20, 12, 7, tzinfo=UTC)).minute == 5


def test_failures_are_a_spike_by_their_share_and_not_by_their_number(said):
    for vendor in ("calm", "busy", "broken", "new"):
        said(10, 18 if vendor != "new" else 2, provider=vendor)
        said(10, 2, provider=vendor, status="timeout")
    said(12, 5, provider="calm"), said(12, 4, provider="calm", status="failed")  # too few
    said(12, 50, provider="busy"), said(12, 6, provider="busy", status="failed")  # as usual
    said(12, 11, provider="broken"), said(12, 6, provider="broken", status="failed")
    said(12, 20, provider="broken", status="blocked", replay_of="sha256:" + "0" * 64)
    said(12, 9, provider="new", status="failed")  # nothing to hold it against

    assert spikes(said.registry, "failures.spike", NOON) == []
    said(12, 12, provider="broken", status="failed")
    found = spikes(said.registry, "failures.spike", NOON)

    assert found == [{"provider": "broken", "failed": 18, "calls": 49, "usual": "0.1000"}]
    assert spikes(said.registry, "failures.spike", NOON.replace(hour=11)) == []


def test_spending_is_held_against_windows_that_spent(said):
    for hour in (2, 7, 9):
        said(hour, 2, cost="0.50USD")
        said(hour, 1, cost="0.10EUR")
    said(10, cost="0.10GBP"), said(11, cost="0.10GBP"), said(12, cost="9.00GBP")  # two windows before are too few
    said(12, 6, cost="0.50USD"), said(12, 5, cost="0.10EUR")

    assert spikes(said.registry, "spend.spike", NOON) == [{"currency": "EUR", "spent": "0.50", "usual": "0.1"}]
    said(12, 1, cost="0.01USD", status="timeout")
    told = {one["currency"]: one["spent"] for one in spikes(said.registry, "spend.spike", NOON)}
    assert told == {"EUR": "0.50", "USD": "3.01"}


def test_promises_are_held_in_this_window_alone(said):
    holding = Holding({"hero": Objective("hero", {"p50_ms": 1000}), "other": Objective("other", {"p50_ms": 1000})})
    object.__setattr__(said.registry.settings, "holding", holding)
    said(11, 9, total=9000, workflow="other"), said(12, 5, total=900, workflow="other")
    said(12, 5, total=1500)

    found = spikes(said.registry, "slo.breached", NOON)

    assert found == [{"workflow": "hero", "name": "p50_ms", "limit": "1000", "measured": "1500"}]


@pytest.mark.parametrize(
    "table", [3, {"windows": 1}, {"window_minutes": 1}, {"window_minutes": True}, {"factor": 1}, {"factor": "3"}]
)
def test_mistakes_in_the_file_are_told(tmp_path, table):
    with pytest.raises(InvalidValue, match="watch"):
        read_watch(tmp_path / "mintmark.toml", {"watch": table})


def test_the_table_says_window_and_factor(tmp_path):
    assert read_watch(tmp_path, {"watch": {"window_minutes": 15, "factor": 2}}) == Watch(15, 2.0)
    assert read_watch(tmp_path, {}) == Watch(60, 3.0)
