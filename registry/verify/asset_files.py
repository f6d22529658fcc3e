"""Checks that the asset files of a bundle are the ones its records name, and says which are not here."""

from collections.abc import Iterator, Mapping, Sequence

from registry.canonical import JSON, walk
from registry.sealing import disclose
from registry.verify.contents import Contents
from registry.verify.disclosed import Opened
from registry.verify.documents import Shown
from registry.verify.report import Findings


def check_assets(contents: Contents, records: Sequence[Shown], opened: Opened, findings: Findings) -> None:
    """Each file is named by a record, with both digests and the length that the record states."""
    named: dict[str, str] = {}
    erased = _erased(records)
    for shown in records:
        if shown.value is None:
            continue
        for pointer, digest, size in named_assets(shown, opened):
            named[digest["sha256"]] = shown.id
            held = contents.assets.get(digest["sha256"])
            if held is not None and (held[0] != digest["blake3"] or size not in (None, held[1])):
                findings.fail(
                    "assets",
                    f"{shown.id}: the asset at {pointer} has another BLAKE3 digest or length than its record says",
                )
    for sha256 in sorted(contents.assets.keys() - named.keys()):
        findings.fail("assets", f"assets/sha256/{sha256} belongs to no record in this bundle")
    here = len(contents.assets.keys() & named.keys())
    gone = sum(sha256 in erased for sha256 in named.keys() - contents.assets.keys())
    elsewhere = len(named) - here - gone
    told = [f"{here} of {len(named)} assets are here and match"]
    told += [f"{gone} erased"] if gone else []
    told += [f"{elsewhere} not carried by this bundle"] if elsewhere else []
    findings.say("assets", ", ".join(told) if named else "no record here names an asset whose digest is shown")


def named_assets(shown: Shown, opened: Opened) -> Iterator[tuple[str, Mapping[str, str], int | None]]:
    """Pointer, digests and stated length of every asset that a record names openly or by a disclosure."""
    value = disclose(shown.value, opened.get(shown.id, {}).values())
    for pointer, found in walk(value):
        digest: JSON = found.get("digest") if isinstance(found, dict) else None
        match digest:
            case {"blake3": str(), "sha256": str()}:
                size = found.get("bytes")
                yield pointer, digest, size if type(size) is int else None


def _erased(records: Sequence[Shown]) -> set[str]:
    return {
        sha256
        for shown in records
        if shown.value is not None and shown.value["format"] == "mintmark/erasure/v1"
        for sha256 in shown.value["assets"]
    }
