"""Approvals: a person says that replays of a run are good, and later ones are held against them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from registry.canonical import JSON, canonical, parse
from registry.errors import ExchangeConflict, InvalidValue, NotFound, RegistryError, counted
from registry.home import Registry
from registry.journal.runs import Run, Runs
from registry.schema import validate
from registry.sealing import seal
from registry.times import now

_APPROVING = 0x6D6D5F6170707276  # "mm_apprv": PostgreSQL's advisory lock of who approves
_SAME = frozenset({"reproduced", "within-noise"})
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,256}").fullmatch
_EXACT = frozenset({"bytes", "decoded"})


class NotApprovable(RegistryError):
    """A run, or a manifest of it, whose replays cannot become a baseline."""

    exit_code = 1
    http_status = 409

    def __init__(self, what: str, why: str) -> None:
        """Say what and why not."""
        super().__init__(f"{what} cannot be approved: {why}; nothing was changed")


@dataclass(frozen=True, slots=True)
class Subject:
    """Replays of one manifest that become its baseline.

    Attributes:
        manifest: what the suite names.
        baseline: what the replays were held against: the manifest, or what took its place before.
        replays: in the order made.
        effect: "replaces": the last of them takes the baseline's place, with its request and its calibrations; "joins":
            the baseline stays, and they are further samples of it.
    """

    manifest: str
    baseline: str
    replays: tuple[str, ...]
    effect: str

    def to_json(self) -> dict[str, JSON]:
        """As the record holds it."""
        return {"manifest": self.manifest, "baseline": self.baseline, "replays": list(self.replays),
                "effect": self.effect}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Approval:
    """What was approved: the record's id, its subjects, and what was left out with the reason; whether just now."""

    record: str
    subjects: tuple[Subject, ...]
    left_out: tuple[tuple[str, str], ...]
    new: bool = True


def approve(
    registry: Registry,
    run_id: str,
    *,
    manifests: Sequence[str] = (),
    by: str,
    reason: str,
    replace: bool = False,
    exchange_id: str | None = None,
) -> Approval:
    """Make replays of a finished run the baseline of their manifests: one signed, logged record; the reason is sealed.

    Replays of another provider or model than the baseline's take its place. So do replays that drifted, or could not be
    decided, where pairs are compared: from then on the last of them is the reference. Free samples, and replays that
    were found the same, join the baseline, unless ``replace`` says that nothing before them counts any longer.

    Args:
        registry: where the run lies.
        run_id: full id.
        manifests: full ids; every manifest of the run where none is given, but for those that cannot be approved.
        by: who takes responsibility.
        reason: why.
        replace: free samples, too, take the baseline's place.
        exchange_id: names a request, and after its last full stop what it asks for; the same again, on the same run,
            is answered with what came of the first.

    Raises:
        NotFound: no such run, or a manifest that it does not hold.
        NotApprovable: the run is not finished, was canceled or offline; a named manifest has replays that failed, were
            erased, were approved before, or were held against a baseline that was replaced since; or none is left.
        InvalidValue: no reason, or no name.
        ExchangeConflict: that request has approved something else of the run.
    """
    _check_words(by, reason)
    run = Runs(registry.catalog.database).get(run_id)
    _check(run)
    rows = {row["id"]: row for row in run.result["manifests"]}
    for one in manifests:
        if one not in rows:
            raise NotFound(f"manifest in {run_id}", one, "its report names those it holds")
    if (known := _known(registry, run, exchange_id)) is not None:
        return _again(registry, run, known, whole=not manifests)
    subjects, left_out = [], []
    for manifest, row in rows.items():
        if manifests and manifest not in manifests:
            continue
        why = _refusal(registry, run_id, row)
        if why is None:
            subjects.append(_subject(registry, row, replace=replace))
        elif manifests:
            raise NotApprovable(manifest, why)
        else:
            left_out.append((manifest, why))
    if not subjects:
        first = f"{left_out[0][0]}: {left_out[0][1]}"
        raise NotApprovable(run_id, f"none of its {counted(len(left_out), 'manifest')} can be, such as {first}")
    record = _recorded(registry, run, subjects, by, reason, exchange_id)
    return Approval(record, tuple(subjects), tuple(left_out))


def approvals_of(registry: Registry, manifest_id: str) -> list[dict[str, JSON]]:
    """The approval records that speak of a generation, oldest first, each with its ``id``; reasons stay sealed."""
    return [parse(found.body) | {"id": found.id} for found in registry.catalog.about(manifest_id, "approval")]


def baseline_of(registry: Registry, manifest_id: str) -> str:
    """What replays of a manifest are held against: itself, or the newest approved replay that took its place."""
    while (newer := _replacement(registry, manifest_id)) is not None:
        manifest_id = newer
    return manifest_id


def accepted_replays(registry: Registry, manifest_id: str) -> tuple[str, ...]:
    """Approved replays that are further samples of a baseline, the oldest approval's first.

    Those that joined it, and those that were approved together with it when it took another's place.
    """
    found: dict[str, None] = {}
    for approval in approvals_of(registry, manifest_id):
        for subject in approval["subjects"]:
            if subject["effect"] == "joins" and subject["baseline"] == manifest_id:
                found |= dict.fromkeys(subject["replays"])
            elif subject["effect"] == "replaces" and subject["replays"][-1] == manifest_id:
                found |= dict.fromkeys(subject["replays"][:-1])
    return tuple(found)


def _replacement(registry: Registry, manifest_id: str) -> str | None:
    for approval in reversed(approvals_of(registry, manifest_id)):
        for subject in approval["subjects"]:
            if subject["effect"] == "replaces" and subject["baseline"] == manifest_id:
                return str(subject["replays"][-1])
    return None


def _known(registry: Registry, run: Run, exchange_id: str | None) -> str | None:
    """The record that this very request has made of a run."""
    if exchange_id is None:
        return None
    name = exchange_id.rpartition(".")[0]
    for row in run.result["manifests"]:
        for approval in approvals_of(registry, row["id"]):
            known = approval.get("exchange_id", "")
            if approval["run"] == run.id and known.rpartition(".")[0] == name:
                if known != exchange_id:
                    raise ExchangeConflict(name, approval["id"])
                return str(approval["id"])
    return None


def _again(registry: Registry, run: Run, record: str, *, whole: bool) -> Approval:
    """What was answered before."""
    subjects = tuple(
        Subject(one["manifest"], one["baseline"], tuple(one["replays"]), one["effect"])
        for one in parse(registry.catalog.get(record).body)["subjects"]
    )
    done = {one.manifest for one in subjects}
    others = [row for row in run.result["manifests"] if whole and row["id"] not in done]
    refused = [(row["id"], _refusal(registry, run.id, row)) for row in others]
    return Approval(record, subjects, tuple((id, why) for id, why in refused if why is not None), new=False)


def _check_words(by: str, reason: str) -> None:
    if not reason.strip():
        raise InvalidValue("reason", reason, "a text that says why")
    if not by.strip() or not _NAME(by):
        raise InvalidValue("by", by, "a name on one line, of at most 256 characters")


def _check(run: Run) -> None:
    if run.result is None:
        raise NotApprovable(run.id, f"it is {run.state} and has no result yet; `mintmark check --resume` ends it")
    if run.result["state"] != "finished":
        raise NotApprovable(run.id, f"it was {run.result['state']} before everything was made")
    if run.result["options"]["offline"]:
        raise NotApprovable(run.id, "it was offline: it judged recordings again, and nothing new was made")


def _refusal(registry: Registry, run_id: str, row: JSON) -> str | None:
    """Why the replays of a manifest cannot be approved; None where they can."""
    if row["error"] is not None:
        return f"a replay ended as {row['error']['class']}"
    made = [one["generation"] for one in row["replays"] if one["generation"] and one["outcome"] == "succeeded"]
    if not made:
        return "no replay was made" + (f" ({row['verdict']['sentence']})" if row["verdict"] else "")
    for one in made:
        if not _whole(registry, one):
            return f"an output of replay {one} was erased"
    return _overtaken(registry, run_id, row["id"], registry.catalog.manifest(made[0]).replay_of)


def _overtaken(registry: Registry, run_id: str, manifest_id: str, held: str | None) -> str | None:
    """Why another approval stands in the way; None where none does."""
    for approval in approvals_of(registry, manifest_id):
        if approval["run"] == run_id and any(one["manifest"] == manifest_id for one in approval["subjects"]):
            return f"{approval['by']} has approved it already, record {approval['id']}"
    if held != baseline_of(registry, manifest_id):
        return f"it was held against {held}, and another baseline has been approved since; check again"
    return None


def _whole(registry: Registry, generation: str) -> bool:
    """Whether the bytes of every output are still here."""
    opened = {found.pointer: found.value for found in registry.vault.get(generation)}
    outputs = registry.catalog.manifest(generation).outputs
    digests = [asset.digests_with(opened, f"/outputs/{n}/digest") for n, asset in enumerate(outputs)]
    return all(one is not None and one.blake3 in registry.assets for one in digests)


def _subject(registry: Registry, row: JSON, *, replace: bool) -> Subject:
    made = tuple(one["generation"] for one in row["replays"] if one["generation"] and one["outcome"] == "succeeded")
    baseline = baseline_of(registry, row["id"])
    ours, theirs = registry.catalog.manifest(baseline), registry.catalog.manifest(made[-1])
    policy = row["policy"]
    samples = row["regime"] == "unseeded" and not policy["limits"] and policy["level"] not in _EXACT
    other = (ours.provider.name, ours.model.requested) != (theirs.provider.name, theirs.model.requested)
    same = row["verdict"] is not None and row["verdict"]["kind"] in _SAME
    joins = not other and (same or samples) and not (replace and samples)
    return Subject(row["id"], baseline, made, "joins" if joins else "replaces")


def _recorded(
    registry: Registry, run: Run, subjects: Sequence[Subject], by: str, reason: str, exchange_id: str | None
) -> str:
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/approval/v1",
        "recorded_at": recorded_at,
        "run": run.id,
        "record": run.record,
        "subjects": [one.to_json() for one in subjects],
        "by": by,
        "reason": reason,
        "actor": registry.settings.actor,
    }
    if exchange_id is not None:
        value["exchange_id"] = exchange_id
    disclosures = seal(value, ["/reason"])
    validate("record/v1", value)

    def check(connection: Connection) -> str | None:
        """Somebody may have approved, meanwhile, what this rests on; from here on nobody can."""
        if not registry.catalog.database.is_sqlite:  # which has one writer at a time anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPROVING})
        with registry.catalog.database.within(connection):
            if (known := _known(registry, run, exchange_id)) is not None:
                return known
            for one in subjects:
                if (why := _overtaken(registry, run.id, one.manifest, one.baseline)) is not None:
                    raise NotApprovable(one.manifest, why)
        return None

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "approval", recorded_at, _spoken_of(subjects))

    return registry.append("approval", canonical(value), disclosures=disclosures, derive=derive, check=check)


def _spoken_of(subjects: Sequence[Subject]) -> Iterator[str]:
    for one in subjects:
        yield from (one.manifest, one.baseline, *one.replays)
