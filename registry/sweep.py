"""Removes what a crash left between two durable steps: drafts, disclosures and assets that no record names."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from registry.home import Registry
from registry.times import text_of

GRACE = 3600.0  # seconds; a recording that is still on its way is younger


@dataclass(frozen=True, slots=True)
class Swept:
    """How many of each were removed."""

    drafts: int
    disclosures: int
    assets: int


def sweep(registry: Registry, *, grace: float = GRACE) -> Swept:
    """Remove orphans older than ``grace`` seconds; what any record names stays.

    Runs under the writers' lock: a recording that finds its bytes stored
    already cannot lose them between that look and its commit.
    """
    before = time.time() - grace
    drafts = registry.assets.sweep_staged(before)
    with registry.catalog.database.alone():
        orphans = _orphan_disclosures(registry, before)
        registry.vault.forget(orphans)
        assets = [name for name in _orphan_assets(registry, before) if registry.assets.remove(name)]
    return Swept(drafts, len(orphans), len(assets))


def _orphan_disclosures(registry: Registry, before: float) -> list[str]:
    moment = datetime.now(UTC) - timedelta(seconds=time.time() - before)
    records = registry.vault.records(before=text_of(moment))
    known = registry.catalog.known(records)
    promised = b"".join(body for _, body in registry.catalog.intents())  # their records come later
    return [record for record in records if record not in known and record.encode() not in promised]


def _orphan_assets(registry: Registry, before: float) -> list[str]:
    named = registry.catalog.stored_assets() | registry.vault.sealed_blake3()
    suspects = [name for name, since in registry.assets.names() if name not in named and since < before]
    # Requests can name assets, too; asking the records themselves is slow and certain.
    return [name for name in suspects if not registry.catalog.mentions(name)]
