"""From a file to the generations behind it: the same bytes, the same decoded content, pictures that look alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from drift.errors import MediaRefused, MediaTooLarge
from drift.fingerprints.pdq import Pdq, distances, pdq_of_file
from drift.media.content import content_digest
from drift.media.probe import probe
from registry.digest import Digest, DigestSet, digests_of_file
from registry.errors import InvalidValue, counted
from registry.home import Registry
from registry.index.store import Fingerprint
from registry.indexing import catch_up
from registry.lookup import Answer, Hit, by_bytes, fold_replays, searched
from registry.settings import naming_setting

NEAR = 31  # bits of 256 at which two PDQ hashes are worth a person's look
LEAST_STABLE = 96  # stable bits below which a hash resembles every periodic or flat picture
LEAST_QUALITY = 50

_TOO_PLAIN = (
    "the picture is too plain for a fingerprint: it is found if its bytes or its decoded pixels are equal, and no "
    "look-alikes were sought"
)
_TURNS = ("", "turned 90°", "turned 180°", "turned 270°", "mirrored", "flipped", "transposed", "anti-transposed")


@dataclass(frozen=True, slots=True)
class _Near:
    print: Fingerprint
    distance: int
    turn: str
    asset: str  # the digest of what it decodes to: one file may be recorded many times
    root: str = ""  # the generation that it, or what it is a replay of, began with


def look_up_file(
    registry: Registry, path: Path, *, limit: int = 10, name: str | None = None, digests: DigestSet | None = None
) -> Answer:
    """Generations behind a file, best answer first.

    Args:
        registry: where to look.
        path: any file; ``name`` stands for it in errors.
        limit: the most answers.
        name: what the user calls the file.
        digests: of the file, where they are known already (an upload).

    Raises:
        InvalidValue: the file cannot be read.
    """
    try:
        digests = digests or digests_of_file(path)[0]
    except OSError as problem:
        raise InvalidValue("file", name or str(path), f"readable ({problem.strerror})") from None
    wanted = Digest("blake3", digests.blake3)
    if hits := by_bytes(registry, wanted):
        return Answer(hits[:limit], searched(registry))
    catch_up(registry)
    if hits := by_bytes(registry, wanted):
        return Answer(hits[:limit], searched(registry))
    limits = registry.settings.limits
    notes = []
    try:
        media = probe(path, limits=limits, name=name or path.name)
        content = content_digest(path, media, limits=limits)
        hits = _by_content(registry, content)
        if not hits and media.kind != "image":
            notes = [_only_equal(media.kind)]
        elif not hits:
            variants = pdq_of_file(path, limits=limits)
            if _is_telling(variants[0]):
                hits = _alike(registry, variants, limit)
            else:
                notes = [_TOO_PLAIN]
    except MediaRefused as refusal:
        told = naming_setting(refusal) if isinstance(refusal, MediaTooLarge) else refusal
        return Answer([], searched(registry), [f"only its bytes were compared: {told}"])
    return Answer(hits[:limit], searched(registry), notes)


def _only_equal(kind: str) -> str:
    """What was not looked for, so that nobody takes a miss for more than it is."""
    what = {"video": "A video", "audio": "A sound", "transcript": "A transcript"}[kind]
    equal = {"video": "pictures and sound", "audio": "samples", "transcript": "words"}[kind]
    return f"{what} is found if its bytes or its decoded {equal} are equal; re-encoded, cut or edited ones are not yet"


def _by_content(registry: Registry, content: str) -> list[Hit]:
    hits = [
        Hit(manifest, "match", "content", "other bytes, the same decoded content", "output", position)
        for manifest, position in registry.index.with_content(content)
    ]
    return fold_replays(registry, hits)


def _alike(registry: Registry, variants: Sequence[Pdq], limit: int) -> list[Hit]:
    """Candidates by PDQ, nearest first: never a match, because variants of one prompt are true neighbours."""
    ranked = _ranked(registry, variants, 8 * limit)
    hits = []
    for members in _families(registry, ranked):
        close = [near for near in members if _worth_a_look(near)]
        if close:
            own, family = {near.asset for near in close}, {near.print for near in members}
            others = (near.distance for near in ranked if near.asset not in own and near.print not in family)
            hits.append(_hit(close, next(others, None)))
    return fold_replays(registry, hits)[:limit]


def _ranked(registry: Registry, variants: Sequence[Pdq], count: int) -> list[_Near]:
    """The nearest fingerprints, nearest first: so many, and the first one of another asset if all those are of one."""
    stored = registry.index.fingerprints()
    bits = np.frombuffer(b"".join(found.bits for found in stored), np.uint8).reshape(-1, 32)
    table = np.stack([distances(variant.bits, bits) for variant in variants])
    turn, nearest = table.argmin(axis=0), table.min(axis=0)
    order = np.argsort(nearest, kind="stable")
    ranked: list[_Near] = []
    for start in range(0, len(order), count):
        some = [(stored[n], int(nearest[n]), _TURNS[turn[n]]) for n in order[start : start + count]]
        assets = registry.index.contents([found.manifest for found, _, _ in some])
        block = [_Near(*one, assets.get((one[0].manifest, one[0].position), one[0].manifest)) for one in some]
        ranked += block if not ranked else [near for near in block if near.asset != ranked[0].asset][:1]
        if any(near.asset != ranked[0].asset for near in ranked):
            break
    return ranked


def _families(registry: Registry, ranked: list[_Near]) -> list[list[_Near]]:
    """Generations with their replays, nearest family first: to whoever asks for an origin they are one asset."""
    roots = registry.catalog.roots([near.print.manifest for near in ranked])
    families: dict[str, list[_Near]] = {}
    for near in ranked:
        root = roots[near.print.manifest]
        families.setdefault(root, []).append(replace(near, root=root))
    return list(families.values())


def _worth_a_look(near: _Near) -> bool:
    return near.distance <= NEAR and _is_telling(near.print)


def _is_telling(found: Fingerprint | Pdq) -> bool:
    return found.quality >= LEAST_QUALITY and found.stable >= LEAST_STABLE


def _hit(close: list[_Near], next_family: int | None) -> Hit:
    """One hit for a family; the original speaks for it where it is near enough itself."""
    near = next((one for one in close if one.print.manifest == one.root), close[0])
    margin = None if next_family is None else next_family - near.distance
    turned = f", {near.turn}" if near.turn else ""
    told = (
        "there is nothing else to compare with"
        if margin is None
        else f"the next asset lies {counted(margin, 'bit')} farther"
    )
    if margin == 0:
        told = "another asset lies just as near"
    if margin is not None and margin < 0:
        told = f"another asset lies {counted(-margin, 'bit')} nearer"
    return Hit(
        near.print.manifest,
        "candidate",
        "pdq",
        f"looks alike{turned}: {near.distance} of 256 PDQ bits differ; {told}",
        "output",
        near.print.position,
        near.distance,
        margin,
        replays=len({one.print.manifest for one in close} - {near.print.manifest}),
    )
