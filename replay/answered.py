"""A job that was answered, as bytes: what another process needs to go on with it."""

import json
import time

from registry.capture.answers import Answer
from registry.journal.calls import age_s
from replay.outcome import JobState
from replay.provider import Call, Job


def packed(job: Job, submitted_at: str) -> bytes:
    """What it takes to go on with a job that was answered."""
    assert job.submitted is not None
    answer = {name: getattr(job.submitted, name) for name in ("status", "body", "text")}
    return json.dumps(
        {
            "answer": answer | {"headers": dict(job.submitted.headers)},
            "state": job.state.value,
            "id": job.id,
            "poll_after_ms": job.poll_after_ms,
            "attempts": job.attempts,
            "upload_ms": job.upload_ms,
            "submitted_at": submitted_at,
        }
    ).encode()


def unpacked(data: bytes, call: Call) -> tuple[Job, str]:
    """The job, as the process that submitted it knew it, and when that was."""
    value = json.loads(data)
    answer, submitted_at = Answer(**value["answer"]), value["submitted_at"]
    job = Job(
        call,
        JobState(value["state"]),
        id=value["id"],
        poll_after_ms=value["poll_after_ms"],
        submitted=answer,
        latest=answer,
        attempts=value["attempts"],
        started=time.monotonic() - max(0.0, age_s(submitted_at)),  # a clock may be set back
        upload_ms=value["upload_ms"],
    )
    return job, submitted_at
