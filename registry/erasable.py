"""What an erasure finds of a value: disclosures that hold it, and stored files with it in their bytes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from registry.canonical import JSON
from registry.capture.wire import WHOLE
from registry.digest import DigestSet
from registry.errors import InvalidValue
from registry.home import Registry
from registry.packed_texts import holds_any
from registry.sealing import Disclosure, texts
from registry.verbatim import guessed, raw_bytes, words_in

_SHORTEST = 4  # characters; shorter values occur in unrelated text by chance
_TERMS = "/settings/keyterm"  # one term, or a list of them


@dataclass(frozen=True, slots=True)
class Stored:
    """An input or output of a manifest whose bytes are here; ``sealed`` where its digest is."""

    manifest: str
    direction: str
    position: int
    role: str
    digests: DigestSet
    sealed: bool


def of_request(pointer: str, fields: Collection[str]) -> bool:
    """Whether a seal inside a request goes with its prompt (bytes kept whole) or with the request, digests aside."""
    if "request" in fields and pointer.startswith(("/request/", "/settings/")):
        return not pointer.endswith("/digest")
    return "prompt" in fields and pointer.startswith("/request/") and pointer.endswith("/$raw")


def values_at(pointers: Collection[str], disclosures: Iterable[Disclosure]) -> list[JSON]:
    """What disclosures hold at some pointers; a single key term as a list of one."""
    return [
        [found.value] if found.pointer == _TERMS and isinstance(found.value, str) else found.value
        for found in disclosures
        if found.pointer in pointers
    ]


def staying(disclosures: Mapping[str, list[Disclosure]], gone: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Where requests hold sealed texts of 4 and more characters that are not among what goes; the longest text first.

    Which of them are words of a person, no description can say: a graph has as many text nodes as its author drew.
    """
    kept = {
        (manifest, found.pointer): len(found.value)
        for manifest, held in disclosures.items()
        for found in held
        if isinstance(found.value, str) and len(found.value) >= _SHORTEST and of_request(found.pointer, ("request",))
    }
    return sorted(kept.keys() - gone, key=lambda place: (-kept[place], place))


def holds(found: Disclosure, values: list[JSON]) -> bool:
    """Whether a disclosure is one of some values, or has a whole text of 4 and more characters in its own.

    An element of a list is taken where it stands alone: key terms are the words that transcripts are full of.
    """
    if found.value in values or any(found.value in value for value in values if isinstance(value, list)):
        return True
    return any(value in text for text in _texts_of(found) for value in _sought(values))


def _texts_of(found: Disclosure) -> list[str]:
    """The text of a disclosure, and what it holds in base64; of bytes kept whole, what a lenient reader finds, too."""
    if not isinstance(found.value, str):
        return []
    if not found.pointer.endswith("/$raw"):
        return [found.value, words_in(found.value) or ""]
    try:
        data = raw_bytes({"$raw": found.value})
    except InvalidValue:  # it came from outside as it is
        return [found.value]
    return [data.decode("utf-8", "replace"), *texts(guessed(data))]


def stored_of(registry: Registry, manifest_id: str, disclosures: Iterable[Disclosure]) -> Iterator[Stored]:
    """Every input and output of a manifest whose bytes are here."""
    manifest = registry.catalog.manifest(manifest_id)
    opened = {found.pointer: found.value for found in disclosures}
    for direction, assets in (("input", manifest.inputs), ("output", manifest.outputs)):
        for n, asset in enumerate(assets):
            digests = asset.digests_with(opened, f"/{direction}s/{n}/digest")
            if digests is not None and digests.blake3 in registry.assets:
                yield Stored(manifest_id, direction, n, asset.role, digests, asset.digests is None)


def that_hold(registry: Registry, stored: list[Stored], values: list[JSON]) -> list[Stored]:
    """Files that carry a value in their own bytes: a prompt in a PNG's text chunk would survive its erasure."""
    return [found for found in stored if holds_any(registry.assets.file(found.digests.blake3), _sought(values))]


def _sought(values: list[JSON]) -> list[str]:
    return [value for value in values if isinstance(value, str) and len(value) >= _SHORTEST]


def kept_whole(stored: Iterable[Stored], fields: Collection[str], *, asset: bool) -> list[Stored]:
    """Requests that were too long for the vault: they go with the prompt, with the request and with the files."""
    wanted = asset or "prompt" in fields or "request" in fields
    return [found for found in stored if found.role == WHOLE and wanted]
