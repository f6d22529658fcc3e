"""Runs and their replays: every move tested, nothing twice, on both databases."""

import pytest

from registry.errors import AmbiguousPrefix, InvalidValue, NotFound
from registry.journal.runs import MOVES, Runs

IDS = [f"sha256:{n:064x}" for n in range(3)]
STATES = sorted(MOVES)


@pytest.fixture
def runs(database):
    return Runs(database)


def begun(runs, *wanted):
    return runs.create("shop", {"plan": 1}, wanted or [(IDS[0], 0, "first")])


def test_a_run_is_found_by_id_prefix_and_as_the_newest(runs):
    first, second = begun(runs), begun(runs)

    assert runs.resolve(first) == first == runs.resolve(first[4:14])
    assert runs.resolve("@last") == second
    assert (runs.get(first).plan, runs.get(first).state, runs.get(first).result) == ({"plan": 1}, "open", None)
    for name, error in (("run-00000000", NotFound), ("7", InvalidValue), ("no id", InvalidValue)):
        with pytest.raises(error):
            runs.resolve(name)
    with pytest.raises(NotFound, match="check"):
        runs.get("run-0")
    assert AmbiguousPrefix


def test_wanting_twice_adds_nothing(runs):
    run = begun(runs, (IDS[1], 0, "gate"), (IDS[0], 1, "gate"), (IDS[0], 0, "gate"))
    runs.want(run, [(IDS[0], 0, "look"), (IDS[0], 2, "look")])
    runs.want(run, [(IDS[0], 2, "look")])

    found = [(one.manifest, one.ordinal, one.purpose) for one in runs.replays(run)]
    assert found == [(IDS[0], 0, "gate"), (IDS[0], 1, "gate"), (IDS[0], 2, "look"), (IDS[1], 0, "gate")]
    assert runs.counts(run) == {"gate": {"wanted": 3}, "look": {"wanted": 1}}
    assert runs.totals(run) == {"wanted": 4}


@pytest.mark.parametrize("state", [state for state in STATES if state != "wanted"])
def test_a_replay_ends_once_and_may_be_wanted_again_unless_it_was_made(runs, state):
    run = begun(runs)
    wanted = runs.replay(run, IDS[0], 0)

    assert runs.settle(wanted, state, outcome="said", generation=IDS[2], scores=[{"a": 1.5}], why="so")
    ended = runs.replay(run, IDS[0], 0)
    assert (ended.state, ended.outcome, ended.generation, ended.scores, ended.why) == (
        state,
        "said",
        IDS[2],
        [{"a": 1.5}],
        "so",
    )
    assert not runs.settle(wanted, "made", outcome="late"), "who comes second changes nothing"
    if state == "made":
        with pytest.raises(InvalidValue):
            runs.again(run, [ended])
        return
    assert runs.again(run, [ended]) == 1
    anew = runs.replay(run, IDS[0], 0)
    assert (anew.state, anew.tries, anew.scores, anew.generation) == ("wanted", 1, None, None)
    assert not runs.settle(wanted, "made", outcome="of the first try")
    assert runs.settle(anew, "failed", outcome="timeout")
    assert runs.again(run, [runs.replay(run, IDS[0], 0)], same_try=True) == 1
    assert runs.replay(run, IDS[0], 0).tries == 1


def test_nobody_ends_a_replay_as_wanted(runs):
    run = begun(runs)

    with pytest.raises(InvalidValue):
        runs.settle(runs.replay(run, IDS[0], 0), "wanted", outcome="x")
    with pytest.raises(NotFound):
        runs.replay(run, IDS[0], 9)


def test_an_end_is_written_with_its_record_and_trying_again_opens_the_run(runs):
    run = begun(runs)
    runs.settle(runs.replay(run, IDS[0], 0), "failed", outcome="timeout")
    with runs.database.writing() as connection:
        assert runs.record_of(connection, run) is None
        runs.finish(connection, run, "finished", {"exit_code": 3}, IDS[1])

    done = runs.get(run)
    assert (done.state, done.result, done.record) == ("finished", {"exit_code": 3}, IDS[1])
    assert not runs.cancel(run), "it is over"
    runs.again(run, runs.replays(run))
    assert (runs.state(run), runs.get(run).result, runs.get(run).record) == ("open", None, None)
    assert runs.cancel(run) and runs.state(run) == "canceled"
