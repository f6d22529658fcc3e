"""At least 200 kill -9 at random moments on each database, against vendors that misbehave: ``make test-faults``.

Four calls at a time, two of them sometimes under one key; each is killed and started again up to three times, then left
alone. Whatever happens: no call is charged twice, every call ends recorded, failed or parked, the budget holds, and
every generation stands in the log once.
"""

import collections
import json
import os
import random
import time

import pytest

KILLS = int(os.environ.get("MINTMARK_FAULTS_KILLS", "200"))
VENDORS = [("openai-images", False), ("replicate-models", False), ("openai-images", True), ("replicate-models", True)]
FAULTS = [
    None, None, None,
    ("429", {"method": "POST", "retry_after_ms": "5"}), ("500", {"method": "POST"}), ("502", {"method": "POST"}),
    ("cut-before", {"method": "POST"}), ("cut-after", {"method": "POST"}), ("cut-body", {"method": "POST"}),
    ("html", {"method": "POST"}), ("slow", {"method": "POST", "seconds": 0.15}), ("stuck", {"times": 3}), ("lost", {}),
    ("slow", {"method": "GET", "seconds": 0.1}), ("failed", {}), ("blocked", {}), ("500", {"method": "GET"}),
]  # fmt: skip


class Campaign:
    """The loop, and what it counts."""

    def __init__(self, till, caller, emulator, seed):
        self.till, self.caller, self.emulator, self.random = till, caller, emulator, random.Random(seed)
        self.jobs, self.refused, self.told = [], [], []
        self.kills = self.starts = 0
        self.reach = 0.5  # seconds within which calls are killed: kept so that some come to their end first

    def batch(self):
        jobs = [self.job() for _ in range(4)]
        for _ in jobs:
            if (fault := self.random.choice(FAULTS)) is not None:
                self.emulator.misbehave(fault[0], **fault[1])
        for _ in range(self.random.randint(1, 3)):
            self.round([*jobs, *self.random.sample(jobs, self.random.randint(0, 1))])
            if self.till.registry.budgets.get(self.till.budget).left < 0:
                self.told.append("the budget was exceeded on the way")
        self.emulator.faults.clear()
        for job in jobs:
            self.starts += 1
            end = self.caller(job)
            if end["status"] != 0 or not end["told"]:
                self.told.append(f"{job['key']}: {end}")
            elif end["told"][0].get("class") == "BudgetSpent":
                self.refused.append(job)
            elif "error" in end["told"][0]:
                self.told.append(f"{job['key']}: {end['told'][0]['error']}")
            else:
                self.jobs.append(job)

    def job(self):
        name, idempotent = self.random.choice(VENDORS)
        return self.till.job(name, idempotent=idempotent)

    def round(self, jobs):
        begun = time.monotonic()
        due = sorted((self.random.uniform(0.02, self.reach), self.caller.start(job)) for job in jobs)
        self.starts += len(due)
        killed = 0
        for at, pid in due:
            time.sleep(max(0.0, begun + at - time.monotonic()))
            killed += self.caller.kill(pid)["status"] == -9
        self.kills += killed
        self.reach *= 1.1 if killed == len(due) else 0.95

    def report(self, backend):
        charges = [self.till.charges(job) for job in self.jobs]
        states = collections.Counter(str(self.till.state(job)) for job in self.jobs)
        budget = self.till.registry.budgets.get(self.till.budget)
        return {
            "database": backend, "kills": self.kills, "starts": self.starts, "calls": len(self.jobs),
            "refused_by_budget": len(self.refused), "states": dict(states), "charges": sum(charges),
            "charged_twice": sum(count > 1 for count in charges),
            "refused_and_charged": sum(self.till.charges(job) > 0 for job in self.refused),
            "budget": {"amount": budget.amount, "reserved": budget.reserved, "settled": budget.settled},
        }  # fmt: skip


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_kills_at_random_moments_charge_nothing_twice(request, caller, running_emulator, backend, capfd):
    till = request.getfixturevalue("till" if backend == "sqlite" else "postgres_till")
    campaign = Campaign(till, caller, running_emulator, seed=20261120)

    while campaign.kills < KILLS:
        campaign.batch()

    report = campaign.report(backend)
    with capfd.disabled():
        print(f"\n{json.dumps(report)}")
    assert campaign.told + till.faults(campaign.jobs) == []
    assert report["charged_twice"] == report["refused_and_charged"] == 0
    assert set(report["states"]) <= {"recorded", "failed", "ambiguous", "paid", "None"}
