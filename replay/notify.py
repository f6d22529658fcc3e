"""Tells other programs what happened: Standard Webhooks or a Slack message, as jobs that are tried again for days."""

import datetime
import hashlib
import json
import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import func, select
from standardwebhooks import Webhook

from registry.canonical import JSON
from registry.capture.description import shipped
from registry.capture.outside import Inside, OutsideTransport
from registry.errors import NotFound, Refused
from registry.home import Registry
from registry.journal.runs import Runs
from registry.journal.tables import run_replay
from registry.notices import Event, Receiver
from registry.retiring import retirements
from registry.stats.spikes import SPIKES, spikes, window_of
from registry.times import now
from replay.jobs import INTERACTIVE, NOTICE, SUITE, AttemptFailed, JobError, Jobs

WAITS_S: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt, as standardwebhooks.com proposes; a fifth more or less of each."""

STUCK_S: Final = 1800.0
RETIRING_DAYS: Final = 30
_TIMEOUT_S: Final = 15.0
_NOBODY: Final = "nobody.invalid"  # RFC 6761: never resolves, so nothing inside is ever its own
_NUMBER: Final = re.compile(r"^\[Errno -?\d+\] ")


@dataclass(frozen=True, slots=True)
class Unsent:
    """A notice that did not arrive: of what, at whom (nothing that may be a secret), and why, with its job's id."""

    event: Event
    receiver: str
    why: JobError


class Notices:
    """What is told by one registry; a job row names event and subject only, the rest is read when it is sent.

    Args:
        registry: where receivers and subjects are.
        jobs: where a notice waits.
        queue: who takes the first attempt.
    """

    def __init__(self, registry: Registry, jobs: Jobs, queue: str = INTERACTIVE) -> None:
        self._registry, self._jobs, self._queue = registry, jobs, queue

    def tell(self, event: Event, about: str, occasion: object = "", delay: float = 0) -> None:
        """Tell everybody who wants to know, once for each occasion, however often this is called.

        Args:
            event: what happened.
            about: the id of the run or job, or provider, model and day in one line, or when a window began.
            occasion: tells one time that it happened from the next.
            delay: seconds before it is sent.
        """
        for receiver in self._registry.settings.notify:
            if event in receiver.events:
                said = f"{event}\n{about}\n{occasion}\n{receiver.mark}"
                name = f"notice-{hashlib.sha256(said.encode()).hexdigest()[:24]}"
                self._jobs.add(
                    NOTICE, name, [event, about, receiver.mark, name, 1], self._queue, delay=delay, last=True
                )

    def tell_of_run(self, run_id: str) -> None:
        """Tell that a run is over, and that it found drift if it did."""
        if self._registry.settings.notify:
            run = Runs(self._registry.catalog.database).get(run_id)
            self.tell("run.finished", run_id, run.record)
            if run.result is not None and _drifted(run.result):
                self.tell("drift.detected", run_id, run.record)

    def tell_of_dead(self, job_id: str) -> None:
        """Tell that a job is dead."""
        if self._registry.settings.notify:
            # Whoever runs it says so before its row does: what is told is read when it is sent.
            self.tell("job.dead", job_id, self._jobs.get(job_id).updated_ms, delay=2)

    def look_round(self) -> None:
        """Tell of what nobody comes by to tell: runs without progress, models that are shut down soon."""
        if not self._registry.settings.notify:
            return
        late = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=STUCK_S)).strftime("%Y-%m-%dT%H:%M:%S")
        for job in self._jobs.find(states=["running"], kinds=[SUITE]):
            if _stamp(job.updated_ms) < late and self._moved(job.id) < late:
                self.tell("job.stuck", job.id)
        today = datetime.datetime.now(datetime.UTC).date()
        for one in retirements(self._registry, shipped(), until=today + datetime.timedelta(days=RETIRING_DAYS)):
            if one.day >= today:
                self.tell("model.retiring", f"{one.provider} {one.model} {one.day}")
        window = window_of(self._registry.settings.watch, datetime.datetime.now(datetime.UTC))
        for event in SPIKES:
            wanted = any(event in receiver.events for receiver in self._registry.settings.notify)
            if wanted and spikes(self._registry, event, window):
                self.tell(event, window.isoformat())

    def deliver(self, event: Event, about: str, mark: str, name: str, attempt: int, before: str = "") -> None:
        """Send one notice; where that fails, the next attempt waits its turn.

        Args:
            event: what happened.
            about: as ``tell`` takes it.
            mark: the receiver's.
            name: of the notice, the same at every attempt.
            attempt: its number, from 1.
            before: how the attempt before went, for whoever looks at the row of this one.

        Raises:
            AttemptFailed: this attempt failed, and a further one waits.
            JobError: it is given up: the last attempt failed, or no attempt could do better.
        """
        receiver = next((one for one in self._registry.settings.notify if one.mark == mark), None)
        if receiver is None:
            raise JobError("its receiver no longer stands in mintmark.toml")
        failed = send(receiver, name, event, content(self._registry, self._jobs, event, about))
        if failed is None:
            return
        if attempt > len(WAITS_S):
            raise JobError(f"{attempt} attempts failed, the last one so: {failed}")
        delay = WAITS_S[attempt - 1] * random.uniform(0.8, 1.2)
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=delay)
        why = f"attempt {attempt}: {failed}; next at {at:%Y-%m-%dT%H:%M:%SZ}"
        args = [event, about, mark, name, attempt + 1, why]
        self._jobs.add(NOTICE, f"{name}.{attempt + 1}", args, INTERACTIVE, delay=delay, last=True)
        raise AttemptFailed(why)

    def named(self, mark: str) -> str:
        """A receiver as people may read it: of an address its host, else the variable that holds it."""
        for one in self._registry.settings.notify:
            if one.mark == mark:
                return f"{one.kind} {one.url_env or urlsplit(one.url or '').hostname}"
        return "a receiver that no longer stands in mintmark.toml"

    def _moved(self, run_id: str) -> str:
        """When a replay of a run last moved."""
        with self._registry.catalog.database.reading() as connection:
            newest = select(func.max(run_replay.c.updated_at)).where(run_replay.c.run == run_id)
            return connection.execute(newest).scalar() or ""


def content(registry: Registry, jobs: Jobs, event: Event, about: str) -> dict[str, JSON]:
    """What is told of a subject: ids, counts and verdicts; no prompt, no picture.

    Raises:
        JobError: there is no such subject any more.
    """
    try:
        if event in ("run.finished", "drift.detected"):
            return _of_run(registry, about, event)
        if event == "model.retiring":
            provider, _, rest = about.partition(" ")
            model, _, day = rest.rpartition(" ")
            return {"provider": provider, "model": model, "retires_on": day}
        if event in SPIKES:
            found = spikes(registry, event, datetime.datetime.fromisoformat(about))
            return {"since": about, "minutes": registry.settings.watch.window_minutes, "found": found}
        job = jobs.get(about)
        return {"job": job.id, "state": job.state, "lane": job.lane, "why": job.error}
    except NotFound as problem:
        raise JobError(str(problem)) from None


def send(receiver: Receiver, id: str, event: Event, data: dict[str, JSON]) -> str | None:
    """Send one notice once.

    Args:
        receiver: who is told.
        id: the same each time the same notice is sent.
        event: its type.
        data: what it says.

    Returns:
        None where it arrived, else what went wrong.

    Raises:
        JobError: no attempt could do better: the address or the secret is not there, or nobody wants it any more.
    """
    headers = {"Content-Type": "application/json"}
    try:
        url = receiver.address()
    except Refused as problem:
        raise JobError(str(problem)) from None
    if receiver.kind == "slack":
        body = json.dumps({"text": sentence(event, data)})
    else:
        body = json.dumps({"type": event, "timestamp": now(), "data": data}, ensure_ascii=False)
        headers |= _signed(receiver, id, body)
    own = (httpx2.URL(url).host if receiver.inside else "") or _NOBODY
    try:
        with (
            httpx2.Client(transport=OutsideTransport(own), timeout=_TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=body.encode(), headers=headers) as answer,
        ):
            status = answer.status_code
    except Inside:
        raise JobError("its address is of this machine or a private network; `inside = true` permits that") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        return _told(problem)
    if status == 410:
        raise JobError("its receiver answers 410: nobody wants it any more")
    return None if 200 <= status < 300 else f"HTTP {status}"


def _told(problem: Exception) -> str:
    """Why nothing came of an attempt; of a kind whose words may quote an address or an answer, the kind."""
    if isinstance(problem, httpx2.TimeoutException):
        return f"no answer within {_TIMEOUT_S:.0f} s"
    said = _NUMBER.sub("", str(problem)) if isinstance(problem, httpx2.ConnectError) else ""
    return said[:1].lower() + said[1:] or type(problem).__name__


def sentence(event: Event, data: dict[str, JSON]) -> str:
    """A notice in words, as Slack shows it."""
    if event == "model.retiring":
        return _plain(f"{data['provider']} shuts down {data['model']} on {data['retires_on']}")
    if event in SPIKES:
        found = "; ".join(", ".join(f"{name} {value}" for name, value in one.items()) for one in data["found"])
        return _plain(f"{event} since {data['since']}: {found or 'it has passed'}")
    if event == "job.dead":
        return _plain(f"job {data['job']} is dead: {data['why']}; when mended, mintmark jobs retry {data['job']}")
    if event == "job.stuck":
        return _plain(f"job {data['job']} has made no progress for half an hour; see mintmark jobs show {data['job']}")
    found = f"{data['suite']}: {data['exit_reason']} ({data['run']}, exit {data['exit_code']})"
    return _plain(f"drift: {found}" if event == "drift.detected" else found)


def _plain(text: str) -> str:
    """Slack's three control characters, escaped as its documentation says."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _signed(receiver: Receiver, id: str, body: str) -> dict[str, str]:
    """The three headers of standardwebhooks.com."""
    secret = os.environ.get(receiver.secret_env or "")
    if not secret:
        raise JobError(f"{receiver.secret_env} is not set: it holds the secret that notices are signed with")
    at = datetime.datetime.now(datetime.UTC)
    try:
        signature = Webhook(secret).sign(id, at, body)
    except (ValueError, RuntimeError):
        raise JobError(f"{receiver.secret_env} holds no secret of the form whsec_ and base64") from None
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def _of_run(registry: Registry, run_id: str, event: Event) -> dict[str, JSON]:
    run = Runs(registry.catalog.database).get(run_id)
    result = run.result or {}
    told = {name: result.get(name) for name in ("exit_code", "exit_reason", "counts")}
    told |= {"run": run_id, "suite": run.suite, "state": run.state}
    if event == "drift.detected":
        told |= {"manifests": _drifted(result), "gate": result.get("gate")}
    return told


def _drifted(result: JSON) -> Sequence[str]:
    """The manifests that drifted, and those that only the gate found to have."""
    gate = result.get("gate") or {}
    together = gate.get("manifests", []) if gate.get("verdict") == "drifted" else []
    own = [one["id"] for one in result.get("manifests", []) if (one["verdict"] or {}).get("kind") == "drifted"]
    return list(dict.fromkeys([*own, *together]))


def _stamp(milliseconds: int) -> str:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
