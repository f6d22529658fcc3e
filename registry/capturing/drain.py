"""Records spooled calls into the registry: ``python -m registry.capturing.drain HOME`` runs until its input ends."""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy.exc import DBAPIError

from drift.errors import MediaRefused, MediaTooLarge, MintmarkError
from registry.canonical import JSON
from registry.capture.description import Descriptions, shipped
from registry.capture.draft import Draft, Incoming
from registry.capture.exchange import Exchange, Reading, read
from registry.capturing.draining import KEEPS_OFF
from registry.capturing.opened import folders, name_of, orphaned
from registry.capturing.recorder import Recorder
from registry.capturing.spool import ENTRY, OPEN, POORER, REFUSED, TORN, Spool
from registry.errors import CouldNotRun, ExchangeConflict, NotFound, Refused, RegistryError
from registry.home import Registry, create_at
from registry.locking import LockBusy
from registry.manifest import Context, Model, Outcome, Parent, Prompt, Provider, Seed
from registry.processes import this_process
from registry.record import record
from registry.verbatim import stored
from registry.whole import write_whole

_AGAIN_S: Final = (1.0, 5.0, 30.0, 300.0)
_LOOK_S: Final = 0.5  # others may spool here, too
_FOLLOW_S: Final = 30.0  # for jobs of others, once nothing new comes
_ENDING_S: Final = 1.0  # of a process, between closing its files and having ended
_STALE_S: Final = 3600.0
_TORN: Final = "call {} was torn on the disk and cannot be recorded; see what is left in {}, then delete that folder"
_REFUSED: Final = "call {} cannot be recorded as it is: {}; see entry.json in {}, then delete that folder"
_LATE: Final = "it came with outputs after {} was recorded without any, by a process that took its own for ended"
_LASTING_S: Final = 180.0  # for which an entry fails for one reason before it is put aside
_LASTING: Final = 4  # tries, in that time
_WHY: Final = 500  # characters of a reason that are kept
_NO_PARENT: Final = "a parent is left out: {}"
_EXTENSION: Final = "org.mintmark.capture"
_UNFINISHED: Final = "the program ended before its job did: it may have been billed"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one entry: the id of its record, or why there is none yet; what of it was left out."""

    entry: str
    id: str | None = None
    why: str | None = None
    first: bool = True
    notes: tuple[str, ...] = ()


def drain(registry: Registry, spool: Spool, skip: frozenset[str] = frozenset()) -> Iterator[Done]:
    """Record every waiting entry once, oldest first; one that fails stays where it is.

    Args:
        registry: where to.
        spool: of its home.
        skip: names of entries whose time has not come again.
    """
    for entry in spool.waiting():
        if entry.name in skip:
            continue
        done = _one(registry, spool, entry)
        if done is not None:
            yield done


def _one(registry: Registry, spool: Spool, entry: Path) -> Done | None:
    """Record an entry; None where another drain has had it."""
    try:
        with spool.alone():
            value = spool.read(entry)
            if value is None:
                aside = spool.put_aside(entry)
                return Done(entry.name, why=_TORN.format(entry.name, aside)) if aside else None
            first = not value.get("attempts")
            notes: list[str] = []
            try:
                recorded = _record(registry, entry, value, notes)
            except Exception as problem:  # whatever it is, the next entry has nothing to do with it
                why = str(problem) if isinstance(problem, MintmarkError | OSError) else type(problem).__name__
                _failed(entry, value, why)
                over = isinstance(problem, _Late) or (_is_lasting(problem) and _lasts(value))
                if over:
                    why = _REFUSED.format(entry.name, why, spool.refuse(entry))
                return Done(entry.name, why=why, first=first or over)
            spool.drop(entry)
            return Done(entry.name, id=recorded, first=first, notes=tuple(notes))
    except (LockBusy, OSError) as problem:  # of the lock, or of the spool: nothing was recorded, it is tried again
        return Done(entry.name, why=str(problem), first=False)


def reading_of(entry: Path, value: dict[str, Any], folder: Path, known: Descriptions) -> Reading:
    """A spooled call as a draft.

    Raises:
        CouldNotRun: its description is not shipped any more.
    """
    description = known.by_id(value["description"])
    if description is None:
        raise CouldNotRun(f"spooled call {entry.name}: no description {value['description']!r}; update mintmark")
    last = _exchange(entry, "last", value["last"]) if "last" in value else None
    reading = read(
        description,
        _exchange(entry, "submit", value["submit"]),
        folder,
        last=last,
        downloads={url: entry / name for url, name in value["downloads"].items()},
        given_up=value["given_up"],
        base_url=value["base_url"],
        capture=value["capture"],
        exchange_id=entry.name,
    )
    seen = {name: value["ms"].get(name) for name in ("connect", "upload", "first_partial")}
    latency = msgspec.structs.replace(reading.draft.outcome.latency_ms, **seen)
    outcome = msgspec.structs.replace(reading.draft.outcome, latency_ms=latency)
    draft = msgspec.structs.replace(reading.draft, outcome=outcome)
    if not reading.finished:
        outcome = msgspec.structs.replace(draft.outcome, class_="timeout", state="unknown", error=_UNFINISHED)
        draft = msgspec.structs.replace(draft, outcome=outcome, outputs=[])
    elif value["ended"] == "left" and draft.outcome.class_ == "ambiguous":
        outcome = msgspec.structs.replace(draft.outcome, error="the caller hung up before the answer was whole")
        draft = msgspec.structs.replace(draft, outcome=outcome)
    elif value["why"] and draft.outcome.class_ == "ambiguous":
        draft = msgspec.structs.replace(draft, outcome=msgspec.structs.replace(draft.outcome, error=value["why"]))
    if value["broken"]:
        # Its bytes could not all be kept: what is left is what was seen of it, and no request to send again.
        draft = msgspec.structs.replace(draft, request=None, confidence="partial", inputs=[])
    return Reading(draft, reading.files)


def _is_lasting(problem: Exception) -> bool:
    """Whether trying again cannot help: the entry is refused, or nobody foresaw what is in it.

    What the machine lacks just now (memory, a disk, a database) says nothing of the entry.
    """
    machine = (MintmarkError, OSError, MemoryError, DBAPIError)
    return isinstance(problem, Refused) or not isinstance(problem, machine)


def _lasts(value: dict[str, Any]) -> bool:
    """Whether an entry has failed often enough, and long enough, for one reason."""
    return bool(value["failures"] >= _LASTING and time.time() - value["failing_since"] >= _LASTING_S)


def _parents(registry: Registry, said: dict[str, Any], notes: list[str]) -> tuple[list[Parent], dict[str, JSON]]:
    """The parents that are records here, and a note on those that are none: no call is unrecorded for their sake."""
    found, unknown = [], []
    for relation, name in said["parents"]:
        try:
            found.append(Parent(id=registry.catalog.resolve(name), relation=relation))
        except (NotFound, Refused) as problem:
            unknown.append(f"{relation}={name}")
            notes.append(_NO_PARENT.format(problem))
    return found, {_EXTENSION: {"unknown_parents": unknown}} if unknown else {}


def _record(registry: Registry, entry: Path, value: dict[str, Any], notes: list[str]) -> str:
    said = value["said"]
    parents, extensions = _parents(registry, said, notes)
    with tempfile.TemporaryDirectory(dir=entry, prefix=".reading-") as folder:
        marked = value.get("marked")
        reading = _marked(entry, marked) if marked else reading_of(entry, value, Path(folder), shipped())
        draft = msgspec.structs.replace(
            reading.draft,
            context=Context(workflow=said["workflow"], subject=said["subject"]),
            labels=said["labels"],
            parents=parents,
            extensions=reading.draft.extensions | extensions,
        )
        try:
            return _kept(registry, draft, reading.files)
        except MediaTooLarge:  # a limit of this registry, which can be raised: nothing is wrong with the output
            raise
        except MediaRefused as problem:
            return _kept(registry, _malformed(draft, str(problem)), reading.files)


class _Late(RegistryError):
    """A call with outputs whose record has none: two processes took it to its end, and the poorer was quicker."""

    def __init__(self, stored: str) -> None:
        """Name the record."""
        super().__init__(_LATE.format(stored))


def _kept(registry: Registry, draft: Draft, files: Mapping[str, Path]) -> str:
    """The record of a draft; that of another process which took this one's for ended, and had no less to tell."""
    try:
        return record(registry, draft, files).id
    except ExchangeConflict as problem:
        if draft.outputs and not registry.catalog.manifest(problem.stored).outputs:
            raise _Late(problem.stored) from None
        return problem.stored


def _malformed(draft: Draft, why: str) -> Draft:
    """The call succeeded, was paid perhaps, and what came is no media: that is recorded, too."""
    outcome = msgspec.structs.replace(draft.outcome, class_="malformed", error=why)
    operation = draft.operation or "media.derive"
    return msgspec.structs.replace(draft, outputs=[], outcome=outcome, operation=operation)


def _marked(entry: Path, value: dict[str, Any]) -> Reading:
    """A call of a decorated function."""
    files = {name: entry / name for name in value["outputs"]}
    failed = value["error"] is not None or not files
    ended = "canceled" if value.get("canceled") else "failed" if failed else "succeeded"
    draft = Draft(
        provider=Provider(name=value["provider"]),
        model=Model(requested=value["model"]),
        operation=value["operation"] or ("media.derive" if failed else None),
        prompt=Prompt(submitted=value.get("prompt")),
        seed=Seed(requested=value.get("seed")),
        settings={name: stored(setting) for name, setting in value["settings"].items()},
        outputs=[Incoming(file=name) for name in files],
        outcome=Outcome(
            class_=ended,  # type: ignore[arg-type]  # one of three words, each of which is both
            state=ended,  # type: ignore[arg-type]
            submitted_at=value["started"],
            completed_at=value["ended"],
            error=value["error"] or ("it made nothing" if failed else None),
        ),
        capture="hook",
        exchange_id=entry.name,
    )
    return Reading(draft, files)


def _exchange(entry: Path, name: str, value: dict[str, Any]) -> Exchange:
    def bytes_of(suffix: str) -> bytes:
        path = entry / f"{name}.{suffix}"
        return path.read_bytes() if path.exists() else b""

    headers = [(key, text) for key, text in value["response_headers"]]
    return Exchange(
        method=value["method"],
        url=value["url"],
        request_headers=[(key, text) for key, text in value["request_headers"]],
        request_body=bytes_of("request"),
        status=value["status"],
        response_headers=headers,
        response_body=bytes_of("answer"),
        submitted_at=value["submitted_at"],
        completed_at=value["completed_at"],
        total_ms=value["total_ms"],
    )


def _failed(entry: Path, value: dict[str, Any], why: str) -> None:
    """Note the try; a disk that takes not even this has been told of already."""
    why = why[:_WHY]
    if value.get("failed") != why or "failures" not in value:
        value |= {"failures": 0, "failing_since": time.time()}
    value |= {"attempts": value.get("attempts", 0) + 1, "failures": value["failures"] + 1, "failed": why}
    with suppress(OSError):
        write_whole(entry / ENTRY, json.dumps(value).encode(), durable=False)


def _sweep(spool: Spool) -> None:
    """Put back what a crash left half replaced; take away what one left half written an hour ago."""
    with suppress(OSError, LockBusy):
        spool.mend()
    with suppress(OSError):
        for path in spool.folder.glob(".*"):
            stays = path.name in (TORN, REFUSED, OPEN) or path.name.endswith(POORER)
            if not stays and time.time() - path.stat().st_mtime > _STALE_S:
                spool.drop(path)


def run(home: Path, *, adopts: bool = True) -> int:
    """Record what is spooled, and what comes, until standard input ends; say each as a line of JSON.

    Returns:
        The exit status: 3 where something still waits, else 0.
    """
    spool = Spool(home)
    _sweep(spool)
    registry: Registry | None = None
    later: dict[str, tuple[float, int]] = {}
    for entry in spool.waiting():  # what failed before has its turn after what is new
        if (spool.read(entry) or {}).get("attempts"):
            later[entry.name] = (time.monotonic() + _AGAIN_S[0], 0)
    ended, poked, over = False, threading.Event(), threading.Event()
    threading.Thread(target=_listen, args=(poked, over), daemon=True).start()
    following = _Following(spool, adopts=adopts)
    while True:
        following.look()
        finishing = ended and not following.is_waited_for
        if any(True for _ in spool.waiting()):
            registry = registry or _opened(home)
        skip = frozenset(
            name for name, (at, tries) in later.items() if at > time.monotonic() and not (ended and not tries)
        )
        for done in drain(registry, spool, skip) if registry is not None else ():
            _tell(done)
            if done.id is not None:
                later.pop(done.entry, None)
            else:
                tries = later.get(done.entry, (0.0, 0))[1]
                later[done.entry] = (time.monotonic() + _AGAIN_S[min(tries, len(_AGAIN_S) - 1)], tries + 1)
        if finishing:
            break
        poked.wait(_LOOK_S)
        poked.clear()
        if over.is_set() and not ended:
            ended = True
            following.end()
    following.close()
    if registry is not None:
        registry.close()
    return 3 if any(True for _ in spool.waiting()) else 0


class _Following:
    """What processes left open that have ended: taken over here, until this process ends, too."""

    def __init__(self, spool: Spool, *, adopts: bool) -> None:
        self._spool, self._adopts = spool, adopts
        self._recorder: Recorder | None = None
        self._ended = 0.0

    def look(self) -> None:
        """Take over what nobody works on."""
        try:
            if self._adopts and orphaned(self._spool):
                self._recorder = self._recorder or Recorder(self._spool.home)
                self._recorder.adopt()
        except (MintmarkError, OSError) as problem:
            _tell(Done("", why=str(problem), first=False))

    def end(self) -> None:
        """From now on, what is not over soon is left to the next drain."""
        self._ended = time.monotonic()

    def close(self) -> None:
        """Leave what is not over to the next drain, and no empty folder."""
        if self._recorder is not None:
            self._recorder.close(0.0)

    @property
    def is_waited_for(self) -> bool:
        """Whether a job goes on, or whoever started this process may be about to end, and to leave one."""
        passed = time.monotonic() - self._ended
        goes_on = self._recorder is not None and self._recorder.has_work
        others = [one for one in folders(self._spool) if one.name != name_of(this_process())]
        return self._adopts and ((goes_on and passed < _FOLLOW_S) or (bool(others) and passed < _ENDING_S))


def _opened(home: Path) -> Registry | None:
    try:
        return create_at(home)[0]
    except (RegistryError, OSError) as problem:
        _tell(Done("", why=str(problem), first=False))
        return None


def _tell(done: Done) -> None:
    told = {"recorded": done.id} if done.id else {"failed": done.why}
    with suppress(OSError):  # whoever listened is gone; the work goes on
        print(json.dumps(told | {"entry": done.entry, "first": done.first, "notes": done.notes}), flush=True)


def _listen(poked: threading.Event, over: threading.Event) -> None:
    """Each line says that something new is there; the end, that nothing more will come."""
    while sys.stdin.readline():
        poked.set()
    over.set()
    poked.set()


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), adopts=KEEPS_OFF not in sys.argv))
