"""Looks at a registry without changing it: what is wrong, and the line that mends it."""

import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drift.errors import MintmarkError
from registry.digest import Digest
from registry.errors import counted, harmless
from registry.home import Registry
from registry.journal.states import CallState
from registry.log.guards import advisory
from registry.taken import taken

State = Literal["ok", "note", "problem"]

LEAST_FREE = 1 << 30  # bytes of disk below which recordings may soon fail


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``remedy`` is what to run where it is not ok."""

    name: str
    state: State
    sentence: str
    remedy: str | None = None


def examine(registry: Registry) -> Iterator[Finding]:
    """Every finding about an existing registry, one after the other."""
    for name, look in _LOOKS:
        try:
            yield from look(registry)
        except MintmarkError as problem:
            yield Finding(name, "problem", str(problem))


def _databases(registry: Registry) -> Iterator[Finding]:
    with registry.catalog.database.reading() as connection:
        size = registry.log.size(connection)
        tail = registry.log.unsigned_tail(connection)
        missing = registry.log.missing_guards(connection)
        is_advisory = advisory(connection)
        pending = registry.log.pending(connection)
    yield Finding(
        "catalog", "ok", f"{registry.catalog.database.name}, {counted(registry.catalog.generations(), 'generation')}"
    )
    state: State = "note" if tail or pending else "ok"
    waiting = f", {pending} wait for the sequencer" if pending else ""
    signed = f"the last {tail} not yet under a checkpoint" if tail else "all under a checkpoint"
    told = f"{counted(size, 'entry')}, {signed}{waiting}"
    yield Finding("log", state, told, "mintmark log checkpoint" if tail else None)
    if missing:
        yield Finding("guards", "problem", "; ".join(missing), "mintmark log audit, then restore a backup")
    else:
        kind = "advisory (whoever owns the database can drop them)" if is_advisory else "enforced by the owner role"
        yield Finding("guards", "ok", f"in place, {kind}")


def _vault(registry: Registry) -> Iterator[Finding]:
    name = registry.vault.database.name
    if registry.catalog.generations() and not registry.vault.records(before="9999"):
        told = f"{name} is empty while generations are recorded: every seal in them is shut"
        yield Finding("vault", "problem", told, "restore the vault from its backup")
    else:
        yield Finding("vault", "ok", f"{name} opens")
    if open_intents := len(registry.catalog.intents()):
        yield Finding("erasures", "problem", f"{open_intents} were interrupted", "mintmark erase --finish")


def _keys(registry: Registry) -> Iterator[Finding]:
    snapshot = registry.snapshot
    known = {key.keyid for key in snapshot.keys}
    for name, signer in (("log key", registry.log_signer), ("recorder key", registry.recorder)):
        if signer.keyid in known:
            yield Finding(name, "ok", f"{signer.keyid[:16]}, in force")
        else:
            yield Finding(
                name,
                "problem",
                f"{signer.keyid[:16]} is not in the log's key snapshot",
                "restore the key from its backup",
            )


def _assets(registry: Registry) -> Iterator[Finding]:
    # In this order: what is recorded or erased meanwhile is never taken for lost.
    named = registry.catalog.stored_assets() | registry.vault.sealed_blake3()
    here = {name for name, _ in registry.assets.names()}
    lost = named - here
    lost -= _erased(registry) if lost else set()
    if lost:
        told = f"{counted(len(lost), 'recorded asset')} lost: not here, and no erasure took them"
        named_by = f" (one is of {_user(registry, min(lost))})"
        yield Finding("assets", "problem", told + named_by, "restore the assets from their backup")
    else:
        yield Finding("assets", "ok", f"{len(here)} stored, none lost")


def _erased(registry: Registry) -> set[str]:
    """BLAKE3 of what erasures took, or promise to take."""
    gone = taken(registry)
    return registry.catalog.open_blake3(sorted(gone.by_sha256)) | gone.promised


def _user(registry: Registry, blake3: str) -> str:
    """A manifest that names an asset, shortened."""
    users = registry.catalog.users(blake3) or [use.manifest for use in registry.index.uses(Digest("blake3", blake3))]
    return users[0][7:19] if users else f"blake3:{blake3[:12]}"


def _calls(registry: Registry) -> Iterator[Finding]:
    if open_calls := len(registry.calls.in_states([CallState.AMBIGUOUS])):
        told = f"{counted(open_calls, 'call')} may have been billed, and no answer came"
        yield Finding("calls", "note", told, "mintmark replay ambiguous")
    else:
        yield Finding("calls", "ok", "none is in doubt")


def _index(registry: Registry) -> Iterator[Finding]:
    with registry.catalog.database.reading() as connection:
        waiting = registry.log.size(connection) - registry.index.next()
    unread = registry.index.unread()
    if waiting:
        yield Finding("index", "note", f"{counted(waiting, 'record')} behind; the next look-up takes them in")
    else:
        yield Finding("index", "ok", "complete")
    if unread:
        first = unread[0]
        where = f"{first.pointer} of {first.manifest[7:19]}" if first.pointer else first.manifest[7:19]
        told = f"{counted(len(unread), 'recorded output')} without a fingerprint, found by bytes alone"
        remedy = "mintmark index rebuild, once limits or version have changed"
        yield Finding("fingerprints", "note", harmless(f"{told}; {where}: {first.reason}"), remedy)


def _disk(registry: Registry) -> Iterator[Finding]:
    free = shutil.disk_usage(registry.home).free
    if free < LEAST_FREE:
        yield Finding("disk", "problem", f"only {free / 1e9:.1f} GB free at {registry.home}", "free some space")
    else:
        yield Finding("disk", "ok", f"{free / 1e9:.0f} GB free")
    probe = registry.home / ".doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError as problem:
        yield Finding("home", "problem", f"{registry.home} cannot be written: {problem.strerror}", "fix the rights")
    else:
        yield Finding("home", "ok", str(Path(registry.home)))


def _settings(registry: Registry) -> Iterator[Finding]:
    stray, kept = registry.home.parent / "mintmark.toml", registry.home / "mintmark.toml"
    if stray.is_file():
        told = f"{stray} is read by nobody: settings stand in {kept}"
        yield Finding("settings", "note", told, f"mv {shlex.quote(str(stray))} {shlex.quote(str(kept))}")


_LOOKS: tuple[tuple[str, Callable[[Registry], Iterator[Finding]]], ...] = (
    ("home", _disk),
    ("settings", _settings),
    ("catalog", _databases),
    ("vault", _vault),
    ("assets", _assets),
    ("keys", _keys),
    ("calls", _calls),
    ("index", _index),
)
