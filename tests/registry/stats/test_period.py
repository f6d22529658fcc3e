import time

import pytest

from registry.errors import InvalidValue
from registry.stats.period import parse_period


def test_a_month_is_that_of_the_zone_and_its_words_name_both_offsets():
    period = parse_period(month="2026-10", zone="Europe/Berlin")

    assert (period.since, period.until) == ("2026-09-30T22:00:00.000Z", "2026-10-31T23:00:00.000Z")
    assert period.words == "from 2026-10-01 00:00 CEST to 2026-11-01 00:00 CET (Europe/Berlin)"


def test_december_ends_with_the_year():
    period = parse_period(month="2026-12", zone="UTC")

    assert (period.since, period.until) == ("2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")


def test_bare_dates_are_midnight_in_the_zone_and_written_zones_stay():
    period = parse_period("2026-11-01", "2026-11-02T00:00:00Z", zone="Asia/Tokyo")

    assert (period.since, period.until) == ("2026-10-31T15:00:00.000Z", "2026-11-02T00:00:00.000Z")


def test_bare_dates_without_a_zone_are_this_machines(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        period = parse_period("2026-11-01")
        name = period.zone_name
    finally:
        monkeypatch.undo()
        time.tzset()

    assert period.since == "2026-11-01T04:00:00.000Z"
    assert name.endswith(", this machine's time")


def test_the_beginning_belongs_to_a_period_and_its_end_does_not():
    period = parse_period(month="2026-10", zone="UTC")

    assert period.holds("2026-10-01T00:00:00.000Z") and period.holds("2026-10-31T23:59:59.999Z")
    assert not period.holds("2026-11-01T00:00:00.000Z") and not period.holds("2026-09-30T23:59:59.999Z")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"zone": "Mars/Olympus"}, "--tz: 'Mars/Olympus'"),
        ({"zone": "../../etc/passwd"}, "--tz"),
        ({"zone": ""}, "--tz"),
        ({"month": "2026-13"}, "--month: '2026-13' is not a month such as 2026-10"),
        ({"month": "0000-01"}, "--month"),
        ({"month": "9999-12"}, "--month"),
        ({"month": "2026-10", "since": "7d"}, "leave one of them out"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "later than --since 2026-11-02"),
        ({"since": "soon"}, "--since: 'soon'"),
    ],
)
def test_what_is_no_period_says_so(said, told):
    with pytest.raises(InvalidValue) as problem:
        parse_period(**said)

    assert told in str(problem.value)
