"""How fast the registry records, finds and exports: ours and the bound of the disk or of one digest, interleaved.

Run: ``.venv/bin/python benchmarks/bench_registry.py``.
"""

import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import against, bare_writer, picture, timed, within

from registry.canonical import canonical
from registry.catalog.search import Query, bodies
from registry.catalog.store import StoredRecord
from registry.digest import Digest, digests_of, digests_of_file
from registry.drafting import Draft, Incoming, assemble, new_exchange_id, seal_manifest
from registry.export.lines import json_lines
from registry.home import Registry, create_at
from registry.manifest import Asset, Manifest, Model, Prompt, Provider, Seed, id_of
from registry.record import record
from registry.signing import PAYLOAD_TYPE, output_subjects, pae, pae_digest, payload
from registry.times import now

MANIFESTS = 10_000


def rows() -> list[dict]:
    """The figures: {"figure", "ours_ms", "peer", "peer_ms", "ratio", "limit", "ok"}."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        registry, _ = create_at(Path(folder) / ".mintmark")
        found = [recording(registry, Path(folder)), signing(registry)]
        found += among_many(registry)
        found += [one_gibibyte(Path(folder)), *cold(registry)]
        registry.close()
    return found


def recording(registry: Registry, folder: Path, pairs: int = 80) -> dict:
    """One generation with a 200 KB asset, durable; the bound is a bare durable write of the same bytes and a row."""
    bare = bare_writer(folder)
    ours, bound = [], []
    for n in range(pairs + 5):
        data = picture(n)
        path = folder / f"{n}.png"
        path.write_bytes(data)
        draft = a_draft(str(path), n)
        mine = timed(lambda d=draft, p=path: record(registry, d, {str(p): p}))
        other = timed(lambda d=data: bare(d))
        path.unlink()
        if n >= 5:
            ours.append(mine)
            bound.append(other)
    return against("record 200 KB in process, durable", ours, "bare durable write", bound, 2.0)


def signing(registry: Registry, times: int = 2000) -> dict:
    """Canonicalise a manifest of about 2 KB, digest it twice, sign its statement."""
    value, _ = sealed_manifest(0)
    signer = registry.recorder

    def work() -> None:
        body = canonical(value)
        digests_of(body)
        signer.sign(pae(PAYLOAD_TYPE, payload("generation", body, output_subjects(value))))

    return within("canonicalise + both digests + sign, 2 KB", [timed(work) for _ in range(times)], 0.150)


def among_many(registry: Registry) -> list[dict]:
    """Find by digest among 10,000 manifests, and export them all."""
    digests = fill(registry, MANIFESTS)
    finds = [
        timed(lambda d=digests[n * 7919 % MANIFESTS]: registry.catalog.uses(Digest("sha256", d))) for n in range(2000)
    ]

    def export() -> None:
        with (registry.home / "out.jsonl").open("wb") as out:
            for line in json_lines(bodies(registry.catalog, Query(replays=True))):
                out.write(line)
            os.fsync(out.fileno())

    exports = [timed(export) for _ in range(5)]
    return [
        within("find by digest among 10 k", finds, 0.3),
        within("export 10 k manifests to JSONL", exports, 500.0),
    ]


def one_gibibyte(folder: Path, pairs: int = 3) -> dict:
    """Both digests of 1 GiB in one pass against SHA-256 alone; the file stays in the page cache for both."""
    path = folder / "gibibyte"
    block = secrets.token_bytes(1 << 20)
    with path.open("wb") as out:
        for n in range(1024):
            out.write(n.to_bytes(4, "big") + block[4:])
    path.read_bytes()
    ours, bound = [], []
    for _ in range(pairs):
        ours.append(timed(lambda: digests_of_file(path)))
        bound.append(timed(lambda: sha256_alone(path)))
    path.unlink()
    return against("both digests of 1 GiB", ours, "SHA-256 alone", bound, 1.25)


def cold(registry: Registry, times: int = 9) -> list[dict]:
    """Whole processes, as a person starts them."""
    program = str(Path(sys.executable).with_name("mintmark"))
    environment = os.environ | {"MINTMARK_HOME": str(registry.home)}
    digest = next(iter(bodies(registry.catalog, Query())))[0]
    version, lookup = [], []
    for _ in range(times):
        for command, kept in ((["--version"], version), (["lookup", digest], lookup)):
            run = lambda c=command: subprocess.run(  # noqa: E731
                [program, *c], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )
            kept.append(timed(run))
    return [within("mintmark --version", version, 300.0), within("mintmark lookup DIGEST, cold", lookup, 500.0)]


def fill(registry: Registry, count: int) -> list[str]:
    """Record ``count`` manifests without files, in large transactions; returns their outputs' SHA-256."""
    digests = []
    for start in range(0, count, 1000):
        made = [sealed_manifest(start + n) for n in range(1000)]
        with registry.catalog.database.writing() as connection:
            for value, sha256 in made:
                body = canonical(value)
                statement = payload("generation", body, output_subjects(value))
                signature = registry.recorder.sign(pae(PAYLOAD_TYPE, statement))
                stored = StoredRecord(id_of(body), "generation", body, registry.recorder.keyid, signature)
                registry.catalog.insert(connection, stored)
                registry.log.append(
                    connection, kind="generation", id=stored.id, pae=pae_digest(statement), now=value["recorded_at"]
                )
                registry.catalog.insert_generation(connection, stored.id, Manifest.check(value), b"")
                digests.append(sha256)
    return digests


def sealed_manifest(n: int) -> tuple[dict, str]:
    """A manifest as recording makes it, and its output's SHA-256."""
    digests = digests_of(n.to_bytes(8, "big"))
    media = {"kind": "image", "width": 1024, "height": 1024, "mode": "RGB"}
    output = Asset(role="image", digest=digests.to_json(), media_type="image/png", bytes=200_000, media=media)
    value = assemble(a_draft("x", n), [], [output], recorded_at=now(), exchange_id=new_exchange_id())
    seal_manifest(value, None)
    return value, digests.sha256


def a_draft(file: str, n: int) -> Draft:
    """What a caller says."""
    return Draft(
        provider=Provider(name="openai", account="prod-images"),
        model=Model(requested="gpt-image-2-2026-04-21"),
        operation="image.generate",
        prompt=Prompt(submitted=f"a lighthouse in a storm, oil on canvas, number {n}"),
        seed=Seed(requested=str(n)),
        settings={"size": "1024x1024", "quality": "high", "style": "vivid"},
        outputs=[Incoming(file=file)],
        labels={"app": "storefront", "environment": "prod"},
    )


def sha256_alone(path: Path) -> str:
    """One digest, with the same buffer."""
    digest, buffer = hashlib.sha256(), bytearray(1 << 20)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as stream:
        while got := stream.readinto(view):
            digest.update(view[:got])
    return digest.hexdigest()


if __name__ == "__main__":
    for line in rows():
        print(line)
