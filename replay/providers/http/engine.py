"""Any remote operation: its stored request sent once, its job followed, its outputs taken down."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from registry.canonical import JSON
from registry.capture.answers import Answer, Ending, ending_of, facts_of, job_of, state_of
from registry.capture.description import Description
from registry.capture.protocol import Protocol
from registry.capture.request import asked_for
from registry.capture.wire import sent_ahead, wire, with_addresses
from registry.manifest import encodable
from replay.errors import JobUnfinished
from replay.outcome import ENDS, EndState, JobState, OutcomeClass, Safety, ended
from replay.provider import Call, CallCost, Job, Outcome, Output, latency_ms
from replay.providers.http.channel import Channel, Cut, Refused, Sending, Unsendable, Unsent
from replay.providers.http.outputs import OUTPUT_BYTES, NotTaken, answer_file, take_outputs
from replay.providers.http.pace import Pace, retry_after
from replay.providers.http.secrets import key_of, place_of
from replay.providers.http.uploading import NotUploaded, upload

_ERROR_CHARACTERS: Final = 500


class HttpProvider:
    """A provider that a description speaks for.

    Args:
        description: of a remote operation.
        environment: where keys and addresses are looked up.
        pace: when reads and unsent requests are tried again.
        most: bytes of the longest output.

    Raises:
        SecretMissing, SecretUnreadable, BadAddress: nothing was sent.
    """

    def __init__(
        self,
        description: Description,
        environment: Mapping[str, str],
        pace: Pace | None = None,
        most: int = OUTPUT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look up key and address; connect to nothing."""
        if description.protocol is None:
            raise TypeError(f"{description.id} is no remote operation")
        self._protocol: Protocol = description.protocol
        self._pace, self._most, self._clock = pace or Pace(), most, clock
        place = place_of(description, environment)
        told = self._protocol
        self._channel = Channel(place, key_of(description, environment), told.headers, self._pace, told.events)

    @property
    def host(self) -> str:
        """Host and port that requests go to."""
        return self._channel.place.host

    @property
    def protocol(self) -> Protocol:
        """How the operation speaks."""
        return self._protocol

    def submit(self, call: Call) -> Job:
        """Upload what goes ahead, send the request once, and read what came of it."""
        started = self._clock()
        job = Job(call, JobState.SUBMITTED, started=started, poll_after_ms=self._after_ms())
        if call.request is None or call.fetch is None:
            return self._end(job, Ending("unsupported", "none"), "the request is not stored, so it cannot be sent")
        if not str(call.request.path).startswith("/"):  # "@host/…" would make the provider's host a user's name there
            why = "the stored path does not begin with a slash, so it is not sent: it could lead to another host"
            return self._end(job, Ending("unsupported", "none"), why)
        try:
            addresses = upload(self._channel, self._protocol, sent_ahead(call.request), call.fetch)
        except NotUploaded as problem:
            return self._end(job, Ending(problem.class_, "unknown"), f"an input could not be uploaded: {problem}")
        if addresses:
            job = replace(job, upload_ms=self._since(started))
        try:
            sent = wire(with_addresses(call.request, addresses), call.fetch)
        except OSError as problem:
            return self._end(job, Ending("failed", "none"), f"an input cannot be read: {problem}")
        url = f"{self._channel.place.base_url}{sent.target}"
        key = self._protocol.idempotency
        headers = sent.headers if key is None else (*sent.headers, (key.lower(), call.idempotency_key))
        return self._submit(job, Sending(sent.method, url, headers, sent.content, sent.length))

    def poll(self, job: Job) -> Job:
        """Read the job's state; trouble on the line leaves the job as it is, to be asked again."""
        if ended(job.state) or self._protocol.poll is None or job.submitted is None:
            return job
        url = self._job_url(job, self._protocol.poll.path, self._protocol.poll.url)
        try:
            answer, more = self._channel.read(url)
        except (Unsent, Cut):
            return replace(job, attempts=job.attempts + self._pace.tries - 1)
        except Refused as problem:
            return self._end(job, Ending("malformed", "unknown"), str(problem))
        job = replace(job, attempts=job.attempts + more, asked_s=self._asked_s(answer))
        if answer.status >= 400:
            return self._refused_poll(job, answer)
        state, said = state_of(self._protocol, answer, job.submitted)
        job = replace(job, latest=answer, unknown=self._clean(said) if state is None else None)
        return job if state is None else replace(job, state=JobState(state))

    def fetch(self, job: Job) -> Outcome:
        """Outcome and facts of a job that ended, with its outputs in the workdir.

        Raises:
            JobUnfinished: it has not ended.
        """
        if job.outcome is not None:
            return job.outcome
        if not ended(job.state) or job.submitted is None:
            raise JobUnfinished(job.id, job.state)
        answer = job.latest or job.submitted
        if job.state in (JobState.CANCELED, JobState.EXPIRED):
            return self._outcome(job, answer, Ending(job.state.value, "unknown"), None)
        failed = job.state is JobState.FAILED
        ending = ending_of(self._protocol, answer, failed=failed, submit=job.submitted)
        if ending is not None and ending.class_ != OutcomeClass.SUCCEEDED:
            return self._outcome(job, answer, ending, None)
        started = self._clock()
        try:
            taken = take_outputs(self._channel, job, answer, self._most)
        except NotTaken as problem:
            return self._outcome(job, problem.answer or answer, Ending(problem.class_, problem.safety), problem.why)
        job = replace(job, attempts=job.attempts + taken.retries)
        return self._succeeded(job, taken.answer, taken.outputs, ending or taken.ending, self._since(started))

    def cancel(self, job: Job) -> Job:
        """Ask the provider to stop the job, where it can be asked."""
        if ended(job.state) or job.submitted is None or self._protocol.cancel is None:
            return job
        told = self._protocol.cancel
        url = self._job_url(job, told.path, told.url)
        try:
            answer = self._channel.send(Sending(told.method, url, length=0, content=lambda: iter(())), read_s=30)
        except (Unsent, Cut, Refused):
            return job
        if answer.status >= 400:
            return job
        state, _ = state_of(self._protocol, answer, job.submitted)
        if state is not None and ended(JobState(state)):
            return replace(job, state=JobState(state), latest=answer)
        outcome = self._outcome(job, answer, Ending("canceled", "unknown"), None)
        return replace(job, state=JobState.CANCELED, outcome=outcome)

    def _submit(self, job: Job, sending: Sending) -> Job:
        keep = answer_file(job.call) if self._protocol.outputs.kind in ("bytes", "json") else None
        tried, cut = 0, False
        while True:
            tried += 1
            job = replace(job, attempts=tried)
            job.call.gate()
            try:
                answer = self._channel.send(sending, read_s=self._protocol.timeout_s, keep=keep)
            except Unsendable as problem:  # written the same way each time: no try of it can have left
                why = f"not sent, as the request cannot be written: {problem}"
                return self._end(job, Ending("unsupported", "none"), why)
            except Unsent as problem:
                if self._pace.wait(tried, {}):
                    continue
                unsent = Ending("ambiguous" if cut else "retryable", "unknown")
                return self._end(job, unsent, f"no connection to {self.host}: {problem}")
            except Cut as problem:
                # The provider knows the request by its key: sent again, it is still one call.
                cut = True
                if self._protocol.idempotency is not None and self._pace.wait(tried, {}):
                    continue
                why = f"cut after sending ({problem}): it may have been carried out and billed; ask the provider"
                return self._end(job, Ending("ambiguous", "unknown"), why)
            except Refused as problem:
                return self._end(job, Ending("malformed", "unknown"), str(problem))
            refused = ending_of(self._protocol, answer, failed=False) if answer.status >= 400 else None
            if refused is not None and refused.again and self._pace.wait(tried, answer.headers):
                continue
            if cut and refused is not None:  # which says nothing of the try that was cut
                refused = Ending("ambiguous", "unknown")
            return self._answered(job, answer, refused)

    def _answered(self, job: Job, answer: Answer, refused: Ending | None) -> Job:
        job = replace(job, submitted=answer, latest=answer, asked_s=self._asked_s(answer))
        if refused is not None:
            return self._end(job, refused, None, answer)
        if 300 <= answer.status < 400:
            where = answer.headers.get("location", "nowhere")
            why = f"redirected to {where}: a request is never sent on; set the provider's address to the right one"
            return self._end(job, Ending("rejected", "none"), why, answer)
        if answer.body is None and not answer_file(job.call).exists():
            told = answer.headers.get("content-type") or "no content type"
            return self._end(job, Ending("malformed", "unknown"), f"expected JSON, not {told}", answer)
        if self._protocol.poll is None:
            failing = ending_of(self._protocol, answer, failed=False)
            went_wrong = failing is not None and failing.class_ != OutcomeClass.SUCCEEDED
            return replace(job, state=JobState.FAILED if went_wrong else JobState.SUCCEEDED)
        state, said = state_of(self._protocol, answer)
        job = replace(job, id=job_of(self._protocol, answer), state=JobState(state or JobState.SUBMITTED))
        if job.id is None and not ended(job.state) and self._protocol.poll.url is None:
            failing = ending_of(self._protocol, answer, failed=False)
            why = f"accepted with state {said!r}, without the id of a job"
            return self._end(job, failing or Ending("malformed", "unknown"), None if failing else why, answer)
        return job

    def _refused_poll(self, job: Job, answer: Answer) -> Job:
        if answer.status in (404, 410):
            why = f"the provider no longer knows job {job.id}"
            outcome = self._outcome(job, answer, Ending("expired", "unknown"), why)
            return replace(job, state=JobState.EXPIRED, outcome=outcome)
        ending = ending_of(self._protocol, answer, failed=False, submit=job.submitted)
        if ending is None or ending.class_ in ("retryable", "ambiguous"):
            return job  # the job goes on at the provider; whoever waits decides how long
        return self._end(job, ending, None, answer)

    def _job_url(self, job: Job, path: str | None, url: object) -> str:
        if path is not None:
            return self._channel.absolute(path.replace("{job}", quote(job.id or "", safe="")))
        found = job.submitted.view() if job.submitted else {}
        return self._channel.absolute(url.text_of(found) or "/")  # type: ignore[attr-defined]

    def _succeeded(
        self, job: Job, answer: Answer, outputs: tuple[Output, ...], told: Ending | None, fetch_ms: int
    ) -> Outcome:
        request = job.call.request
        asked = asked_for(job.call.description, request) if request is not None else None
        safety = Safety.NONE if self._protocol.tells_safety else Safety.UNKNOWN
        if told is not None:
            safety = Safety(told.safety)
        elif asked is not None and len(outputs) < asked:
            safety = Safety.OMITTED
        ending = Ending(OutcomeClass.SUCCEEDED.value, safety.value)
        return self._outcome(job, answer, ending, None, outputs=outputs, fetch_ms=fetch_ms)

    def _end(self, job: Job, ending: Ending, why: str | None, answer: Answer | None = None) -> Job:
        """The job with its outcome, where nothing is left to follow."""
        outcome = self._outcome(job, answer, ending, why)
        return replace(job, state=JobState.FAILED, outcome=outcome)

    def _outcome(
        self,
        job: Job,
        answer: Answer | None,
        ending: Ending,
        why: str | None,
        outputs: tuple[Output, ...] = (),
        fetch_ms: int | None = None,
    ) -> Outcome:
        class_ = OutcomeClass(ending.class_)
        facts = facts_of(
            self._protocol, answer or Answer(0), job.submitted if answer else None, clean=self._channel.scrub
        )
        spans = {"run": facts.run_ms, "queue": facts.queue_ms, "fetch": fetch_ms, "upload": job.upload_ms}
        spans["first_partial"] = job.submitted.partial_ms if job.submitted else None
        known = {name: span for name, span in spans.items() if span is not None}
        cost = CallCost(facts.cost, facts.currency, facts.units) if facts.cost or facts.units else None
        told = None if class_ is OutcomeClass.SUCCEEDED else why or facts.error or _told(answer)
        return Outcome(
            class_=class_,
            state=_state(class_, job.state),
            safety=Safety(ending.safety),
            outputs=outputs,
            http_status=answer.status if answer else None,
            request_id=facts.request_id,
            job_id=self._clean(job.id),
            served_model=facts.served_model,
            effective_prompt=facts.effective_prompt,
            actual_seed=facts.actual_seed,
            attempts=job.attempts,
            latency_ms=latency_ms(**known, total=self._since(job.started)),
            error=self._clean(told),
            cost=cost,
        )

    def _clean(self, text: str | None) -> str | None:
        return encodable(self._channel.scrub(text)) if text else None

    def _since(self, started: float | None) -> int:
        return max(0, round((self._clock() - started) * 1000)) if started is not None else 0

    def _asked_s(self, answer: Answer) -> float:
        return retry_after(answer.headers, self._pace.clock())

    def _after_ms(self) -> int | None:
        return self._protocol.poll.after_ms if self._protocol.poll else None


def _state(class_: OutcomeClass, seen: JobState) -> EndState:
    """Where the job stood: as seen if the class allows it, else as the class says."""
    allowed = ENDS[class_]
    if ended(seen) and EndState(seen.value) in allowed:
        return EndState(seen.value)
    order = (EndState.FAILED, EndState.CANCELED, EndState.EXPIRED, EndState.SUCCEEDED, EndState.UNKNOWN)
    return next(state for state in order if state in allowed)


def _told(answer: Answer | None) -> str | None:
    if answer is None:
        return None
    said: JSON = answer.text or (answer.body if isinstance(answer.body, str) else None)
    return f"HTTP {answer.status}" + (f": {said[:_ERROR_CHARACTERS]}" if said else "")
