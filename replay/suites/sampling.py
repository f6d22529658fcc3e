"""Free samples of many manifests: one test of all of them first, then looks at those that seem to have moved."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil
from pathlib import Path

from drift.media.limits import Limits
from drift.media.media import Kind
from drift.significance.decision import Decision
from drift.significance.discoveries import adjusted_p
from drift.significance.manifest import decide_manifest
from drift.significance.relabeling import RELABELINGS
from drift.significance.samples import Sample
from drift.significance.sampling import sample_of
from drift.significance.sensitivity import Sensitivity, power_for, smallest_effects, suite_smallest_effects
from drift.significance.sequential import BASELINE, FUTILE, SequentialDecision, sequential
from drift.significance.suite import Prompt, suite_gate
from drift.verdict import Verdict, of_samples, undecided
from registry.assets.store import AssetNotFound
from registry.canonical import JSON
from registry.home import Registry
from registry.journal.runs import RunReplay
from replay.judging import seed_of
from replay.preparing import output_files
from replay.suites.plan import Case, MinPower, Plan
from replay.suites.reaching import takes
from replay.suites.wanting import first

DISCOVERY_RATE = 0.05  # of manifests called drifted, how many may be wrong on average
_MOST_RELABELINGS = 99_999
_STATISTICS = 7  # combined for one manifest, at most: what bounds the smallest p


@dataclass(frozen=True, slots=True)
class Tested:
    """One output of one manifest as the tests take it; ``baseline_runs`` and ``replay_runs`` name the samples."""

    case: Case
    output: int
    kind: Kind
    prompt: Prompt
    baseline_runs: tuple[str, ...]
    replay_runs: tuple[str, ...]


class Sampling:
    """What the free samples of a run say, as far as they are there. Everything is computed at most once."""

    def __init__(self, registry: Registry, plan: Plan, rows: Mapping[str, Sequence[RunReplay]]) -> None:
        self._registry, self._plan, self._rows = registry, plan, rows
        self._series: dict[tuple[str, int], SequentialDecision] = {}

    @cached_property
    def tested(self) -> Mapping[tuple[str, int], Tested]:
        """What takes part in the gate: enough baseline, every gate replay made."""
        found: dict[tuple[str, int], Tested] = {}
        for case in self._plan.cases:
            if not case.sampled or case.outputs < case.policy.replays.baseline:
                continue
            mine = self._rows.get(case.id, ())[: first(case, self._plan)]
            if not mine or any(row.state != "made" for row in mine):
                continue
            runs = tuple(row.generation or "" for row in mine)
            for output, kind in enumerate(case.kinds):
                if (prompt := self._prompt(case, output, runs)) is not None:
                    tested = Tested(case, output, kind, prompt, (case.original, *case.baseline), runs)
                    found[case.id, output] = tested
        return found

    @cached_property
    def gate(self) -> Decision | None:
        """The test of all manifests together; None where none can take part."""
        if not self.tested:
            return None
        names = tuple((*one.baseline_runs, *one.replay_runs, str(one.output)) for one in self.tested.values())
        return _gate(_Prompts(names, tuple(one.prompt for one in self.tested.values())), self.alpha, self.seed)

    @property
    def alpha(self) -> float:
        """Of the gate: the strictest that a policy of its manifests asks for."""
        return min(one.case.policy.alpha for one in self.tested.values())

    @property
    def seed(self) -> int:
        """Of the gate: told by its manifests, so that nobody can choose it."""
        ids = "\n".join(sorted({manifest for manifest, _ in self.tested}))
        return int(hashlib.sha256(ids.encode()).hexdigest()[:13], 16)

    def suspects(self) -> Mapping[str, int]:
        """Once the gate has rejected: of each suspect how many replays its next look takes, strongest first."""
        if self.gate is None or self.gate.answer != "drifted":
            return {}
        looks: dict[str, tuple[float, int]] = {}
        for (manifest, output), one in self.tested.items():
            if not self._deep(one.case) or self.strength(manifest, output) > FUTILE:
                continue
            series = self.series(manifest, output)
            if series.next_look is not None and series.next_look in one.case.policy.looks:
                strongest, most = looks.get(manifest, (1.0, 0))
                looks[manifest] = min(strongest, self.strength(manifest, output)), max(most, series.next_look)
        return {manifest: most for manifest, (_, most) in sorted(looks.items(), key=lambda one: (one[1][0], one[0]))}

    def strength(self, manifest: str, output: int) -> float:
        """The p of the gate's own replays of one manifest: what ranks suspects, and may only ever let one go."""
        one = self.tested[manifest, output]
        names = _Prompts(((*one.baseline_runs, *one.replay_runs, str(output)),), (one.prompt,))
        return _alone(names, one.case.policy.alpha, seed_of(manifest, output)).p

    def series(self, manifest: str, output: int) -> SequentialDecision:
        """The looks at one suspect that its replays allow."""
        if (manifest, output) not in self._series:
            one = self.tested[manifest, output]
            runs = tuple(row.generation or "" for row in self._rows[manifest] if row.state == "made")
            prompt = self._prompt(one.case, output, runs)
            assert prompt is not None  # it was there for the gate
            policy, names = one.case.policy, ((*one.baseline_runs, *runs, str(output)),)
            self._series[manifest, output] = _looked(
                _Prompts(names, (prompt,)), policy.alpha, seed_of(manifest, output), policy.looks, self._relabelings
            )
        return self._series[manifest, output]

    def verdict(self, case: Case, output: int) -> Verdict:
        """What holds of one output's free samples."""
        one = self.tested.get((case.id, output))
        if one is None:
            return self._untested(case)
        gate = self.gate
        assert gate is not None
        test = self._test(one, one.replay_runs, gate.to_json())
        if gate.answer == "undecided":
            return Verdict("undecided", "resolution", f"All {self._count} together: {gate.sentence}", test)
        if gate.answer == "drifted":
            return self._suspected(one, gate)
        return self._unmoved(one, gate, test)

    def baseline_of(self, case: Case, output: int) -> tuple[Sample, ...] | None:
        """The samples that replays of one output are held against; None where a file is gone."""
        try:
            return tuple(self._sample(run, output) for run in (case.original, *case.baseline))
        except (AssetNotFound, IndexError):
            return None

    @property
    def manifests(self) -> list[str]:
        """Those that take part in the gate, in the run's order."""
        return list(dict.fromkeys(manifest for manifest, _ in self.tested))

    @cached_property
    def sensitivity(self) -> Mapping[Kind, Sensitivity]:
        """For each medium the smallest change that the gate would have seen."""
        found: dict[Kind, Sensitivity] = {}
        for kind in sorted({one.kind for one in self.tested.values()}):
            prompts = self._prompts(kind)
            found[kind] = suite_smallest_effects(prompts, alpha=self.alpha, seed=self.seed)
        return found

    def power(self, kind: Kind, wanted: MinPower) -> float:
        """How often the gate would find the change that a policy names."""
        key = (kind, wanted.effect, wanted.size)
        if key not in self._powers:
            prompts = self._prompts(kind)
            self._powers[key] = power_for(prompts, wanted.effect, wanted.size, alpha=self.alpha, seed=self.seed)
        return self._powers[key]

    @cached_property
    def _powers(self) -> dict[tuple[Kind, str, float], float]:
        return {}

    @property
    def _count(self) -> str:
        count = len(self.manifests)
        return f"{count} manifests" if count > 1 else "replays of the manifest"

    @cached_property
    def _deep_ones(self) -> list[tuple[str, int]]:
        return [key for key, one in self.tested.items() if self._deep(one.case)]

    @property
    def _relabelings(self) -> int:
        """Enough that one drifted manifest among all that are looked at can be told."""
        looks = max((len(self.tested[key].case.policy.looks) for key in self._deep_ones), default=1)
        needed = ceil((_STATISTICS + 1) * looks * len(self._deep_ones) / DISCOVERY_RATE)
        return max(RELABELINGS, min(needed, _MOST_RELABELINGS))

    @cached_property
    def _adjusted(self) -> Mapping[tuple[str, int], float]:
        """For each manifest that could be looked at, the smallest rate of false discoveries that would name it."""
        keys = self._deep_ones
        p = [
            (self.series(*key).p or 1.0) if self.strength(*key) <= FUTILE else 1.0
            for key in keys
        ]  # fmt: skip
        return dict(zip(keys, adjusted_p(p), strict=True)) if keys else {}

    def _deep(self, case: Case) -> bool:
        return case.outputs >= BASELINE and bool(case.policy.looks)

    def _prompts(self, kind: Kind) -> list[Prompt]:
        return [one.prompt for one in self.tested.values() if one.kind == kind]

    def _prompt(self, case: Case, output: int, runs: Sequence[str]) -> Prompt | None:
        """The samples of one output; None where a file is gone."""
        baseline = self.baseline_of(case, output)
        try:
            replays = [self._sample(run, output) for run in runs]
        except (AssetNotFound, IndexError):
            return None
        return None if baseline is None else Prompt(baseline, replays)

    def _sample(self, run: str, output: int) -> Sample:
        registry = self._registry
        return _described(output_files(registry, run, registry.catalog.manifest(run))[output], registry.settings.limits)

    def _untested(self, case: Case) -> Verdict:
        wanted = case.policy.replays.baseline
        if case.outputs < wanted:
            return undecided(
                "resolution",
                f"There are {case.outputs} baseline outputs of these free samples and the policy asks for {wanted}; "
                "`mintmark suite calibrate` makes them.",
            )
        return undecided("samples", "Replays for the test of all manifests together are missing.")

    def _unmoved(self, one: Tested, gate: Decision, test: Mapping[str, object]) -> Verdict:
        wanted = one.case.policy.min_power
        if wanted is not None and (power := self.power(one.kind, wanted)) < wanted.power:
            m, n, count = gate.baseline, gate.replays, len(self.manifests)
            enough = takes(power, wanted.power, alpha=self.alpha, baseline=m, replays=n, manifests=count)
            larger = f"(now {m}{', by `mintmark suite calibrate --deep`' if m < BASELINE else ''})"
            raised = f"more replays (now {n}), a larger baseline {larger} or more manifests (now {count}) raise it"
            why = (
                f"The policy asks to see {wanted.effect} {wanted.size:g} in {wanted.power:.0%} of tests, and these "
                f"numbers do in {power:.0%}: {enough or raised}."
            )
            return Verdict("undecided", "power", why, test)
        seen = self.sensitivity[one.kind]
        said = f"All {self._count} together: {gate.sentence} What would have shown stands with the suite."
        return Verdict("within-noise", None, said, {**test, "sensitivity": seen.to_json()})

    def _suspected(self, one: Tested, gate: Decision) -> Verdict:
        case, key = one.case, (one.case.id, one.output)
        together = f"The suite has changed (p = {gate.p:.2g} over {self._count})"
        if not self._deep(case):
            test = self._test(one, one.replay_runs, gate.to_json())
            why = (
                f"{together}; whether this manifest has cannot be told by {case.outputs} baseline outputs, "
                f"{BASELINE} can tell: `mintmark suite calibrate --deep` makes them."
            )
            return Verdict("undecided", "resolution", why, test)
        if (p := self.strength(*key)) > FUTILE:
            test = self._test(one, one.replay_runs, gate.to_json())
            return Verdict(
                "within-noise", None, f"{together}; this manifest's own replays show nothing (p = {p:.2g}).", test
            )
        series = self.series(*key)
        found = of_samples(series, self._seen(one, series))
        runs = tuple(row.generation or "" for row in self._rows[case.id] if row.state == "made")
        test = self._test(one, runs, found.test or gate.to_json())
        if series.answer == "drifted" and self._adjusted[key] > DISCOVERY_RATE:
            why = (
                f"{together}; this manifest alone would count as changed (p = {series.p:.2g}), yet not among "
                f"{len(self._deep_ones)} that were looked at, where {DISCOVERY_RATE:.0%} of such calls may be wrong."
            )
            return Verdict("within-noise", None, why, test)
        return Verdict(found.kind, found.reason_code, f"{together}. {found.sentence}", test)

    def _seen(self, one: Tested, series: SequentialDecision) -> Sensitivity | None:
        if series.answer != "within-noise" or not series.looks:
            return None
        look = series.looks[-1]
        made = [row for row in self._rows[one.case.id] if row.state == "made"][: look.replays]
        prompt = self._prompt(one.case, one.output, [row.generation or "" for row in made])
        if prompt is None:
            return None
        return smallest_effects(prompt.baseline, prompt.replays, alpha=look.alpha, seed=look.seed)

    def _test(self, one: Tested, runs: Sequence[str], test: Mapping[str, object]) -> dict[str, JSON]:
        """A test with this manifest's own samples named; those of the others stand in the run's record.

        ``gate`` says what the test of all found: what is quiet in a suite that has changed must not join a baseline.
        """
        assert self.gate is not None  # nothing is tested without it
        runs_of = {"baseline_runs": list(one.baseline_runs), "replay_runs": list(runs)}
        return {**test, "gate": self.gate.answer, **runs_of}


@dataclass(frozen=True, slots=True, eq=False)
class _Prompts:
    """Samples that are compared by the names of what they were taken from."""

    names: tuple[tuple[str, ...], ...]
    prompts: tuple[Prompt, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Prompts) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)


@lru_cache(maxsize=4096)
def _described(path: Path, limits: Limits) -> Sample:
    """A file's sample; files of the store never change."""
    return sample_of(path, limits=limits)


@lru_cache(maxsize=8)
def _gate(given: _Prompts, alpha: float, seed: int) -> Decision:
    return suite_gate(given.prompts, alpha=alpha, seed=seed)


@lru_cache(maxsize=2048)
def _alone(given: _Prompts, alpha: float, seed: int) -> Decision:
    one = given.prompts[0]
    return decide_manifest(one.baseline, one.replays, alpha=alpha, seed=seed)


@lru_cache(maxsize=256)
def _looked(given: _Prompts, alpha: float, seed: int, looks: tuple[int, ...], relabelings: int) -> SequentialDecision:
    one = given.prompts[0]
    return sequential(one.baseline, one.replays, alpha=alpha, seed=seed, looks=looks, relabelings=relabelings)
