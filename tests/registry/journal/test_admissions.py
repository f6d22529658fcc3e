"""The limiter, on every database: no window anywhere holds more than the limit, whatever clocks and threads do."""

import threading
import uuid
from bisect import bisect_left

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.journal.admissions import Admissions
from registry.journal.tables import admission


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
        wait = admissions.admit(bucket, limit, window, now)
        if wait == 0:
            admitted.append(max([now, *admitted]))  # an admission is never before the one before it
        else:
            assert 0 < wait <= window
            assert len([at for at in admitted if at > max(admitted) - window]) >= limit or now < max(admitted)
        assert fullest(admitted, window) <= limit


@pytest.mark.parametrize("limit", [1, 3])
def test_threads_that_race_are_let_in_one_by_one(database, limit):
    admissions, clock, let_in, lock = Admissions(database), [0], [], threading.Lock()

    def work():
        for _ in range(8):
            with lock:
                clock[0] += 7
                now = clock[0]
            if admissions.admit("openai", limit, 50, now) == 0:
                with lock:
                    let_in.append(now)

    crowd = [threading.Thread(target=work) for _ in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    with database.reading() as connection:
        rows = [row.at_ms for row in connection.execute(admission.select())]
    assert let_in and fullest(rows, 50) <= limit
    assert len(let_in) <= limit * (clock[0] // 50 + 1)
