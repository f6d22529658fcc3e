"""From a digest, an id or words to the generations behind it.

Every answer says how it was found, how sure it is and what it was compared
with. Here is what needs no decoder; ``registry.lookup_file`` looks at media.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from registry.canonical import JSON
from registry.digest import Digest
from registry.errors import InvalidValue, NotFound, counted
from registry.home import Registry

_RANKED = 8  # times the limit: replays are folded under their originals and leave room
Sureness = Literal["match", "candidate"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer.

    ``how`` is bytes, content, pdq, id, call or words. ``distance`` is in bits of
    256 and ``margin`` is how much farther the next asset lies; both only with pdq.
    ``replays`` counts replays of it that would have answered, too.
    """

    manifest: str
    sureness: Sureness
    how: str
    sentence: str
    direction: str = "output"
    position: int | None = None
    distance: int | None = None
    margin: int | None = None
    replay_of: str | None = None
    replays: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Ranked hits, originals first; ``searched`` says what a miss is worth."""

    hits: list[Hit]
    searched: str
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 a match, 4 only candidates, 1 nothing."""
        if any(hit.sureness == "match" for hit in self.hits):
            return 0
        return 4 if self.hits else 1


def look_up_digest(registry: Registry, text: str, *, limit: int = 10) -> Answer:
    """Generations that use or made the bytes of a digest, or the record of that id."""
    if text.startswith("sha256:") and len(text) != 71:
        return _by_id(registry, text)
    digest = Digest.parse(text)
    hits = by_bytes(registry, digest)
    if not hits and digest.algorithm == "sha256" and registry.catalog.has(text):
        return _by_id(registry, text)
    return Answer(hits[:limit], searched(registry))


def look_up_text(registry: Registry, text: str, *, limit: int = 10) -> Answer:
    """Generations by id prefix, request or job id, or words of a disclosed prompt."""
    try:
        return _by_id(registry, text)
    except (InvalidValue, NotFound):
        pass
    calls = registry.catalog.by_call(text)
    if calls:
        hits = [Hit(found, "match", "call", f"its request or job id is {text}") for found in calls]
        return Answer(hits[:limit], searched(registry))
    hits = [
        Hit(found, "candidate", "words", "its prompt holds every one of these words")
        for found in registry.index.with_words(text, _RANKED * limit)
    ]
    short = not hits and re.fullmatch("[0-9a-f]{1,7}", text)
    notes = [f"{text} may be the beginning of an id: it takes 8 digits or more"] if short else []
    return Answer(fold_replays(registry, hits)[:limit], searched(registry), notes)


def _by_id(registry: Registry, text: str) -> Answer:
    found = registry.catalog.resolve(text, kind=None)
    kind = registry.catalog.get(found).kind
    sentence = "it is this manifest's id" if kind == "generation" else f"it is the id of a record of kind {kind}"
    return Answer([Hit(found, "match", "id", sentence)], searched(registry))


def by_bytes(registry: Registry, digest: Digest) -> list[Hit]:
    """Matches of a digest, sealed ones too."""
    uses = registry.catalog.uses(digest)
    if not uses:
        uses = registry.index.uses(digest)
    hits = [
        Hit(
            use.manifest,
            "match",
            "bytes",
            f"the file is byte for byte {'its' if use.direction == 'output' else 'an input of it:'} "
            f"{use.role} ({use.direction} {use.position})",
            use.direction,
            use.position,
        )
        for use in uses
    ]
    return fold_replays(registry, hits)


def fold_replays(registry: Registry, hits: Sequence[Hit]) -> list[Hit]:
    """Originals before replays; replays of a generation that is a hit itself are counted under it, not listed."""
    roots = registry.catalog.roots([hit.manifest for hit in hits])
    present = {hit.manifest for hit in hits}
    counted = Counter(roots[hit.manifest] for hit in hits if roots[hit.manifest] != hit.manifest)
    told = []
    for hit in hits:
        root = roots[hit.manifest]
        if root == hit.manifest:
            told.append(replace(hit, replays=max(hit.replays, counted[root])))
        elif root not in present:
            told.append(replace(hit, replay_of=root))
    return [hit for hit in told if hit.replay_of is None] + [hit for hit in told if hit.replay_of is not None]


def searched(registry: Registry) -> str:
    """What was searched: how many generations, and how far the index has come."""
    with registry.catalog.database.reading() as connection:
        size = registry.log.size(connection)
    count = registry.catalog.generations()
    upto = registry.index.next()
    complete = f"complete to #{upto - 1}" if upto >= size else f"only to #{upto - 1} of #{size - 1}"
    return f"{counted(count, 'generation')}, index {complete}; a miss is no proof"


def behind(registry: Registry) -> bool:
    """Whether records wait for the index."""
    with registry.catalog.database.reading() as connection:
        return registry.index.next() < registry.log.size(connection)


def answer_json(registry: Registry, answer: Answer) -> dict[str, JSON]:
    """An answer with what a person needs to know of each hit (schemas/lookup/v1)."""
    return {
        "sureness": {0: "match", 4: "candidates", 1: "nothing"}[answer.exit_code],
        "hits": [_hit_json(registry, hit) for hit in answer.hits],
        "searched": answer.searched,
        "notes": answer.notes,
    }


def _hit_json(registry: Registry, hit: Hit) -> dict[str, JSON]:
    stored = registry.catalog.get(hit.manifest)
    told: dict[str, JSON] = {
        "id": hit.manifest,
        "kind": stored.kind,
        "sureness": hit.sureness,
        "how": hit.how,
        "sentence": hit.sentence,
        "direction": hit.direction,
        "position": hit.position,
        "distance": hit.distance,
        "margin": hit.margin,
        "replay_of": hit.replay_of,
        "replays": hit.replays,
        "recorded_at": None,
        "operation": None,
        "model": None,
        "prompt": None,
    }
    value = msgspec.json.decode(stored.body)
    told["recorded_at"] = value.get("recorded_at")
    if stored.kind == "generation":
        opened = {found.pointer: found.value for found in registry.vault.get(hit.manifest)}
        told["operation"] = value["operation"]
        told["model"] = f"{value['provider']['name']}/{value['model']['requested']}"
        sealed = value["prompt"]["submitted"]
        told["prompt"] = opened.get("/prompt/submitted") if isinstance(sealed, dict) else sealed
    return told
