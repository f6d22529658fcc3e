"""Kills at every step and crowds of writers: nothing acknowledged is lost, nothing half-recorded stays."""

import random
import signal

import pytest

from registry.cli import run
from registry.export.selecting import export_selection
from registry.keys import trust_lines
from registry.log.checkpoint import VerifierKey
from registry.sealing import seals_in
from registry.verify.bundle import verify

STEPS = [
    "LocalAssets.stage:after",
    "LocalAssets.keep:before",
    "os.link:before",
    "os.link:after",
    "LocalAssets.keep:after",
    "Vault.put:before",
    "commit {vault} 1:before",
    "commit {vault} 1:after",
    "Catalog.insert:after",
    "LogStore.append:before",
    "LogStore.append:after",
    "Catalog.insert_generation:after",
    "commit {catalog} 1:before",
    "commit {catalog} 1:after",
    "LogStore.sequence:before",
    "Registry.append:after",
]


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql")])
def test_a_recording_killed_at_any_step_leaves_nothing_half_done(sound, request, nursery, job, tmp_path, backend):
    databases, names = {}, {"vault": "vault.db", "catalog": "mintmark.db"}
    if backend == "postgresql":
        databases = {"database": request.getfixturevalue("postgres_url"), "vault": request.getfixturevalue("vault_url")}
        names = {"catalog": databases["database"].rsplit("/", 1)[1].split("?")[0],
                 "vault": databases["vault"].rsplit("/", 1)[1].split("?")[0]}  # fmt: skip
    nursery(job("warm", databases=databases))  # makes the registry and its secret: what follows is one recording
    told, dead = [], 0
    steps = STEPS if backend == "sqlite" else [step for step in STEPS if step.startswith(("commit", "LogStore"))]
    for n, step in enumerate(steps):
        name = f"step{n}"

        answer = nursery(job(name, step=step.format(**names), databases=databases))[0]

        dead += answer["status"] == -signal.SIGKILL
        registry = sound.open(tmp_path / ".mintmark", **databases)
        told += [f"{step}: {fault}" for fault in sound.swept_clean(registry)]
        registry.close()
        again = nursery(job(name, databases=databases))[0]["told"]
        if not again or "id" not in again[0]:
            told.append(f"{step}: afterwards {again}")

    registry = sound.open(tmp_path / ".mintmark", **databases)
    assert told == []
    assert dead >= len(steps) - 1, "a step that no recording passes tests nothing"
    assert registry.catalog.generations() == 1 + len(steps)
    assert sound.faults(registry) == []
    registry.close()


def test_recordings_killed_at_any_moment_lose_nothing_that_was_acknowledged(sound, nursery, job, tmp_path):
    moments = random.Random(8)
    nursery(job("warm"))
    acknowledged, told = [], []
    for turn in range(25):
        answer = nursery(job(f"turn{turn}", count=400, kill_after=moments.uniform(0, 0.06)))[0]
        acknowledged += [said["id"] for said in answer["told"]]
        registry = sound.open(tmp_path / ".mintmark")
        told += sound.swept_clean(registry) if turn % 5 == 4 else sound.faults(registry)
        registry.close()

    registry = sound.open(tmp_path / ".mintmark")
    assert told == []
    assert len(acknowledged) >= 25
    assert registry.catalog.known(acknowledged) == set(acknowledged)
    registry.close()


INIT_STEPS = [
    "commit mintmark.db 1:before",
    "commit mintmark.db 1:after",
    "LocalAssets.prepare:before",
    "LocalAssets.prepare:after",
    "commit vault.db 1:before",
    "FileSigner.create:before",
    "FileSigner.create:after",
    "commit mintmark.db 2:before",
    "commit mintmark.db 2:after",
]


@pytest.mark.parametrize("step", INIT_STEPS)
def test_a_first_use_killed_at_a_step_is_completed_by_the_next(
    sound, nursery, job, tmp_path, monkeypatch, capsys, step
):
    assert nursery(job(work="open", step=step))[0]["status"] == -signal.SIGKILL
    monkeypatch.chdir(tmp_path)

    status = run(["search"])  # a reading command in between: no traceback, no false "nothing found"

    said = capsys.readouterr().err
    assert (status, "registry" in said) == (3, True) or (status == 1 and "nothing fits" in said)
    assert "internal error" not in said and "Traceback" not in said
    assert nursery(job("after"))[0]["told"][0]["new"]
    registry = sound.open(tmp_path / ".mintmark")
    assert sound.swept_clean(registry) == []
    assert registry.catalog.generations() == 1
    registry.close()


ERASE_STEPS = [
    "Catalog.add_intent:after",
    "commit mintmark.db 1:after",
    "Vault.erase:before",
    "Vault.erase:after",
    "LocalAssets.remove:after",
    "Registry.append:before",
    "commit mintmark.db 2:before",
    "commit mintmark.db 2:after",
    "Registry.append:after",
    "registry.erase.clear_residue:before",
    "registry.erase.clear_residue:after",
]


@pytest.mark.parametrize(("step", "command"), list(zip(ERASE_STEPS, ["tag", "finish"] * 6, strict=False)))
def test_an_erasure_killed_at_a_step_is_finished_once(
    sound, nursery, job, tmp_path, monkeypatch, capsys, step, command
):
    manifest = nursery(job("erased"))[0]["told"][0]["id"]
    other = nursery(job("kept"))[0]["told"][0]["id"]
    assert nursery(job(work="erase", manifest=manifest, step=step))[0]["status"] == -signal.SIGKILL
    monkeypatch.chdir(tmp_path)

    status = run(["erase", "--finish"] if command == "finish" else ["tag", other, "seen=yes"])

    assert status == 0, capsys.readouterr().err
    registry = sound.open(tmp_path / ".mintmark")
    promised = "add_intent" not in step
    assert len(registry.catalog.about(manifest, "erasure")) == int(promised)
    assert registry.catalog.intents() == []
    held = {found.pointer for found in registry.vault.get(manifest)}
    assert ("/prompt/submitted" in held) is not promised
    assert seals_in(registry.catalog.manifest(manifest).to_json())
    assert sound.swept_clean(registry) == [], "the reason of the erasure stays open, too"
    registry.close()
    if promised:
        for file in (tmp_path / ".mintmark").rglob("*"):
            assert not file.is_file() or b"secret prompt of erased" not in file.read_bytes(), file


def test_sixteen_writers_make_one_registry_and_lose_nothing(sound, nursery, job, tmp_path):
    answers = nursery(*(job(f"writer{n}", count=6) for n in range(16)))

    registry = sound.open(tmp_path / ".mintmark")
    said = [one for answer in answers for one in answer["told"]]
    assert [one for one in said if "error" in one] == []
    assert registry.catalog.generations() == len({one["id"] for one in said}) == 96
    assert sound.faults(registry) == []
    with registry.catalog.database.reading() as connection:
        kinds = [registry.log.entry(connection, index).kind for index in range(registry.log.size(connection))]
    assert kinds == ["key"] + ["generation"] * 96
    registry.close()


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql")])
def test_one_exchange_from_eight_processes_is_one_manifest(sound, request, nursery, job, tmp_path, backend):
    databases = {}
    if backend == "postgresql":
        databases = {"database": request.getfixturevalue("postgres_url"), "vault": request.getfixturevalue("vault_url")}
    nursery(job("warm", databases=databases))

    answers = nursery(*(job("same", exchange="exchange-1", databases=databases) for _ in range(8)))

    registry = sound.open(tmp_path / ".mintmark", **databases)
    said = [one for answer in answers for one in answer["told"]]
    assert [one for one in said if "error" in one] == []
    assert len({one["id"] for one in said}) == 1
    assert sum(one["new"] for one in said) == 1
    assert registry.catalog.generations() == 2
    assert sound.swept_clean(registry) == []
    registry.close()


def test_a_bundle_made_after_a_crash_verifies(sound, nursery, job, tmp_path):
    nursery(job("warm"))
    nursery(job("killed", step="commit mintmark.db 1:before"))
    registry = sound.open(tmp_path / ".mintmark")
    export_selection(registry, tmp_path / "b.zip", [], words="all", disclose=["all"], everything=True)

    trust = [VerifierKey.parse(line) for line in trust_lines(registry.snapshot)]
    assert verify(tmp_path / "b.zip", trust=trust).exit_code == 0
    registry.close()
