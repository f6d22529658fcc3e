"""Kills at every durable step of a paid call, and processes that stand still: nobody pays twice, nothing is lost."""

import os
import signal
import time

import pytest

from registry.journal.states import CallState

STEPS = {
    # step: states that may follow where the vendor knows no keys, and whether it was charged by then
    "HttpProvider.submit:before": ("recorded", 0),
    "Calls.intend:before": ("recorded", 0),
    "Calls.intend:after": ("ambiguous", 0),
    "Channel.send:before": ("ambiguous", 0),
    "Channel.send:after": ("ambiguous", 1),
    "Answers.keep:before": ("ambiguous", 1),
    "Answers.keep:after": ("recorded", 1),
    "Calls.acknowledge:after": ("recorded", 1),
    "HttpProvider.poll:before": ("recorded", 1),
    "HttpProvider.poll:after": ("recorded", 1),
    "HttpProvider.fetch:after": ("recorded", 1),
    "LocalAssets.stage:after": ("recorded", 1),
    "Catalog.insert_generation:after": ("recorded", 1),
    "Answers.drop:before": ("recorded", 1),
    "Answers.drop:after": ("recorded", 1),
}
FEWER = {  # an answer that is the end of it; a vendor that knows keys: where each makes a difference
    ("openai-images", False): ("Calls.intend:after", "Channel.send:after", "Answers.keep:after",
                               "Calls.acknowledge:after", "Catalog.insert_generation:after", "Answers.drop:before"),
    ("replicate-models", True): ("Calls.intend:after", "Channel.send:before", "Channel.send:after",
                                 "Answers.keep:before", "Answers.keep:after"),
}  # fmt: skip
VENDORS = [("openai-images", False), ("replicate-models", False), ("replicate-models", True)]


@pytest.mark.parametrize(("vendor", "idempotent"), VENDORS)
def test_a_call_killed_at_any_step_is_paid_once_or_parked(till, caller, vendor, idempotent):
    told, jobs, killed = [], [], 0
    steps = {step: STEPS[step] for step in FEWER.get((vendor, idempotent), STEPS)}
    for step, (ends, charged) in steps.items():
        job = till.job(vendor, idempotent=idempotent)
        jobs.append(job)

        killed += caller(job | {"die": step})["status"] == -signal.SIGKILL
        if till.charges(job) != charged:
            told.append(f"{step}: {till.charges(job)} charges")
        again = caller(job)

        expected = "recorded" if idempotent else ends
        if till.state(job) != expected:
            told.append(f"{step}: {till.state(job)}, not {expected}; {again}")

    once_more = caller(job)
    assert once_more["told"] == again["told"]
    assert told + till.faults(jobs) == []
    assert killed == len(steps)


@pytest.mark.parametrize("step", ["HttpProvider.submit:before", "Calls.renew:before", "Channel.send:before"])
def test_a_process_that_stood_still_does_not_pay_a_second_time(till, caller, running_emulator, step):
    """It wakes when somebody else has gone on with its call; before the last look it sends nothing."""
    job = till.job("replicate-models", idempotent=step.startswith("Channel"))
    if step.startswith("Calls.renew"):  # it looks again before it sends again
        running_emulator.misbehave("429", at="predictions", retry_after_ms="1")
    asleep = caller.start(job | {"stop": step})
    until_stopped(asleep)

    other = caller(job)
    os.kill(asleep, signal.SIGCONT)
    awake = caller.wait(asleep)

    assert awake["status"] == 0 and awake["told"] == other["told"], (awake, other)
    assert till.charges(job) == (0 if step.startswith("Calls.renew") else 1)
    assert till.faults([job]) == []


def test_an_answer_that_comes_after_it_was_given_up_is_known_to_be_paid(till, caller):
    job = till.job("replicate-models")
    asleep = caller.start(job | {"stop": "Answers.keep:before"})
    until_stopped(asleep)

    parked = caller(job)
    assert parked["told"][0]["outcome"] == "ambiguous" and till.state(job) is CallState.AMBIGUOUS
    os.kill(asleep, signal.SIGCONT)
    awake = caller.wait(asleep)

    assert awake["told"] == parked["told"]
    stored = till.registry.calls.get(job["key"])
    assert stored.state is CallState.PAID and "the answer came after all: job" in stored.note
    assert till.faults([job]) == []


def test_a_refusal_says_nothing_of_an_earlier_try(till, caller, running_emulator):
    """Where a vendor knows a repeated request, it is sent again; that this one is refused does not mean nothing ran."""
    killed, cut = (till.job("replicate-models", idempotent=True) for _ in range(2))
    caller(killed | {"die": "Channel.send:after"})
    running_emulator.misbehave("401", method="POST")
    ends = [caller(killed)]
    running_emulator.misbehave("cut-after", method="POST")
    ends.append(caller(cut))

    assert ends[0]["told"][0]["outcome"] == "ambiguous" and till.state(killed) is CallState.AMBIGUOUS
    assert ends[1]["told"][0]["outcome"] == "succeeded", "sent again under its key"
    assert (till.charges(killed), till.charges(cut)) == (1, 1)
    assert till.faults([killed, cut]) == []


def test_two_processes_with_one_key_make_one_call(till, caller, running_emulator):
    job = till.job("openai-images")
    running_emulator.misbehave("slow", at="generations", seconds=0.5)

    pids = [caller.start(job) for _ in range(3)]
    ends = [caller.wait(pid) for pid in pids]

    assert len({str(end["told"]) for end in ends}) == 1 and ends[0]["told"][0]["outcome"] == "succeeded"
    assert till.charges(job) == 1 and till.faults([job]) == []


def test_what_the_budget_does_not_pay_for_is_never_sent(till, caller):
    budget = till.registry.budgets.create(100, "USD")
    jobs = [till.job("openai-images", budget=budget, reserve=60) for _ in range(4)]

    ends = [caller.wait(pid) for pid in [caller.start(job) for job in jobs]]

    outcomes = [end["told"][0].get("outcome") or end["told"][0]["exit"] for end in ends]
    assert sorted(map(str, outcomes)) == ["4", "4", "4", "succeeded"]
    assert sum(map(till.charges, jobs)) == 1
    assert till.registry.budgets.get(budget).settled == 60


def until_stopped(pid):
    """Wait until the system says that a process stands still."""
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "T":
                return
        time.sleep(0.01)
    raise AssertionError("it never came to that step")
