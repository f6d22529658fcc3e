"""Streams recorded calls with no more of their manifests than statistics need."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import Struct, field

from registry.catalog.search import Query, bodies
from registry.drafting import SKEW
from registry.errors import CouldNotRun
from registry.home import Registry
from registry.manifest import Cost, Latency, OutcomeClass, Pin, Safety, Seal
from registry.stats.period import Period
from registry.times import text_of

PHASES = ("connect", "upload", "queue", "run", "first_partial", "fetch", "store")


class _Context(Struct, frozen=True):
    workflow: str | Seal | None = None


class _Provider(Struct, frozen=True):
    name: str
    account: str | None = None
    region: str | None = None


class _Model(Struct, frozen=True):
    requested: str
    served: str | None = None
    pin: Pin = "unknown"


class _Outcome(Struct, frozen=True):
    class_: OutcomeClass = field(name="class")
    request_id: str | None = None
    job_id: str | None = None
    attempts: int | None = None
    submitted_at: str | None = None
    completed_at: str | None = None
    latency_ms: Latency = Latency()
    safety: Safety = "unknown"


class _Output(Struct, frozen=True):
    pass  # counted, never looked into


class Call(Struct, frozen=True):
    """The part of a manifest that statistics read; unknown members are skipped, not decoded."""

    operation: str
    recorded_at: str
    context: _Context
    provider: _Provider
    model: _Model
    outputs: list[_Output]
    outcome: _Outcome
    cost: Cost
    replay_of: str | None
    labels: dict[str, str | Seal]

    @property
    def at(self) -> str:
        """When the call was made: submitted, else completed, else recorded."""
        return self.outcome.submitted_at or self.outcome.completed_at or self.recorded_at

    @property
    def workflow(self) -> str | None:
        """The workflow; a sealed one is told as such, and stays sealed."""
        found = self.context.workflow
        return "[sealed]" if isinstance(found, Seal) else found


@dataclass(frozen=True, slots=True)
class Selection:
    """Which calls a report is about; ``replays`` lets those in, too."""

    period: Period = dataclasses.field(default_factory=Period)
    workflow: str | None = None
    provider: str | None = None
    model: str | None = None
    replays: bool = False

    def to_json(self) -> dict[str, object]:
        """The same for programs."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return named | {"period": self.period.to_json()}


class NothingThere(CouldNotRun):
    """No call fits the selection."""

    exit_code = 5

    def __init__(self, selection: Selection, recorded: int) -> None:
        """Say what to loosen, or how to begin."""
        if not recorded:
            told = "nothing is recorded yet; `mintmark record`, `mintmark capture` or `mintmark generate` do"
        else:
            only = "" if selection.replays else " (replays left out: --replays)"
            told = f"no call fits {selection.period.words}{only}; loosen --since, --until or a filter"
        super().__init__(f"nothing selected: {told}")


def calls(registry: Registry, selection: Selection) -> Iterator[tuple[str, Call]]:
    """Id and call of everything that fits, by the time of the call; read as it is asked for.

    Raises:
        Corrupted: bytes that no longer give their id.
        NothingThere: nothing fits; at the end, when that is known.
    """
    period = selection.period
    query = Query(
        workflow=selection.workflow,
        provider=selection.provider,
        model=selection.model,
        # A call may be recorded long after it was made, but never more than the allowed skew before.
        since=None if period.since is None else text_of(datetime.fromisoformat(period.since) - SKEW),
        replays=selection.replays,
    )
    decoder = msgspec.json.Decoder(Call)
    found = False
    for manifest, body in bodies(registry.catalog, query):
        call = decoder.decode(body)
        if period.holds(call.at):
            found = True
            yield manifest, call
    if not found:
        raise NothingThere(selection, registry.catalog.generations())
