"""One loop drives every provider: it polls until the job ends, cancels what takes too long, and stops at nonsense."""

from dataclasses import replace
from pathlib import Path

import pytest

from registry.capture.description import shipped
from replay.errors import IllegalTransition, JobUnfinished
from replay.outcome import EndState, JobState, OutcomeClass, Safety, ended
from replay.provider import Call, Job, Outcome, next_pause, run


class Scripted:
    """A provider in memory whose jobs go through the states it was given, one a poll."""

    def __init__(self, *states, cancels=True, hint=None):
        self.states, self.cancels, self.hint = [JobState(state) for state in states], cancels, hint
        self.polls = self.submits = 0

    def submit(self, call):
        self.submits += 1
        return Job(call, self.states.pop(0), id="job-1", poll_after_ms=self.hint)

    def poll(self, job):
        self.polls += 1
        return replace(job, state=self.states.pop(0)) if self.states else job

    def fetch(self, job):
        if not ended(job.state):
            raise JobUnfinished(job.id, job.state)
        return Outcome(OutcomeClass(job.state), EndState(job.state), Safety.NONE, job_id=job.id)

    def cancel(self, job):
        if not self.cancels or ended(job.state):
            return job
        return replace(job, state=JobState.CANCELED)


class Clock:
    def __init__(self):
        self.now, self.pauses = 0.0, []

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds

    def __call__(self):
        return self.now


@pytest.fixture
def call():
    return Call(shipped().by_id("procedural-image"), {}, (), Path(), "key")


def drive(provider, call, **more):
    clock = Clock()
    return run(provider, call, pause=clock.pause, clock=clock, **more), clock


@pytest.mark.parametrize("end", ["succeeded", "failed", "canceled", "expired"])
def test_polls_until_the_job_ends(call, end):
    provider = Scripted("submitted", "queued", "processing", "processing", end)

    outcome, _ = drive(provider, call)

    assert (outcome.class_, outcome.state, outcome.job_id) == (end, end, "job-1")
    assert (provider.submits, provider.polls) == (1, 4)


def test_a_job_that_ended_at_submit_is_never_polled(call):
    provider = Scripted("succeeded")

    _, clock = drive(provider, call)

    assert provider.polls == 0 and clock.pauses == []


@pytest.mark.parametrize(("hint", "paused"), [(None, 1.0), (250, 0.25), (0, 0.0)])
def test_the_description_sets_the_pace_to_begin_with(call, hint, paused):
    _, clock = drive(Scripted("submitted", "processing", "succeeded", hint=hint), call)

    assert clock.pauses == [paused, 1.5 * paused]


def test_a_long_job_is_asked_about_more_and_more_seldom(call):
    outcome, clock = drive(Scripted("submitted"), call, limit_s=600)

    assert outcome.class_ is OutcomeClass.TIMEOUT and clock.now == 600
    assert clock.pauses[:4] == [1.0, 1.5, 2.25, 3.375] and set(clock.pauses[6:-1]) == {10.0}
    assert len(clock.pauses) < 70


def test_a_pause_grows_to_ten_seconds_and_never_beyond_the_limit():
    assert [next_pause(2000, waited, None) for waited in (None, 2.0, 9.0, 10.0)] == [2.0, 3.0, 10.0, 10.0]
    assert [next_pause(30_000, waited, None) for waited in (None, 30.0)] == [30.0, 30.0], "as its description says"
    assert (next_pause(None, 8.0, 0.5), next_pause(None, None, 0.5)) == (0.5, 0.5)


def test_what_the_provider_asks_for_counts_between_its_described_pace_and_a_minute():
    asked = [next_pause(2000, 9.0, None, wish) for wish in (0.0, 0.1, 4.0, 3600.0)]

    assert asked == [10.0, 2.0, 4.0, 60.0] and next_pause(2000, 9.0, 3.0, 30.0) == 3.0


def test_a_job_over_its_time_is_canceled(call):
    outcome, clock = drive(Scripted("submitted"), call, limit_s=3)

    assert (outcome.class_, outcome.state) == (OutcomeClass.TIMEOUT, EndState.CANCELED)
    assert outcome.latency_ms["total"] == 3000 and "3000 ms" in outcome.error
    assert clock.now == 3


def test_a_job_over_its_time_that_cannot_be_canceled_has_an_unknown_end(call):
    outcome, _ = drive(Scripted("submitted", cancels=False), call, limit_s=3)

    assert (outcome.class_, outcome.state) == (OutcomeClass.TIMEOUT, EndState.UNKNOWN)


def test_a_job_that_ends_while_it_is_canceled_keeps_its_outcome(call):
    provider = Scripted("submitted")
    provider.cancel = lambda job: replace(job, state=JobState.SUCCEEDED)

    outcome, _ = drive(provider, call, limit_s=1)

    assert outcome.class_ is OutcomeClass.SUCCEEDED


def test_a_provider_that_moves_a_job_backwards_is_stopped(call):
    with pytest.raises(IllegalTransition, match="from queued to submitted"):
        drive(Scripted("queued", "submitted"), call)


def test_the_outcome_of_a_running_job_cannot_be_fetched(call):
    with pytest.raises(JobUnfinished, match="job-1 is processing"):
        Scripted().fetch(Job(call, JobState.PROCESSING, id="job-1"))
