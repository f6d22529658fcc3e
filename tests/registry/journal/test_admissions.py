"""The limiter, on every database: no window anywhere holds more than the limit, whatever clocks and threads do."""

import threading
import uuid
from bisect import bisect_left
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from registry.journal.admissions import Admissions
from registry.journal.tables import admission
from registry.journal.workers import clock_ms


def fullest(times, window_ms):
    """The most admissions that any window holds."""
    times = sorted(times)
    return max((bisect_left(times, start + window_ms) - n for n, start in enumerate(times)), default=0)


def test_room_comes_when_the_oldest_leaves(database):
    admissions = Admissions(database)

    assert [admissions.admit("openai", 2, 1000, at) for at in (0, 400, 600, 999, 1000, 1100)] == [0, 0, 400, 1, 0, 300]
    assert admissions.admit("google", 2, 1000, 600) == 0, "another bucket"


def test_a_smaller_limit_counts_what_a_larger_one_let_in(database):
    admissions = Admissions(database)
    for at in (0, 10, 20, 30):
        assert admissions.admit("openai", 4, 1000, at) == 0

    assert admissions.admit("openai", 1, 1000, 40) == 990


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 4),
    window=st.integers(1, 50),
    steps=st.lists(st.integers(-20, 40), min_size=1, max_size=30),
)
def test_no_window_is_overfull_even_if_the_clock_is_set_back(database, limit, window, steps):
    admissions, bucket = Admissions(database), uuid.uuid4().hex
    now, admitted = 1000, []
    for step in steps:
        now += step
        if admitted and max(admitted) > now + window:  # of a clock that went wrong: they count as let in now
            admitted = [min(at, now) if at > now + window else at for at in admitted if at > max(admitted) - window]
        wait = admissions.admit(bucket, limit, window, now)
        if wait == 0:
            admitted.append(max([now, *admitted]))  # an admission is never before the one before it
        else:
            assert 0 < wait <= window
            assert len([at for at in admitted if at > max(admitted) - window]) >= limit or now < max(admitted)
        assert fullest(admitted, window) <= limit


def test_a_clock_that_went_wrong_holds_nobody_back_for_longer_than_a_window(database):
    admissions, now, hour = Admissions(database), 1_700_000_000_000, 3_600_000
    assert [admissions.admit("openai", 2, 60_000, now + hour) for _ in range(2)] == [0, 0]

    waits = [admissions.admit("openai", 2, 60_000, now + after) for after in (0, 30_000, 60_000, 60_001, 60_002)]

    assert waits == [60_000, 30_000, 0, 0, 59_998], "those two count as let in when the mistake was found"


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 4),
    window=st.integers(1, 50),
    steps=st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 0, 5, 60, 1000])), min_size=1, max_size=30),
)
def test_no_span_of_real_time_is_overfull_however_far_the_clock_is_set_back(database, limit, window, steps):
    admissions, bucket = Admissions(database), uuid.uuid4().hex
    real, ahead, let_in = 0, 1_000_000, []
    for passed, back in steps:
        real, ahead = real + passed, ahead - back
        wait = admissions.admit(bucket, limit, window, real + ahead)
        if wait == 0:
            let_in.append(real)
        assert wait <= 2 * window and fullest(let_in, window) <= limit

    assert any(admissions.admit(bucket, limit, window, real + ahead + after) == 0 for after in (window, 2 * window))


def test_without_a_time_everybody_goes_by_the_clock_of_the_database(database, monkeypatch):
    admissions = Admissions(database)
    if not database.is_sqlite:
        monkeypatch.setattr("time.time_ns", lambda: 4_000_000_000_000_000_000)  # this machine's is of no account

    assert admissions.admit("openai", 1, 3_600_000) == 0
    assert 3_590_000 < admissions.admit("openai", 1, 3_600_000) <= 3_600_000
    with database.reading() as connection:
        (at,) = connection.execute(select(admission.c.at_ms)).scalars()
    assert abs(at / 1000 - datetime.now(UTC).timestamp()) < 600


@pytest.mark.parametrize("limit", [1, 3])
def test_threads_that_race_are_let_in_one_by_one(database, limit):
    admissions, let_in, began = Admissions(database), [], clock_of(database)

    def work():
        for _ in range(8):
            if admissions.admit("openai", limit, 50) == 0:
                let_in.append(1)

    crowd = [threading.Thread(target=work) for _ in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    with database.reading() as connection:
        rows = [row.at_ms for row in connection.execute(admission.select())]
    assert let_in and fullest(rows, 50) <= limit
    assert len(let_in) <= limit * ((clock_of(database) - began) // 50 + 1)


def clock_of(database):
    with database.reading() as connection:
        return clock_ms(connection)
