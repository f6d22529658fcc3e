"""A run that is canceled, or wants something again, in the instant in which it is ended."""

import pytest

from registry.journal.runs import Runs
from replay.suites import finishing
from replay.suites.running import Finished, advance


@pytest.fixture
def meanwhile(monkeypatch):
    """Has something happen once, between a run's reading and its end: ``meanwhile(action)``."""

    def arrange(action):
        waiting, real = [action], finishing.result_of

        def result_of(*given, **more):
            if waiting:
                assert waiting.pop()()
            return real(*given, **more)

        monkeypatch.setattr(finishing, "result_of", result_of)

    return arrange


@pytest.fixture
def settled(local_registry, made, begun):
    """A run all of whose replays failed; its end is not written yet."""
    made("a")
    run, runs = begun(), Runs(local_registry.catalog.database)
    for row in runs.replays(run):
        runs.settle(row, "failed", outcome="refused", why="it did not want to")
    return run


def test_a_cancel_that_was_heard_is_how_the_run_ends(local_registry, settled, meanwhile):
    runs = Runs(local_registry.catalog.database)
    meanwhile(lambda: runs.cancel(settled))

    found = advance(local_registry, settled)

    assert isinstance(found, Finished)
    assert (found.result["state"], runs.state(settled)) == ("canceled", "canceled")
    assert len(local_registry.catalog.about(found.result["manifests"][0]["id"], "run")) == 1


def test_what_is_wanted_again_meanwhile_is_made_before_the_end(local_registry, settled, meanwhile, ended):
    runs = Runs(local_registry.catalog.database)
    meanwhile(lambda: runs.again(settled, runs.replays(settled)))

    [wanted] = advance(local_registry, settled)

    assert runs.get(settled).result is None
    assert (wanted.ordinal, runs.state(settled)) == (0, "open")
    assert ended(settled)["exit_code"] == 0
