"""Reads and verifies content credentials (C2PA), offline; the reader is an extra, ``mintmark[c2pa]``."""

import json
import mmap
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from registry.canonical import JSON
from registry.importing.found import CredentialsBroken, CredentialsUnread, Found, UnreadableMetadata

# A JUMBF description box of the type "C2PA manifest store" (C2PA 2.2 section 11.1.4.2).
_STORE: Final = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_OFFLINE: Final = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_UNTRUSTED: Final = "signingCredential.untrusted"  # nobody is trusted here: no list of certificates is shipped
_SOURCE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NOT_NAME: Final = re.compile(r"[^a-z0-9._-]+")
_MOST: Final = 32 << 20  # characters of one store as JSON


def has_credentials(path: Path) -> bool:
    """Whether a file carries a C2PA manifest store; looks for its type, reads nothing of it."""
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(_STORE) >= 0
        except ValueError:  # an empty file
            return False


def read_credentials(path: Path) -> Found | None:
    """What a file's verified credentials tell; None where it has none.

    Signature and hashes are verified. Whether the signer is somebody to trust is not: ``state`` says ``Valid``.

    Raises:
        CredentialsBroken: signature or hashes do not fit.
        CredentialsUnread: the extra is not installed.
        UnreadableMetadata: the store is damaged.
    """
    if not has_credentials(path):
        return None
    try:
        library = import_module("c2pa")
    except ImportError:
        raise CredentialsUnread(str(path)) from None
    try:
        with _reader(library, path) as reader:
            text, state = reader.json(), str(reader.get_validation_state())
        if len(text) > _MOST:
            raise UnreadableMetadata(str(path), f"its content credentials take more than {_MOST:,} characters")
        store = json.loads(text)
        active = store["manifests"][store["active_manifest"]]
    except (library.C2paError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise UnreadableMetadata(str(path), f"its content credentials are damaged ({str(problem)[:200]})") from None
    codes = sorted({str(found.get("code")) for found in store.get("validation_status") or []})
    if state == "Invalid":
        raise CredentialsBroken(str(path), [code for code in codes if code != _UNTRUSTED])
    return _found(store, active, state, codes)


@cache
def _offline() -> Any:  # noqa: ANN401 - the library has no types
    library = import_module("c2pa")
    return library.Context(library.Settings.from_dict(_OFFLINE))


def _reader(library: Any, path: Path) -> Any:  # noqa: ANN401
    return library.Reader(path, context=_offline())


def _found(store: dict[str, Any], active: dict[str, Any], state: str, codes: list[str]) -> Found:
    made = next((one for one in _actions(active) if one.get("action") == "c2pa.created"), {})
    source = made.get("digitalSourceType")
    agent = made.get("softwareAgent")
    name, version = (agent.get("name"), agent.get("version")) if isinstance(agent, dict) else (agent, None)
    told: dict[str, JSON] = {
        "state": state,
        "codes": codes,
        "manifest": _line(store["active_manifest"]),
        "source_type": _line(source.removeprefix(_SOURCE)) if isinstance(source, str) else None,
    }
    model = _line(" ".join(part for part in (name, version) if isinstance(part, str)))
    return Found(tool=_maker(active), model=model or None, raw=json.dumps(store, ensure_ascii=False), credentials=told)


def _actions(active: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in active.get("assertions") or []:
        if isinstance(assertion, dict) and str(assertion.get("label", "")).startswith("c2pa.actions"):
            data = assertion.get("data")
            found = data.get("actions") if isinstance(data, dict) else None
            yield from (one for one in found or [] if isinstance(one, dict))


def _maker(active: dict[str, Any]) -> str:
    """Who made the claim, as a provider's name."""
    told = active.get("claim_generator_info")
    first = told[0].get("name") if isinstance(told, list) and told and isinstance(told[0], dict) else None
    text = first if isinstance(first, str) else re.split(r"[/\s]", str(active.get("claim_generator") or ""))[0]
    return _NOT_NAME.sub("-", text.lower()).strip("-._")[:64] or "c2pa"


def _line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text.encode("utf-8", "replace").decode("utf-8")).strip()[:256].strip()
