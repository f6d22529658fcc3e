"""Erases sealed values and asset bytes; ids, signatures and proofs still verify afterwards.

An intent is committed first, then the vault rows and bytes go, then the signed
erasure record is appended, then the index and the write-ahead files are cleared,
and at last the intent is closed. Whatever step a crash interrupts, the next
writing command finishes the promise.
"""

import json
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from registry.canonical import JSON, canonical, escape, parse
from registry.capture.slots import WORDS
from registry.digest import Digest
from registry.drafting import IMPORTED
from registry.erasable import Stored, holds, kept_whole, of_request, staying, stored_of, that_hold, values_at
from registry.errors import CouldNotRun, InvalidValue, NotFound, Refused, counted
from registry.home import Registry
from registry.index.store import truncate_wal
from registry.indexing import catch_up
from registry.manifest import id_of
from registry.schema import validate
from registry.sealing import at, is_seal, seal
from registry.times import now

_PROMPTS = ("/prompt/submitted", "/prompt/effective", *(f"/settings/{name}" for name in WORDS))
# These reach every place that holds the value. What else a field may name (``pointer_of``) goes alone.
FIELDS = {
    "prompt": (*_PROMPTS, f"/extensions/{IMPORTED}/metadata"),
    "request": _PROMPTS,
    "subject": ("/context/subject",),
    "error": ("/outcome/error",),
}
OF_A_PERSON = ("prompt", "subject", "error", "reason")
_PATIENCE = 5.0  # seconds for readers to let go of the write-ahead files


class AssetInUse(Refused):
    """Bytes that other manifests need."""

    def __init__(self, digest: str, others: list[str]) -> None:
        """Name one of them."""
        count = "another generation" if len(others) == 1 else f"{len(others)} other generations"
        super().__init__(
            f"asset {digest} is also used by {count} ({others[0]}{' …' if len(others) > 1 else ''}); "
            "--all-references erases it for all of them"
        )


class ValueInAsset(Refused):
    """A kept file carries the value in its own metadata."""

    def __init__(self, digest: str) -> None:
        """Name the file."""
        super().__init__(f"asset {digest} holds the value in its own bytes; erase it too with --asset")


class StandsOpen(Refused):
    """A value that was never sealed."""

    def __init__(self, manifest: str, pointer: str) -> None:
        """Name the place."""
        super().__init__(
            f"{pointer} of {manifest} is not sealed: it is part of the signed record and cannot be taken out of it; "
            "`mintmark show` tells what is sealed"
        )


class NothingToErase(NotFound):
    """The manifest has no such sealed value, or it is erased already."""

    def __init__(self, manifests: Sequence[str], stays: int) -> None:
        """Name the manifests, and how many texts of their requests a wider field would take."""
        remedy = "`mintmark show` tells what is sealed and what is erased"
        if stays:
            remedy = f"--field request takes {counted(stays, 'sealed text')} of what was sent"
        super().__init__("erasable value in", ", ".join(manifests), remedy)


class ResiduePending(CouldNotRun):
    """Erased, yet old pages still lie in a write-ahead file that a reader holds."""

    def __init__(self, names: list[str]) -> None:
        """Name the databases."""
        super().__init__(
            f"residue pending in {', '.join(names)}: another process is reading; the record stands, "
            "end the reader and run `mintmark erase --finish`"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure takes away: pointers by record, and assets by BLAKE3; ``subjects`` goes into the record.

    ``stays`` are the places of sealed texts that the requests of the named generations keep, the longest text first.
    """

    places: list[tuple[str, str]]
    assets: list[str]
    subjects: list[dict[str, JSON]]
    open_digests: list[str]
    stays: list[tuple[str, str]]
    all_references: bool
    reason: str
    authority: str

    def to_json(self) -> dict[str, JSON]:
        """What carrying it out needs; the reason is sealed in the record and never lies here in clear."""
        return {"places": self.places, "assets": self.assets, "all": self.all_references}


def pointer_of(field: str) -> str:
    """The one place that a field names: ``reason`` (reviews, approvals), ``label:KEY``, or the JSON pointer of a seal.

    Raises:
        InvalidValue: it names none, or a digest (which goes with the bytes).
    """
    pointer = "/reason" if field == "reason" else field
    if field.startswith("label:"):
        pointer = f"/labels/{escape(field.removeprefix('label:'))}"
    if not pointer.startswith("/") or pointer.endswith("/digest"):
        allowed = (
            f"{', '.join(FIELDS)}, reason, label:KEY or the JSON pointer of a sealed value, such as /settings/style"
        )
        raise InvalidValue("--field", field, f"one of {allowed}; bytes and their digests go with --asset")
    return pointer


def generations_about(registry: Registry, subject: str) -> list[str]:
    """Every generation about a person, oldest first.

    Raises:
        NotFound: there is none, or none that still says so.
    """
    found = registry.catalog.known(holding := registry.vault.holding("/context/subject", subject))
    if not found:
        raise NotFound("generation about", repr(subject), "write the subject exactly as it was recorded")
    return [one for one in holding if one in found]


def plan_erasure(
    registry: Registry,
    *manifests: str,
    fields: Iterable[str],
    asset: bool = False,
    all_references: bool = False,
    reason: str,
    authority: str,
) -> Plan:
    """What would go: every place that holds the values, in the manifests, their replays and what was said of them.

    Args:
        registry: where they lie.
        manifests: the generations.
        fields: names from ``FIELDS``, which reach every place that holds the value, and what ``pointer_of`` takes.
        asset: the bytes of their outputs, too, and every file that holds a value.
        all_references: even if other generations use those bytes.
        reason: why; it is sealed in the record.
        authority: on whose word.

    Raises:
        NotFound: no such generation, or nothing left to erase.
        AssetInUse, ValueInAsset, StandsOpen: going on would harm or miss something; the error says what to do.
    """
    fields = set(fields)
    reaching = {pointer for field in fields & FIELDS.keys() for pointer in FIELDS[field]}
    alone = {pointer_of(field) for field in fields - FIELDS.keys()}
    _refuse_open(registry, manifests, alone)
    family = _family(registry, manifests)
    reviewed = _about(registry, family, "review", "approval")
    said = [*reviewed, *_about(registry, family, "erasure")]
    disclosures = registry.vault.get_many([*family, *said])
    values = values_at(reaching, (found for one in manifests for found in disclosures[one]))
    places = [(member, found.pointer) for member, held in disclosures.items() for found in held if holds(found, values)]
    places += [
        (member, found.pointer)
        for member in (*family, *reviewed)
        for found in disclosures[member]
        if found.pointer in alone or of_request(found.pointer, fields)
    ]
    stored = [found for member in family for found in stored_of(registry, member, disclosures[member])]
    made_here = [found for found in stored if found.manifest in manifests and found.direction == "output"]
    gone = _gone(registry, stored, kept_whole(stored, fields, asset=asset), values, made_here if asset else None)
    gone += _also_used(registry, gone, all_references=all_references)
    opened = registry.vault.get_many(sorted({found.manifest for found in gone}))
    gone_digests = [found.digests.to_json() for found in gone]
    places += [(one, found.pointer) for one, held in opened.items() for found in held if found.value in gone_digests]
    stays = staying({one: disclosures[one] for one in manifests}, set(places)) if "prompt" in fields else []
    if not places and not gone:
        raise NothingToErase(manifests, len(stays))
    return Plan(
        sorted(set(places)),
        sorted({found.digests.blake3 for found in gone}),
        _subjects([*family, *said, *(found.manifest for found in gone)], places, gone),
        sorted({found.digests.sha256 for found in gone if not found.sealed}),
        stays,
        all_references,
        reason,
        authority,
    )


def _about(registry: Registry, family: Iterable[str], *kinds: str) -> list[str]:
    return [found.id for member in family for kind in kinds for found in registry.catalog.about(member, kind)]


def _gone(
    registry: Registry,
    stored: list[Stored],
    whole: list[Stored],
    values: list[JSON],
    made_here: list[Stored] | None,
) -> list[Stored]:
    """The files that go: those kept whole, those that hold a value and, unless bytes are to stay, what was made here.

    Raises:
        ValueInAsset: bytes are to stay, and a file holds a value.
    """
    telling = [found for found in that_hold(registry, stored, values) if found not in whole]
    if telling and made_here is None:
        raise ValueInAsset(f"sha256:{telling[0].digests.sha256}")
    return [found for found in stored if found in telling or found in whole or found in (made_here or ())]


def erase(registry: Registry, plan: Plan) -> str:
    """Carry a plan out.

    Returns:
        The id of the erasure record.

    Raises:
        ResiduePending: all is erased and recorded, but a reader keeps old pages alive; ``finish`` resumes.
    """
    intent = str(uuid.uuid4())
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/erasure/v1",
        "recorded_at": recorded_at,
        "subjects": plan.subjects,
        "assets": plan.open_digests,
        "reason": plan.reason,
        "authority": plan.authority,
        "actor": registry.settings.actor,
    }
    disclosures = seal(value, ["/reason"])
    validate("record/v1", value)
    body = canonical(value)
    # Whoever finishes the promise after a crash has only what is stored: the vault takes what opens the reason now.
    # The promise names the record, so that no sweep takes the disclosure for an orphan.
    registry.vault.put(id_of(body), disclosures)
    promise = plan.to_json() | {"record": body.decode(), "id": id_of(body)}
    with registry.catalog.database.writing() as connection:
        registry.catalog.add_intent(connection, intent, recorded_at, json.dumps(promise).encode())
    return _carry_out(registry, intent, promise)


def finish(registry: Registry) -> int:
    """Complete erasures that a crash interrupted, and clear residue; returns how many were open."""
    intents = registry.catalog.intents()
    for intent, body in intents:
        _carry_out(registry, intent, json.loads(body))
    clear_residue(registry)
    return len(intents)


def clear_residue(registry: Registry) -> None:
    """Empty the write-ahead files that still hold erased pages.

    Raises:
        ResiduePending: a reader keeps one of them busy.
    """
    databases = {"vault.db": registry.vault.database, "index.db": registry.index.database}
    patience = time.monotonic() + _PATIENCE
    pending = [name for name, database in databases.items() if database.is_sqlite]
    while pending and time.monotonic() < patience:
        pending = [name for name in pending if not truncate_wal(databases[name])]
        if pending:
            time.sleep(0.1)
    if pending:
        raise ResiduePending(pending)


def _carry_out(registry: Registry, intent: str, promise: dict[str, JSON]) -> str:
    body = promise["record"].encode()
    registry.vault.erase([(record, pointer) for record, pointer in promise["places"]])
    value = parse(body)
    for key in registry.calls.open_about([subject["id"] for subject in value["subjects"]]):
        registry.answers.drop(key)  # it may repeat what has to go
    registry.answers.tidy(registry.calls.done_among)
    catch_up(registry)  # so that uses by sealed digests are known
    with registry.catalog.database.alone():
        # Under the writers' lock: somebody may have recorded the same bytes since the plan was made.
        for blake3 in promise["assets"]:
            if promise["all"] or not _users(registry, blake3) - {subject["id"] for subject in value["subjects"]}:
                registry.assets.remove(blake3)

    def finished_elsewhere(connection: Connection) -> str | None:
        return id_of(body) if registry.catalog.known([id_of(body)]) else None

    def derive(connection: Connection, record_id: str) -> None:
        subjects = [subject["id"] for subject in value["subjects"]]
        registry.catalog.insert_about(
            connection, record_id, "erasure", value["recorded_at"], [*subjects, *_spoken_of(registry, subjects)]
        )

    record_id = registry.append("erasure", body, derive=derive, check=finished_elsewhere)
    catch_up(registry)
    clear_residue(registry)
    # Only now is the promise kept: a crash before this line leaves the value in the index or in a write-ahead file.
    with registry.catalog.database.writing() as connection:
        registry.catalog.close_intent(connection, intent)
    return record_id


def _family(registry: Registry, manifests: Iterable[str]) -> list[str]:
    """The manifests and all replays that came from them, at any distance."""
    family = dict.fromkeys(manifests)
    fresh = list(family)
    while fresh:
        fresh = [found for one in fresh for found in registry.catalog.replays(one) if found not in family]
        family |= dict.fromkeys(fresh)
    return list(family)


def _spoken_of(registry: Registry, records: list[str]) -> Iterator[str]:
    """What reviews and approvals among some records speak of: whoever looks at those must see the erasure, too."""
    for found in registry.catalog.each(records):
        if found.kind == "review":
            yield parse(found.body)["subject"]
        elif found.kind == "approval":
            for subject in parse(found.body)["subjects"]:
                yield from (subject["manifest"], subject["baseline"], *subject["replays"])


def _refuse_open(registry: Registry, manifests: Iterable[str], pointers: Collection[str]) -> None:
    """Let manifests pass unless one of the pointers leads to a value that stands open in one of them."""
    for one in manifests:
        value = registry.catalog.manifest(one).to_json()
        for pointer in pointers:
            with suppress(KeyError):
                if (found := at(value, pointer)) is not None and not is_seal(found):
                    raise StandsOpen(one, pointer)


def _users(registry: Registry, blake3: str) -> set[str]:
    """Manifests that use an asset, under open and under sealed digests."""
    sealed = registry.index.uses(Digest("blake3", blake3))
    return {*registry.catalog.users(blake3), *(use.manifest for use in sealed)}


def _also_used(registry: Registry, gone: list[Stored], *, all_references: bool) -> list[Stored]:
    """Where other generations use the bytes that go.

    Raises:
        AssetInUse: they do, and nobody said that they lose them.
    """
    also: list[Stored] = []
    if gone:
        catch_up(registry)  # who uses an asset by a sealed digest, only the index knows
    for found in gone:
        ours = {one.manifest for one in (*gone, *also) if one.digests == found.digests}
        others = sorted(_users(registry, found.digests.blake3) - ours)
        if others and not all_references:
            raise AssetInUse(f"sha256:{found.digests.sha256}", others)
        opened = registry.vault.get_many(others)
        also += [
            one for other in others for one in stored_of(registry, other, opened[other]) if one.digests == found.digests
        ]
    return also


def _subjects(members: list[str], places: list[tuple[str, str]], gone: list[Stored]) -> list[dict[str, JSON]]:
    subjects: list[dict[str, JSON]] = []
    for member in dict.fromkeys(members):
        pointers = sorted({pointer for record, pointer in places if record == member})
        positions = {
            direction: [found.position for found in gone if (found.manifest, found.direction) == (member, direction)]
            for direction in ("input", "output")
        }
        if pointers or any(positions.values()):
            told = {"id": member, "pointers": pointers, "outputs": positions["output"], "inputs": positions["input"]}
            subjects.append(told)
    return subjects
