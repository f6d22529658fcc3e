"""What a run does, resolved once when it begins: its manifests with their policies, and what they are held against."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from drift.floor import Regime
from drift.media.media import Kind
from drift.significance.sequential import LOOKS
from drift.verdict import Level, Limit
from registry.canonical import JSON

EXACT: frozenset[Level] = frozenset({"bytes", "decoded"})


class _Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a plan."""


class Ends(_Part, frozen=True):
    """A limit as files write it; at least one end is given."""

    min: float | None = None
    max: float | None = None


class Replays(_Part, frozen=True):
    """How many: baseline outputs a gate needs, replays of each manifest for the gate, replays of a suspect at most."""

    baseline: int = 5
    gate: int = 2
    max: int = 20


class MinPower(_Part, frozen=True):
    """How often a change of ``size`` has to be found for a pass; ``effect`` as drift.significance.effects names it."""

    power: float
    effect: str
    size: float


class Policy(_Part, frozen=True):
    """What "the same" means; without a level, what the manifest's context says or its regime allows."""

    level: Level | None = None
    alpha: float = 0.01
    limits: dict[str, Ends] = field(default_factory=dict)
    replays: Replays = Replays()
    min_power: MinPower | None = None

    @property
    def ranges(self) -> Mapping[str, Limit]:
        """The limits as decisions take them."""
        return {name: Limit(ends.min, ends.max) for name, ends in self.limits.items()}

    @property
    def looks(self) -> tuple[int, ...]:
        """The looks at a suspect that ``replays.max`` leaves."""
        return tuple(n for n in LOOKS if n <= self.replays.max)


class Target(_Part, frozen=True):
    """What is called instead of the recorded pin; None keeps what the manifest says."""

    provider: str | None = None
    model: str | None = None


class Amount(_Part, frozen=True):
    """Money as people write it."""

    amount: str
    currency: str


class Budgeted(Amount, frozen=True):
    """What a run may spend; ``id`` is its budget's in the journal."""

    id: str


class Allow(_Part, frozen=True):
    """How many manifests may stay without an answer before the run says so by its exit code."""

    not_replayable: int = 0
    undecided: int = 0


class SuiteRef(_Part, frozen=True):
    """Which suite: its name, the SHA-256 of its file and of its lock."""

    name: str
    sha256: str
    lock_sha256: str | None = None


class Options(_Part, frozen=True):
    """How the run was asked for."""

    offline: bool = False
    repeat: int = 1
    assume_cost: Amount | None = None


class Case(_Part, frozen=True):
    """One manifest of a run.

    ``replaced`` is the approved replay that took the manifest's place, if any; ``baseline`` are the runs that free
    samples are held against besides the original; ``recorded`` the replays that an offline run judges again, newest
    first.
    """

    id: str
    name: str
    operation: str
    provider: str
    model: str
    kinds: tuple[Kind, ...]
    policy: Policy
    regime: Regime = Regime.UNKNOWN
    replaced: str | None = None
    calibration: str | None = None
    baseline: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether its replays are free samples that only many of them together can judge."""
        by_tests = self.policy.level not in EXACT and not self.policy.limits
        return self.regime is Regime.UNSEEDED and by_tests

    @property
    def original(self) -> str:
        """The generation whose request is sent and whose outputs replays are held against."""
        return self.replaced or self.id

    @property
    def outputs(self) -> int:
        """Baseline outputs, the recorded one among them: m."""
        return 1 + len(self.baseline)


class Plan(_Part, frozen=True):
    """What a run does; stored with it, never changed."""

    suite: SuiteRef
    cases: tuple[Case, ...]
    actor: str
    target: Target = Target()
    options: Options = Options()
    budget: Budgeted | None = None
    allow: Allow = Allow()
    allow_alias: bool = False
    may_send_to: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """As the run's row holds it."""
        value: dict[str, JSON] = msgspec.to_builtins(self)
        return value

    @classmethod
    def from_json(cls, value: JSON) -> "Plan":
        """Read what ``to_json`` gave."""
        return msgspec.convert(value, cls)

    def case(self, manifest: str) -> Case:
        """One manifest's. Raises: StopIteration: the plan has none of that id."""
        return next(one for one in self.cases if one.id == manifest)
