"""A small log with real records, and bundles made from it."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import keys
from registry.canonical import canonical
from registry.digest import digests_of
from registry.export.bundle import BundleRecord, Selection, export_bundle, key_places
from registry.keyfile import FileSigner
from registry.log import merkle
from registry.log.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from registry.log.leaf import Leaf
from registry.log.proof import LogProof
from registry.schema import validate
from registry.sealing import seal
from registry.signing import PAYLOAD_TYPE, output_subjects, pae, pae_digest, payload
from registry.verify.report import State

NOW = "2026-11-20T12:00:00.000Z"
SELECTION = Selection("label app=test", NOW)


def signer(seed: int) -> FileSigner:
    return FileSigner(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def manifest(asset: bytes, prompt: str, subject: str | None = None) -> dict:
    """A manifest with every value open."""
    latency = dict.fromkeys(("connect", "upload", "queue", "run", "first_partial", "fetch", "store", "total"))
    return {
        "format": "mintmark/generation/v1",
        "operation": "image.generate",
        "recorded_at": NOW,
        "context": {"workflow": "hero", "sla_class": None, "reproducibility": None, "tenant": None, "subject": subject},
        "provider": {"name": "procedural", "description": None, "host": None, "region": None, "account": None},
        "model": {"requested": "shapes-1", "served": None, "pin": "unknown", "components": None},
        "request": None,
        "prompt": {"submitted": prompt, "effective": None},
        "seed": {"requested": "7", "actual": "7"},
        "settings": {},
        "inputs": [],
        "outputs_requested": 1,
        "outputs": [
            {
                "role": "image",
                "digest": digests_of(asset).to_json(),
                "media_type": "image/png",
                "bytes": len(asset),
                "media": {"kind": "image", "width": 1, "height": 1, "mode": "L"},
            }
        ],
        "outcome": {
            "class": "succeeded", "state": "succeeded", "http_status": None, "request_id": None, "job_id": None,
            "attempts": 1, "submitted_at": None, "completed_at": None, "latency_ms": latency, "safety": "none",
            "moderation": None, "error": None,
        },
        "cost": {"amount": None, "currency": None, "kind": "unknown", "price_table": None, "units": {}},
        "license": {"id": None, "commercial_use": "unknown", "source": None},
        "parents": [],
        "replay_of": None,
        "labels": {"app": "test"},
        "environment": {"software": {"mintmark": "0.1.0"}, "engine": None},
        "recorder": {
            "name": "mintmark", "version": "0.1.0", "capture": "record", "confidence": "declared",
            "exchange_id": hashlib.sha256(asset).hexdigest(),
        },
        "extensions": {},
    }  # fmt: skip


@dataclass
class Ledger:
    """A log in memory: records are added, bundles come out."""

    folder: Path
    log: FileSigner = field(default_factory=lambda: signer(1))
    recorder: FileSigner = field(default_factory=lambda: signer(2))
    records: list[BundleRecord] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.snapshot = keys.first_snapshot(self.log, self.recorder, NOW)
        self.rotate(self.snapshot)

    manifest = staticmethod(manifest)

    @property
    def origin(self) -> str:
        return self.snapshot.origin

    @property
    def trust(self) -> list[VerifierKey]:
        return [VerifierKey(self.origin, self.log.public)]

    def rotate(self, snapshot: keys.Snapshot, by: FileSigner | None = None) -> BundleRecord:
        """Record a key snapshot, signed by the log key."""
        self.snapshot = snapshot
        return self.add("key", snapshot.to_json(), by=by or self.log)

    def add(
        self, kind: str, value: dict, by: FileSigner | None = None, sealed: tuple[str, ...] = (), **more
    ) -> BundleRecord:
        """Sign a record and append its leaf."""
        by = by or self.recorder
        disclosures = seal(value, sealed)
        validate("manifest/v1" if kind == "generation" else "record/v1", value)
        body = canonical(value)
        statement = payload(kind, body, output_subjects(value) if kind == "generation" else [])
        record_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
        index = len(self.records)
        before = Leaf.parse(self.bodies[-1]).next_keys(index - 1) if self.bodies else 0
        self.bodies.append(Leaf(kind, record_id, pae_digest(statement), before, NOW).body)
        record = BundleRecord(
            record_id, kind, body, by.sign(pae(PAYLOAD_TYPE, statement)), by.keyid, index, disclosures, **more
        )
        self.records.append(record)
        return record

    def generate(
        self, asset: bytes, prompt: str = "a red square", sealed: tuple[str, ...] = ("/prompt/submitted",)
    ) -> BundleRecord:
        """Record a generation with one stored asset."""
        sha256 = hashlib.sha256(asset).hexdigest()
        path = self.folder / sha256
        path.write_bytes(asset)
        return self.add("generation", manifest(asset, prompt), sealed=sealed, assets={sha256: path})

    def erase(self, record: BundleRecord, pointers: list[str], assets: list[str]) -> BundleRecord:
        """Record an erasure; the caller forgets what is erased."""
        value = {
            "format": "mintmark/erasure/v1", "recorded_at": NOW,
            "reason": "asked for", "authority": "dpo", "actor": "local",
            "subjects": [{"id": record.id, "pointers": pointers, "outputs": [], "inputs": []}], "assets": assets,
        }  # fmt: skip
        return self.add("erasure", value, sealed=("/reason",))

    def root(self, size: int) -> bytes:
        return merkle.root(size, self._hashes)

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = size or len(self.bodies)
        return sign_checkpoint(self.origin, size, self.root(size), self.log)

    def proof(self, index: int, checkpoint: Checkpoint | None = None) -> LogProof:
        checkpoint = checkpoint or self.checkpoint()
        hashes = tuple(merkle.inclusion_proof(index, checkpoint.size, self._hashes))
        return LogProof(self.bodies[index], index, hashes, checkpoint)

    def consistency(self, first: int) -> list[bytes]:
        return merkle.consistency_proof(first, len(self.bodies), self._hashes)

    def leaf(self, index: int) -> Leaf:
        return Leaf.parse(self.bodies[index])

    def bundle(self, target: Path, records: list[BundleRecord] | None = None, **options) -> Path:
        """Export records with the key records that they need."""
        chosen = {record.index: record for record in (self.records if records is None else records)}
        for place in key_places(self.leaf, chosen, len(self.bodies)):
            chosen.setdefault(place, self.records[place])
        checkpoint = self.checkpoint()
        defaults = {
            "selection": SELECTION,
            "checkpoint": checkpoint,
            "proof": lambda index: self.proof(index, checkpoint),
            "signer": self.recorder,
            "trust": [str(key) for key in self.trust],
        }
        export_bundle(target, [chosen[index] for index in sorted(chosen)], **{**defaults, **options})
        return target

    def _hashes(self, level: int, index: int) -> bytes:
        leaves = [merkle.leaf_hash(body) for body in self.bodies[index << level : (index + 1) << level]]
        return merkle.fold(b"".join(leaves))


@pytest.fixture
def ledger(tmp_path):
    """Five entries: keys, three generations, an erasure of the second one's prompt."""
    made = Ledger(tmp_path)
    made.generate(b"first asset", "a red square")
    second = made.generate(b"second asset", "a blue circle")
    made.generate(b"third", sealed=("/prompt/submitted", "/outputs/0/digest"))
    made.erase(second, ["/prompt/submitted"], [])
    made.records[2] = replace(second, disclosures=())
    return made


@pytest.fixture
def new_ledger(tmp_path):
    """Makes ledgers with nothing but their key record."""

    def make(name: str = "other", **parts) -> Ledger:
        (tmp_path / name).mkdir()
        return Ledger(tmp_path / name, **parts)

    return make


@pytest.fixture(params=["bundle.zip", "bundle"])
def form(request, tmp_path):
    """Where a bundle goes: each test runs on the zip form and on the folder form."""
    return tmp_path / request.param


@pytest.fixture(scope="session")
def failed():
    """``failed(report)``: the names of the layers that are."""
    return lambda report: {layer.name for layer in report.layers if layer.state == State.FAILED}


@pytest.fixture(scope="session")
def undecided():
    """``undecided(report)``: the names of the layers that are."""
    return lambda report: {layer.name for layer in report.layers if layer.state == State.UNDECIDED}
