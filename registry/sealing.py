"""Seals and disclosures: values that can be shown, withheld or erased without touching the record.

A seal is ``{"$seal": base64url(SHA-256(JCS(["mintmark/seal/v1", salt, pointer,
value])))}``. The salt is 128 fresh random bits for each field and record, so
equal values give unrelated seals; the pointer is bound in, so a disclosure
opens one place only.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from registry.canonical import JSON, canonical, escape, unescape, walk
from registry.errors import Refused

TAG = "mintmark/seal/v1"
LEAK_LENGTH = 4  # shorter values occur in unrelated text by chance


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What opens one seal: the JSON pointer it stands at, its salt (22 base64url characters), its value."""

    pointer: str
    salt: str
    value: JSON

    def commitment(self) -> str:
        """The 43 base64url characters that stand in the record."""
        return commitment(self.salt, self.pointer, self.value)

    def to_json(self) -> dict[str, JSON]:
        """The form that bundles carry."""
        return {"pointer": self.pointer, "salt": self.salt, "value": self.value}


class SealedKey(Refused):
    """A member name that holds a sealed value: a name cannot be sealed."""

    def __init__(self, pointer: str) -> None:
        """Name the place, not the value."""
        super().__init__(f"at {pointer}: the name of this member holds a value that is sealed; rename it")


def commitment(salt: str, pointer: str, value: JSON) -> str:
    """The commitment to a value at a place."""
    digest = hashlib.sha256(canonical([TAG, salt, pointer, value])).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_salt() -> str:
    """128 random bits as 22 base64url characters."""
    return urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def is_seal(value: JSON) -> bool:
    """Whether a JSON value is a seal."""
    return isinstance(value, dict) and len(value) == 1 and "$seal" in value


def seal(record: JSON, pointers: Iterable[str]) -> list[Disclosure]:
    """Replace the values at ``pointers`` by seals, in place; nulls and seals stay.

    Returns:
        The disclosures, which go to the vault and nowhere else.
    """
    disclosures = []
    for pointer in pointers:
        holder, key = _holder(record, pointer)
        value = holder[key]
        if value is None or is_seal(value):
            continue
        disclosure = Disclosure(pointer, new_salt(), value)
        holder[key] = {"$seal": disclosure.commitment()}
        disclosures.append(disclosure)
    return disclosures


def at(record: JSON, pointer: str) -> JSON:
    """The value at a JSON pointer.

    Raises:
        KeyError: there is no such place.
    """
    if not pointer:
        return record
    holder, key = _holder(record, pointer)
    return holder[key]


def disclose(record: JSON, disclosures: Iterable[Disclosure]) -> JSON:
    """A copy of a record with the values of ``disclosures`` in place of their seals."""
    values = {disclosure.pointer: disclosure.value for disclosure in disclosures}
    return _disclosed(record, "", values)


def leaks(record: JSON, regions: Iterable[str], disclosures: Iterable[Disclosure]) -> list[str]:
    """Pointers of unsealed strings inside ``regions`` that hold a sealed value of 4 or more characters."""
    private = _private_texts(disclosures)
    return [
        pointer
        for region in (regions if private else ())
        for pointer, value in walk(at(record, region), region)
        if isinstance(value, str) and not pointer.endswith("/$seal") and any(text in value for text in private)
    ]


def refuse_leaking_names(record: JSON, region: str, disclosures: Iterable[Disclosure]) -> None:
    """Let the names of members inside ``region`` pass.

    Raises:
        SealedKey: one of them holds a sealed value of 4 or more characters.
    """
    private = _private_texts(disclosures)
    for pointer, value in walk(at(record, region), region):
        if isinstance(value, dict) and any(text in key for key in value for text in private):
            raise SealedKey(pointer)


def _private_texts(disclosures: Iterable[Disclosure]) -> list[str]:
    return sorted({text for found in disclosures for text in texts(found.value) if len(text) >= LEAK_LENGTH})


def texts(value: JSON) -> list[str]:
    """All strings inside a value."""
    return [found for _, found in walk(value) if isinstance(found, str)]


def seals_in(record: JSON) -> dict[str, str]:
    """Every seal of a record: pointer → commitment."""
    return {pointer: value["$seal"] for pointer, value in walk(record) if is_seal(value)}


def _holder(record: JSON, pointer: str) -> tuple[JSON, JSON]:
    *path, last = pointer.split("/")[1:]
    holder = record
    for token in path:
        holder = holder[_key(holder, token)]
    return holder, _key(holder, last)


def _key(holder: JSON, token: str) -> JSON:
    if isinstance(holder, list):
        if not token.isdigit() or int(token) >= len(holder):
            raise KeyError(token)
        return int(token)
    key = unescape(token)
    if not isinstance(holder, dict) or key not in holder:
        raise KeyError(key)
    return key


def _disclosed(value: JSON, pointer: str, values: Mapping[str, JSON]) -> JSON:
    if pointer in values and is_seal(value):
        return values[pointer]
    if isinstance(value, dict):
        return {key: _disclosed(v, f"{pointer}/{escape(key)}", values) for key, v in value.items()}
    if isinstance(value, list):
        return [_disclosed(v, f"{pointer}/{n}", values) for n, v in enumerate(value)]
    return value
