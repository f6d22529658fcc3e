"""A server, its worker and an emulated vendor: deliveries wake, polling goes on without them, a cancel gets there."""

import itertools
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner
from emulator.callbacks import SECRETS, delivery

from registry.http.serving import listen, server, warm
from registry.journal.calls import Calls
from registry.journal.workers import Workers
from replay import worker
from replay.asking import Asking
from replay.commands.cancel import cancel
from replay.generating import Ask, generate
from replay.jobs import Jobs
from replay.keeping import Keeper
from replay.providers.http.engine import HttpProvider

NEVER_MS = 3_600_000


@pytest.fixture
def vendor(emulator, monkeypatch):
    """Replicate, whose jobs are done when they are asked about for the second time."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return emulator.vendors["replicate"]


@pytest.fixture
def original(local_registry, vendor, monkeypatch):
    """What is replayed; the vendor forgets that it was asked for it."""
    with monkeypatch.context() as quick:
        quick.setattr(HttpProvider, "_after_ms", lambda self: 1)
        asked = Ask("replicate", "black-forest-labs/flux-schnell", prompt="a stone bridge", seed="7")
        made = generate(local_registry, asked).id
    for told in (vendor.jobs, vendor.runs, vendor.emulator.seen):
        told.clear()
    return made


@pytest.fixture
def asked(local_registry, original, vendor, monkeypatch, until):
    """Has the original replayed by a server whose worker asks every so many milliseconds: ``asked(after_ms)``."""
    ending = []

    def ask(after_ms):
        monkeypatch.setattr(HttpProvider, "_after_ms", lambda self: after_ms)
        jobs, keeper = Jobs(local_registry.settings), Keeper(local_registry, threads=2)
        listener = listen("127.0.0.1", 0)
        warm(local_registry)
        app = server(local_registry, Asking(local_registry, jobs))
        serving = threading.Thread(target=lambda: app.run(sockets=[listener.socket]), daemon=True)
        client = httpx.Client(base_url=listener.url, timeout=30, trust_env=False)
        keeper.start()
        serving.start()
        ending.append((app, serving, keeper, jobs, client))
        price = {"budget": {"amount": "1.00"}, "assume_cost": {"amount": "0.04"}, "allow_alias": True}
        begun = client.post("/v1/replays", json={"manifest": original} | price)
        assert begun.status_code == 202, begun.text
        run, calls = begun.json()["run"], Calls(local_registry.catalog.database)
        [job] = until(lambda: list(vendor.jobs))
        call = until(lambda: calls.by_job("replicate", job))

        def deliver(name, **how):
            headers, body = delivery(vendor.emulator, "replicate", job, at=time.time(), name=name, **how)
            return client.post("/v1/webhooks/replicate", content=body, headers=headers).status_code

        def result():
            return client.get(f"/v1/runs/{run}").json()["result"]

        def sent(method, path):
            return sum(one.method == method and one.path.endswith(path) for one in vendor.emulator.seen)

        return SimpleNamespace(
            run=run, job=job, keeper=keeper, deliver=deliver, sent=sent, result=result,
            polls=lambda: sent("GET", f"/predictions/{job}"), state=lambda: calls.get(call.key).state,
        )  # fmt: skip

    yield ask
    for app, serving, keeper, jobs, client in ending:
        app.should_exit = True
        serving.join(20)
        keeper.stop(2)
        jobs.close()
        client.close()


def test_signed_deliveries_wake_the_worker_others_change_nothing(asked, vendor, until):
    """It would ask in an hour: each poll there is was a delivery's doing."""
    call = asked(NEVER_MS)
    forged = {name: value[:-8] + "AAAAAAAA" for name, value in SECRETS.items()}

    assert (call.deliver("msg_0", secrets=forged), call.polls()) == (401, 0)
    assert call.deliver("msg_1") == 202
    until(lambda: call.polls() == 1)
    assert (call.deliver("msg_1"), call.deliver("msg_3", secrets=forged), call.polls()) == (204, 401, 1)
    assert (call.state(), call.result()) == ("acknowledged", None)
    assert call.deliver("msg_2") == 202
    result = until(call.result)

    assert (call.polls(), len(vendor.runs)) == (2, 1)
    assert [one["outcome"] for one in result["manifests"][0]["replays"]] == ["succeeded"]
    assert (call.deliver("msg_4"), call.polls(), call.state()) == (204, 2, "recorded")


def test_polling_ends_it_when_no_delivery_comes(asked, vendor, until):
    call = asked(50)

    result = until(call.result)

    assert (call.polls(), len(vendor.runs), call.state()) == (2, 1, "recorded")
    assert result["counts"]["replays"] == 1 and result["budget"]["reserved"] == "0.00"


def test_a_call_of_a_worker_that_was_struck_off_goes_on_in_the_next(asked, local_registry, vendor, until, monkeypatch):
    """Both are in one process: it lives, and the first one's heartbeat is what counts."""
    monkeypatch.setattr(worker, "_started", itertools.count())
    monkeypatch.setattr(worker, "BEAT_S", 0.05)
    call = asked(NEVER_MS)
    first, news = call.keeper.id, itertools.count()

    Workers(local_registry.catalog.database).leave(first)
    until(lambda: call.keeper.id != first, seconds=15)
    result = until(lambda: call.deliver(f"msg_{next(news)}") and call.result(), seconds=15)

    assert len(vendor.runs) == 1
    assert [one["outcome"] for one in result["manifests"][0]["replays"]] == ["succeeded"]


def test_a_canceled_run_cancels_its_job_at_the_vendor(asked, local_registry, vendor, until, monkeypatch):
    call = asked(NEVER_MS)
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.home))

    told = CliRunner().invoke(cancel, [call.run])
    result = until(call.result)

    assert told.output.split() == [call.run]
    assert call.sent("POST", f"/predictions/{call.job}/cancel") == 1
    [replay] = result["manifests"][0]["replays"]
    made = local_registry.catalog.manifest(replay["generation"])
    assert (made.outcome.class_, made.outcome.job_id) == ("canceled", call.job)
    assert (result["state"], replay["outcome"], result["exit_code"]) == ("canceled", "canceled", 4)
    assert result["budget"]["reserved"] == "0.00" and len(vendor.runs) == 1
