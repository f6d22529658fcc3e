"""What erasures took of the stored bytes: tells erased assets from lost ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from registry.digest import DigestSet
from registry.home import Registry


@dataclass(frozen=True, slots=True)
class Taking:
    """An erasure record that took bytes, and the generation that it was asked for."""

    record: str
    asked_for: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What erasures took.

    ``by_sha256`` says which record names an asset; whatever generation names the same bytes, an earlier or a later one,
    they are kept out. ``promised`` is the BLAKE3 of what an interrupted erasure is to take. A sealed digest went with
    the bytes and stands in neither; ``places`` has it as manifest, direction and position, as it has all others.
    """

    by_sha256: Mapping[str, Taking]
    promised: frozenset[str]
    places: frozenset[tuple[str, str, int]]

    def took(self, digests: DigestSet) -> bool:
        """Whether bytes that are not here are erased, and not lost."""
        return digests.sha256 in self.by_sha256 or digests.blake3 in self.promised


def taken(registry: Registry) -> Taken:
    """What the erasures of a registry took; reads all their records."""
    erasures = registry.catalog.erasures()
    by_sha256 = {
        sha256: Taking(found["id"], found["subjects"][0]["id"]) for found in erasures for sha256 in found["assets"]
    }
    promised = frozenset(blake3 for _, body in registry.catalog.intents() for blake3 in json.loads(body)["assets"])
    subjects = [subject for found in erasures for subject in found["subjects"]]
    places = frozenset((one["id"], way, n) for one in subjects for way in ("input", "output") for n in one[f"{way}s"])
    return Taken(by_sha256, promised, places)
