"""Paying for remote calls: what follows from where a row stands, what is settled, who may go on, what is never sent."""

import dataclasses
import itertools
import json
import os
import uuid
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from registry.erase import erase, plan_erasure
from registry.errors import InvalidValue, SchemaMismatch
from registry.journal.answers import AnswerElsewhere
from registry.journal.budgets import BudgetSpent
from registry.journal.calls import Intent, KeyTaken
from registry.journal.owners import this_process
from registry.journal.states import OPEN, CallState
from registry.journal.tables import admission, call
from registry.manifest import Manifest
from registry.record import ErasedMeanwhile
from registry.sending import Rate, SendingRules
from replay.errors import Unrecorded
from replay.generating import Ask, generate
from replay.paying import CallBusy, Paying
from replay.preparing import AS_RECORDED, Change, prepare, run_again
from replay.resuming import CallUnclear, next_step

ASK = Ask("procedural", "procedural-image@1", prompt="x", settings={"width": 64, "height": 64})
FLUX = "black-forest-labs/flux-schnell"


@pytest.fixture
def ready(local_registry, emulator, monkeypatch):
    """A generation of Replicate's that can be replayed; its own call is forgotten by the emulator."""
    monkeypatch.setattr(emulator.vendors["replicate"], "patience", 1)
    made = generate(local_registry, Ask("replicate", FLUX, prompt="a stone bridge in the fog", seed="7"))
    assert made.manifest.outcome.class_ == "succeeded"
    emulator.vendors["replicate"].runs.clear()
    return prepare(local_registry, made.id, AS_RECORDED)


def paying(key="call-0001", **more):
    return Paying(key, **{"reserve": 40, "currency": "USD", "pause": lambda seconds: None, **more})


def test_what_comes_next_follows_from_the_row_and_its_owner():
    table = {
        (state, fate, known): next_step(state, fate, idempotent=known)
        for state, fate, known in itertools.product([None, *CallState], ["alive", "gone", "unknown"], [False, True])
    }

    assert {step for (state, *_), step in table.items() if state is None} == {"send"}
    assert {step for (state, *_), step in table.items() if state is not None and state not in OPEN} == {"answer"}
    assert {step for (state, fate, _), step in table.items() if state in OPEN and fate != "gone"} == {"wait"}
    assert {step for (state, fate, _), step in table.items() if (state, fate) == ("acknowledged", "gone")} == {"follow"}
    assert table[CallState.INTENDED, "gone", True] == "send"
    assert table[CallState.INTENDED, "gone", False] == "park"


def test_the_same_key_is_the_same_call(local_registry, ready, emulator):
    budget = local_registry.budgets.create(100, "USD")

    first = run_again(local_registry, ready, paying(budget=budget))
    again = run_again(local_registry, ready, paying(budget=budget))

    assert (first.new, again.new, first.id) == (True, False, again.id)
    assert emulator.charges("replicate") == 1
    stored = local_registry.calls.get("call-0001")
    assert (stored.state, stored.generation, stored.settled) == (CallState.RECORDED, first.id, 40)
    assert stored.note.startswith("host 127.0.0.1:") and stored.owner == this_process()
    assert local_registry.budgets.get(budget).settled == 40
    assert first.manifest.recorder.exchange_id == "call-0001"
    assert list((local_registry.home / "calls").iterdir()) == []
    with pytest.raises(KeyTaken):
        run_again(local_registry, dataclasses.replace(ready, draft=_seeded(local_registry, ready)), paying())


def _seeded(registry, ready):
    return prepare(registry, ready.draft.replay_of, Change(seed="8")).draft


def test_a_refusal_owes_nothing_and_a_cut_is_parked(local_registry, ready, emulator):
    budget = local_registry.budgets.create(100, "USD")
    emulator.misbehave("401", method="POST")
    emulator.misbehave("cut-after", method="POST")

    ends = [run_again(local_registry, ready, paying(f"call-000{n}", budget=budget)) for n in (1, 2)]

    assert [end.manifest.outcome.class_ for end in ends] == ["auth", "ambiguous"]
    states = [local_registry.calls.get(f"call-000{n}").state for n in (1, 2)]
    assert states == [CallState.FAILED, CallState.AMBIGUOUS]
    found = local_registry.budgets.get(budget)
    assert (found.reserved, found.settled) == (40, 0), "what may have been billed is held back"
    assert run_again(local_registry, ready, paying("call-0002")).id == ends[1].id
    assert emulator.charges("replicate") == 1, "never sent again"


def test_nothing_is_sent_that_the_budget_does_not_pay_for(local_registry, ready, emulator):
    budget, before = local_registry.budgets.create(39, "USD"), len(emulator.seen)

    with pytest.raises(BudgetSpent):
        run_again(local_registry, ready, paying(budget=budget))

    assert len(emulator.seen) == before and local_registry.calls.get("call-0001") is None


def test_stopping_cancels_at_the_provider(local_registry, ready, emulator):
    looks = iter([False])  # at the gate

    made = run_again(local_registry, ready, paying(stopping=lambda: next(looks, True)))

    assert made.manifest.outcome.class_ == "canceled"
    assert emulator.seen[-1].path.endswith("/cancel")
    assert local_registry.calls.get("call-0001").state is CallState.RECORDED


def test_what_is_stopped_before_it_is_sent_owes_nothing(local_registry, ready, emulator):
    made = run_again(local_registry, ready, paying(stopping=lambda: True))

    assert made.manifest.outcome.class_ == "canceled" and emulator.charges("replicate") == 0
    assert local_registry.calls.get("call-0001") is None


def test_what_is_stopped_between_two_tries_is_in_doubt(local_registry, ready, emulator, monkeypatch):
    """Of a vendor that knows repeated requests: the first try was cut, and may have been carried out."""
    told = ready.description
    known = dataclasses.replace(told, protocol=dataclasses.replace(told.protocol, idempotency="Idempotency-Key"))
    rules = SendingRules({"replicate": Rate(1, 100_000)})
    local_registry.settings = dataclasses.replace(local_registry.settings, sending=rules)
    emulator.misbehave("cut-after", method="POST")
    looks = iter([False])  # at the first gate; then the limiter has no room

    made = run_again(
        local_registry, dataclasses.replace(ready, description=known), paying(stopping=lambda: next(looks, True))
    )

    assert made.manifest.outcome.class_ == "ambiguous" and emulator.charges("replicate") == 1
    assert local_registry.calls.get("call-0001").state is CallState.AMBIGUOUS


def test_a_provider_that_cannot_stop_is_left_to_itself(local_registry, ready, emulator):
    looks = iter([False])  # at the gate
    emulator.misbehave("500", at="/cancel", method="POST")

    made = run_again(local_registry, ready, paying(stopping=lambda: next(looks, True)))

    assert (made.manifest.outcome.class_, made.manifest.outcome.state) == ("canceled", "unknown")


def left_behind(registry, ready, emulator, until, owner="a-worker-that-ended"):
    """A call whose process ended while it was in a state."""

    class Ended(BaseException):
        pass

    def pause(seconds):
        raise Ended

    emulator.misbehave("stuck", times=1)
    with pytest.raises(Ended):
        run_again(registry, ready, paying(pause=pause, run=None))
    stored = registry.calls.get("call-0001")
    assert stored.state is until and registry.calls.take_over(stored, owner)


def test_a_rerun_goes_on_with_what_an_ended_process_left(local_registry, ready, emulator):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED)

    made = run_again(local_registry, ready, paying("call-0002"))

    assert made.manifest.recorder.exchange_id == "call-0001" and made.manifest.outcome.class_ == "succeeded"
    assert emulator.charges("replicate") == 1
    assert local_registry.calls.get("call-0002") is None
    assert made.manifest.outcome.latency_ms.total >= 0


def test_a_rerun_after_a_reboot_goes_on_with_what_was_answered_before(local_registry, ready, emulator, earlier_boot):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED, owner=earlier_boot)

    made = run_again(local_registry, ready, paying("call-0002"))

    assert made.manifest.recorder.exchange_id == "call-0001" and made.manifest.outcome.class_ == "succeeded"
    assert emulator.charges("replicate") == 1


def test_a_rerun_beside_a_call_of_another_machine_sends_nothing(local_registry, ready, emulator, another_machine):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED, owner=another_machine)
    sent = len(emulator.seen)

    with pytest.raises(CallUnclear, match="replay ambiguous paid call-0001 --ended") as told:
        run_again(local_registry, ready, paying("call-0002"))

    assert told.value.exit_code == 3 and len(emulator.seen) == sent
    assert local_registry.calls.get("call-0002") is None
    with local_registry.catalog.database.writing() as connection:
        connection.execute(update(call).values(updated_at="2026-01-01T00:00:00.000Z"))
    made = run_again(local_registry, ready, paying("call-0002"))
    assert made.manifest.recorder.exchange_id == "call-0001" and emulator.charges("replicate") == 1


def test_what_this_process_left_behind_is_gone_on_with(local_registry, ready, emulator):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED, owner=this_process())

    made = run_again(local_registry, ready, paying("call-0002"))

    assert made.manifest.recorder.exchange_id == "call-0001" and emulator.charges("replicate") == 1


def test_what_another_thread_has_ended_meanwhile_is_no_answer_to_this_one(local_registry, ready, emulator, monkeypatch):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED, owner=this_process())
    seen = [local_registry.calls.get("call-0001")]  # as a thread reads it, just before the other one records
    run_again(local_registry, ready, paying("call-0002"))
    monkeypatch.setattr(local_registry.calls, "unfinished", lambda *asked: seen)

    made = run_again(local_registry, ready, paying("call-0003"))

    assert made.manifest.recorder.exchange_id == "call-0003" and emulator.charges("replicate") == 2


def test_an_answer_that_no_manifest_can_hold_is_kept_and_paid_for_once(local_registry, ready, emulator, monkeypatch):
    def refuse(value):
        raise SchemaMismatch("manifest/v1", "/outcome/request_id", "too long")

    with monkeypatch.context() as broken:
        broken.setattr(Manifest, "check", refuse)
        told = []
        for key in ("call-0001", "call-0002"):
            with pytest.raises(Unrecorded, match="replay ambiguous paid call-0001") as problem:
                run_again(local_registry, ready, paying(key))
            told.append(str(problem.value))
    assert told[0] == told[1] and "/outcome/request_id" in told[0]
    assert local_registry.calls.get("call-0001").state is CallState.ACKNOWLEDGED

    made = run_again(local_registry, ready, paying("call-0003"))

    assert made.manifest.recorder.exchange_id == "call-0001" and made.manifest.outcome.class_ == "succeeded"
    assert emulator.charges("replicate") == 1


def test_a_job_with_a_long_id_is_asked_about_whole_and_found_by_it(local_registry, ready, emulator, monkeypatch):
    minted = uuid.uuid4

    class Long:
        def __init__(self):
            self.hex = minted().hex * 10

    with monkeypatch.context() as long:
        long.setattr("emulator.server.uuid", SimpleNamespace(uuid4=Long))
        made = run_again(local_registry, ready, paying())

    (job,) = emulator.vendors["replicate"].jobs.keys() & {local_registry.calls.get("call-0001").job}
    assert len(job) == 320 and made.manifest.outcome.class_ == "succeeded"
    assert len(made.manifest.outcome.job_id) == 256 and made.manifest.outcome.job_id.startswith(job[:239] + "…")
    assert local_registry.catalog.by_call(job) == [made.id] and local_registry.catalog.by_call(job[:-1] + "x") == []
    assert run_again(local_registry, ready, paying()).id == made.id


def test_an_answer_that_lies_elsewhere_is_said_and_can_be_given_up(local_registry, ready, emulator):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED)
    local_registry.answers.drop("call-0001")

    with pytest.raises(AnswerElsewhere, match="replay ambiguous paid call-0001"):
        run_again(local_registry, ready, paying())

    local_registry.calls.move("call-0001", CallState.PAID)
    made = run_again(local_registry, ready, paying())
    assert made.manifest.outcome.class_ == "ambiguous"
    assert local_registry.calls.get("call-0001").generation == made.id == run_again(local_registry, ready, paying()).id


def test_a_call_of_a_living_process_is_waited_for(local_registry, ready):
    run_again(local_registry, ready, paying("call-0001"))
    _begun_by_another(local_registry, dataclasses.asdict(local_registry.calls.get("call-0001")))
    looks = iter([False] * 3)

    with pytest.raises(CallBusy, match="is being made by"):
        run_again(local_registry, ready, paying("call-0002", stopping=lambda: next(looks, True)))


def _begun_by_another(registry, kept):
    """A row of this very request, made by this process's parent, which lives."""
    names = [field.name for field in dataclasses.fields(Intent)]
    same = {name: kept[name] for name in names if name not in ("key", "owner")}
    registry.calls.intend(Intent(**same, key="call-0002", owner=_parent()))


def _parent():
    host = this_process().rsplit(":", 2)[0]
    with open(f"/proc/{os.getppid()}/stat") as stat:
        return f"{host}:{os.getppid()}:{stat.read().rpartition(')')[2].split()[19]}"


def test_requests_go_out_no_faster_than_the_settings_say(local_registry, ready, emulator):
    rules = SendingRules({"replicate": Rate(1, 150)})
    local_registry.settings = dataclasses.replace(local_registry.settings, sending=rules)
    emulator.misbehave("429", method="POST", retry_after_ms="1")
    pauses = []

    for number in range(2):
        run_again(local_registry, ready, paying(f"call-000{number}", pause=pauses.append))

    assert pauses and emulator.charges("replicate") == 2
    posts = [request for request in emulator.seen if request.method == "POST" and request.path.endswith("predictions")]
    assert len(posts) == 4, "the first generation, two calls, and one of them sent again"
    with local_registry.catalog.database.reading() as connection:
        times = sorted(row.at_ms for row in connection.execute(admission.select()))
    assert all(after - before >= 150 for before, after in itertools.pairwise(times))


def test_an_engine_of_this_machine_is_asked_once_for_each_key(local_registry):
    made = generate(
        local_registry, Ask("procedural", "procedural-image@1", prompt="x", settings={"width": 64, "height": 64})
    )
    ready = prepare(local_registry, made.id, AS_RECORDED)

    first, again = (run_again(local_registry, ready, paying()) for _ in range(2))

    assert (first.id, first.new, again.new) == (again.id, True, False)
    assert local_registry.calls.get("call-0001") is None, "it costs nothing, so there is nothing to write down"


def test_a_replay_of_what_was_erased_meanwhile_is_settled_and_kept_nowhere(local_registry, ready):
    def erasing(seconds):
        plan = plan_erasure(
            local_registry, ready.draft.replay_of, fields=["prompt"], reason="asked", authority="ticket 7"
        )
        erase(local_registry, plan)

    budget = local_registry.budgets.create(100, "USD")
    with pytest.raises(ErasedMeanwhile):
        run_again(local_registry, ready, paying(budget=budget, pause=erasing))

    assert local_registry.calls.get("call-0001").state is CallState.RECORDED
    assert local_registry.budgets.get(budget).settled == 40
    assert list((local_registry.home / "calls").iterdir()) == []


def test_an_erasure_reaches_answers_on_their_way(local_registry, ready, emulator):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED)
    assert local_registry.answers.holds("call-0001")

    asked = {"fields": ["prompt"], "reason": "asked", "authority": "ticket 7"}
    erase(local_registry, plan_erasure(local_registry, ready.draft.replay_of, **asked))

    assert list((local_registry.home / "calls").iterdir()) == []


def test_an_answer_on_its_way_holds_no_prompt_and_no_key(local_registry, ready, emulator):
    left_behind(local_registry, ready, emulator, CallState.ACKNOWLEDGED)

    kept = b"".join(path.read_bytes() for path in (local_registry.home / "calls").rglob("*") if path.is_file())
    assert kept and b"bridge" not in kept
    row = json.dumps(dataclasses.asdict(local_registry.calls.get("call-0001")))
    assert "bridge" not in row


def test_a_key_must_be_able_to_name_a_folder():
    for key in ("short", "../../etc/passwd", "a" * 65, ".hidden-key", "with space"):
        with pytest.raises(InvalidValue, match="8 to 64"):
            Paying(key)
