"""Every metric by name: the built-in ones and those of installed plug-ins."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from drift.metric import APPLIES_TO, BrokenPlugin, Metric, UnknownMetric
from drift.metrics.boundaries import BoundaryShift
from drift.metrics.casing import Casing
from drift.metrics.cer import Cer
from drift.metrics.color import Color
from drift.metrics.cpwer import CpWer
from drift.metrics.cuts import CutsMetric
from drift.metrics.decoded import Decoded
from drift.metrics.descriptor import DescriptorDistance
from drift.metrics.dhash import DHash
from drift.metrics.facts import Facts
from drift.metrics.file_bytes import FileBytes
from drift.metrics.flicker import Flicker
from drift.metrics.lag import Lag
from drift.metrics.logmel import LogMel
from drift.metrics.loudness import Loudness
from drift.metrics.motion import Motion
from drift.metrics.msssim import MsSsim
from drift.metrics.phash import PHash
from drift.metrics.psnr import Psnr
from drift.metrics.punctuation import Punctuation
from drift.metrics.speakers import SpeakerConfusion
from drift.metrics.ssim import Ssim
from drift.metrics.timeline import Timeline
from drift.metrics.vmaf import Vmaf
from drift.metrics.wer import Wer

GROUP = "mintmark.metrics"  # entry points of this group name a Metric class without constructor arguments

BUILT_IN: tuple[type[Metric], ...] = (
    FileBytes,
    Decoded,
    Ssim,
    MsSsim,
    Psnr,
    PHash,
    DHash,
    Color,
    DescriptorDistance,
    Timeline,
    Flicker,
    CutsMetric,
    Motion,
    Vmaf,
    Facts,
    Lag,
    Loudness,
    LogMel,
    Wer,
    Cer,
    CpWer,
    SpeakerConfusion,
    BoundaryShift,
    Punctuation,
    Casing,
)


def metrics() -> dict[str, Metric]:
    """Every metric by name: the built-in ones in their order, then plug-ins, which cannot replace those.

    Raises: BrokenPlugin.
    """
    found: dict[str, Metric] = {kind.name: kind() for kind in BUILT_IN}
    for entry in _plugins(entry_points):
        try:
            metric = entry.load()()
        except Exception as error:  # foreign code may fail in any way
            raise BrokenPlugin(entry.name, f"{type(error).__name__}: {error}") from error
        if not isinstance(metric, Metric):
            raise BrokenPlugin(entry.name, "it lacks name, version, media, unit, higher_is_better or compare()")
        if metric.media not in APPLIES_TO:
            raise BrokenPlugin(entry.name, f"its media {metric.media!r} is none of {', '.join(sorted(APPLIES_TO))}")
        if metric.name in found:
            raise BrokenPlugin(entry.name, f"the name {metric.name!r} is taken")
        found[metric.name] = metric
    return found


@lru_cache(maxsize=1)
def _plugins(find: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """Those installed, looked for once: it takes a tenth of comparing two pictures."""
    return tuple(find(group=GROUP))


def chosen(names: Sequence[str] | None) -> list[Metric]:
    """The metrics asked for by name, or all. Raises: UnknownMetric."""
    known = metrics()
    if names is None:
        return list(known.values())
    for name in names:
        if name not in known:
            raise UnknownMetric(name, known)
    return [known[name] for name in dict.fromkeys(names)]
