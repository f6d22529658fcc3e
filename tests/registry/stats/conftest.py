"""Histories of calls, made from one recorded generation and stored as the catalog stores them."""

import itertools

import msgspec
import pytest

from registry.canonical import canonical
from registry.catalog.store import StoredRecord
from registry.drafting import Draft, Incoming
from registry.manifest import Context, Cost, Latency, Model, Prompt, Provider, id_of
from registry.record import record

replace = msgspec.structs.replace


class History:
    """Stores calls: ``history(provider="fal", total=1200, cost="0.04USD", status="timeout")`` answers the id.

    They pass the tables that statistics read, not the log: a hundred of them take no longer than one recording.
    """

    def __init__(self, registry, folder):
        self.registry = registry
        words = folder / "words.txt"
        words.write_text("words of a meeting " * 80)
        draft = Draft(
            provider=Provider(name="vendor"),
            model=Model(requested="m-1"),
            prompt=Prompt(submitted="a secret prompt"),
            outputs=[Incoming(file=str(words))],
            exchange_id="template-0001",
        )
        self.first = record(registry, draft, {str(words): words})
        self.numbers = itertools.count()

    def manifest(self, **said):
        n = next(self.numbers)
        base = self.first.manifest
        amount = said.get("cost")
        kind = said.get("kind", "reported" if amount else "unknown")
        cost = Cost(amount=amount[:-3], currency=amount[-3:], kind=kind) if amount else Cost()
        outcome = replace(
            base.outcome,
            class_=said.get("status", "succeeded"),
            request_id=said.get("request_id"),
            job_id=said.get("job_id"),
            attempts=said.get("attempts"),
            submitted_at=said.get("at"),
            completed_at=said.get("ended"),
            latency_ms=Latency(total=said.get("total"), run=said.get("run")),
            safety=said.get("safety", "none"),
        )
        return replace(
            base,
            operation=said.get("operation", "image.generate"),
            recorded_at=said.get("recorded_at", "2026-11-20T12:00:00.000Z"),
            context=Context(workflow=said.get("workflow", "hero")),
            provider=Provider(name=said.get("provider", "vendor"), region=said.get("region")),
            model=Model(requested=said.get("model", "m-1"), served=said.get("served"), pin=said.get("pin", "snapshot")),
            outputs=base.outputs * said.get("outputs", 1),
            outcome=outcome,
            cost=cost,
            replay_of=said.get("replay_of"),
            labels=said.get("labels", {}),
            seed=replace(base.seed, requested=said.get("seed")),
            recorder=replace(base.recorder, exchange_id=f"exchange-{n:06d}"),
        )

    def __call__(self, **said):
        manifest = self.manifest(**said)
        body = canonical(manifest.to_json())
        stored = StoredRecord(id_of(body), "generation", body, "key", b"signature")
        with self.registry.catalog.database.writing() as connection:
            self.registry.catalog.insert(connection, stored)
            self.registry.catalog.insert_generation(connection, stored.id, manifest, b"mac")
        return stored.id

    def speaks(self, kind, value, *manifests):
        """Store another record that speaks of some manifests."""
        body = canonical(value)
        stored = StoredRecord(id_of(body), kind, body, "key", b"signature")
        with self.registry.catalog.database.writing() as connection:
            self.registry.catalog.insert(connection, stored)
            self.registry.catalog.insert_about(connection, stored.id, kind, value["recorded_at"], manifests)
        return stored.id


@pytest.fixture
def history(local_registry, tmp_path):
    """A registry on SQLite that holds one recorded transcript of workflow None, and whatever a test adds."""
    return History(local_registry, tmp_path)


@pytest.fixture
def history_anywhere(registry, tmp_path):
    """The same on each database."""
    return History(registry, tmp_path)
