from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.annotate import review
from registry.stats.calls import Selection, calls
from registry.stats.cost import Costs, Spent, costs
from registry.stats.grouping import group_by
from registry.stats.reviews import reviewed


def cost_of(history, by="workflow", minute=None, **which):
    selection = Selection(workflow="hero", **which)
    grouping = group_by(by, selection.period, replays=selection.replays)
    return costs(calls(history.registry, selection), grouping, reviewed(history.registry), minute)


def test_what_one_usable_output_costs_counts_everything_that_failed_on_the_way(history):
    good = history(cost="0.04USD", attempts=3)
    bad = history(cost="0.04USD", attempts=1)
    history(cost="0.04USD", status="blocked")
    history(cost="0.02USD", status="timeout")
    history(status="failed")
    review(history.registry, good, usable=True, minutes="3", cost=("0.10", "USD"))
    review(history.registry, bad, usable=False, minutes="1.5")

    (group,) = cost_of(history)

    assert group.calls == {"usable": 1, "unusable": 1, "unreviewed": 0, "blocked": 1, "failed": 2}
    assert group.unknown["failed"] == 1 and sum(group.unknown.values()) == 1
    assert (group.retries, group.told, group.minutes) == (2, 2, Decimal("4.5"))
    spent = group.spent["USD"]
    assert [str(spent.by_path[path]) for path in ("usable", "unusable", "blocked", "failed")] == [
        "0.04", "0.04", "0.04", "0.02",
    ]  # fmt: skip
    assert group.per_usable("USD") == (Decimal("0.24"), Decimal("0.24"))


def test_unreviewed_outputs_are_unknown_and_never_usable(history):
    good = history(cost="0.04USD")
    history(cost="0.04USD", outputs=3)
    review(history.registry, good, usable=True)

    (group,) = cost_of(history)

    assert group.outputs["usable"] == 1 and group.outputs["unreviewed"] == 3
    assert group.per_usable("USD") == (Decimal("0.02"), Decimal("0.08"))


def test_without_a_usable_output_there_is_no_cost_of_one(history):
    one = history(cost="0.04USD")
    assert cost_of(history)[0].per_usable("USD") == "nothing is reviewed"

    review(history.registry, one, usable=False)

    assert cost_of(history)[0].per_usable("USD") == "no reviewed output is usable"


def test_currencies_and_credits_are_never_added_up(history):
    for amount in ("0.04USD", "0.04EUR", "12.5CRD", "0.01USD"):
        review(history.registry, history(cost=amount), usable=True, cost=("1", "EUR"))

    (group,) = cost_of(history)

    assert {name: (spent.calls, spent.review) for name, spent in group.spent.items()} == {
        "USD": (Decimal("0.05"), 0),
        "EUR": (Decimal("0.04"), 4),
        "CRD": (Decimal("12.5"), 0),
    }
    assert group.per_usable("USD")[0] == Decimal("0.0125")


def test_estimates_reports_and_invoices_are_told_apart(history):
    history(cost="0.01USD", kind="estimated")
    history(cost="0.02USD", kind="reported")
    history(cost="0.04USD", kind="invoiced")
    history()

    (group,) = cost_of(history)

    assert {kind: str(amount) for kind, amount in group.spent["USD"].by_kind.items()} == {
        "estimated": "0.01", "reported": "0.02", "invoiced": "0.04",
    }  # fmt: skip
    assert sum(group.unknown.values()) == 1


def test_replays_are_left_out_or_stand_apart(history):
    first = history(cost="0.04USD")
    history(cost="1.00USD", replay_of=first)

    assert cost_of(history)[0].spent["USD"].total == Decimal("0.04")
    apart = cost_of(history, replays=True)
    assert {group.key: str(group.spent["USD"].total) for group in apart} == {
        ("hero", "first"): "0.04", ("hero", "replay"): "1.00",
    }  # fmt: skip


def test_the_newest_review_decides_and_of_each_reviewer_the_newest_counts(history):
    one = history(cost="0.04USD")
    said = {"format": "mintmark/review/v1", "subject": one, "reason": None, "cost": None}
    for second, actor, usable, minutes in ((1, "anna", True, "25"), (2, "ben", True, "1"), (3, "anna", False, "2.5")):
        at = f"2026-11-20T12:00:0{second}.000Z"
        record = said | {"recorded_at": at, "actor": actor, "usable": usable, "minutes": minutes}
        history.speaks("review", record, one)

    found = reviewed(history.registry)[one]

    assert not found.usable and found.minutes == Decimal("3.5")


def test_minutes_count_as_money_only_where_a_minute_has_a_price(history):
    one = history(cost="0.04USD")
    review(history.registry, one, usable=True, minutes="10")

    assert set(cost_of(history)[0].spent) == {"USD"}
    assert cost_of(history, minute=(Decimal("0.80"), "EUR"))[0].spent["EUR"].review == Decimal("8.00")


def test_reviews_are_read_on_every_database(history_anywhere):
    one, other = history_anywhere(cost="0.04USD"), history_anywhere(cost="0.04USD")
    review(history_anywhere.registry, one, usable=True)
    review(history_anywhere.registry, other, usable=False)

    (group,) = cost_of(history_anywhere)

    assert group.per_usable("USD") == (Decimal("0.08"), Decimal("0.08"))


counts = st.integers(0, 1000)


@settings(deadline=None, max_examples=100)
@given(counts, counts, counts, st.decimals(0, 10**6, places=6), st.decimals(0, 10**6, places=6))
def test_the_two_ends_hold_whatever_the_unreviewed_turn_out_to_be(usable, unreviewed, turned, on_calls, on_reviews):
    spent = Spent(review=on_reviews)
    spent.by_path["failed"] = on_calls
    group = Costs(("hero",), spent={"USD": spent})
    group.outputs |= {"usable": usable, "unreviewed": unreviewed}

    found = group.per_usable("USD")

    if not usable:
        assert isinstance(found, str)
        return
    least, most = found
    truth = (on_calls + on_reviews) / (usable + min(turned, unreviewed))
    assert least <= truth <= most
