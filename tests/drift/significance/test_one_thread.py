"""A decision keeps BLAS in one thread while it runs, and no longer."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from drift.significance.one_thread import in_one_thread


def threads():
    np.eye(3) @ np.eye(3)
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def two_before():
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.mark.usefixtures("two_before")
def test_a_decision_runs_in_one_thread_and_sets_back_what_was_set():
    assert in_one_thread(threads)() == {1}
    assert threads() == {2}


@pytest.mark.usefixtures("two_before")
def test_a_decision_that_fails_sets_it_back():
    @in_one_thread
    def failing():
        raise ValueError(threads())

    with pytest.raises(ValueError, match=r"^\{1\}$"):
        failing()
    assert threads() == {2}
