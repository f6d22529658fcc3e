"""Job states move as the table says, and an outcome's class and state have to go together."""

import json
from itertools import product

import pytest

from registry.schema import schema_text
from replay.errors import IllegalTransition
from replay.outcome import ENDS, MOVES, EndState, JobState, OutcomeClass, Safety, advance, ended
from replay.provider import Outcome, latency_ms

ENDED = {"succeeded", "failed", "canceled", "expired"}


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_every_pair_of_states(before, after):
    running = before not in ENDED
    legal = before == after or (running and after in ENDED) or (before, after) in {
        ("submitted", "queued"),
        ("submitted", "processing"),
        ("queued", "processing"),
        ("processing", "queued"),
    }  # fmt: skip

    if legal:
        assert advance(before, after) is after
    else:
        with pytest.raises(IllegalTransition, match=f"from {before} to {after}") as caught:
            advance(before, after)
        assert caught.value.exit_code == 3


def test_the_ends_are_the_states_nothing_follows():
    assert {state for state in JobState if ended(state)} == ENDED
    assert set(MOVES) == set(JobState)


def test_from_every_state_a_job_can_end_in_every_way():
    for state in JobState:
        if not ended(state):
            assert set(MOVES[state]) >= ENDED


@pytest.mark.parametrize(("class_", "state"), list(product(OutcomeClass, EndState)))
def test_class_and_state_go_together_or_are_refused(class_, state):
    if state in ENDS[class_]:
        assert Outcome(class_, state).class_ is class_
    else:
        with pytest.raises(IllegalTransition):
            Outcome(class_, state)


@pytest.mark.parametrize(
    ("class_", "state"),
    [
        ("succeeded", "failed"),
        ("succeeded", "unknown"),
        ("ambiguous", "succeeded"),
        ("rejected", "succeeded"),
        ("retired", "unknown"),
    ],
)
def test_combinations_that_would_be_a_lie(class_, state):
    assert EndState(state) not in ENDS[OutcomeClass(class_)]


def test_the_words_are_those_of_the_manifest():
    properties = json.loads(schema_text("manifest/v1"))["$defs"]["outcome"]["properties"]

    assert set(properties["class"]["enum"]) == {item.value for item in OutcomeClass}
    assert set(properties["state"]["enum"]) == {item.value for item in EndState}
    assert set(properties["safety"]["enum"]) == {item.value for item in Safety}
    assert list(properties["latency_ms"]["required"]) == list(latency_ms())


def test_a_phase_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="no such phase: thinking"):
        latency_ms(thinking=3)
    assert latency_ms(run=3)["run"] == 3
    assert latency_ms(run=3)["total"] is None
