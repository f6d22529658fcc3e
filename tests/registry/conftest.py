"""Recordings in processes of their own, and what must hold in a registry whatever became of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from registry.audit import audit
from registry.canonical import parse
from registry.home import create
from registry.manifest import Manifest
from registry.settings import Settings
from registry.show import seal_states
from registry.sweep import sweep


@pytest.fixture(scope="module")
def nursery():
    """Runs jobs in processes of their own, all of one call at once: ``nursery(job(...), job(...))``."""
    program = [sys.executable, str(Path(__file__).with_name("nursery.py"))]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(*jobs):
        process.stdin.write(json.dumps(jobs) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield start
    process.stdin.close()
    process.wait(timeout=30)


@pytest.fixture
def job(tmp_path):
    """A job that records ``count`` transcripts in ``tmp_path/.mintmark``; kinds: record, erase, open."""

    def make(name="a", count=1, first=0, **more):
        base = {"work": "record", "home": str(tmp_path / ".mintmark"), "folder": str(tmp_path)}
        return base | {"name": name, "count": count, "first": first, **more}

    return make


class Soundness:
    """What must hold after any crash."""

    def open(self, home, **databases):
        return create(Settings(home=home, actor="tester", **databases))[0]

    def faults(self, registry):
        """Everything that is wrong, as sentences; empty when all is well."""
        registry.log.sequence()
        told = [str(fault) for fault in audit(registry, None).faults]
        with registry.catalog.database.reading() as connection:
            size = registry.log.size(connection)
            logged = [registry.log.entry(connection, index).id for index in range(size)]
            pending = registry.log.pending(connection)
        stored = self.records(registry)
        if len(set(logged)) != size or set(logged) != stored:
            told.append(f"{size} log entries, {len(stored)} records")
        if pending:
            told.append(f"{pending} records wait for ever")
        opens = registry.vault.get_many(logged)
        for found in registry.catalog.each(logged):
            value = parse(found.body)
            states = seal_states(registry, found.id, value, {one.pointer for one in opens[found.id]})
            lost = [pointer for pointer, state in states.items() if state == "missing"]
            told += [f"{found.kind} {found.id}: {pointer} can never be opened" for pointer in lost]
            if found.kind == "generation":
                told += self.assets_missing(registry, found, opens[found.id])
        return told

    def swept_clean(self, registry):
        """Sweep with no grace; what was wrong before or after, what was left over, what was taken too much."""
        told = self.faults(registry)
        sweep(registry, grace=-1)
        told += self.faults(registry)
        if orphans := set(registry.vault.records(before="9999")) - self.records(registry):
            told.append(f"disclosures without a record: {orphans}")
        stored = {name for name, _ in registry.assets.names()}
        named = registry.catalog.stored_assets() | registry.vault.sealed_blake3()
        if stored != named:
            told.append(f"assets that nothing names: {stored - named}; missing: {named - stored}")
        if drafts := list((registry.home / "assets" / "staged").iterdir()):
            told.append(f"drafts: {drafts}")
        return told

    def records(self, registry):
        with registry.catalog.database.reading() as connection:
            return set(connection.exec_driver_sql("SELECT id FROM record").scalars())

    def assets_missing(self, registry, found, disclosures):
        opened = {one.pointer: one.value for one in disclosures}
        for n, output in enumerate(Manifest.trusted(found.body).outputs):
            value = output.digest if output.digests else opened.get(f"/outputs/{n}/digest")
            if value is not None and value["blake3"] not in registry.assets:
                yield f"{found.id}: output {n} has no bytes"


@pytest.fixture(scope="session")
def sound():
    """``sound.faults(registry)`` and ``sound.swept_clean(registry)`` list what is wrong."""
    return Soundness()
