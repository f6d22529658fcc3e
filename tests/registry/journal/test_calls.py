"""The journal of paid calls, on every database: rows move as the table allows, and their money moves with them."""

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.errors import InvalidValue, NotFound
from registry.journal.budgets import Budgets, BudgetSpent, amount_text, nanos_of
from registry.journal.calls import Calls, Intent, KeyTaken, Superseded, link
from registry.journal.states import MOVES, RESERVING, SETTLING, CallState, IllegalMove

ME, OTHER = "here:1:1", "there:2:2"


def intent(key="call-0001", **more):
    base = Intent(key, "sha256:m", None, "openai", "image.generate", "gpt-image-2", "d" * 64, None, "USD", 40, ME)
    return replace(base, **more)


@pytest.fixture
def calls(database):
    return Calls(database)


@pytest.fixture
def budgets(database):
    return Budgets(database)


def brought_to(calls, key, state):
    """Move a call the shortest legal way."""
    ways = {CallState.INTENDED: []}
    for _ in range(3):
        ways |= {to: [*way, to] for at, way in list(ways.items()) for to in MOVES[at] if to not in ways}
    for step in ways[state]:
        calls.move(key, step)


def test_a_call_is_begun_once_and_found_again(calls):
    stored, new = calls.intend(intent())
    again, anew = calls.intend(intent(owner=OTHER))

    assert (new, anew) == (True, False)
    assert again == stored == calls.get("call-0001")
    assert (stored.state, stored.owner, stored.reserved, stored.settled) == (CallState.INTENDED, ME, 40, None)
    assert calls.get("call-0002") is None


def test_a_key_stands_for_one_request(calls):
    calls.intend(intent())

    with pytest.raises(KeyTaken, match="another request"):
        calls.intend(intent(request_digest="e" * 64))


@pytest.mark.parametrize("before", CallState)
def test_every_move_of_the_table_is_made_and_every_other_is_refused(calls, budgets, before):
    for after in CallState:
        budget = budgets.create(100, "USD")
        key = f"call-{before}-{after}"
        calls.intend(intent(key, budget=budget))
        brought_to(calls, key, before)
        if after in MOVES[before]:
            stored = calls.move(key, after)
            held = stored.reserved if after in RESERVING else 0
            spent = stored.reserved if after in SETTLING else 0
            found = budgets.get(budget)
            assert (stored.state, found.reserved, found.settled) == (after, held, spent)
        else:
            with pytest.raises(IllegalMove):
                calls.move(key, after)
            assert calls.get(key).state is before


def test_what_was_really_charged_is_settled_even_above_the_reservation(calls, budgets):
    budget = budgets.create(100, "USD")
    calls.intend(intent(budget=budget))

    calls.move("call-0001", CallState.RECORDED, settled=130, note="request id r-1")

    assert calls.get("call-0001").settled == 130 and calls.get("call-0001").note == "request id r-1"
    assert budgets.get(budget).left == -30
    with pytest.raises(BudgetSpent, match=r"0\.00 USD are left"):
        calls.intend(intent("call-0002", budget=budget, reserved=1))


def test_a_refused_reservation_leaves_no_call(calls, budgets):
    budget = budgets.create(60, "USD")
    calls.intend(intent(budget=budget))

    with pytest.raises(BudgetSpent) as refused:
        calls.intend(intent("call-0002", budget=budget))
    with pytest.raises(InvalidValue, match="USD, the currency of budget"):
        calls.intend(intent("call-0003", budget=budget, currency="EUR", reserved=1))
    with pytest.raises(NotFound):
        calls.intend(intent("call-0004", budget="nobody-s"))

    assert refused.value.exit_code == 4
    assert [calls.get(f"call-000{n}") for n in (2, 3, 4)] == [None] * 3
    assert budgets.get(budget).reserved == 40


def test_only_the_owner_moves_a_call_and_one_of_many_takes_it_over(calls):
    stored, _ = calls.intend(intent())

    assert calls.take_over(stored, OTHER)
    assert not calls.take_over(stored, "third:3:3"), "it is not the first owner's any more"
    for late in (lambda: calls.renew("call-0001", ME), lambda: calls.acknowledge("call-0001", ME, "j")):
        with pytest.raises(Superseded, match="there:2:2"):
            late()
    calls.renew("call-0001", OTHER)
    calls.acknowledge("call-0001", OTHER, "job-7")
    with pytest.raises(Superseded):
        calls.renew("call-0001", OTHER)  # answered: there is nothing left to send
    assert calls.by_job("openai", "job-7").state is CallState.ACKNOWLEDGED
    assert calls.by_job("google", "job-7") is None


def test_open_calls_are_found_for_a_rerun_and_for_a_person(calls, database):
    for number, (manifest, run) in enumerate([("sha256:m", None), ("sha256:m", "run-1"), (None, None)]):
        calls.intend(intent(f"call-000{number}", manifest=manifest, run=run))
    calls.move("call-0002", CallState.AMBIGUOUS)

    assert [one.key for one in calls.unfinished("sha256:m", "d" * 64)] == ["call-0000"]
    assert calls.unfinished(None, "d" * 64) == [] == calls.unfinished("sha256:m", "e" * 64)
    assert [one.key for one in calls.in_states([CallState.AMBIGUOUS])] == ["call-0002"]
    assert [one.key for one in calls.in_states([CallState.INTENDED], run="run-1")] == ["call-0001"]
    assert calls.done_among(["call-0000", "call-0002", "nobody"]) == {"call-0002"}
    with database.writing() as connection:
        link(connection, "call-0002", "sha256:first")
        link(connection, "call-0002", "sha256:second")
    assert calls.get("call-0002").generation == "sha256:first"


def test_a_crowd_never_reserves_more_than_there_is(calls, budgets):
    budget, refused = budgets.create(1000, "USD"), []

    def work(worker):
        for number in range(6):
            try:
                key = f"call-{worker}-{number}"
                calls.intend(intent(key, budget=budget, reserved=60 + worker))
                found = budgets.get(budget)
                assert found.reserved + found.settled <= found.amount
                calls.move(key, CallState.RECORDED if number % 2 else CallState.FAILED)
            except BudgetSpent:
                refused.append(worker)

    crowd = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    found = budgets.get(budget)
    assert refused and found.reserved == 0 and 0 < found.settled <= 1000
    assert found.settled == sum(one.settled for one in calls.in_states([CallState.RECORDED]))


STEPS = st.lists(st.tuples(st.sampled_from(["begin", *CallState]), st.integers(0, 3), st.integers(0, 70)), max_size=25)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_the_budget_says_what_the_rows_say(database, steps):
    """The budget equals the sum over its calls, and reservations alone never exceed it."""
    calls, budgets = Calls(database), Budgets(database)
    budget = budgets.create(100, "USD")
    keys = [f"call-{budget[:8]}-{n}" for n in range(4)]
    overcharged = 0
    for step, which, amount in steps:
        try:
            if step == "begin":
                calls.intend(intent(keys[which], budget=budget, reserved=amount))
            else:
                stored = calls.move(keys[which], step, settled=amount)
                overcharged += max(0, amount - stored.reserved) if step in SETTLING else 0
        except (BudgetSpent, IllegalMove, NotFound):
            continue
        rows = [row for row in map(calls.get, keys) if row]
        found = budgets.get(budget)
        assert found.reserved == sum(row.reserved for row in rows if row.state in RESERVING)
        assert found.settled == sum(row.settled or 0 for row in rows if row.state in SETTLING)
        late = sum(row.reserved for row in rows if row.state is CallState.PAID)  # settled after it had been freed
        assert found.reserved + found.settled <= found.amount + overcharged + late


def test_amounts_are_counted_in_billionths_rounded_up():
    assert nanos_of("0.0000000001") == 1 and nanos_of("0.04") == 40_000_000
    assert [amount_text(nanos) for nanos in (0, 1, 40_000_000, 1_500_000_000)] == [
        "0.00",
        "0.000000001",
        "0.04",
        "1.50",
    ]
    for wrong in ("-1", "99999999999"):
        with pytest.raises(InvalidValue):
            nanos_of(wrong)
