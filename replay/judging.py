"""Judges replays of one manifest as they come: by equality, by the noise floor, or as samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drift.assertions import Finding, check
from drift.floor import NoiseFloor, Regime, regime_of
from drift.media.media import Kind
from drift.score import Score
from drift.significance.samples import Sample
from drift.significance.sampling import UnsupportedMedium, sample_of
from drift.significance.sensitivity import Sensitivity, smallest_effects
from drift.significance.sequential import BASELINE, LOOKS, SequentialDecision, sequential
from drift.verdict import Level, Verdict, decide_each, of_assertions, of_samples, undecided
from registry.canonical import JSON, parse
from registry.home import Registry
from registry.manifest import Manifest
from registry.record import Recorded
from replay.calibrating import Calibration, calibration_of, contents_of, floor_at, kinds_of, scores_of
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


@dataclass(slots=True)
class _Output:
    """One output of the manifest, and what its replays made of it; of one that made none, None."""

    number: int
    kind: Kind
    original: Path
    floor: NoiseFloor
    files: list[Path | None] = field(default_factory=list)
    scores: list[tuple[Score, ...]] = field(default_factory=list)
    baseline: list[Sample] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    series: SequentialDecision | None = None
    sensitivity: Sensitivity | None = None
    testable: bool = True
    findings: tuple[Finding, ...] | None = None


class Judge:
    """Takes replays in the order made, says whether one more is wanted, and at the end what holds of each.

    ``regime`` is what the calibration says; without one, from ``answers`` on, what runs say that repeat each other.
    """

    def __init__(
        self, registry: Registry, manifest_id: str, ready: Ready, *, level: Level | None, alpha: float
    ) -> None:
        self._registry, self._manifest, self._ready, self._alpha = registry, manifest_id, ready, alpha
        self._calibration = calibration_of(registry, manifest_id)
        self._outputs = [
            _Output(n, kind, original, floor_at(self._calibration, n))
            for n, (kind, original) in enumerate(zip(kinds_of(registry, manifest_id), ready.originals, strict=True))
        ]
        self._asked = level or ready.manifest.context.reproducibility
        self._made: list[Recorded] = []
        self.regime = self._calibration.regime if self._calibration else Regime.UNKNOWN
        # Free samples that no series has used up yet count, in the order they were made.
        self._before = _unused(registry, manifest_id, ready, self._calibration) if self._samples_count else []

    @property
    def level(self) -> Level:
        """What is asked for: by the caller, by the manifest, or what the regime allows."""
        return self._asked or _BY_REGIME.get(self.regime, "decoded")

    def add(self, made: Recorded) -> None:
        """Score one more replay, and look at the samples if it is time to."""
        self._made.append(made)
        if made.manifest.outcome.class_ != "succeeded":
            return
        files = output_files(self._registry, made.id, made.manifest)
        scored = scores_of(self._registry, self._ready.originals, files)
        for output in self._outputs:
            there = output.number < len(files)
            output.files.append(files[output.number] if there else None)
            if there:
                output.scores.append(scored[output.number])
        if self._samples_count:
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
        if self._calibration is None:  # told by all runs together, hence asked once
            self.regime = _repeating(self._registry, self._manifest, self._ready, self._succeeded)
        columns = [self._judged(output) for output in self._outputs]
        rows = iter(zip(*columns, strict=True))
        return [list(next(rows)) if one.id in self._succeeded else [] for one in self._made]

    @property
    def _samples_count(self) -> bool:
        return self.regime is Regime.UNSEEDED and self.level not in _EXACT

    @property
    def _succeeded(self) -> list[str]:
        return [one.id for one in self._made if one.manifest.outcome.class_ == "succeeded"]

    @property
    def _other_seed(self) -> bool:
        return self._ready.draft.seed.requested != self._ready.manifest.seed.requested

    def _decided(self, output: _Output) -> list[Verdict]:
        floor = output.floor if output.floor.regime is self.regime else NoiseFloor(self.regime)
        return decide_each(self.level, output.scores, floor, output.kind, alpha=self._alpha)

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
        if verdict.kind == "reproduced":
            return verdict
        if self._other_seed and self.regime is not Regime.UNSEEDED:
            return undecided("other-seed", "Another seed was sent, so another output says nothing about the model.")
        if verdict.reason_code == "samples" and not output.testable:
            why = f"Free samples of {output.kind} cannot be tested for drift; its replays can be compared one by one."
            verdict = undecided("unsupported-medium", why)
        elif verdict.reason_code == "samples" and output.series is None:
            have = f"{len(output.baseline)} baseline outputs" if output.baseline else "too few baseline outputs"
            more = f"--calibrate {BASELINE - 1} makes the {BASELINE} that a decision on one generation takes"
            verdict = undecided("resolution", f"There are {have} of these free samples; {more}.")
        elif verdict.reason_code == "samples" and output.series is not None:
            verdict = of_samples(output.series, self._sensitivity(output))
        if verdict.kind == "drifted":
            return verdict
        limits = self._registry.settings.limits
        if output.findings is None:
            output.findings = check(output.original, limits=limits)
        return of_assertions(output.findings, check(file, limits=limits)) or verdict

    def _look(self, output: _Output) -> None:
        """Take the look that the samples made so far allow, if one is due."""
        limits = self._registry.settings.limits
        try:
            if not output.baseline:
                runs = self._calibration.runs if self._calibration else ()
                files = [output.original, *(self._file(run, output.number) for run in runs)]
                output.baseline = [sample_of(file, limits=limits) for file in files]
                earlier = [self._file(run, output.number) for run in self._before]
                output.samples = [sample_of(file, limits=limits) for file in earlier]
            if output.files[-1] is not None:
                output.samples.append(sample_of(output.files[-1], limits=limits))
        except UnsupportedMedium:
            output.testable = False
            return
        if len(output.baseline) < BASELINE:
            return
        if output.series is None or len(output.samples) in LOOKS:
            seed = int(self._manifest[7:20], 16) + output.number  # nobody can choose it, anybody can have it again
            output.series = sequential(output.baseline, output.samples, alpha=self._alpha, seed=seed)

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
        if verdict.test is None:
            return None
        runs = list(self._calibration.runs) if self._calibration else []
        return {
            **verdict.test,
            "baseline_runs": [self._manifest, *runs],
            "replay_runs": [*self._before, *self._succeeded],
        }


def _repeating(registry: Registry, manifest_id: str, ready: Ready, fresh: Sequence[str]) -> Regime:
    """Whether the provider repeats itself, told by runs that are recorded already.

    Two groups can show it: the recorded output with earlier replays of the same
    version, and the replays of the version asked for now. Neither may be judged by
    the other: after a change both repeat themselves and differ from each other.
    """
    model, seed = ready.draft.model.requested, ready.draft.seed.requested
    before, target = [manifest_id], list(fresh)
    for earlier in registry.catalog.replays(manifest_id):
        if earlier in fresh:
            continue
        manifest = registry.catalog.manifest(earlier)
        if (manifest.model.requested, manifest.seed.requested) == (model, seed):
            target.append(earlier)
        if _version(manifest) == _version(ready.manifest):
            before.append(earlier)
    groups = (target, before)
    repeats = any(regime_of(contents_of(registry, group)) is Regime.DETERMINISTIC for group in groups)
    return Regime.DETERMINISTIC if repeats else Regime.UNKNOWN


def _unused(registry: Registry, manifest_id: str, ready: Ready, calibration: Calibration | None) -> list[str]:
    """Replays of the version asked for, made since the calibration, that no decided series rests on."""
    drift = [parse(found.body) for found in registry.catalog.about(manifest_id, "drift")]
    used = {run for one in drift if one["test"] and one["verdict"]["kind"] != "undecided"
            for run in one["test"]["replay_runs"]}  # fmt: skip
    runs = calibration.runs if calibration else ()
    replays = registry.catalog.replays(manifest_id)
    since = replays[replays.index(runs[-1]) + 1 :] if runs and runs[-1] in replays else []
    found = []
    for run in since:
        manifest = registry.catalog.manifest(run)
        whole = len(manifest.outputs) >= len(ready.originals)
        if whole and run not in used and manifest.model.requested == ready.draft.model.requested:
            found.append(run)
    return found


def _version(manifest: Manifest) -> tuple[str, str | None]:
    return manifest.model.requested, manifest.seed.requested
