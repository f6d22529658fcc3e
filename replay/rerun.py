"""Replays a manifest: sends its stored request again, records what came, scores it, decides."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from drift.compare import compare
from drift.floor import Regime, regime_of
from drift.score import Score
from drift.verdict import Verdict, decide, not_replayable, undecided
from registry.assets.store import AssetNotFound
from registry.canonical import JSON, canonical
from registry.capture.description import Description, shipped
from registry.drafting import Draft, Incoming, new_exchange_id
from registry.fetch import digests_of_asset
from registry.home import Registry
from registry.indexing import catch_up
from registry.manifest import Context, Manifest, Model, Prompt, Provider, Request, Seed
from registry.record import Recorded
from registry.schema import validate
from registry.sealing import disclose, is_seal, seals_in
from registry.times import now
from registry.verbatim import plain, stored
from replay.generating import call


@dataclass(frozen=True, slots=True)
class Change:
    """What to send otherwise than recorded; None keeps what the manifest says."""

    model: str | None = None
    seed: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay: its record, the verdict with scores for each output, and the drift records' ids."""

    recorded: Recorded
    verdicts: list[Verdict]
    scores: list[tuple[Score, ...]]
    drift: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """All replays of one run; ``refused`` is set instead where none could be made."""

    manifest: str
    regime: Regime
    replays: list[Replayed]
    refused: Verdict | None = None

    @property
    def exit_code(self) -> int:
        """Drifted before could not run before undecided before reproduced: 1, 3, 4, 0."""
        if self.refused is not None:
            return 4
        kinds = [verdict.kind for one in self.replays for verdict in one.verdicts]
        if "drifted" in kinds:
            return 1
        if any(one.recorded.manifest.outcome.class_ != "succeeded" for one in self.replays):
            return 3
        return 4 if "undecided" in kinds or "not-replayable" in kinds else 0


@dataclass(frozen=True, slots=True)
class _Ready:
    manifest: Manifest
    description: Description
    draft: Draft
    inputs: list[tuple[str, Path]]
    originals: list[Path]


def replay(
    registry: Registry,
    manifest_id: str,
    *,
    times: int = 1,
    change: Change = Change(),
    tell: Callable[[int, Recorded], None] = lambda number, recorded: None,
) -> Answer:
    """Replay a generation and say whether it is still the same.

    Every replay is recorded as a generation of its own with ``replay_of``; each
    pair of outputs gets a drift record. Nothing is ever deleted or replaced.

    Args:
        registry: where the manifest lies and the replays go.
        manifest_id: full id.
        times: how many replays, at least 1.
        change: slots to send otherwise.
        tell: hears of each replay as soon as it is recorded.

    Raises:
        NotFound: no such generation.
        EngineMissing: the provider's extra is not installed.
    """
    ready = _prepare(registry, manifest_id, change)
    if isinstance(ready, Verdict):
        return Answer(manifest_id, Regime.UNKNOWN, [], ready)
    made = []
    for number in range(times):
        draft = msgspec.structs.replace(ready.draft, exchange_id=new_exchange_id())
        recorded = call(registry, draft, ready.description, ready.inputs)
        tell(number, recorded)
        made.append(recorded)
    regime = _regime(registry, manifest_id, ready, made)
    return Answer(manifest_id, regime, [_judge(registry, manifest_id, ready, one, regime) for one in made])


def _prepare(registry: Registry, manifest_id: str, change: Change) -> _Ready | Verdict:
    """Everything a call needs, or the reason why there can be none."""
    manifest = registry.catalog.manifest(manifest_id)
    reference, request = manifest.provider.description, manifest.request
    description = shipped().by_id(reference.id) if reference else None
    if request is None or description is None:
        return not_replayable("unsupported", f"no description tells how to speak to {manifest.provider.name} again")
    if request.body is msgspec.UNSET:
        return not_replayable("unsupported", "the stored request is no JSON body, and local engines take nothing else")
    if not manifest.outputs:
        return not_replayable(
            "unsupported", f"the recorded call made nothing to compare with ({manifest.outcome.class_})"
        )
    model = change.model or manifest.model.requested
    if day := description.retired(model, datetime.datetime.now(datetime.UTC).date()):
        return not_replayable("retired", f"model {model} was shut down on {day}")
    value = disclose(manifest.to_json(), registry.vault.get(manifest_id))
    if missing := sorted(seals_in(value["request"])):
        return not_replayable("erased", f"the request holds erased values ({', '.join(missing)})")
    try:
        inputs = [
            (asset.role, registry.assets.file(digests_of_asset(registry, manifest_id, "input", n, asset).blake3))
            for n, asset in enumerate(manifest.inputs)
        ]
        originals = _files(registry, manifest_id, manifest)
    except AssetNotFound as problem:
        return not_replayable("erased", str(problem))
    draft = _draft(manifest_id, manifest, value, description, change, inputs)
    return _Ready(manifest, description, draft, inputs, originals)


def _draft(
    manifest_id: str,
    manifest: Manifest,
    value: dict[str, JSON],
    description: Description,
    change: Change,
    inputs: list[tuple[str, Path]],
) -> Draft:
    """A draft with the stored request; opened seals are sealed again under fresh salts when it is recorded."""
    body = plain(value["request"]["body"])
    for slot, wanted in (("model", change.model), ("seed", change.seed)):
        if wanted is not None:
            body = description.write(body, slot, wanted)
    request: JSON = value["request"] | {"body": stored(body)}
    model = change.model or manifest.model.requested
    return Draft(
        provider=msgspec.convert(value["provider"], Provider),
        model=Model(requested=model, pin=description.pin(model)),
        operation=manifest.operation,
        request=msgspec.convert(request, Request),
        prompt=Prompt(submitted=_without_seals(value["prompt"])["submitted"]),
        seed=Seed(requested=change.seed or manifest.seed.requested),
        context=msgspec.convert(_without_seals(value["context"]), Context),
        inputs=[Incoming(file=str(path), role=role) for role, path in inputs],
        replay_of=manifest_id,
        labels={key: text for key, text in value["labels"].items() if isinstance(text, str)},
        capture="replay",
        confidence="full",
    )


def _without_seals(value: dict[str, JSON]) -> dict[str, JSON]:
    """A seal whose disclosure is gone belongs to the recorded manifest alone: a replay says null."""
    return {name: None if is_seal(member) else member for name, member in value.items()}


def _files(registry: Registry, manifest_id: str, manifest: Manifest) -> list[Path]:
    """The stored output files; raises AssetNotFound where one was erased."""
    return [
        registry.assets.file(digests_of_asset(registry, manifest_id, "output", n, asset).blake3)
        for n, asset in enumerate(manifest.outputs)
    ]


def _regime(registry: Registry, manifest_id: str, ready: _Ready, made: Sequence[Recorded]) -> Regime:
    """Whether the provider repeats itself, told by runs that are recorded already.

    Two groups can show it: the recorded output with earlier replays of the same
    version, and the replays of the version asked for now. Neither may be judged by
    the other: after a change both repeat themselves and differ from each other.
    """
    catch_up(registry)  # each run is decoded there once, however often it is asked for
    fresh = [one.id for one in made]
    model, seed = ready.draft.model.requested, ready.draft.seed.requested
    before, target = [manifest_id], list(fresh)
    for earlier in registry.catalog.replays(manifest_id):
        manifest = registry.catalog.manifest(earlier)
        if earlier in fresh:
            continue
        if manifest.model.requested == model and manifest.seed.requested == seed:
            target.append(earlier)
        if _same_version(manifest, ready.manifest):
            before.append(earlier)
    for group in (target, before):
        if regime_of(_contents(registry, group)) is Regime.DETERMINISTIC:
            return Regime.DETERMINISTIC
    return Regime.UNKNOWN


def _same_version(manifest: Manifest, other: Manifest) -> bool:
    mine, theirs = manifest.model.requested, other.model.requested
    return mine == theirs and manifest.seed.requested == other.seed.requested


def _contents(registry: Registry, runs: Sequence[str]) -> list[str]:
    """Decoded content of the first output of each run that still has one, as the index knows it."""
    return [content for run_id in runs if (content := registry.index.content(run_id)) is not None]


def _judge(registry: Registry, manifest_id: str, ready: _Ready, made: Recorded, regime: Regime) -> Replayed:
    level = ready.manifest.context.reproducibility or "decoded"
    files = _files(registry, made.id, made.manifest)
    replayed = Replayed(made, [], [], [])
    if made.manifest.outcome.class_ != "succeeded":
        return replayed
    for n, original in enumerate(ready.originals):
        if n >= len(files):
            replayed.verdicts.append(undecided("missing-output", f"The replay made no output {n}; {_count(files)}."))
            replayed.scores.append(())
            continue
        scores = compare(original, files[n], limits=registry.settings.limits).scores
        verdict = decide(level, scores, regime)
        if verdict.kind != "reproduced" and ready.draft.seed.requested != ready.manifest.seed.requested:
            verdict = undecided("other-seed", "Another seed was sent, so another output says nothing about the model.")
        replayed.verdicts.append(verdict)
        replayed.scores.append(scores)
        replayed.drift.append(_record(registry, manifest_id, made.id, n, level, regime, scores, verdict))
    return replayed


def _count(files: Sequence[Path]) -> str:
    return f"it made {len(files)} of them" if files else "it made none"


def _record(
    registry: Registry,
    baseline: str,
    made: str,
    output: int,
    level: str,
    regime: Regime,
    scores: Sequence[Score],
    verdict: Verdict,
) -> str:
    """Sign and log what was measured: scores and verdict, no pixels and no words."""
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/drift/v1",
        "recorded_at": recorded_at,
        "baseline": baseline,
        "replay": made,
        "output": output,
        "level": level,
        "regime": regime.value,
        "scores": [
            {"name": score.name, "value": score.value, "unit": score.unit, "reason": score.reason} for score in scores
        ],
        "verdict": {"kind": verdict.kind, "reason": verdict.reason_code, "sentence": verdict.sentence},
        "actor": registry.settings.actor,
    }
    validate("record/v1", value)

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "drift", recorded_at, [baseline, made])

    return registry.append("drift", canonical(value), derive=derive)
