import sqlite3
from contextlib import closing

import pytest

from registry.errors import Corrupted, InvalidValue, Repeated
from registry.manifest import Seal
from registry.stats.calls import NothingThere, Selection, calls
from registry.stats.grouping import group_by
from registry.stats.outcomes import outcomes
from registry.stats.period import Period, parse_period


def ids(history, **which):
    return [manifest for manifest, _ in calls(history.registry, Selection(**which))]


def test_a_call_counts_where_it_was_made_and_not_where_it_was_recorded(history_anywhere):
    submitted = history_anywhere(at="2026-10-31T23:59:59.999Z", ended="2026-11-01T00:00:09.000Z")
    ended = history_anywhere(ended="2026-10-05T12:00:00.000Z")
    history_anywhere(at="2026-11-01T00:00:00.000Z")
    history_anywhere()

    found = ids(history_anywhere, period=parse_period(month="2026-10", zone="UTC"))

    assert set(found) == {submitted, ended}


def test_a_clock_that_ran_ahead_of_the_recorders_loses_no_call(history):
    ahead = history(recorded_at="2026-10-31T23:55:00.000Z", at="2026-11-01T00:04:00.000Z")

    assert ids(history, period=parse_period(month="2026-11", zone="UTC"), workflow="hero") == [ahead]


def test_filters_hold_together(history):
    wanted = history(provider="fal", model="flux")
    history(provider="fal", model="other")
    history(model="flux")

    assert ids(history, provider="fal", model="flux", workflow="hero") == [wanted]


def test_nothing_that_fits_says_what_to_loosen(history):
    with pytest.raises(NothingThere) as problem:
        ids(history, workflow="nobody")

    assert problem.value.exit_code == 5
    assert "loosen" in str(problem.value) and "--replays" in str(problem.value)


def test_a_registry_without_generations_says_how_to_begin(local_registry):
    with pytest.raises(NothingThere, match="nothing is recorded yet"):
        list(calls(local_registry, Selection()))


def test_an_altered_record_is_never_counted(history):
    history()
    with closing(sqlite3.connect(history.registry.home / "mintmark.db")) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute(
            "UPDATE record SET body = CAST(replace(body, '\"hero\"', '\"zero\"') AS BLOB) WHERE kind = 'generation'"
        )
        file.commit()

    with pytest.raises(Corrupted):
        ids(history)


def test_groups_by_label_day_and_what_a_call_does_not_say(history):
    history(at="2026-10-31T23:30:00.000Z", labels={"team": "a"}, region="eu")
    history(at="2026-10-31T22:30:00.000Z", labels={"team": Seal("x" * 43)})
    history(at="2026-10-31T22:30:00.000Z")
    period = Period(zone=parse_period(zone="Europe/Berlin").zone)

    grouping = group_by("day,label:team,region", period)
    found = outcomes(calls(history.registry, Selection(period, workflow="hero")), grouping)

    assert [group.key for group in found] == [
        ("2026-10-31", "[sealed]", None),
        ("2026-10-31", None, None),
        ("2026-11-01", "a", "eu"),
    ]


def test_a_sealed_workflow_stays_sealed(history):
    history(workflow=Seal("y" * 43))

    found = outcomes(calls(history.registry, Selection()), group_by("workflow", Period()))

    assert {group.key for group in found} == {("[sealed]",), (None,)}


def test_outcomes_and_safety_are_counted(history):
    for status, safety in (
        ("blocked", "refused"),
        ("succeeded", "none"),
        ("succeeded", "omitted"),
        ("timeout", "none"),
    ):
        history(status=status, safety=safety)

    (group,) = outcomes(calls(history.registry, Selection(workflow="hero")), group_by("workflow", Period()))

    assert group.classes == {"succeeded": 2, "blocked": 1, "timeout": 1}
    assert group.safety == {"none": 2, "refused": 1, "omitted": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("modle", "did you mean 'model'"),
        ("", "known are workflow"),
        ("label:", "something to group by"),
        ("kind", "--by"),
    ],
)
def test_names_that_group_nothing_are_refused(text, told):
    with pytest.raises(InvalidValue) as problem:
        group_by(text, Period())

    assert told in str(problem.value)


def test_a_name_given_twice_is_refused():
    with pytest.raises(Repeated):
        group_by("model, model", Period())
