"""Judges replays of one manifest as they come: by equality, by the noise floor, or as samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drift.assertions import Finding, check
from drift.floor import NoiseFloor, Regime, regime_of
from drift.media.media import Kind
from drift.score import Score
from drift.significance.samples import Sample
from drift.significance.sampling import sample_of
from drift.significance.sensitivity import Sensitivity, smallest_effects
from drift.significance.sequential import BASELINE, LOOKS, SequentialDecision, sequential
from drift.verdict import Level, Limit, Verdict, decide_each, none_broken, of_assertions, of_samples, undecided
from registry.canonical import JSON, parse
from registry.errors import counted
from registry.home import Registry
from registry.manifest import Manifest
from registry.record import Recorded
from replay.baselines import with_accepted
from replay.calibrating import Calibration, contents_of, floor_at, scores_of
from replay.measuring import Measured
from replay.preparing import Ready, output_files

_BY_REGIME: Mapping[Regime, Level] = {Regime.SEEDED: "perceptual", Regime.UNSEEDED: "statistical"}
_EXACT = ("bytes", "decoded")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of one output of one replay, by which level, regime, calibration and test."""

    verdict: Verdict
    scores: tuple[Score, ...]
    level: Level
    regime: Regime
    calibration: str | None = None
    test: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What replays are held against: a manifest with its output files, and what the replays were asked of."""

    id: str
    manifest: Manifest
    originals: Sequence[Path]
    provider: str
    model: str
    seed: str | None

    @classmethod
    def of(cls, manifest_id: str, ready: Ready) -> "Held":
        """As it was prepared."""
        draft = ready.draft
        return cls(manifest_id, ready.manifest, ready.originals, draft.provider.name, draft.model.requested,
                   draft.seed.requested)  # fmt: skip

    @property
    def elsewhere(self) -> bool:
        """Whether another provider was asked than the recorded one: a rehearsal, which reproduces nothing."""
        return self.provider != self.manifest.provider.name


@dataclass(frozen=True, slots=True)
class Rules:
    """By what replays are judged.

    Attributes:
        level: what to ask for; None is what the manifest's context says, else what the regime allows.
        alpha: the error rate of a decision by noise or by samples.
        limits: a policy's, by score name; they decide alone.
        samples: what holds of an output's free samples, where somebody looks at those of many manifests together; None
            looks at them here, as they come.
    """

    level: Level | None = None
    alpha: float = 0.01
    limits: Mapping[str, Limit] = field(default_factory=dict)
    samples: Callable[[int], Verdict] | None = None


@dataclass(slots=True)
class _Output:
    """One output of the manifest, and what its replays made of it; of one that made none, None."""

    number: int
    kind: Kind
    original: Path
    floor: NoiseFloor
    files: list[Path | None] = field(default_factory=list)
    scores: list[tuple[Score, ...]] = field(default_factory=list)
    broken: dict[Path, Verdict | None] = field(default_factory=dict)
    baseline: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    series: SequentialDecision | None = None
    sensitivity: Sensitivity | None = None
    findings: tuple[Finding, ...] | None = None


class Judge:
    """Takes replays in the order made, says whether one more is wanted, and at the end what holds of each.

    ``regime`` is what the calibration says; without one, from ``answers`` on, what runs say that repeat each other.
    """

    def __init__(self, registry: Registry, held: Held, rules: Rules, calibration: Calibration | None) -> None:
        self._registry, self._held, self._rules, self._calibration = registry, held, rules, calibration
        kinds = [(asset.media or {})["kind"] for asset in held.manifest.outputs]
        self._outputs = [
            _Output(n, kind, original, floor_at(calibration, n))
            for n, (kind, original) in enumerate(zip(kinds, held.originals, strict=True))
        ]
        self._asked = rules.level or held.manifest.context.reproducibility
        self._made: list[Recorded] = []
        self.regime = calibration.regime if calibration else Regime.UNKNOWN
        runs = calibration.runs if calibration else ()
        self._baseline = with_accepted(registry, held.id, runs) if self._samples_count else runs
        # Free samples that no series has used up yet count, in the order they were made.
        unused = _unused(registry, held, calibration) if self._looks else []
        self._before = [run for run in unused if run not in self._baseline]

    @property
    def level(self) -> Level:
        """What is asked for: by the caller, by the manifest, or what the regime allows."""
        return self._asked or _BY_REGIME.get(self.regime, "decoded")

    def add(self, made: Recorded, measured: Sequence[Measured] | None = None) -> None:
        """Take one more replay, and look at the samples if it is time to; scores it unless somebody measured it."""
        self._made.append(made)
        if made.manifest.outcome.class_ != "succeeded":
            return
        files = output_files(self._registry, made.id, made.manifest)
        if measured is None:
            scored = scores_of(self._registry, self._held.originals, files)
        else:
            scored = [one.scores for one in measured]
        for output in self._outputs:
            there = output.number < min(len(files), len(scored))
            output.files.append(files[output.number] if there else None)
            if there:
                output.scores.append(scored[output.number])
            if there and measured is not None:
                found = measured[output.number]
                output.broken[files[output.number]] = of_assertions(found.known, found.failed)
        if self._looks:
            for output in self._outputs:
                self._look(output)

    def wants_more(self, asked: int) -> bool:
        """Whether another replay is to be made of the number that was asked for.

        One more where the last lies beyond a noise floor; none where every series of looks is over.
        """
        if self._outputs and all(one.series is not None and one.series.next_look is None for one in self._outputs):
            return False
        if len(self._made) < asked:
            return True
        if self._other_seed or self._made[-1].manifest.outcome.class_ != "succeeded":
            return False
        last = [self._decided(output)[-1:] for output in self._outputs]
        return any(verdict.reason_code == "confirmation" for found in last for verdict in found)

    def answers(self) -> list[list[Judgement]]:
        """For each replay what holds of its outputs; nothing of a call that did not succeed."""
        if self._calibration is None and self._asks_repeating:  # told by all runs together, hence asked once
            self.regime = _repeating(self._registry, self._held, self._succeeded)
        columns = [self._judged(output) for output in self._outputs]
        rows = iter(zip(*columns, strict=True))
        return [list(next(rows)) if one.id in self._succeeded else [] for one in self._made]

    @property
    def _samples_count(self) -> bool:
        return self.regime is Regime.UNSEEDED and self.level not in _EXACT and not self._rules.limits

    @property
    def _asks_repeating(self) -> bool:
        """Whether it matters if the provider repeats itself: not where limits decide, or the one replay is equal."""
        if self._rules.limits:
            return False
        equal = all(any(s.base == "decoded" and s.value == 1 for s in one) for o in self._outputs for one in o.scores)
        return len(self._succeeded) > 1 or not equal

    @property
    def _looks(self) -> bool:
        return self._samples_count and self._rules.samples is None

    @property
    def _succeeded(self) -> list[str]:
        return [one.id for one in self._made if one.manifest.outcome.class_ == "succeeded"]

    @property
    def _other_seed(self) -> bool:
        return self._held.seed != self._held.manifest.seed.requested

    def _decided(self, output: _Output) -> list[Verdict]:
        floor = output.floor if output.floor.regime is self.regime else NoiseFloor(self.regime)
        limits = self._rules.limits
        return decide_each(self.level, output.scores, floor, output.kind, limits=limits, alpha=self._rules.alpha)

    def _judged(self, output: _Output) -> list[Judgement]:
        found = iter(zip(self._decided(output), output.scores, strict=True))
        judged = []
        for file in output.files:
            if file is None:
                why = f"The replay made no output {output.number}."
                judged.append(Judgement(undecided("missing-output", why), (), self.level, self.regime))
                continue
            verdict, scores = next(found)
            verdict = self._settled(output, verdict, file)
            calibration = self._calibration.record if self._calibration else None
            judged.append(Judgement(verdict, scores, self.level, self.regime, calibration, self._test(verdict)))
        return judged

    def _settled(self, output: _Output, verdict: Verdict, file: Path) -> Verdict:
        """What a pair alone cannot say: of samples, of another seed, of a broken file."""
        sampled = verdict.reason_code == "samples"
        if verdict.kind == "reproduced":
            return self._equal(verdict)
        if self._other_seed and self.regime is not Regime.UNSEEDED and not self._rules.limits:
            return undecided("other-seed", "Another seed was sent, so another output says nothing about the model.")
        if verdict.reason_code == "samples" and self._rules.samples is not None:
            verdict = self._rules.samples(output.number)
        elif verdict.reason_code == "samples" and output.series is None:
            have = f"{len(output.baseline)} baseline outputs" if output.baseline else "too few baseline outputs"
            more = f"--calibrate {BASELINE - 1} makes the {BASELINE} that a decision on one generation takes"
            verdict = undecided("resolution", f"There are {have} of these free samples; {more}.")
        elif verdict.reason_code == "samples" and output.series is not None:
            verdict = self._with_earlier(of_samples(output.series, self._sensitivity(output)))
        if verdict.kind == "drifted":
            return verdict
        if broken := self._broken(output, file):
            return broken
        return self._bounded(output, verdict) if sampled and verdict.kind == "within-noise" else verdict

    def _broken(self, output: _Output, file: Path) -> Verdict | None:
        """What the assertions say of one file, told once."""
        if file not in output.broken:
            limits = self._registry.settings.limits
            if output.findings is None:
                output.findings = check(output.original, limits=limits)
            known = [found.name for found in output.findings if found.verdict == "failed"]
            output.broken[file] = of_assertions(known, check(file, limits=limits))
        return output.broken[file]

    def _bounded(self, output: _Output, verdict: Verdict) -> Verdict:
        """A pass of free samples says how rare a broken output must be to have stayed away from all of them."""
        files = [self._file(run, output.number) for run in self._before] + [one for one in output.files if one]
        if any(self._broken(output, file) for file in files):
            return verdict
        return replace(verdict, sentence=f"{verdict.sentence} {none_broken(len(files))}".rstrip())

    def _with_earlier(self, verdict: Verdict) -> Verdict:
        """A sentence on samples counts those of earlier runs, too; it says how many they are."""
        if not self._before:
            return verdict
        counted_in = f"{counted(len(self._before), 'replay')} made earlier"
        return replace(verdict, sentence=f"{verdict.sentence} It counts {counted_in}.")

    def _equal(self, verdict: Verdict) -> Verdict:
        """Another provider that gives the very same has reproduced nothing: its output is no more than alike."""
        if not self._held.elsewhere:
            return verdict
        who = f"{self._held.provider} was asked, not {self._held.manifest.provider.name}"
        return Verdict("within-noise", None, f"{verdict.sentence} {who}: alike, and no reproduction.")

    def _look(self, output: _Output) -> None:
        """Take the look that the samples made so far allow, if one is due."""
        limits = self._registry.settings.limits
        if not output.baseline:
            files = [output.original, *(self._file(run, output.number) for run in self._baseline)]
            output.baseline = [sample_of(file, limits=limits) for file in files]
            earlier = [self._file(run, output.number) for run in self._before]
            output.samples = [sample_of(file, limits=limits) for file in earlier]
        if output.files[-1] is not None:
            output.samples.append(sample_of(output.files[-1], limits=limits))
        if len(output.baseline) < BASELINE:
            return
        if output.series is None or len(output.samples) in LOOKS:
            seed = seed_of(self._held.id, output.number)
            output.series = sequential(output.baseline, output.samples, alpha=self._rules.alpha, seed=seed)

    def _sensitivity(self, output: _Output) -> Sensitivity | None:
        """What the last look would have found; told where it found nothing, and computed once."""
        series = output.series
        if output.sensitivity is None and series is not None and series.answer == "within-noise":
            look = series.looks[-1]
            replays = output.samples[: look.replays]
            output.sensitivity = smallest_effects(output.baseline, replays, alpha=look.alpha, seed=look.seed)
        return output.sensitivity

    def _file(self, run: str, output: int) -> Path:
        return output_files(self._registry, run, self._registry.catalog.manifest(run))[output]

    def _test(self, verdict: Verdict) -> Mapping[str, JSON] | None:
        """The test with the runs it was made on, so that anybody can make it again."""
        if verdict.test is None or "baseline_runs" in verdict.test:
            return verdict.test
        return {
            **verdict.test,
            "baseline_runs": [self._held.id, *self._baseline],
            "replay_runs": [*self._before, *self._succeeded],
        }


def seed_of(manifest_id: str, output: int) -> int:
    """Of the relabelings: nobody can choose it, anybody can have it again."""
    return int(manifest_id[7:20], 16) + output


def _repeating(registry: Registry, held: Held, fresh: Sequence[str]) -> Regime:
    """Whether the provider repeats itself, told by runs that are recorded already.

    Two groups can show it: the recorded output with earlier replays of the same
    version, and the replays of the version asked for now. Neither may be judged by
    the other: after a change both repeat themselves and differ from each other.
    """
    asked = held.provider, held.model, held.seed
    before, target = [held.id], list(fresh)
    for earlier in registry.catalog.replays(held.id):
        if earlier in fresh:
            continue
        manifest = registry.catalog.manifest(earlier)
        if _version(manifest) == asked:
            target.append(earlier)
        if _version(manifest) == _version(held.manifest):
            before.append(earlier)
    groups = (target, before)
    repeats = any(regime_of(contents_of(registry, group)) is Regime.DETERMINISTIC for group in groups)
    return Regime.DETERMINISTIC if repeats else Regime.UNKNOWN


def _unused(registry: Registry, held: Held, calibration: Calibration | None) -> list[str]:
    """Replays of the version asked for, made since the calibration, that no decided series rests on."""
    drift = [parse(found.body) for found in registry.catalog.about(held.id, "drift")]
    used = {run for one in drift if one["test"] and one["verdict"]["kind"] != "undecided"
            for run in one["test"]["replay_runs"]}  # fmt: skip
    runs = calibration.runs if calibration else ()
    replays = registry.catalog.replays(held.id)
    since = replays[replays.index(runs[-1]) + 1 :] if runs and runs[-1] in replays else []
    found = []
    for run in since:
        manifest = registry.catalog.manifest(run)
        whole = len(manifest.outputs) >= len(held.originals)
        if whole and run not in used and _version(manifest)[:2] == (held.provider, held.model):
            found.append(run)
    return found


def _version(manifest: Manifest) -> tuple[str, str, str | None]:
    return manifest.provider.name, manifest.model.requested, manifest.seed.requested
