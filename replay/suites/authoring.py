"""Writes a first suite for what is recorded: a spread of manifests, and policies that say why they are as they are."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from drift.significance.suite import suite_replays_needed
from registry.catalog.search import Query, matching
from registry.errors import FileThere
from registry.home import Registry
from registry.manifest import Manifest
from replay.suites.selecting import EmptySelection, name_of

_BASELINE: Final = 5
_GATE: Final = 2
_POLICIES: Final[Mapping[str, Sequence[str]]] = {
    "image": (
        "# free samples are tested all together first; suspects get up to `max` replays of their own",
        "{operation}: {{level: statistical, alpha: 0.01, replays: {{baseline: 5, gate: {gate}, max: 20}}}}",
        "# with a limit instead, one replay decides, and its error rate is not stated:",
        "# {operation}: {{level: perceptual, limits: {{ssim: {{min: 0.98}}}}}}",
    ),
    "video": (
        "{operation}: {{level: perceptual, alpha: 0.01}}",
        "# or by limits: {operation}: {{level: perceptual, limits: {{timeline.ssim.p05: {{min: 0.9}}, "
        "timeline.offset: {{max: 0}}}}}}",
    ),
    "audio": (
        "{operation}: {{level: perceptual, alpha: 0.01}}",
        "# or by limits: {operation}: {{level: perceptual, limits: {{logmel: {{max: 2}}, lufs_delta: {{max: 1}}}}}}",
    ),
    "transcript": (
        "{operation}: {{level: semantic, alpha: 0.01}}",
        "# or by limits: {operation}: {{level: semantic, limits: {{wer.norm: {{max: 0.03}}}}}}",
    ),
}


def write_suite(registry: Registry, path: Path, labels: Mapping[str, str], size: int) -> int:
    """Write a suite of at most ``size`` manifests that have these labels or tags; how many it has.

    The same manifests give the same file. Where more fit than are wanted, a spread is taken: every operation, provider
    and model in turn, and of each evenly from the oldest to the newest.

    Raises:
        EmptySelection: nothing fits.
        FileThere: there is such a file.
    """
    found = matching(registry.catalog, Query(labels=labels, status="succeeded"))
    if not found:
        raise EmptySelection(path)
    manifests = {one: registry.catalog.manifest(one) for one in found}
    chosen = spread(manifests, size)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_text(path.stem, labels, manifests, chosen))
    except FileExistsError:
        raise FileThere(path) from None
    return len(chosen)


def spread(manifests: Mapping[str, Manifest], size: int) -> list[str]:
    """A deterministic choice of some manifests, in the order given: each kind in turn, evenly over time."""
    kinds: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one, manifest in manifests.items():
        kinds[manifest.operation, manifest.provider.name, manifest.model.requested].append(one)
    room = dict.fromkeys(sorted(kinds), 0)
    left = min(size, len(manifests))
    while left:
        for kind in room:
            if left and room[kind] < len(kinds[kind]):
                room[kind], left = room[kind] + 1, left - 1
    chosen = {
        kinds[kind][(2 * n + 1) * len(kinds[kind]) // (2 * count)] for kind, count in room.items() for n in range(count)
    }
    return [one for one in manifests if one in chosen]


def _text(stem: str, labels: Mapping[str, str], manifests: Mapping[str, Manifest], chosen: Sequence[str]) -> str:
    whole = len(chosen) == len(manifests) and bool(labels)
    lines = [
        "format: mintmark/suite/v1",
        f"name: {_name(stem)}",
        "# resolved once into the .lock file beside this one; commit both, `mintmark suite lock` takes in new ones",
        "select:",
    ]
    if whole:
        lines.append(f"  - labels: {_mapping(labels)}")
    else:
        lines += [f"  - manifest: {one}   # {_comment(name_of(one, manifests[one]))}" for one in chosen]
    lines += [
        "# empty is the recorded version; {model: …} rehearses a migration, another provider must be named below",
        "target: {}",
        "policies:",
    ]
    media = {manifests[one].operation: (manifests[one].outputs[0].media or {})["kind"] for one in chosen}
    gate = _gate([manifests[one] for one in chosen])
    if gate > _GATE and "image" in media.values():
        lines.append(f"  # so few free samples reach alpha 0.01 only with {gate} replays each; more of them need fewer")
    for operation, kind in sorted(media.items()):
        lines += [f"  {line.format(operation=operation, gate=gate)}" for line in _POLICIES[kind]]
    lines += [
        "manifests: {}   # policies of single manifests by id",
        "allow_alias: false   # a name such as `latest` is no version, and proves nothing",
        "may_send_to: []   # other providers that may see these prompts",
        '# budget: {amount: "5.00", currency: USD}   # paid calls need one here, or --budget',
        "allow: {not_replayable: 0, undecided: 0}   # so many may stay without an answer and the check is still green",
        "",
    ]
    return "\n".join(lines)


def _gate(chosen: Sequence[Manifest]) -> int:
    """Replays of each picture without a seed with which all of them together can reach alpha 0.01."""
    free = sum(one.operation.startswith("image.") and one.seed.requested is None for one in chosen)
    needed = suite_replays_needed([_BASELINE] * free, alpha=0.01) if free else None
    return max(_GATE, needed or _GATE)


def _mapping(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in labels.items()) + "}"


def _name(stem: str) -> str:
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "-" for one in stem).lstrip("._-")
    return json.dumps(kept[:64] or "suite")


def _comment(text: str) -> str:
    return " ".join(text.split())
