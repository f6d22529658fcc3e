from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.stats.matching import Recorded, items_of, reconcile
from registry.stats.period import Period
from registry.stats.usage import Billed

NOON = "2026-11-01T12:00:00.000Z"
AUTUMN = Period("2026-10-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z")


def call(n, **said):
    base = Recorded(
        f"sha256:{n:064x}", f"r-{n}", None, NOON, None, ("m-1",), "succeeded", Decimal("0.04"), "USD", "reported"
    )
    return replace(base, **said)


def row(n, **said):
    return replace(Billed(n + 2, f"r-{n}", None, NOON, "m-1", Decimal("0.04"), "USD"), **said)


def told(rows, calls, period=AUTUMN):
    items, count = items_of(rows)
    return reconcile(items, count, calls, period)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), max_size=40), st.randoms())
def test_every_call_and_every_row_is_accounted_for_once(cases, random):
    calls = [call(n) for n, (recorded, _, _) in enumerate(cases) if recorded]
    rows = [
        row(n, amount=Decimal(extra) / 100 + Decimal("0.04")) for n, (_, billed, extra) in enumerate(cases) if billed
    ]
    random.shuffle(calls)
    random.shuffle(rows)

    found = told(rows, calls)

    assert found.matched == sum(recorded and billed and not extra for recorded, billed, extra in cases)
    assert len(found.differing) == sum(bool(recorded and billed and extra) for recorded, billed, extra in cases)
    assert {item.ids for item in found.not_recorded} == {
        (f"r-{n}",) for n, (recorded, billed, _) in enumerate(cases) if billed and not recorded
    }
    assert {one.request_id for one in found.not_billed} == {
        f"r-{n}" for n, (recorded, billed, _) in enumerate(cases) if recorded and not billed
    }
    assert found.billed.get("USD", 0) == sum(one.amount for one in rows)
    assert found.recorded.get("USD", 0) == sum(one.amount for one in calls)
    assert found.agrees == (not found.differing and not found.not_recorded and not found.not_billed)


def test_parts_of_one_call_are_added_up_and_a_second_bill_shows():
    assert told([row(1, amount=Decimal("0.01")), row(1, amount=Decimal("0.03"))], [call(1)]).agrees

    twice = told([row(1), row(1)], [call(1)])

    assert [(one.billed.lines, one.billed.amounts) for one in twice.differing] == [([3, 3], {"USD": Decimal("0.08")})]


def test_the_same_row_twice_shows_even_where_nothing_says_what_the_call_cost():
    unknown = call(1, kind="unknown", amount=None, currency=None)
    half = row(1, amount=Decimal("0.02"))

    twice = told([row(1), row(1, line=9)], [unknown])
    parts = told([row(1, amount=Decimal("0.01")), row(1, line=9, amount=Decimal("0.03"))], [unknown])

    assert not twice.agrees and [one.billed.lines for one in twice.differing] == [[3, 9]]
    assert twice.differing[0].billed.twice and twice.billed["USD"] == Decimal("0.08")
    assert parts.agrees and parts.priced == 1
    assert told([half, replace(half, line=9)], [call(1)]).agrees, "two halves of what was recorded"


def test_parts_of_one_call_are_joined_by_either_id():
    whole = row(1, request_id="r-1", job_id="j-1", amount=Decimal("0.01"))
    job, request = (
        row(2, request_id=None, job_id="j-1", amount=Decimal("0.02")),
        row(3, amount=Decimal("0.01"), request_id="r-1"),
    )
    once = call(1, job_id="j-1")

    for rows in ([whole, job, request], [job, request, whole], [request, whole, job]):
        items, count = items_of(rows)

        assert [sorted(item.lines) for item in items] == [[3, 4, 5]] and count == 3
        assert set(items[0].ids) == {"r-1", "j-1"}
        assert told(rows, [once]).agrees
    assert [item.lines for item in items_of([job, request])[0]] == [[4], [5]]  # nothing says that they are one


def test_a_call_recorded_twice_is_billed_once():
    found = told([row(1)], [call(1), call(2, request_id="r-1")])

    assert found.matched == 1 and [one.id[-1] for one in found.not_billed] == ["2"]


def test_a_job_id_joins_as_well_as_a_request_id_in_either_column():
    assert told([row(1, request_id=None, job_id="j-1")], [call(1, request_id="x", job_id="j-1")]).matched == 1
    assert told([row(1, request_id="j-1")], [call(1, request_id="x", job_id="j-1")]).matched == 1


def test_without_ids_time_model_and_amount_join_and_each_call_once():
    calls = [
        call(1, request_id=None, at="2026-11-01T11:59:00.000Z"),
        call(2, request_id=None, at="2026-11-01T11:50:00.000Z", ended="2026-11-01T12:00:30.000Z"),
        call(3, request_id=None, at="2026-11-01T11:00:00.000Z"),
    ]

    found = told([row(1, request_id=None), row(2, request_id=None), row(3, request_id=None)], calls)

    assert (found.matched, found.by_time) == (2, 2)
    assert [one.id[-1] for one in found.not_billed] == ["3"] and len(found.not_recorded) == 1


def test_a_row_with_an_id_never_takes_a_call_with_another_one():
    found = told([row(1)], [call(2)])

    assert not found.matched and len(found.not_recorded) == len(found.not_billed) == 1


def test_another_amount_joins_only_what_was_estimated_or_unknown():
    bill = row(1, request_id=None, amount=Decimal("0.05"))

    assert not told([bill], [call(1, request_id=None)]).matched
    estimated = told([bill], [call(1, request_id=None, kind="estimated")])
    unknown = told([bill], [call(1, request_id=None, kind="unknown", amount=None, currency=None)])

    assert len(estimated.differing) == 1 and estimated.by_time == 1
    assert (unknown.matched, unknown.priced) == (1, 1) and unknown.agrees


def test_another_currency_is_a_difference_and_sums_stay_apart():
    found = told([row(1, currency="EUR")], [call(1)])

    assert len(found.differing) == 1
    assert (found.billed, found.recorded) == ({"EUR": Decimal("0.04")}, {"USD": Decimal("0.04")})


def test_failures_and_calls_outside_the_period_are_not_missed():
    calls = [
        call(1, outcome="failed", amount=None, currency=None, kind="unknown"),
        call(2, amount=Decimal(0)),
        call(3, at="2026-09-30T23:59:59.000Z"),
        call(4, outcome="ambiguous", amount=None, currency=None, kind="unknown"),
        call(5, outcome="blocked"),
    ]

    found = told([], calls)

    assert {one.id[-1] for one in found.not_billed} == {"4", "5"}
    assert found.free == 2


def test_a_bill_that_comes_late_still_finds_its_call():
    assert told([row(3)], [call(3, at="2026-09-30T23:59:59.000Z")]).agrees
