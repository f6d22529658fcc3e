"""Runs over HTTP: asked for, followed, ended; the replays are made by a worker behind the door."""

import json

import msgspec
import pytest

from registry.http import runs
from replay import asking
from replay.asking import Asking
from replay.generating import Ask, generate
from replay.jobs import Jobs
from replay.keeping import Keeper


@pytest.fixture(scope="module")
def made(standing):
    """Two generations of the embedded provider."""
    ask = {"prompt": "a hill", "labels": {"app": "x"}}
    asks = [Ask("procedural", "procedural-image@1", seed=seed, **ask) for seed in ("1", "2")]
    return [generate(standing.registry, one).id for one in asks]


@pytest.fixture
def working(standing, made):
    """The server with a worker beside it."""
    app = standing.app
    jobs = Jobs(standing.registry.settings)
    keeper = Keeper(standing.registry, threads=2)
    keeper.start()
    before, app.state.work = app.state.work, Asking(standing.registry, jobs)
    yield standing
    app.state.work = before
    keeper.stop(2)
    jobs.close()


def test_streams_are_few_and_end_and_a_place_is_free_again(working, monkeypatch, until):
    begun = working.client.post("/v1/suites", json={"suite": SUITE}).json()["run"]
    path = f"/v1/jobs/{begun}/events"
    monkeypatch.setattr(runs, "STREAMS", 0)
    refused = working.client.get(path)
    monkeypatch.setattr(runs, "STREAMS", 1)
    monkeypatch.setattr(runs, "STREAM_S", 0.0)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert refused.json()["type"].endswith(":too-many-streams")
    for _ in range(2):
        ended = working.client.get(path)
        assert (ended.status_code, ended.text) == (200, "")
        until(lambda: working.app.state.streams == 0)  # the client has the end before the server is done with it


def test_a_run_has_so_many_replays_at_most(working, monkeypatch):
    monkeypatch.setattr(asking, "MOST", 7)
    assert working.client.post("/v1/suites", json={"suite": SUITE, "repeat": 3}).status_code == 202
    refused = working.client.post("/v1/suites", json={"suite": SUITE, "repeat": 4})

    assert refused.status_code == 422 and "8 replays" in refused.json()["detail"]


SUITE = "format: mintmark/suite/v1\nname: hills\nselect:\n- labels: {app: x}\n"


def events(client, path, **headers):
    """Every event until the stream ends: (event, id, data)."""
    found = []
    with client.stream("GET", path, headers=headers, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        kept = {}
        for line in stream.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                kept[name] = value
            elif "event" in kept:
                found.append((kept["event"], kept["id"], json.loads(kept["data"])))
                kept = {}
    return found


def test_a_suite_runs_is_followed_to_its_end_and_reported(working):
    begun = working.client.post("/v1/suites", json={"suite": SUITE})
    assert begun.status_code == 202 and begun.headers["location"] == f"/v1/jobs/{begun.json()['job']}"
    run = begun.json()["run"]

    told = events(working.client, f"/v1/jobs/{run}/events")

    kind, mark, last = told[-1]
    assert (kind, last["exit_code"], last["counts"]) == ("end", 0, {"made": 2})
    found = working.client.get(f"/v1/runs/{run}").json()
    assert found["state"] == "finished" and found["result"]["counts"]["verdicts"]["reproduced"] == 2
    page = working.client.get(f"/v1/runs/{run}/report")
    assert page.status_code == 200 and "<html" in page.text and "hills" in page.text
    again = events(working.client, f"/v1/jobs/{run}/events", **{"Last-Event-ID": mark})
    assert [one[0] for one in again] == ["end"]


def test_a_stream_stays_with_the_job_it_began_with(working, monkeypatch):
    work = working.app.state.work
    first = working.client.post("/v1/suites", json={"suite": SUITE}).json()["job"]
    look, later = work.job, []

    def look_and_begin_another(id):
        found = look(id)
        if not later:
            later.append(work.begin("suite", msgspec.to_builtins(runs.AskedSuite(suite=SUITE)), None)[0])
        return found

    monkeypatch.setattr(work, "job", look_and_begin_another)
    told = events(working.client, "/v1/jobs/@last/events")

    assert later and {one[2]["id"] for one in told} == {first}
    assert told[-1][0] == "end"


def test_one_manifest_is_replayed_in_the_interactive_lane(working, made):
    begun = working.client.post("/v1/replays", json={"manifest": made[0][:20], "times": 2}).json()

    events(working.client, f"/v1/jobs/{begun['job']}/events")

    job = working.client.get(f"/v1/jobs/{begun['job']}").json()
    assert (job["lane"], job["kind"], job["run"]) == ("interactive", "suite", begun["run"])
    assert working.client.get(f"/v1/runs/{begun['run']}").json()["counts"] == {"made": 2}


def test_a_run_that_is_over_is_approved_once(working):
    run = working.client.post("/v1/suites", json={"suite": SUITE}).json()["run"]
    approvals, key = f"/v1/runs/{run}/approvals", {"Idempotency-Key": "approve 1"}
    ask = {"by": "Ada", "reason": "as wanted"}
    events(working.client, f"/v1/jobs/{run}/events")

    first = working.client.post(approvals, json=ask, headers=key)
    again = working.client.post(approvals, json=ask, headers=key)
    other = working.client.post(approvals, json=ask | {"reason": "as told"}, headers=key)
    without = working.client.post(approvals, json=ask)

    told = first.json()
    assert (first.status_code, told["new"], len(told["subjects"]), told["left_out"]) == (201, True, 2, [])
    assert (again.status_code, again.json()) == (200, told | {"new": False})
    assert (other.status_code, other.json()["type"]) == (422, "urn:mintmark:problem:idempotency-key-reused")
    assert (without.status_code, without.json()["type"]) == (409, "urn:mintmark:problem:not-approvable")
    stored = working.registry.catalog.get(told["record"])
    assert stored.kind == "approval" and b"as wanted" not in stored.body


def test_what_cannot_be_approved_is_refused(working, made):
    run = working.client.post("/v1/suites", json={"suite": SUITE}).json()["run"]
    events(working.client, f"/v1/jobs/{run}/events")
    approvals = f"/v1/runs/{run}/approvals"

    asked = [
        {"by": "Ada"},
        {"by": "Ada", "reason": " "},
        {"by": "Ada", "reason": "x", "manifests": ["sha256:" + "0" * 64]},
    ]

    assert [working.client.post(approvals, json=one).status_code for one in asked] == [422, 422, 404]
    assert working.client.post("/v1/runs/run-00000000/approvals", json={"by": "A", "reason": "x"}).status_code == 404


def test_a_key_begins_one_run_whatever_is_repeated(working, made):
    ask = {"manifest": made[0]}
    key = {"Idempotency-Key": "order 12"}

    first = working.client.post("/v1/replays", json=ask, headers=key).json()
    second = working.client.post("/v1/replays", json=ask, headers=key).json()
    other = working.client.post("/v1/replays", json=ask | {"times": 3}, headers=key)

    assert (first["new"], second["new"], first["run"]) == (True, False, second["run"])
    assert other.status_code == 422 and other.json()["type"].endswith("idempotency-key-reused")


def test_a_canceled_job_ends(standing, made):
    """Without a worker it waits; the first that comes ends it."""
    jobs = Jobs(standing.registry.settings)
    before, standing.app.state.work = standing.app.state.work, Asking(standing.registry, jobs)
    begun = standing.client.post("/v1/replays", json={"manifest": made[1]}).json()

    assert standing.client.get(f"/v1/jobs/{begun['job']}").json()["state"] == "queued"
    canceled = standing.client.post("/v1/jobs/@last/cancel")
    assert (canceled.status_code, canceled.json()) == (202, {"id": begun["job"], "canceled": True})
    assert standing.client.post(f"/v1/jobs/{begun['job']}/cancel").json()["type"].endswith("job-over")
    report = standing.client.get(f"/v1/runs/{begun['run']}/report")

    assert report.status_code == 409
    keeper = Keeper(standing.registry, threads=1)
    keeper.start()
    assert events(standing.client, f"/v1/jobs/{begun['job']}/events")[-1][2]["counts"] == {"canceled": 1}
    keeper.stop(2)
    jobs.close()
    standing.app.state.work = before


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("replays", {"manifest": "sha256:" + "0" * 64}, "not-found"),
        ("replays", {"manifest": "@last", "times": 0}, "request-refused"),
        ("replays", {"manifest": "@last", "prompt": "x"}, "request-refused"),
        ("suites", {"suite": "format: mintmark/suite/v1\nname: a\nselect: 3\n"}, "bad-suite"),
        ("suites", {"suite": SUITE.replace("app: x", "app: none")}, "run-refused"),
    ],
)
def test_what_cannot_be_run_is_refused(working, path, body, kind):
    refused = working.client.post(f"/v1/{path}", json=body)

    assert refused.json()["type"] == f"urn:mintmark:problem:{kind}"
    assert refused.status_code in (404, 422)


def test_what_does_not_fit_is_named_by_a_json_pointer(working):
    approval = {"by": "Ada", "reason": "x", "manifests": ["sha256:" + "0" * 64, ""]}

    assert working.client.post("/v1/runs/@last/approvals", json=approval).json()["pointer"] == "/manifests/1"


def test_a_server_without_workers_says_so(standing):
    assert standing.client.get("/v1/jobs/run-1").json()["type"].endswith("no-replays-here")
    assert standing.client.get("/v1/runs/run-12345678").status_code == 404


def test_a_delivery_wakes_the_worker_that_polls_the_job(working):
    registry, jobs = working.registry, Jobs(working.registry.settings)
    asking = Asking(registry, jobs)

    assert not asking.wake("fal", "job-1", "delivery-1"), "no call has that job"
    assert not asking.wake("fal", "job-1", "delivery-1"), "it came before"
    jobs.close()
