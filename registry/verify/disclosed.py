"""Checks sealed values: opened ones fit their seals, closed ones are withheld or erased on record."""

from collections.abc import Iterable, Mapping, Sequence

from registry.bundle_format import DISCLOSURES_FORMAT, WHOLE, disclosures_path
from registry.canonical import JSON, parse_canonical
from registry.errors import NotCanonical, RegistryError
from registry.sealing import Disclosure, seals_in
from registry.verify.container import read
from registry.verify.contents import Contents
from registry.verify.documents import Shown
from registry.verify.report import Findings

Opened = dict[str, dict[str, Disclosure]]
"""Record id → pointer → what opens the seal there."""


def check_disclosures(contents: Contents, records: Sequence[Shown], findings: Findings) -> Opened:
    """Account for every seal of every record shown."""
    opened: Opened = {}
    erased = erasures(records)
    counts = {"shown": 0, "withheld": 0, "erased": 0}
    known = set()
    for shown in records:
        known.add(disclosures_path(shown.id))
        if shown.value is None:
            continue
        seals = seals_in(shown.value)
        fits = _open(contents, shown.id, seals, findings)
        opened[shown.id] = fits
        withheld = set(contents.withheld.get(shown.id, ()))
        if WHOLE in withheld:
            findings.fail("disclosures", f"{shown.id} is listed as withheld altogether, and is shown")
        for pointer in sorted(withheld - seals.keys() - {WHOLE}):
            findings.fail("disclosures", f"{shown.id}: {pointer} is listed as withheld and is not sealed")
        for pointer in seals:
            state = _state(pointer, fits, withheld, erased.get(shown.id, ()))
            if state is None:
                findings.doubt(
                    "disclosures", f"{shown.id}: {pointer} is missing: neither shown, withheld nor erased on record"
                )
            else:
                counts[state] += 1
    for name in sorted(contents.members.sizes):
        if name.startswith("disclosures/") and name not in known:
            findings.fail("disclosures", f"{name} opens no record of this bundle")
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"
    findings.say("disclosures", f"sealed values: {told}")
    return opened


def erasures(records: Iterable[Shown]) -> Mapping[str, list[str]]:
    """Record id → the pointers that erasure records name."""
    erased: dict[str, list[str]] = {}
    for shown in records:
        if shown.value is not None and shown.value["format"] == "mintmark/erasure/v1":
            for subject in shown.value["subjects"]:
                erased.setdefault(subject["id"], []).extend(subject["pointers"])
    return erased


def _state(pointer: str, fits: Mapping[str, Disclosure], withheld: set[str], erased: Sequence[str]) -> str | None:
    if pointer in fits:
        return "shown"
    if pointer in erased:
        return "erased"
    return "withheld" if pointer in withheld else None


def _open(contents: Contents, record_id: str, seals: Mapping[str, str], findings: Findings) -> dict[str, Disclosure]:
    path = disclosures_path(record_id)
    if path not in contents.members.sizes:
        return {}
    try:
        found = _parse(read(contents.members, path), record_id)
    except NotCanonical as problem:
        findings.fail("canonical form", f"{path} {problem}")
        return {}
    except (RegistryError, ValueError) as problem:
        findings.fail("disclosures", f"{path}: {problem}")
        return {}
    fits = {}
    for disclosure in found:
        if disclosure.pointer not in seals:
            findings.fail("disclosures", f"{record_id}: {disclosure.pointer} is disclosed and is not sealed")
        elif disclosure.commitment() != seals[disclosure.pointer]:
            findings.fail("disclosures", f"{record_id}: what is shown for {disclosure.pointer} does not fit its seal")
        else:
            fits[disclosure.pointer] = disclosure
    return fits


def _parse(data: bytes, record_id: str) -> list[Disclosure]:
    value: JSON = parse_canonical(data)
    match value:
        case {"format": str(kind), "id": str(about), "disclosures": list(entries)} if len(value) == 3:
            pass
        case _:
            raise ValueError("it is not a list of disclosures")
    if kind != DISCLOSURES_FORMAT or about != record_id:
        raise ValueError(f"it is {kind[:40]} about {about[:80]}, not {DISCLOSURES_FORMAT} about this record")
    found = []
    for entry in entries:
        match entry:
            case {"pointer": str(pointer), "salt": str(salt), "value": shown} if len(entry) == 3:
                found.append(Disclosure(pointer, salt, shown))
            case _:
                raise ValueError("a disclosure is not pointer, salt and value")
    if [each.pointer for each in found] != sorted({each.pointer for each in found}):
        raise ValueError("a pointer stands twice, or out of order")
    return found
