"""Makes one replay that a run wants, measures it, and writes down what became of it; doing so twice changes nothing."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drift.errors import DriftError, MintmarkError
from drift.verdict import Verdict, not_replayable, undecided
from registry.assets.local import StorageFailed
from registry.assets.store import AssetNotFound
from registry.capture.request import settings_of
from registry.database import DatabaseFailed
from registry.errors import ExchangeConflict
from registry.home import Registry
from registry.journal.answers import AnswerElsewhere
from registry.journal.budgets import BudgetSpent, nanos_of
from registry.journal.runs import ReplayState, RunReplay, Runs
from registry.journal.states import OPEN
from registry.record import ErasedMeanwhile, Recorded
from replay.costing import Money, worst_case
from replay.errors import ProviderUnsupported, SecretMissing, SecretUnreadable
from replay.measuring import measure
from replay.paying import CallBusy, Paying, is_awaited
from replay.preparing import Change, Ready, output_files, prepare, run_again
from replay.suites.plan import Case, Plan

_PLANS: dict[str, Plan] = {}
_PLANS_LOCK = threading.Lock()  # the threads of a worker make replays of many runs
_MOST_PLANS: Final = 8
_AWAIT_S: Final = 0.5
_MOST_LOOKS: Final = 3600  # for half an hour: whoever reserves for longer may have forgotten the call
PARKED = frozenset({"ambiguous"})  # outcome classes that a person has to look at


_REFUSALS: Final[tuple[tuple[tuple[type[MintmarkError], ...], ReplayState, str], ...]] = (
    ((BudgetSpent,), "refused", "budget"),
    ((ErasedMeanwhile,), "refused", "erased"),
    ((ProviderUnsupported,), "refused", "unsupported"),
    ((SecretMissing, SecretUnreadable), "failed", "auth"),
    ((AnswerElsewhere,), "parked", "elsewhere"),
)
"""What it means for a replay that its call was refused; whatever else goes wrong is a failure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a row is told; ``made`` is measured before it is."""

    state: ReplayState
    outcome: str
    why: str | None = None
    made: str | None = None


def make_one(
    registry: Registry,
    run_id: str,
    manifest: str,
    ordinal: int,
    *,
    owner: str,
    pause: Callable[[float], None],
    stopping: Callable[[], bool],
) -> None:
    """Make replay ``ordinal`` of a manifest for a run, unless it has ended already.

    The key of its call comes from run, manifest, ordinal and try, so that whoever makes it, however often, there is one
    call. When it returns, the row says how it ended, or it is still wanted because ``stopping`` turned true.

    Args:
        registry: where the run lies.
        run_id: full id.
        manifest: full id.
        ordinal: the replay's number among those of this manifest.
        owner: this process, or a worker with a heartbeat.
        pause: waits between polls.
        stopping: whether to leave off.

    Raises:
        NotFound: the run wants no such replay.
        CallBusy: another process makes the very same call.
        DatabaseFailed, StorageFailed: nothing can be written down; try again once that is mended.
    """
    runs = Runs(registry.catalog.database)
    row = runs.replay(run_id, manifest, ordinal)
    if row.state != "wanted":
        return
    canceled = runs.state(run_id) == "canceled"
    if canceled and not _begun(registry, row):
        runs.settle(row, "canceled", outcome="canceled", why="The run was canceled before this replay was made.")
        return
    if stopping() and not canceled:
        return
    plan = plan_in(runs, run_id)
    # A call that somebody else began is canceled at the provider, too, or brought to its end: it is paid for.
    leave = (lambda: True) if canceled else stopping
    ended = _ended(registry, row, plan, Paying(key_of(row), None, 0, None, run_id, owner, pause, leave))
    scores = None
    if ended.state == "made" and ended.made is not None:
        try:
            scores = _measured(registry, plan.case(manifest).original, ended.made)
        except (DriftError, AssetNotFound) as problem:
            ended = Ended("failed", "malformed", str(problem), ended.made)
    runs.settle(row, ended.state, outcome=ended.outcome, generation=ended.made, scores=scores, why=ended.why)


def _begun(registry: Registry, row: RunReplay) -> bool:
    call = registry.calls.get(key_of(row))
    return call is not None and call.state in OPEN


def plan_in(runs: Runs, run_id: str) -> Plan:
    """The plan of a run; read once in a process, since plans never change and no id is given twice."""
    with _PLANS_LOCK:
        known = _PLANS.get(run_id)
    if known is None:
        known = Plan.from_json(runs.get(run_id).plan)
        with _PLANS_LOCK:
            _PLANS[run_id] = known
            while len(_PLANS) > _MOST_PLANS:
                _PLANS.pop(next(iter(_PLANS)))
    return known


def key_of(row: RunReplay) -> str:
    """The key of a replay's call: 64 hexadecimal digits."""
    return hashlib.sha256(f"{row.run}\n{row.manifest}\n{row.ordinal}\n{row.tries}".encode()).hexdigest()


def change_of(plan: Plan) -> Change:
    """What a run sends otherwise than recorded."""
    return Change(model=plan.target.model, provider=plan.target.provider)


def refused_by_plan(plan: Plan, ready: Ready) -> Verdict | None:
    """What a suite does not allow of a manifest that could be replayed."""
    model, provider = ready.draft.model.requested, ready.manifest.provider.name
    asked = ready.draft.provider.name
    if asked != provider and asked not in plan.may_send_to:
        why = f"{asked} would see what was meant for {provider}, and may_send_to of the suite does not name it"
        return not_replayable("unsupported", f"{why}; nothing was sent.")
    settings = settings_of(ready.description, ready.draft.request) if ready.draft.request else {}
    if not plan.allow_alias and ready.description.pin(model, settings) == "alias":
        why = f"{model} names no exact version, so what answers today may be another model; allow_alias permits it"
        return not_replayable("alias", why)
    return None


def _ended(registry: Registry, row: RunReplay, plan: Plan, paying: Paying) -> Ended:
    """Make the call, or find out why there is none."""
    case = plan.case(row.manifest)
    if plan.options.offline:
        return _offline(case, row.ordinal)
    try:
        return _called(registry, plan, case.original, paying)
    except (DatabaseFailed, StorageFailed, CallBusy):
        raise
    except MintmarkError as problem:  # of this manifest alone; the others go on
        return _refused(problem)


def _called(registry: Registry, plan: Plan, manifest: str, paying: Paying) -> Ended:
    ready = prepare(registry, manifest, change_of(plan))
    if isinstance(ready, Ready):
        ready = refused_by_plan(plan, ready) or ready
    if isinstance(ready, Verdict):
        return Ended("refused", ready.reason_code or "unsupported", ready.sentence)
    paid = _priced(registry, plan, ready, paying)
    if isinstance(paid, Verdict):
        return Ended("refused", "budget", paid.sentence)
    looks = 0
    while True:
        try:
            return _made(run_again(registry, ready, paid))
        except ExchangeConflict as problem:  # somebody else made the very same replay meanwhile, and was first
            return _made(Recorded(problem.stored, registry.catalog.manifest(problem.stored), False))
        except BudgetSpent:
            # What others have reserved and do not need may still pay for this one.
            looks += 1
            last = looks > _MOST_LOOKS or paid.stopping()
            if last or paid.budget is None or not is_awaited(registry, paid.budget, paid.owner):
                raise
            paid.pause(_AWAIT_S)


def _refused(problem: MintmarkError) -> Ended:
    for kinds, state, outcome in _REFUSALS:
        if isinstance(problem, kinds):
            return Ended(state, outcome, str(problem))
    return Ended("failed", "failed", str(problem))


def _offline(case: Case, ordinal: int) -> Ended:
    """A recorded replay of the same version takes the place of a call: the recording is the stored answer."""
    if ordinal >= len(case.recorded):
        return Ended("refused", "offline", "Nothing is recorded that could answer for this replay.")
    return Ended("made", "succeeded", made=case.recorded[ordinal])


def _priced(registry: Registry, plan: Plan, ready: Ready, paying: Paying) -> Paying | Verdict:
    """How the call is paid for: its worst case is reserved of the run's budget."""
    cost = worst_case(registry, ready)
    if cost is None and plan.options.assume_cost is not None:
        assumed = plan.options.assume_cost
        cost = Money(nanos_of(assumed.amount), assumed.currency, "assumed")
    if cost is not None and cost.nanos == 0:
        return paying
    if cost is None:
        return undecided("budget", "What this call may cost is not known; --assume-cost says what to reserve for it.")
    if plan.budget is None:
        return undecided("budget", f"This call may cost {cost}, and the run has no budget.")
    if plan.budget.currency != cost.currency:
        return undecided("budget", f"This call may cost {cost}, and the budget is in {plan.budget.currency}.")
    return Paying(paying.key, plan.budget.id, cost.nanos, cost.currency, paying.run, paying.owner, paying.pause,
                  paying.stopping)  # fmt: skip


def _made(recorded: Recorded) -> Ended:
    class_ = recorded.manifest.outcome.class_
    if class_ == "succeeded":
        return Ended("made", class_, made=recorded.id)
    if class_ in PARKED:
        why = "It may have been carried out and billed; `mintmark replay ambiguous` settles it."
        return Ended("parked", class_, why, recorded.id)
    if class_ == "canceled":
        return Ended("canceled", class_, "It was canceled.", recorded.id)
    return Ended("failed", class_, f"The call ended as {class_}.", recorded.id)


def _measured(registry: Registry, manifest: str, made: str) -> list[object]:
    originals = output_files(registry, manifest, registry.catalog.manifest(manifest))
    files = output_files(registry, made, registry.catalog.manifest(made))
    return [one.to_json() for one in measure(originals, files, registry.settings.limits)]
