"""Calibrates a manifest: replays of the recorded version, how far they lie apart, and the record of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection

from drift.compare import compare
from drift.floor import LEARN, MEASURE, UNCALIBRATED, NoiseFloor, Regime, distance, noise_floor, regime_of
from drift.media.media import Kind
from drift.score import Score
from drift.significance.resolution import floor_needed
from drift.verdict import Verdict
from registry.approvals import baseline_of
from registry.canonical import JSON, canonical, parse
from registry.errors import CouldNotRun
from registry.home import Registry
from registry.indexing import catch_up
from registry.record import Recorded
from registry.schema import validate
from registry.show import calibration_of as newest_calibration
from registry.times import now
from replay.consenting import Pay
from replay.measuring import COSTLY
from replay.preparing import AS_RECORDED, Ready, output_files, prepare, run_again


class CalibrationFailed(CouldNotRun):
    """The provider failed while a manifest was being calibrated."""

    def __init__(self, manifest_id: str, outcome: str, made: int) -> None:
        """Say how the call ended and what is kept."""
        super().__init__(
            f"{manifest_id}: the provider answered a calibration replay with {outcome}; "
            f"{made} good ones are recorded, and calibrate nothing by themselves, so run it again"
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far honest runs of a manifest's version lie apart: one floor for each of its outputs.

    ``runs`` are the replays it rests on, in the order made; ``record`` the signed record that says so.
    """

    record: str
    manifest: str
    regime: Regime
    runs: tuple[str, ...]
    floors: tuple[NoiseFloor, ...]

    @property
    def apart(self) -> bool:
        """Whether the version had changed before it was calibrated."""
        return any(floor.apart for floor in self.floors)

    @property
    def sentence(self) -> str:
        """What was learned, for people."""
        count = f"{len(self.runs)} calibration replay{'' if len(self.runs) == 1 else 's'}"
        match self.regime:
            case _ if self.apart:
                return (
                    f"{count} lie nearer to each other than any does to the recorded output: this version has changed "
                    "since it was recorded, and replays of it are drift."
                )
            case Regime.DETERMINISTIC:
                return (
                    f"{count} gave the recorded content: this version repeats itself, and any other content is drift."
                )
            case Regime.SEEDED:
                return (
                    f"{count} differ from each other by numeric noise; with {floor_needed(0.01)} a replay can be "
                    f"decided at 1 %, with {floor_needed(0.05)} at 5 %."
                )
            case Regime.UNSEEDED:
                return f"{count} are free samples: {len(self.runs) + 1} baseline outputs with the recorded one."
        return f"{count} cannot tell how far honest runs differ; it takes {LEARN}. Nothing changes for later replays."


def calibrate(
    registry: Registry,
    manifest_id: str,
    most: int,
    *,
    alpha: float = 0.01,
    samples: int | None = None,
    tell: Callable[[int, Recorded], None] = lambda number, recorded: None,
    pay: Callable[[Ready, int], Pay] = lambda ready, calls: lambda: None,
) -> Calibration | Verdict:
    """Replay the recorded version, up to ``most`` times, and record what that says.

    Three replays learn the regime. A deterministic version needs no more; a seeded one is topped up to what ``alpha``
    takes; of free samples all ``most`` are made, since each joins the baseline.

    Args:
        registry: where the manifest lies and the replays go.
        manifest_id: full id; where an approved replay took its place, that one is calibrated.
        most: calibration replays at most, at least 1.
        alpha: the error rate that is meant.
        samples: how many are made where they turn out to be free samples; ``most`` unless told.
        tell: hears of each replay as soon as it is recorded.
        pay: asked once, with the most calls there may be, how each is paid for; it may refuse.

    Returns:
        The calibration, or the verdict ``not-replayable`` with its reason.

    Raises:
        NotFound: no such generation.
        BudgetSpent: it does not pay for the next replay; those made before it stay recorded.
        CalibrationFailed: a call did not succeed.
    """
    manifest_id = baseline_of(registry, manifest_id)
    ready = prepare(registry, manifest_id, AS_RECORDED)
    if isinstance(ready, Verdict):
        return ready
    paying = pay(ready, most)
    runs: list[Recorded] = []
    scored: list[list[tuple[Score, ...]]] = []
    while len(runs) < _wanted(registry, ready, runs, scored, most, samples or most, alpha):
        made = run_again(registry, ready, paying())
        tell(len(runs), made)
        files = output_files(registry, made.id, made.manifest)
        if len(files) < len(ready.originals):
            raise CalibrationFailed(manifest_id, made.manifest.outcome.class_, len(runs))
        runs.append(made)
        scored.append(scores_of(registry, ready.originals, files))
    return _recorded(registry, manifest_id, ready, [one.id for one in runs], scored)


def calibration_of(registry: Registry, manifest_id: str) -> Calibration | None:
    """The newest calibration of a manifest; None where it has none, or one by other distances than today's."""
    value = newest_calibration(registry, manifest_id, MEASURE)
    return None if value is None else _opened(value["id"], value, len(kinds_of(registry, manifest_id)))


def calibration_called(registry: Registry, record: str) -> Calibration:
    """The calibration that a record of that id holds."""
    value = parse(registry.catalog.get(record).body)
    return _opened(record, value, len(kinds_of(registry, value["manifest"])))


def floor_at(calibration: Calibration | None, output: int) -> NoiseFloor:
    """The floor of one output; nothing is known where there is no calibration."""
    return UNCALIBRATED if calibration is None else calibration.floors[output]


def kinds_of(registry: Registry, manifest_id: str) -> list[Kind]:
    """The medium of each output of a manifest."""
    manifest = registry.catalog.manifest(manifest_id)
    return [(asset.media or {})["kind"] for asset in manifest.outputs]


def scores_of(registry: Registry, originals: Sequence[Path], files: Sequence[Path]) -> list[tuple[Score, ...]]:
    """The scores of each pair of outputs, by every metric but those that cost many times the decoding."""
    limits = registry.settings.limits
    return [
        compare(original, made, without=COSTLY, limits=limits).scores
        for original, made in zip(originals, files, strict=False)
    ]


def contents_of(registry: Registry, runs: Sequence[str], output: int = 0) -> list[str]:
    """Decoded content of an output of each run that still has one, as the index knows it."""
    catch_up(registry)  # each run is decoded there once, however often it is asked for
    return [content for run in runs if (content := registry.index.content(run, output)) is not None]


def _wanted(
    registry: Registry,
    ready: Ready,
    runs: Sequence[Recorded],
    scored: Sequence[Sequence[tuple[Score, ...]]],
    most: int,
    samples: int,
    alpha: float,
) -> int:
    """How many replays it takes, as far as those made so far tell."""
    if len(runs) < LEARN:
        return min(most, LEARN)
    kinds = [(asset.media or {})["kind"] for asset in ready.manifest.outputs]
    found = {
        regime_of(contents_of(registry, [one.id for one in runs], n), [distance(kind, scores[n]) for scores in scored])
        for n, kind in enumerate(kinds)
    }
    if found == {Regime.DETERMINISTIC}:
        return len(runs)
    return samples if Regime.UNSEEDED in found else min(most, floor_needed(alpha))


def _recorded(
    registry: Registry,
    manifest_id: str,
    ready: Ready,
    runs: Sequence[str],
    scored: Sequence[Sequence[tuple[Score, ...]]],
) -> Calibration:
    """Sign and log what was measured: scores and distances, no pixels and no words."""
    kinds = kinds_of(registry, manifest_id)
    floors = [_floor(registry, manifest_id, n, kind, runs, scored) for n, kind in enumerate(kinds)]
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/calibration/v1",
        "recorded_at": recorded_at,
        "manifest": manifest_id,
        "regime": _weakest(floors).value,
        "measure": MEASURE,
        "apart": any(floor.apart for floor in floors),
        "runs": [
            {
                "id": run,
                "outputs": [
                    {"output": n, "distance": distance(kinds[n], scores), "scores": plain_scores(scores)}
                    for n, scores in enumerate(scored[at][: len(kinds)])
                ],
            }
            for at, run in enumerate(runs)
        ],
        "actor": registry.settings.actor,
    }
    validate("record/v1", value)

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "calibration", recorded_at, [manifest_id, *runs])

    return _opened(registry.append("calibration", canonical(value), derive=derive), value, len(kinds))


def _floor(
    registry: Registry,
    manifest_id: str,
    output: int,
    kind: Kind,
    runs: Sequence[str],
    scored: Sequence[Sequence[tuple[Score, ...]]],
) -> NoiseFloor:
    contents = contents_of(registry, runs, output)
    recorded = next(iter(contents_of(registry, [manifest_id], output)), None)
    mine = [scores[output] for scores in scored]
    neighbours: list[tuple[Score, ...]] = []
    if (
        regime_of(contents, [distance(kind, scores) for scores in mine]) is Regime.SEEDED
    ):  # no other floor looks at them
        files = [output_files(registry, run, registry.catalog.manifest(run))[output] for run in runs]
        neighbours = [scores_of(registry, [one], [after])[0] for one, after in pairwise(files)]
    return noise_floor(contents, kind, mine, recorded=recorded, neighbours=neighbours)


def plain_scores(scores: Sequence[Score]) -> list[JSON]:
    """Scores as records hold them."""
    return [{"name": one.name, "value": one.value, "unit": one.unit, "reason": one.reason} for one in scores]


def _opened(record: str, value: JSON, outputs: int) -> Calibration:
    regime = Regime(value["regime"])
    floors = []
    for n in range(outputs):
        runs = [run["outputs"][n] for run in value["runs"]]
        floors.append(NoiseFloor(regime, tuple(tuple(_scores(run["scores"])) for run in runs), value["apart"]))
    return Calibration(record, value["manifest"], regime, tuple(run["id"] for run in value["runs"]), tuple(floors))


def _scores(values: JSON) -> list[Score]:
    return [Score(one["name"], one["value"], one["unit"], one["reason"]) for one in values]


def _weakest(floors: Sequence[NoiseFloor]) -> Regime:
    """What holds for every output: an unknown one leaves all unknown, then the freest counts."""
    order = (Regime.UNKNOWN, Regime.UNSEEDED, Regime.SEEDED, Regime.DETERMINISTIC)
    return next(regime for regime in order if any(floor.regime is regime for floor in floors))
