"""Which manifests a suite is about: resolved once, written into a lock beside the suite, and held to."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.canonical import canonical
from registry.catalog.search import Query, matching
from registry.errors import CouldNotRun, NotFound, Refused
from registry.home import Registry
from registry.manifest import Manifest
from registry.whole import write_whole
from replay.suites.file import Selector, Suite
from replay.suites.loading import BadSuite

FORMAT: Final = "mintmark/lock/v1"
_LARGEST: Final = 64 << 20  # bytes


class EmptySelection(CouldNotRun):
    """Nothing fits."""

    exit_code = 5

    def __init__(self, path: Path) -> None:
        """Name the suite."""
        super().__init__(f"{path}: nothing recorded here fits `select`; `mintmark search --label k=v` tries conditions")


class BadLock(Refused):
    """A lock that cannot be read, or that belongs to another selection."""

    def __init__(self, path: Path, why: str, suite: Path) -> None:
        """Name the file, what is wrong, and how to write it anew."""
        super().__init__(f"{path}: {why}; `mintmark suite lock {suite.name}` writes it anew")


class LockedMissing(CouldNotRun):
    """Manifests of the lock that this registry does not have."""

    def __init__(self, path: Path, missing: Sequence[str]) -> None:
        """Name the first of them."""
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        super().__init__(
            f"{path} names {missing[0]}{more}, which this registry does not have; run it where they are recorded, or "
            "carry them over: `mintmark suite pack` there, `mintmark check --from` here"
        )


@dataclass(frozen=True, slots=True)
class Lock:
    """The manifests of a suite, by id, in the order they were recorded; ``sha256`` is the lock file's."""

    manifests: tuple[str, ...]
    sha256: str


def lock_path(suite: Path) -> Path:
    """Where the lock of a suite lies: beside it, ``storefront.yaml`` has ``storefront.lock``."""
    return suite.with_suffix(".lock")


def select_digest(selectors: Sequence[Selector]) -> str:
    """The SHA-256 of what a suite selects: a lock with another one is stale."""
    return hashlib.sha256(canonical([one.to_json() for one in selectors])).hexdigest()


def resolve(registry: Registry, suite: Suite) -> tuple[str, ...]:
    """The manifests that fit now, oldest first, each once.

    Raises:
        BadSuite: a manifest named in it is not recorded here, or not one alone.
        EmptySelection: nothing fits.
    """
    found: dict[str, None] = {}
    for one in suite.select:
        found |= dict.fromkeys(_fitting(registry, suite.path, one))
    if not found:
        raise EmptySelection(suite.path)
    return tuple(found)


def _fitting(registry: Registry, path: Path, selector: Selector) -> list[str]:
    if selector.manifest is not None:
        try:
            return [registry.catalog.resolve(selector.manifest)]
        except (NotFound, Refused) as problem:
            raise BadSuite(path, selector.line, "select", str(problem)) from None
    query = Query(
        labels=selector.labels,
        workflow=selector.workflow,
        operation=selector.operation,
        provider=selector.provider,
        model=selector.model,
        status="succeeded",
    )
    return matching(registry.catalog, query)


def write_lock(registry: Registry, suite: Suite) -> Lock:
    """Resolve a suite and write its lock, whole or not at all; the same manifests give the same bytes."""
    manifests = resolve(registry, suite)
    path = lock_path(suite.path)
    value = {
        "format": FORMAT,
        "select": select_digest(suite.select),
        "manifests": [{"id": one, "name": name_of(one, registry.catalog.manifest(one))} for one in manifests],
    }
    data = (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
    write_whole(path, data)
    return Lock(manifests, hashlib.sha256(data).hexdigest())


def read_lock(suite: Suite) -> Lock | None:
    """The lock of a suite; None where there is none yet.

    Raises:
        BadLock: it is no lock, or ``select`` was changed since.
    """
    path = lock_path(suite.path)
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST)
        value = json.loads(data)
        manifests = tuple(one["id"] for one in value["manifests"])
        fits = value["format"] == FORMAT and all(isinstance(one, str) and one[:7] == "sha256:" for one in manifests)
        select = value["select"]
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise BadLock(path, problem.strerror or str(problem), suite.path) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadLock(path, "it is no lock of a suite", suite.path) from None
    if not fits or not manifests or len(set(manifests)) != len(manifests):
        raise BadLock(path, "it is no lock of a suite", suite.path)
    if select != select_digest(suite.select):
        raise BadLock(path, f"it is stale: `select` of {suite.path.name} has changed since", suite.path)
    return Lock(manifests, hashlib.sha256(data).hexdigest())


def locked(registry: Registry, suite: Suite) -> tuple[Lock, bool]:
    """The lock that holds, written now where there is none; says whether it is new.

    Raises:
        BadLock, EmptySelection: as above.
        LockedMissing: it names what is not recorded here.
    """
    lock = read_lock(suite)
    if lock is None:
        return write_lock(registry, suite), True
    known = registry.catalog.known(lock.manifests)
    if missing := [one for one in lock.manifests if one not in known]:
        raise LockedMissing(lock_path(suite.path), missing)
    return lock, False


def newly_fitting(registry: Registry, suite: Suite, lock: Lock) -> int:
    """How many manifests fit the selection now that the lock does not have; told, and never taken in by itself."""
    try:
        return len(set(resolve(registry, suite)) - set(lock.manifests))
    except EmptySelection:  # tags were taken away since; the lock still says what is meant
        return 0


def name_of(manifest_id: str, manifest: Manifest) -> str:
    """What people call a manifest: its label ``name``, else the first digits of its id."""
    name = manifest.labels.get("name")
    return name if isinstance(name, str) and name else manifest_id[7:19]
