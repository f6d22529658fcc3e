"""What others are told, how often it is tried, and what they can check about it."""

import base64
import http.server
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from registry import cli
from registry.errors import InvalidValue
from registry.journal.runs import Runs
from registry.notices import EVENTS, Receiver, Watch, read_notify
from registry.objectives import Holding, Objective
from registry.prices.store import import_prices
from registry.record import record
from replay.generating import Ask, generate
from replay.jobs import NOTICE, SUITE, AttemptFailed, JobError, Jobs, prepare
from replay.notify import WAITS_S, Notices, send, sentence

SECRET = "whsec_" + base64.b64encode(b"a secret that both ends know").decode()


class Listener(http.server.ThreadingHTTPServer):
    """Takes notices and answers what it was told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.taken = [], []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.taken.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    server = Listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def receiver(listener, **changed):
    known = Receiver("webhook", EVENTS, url=listener.url, secret_env="HOOK_SECRET", inside=True)
    return replace(known, **changed)


def wants(registry, *receivers):
    object.__setattr__(registry.settings, "notify", receivers)


def test_a_notice_is_signed_as_the_standard_says(listener):
    assert send(receiver(listener), "notice-1", "run.finished", {"run": "run-1"}) is None

    headers, body = listener.taken[0]
    told = Webhook(SECRET).verify(body, headers)
    assert (told["type"], told["data"], headers["webhook-id"]) == ("run.finished", {"run": "run-1"}, "notice-1")


def test_slack_gets_a_sentence_that_cannot_be_markup(listener):
    data = {"suite": "<!channel> & co", "exit_reason": "1 drifted", "run": "run-1", "exit_code": 1}

    assert send(receiver(listener, kind="slack", secret_env=None), "n", "drift.detected", data) is None

    headers, body = listener.taken[0]
    assert json.loads(body) == {"text": "drift: &lt;!channel&gt; &amp; co: 1 drifted (run-1, exit 1)"}
    assert "webhook-signature" not in headers


def test_what_answers_no_is_tried_again_and_what_cannot_be_is_given_up(listener, monkeypatch):
    listener.answers = [500, 302, 410]
    assert send(receiver(listener), "n", "job.dead", {}) == "HTTP 500"
    assert send(receiver(listener), "n", "job.dead", {}) == "HTTP 302"
    with pytest.raises(JobError, match="410"):
        send(receiver(listener), "n", "job.dead", {})
    with pytest.raises(JobError, match="private network"):
        send(receiver(listener, inside=False), "n", "job.dead", {})
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(JobError, match="HOOK_SECRET"):
        send(receiver(listener), "n", "job.dead", {})
    assert len(listener.taken) == 3
    nowhere = receiver(listener, url="http://127.0.0.1:9/", kind="slack")
    assert send(nowhere, "n", "job.dead", {"job": "a", "why": "b"}) == "connection refused"


def test_a_run_is_told_once_and_again_after_a_failure(
    local_registry, tally, working, new_run, until, listener, tmp_path, monkeypatch
):
    monkeypatch.setattr("replay.notify.WAITS_S", (0.05,))
    monkeypatch.setattr("replay.notify._drifted", lambda result: ["sha256:1"])
    wants(local_registry, receiver(listener, events=("run.finished",)))
    listener.answers = [503]
    worker = working(local_registry, tally.Tally(tmp_path / "log"))
    run = new_run(local_registry, 1)
    worker.jobs.add(SUITE, run, [run, "interactive"], "interactive")

    until(lambda: len(listener.taken) == 2)

    first, second = (headers["webhook-id"] for headers, _ in listener.taken)
    assert first == second
    assert json.loads(listener.taken[1][1])["data"]["run"] == run
    until(lambda: [job.state for job in worker.jobs.find(kinds=["notice"])] == ["done", "failed"])
    assert all("http" not in str(job.args) for job in worker.jobs.find(kinds=["notice"]))


def test_a_notice_that_is_given_up_says_why_once(
    local_registry, tally, working, new_run, until, listener, tmp_path, capsys
):
    wants(local_registry, receiver(listener))
    listener.answers = [410]
    worker = working(local_registry, tally.Tally(tmp_path / "log"))
    run = new_run(local_registry, 1)

    worker.jobs.add(SUITE, run, [run, "interactive"], "interactive")
    (dead,) = until(lambda: worker.jobs.find(kinds=["notice"], states=["dead"]))

    said = [line for line in capsys.readouterr().err.splitlines() if dead.error in line]
    assert said == [f"mintmark: job {dead.id} is dead: {dead.error}"]


def test_an_attempt_that_fails_says_so_everywhere(
    local_registry, tally, working, new_run, until, listener, tmp_path, capsys, monkeypatch
):
    wants(local_registry, receiver(listener, url="http://127.0.0.1:9/hook", events=("run.finished",)))
    worker = working(local_registry, tally.Tally(tmp_path / "log"))
    run = new_run(local_registry, 1)

    worker.jobs.add(SUITE, run, [run, "interactive"], "interactive")
    (failed,) = until(lambda: worker.jobs.find(kinds=["notice"], states=["failed"], most=5))
    (waiting,) = worker.jobs.find(kinds=["notice"], states=["queued"])

    assert re.fullmatch(r"attempt 1: connection refused; next at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", failed.error)
    assert (waiting.id, waiting.error) == (f"{failed.id}.2", failed.error)
    assert worker.jobs.find(kinds=["notice"], states=["done", "dead", "canceled"]) == []
    assert f"mintmark: job {failed.id}: {failed.error}" in capsys.readouterr().err.splitlines()
    monkeypatch.setenv("MINTMARK_HOME", str(local_registry.settings.home))
    for words, told in (
        (["list", "--state", "failed"], failed.error),
        (["show", failed.id], f"why         {failed.error}"),
        (["show", failed.id], "about       run.finished\n"),
        (["show", waiting.id, "--json"], f'"error": "{failed.error}"'),
    ):
        assert cli.run(["jobs", *words]) == 0
        assert told in capsys.readouterr().out


def test_a_variable_that_is_not_set_is_called_that(listener, monkeypatch):
    hidden = receiver(listener, kind="slack", url=None, url_env="SLACK_HOOK", secret_env=None)
    with pytest.raises(JobError, match=r"^SLACK_HOOK is not set"):
        send(hidden, "n", "job.dead", {})
    monkeypatch.setenv("SLACK_HOOK", "hooks.slack.com/secret")
    with pytest.raises(JobError, match=r"^SLACK_HOOK holds no https:// address") as told:
        send(hidden, "n", "job.dead", {})
    assert "secret" not in str(told.value)


def test_the_last_attempt_is_a_dead_letter(local_registry, new_run, listener, until):
    wants(local_registry, receiver(listener))
    listener.answers = [500, 500]
    jobs = Jobs(local_registry.settings)
    notices = Notices(local_registry, jobs)
    run = new_run(local_registry, 1)
    mark = local_registry.settings.notify[0].mark

    with pytest.raises(AttemptFailed, match="attempt 9: HTTP 500; next at"):
        notices.deliver("run.finished", run, mark, "notice-1", len(WAITS_S))
    with pytest.raises(JobError, match="10 attempts"):
        notices.deliver("run.finished", run, mark, "notice-1", len(WAITS_S) + 1)

    (waiting,) = jobs.find(kinds=["notice"])
    assert (waiting.id, waiting.state) == ("notice-1.10", "queued")
    with pytest.raises(JobError, match=r"mintmark\.toml"):
        notices.deliver("run.finished", run, "another", "notice-2", 1)
    jobs.close()


def test_a_dead_job_and_a_stuck_one_are_told(
    local_registry, tally, working, new_run, until, listener, tmp_path, monkeypatch
):
    wants(local_registry, receiver(listener, events=("job.dead", "job.stuck")))
    bad = f"sha256:{0:032d}{0:032d}"
    worker = working(local_registry, tally.Tally(tmp_path / "log", fails=[bad]))
    run = new_run(local_registry, 1)
    worker.jobs.add(SUITE, run, [run, "interactive"], "interactive")

    until(lambda: listener.taken)

    told = json.loads(listener.taken[0][1])
    assert told["type"] == "job.dead" and told["data"]["job"] == run and "ValueError" in told["data"]["why"]
    assert "prompt" not in listener.taken[0][1]


def test_a_stuck_run_is_told(local_registry, tally, working, new_run, until, listener, tmp_path, monkeypatch):
    monkeypatch.setattr("replay.notify.STUCK_S", -5.0)
    wants(local_registry, receiver(listener, events=("job.stuck",)))
    worker = working(local_registry, tally.Tally(tmp_path / "log", polls=1, patience=600))
    run = new_run(local_registry, 1)
    worker.jobs.add(SUITE, run, [run, "interactive"], "interactive")
    until(lambda: worker.jobs.find(states=["running"], kinds=[SUITE]))

    Notices(local_registry, worker.jobs).look_round()
    until(lambda: listener.taken)

    assert "no progress" in sentence("job.stuck", json.loads(listener.taken[0][1])["data"])
    Runs(local_registry.catalog.database).cancel(run)


def test_a_model_that_is_shut_down_soon_is_told_by_a_worker_once(
    local_registry, tally, working, until, listener, tmp_path, made, picture
):
    wants(local_registry, receiver(listener, events=("model.retiring",)))
    today = datetime.now(UTC).date()
    days = {"soon 2": 5, "later": 90, "past": -5}
    listed = {name: {"deprecation_date": str(today + timedelta(days=days[name]))} for name in days}
    prices = {name: {"litellm_provider": "openai", "output_cost_per_image": 1, **listed[name]} for name in days}
    (tmp_path / "list.json").write_text(json.dumps(prices))
    import_prices(local_registry, tmp_path / "list.json", today)
    for number, model in enumerate(days):
        path = picture(f"{number}.png", seed=number)
        record(local_registry, made(path, model=model), {str(path): path})

    worker = working(local_registry, tally.Tally(tmp_path / "log"))
    until(lambda: listener.taken)
    Notices(local_registry, worker.jobs).look_round()

    assert len(worker.jobs.find(kinds=[NOTICE])) == 1
    data = json.loads(listener.taken[0][1])["data"]
    assert data == {"provider": "openai", "model": "soon 2", "retires_on": listed["soon 2"]["deprecation_date"]}


def test_a_breach_is_told_once_a_window(local_registry, listener):
    ask = Ask("procedural", "procedural-image@1", prompt="x", settings={"width": 64, "height": 64})
    for _ in range(2):
        generate(local_registry, replace(ask, workflow="hero"))
    holding = Holding({"hero": Objective("hero", {"p50_ms": 0})})
    object.__setattr__(local_registry.settings, "holding", holding)
    object.__setattr__(local_registry.settings, "watch", Watch(window_minutes=1440))
    jobs = Jobs(local_registry.settings)
    prepare(local_registry.settings)
    wants(local_registry, receiver(listener, events=("slo.breached", "spend.spike")))
    notices = Notices(local_registry, jobs)

    notices.look_round()
    notices.look_round()

    [told] = [job for job in jobs.find(states=["queued"], kinds=[NOTICE])]
    notices.deliver(*told.args)
    [(_, body)] = listener.taken
    said = json.loads(body)
    assert (said["type"], said["data"]["minutes"]) == ("slo.breached", 1440)
    assert [(one["workflow"], one["name"]) for one in said["data"]["found"]] == [("hero", "p50_ms")]
    assert "workflow hero, name p50_ms" in sentence("slo.breached", said["data"])
    jobs.close()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"url": "https://a.example/", "secret_env": "S", "event": []}, "event"),
        ({"url": "ftp://a.example/", "secret_env": "S"}, "address"),
        ({"url": "https://user:word@a.example/", "secret_env": "S"}, "address"),
        ({"url": "https://a.example/"}, "secret_env"),
        ({"url": "https://a.example/", "url_env": "U", "secret_env": "S"}, "either"),
        ({"url": "https://a.example/", "secret_env": "S", "events": ["run.began"]}, "run.finished"),
        ({"url": "https://a.example/", "secret_env": "S", "kind": "mail"}, "slack"),
        ({"url_env": "U", "kind": "slack", "inside": 1}, "true or false"),
    ],
)
def test_mistakes_in_the_file_name_the_place(tmp_path, table, why):
    with pytest.raises(InvalidValue, match=r"mintmark\.toml, notify 1") as problem:
        read_notify(tmp_path / "mintmark.toml", {"notify": [table]})

    assert why in str(problem.value)
