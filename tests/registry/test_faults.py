"""Kills, full disks, crowds and damaged files: nothing acknowledged is lost, nothing half-recorded stays."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from registry.audit import audit
from registry.canonical import parse
from registry.cli import run
from registry.home import create, create_at
from registry.manifest import Manifest
from registry.sealing import seals_in
from registry.settings import Settings
from registry.show import seal_states
from registry.sweep import sweep
from registry.verify.bundle import verify

# One process imports the program once and forks a child for each job: a kill then costs milliseconds, not a start.
NURSERY = r"""
import json, os, signal, sys, time
from pathlib import Path
from sqlalchemy import Engine, event
from drift.errors import MintmarkError
import drift.fingerprints.pdq, drift.media.content, registry.migrating
from registry.assets.local import LocalAssets
from registry.assets.store import AssetStore
from registry.catalog.store import Catalog
from registry.database import Database
from registry.drafting import Draft, Incoming
from registry.erase import erase, plan_erasure
from registry.home import Registry, create
from registry.keyfile import FileSigner
from registry.log.store import LogStore
from registry.manifest import Context, Model, Prompt, Provider
from registry.record import record
from registry.settings import Settings
from registry.vault.store import Vault
import registry.erase, registry.home

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def arm(step):
    # "Class.method:before", "Class.method:after" or "commit DATABASE N:before|after"
    name, when = step.split(":")
    if name.startswith("commit "):
        _, database, number = name.split()
        left = [int(number)]
        real = Database.writing
        def due(url):
            if url.database and url.database.endswith(database):
                left[0] -= 1
                return left[0] == 0
            return False
        if when == "before":
            event.listen(Engine, "commit", lambda c: due(c.engine.url) and die())
        else:
            from contextlib import contextmanager
            @contextmanager
            def writing(self, **how):
                with real(self, **how) as connection:
                    yield connection
                if due(self.url):
                    die()
            Database.writing = writing
        return
    owner, _, method = name.rpartition(".")
    holder = sys.modules[owner] if owner in sys.modules else globals()[owner]
    real = getattr(holder, method)
    def wrapped(*args, **how):
        if when == "before":
            die()
        answer = real(*args, **how)
        die()
        return answer
    setattr(holder, method, wrapped)

def registry_at(job):
    return create(Settings(home=Path(job["home"]), actor="tester", **job.get("databases", {})))[0]

def work_record(job):
    try:
        registry = registry_at(job)
    except MintmarkError as problem:
        print(json.dumps({"error": str(problem), "exit": problem.exit_code}), flush=True)
        return
    for n in range(job["first"], job["first"] + job["count"]):
        path = Path(job["folder"]) / f"{job['name']}-{n}.txt"
        path.write_text(f"words of {job['name']} number {n} " * 60)
        draft = Draft(
            provider=Provider(name="vendor"), model=Model(requested="m-1"),
            prompt=Prompt(submitted=f"secret prompt of {job['name']} {n}"), labels={"app": job["name"]},
            outputs=[Incoming(file=str(path))], exchange_id=job.get("exchange") or f"exchange-{job['name']}-{n}",
        )
        try:
            done = record(registry, draft, {str(path): path})
        except MintmarkError as problem:
            print(json.dumps({"error": str(problem), "exit": problem.exit_code}), flush=True)
            if not job.get("go_on"):
                return
        else:
            print(json.dumps({"id": done.id, "new": done.new}), flush=True)

def work_erase(job):
    registry = registry_at(job)
    plan = plan_erasure(registry, job["manifest"], fields=["prompt"], asset=job.get("asset", False),
                        reason="asked for by the person", authority="ticket 7")
    print(json.dumps({"id": erase(registry, plan)}), flush=True)

def work_open(job):
    registry_at(job).close()
    print(json.dumps({"open": True}), flush=True)

def child(job, out):
    os.dup2(out, 1)
    sys.stdout = open(1, "w", closefd=False)
    if job.get("limit"):
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
    if job.get("step"):
        arm(job["step"])
    globals()["work_" + job["work"]](job)
    sys.stdout.flush()

for line in sys.stdin:
    jobs = json.loads(line)
    running = []
    for job in jobs:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 3
            try:
                child(job, write)
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(write)
        running.append((job, pid, read))
    for job, pid, read in running:
        if "kill_after" in job:
            time.sleep(job["kill_after"])
            os.kill(pid, signal.SIGKILL)
    answers = []
    for job, pid, read in running:
        with open(read) as told:
            lines = told.read().splitlines()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answers.append({"status": status, "told": [json.loads(l) for l in lines if l.endswith("}")]})
    print(json.dumps(answers), flush=True)
"""


@pytest.fixture(scope="module")
def nursery():
    """Runs jobs in processes of their own, all of one call at once: ``nursery({...}, {...})``."""
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def start(*jobs):
        process.stdin.write(json.dumps(jobs) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield start
    process.stdin.close()
    process.wait(timeout=30)


@pytest.fixture
def job(tmp_path):
    """A job that records ``count`` transcripts in ``tmp_path/.mintmark``."""

    def make(name="a", count=1, first=0, **more):
        base = {"work": "record", "home": str(tmp_path / ".mintmark"), "folder": str(tmp_path)}
        return base | {"name": name, "count": count, "first": first, **more}

    return make


def opened(home, **databases):
    return create(Settings(home=home, actor="tester", **databases))[0]


def faults(registry):
    """Everything that must hold after any crash, as sentences; empty when all does."""
    registry.log.sequence()
    report = audit(registry, None)
    told = [str(fault) for fault in report.faults]
    with registry.catalog.database.reading() as connection:
        size = registry.log.size(connection)
        logged = [registry.log.entry(connection, index).id for index in range(size)]
        rows = connection.exec_driver_sql("SELECT id FROM record").scalars()
        stored = {row if isinstance(row, str) else row.decode() for row in rows}
        pending = registry.log.pending(connection)
    if len(set(logged)) != size or set(logged) != stored:
        told.append(f"{size} log entries, {len(stored)} records")
    if pending:
        told.append(f"{pending} records wait for ever")
    for found in registry.catalog.each(logged):
        value = parse(found.body)
        held = {disclosure.pointer for disclosure in registry.vault.get(found.id)}
        lost = [
            pointer for pointer, state in seal_states(registry, found.id, value, held).items() if state == "missing"
        ]
        told += [f"{found.kind} {found.id}: {pointer} can never be opened" for pointer in lost]
        if found.kind == "generation":
            told += assets_missing(registry, found.id, Manifest.trusted(found.body))
    return told


def assets_missing(registry, manifest_id, manifest):
    opens = {found.pointer: found.value for found in registry.vault.get(manifest_id)}
    for n, output in enumerate(manifest.outputs):
        value = output.digest if output.digests else opens.get(f"/outputs/{n}/digest")
        if value is not None and value["blake3"] not in registry.assets:
            yield f"{manifest_id}: output {n} has no bytes"


def named(registry):
    """What the sweep must keep: assets that records name, records with disclosures."""
    return registry.catalog.stored_assets() | registry.vault.sealed_blake3()


def swept_clean(registry):
    """Sweep with no grace; says what is left over or was taken too much."""
    before = faults(registry)
    sweep(registry, grace=-1)
    told = before + faults(registry)
    with registry.catalog.database.reading() as connection:
        known = set(connection.exec_driver_sql("SELECT id FROM record").scalars())
    if orphans := set(registry.vault.records(before="9999")) - known:
        told.append(f"disclosures without a record: {orphans}")
    if (stored := {name for name, _ in registry.assets.names()}) != named(registry):
        told.append(f"assets that nothing names: {stored - named(registry)}; missing: {named(registry) - stored}")
    if drafts := list((registry.home / "assets" / "staged").iterdir()):
        told.append(f"drafts: {drafts}")
    return told


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


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))])
def test_a_recording_killed_at_any_step_leaves_nothing_half_done(request, nursery, job, tmp_path, backend):
    databases, names = {}, {"vault": "vault.db", "catalog": "mintmark.db"}
    if backend == "postgresql":
        databases = {"database": request.getfixturevalue("postgres_url"), "vault": request.getfixturevalue("vault_url")}
        names = {"catalog": databases["database"].rsplit("/", 1)[1].split("?")[0],
                 "vault": databases["vault"].rsplit("/", 1)[1].split("?")[0]}  # fmt: skip
    nursery(job("warm", databases=databases))  # makes the registry and its secret: what follows is one recording
    told, dead = [], 0
    for n, step in enumerate(STEPS):
        name = f"step{n}"

        answer = nursery(job(name, step=step.format(**names), databases=databases))[0]

        dead += answer["status"] == -signal.SIGKILL
        registry = opened(tmp_path / ".mintmark", **databases)
        told += [f"{step}: {fault}" for fault in swept_clean(registry)]
        registry.close()
        again = nursery(job(name, databases=databases))[0]["told"]
        if not again or "id" not in again[0]:
            told.append(f"{step}: afterwards {again}")

    registry = opened(tmp_path / ".mintmark", **databases)
    assert told == []
    assert dead >= len(STEPS) - 1, "a step that no recording passes tests nothing"
    assert registry.catalog.generations() == 1 + len(STEPS)
    assert faults(registry) == []
    registry.close()


def test_recordings_killed_at_any_moment_lose_nothing_that_was_acknowledged(nursery, job, tmp_path):
    moments = random.Random(8)
    nursery(job("warm"))
    acknowledged, told = [], []
    for turn in range(25):
        answer = nursery(job(f"turn{turn}", count=400, kill_after=moments.uniform(0.02, 0.2)))[0]
        acknowledged += [said["id"] for said in answer["told"]]
        registry = opened(tmp_path / ".mintmark")
        told += swept_clean(registry) if turn % 5 == 4 else faults(registry)
        registry.close()

    registry = opened(tmp_path / ".mintmark")
    assert told == []
    assert len(acknowledged) > 30
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
def test_a_first_use_killed_at_any_step_is_completed_by_the_next(nursery, job, tmp_path, monkeypatch, capsys, step):
    assert nursery(job(work="open", step=step))[0]["status"] == -signal.SIGKILL
    monkeypatch.chdir(tmp_path)

    status = run(["search"])  # a reading command in between: no traceback, no false "nothing found"

    said = capsys.readouterr().err
    assert (status, "registry" in said) == (3, True) or status == 1 and "nothing fits" in said
    assert "internal error" not in said and "Traceback" not in said
    assert nursery(job("after"))[0]["told"][0]["new"]
    registry = opened(tmp_path / ".mintmark")
    assert swept_clean(registry) == []
    assert registry.log.entry is not None and registry.catalog.generations() == 1
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


@pytest.mark.parametrize("step", ERASE_STEPS)
@pytest.mark.parametrize("command", ["tag", "finish"])
def test_an_erasure_killed_at_any_step_is_finished_once(nursery, job, tmp_path, monkeypatch, capsys, step, command):
    manifest = nursery(job("erased"))[0]["told"][0]["id"]
    other = nursery(job("kept"))[0]["told"][0]["id"]
    assert nursery(job(work="erase", manifest=manifest, asset=True, step=step))[0]["status"] == -signal.SIGKILL
    monkeypatch.chdir(tmp_path)

    status = run(["erase", "--finish"] if command == "finish" else ["tag", other, "seen=yes"])

    assert status == 0, capsys.readouterr().err
    registry = opened(tmp_path / ".mintmark")
    promised = "add_intent" not in step
    assert len(registry.catalog.about(manifest, "erasure")) == int(promised)
    assert registry.catalog.intents() == []
    held = {found.pointer for found in registry.vault.get(manifest)}
    assert ("/prompt/submitted" in held) is not promised
    assert seals_in(registry.catalog.manifest(manifest).to_json())
    assert swept_clean(registry) == [], "the reason of the erasure stays open, too"
    registry.close()
    if promised:
        for file in (tmp_path / ".mintmark").rglob("*"):
            assert not file.is_file() or b"secret prompt of erased" not in file.read_bytes(), file


def test_sixteen_writers_make_one_registry_and_lose_nothing(nursery, job, tmp_path):
    answers = nursery(*(job(f"writer{n}", count=6) for n in range(16)))

    registry = opened(tmp_path / ".mintmark")
    said = [one for answer in answers for one in answer["told"]]
    assert [one for one in said if "error" in one] == []
    assert registry.catalog.generations() == len({one["id"] for one in said}) == 96
    assert faults(registry) == []
    with registry.catalog.database.reading() as connection:
        kinds = [registry.log.entry(connection, index).kind for index in range(registry.log.size(connection))]
    assert kinds == ["key"] + ["generation"] * 96
    registry.close()


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))])
def test_one_exchange_from_eight_processes_is_one_manifest(request, nursery, job, tmp_path, backend):
    databases = {}
    if backend == "postgresql":
        databases = {"database": request.getfixturevalue("postgres_url"), "vault": request.getfixturevalue("vault_url")}
    nursery(job("warm", databases=databases))
    shared = tmp_path / "shared"
    shared.mkdir()

    answers = nursery(*(job("same", exchange="exchange-1", databases=databases) for _ in range(8)))

    registry = opened(tmp_path / ".mintmark", **databases)
    said = [one for answer in answers for one in answer["told"]]
    assert [one for one in said if "error" in one] == []
    assert len({one["id"] for one in said}) == 1
    assert sum(one["new"] for one in said) == 1
    assert registry.catalog.generations() == 2
    assert swept_clean(registry) == []
    registry.close()


# --- disk full, read-only


def test_a_file_limit_reached_while_recording_is_told_and_leaves_nothing(nursery, job, tmp_path):
    nursery(job("warm"))
    size = (tmp_path / ".mintmark" / "mintmark.db-wal").stat().st_size if (
        tmp_path / ".mintmark" / "mintmark.db-wal").exists() else 0  # fmt: skip
    seen = set()
    for limit in (512, 1024, 4096, 8192, size + 8192, size + 16384):
        answer = nursery(job(f"limit{limit}", count=4, limit=limit, go_on=True))[0]
        errors = [said for said in answer["told"] if "error" in said]
        seen |= {said["exit"] for said in errors}
        assert answer["status"] == 0
        registry = opened(tmp_path / ".mintmark")
        assert swept_clean(registry) == [], limit
        done = [said["id"] for said in answer["told"] if "id" in said]
        assert registry.catalog.known(done) == set(done)
        registry.close()

    assert seen == {3}
    assert nursery(job("after"))[0]["told"][0]["new"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a small file system needs root; the file limit above runs everywhere")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=8192", "tmpfs", str(folder)], capture_output=True
    ).returncode:
        pytest.skip("this machine does not let root mount a tmpfs; the file limit above runs everywhere")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_recording_goes_on_when_there_is_room(
    small_disk, tmp_path, monkeypatch, capsys, picture
):
    monkeypatch.chdir(small_disk)
    path = picture("a.png", size=(128, 128))
    said = ["record", str(path), "--provider", "p", "--model", "m"]
    assert run(said) == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(bytes(4096))
    capsys.readouterr()

    status = run(["record", str(picture("b.png", seed=2, size=(400, 400))), "--provider", "p", "--model", "m"])

    told = capsys.readouterr().err
    assert status == 3
    assert "o space left" in told or "full" in told
    assert "internal error" not in told
    ballast.unlink()
    assert run([*said[:1], str(picture("c.png", seed=3, size=(96, 96))), *said[2:]]) == 0
    registry = create_at(small_disk / ".mintmark")[0]
    assert swept_clean(registry) == []
    assert registry.catalog.generations() == 2
    registry.close()


def as_nobody(arguments, cwd):
    """A command of ours as a user without rights to the home."""
    code = "import sys; from registry.cli import run; sys.exit(run(sys.argv[1:]))"
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*who, sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, env=os.environ
        | {"HOME": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.fixture
def read_only(tmp_path, picture):
    """A folder with a registry of one generation that nobody may write."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("setpriv (util-linux) is needed to give root's rights away")
    folder = Path(tmp_path / "shown")
    folder.mkdir()
    registry = create_at(folder / ".mintmark")[0]
    path = picture("a.png")
    os.chmod(path, 0o644)
    run_in(folder, ["record", str(path), "--provider", "p", "--model", "m", "--prompt", "a stone bridge", "--wait"])
    registry.close()
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(parent, 0o755)
    for entry in [folder, *folder.rglob("*")]:
        os.chmod(entry, 0o555 if entry.is_dir() else 0o444)
    if as_nobody(["--version"], tmp_path).returncode:
        pytest.skip("another user cannot run this checkout's Python")
    yield folder, path
    for entry in [folder, *folder.rglob("*")]:
        os.chmod(entry, 0o755 if entry.is_dir() else 0o644)


def run_in(folder, arguments):
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert run(arguments) == 0
    finally:
        os.chdir(here)


@pytest.mark.parametrize("arguments", [["show", "@last"], ["search"], ["lookup", "FILE"], ["get", "@last", "--to", "-"],
                                       ["log", "audit"], ["key", "export"], ["index", "status"]])  # fmt: skip
def test_a_registry_that_may_only_be_read_answers_or_says_why(read_only, arguments):
    folder, path = read_only

    done = as_nobody([str(path) if word == "FILE" else word for word in arguments], folder)

    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    if done.returncode == 3:
        assert "read" in done.stderr or "denied" in done.stderr, done.stderr


@pytest.mark.parametrize("arguments", [["record", "FILE", "--provider", "p", "--model", "m"], ["tag", "@last", "a=b"]])
def test_writing_where_nothing_may_be_written_is_refused_clearly(read_only, arguments):
    folder, path = read_only

    done = as_nobody([str(path) if word == "FILE" else word for word in arguments], folder)

    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr
    assert "read" in done.stderr.lower() or "denied" in done.stderr.lower()


# --- damaged files


def garbage(path):
    path.write_bytes(b"this is no database " * 400)


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def emptied(path):
    path.write_bytes(b"")


def scribbled(path):
    """Every page but the first overwritten: the header still says that it is a database."""
    data = bytearray(path.read_bytes())
    data[4096:] = random.Random(1).randbytes(len(data) - 4096)
    path.write_bytes(data)


DAMAGES = [garbage, truncated, emptied, scribbled]


@pytest.fixture
def recorded(tmp_path, monkeypatch, picture, capsys):
    """A registry with one indexed picture, all databases closed and without write-ahead files."""
    monkeypatch.chdir(tmp_path)
    path = picture("a.png", size=(300, 200))
    assert run(["record", str(path), "--provider", "p", "--model", "m", "--prompt", "a stone bridge", "--wait"]) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_again(recorded, tmp_path, capsys, damage):
    home = tmp_path / ".mintmark"
    commands = (["lookup", "stone bridge"], ["search", "--prompt", "stone"], ["index", "rebuild"], ["index", "status"])
    for command in commands:
        damage(home / "index.db")
        for name in ("index.db-wal", "index.db-shm"):
            (home / name).unlink(missing_ok=True)
        first = run(command)
        said = capsys.readouterr()
        assert "internal error" not in said.err and "Traceback" not in said.err, command
        assert first in (0, 3, 4), (command, first, said)
        if first == 3:
            assert "run the command again" in said.err, command

        assert run(command) in (0, 4), command
        assert run(["search", "--prompt", "stone"]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("name", ["mintmark.db", "vault.db"])
@pytest.mark.parametrize("damage", [garbage, truncated, scribbled])
def test_a_damaged_database_is_named_and_never_replaced(recorded, tmp_path, capsys, name, damage):
    home = tmp_path / ".mintmark"
    for side in ("-wal", "-shm"):
        (home / f"{name}{side}").unlink(missing_ok=True)
    damage(home / name)
    before = (home / name).read_bytes()
    for command in (["show", "@last"], ["record", str(recorded), "--provider", "p", "--model", "m"], ["log", "audit"],
                    ["lookup", "stone bridge"], ["search"], ["doctor"]):  # fmt: skip
        status = run(command)

        said = capsys.readouterr()
        assert "internal error" not in said.err and "Traceback" not in said.err, (command, said.err)
        if status == 3:
            assert name in said.err and "restore" in said.err, (command, said.err)
        elif name == "mintmark.db" and command[0] not in ("doctor", "log"):
            pytest.fail(f"{command} answered {status} from a damaged database")
    assert (home / name).read_bytes()[:100] == before[:100]


def test_a_missing_vault_is_not_made_anew_in_silence(recorded, tmp_path, capsys):
    (tmp_path / ".mintmark" / "vault.db").unlink()

    status = run(["show", "@last"])

    said = capsys.readouterr()
    assert "stone bridge" not in said.out
    assert status == 3 or "[missing]" in said.out


def test_a_missing_signing_key_is_named(recorded, tmp_path, capsys):
    (tmp_path / ".mintmark" / "keys" / "recorder.pem").rename(tmp_path / "elsewhere") if (
        tmp_path / ".mintmark" / "keys" / "recorder.pem").exists() else pytest.skip("keys are named otherwise")  # fmt: skip

    assert run(["tag", "@last", "a=b"]) == 3
    assert "signing key is missing" in capsys.readouterr().err


def test_a_bundle_made_after_a_crash_verifies(nursery, job, tmp_path):
    nursery(job("warm"))
    nursery(job("killed", step="commit mintmark.db 1:before"))
    registry = opened(tmp_path / ".mintmark")
    from registry.export.selecting import export_selection
    from registry.keys import trust_lines
    from registry.log.checkpoint import VerifierKey

    export_selection(registry, tmp_path / "b.zip", [], words="all", disclose=["all"], everything=True)

    trust = [VerifierKey.parse(line) for line in trust_lines(registry.snapshot)]
    assert verify(tmp_path / "b.zip", trust=trust).exit_code == 0
    registry.close()
