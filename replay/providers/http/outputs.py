"""What a finished call made, taken down into the workdir: by address, from base64, or as the answer itself."""

import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from registry.assets.local import StorageFailed
from registry.capture.answers import Answer, Ending, addresses_of, document_of, ending_of, operation_media, payloads_of
from registry.capture.description import Description
from registry.capture.protocol import Outputs
from registry.capture.request import read_slot
from replay.outcome import OutcomeClass
from replay.provider import Call, Job, Output
from replay.providers.http.channel import Channel, Cut, Refused, Unsent
from replay.providers.local import DISK

OUTPUT_BYTES: Final = 8 << 30
"""The longest file that is taken down."""

_ANY: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_TEXT: Final = frozenset({"application/json", "application/x-subrip"})


class NotTaken(Exception):
    """The job is done at the provider, and its outputs cannot be had; ``why`` is None where the answer says it."""

    def __init__(
        self, why: str | None, class_: OutcomeClass, answer: Answer | None = None, safety: str = "unknown"
    ) -> None:
        """Keep the outcome class, the answer that told, and what safety did."""
        super().__init__(why or "")
        self.why, self.class_, self.answer, self.safety = why, class_.value, answer, safety


@dataclass(frozen=True, slots=True)
class Taken:
    """The outputs, the answer that named them, how many tries beyond one it took, and what safety did to them."""

    outputs: tuple[Output, ...]
    answer: Answer
    retries: int = 0
    ending: Ending | None = None


def answer_file(call: Call) -> Path:
    """Where an answer that is the output itself is kept."""
    return call.workdir / "answer"


def take_outputs(channel: Channel, job: Job, answer: Answer, most: int) -> Taken:
    """Take down every output of a job that succeeded.

    Raises:
        NotTaken: expired, malformed, of another kind than the operation makes, or refused where its result would be.
        StorageFailed: the disk here does not take them.
    """
    description = job.call.description
    assert description.protocol is not None
    how = description.protocol.outputs
    role, kind = operation_media(description, _model(job.call))
    taking = _Taking(channel, job, role, kind, most)
    done, answer = answer, taking.result(how, answer)
    told = ending_of(description.protocol, answer, failed=False, submit=job.submitted) if answer is not done else None
    if told is not None and told.class_ != OutcomeClass.SUCCEEDED:
        raise NotTaken(None, OutcomeClass(told.class_), answer, told.safety)
    try:
        outputs = taking.take(how, description, answer)
    except OSError as problem:
        if problem.errno in DISK:  # nobody's answer is at fault: it is kept, and taken down once there is room
            raise StorageFailed(job.call.workdir.parent, problem) from problem
        raise NotTaken(f"cannot write the output: {problem}", OutcomeClass.MALFORMED, answer) from None
    if not outputs:
        where = how.expr.text if how.expr else "the answer"
        raise NotTaken(f"succeeded, and no output stands at {where}", OutcomeClass.MALFORMED, answer)
    return Taken(tuple(outputs), answer, taking.retries, told)


class _Taking:
    """One job's outputs on their way."""

    def __init__(self, channel: Channel, job: Job, role: str, kind: str, most: int) -> None:
        self._channel, self._job, self._role, self._kind, self._most = channel, job, role, kind, most
        self.retries = 0

    def result(self, how: Outputs, answer: Answer) -> Answer:
        """The answer that names the outputs: a further one where the provider keeps them apart."""
        url = how.result.text_of(answer.view(self._job.submitted)) if how.result else None
        if how.result_path is not None:
            url = how.result_path.replace("{job}", quote(self._job.id or "", safe=""))
        if url is None:
            return answer
        try:
            found, more = self._channel.read(self._channel.absolute(url))
        except (Unsent, Cut, Refused, ValueError) as problem:
            raise NotTaken(f"the result could not be read: {problem}", OutcomeClass.MALFORMED, answer) from None
        self.retries += more
        if found.status >= 400 and not self._speaks_of_the_job(found):
            raise NotTaken(f"the result is gone: HTTP {found.status}", _gone(found.status), found)
        return found

    def _speaks_of_the_job(self, refusal: Answer) -> bool:
        """Whether an answer of error is what the job came to, and not merely out of reach."""
        protocol = self._job.call.description.protocol
        told = ending_of(protocol, refusal, failed=True, submit=self._job.submitted) if protocol else None
        gone = _gone(refusal.status) is OutcomeClass.EXPIRED
        return told is not None and told.class_ in (("blocked",) if gone else ("blocked", "failed", "rejected"))

    def take(self, how: Outputs, description: Description, answer: Answer) -> list[Output]:
        """The outputs of the kind that the description says."""
        protocol = description.protocol
        assert protocol is not None
        if how.kind == "url":
            addresses = addresses_of(protocol, answer, self._job.submitted)
            return [self._downloaded(url, n) for n, url in enumerate(addresses)]
        if how.kind == "get":
            path = str(how.path).replace("{job}", quote(self._job.id or "", safe=""))
            return [self._downloaded(path, 0)]
        if how.kind == "bytes":
            return [self._named(answer_file(self._job.call), answer, 0)]
        if how.kind == "json":
            return [self._document(description, answer)]
        try:
            payloads = payloads_of(protocol, answer, self._job.submitted)
        except ValueError as problem:
            raise NotTaken(str(problem), OutcomeClass.MALFORMED, answer) from None
        return [self._payload(data, n) for n, data in enumerate(payloads)]

    def _downloaded(self, url: str, number: int) -> Output:
        target = self._job.call.workdir / f"taking-{number}"
        where = f"output {number + 1}"  # addresses are signed: they are keys, and are told to nobody
        try:
            answer, more = self._channel.download(self._channel.absolute(url), target, self._most)
        except (Unsent, Cut) as problem:
            raise NotTaken(f"{where} was cut on its way: {problem}", OutcomeClass.MALFORMED) from None
        except (Refused, ValueError) as problem:
            raise NotTaken(f"{where}: {problem}", OutcomeClass.MALFORMED) from None
        self.retries += more
        if answer.status >= 300:
            target.unlink(missing_ok=True)
            raise NotTaken(f"{where} is gone: HTTP {answer.status}", _gone(answer.status), answer)
        return self._named(target, answer, number)

    def _named(self, path: Path, answer: Answer, number: int) -> Output:
        """The file under a name that its declared type gives, if that is what the operation makes."""
        declared = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not path.exists():
            raise NotTaken("the answer holds no file", OutcomeClass.MALFORMED, answer)
        if declared == "text/html" or (declared not in _ANY and not self._fits(declared)):
            path.unlink()
            why = f"output {number + 1} is {declared}, and the operation makes {self._kind}"
            raise NotTaken(why, OutcomeClass.MALFORMED, answer)
        suffix = "" if declared in _ANY else mimetypes.guess_extension(declared) or ""
        target = path.rename(path.with_name(f"output-{number}{suffix}"))
        return Output(self._role, declared or None, target)

    def _fits(self, declared: str) -> bool:
        return declared.partition("/")[0] == self._kind or (self._kind == "text" and declared in _TEXT)

    def _document(self, description: Description, answer: Answer) -> Output:
        document = document_of(description, answer, self._job.submitted)
        if document is None and answer_file(self._job.call).exists():  # subtitles, or plain text
            return self._named(answer_file(self._job.call), answer, 0)
        if document is None:
            raise NotTaken("the answer holds no document", OutcomeClass.MALFORMED, answer)
        path = self._job.call.workdir / "output-0.json"
        path.write_bytes(document)
        return Output(self._role, "application/json", path)

    def _payload(self, data: bytes, number: int) -> Output:
        path = self._job.call.workdir / f"output-{number}"
        path.write_bytes(data)
        return Output(self._role, None, path)


def _gone(status: int) -> OutcomeClass:
    return OutcomeClass.EXPIRED if status in (401, 403, 404, 410) else OutcomeClass.MALFORMED


def _model(call: Call) -> str:
    found = read_slot(call.description, call.request, "model") if call.request else None
    return found if isinstance(found, str) else ""
