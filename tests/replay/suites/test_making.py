"""Plans that the threads of a worker read: each once, a few kept, and changed by one thread at a time."""

import threading
import time
from types import SimpleNamespace

from replay.suites import making
from replay.suites.making import plan_in
from replay.suites.plan import Plan


class Watched(dict):
    """Says when two threads change it at once, and gives them time to."""

    def __init__(self):
        super().__init__()
        self.inside, self.clashes = set(), 0

    def _alone(self, change):
        self.inside.add(threading.get_ident())
        time.sleep(0.002)
        self.clashes += len(self.inside) > 1
        try:
            return change()
        finally:
            self.inside.discard(threading.get_ident())

    def __setitem__(self, key, value):
        self._alone(lambda: dict.__setitem__(self, key, value))

    def pop(self, key, *otherwise):
        return self._alone(lambda: dict.pop(self, key, *otherwise))


def test_threads_share_a_few_plans_and_change_them_one_by_one(monkeypatch):
    kept = Watched()
    monkeypatch.setattr(making, "_PLANS", kept)
    monkeypatch.setattr(Plan, "from_json", lambda plan: plan)
    runs = SimpleNamespace(get=lambda run: SimpleNamespace(plan=f"plan of {run}"))
    found = []

    def work(first):
        found.extend(plan_in(runs, f"run-{number}") == f"plan of run-{number}" for number in range(first, first + 12))

    crowd = [threading.Thread(target=work, args=(first,)) for first in (0, 6, 12, 18)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert len(found) == 48 and all(found)
    assert kept.clashes == 0 and len(kept) == 8
