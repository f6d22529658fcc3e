"""A suite becomes a plan: each manifest with its policy, regime, calibration, and what it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drift.floor import MEASURE, Regime
from drift.significance.effects import EFFECTS
from registry.approvals import baseline_of
from registry.canonical import parse
from registry.errors import NotFound, Refused
from registry.home import Registry
from registry.manifest import Manifest
from registry.show import calibration_of
from replay.baselines import with_accepted
from replay.elsewhere import MayNotSend
from replay.suites.file import Suite
from replay.suites.loading import BadSuite
from replay.suites.plan import Amount, Budgeted, Case, Options, Plan, Policy, SuiteRef, Target
from replay.suites.selecting import Lock, name_of


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run is asked for, besides what the suite says."""

    offline: bool = False
    repeat: int = 1
    assume_cost: Amount | None = None
    budget: Budgeted | None = None


def plan_of(registry: Registry, suite: Suite, lock: Lock, asked: Asked) -> Plan:
    """Everything a run needs to know, as it is now; nothing that happens later changes it.

    Raises:
        MayNotSend: the target is another provider, and the suite does not name it.
        BadSuite: a policy for a manifest that is not in the lock, or that its medium cannot fulfil.
    """
    with registry.catalog.database.together():
        manifests = {one: registry.catalog.manifest(one) for one in lock.manifests}
        special = _special(registry, suite, manifests)
        cases = tuple(
            _case(registry, suite, one, manifest, special.get(one), offline=asked.offline)
            for one, manifest in manifests.items()
        )
    if suite.target.provider is not None and not asked.offline:
        _check_target(suite, cases)
    return Plan(
        suite=SuiteRef(name=suite.name, sha256=suite.sha256, lock_sha256=lock.sha256),
        cases=cases,
        actor=registry.settings.actor,
        target=suite.target,
        options=Options(offline=asked.offline, repeat=asked.repeat, assume_cost=asked.assume_cost),
        budget=asked.budget,
        allow=suite.allow,
        allow_alias=suite.allow_alias,
        may_send_to=suite.may_send_to,
    )


def _check_target(suite: Suite, cases: Sequence[Case]) -> None:
    wanted = suite.target.provider or ""
    others = [case.provider for case in cases if case.provider != wanted]
    if others and wanted not in suite.may_send_to:
        raise MayNotSend(others[0], wanted, f"`may_send_to: [{wanted}]` in {suite.path}")


def _special(registry: Registry, suite: Suite, manifests: Mapping[str, Manifest]) -> dict[str, Policy]:
    """Policies of single manifests by full id."""
    found = {}
    for name, policy in suite.manifests.items():
        try:
            full = registry.catalog.resolve(name)
        except (NotFound, Refused) as problem:
            raise BadSuite(suite.path, None, f"manifests.{name}", str(problem)) from None
        if full not in manifests:
            raise BadSuite(suite.path, None, f"manifests.{name}", "it has a policy, and `select` does not select it")
        found[full] = policy
    return found


def _case(
    registry: Registry, suite: Suite, manifest_id: str, manifest: Manifest, special: Policy | None, *, offline: bool
) -> Case:
    policy = special or suite.policies.get(manifest.operation) or Policy()
    original = baseline_of(registry, manifest_id)
    held = registry.catalog.manifest(original)
    kinds = tuple((asset.media or {})["kind"] for asset in held.outputs)
    wanted = policy.min_power
    for kind in kinds:
        names = [effect.name for effect in EFFECTS.get(kind, ())]
        if wanted is not None and names and wanted.effect not in names:
            why = f"effect {wanted.effect} is not one of {kind} outputs; name one of {', '.join(names)}"
            raise BadSuite(suite.path, None, f"policies.{manifest.operation}.min_power", why)
    calibration = calibration_of(registry, original, MEASURE)
    regime = Regime.UNKNOWN if calibration is None else Regime(calibration["regime"])
    runs = () if calibration is None else tuple(run["id"] for run in calibration["runs"])
    baseline: tuple[str, ...] = ()
    if regime is Regime.UNSEEDED:
        baseline = with_accepted(registry, original, runs, _quiet(registry, original, held))
    recorded = recorded_replays(registry, original, held, suite.target, {*runs, *baseline}) if offline else ()
    return Case(
        id=manifest_id,
        name=name_of(manifest_id, manifest),
        operation=manifest.operation,
        provider=held.provider.name,
        model=held.model.requested,
        kinds=kinds,
        policy=_levelled(policy, manifest),
        regime=regime,
        replaced=None if original == manifest_id else original,
        calibration=None if calibration is None else calibration["id"],
        baseline=baseline,
        recorded=recorded,
    )


def _levelled(policy: Policy, manifest: Manifest) -> Policy:
    """What the manifest itself asks for holds where the policy leaves it open."""
    if policy.level is not None or manifest.context.reproducibility is None:
        return policy
    return Policy(level=manifest.context.reproducibility, alpha=policy.alpha, limits=policy.limits,
                  replays=policy.replays, min_power=policy.min_power)  # fmt: skip


def _quiet(registry: Registry, manifest_id: str, manifest: Manifest) -> tuple[str, ...]:
    """Replays of the recorded version that a test found within noise, oldest first: they join the baseline.

    None of a suite that had changed, whatever its own looks said, and none of which any output was not quiet: drift
    would wear itself in.
    """
    found: dict[str, None] = {}
    loud = set()
    for one in registry.catalog.about(manifest_id, "drift"):
        value = parse(one.body)
        kind, test = value["verdict"]["kind"], value["test"]
        if value["baseline"] != manifest_id or not value["replay"] or kind == "reproduced":
            continue
        if kind == "within-noise" and test and {test["answer"], test.get("gate", "within-noise")} == {"within-noise"}:
            found[value["replay"]] = None
        else:
            loud.add(value["replay"])
    found = {run: None for run in found if run not in loud}
    here = registry.catalog.known(list(found))  # a pack carries those that count, not all
    return tuple(
        run for run in found if run in here and _same_version(registry.catalog.manifest(run), manifest, Target())
    )


def recorded_replays(
    registry: Registry, manifest_id: str, manifest: Manifest, target: Target, known: set[str]
) -> tuple[str, ...]:
    """Recorded replays that answer offline for the version asked for, newest first, those that are known left out.

    They are the stored responses: found by what they are replays of, however many others there are.
    """
    return tuple(
        run
        for run in reversed(registry.catalog.replays(manifest_id))
        if run not in known
        and (made := registry.catalog.manifest(run)).outcome.class_ == "succeeded"
        and _same_version(made, manifest, target)
    )


def _same_version(made: Manifest, recorded: Manifest, target: Target) -> bool:
    """Whether a replay was asked of that provider and model, with the recorded seed: its request is then the same.

    Another provider may have no seed; what it was sent is then written anew, and from nothing but the recording.
    """
    elsewhere = target.provider not in (None, recorded.provider.name)
    return (
        made.provider.name == (target.provider or recorded.provider.name)
        and made.model.requested == (target.model or recorded.model.requested)
        and made.seed.requested in ({recorded.seed.requested, None} if elsewhere else {recorded.seed.requested})
    )
