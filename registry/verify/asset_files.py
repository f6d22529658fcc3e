"""Checks that the asset files of a bundle are the ones its records name, and says which are not here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from registry.canonical import JSON, walk
from registry.sealing import disclose, seals_in
from registry.verify.contents import Contents
from registry.verify.disclosed import Opened
from registry.verify.documents import Shown
from registry.verify.report import Findings

_DIGEST: Final = re.compile("/(in|out)puts/[0-9]+/digest")


def check_assets(contents: Contents, records: Sequence[Shown], opened: Opened, findings: Findings) -> None:
    """Each file is named by a record, with both digests and the length that the record states."""
    named: dict[str, str] = {}
    erased, places = _erased(records)
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
    shut = _shut(records, opened)
    elsewhere = len(named) - here - gone
    why = "no record here says why" if contents.assets else "the bundle carries no files"
    told = [f"{here} of {len(named)} assets are here and match" if named else "no asset's digest is shown"]
    told += [f"{gone + len(shut & places)} erased"] if gone or shut & places else []
    told += [f"{elsewhere} not carried by this bundle ({why})"] if elsewhere else []
    told += [f"{len(shut - places)} under a sealed digest"] if shut - places else []
    findings.say("assets", ", ".join(told))


def named_assets(shown: Shown, opened: Opened) -> Iterator[tuple[str, Mapping[str, str], int | None]]:
    """Pointer, digests and stated length of every asset that a record names openly or by a disclosure."""
    value = disclose(shown.value, opened.get(shown.id, {}).values())
    for pointer, found in walk(value):
        digest: JSON = found.get("digest") if isinstance(found, dict) else None
        match digest:
            case {"blake3": str(), "sha256": str()}:
                size = found.get("bytes")
                yield pointer, digest, size if type(size) is int else None


def _shut(records: Sequence[Shown], opened: Opened) -> set[tuple[str, str]]:
    """Where a record names an asset by a sealed digest that nothing here opens: record and pointer."""
    return {
        (shown.id, pointer)
        for shown in records
        if shown.value is not None
        for pointer in seals_in(shown.value)
        if _DIGEST.fullmatch(pointer) and pointer not in opened.get(shown.id, {})
    }


def _erased(records: Sequence[Shown]) -> tuple[set[str], set[tuple[str, str]]]:
    """What erasure records name: the SHA-256 of files, and sealed places by record and pointer."""
    erasures = [one.value for one in records if one.value is not None and one.value["format"] == "mintmark/erasure/v1"]
    digests = {sha256 for erasure in erasures for sha256 in erasure["assets"]}
    subjects = [subject for erasure in erasures for subject in erasure["subjects"]]
    return digests, {(one["id"], pointer) for one in subjects for pointer in one["pointers"]}
