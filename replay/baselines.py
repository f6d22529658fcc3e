"""What free samples are held against besides the original: its calibration replays, and replays accepted since."""

from collections.abc import Iterable, Sequence

from drift.significance.accepting import MOST
from registry.approvals import accepted_replays
from registry.assets.store import AssetNotFound
from registry.home import Registry
from replay.preparing import output_files


def with_accepted(registry: Registry, original: str, runs: Sequence[str], quiet: Iterable[str] = ()) -> tuple[str, ...]:
    """Calibration replays, then the newest accepted ones that a baseline has room for, oldest first.

    Args:
        registry: where they lie.
        original: what replays are held against, itself not among the answer.
        runs: its calibration replays; all of them stay.
        quiet: replays that a test found within noise; they join it together with the approved ones.
    """
    later = {run for run in (*accepted_replays(registry, original), *quiet) if run not in {original, *runs}}
    kept = sorted(run for run in later if _whole(registry, run))
    kept.sort(key=lambda run: registry.catalog.manifest(run).recorded_at)
    room = max(0, MOST - 1 - len(runs))
    return (*runs, *kept[max(0, len(kept) - room) :])


def _whole(registry: Registry, run: str) -> bool:
    """Whether its outputs are still here: an erased sample must not keep a manifest from being judged."""
    try:
        return bool(output_files(registry, run, registry.catalog.manifest(run)))
    except AssetNotFound:
        return False
