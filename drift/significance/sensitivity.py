"""The smallest change a test could have seen: known changes are put into the very samples it was given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
from numpy.typing import NDArray

from drift.significance.effects import EFFECTS, Effect, shortened
from drift.significance.one_thread import in_one_thread
from drift.significance.ranking import combined
from drift.significance.relabeling import RELABELINGS, labelings
from drift.significance.rules import Statistics, rules_for
from drift.significance.samples import Blocks, Sample, UnfitSamples, check_level, kind_of, stacked
from drift.significance.suite import Prompt

TRIALS = 10
POWER = 0.8
_GLANCE = 160  # relabelings that tell a hopeless test,
_HOPELESS = 0.1  # whose p is above this, without looking at the rest
_RANKS = (4, 7)  # so many relabelings may look as changed where a test rejects: the fewer, the faster and the blinder
_ENOUGH = 1_600  # relabelings, unless alpha needs more
_SHARES = (0.125, 0.25, 0.5, 0.75)  # of replays or prompts, tried after the whole
_STRONG = 4  # times the smallest size: the change whose smallest share is looked for


@dataclass(frozen=True, slots=True)
class Seen:
    """One kind of change and how large it had to be.

    Attributes:
        name: such as "lightness".
        size: the smallest tried that was found in at least ``power`` of the trials; None where none was.
        means: the change of that size in words, or of the largest size tried.
    """

    name: str
    size: float | None
    means: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a test of these samples would have found.

    Attributes:
        effects: by kind of change, each put into every replay.
        of: "replays" of one manifest or "prompts" of a suite, of which ``share`` is one.
        share: the smallest share that had to be changed, four times as strongly as the first effect found, to be
            seen; 1 where all had to, None where no effect was found at all.
        strong: that change in words.
        alpha: the error rate tested at.
        power: the share of trials that is called enough.
        trials: how many there were.
        seed: of everything drawn.
    """

    effects: tuple[Seen, ...]
    of: str
    share: float | None
    strong: str | None
    alpha: float
    power: float
    trials: int
    seed: int

    @property
    def sentence(self) -> str:
        """What would have been seen and what would not, for people."""
        found = [one.means for one in self.effects if one.size is not None]
        missed = [one.means for one in self.effects if one.size is None]
        how = f"in {ceil(self.power * self.trials - 1e-9)} of {self.trials} simulated tests"
        said = (
            f"It would have shown, {how}: {'; '.join(found)}." if found else f"No change tried would have shown {how}."
        )
        if missed:
            said += f" Not even: {'; '.join(missed)}."
        if self.share is not None:
            part = "All" if self.share == 1 else f"At least {self.share:.0%}"
            said += f" {part} of the {self.of} have to change to be seen ({self.strong})."
        return said

    def to_json(self) -> dict[str, object]:
        """Every member in JSON's own types."""
        return {
            "effects": [{"name": one.name, "size": one.size, "means": one.means} for one in self.effects],
            "of": self.of,
            "share": self.share,
            "strong": self.strong,
            "alpha": self.alpha,
            "power": self.power,
            "trials": self.trials,
            "seed": self.seed,
        }


def smallest_effects(
    baseline: Sequence[Sample], replays: Sequence[Sample], *, alpha: float = 0.01, seed: int, trials: int = TRIALS
) -> Sensitivity:
    """The smallest changes that ``decide_manifest`` would have found in these samples.

    For the case that nothing was found: baseline and replays then are one distribution as far as anybody knows. Each
    trial draws anew which of them are called replays, changes those by a known size, and runs the test, with few
    relabelings, which understates what the real test sees. Sizes are tried by bisection. Changes are made in those
    numbers of the descriptors that they are known to move, of transcripts in the text itself. Colours move by whole
    levels, as pixels do: what 8 bits round away is not found.

    Before there are any replays, split the baseline: what shows with fewer outputs shows with more.

    Args:
        baseline: as for the decision.
        replays: as for the decision; of a series of looks those of the last look.
        alpha: as for the decision; of a series of looks the share of one look.
        seed: of everything drawn; the same samples and seed give the same result.
        trials: at least 5; power is known to 1 / trials.

    Raises:
        UnfitSamples: as ``decide_manifest``, or too few trials.
    """
    return _searched([Prompt(baseline, replays)], alpha, seed, trials, "replays")


def suite_smallest_effects(
    prompts: Sequence[Prompt], *, alpha: float = 0.01, seed: int, trials: int = TRIALS
) -> Sensitivity:
    """As ``smallest_effects`` for ``suite_gate``; changes are put into every prompt, then into a share of the prompts.

    All prompts must be of one medium. Raises: UnfitSamples.
    """
    if not prompts:
        raise UnfitSamples("the suite has no prompt", "select at least one manifest")
    return _searched(prompts, alpha, seed, trials, "prompts")


@in_one_thread
def power_for(
    prompts: Sequence[Prompt], effect: str, size: float, *, alpha: float = 0.01, seed: int, trials: int = TRIALS
) -> float:
    """How often a change of that size would be found: of one prompt by the manifest's test, of more by the suite's.

    Args:
        prompts: samples in which the change is tried, as for ``smallest_effects``.
        effect: its name, as ``EFFECTS`` lists them per medium.
        size: in the effect's unit.
        alpha: the error rate.
        seed: of everything drawn.
        trials: simulated tests.

    Raises:
        UnfitSamples: no such effect, or samples that cannot be tested.
    """
    run = _Trials(prompts, alpha, seed, trials)
    chosen = next((one for one in run.effects if one.name == effect), None)
    if chosen is None:
        known = ", ".join(one.name for one in run.effects)
        raise UnfitSamples(f"there is no effect {effect!r} for {run.kind} samples", f"give one of {known}")
    return sum(run.found(trial, 1.0, chosen, size) for trial in range(trials)) / trials


@in_one_thread
def _searched(prompts: Sequence[Prompt], alpha: float, seed: int, trials: int, of: str) -> Sensitivity:
    run = _Trials(prompts, alpha, seed, trials)
    effects = []
    strong: tuple[Effect, float] | None = None
    for effect in run.effects:
        size = _smallest(effect.sizes, run, partial(_whole, run, effect))
        effects.append(Seen(effect.name, size, effect.told(effect.sizes[-1] if size is None else size)))
        if size is not None and strong is None:
            strong = effect, min(_STRONG * size, effect.sizes[-1])
    share = None
    if strong is not None:
        change, much = strong
        share = _smallest(_SHARES, run, partial(run.found, effect=change, size=much)) or 1.0
    told = strong[0].told(strong[1]) if strong else None
    return Sensitivity(tuple(effects), of, share, told, alpha, POWER, trials, seed)


def _whole(run: "_Trials", effect: Effect, trial: int, size: float) -> bool:
    return run.found(trial, 1.0, effect, size)


def _smallest(sizes: Sequence[float], run: "_Trials", found: Callable[[int, float], bool]) -> float | None:
    """The smallest size found often enough, by bisection; what one trial finds it also finds when larger."""
    least, most = np.full(run.trials, -1), np.full(run.trials, len(sizes))  # missed at, found at
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        hits = misses = 0
        for trial in range(run.trials):
            if least[trial] < middle < most[trial]:
                if found(trial, sizes[middle]):
                    most[trial] = middle
                else:
                    least[trial] = middle
            hits += bool(most[trial] <= middle)
            misses += bool(least[trial] >= middle)
            if hits >= run.enough or misses > run.trials - run.enough:
                break
        low, high = (low, middle) if hits >= run.enough else (middle + 1, high)
    return sizes[low] if low < len(sizes) else None


class _Trials:
    """Simulated tests on the same samples: which are called replays differs by trial, the relabelings do not."""

    def __init__(self, prompts: Sequence[Prompt], alpha: float, seed: int, trials: int) -> None:
        if trials < 5:
            raise UnfitSamples(f"{trials} trials say nothing of power", "give at least 5")
        self.trials = trials
        self.enough = ceil(POWER * trials - 1e-9)
        self._alpha = alpha
        every = [sample for one in prompts for sample in (*one.baseline, *one.replays)]
        self.kind = kind_of(every, "the suite" if len(prompts) > 1 else "the manifest")
        self._rules = rules_for(self.kind)
        self.effects = EFFECTS[self.kind]
        check_level(alpha, seed, 1)
        fewest, meant = (ceil(rank / alpha) for rank in _RANKS)
        relabelings = min(max(fewest, min(meant, _ENOUGH)) - 1, RELABELINGS)
        self._groups = [(len(one.baseline), len(one.replays)) for one in prompts]
        self._samples = [[shortened(sample) for sample in (*one.baseline, *one.replays)] for one in prompts]
        for number, one in enumerate(prompts, 1):
            if not one.baseline or not one.replays:
                stacked(one.baseline, one.replays, f"prompt {number}")  # raises
        self._labels = labelings(self._groups, seed=seed, relabelings=relabelings)
        words = np.random.PCG64(seed).jumped().random_raw(trials * (len(prompts) + 2 * len(every)))
        self._words: NDArray[np.uint64] = words.reshape(trials, -1)
        self._plain: dict[int, tuple[Blocks, Statistics]] = {}

    def found(self, trial: int, share: float, effect: Effect, size: float) -> bool:
        """Whether one trial's test rejects with that share of its replays (or prompts) changed."""
        drawn = self._drawn(trial)
        affected = {0}
        if len(drawn) > 1:
            changed = max(1, round(share * len(drawn)))
            affected = set(np.argsort(self._words[trial, : len(drawn)], kind="stable")[:changed].tolist())
        blocks = []
        for index, (own, chances) in enumerate(drawn):
            m, n = self._groups[index]
            count = n if len(drawn) > 1 else max(1, round(share * n))
            if index in affected:
                for at in range(m, m + count):
                    own[at] = effect.apply(own[at], own, size, int(chances[at]))
            blocks.append(stacked(own[:m], own[m:]))
        glance = combined(self._statistics(trial, blocks, _GLANCE))[1]
        return glance <= _HOPELESS and combined(self._statistics(trial, blocks, None))[1] <= self._alpha

    def _drawn(self, trial: int) -> list[tuple[list[Sample], NDArray[np.uint64]]]:
        """Per prompt its samples in this trial's order, those called replays last, and a word of chance for each."""
        start = len(self._groups)
        found = []
        for every in self._samples:
            size = len(every)
            order, chances = self._words[trial, start : start + 2 * size].reshape(2, size)
            found.append(([every[index] for index in np.argsort(order, kind="stable")], chances))
            start += 2 * size
        return found

    def _statistics(self, trial: int, blocks: Sequence[Blocks], rows: int | None) -> Statistics:
        """Of the first so many relabelings, or of all."""
        labels = [one[:rows] for one in self._labels]
        if len(blocks) > 1:
            return self._rules.suite_statistics(blocks, labels)
        if self.kind != "image":
            return self._rules.manifest_statistics(blocks[0], labels[0])
        if trial not in self._plain:  # most changes leave blocks alone, whose statistics are the dear ones
            own = self._drawn(trial)[0][0]
            m, _ = self._groups[0]
            plain = stacked(own[:m], own[m:])
            self._plain[trial] = plain, self._rules.manifest_statistics(plain, self._labels[0])
        before, known = self._plain[trial]
        moved = {name: block for name, block in blocks[0].items() if not np.array_equal(block, before[name])}
        return {name: values[:rows] for name, values in known.items()} | self._rules.manifest_statistics(
            moved, labels[0]
        )
