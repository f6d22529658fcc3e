"""An open registry: its stores together, in the home they lie in."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from sqlalchemy import URL, Connection

from registry.assets.local import LocalAssets, StorageFailed
from registry.canonical import canonical, parse
from registry.catalog.store import Catalog, StoredRecord
from registry.database import AlreadyThere, file_url
from registry.errors import CouldNotRun, NoRegistry
from registry.index.store import Index
from registry.journal.admissions import Admissions
from registry.journal.answers import Answers
from registry.journal.budgets import Budgets
from registry.journal.calls import Calls
from registry.keyfile import FileSigner
from registry.keys import LOG, LOG_KEY, RECORDER, RECORDER_KEY, Snapshot, first_snapshot
from registry.locking import exclusive
from registry.log.guards import protect
from registry.log.store import LogStore
from registry.manifest import id_of
from registry.sealing import Disclosure
from registry.settings import HOME, Settings, find_home, load_settings, require_home
from registry.signing import PAYLOAD_TYPE, Signer, output_subjects, pae, pae_digest, payload
from registry.times import now
from registry.vault.store import Vault


class CatalogLost(CouldNotRun):
    """An empty catalog beside a vault or assets that are not."""

    def __init__(self, home: Path) -> None:
        """Name the home."""
        super().__init__(
            f"{home}: the catalog is missing or empty, yet vault or assets are not; restore mintmark.db from its "
            "backup (a new log under the same key would be a second history)"
        )


class KeysMissing(CouldNotRun):
    """A registry without the key that signs for it."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(
            f"{path}: the signing key is missing; restore it from its backup, records need it "
            "(where several homes share one database, copy keys/ from the home that made the registry)"
        )


class OtherKeys(CouldNotRun):
    """A home whose key this registry's log does not name."""

    def __init__(self, path: Path, origin: str) -> None:
        """Name the file and the log."""
        super().__init__(
            f"{path}: the registry {origin} is signed by other keys, nothing was recorded; "
            "copy keys/ from the home that made it, or name another database"
        )


class Registry:
    """Catalog, log, vault, assets, index and keys of one home.

    Each store opens when it is first used: a look-up by digest pays for none
    of the others.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home
        database = _url(settings.database, self.home / "mintmark.db")
        self.catalog = Catalog(database, lock=self.home / "writer.lock", protect=protect)
        self.log = LogStore(self.catalog.database)

    @cached_property
    def vault(self) -> Vault:
        """Where disclosures lie."""
        return Vault(_url(self.settings.vault, self.home / "vault.db"), lock=self.home / "vault.lock")

    @cached_property
    def assets(self) -> LocalAssets:
        """Where the bytes lie."""
        return LocalAssets(self.home / "assets")

    @cached_property
    def index(self) -> Index:
        """Fingerprints, words and sealed digests, derived from the rest."""
        return Index(self.home / "index.db")

    @cached_property
    def calls(self) -> Calls:
        """The journal of paid calls."""
        return Calls(self.catalog.database)

    @cached_property
    def budgets(self) -> Budgets:
        """What may be spent on them."""
        return Budgets(self.catalog.database)

    @cached_property
    def admissions(self) -> Admissions:
        """What was let through to providers lately."""
        return Admissions(self.catalog.database)

    @cached_property
    def answers(self) -> Answers:
        """What providers answered to calls that are not recorded yet."""
        return Answers(self.home / "calls", self.vault.secret("calls"))

    @cached_property
    def recorder(self) -> FileSigner:
        """Signs records."""
        return self._signer(RECORDER_KEY, RECORDER)

    @cached_property
    def log_signer(self) -> FileSigner:
        """Signs checkpoints and key records."""
        return self._signer(LOG_KEY, LOG)

    @cached_property
    def draft_secret(self) -> bytes:
        """Keys the MACs that tell one draft from another without storing it."""
        return self.vault.secret("draft")

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(thread_name_prefix="mintmark-beside")

    @property
    def snapshot(self) -> Snapshot:
        """The key snapshot in force."""
        with self.catalog.database.reading() as connection:
            last = self.log.size(connection) - 1
            # A key record's own entry names the snapshot before it; what follows is signed under itself.
            in_force = self.log.entry(connection, last).next_keys(last)
            key_record = self.log.entry(connection, in_force).id
        return Snapshot.from_json(parse(self.catalog.get(key_record).body))

    def beside(self, work: Callable[[], None]) -> Future[None]:
        """Let a durable step go on beside the caller's work: disks sync two files in the time of one.

        Steps begin in the order they were handed in, so that a step may wait for an earlier one.
        """
        return self._pool.submit(work)

    def append(
        self,
        kind: str,
        body: bytes,
        *,
        disclosures: Sequence[Disclosure] = (),
        beside: Callable[[], None] | None = None,
        derive: Callable[[Connection, str], None] | None = None,
        check: Callable[[Connection], str | None] | None = None,
        signer: Signer | None = None,
    ) -> str:
        """Sign a record and add it to vault, catalog and log; durable when this returns.

        Args:
            kind: the record's kind.
            body: its canonical bytes.
            disclosures: what opens its seals; committed to the vault first, so that a
                crash leaves an orphan there and never a seal that nobody can open.
            beside: another durable step that must be done before the record is; it runs
                while the vault commits.
            derive: adds rows for the record inside the same transaction.
            check: looks, under the lock, whether the record is needed at all; the
                id it returns is the answer instead.
            signer: the recorder's key unless given.

        Returns:
            The record's id.
        """
        signer = signer or self.recorder
        record_id = id_of(body)
        outputs = output_subjects(json.loads(body)) if kind == "generation" else []
        statement = payload(kind, body, outputs)
        signed = StoredRecord(record_id, kind, body, signer.keyid, signer.sign(pae(PAYLOAD_TYPE, statement)))
        kept = self.beside(beside) if beside is not None else None
        try:
            self.vault.put(record_id, disclosures)
        finally:
            if kept is not None:
                kept.result()
        answer = self._insert(signed, pae_digest(statement), derive, check)
        if answer is not None:
            if answer != record_id:
                self.vault.forget([record_id])
            return answer
        if not self.catalog.database.is_sqlite:
            self.log.settle(record_id)
        return record_id

    def _insert(
        self,
        signed: StoredRecord,
        pae: str,
        derive: Callable[[Connection, str], None] | None,
        check: Callable[[Connection], str | None] | None,
    ) -> str | None:
        """Add a signed record to catalog and log in one transaction; else the id that ``check`` answers with."""
        database = self.catalog.database
        try:
            with database.alone(), database.writing(locked=True) as connection:
                answer = check(connection) if check is not None else None
                if answer is None:
                    self.catalog.insert(connection, signed)
                    self.log.append(connection, kind=signed.kind, id=signed.id, pae=pae, now=now())
                    if derive is not None:
                        derive(connection, signed.id)
        except AlreadyThere:
            # PostgreSQL has no writers' lock: whoever commits second learns of the first from the unique key.
            if check is None:
                raise
            with database.reading() as connection:
                if (answer := check(connection)) is None:
                    raise
        return answer

    def sign_checkpoint(self) -> None:
        """Sign the log's head if records came in since the last checkpoint."""
        with self.catalog.database.reading() as connection:
            if not self.log.unsigned_tail(connection):
                return
        self.log.checkpoint(self.log_signer, self.snapshot.origin)

    def close(self) -> None:
        """Close every store that was opened."""
        if "_pool" in self.__dict__:
            self._pool.shutdown()
        for name in ("vault", "index"):
            if name in self.__dict__:
                getattr(self, name).close()
        self.catalog.close()

    def _signer(self, name: str, role: str) -> FileSigner:
        path = self.home / "keys" / name
        if not path.exists():
            raise KeysMissing(path)
        signer = FileSigner.load(path, self.settings.passphrase)
        with self.catalog.database.reading() as connection:
            size = self.log.size(connection)
        if size and (snapshot := self.snapshot).valid(signer.keyid, role, size) is None:
            raise OtherKeys(path, snapshot.origin)
        return signer


def open_registry(start: Path) -> Registry:
    """The registry that is found from a folder upward.

    Raises:
        NoRegistry: there is none.
    """
    home = require_home(start)
    settings = load_settings(home)
    if settings.database is None and not (home / "mintmark.db").exists():
        raise NoRegistry(home)
    registry = Registry(settings)
    registry.catalog.migrate()
    return registry


def open_or_create(start: Path) -> tuple[Registry, bool]:
    """The registry found from a folder upward, or a new one in that folder; says whether it is new."""
    return create_at(find_home(start) or start.absolute() / HOME)


def create_at(home: Path) -> tuple[Registry, bool]:
    """The registry in ``home``, made where there is none; says whether it is new."""
    return create(load_settings(home))


def create(settings: Settings) -> tuple[Registry, bool]:
    """The registry that settings describe, made where there is none; says whether it is new."""
    registry = Registry(settings)
    return registry, _prepare(registry)


def _prepare(registry: Registry) -> bool:
    """Make what is missing, whatever step an earlier attempt stopped at; True if the log was begun here."""
    try:
        registry.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageFailed(registry.home, problem) from problem
    with exclusive(registry.home / "init.lock"):
        registry.catalog.migrate()
        if _begun(registry):
            return False
        with registry.catalog.database.alone_everywhere():
            registry.log.sequence()  # whoever began it may have ended before its key record had its place
            if _begun(registry):
                return False
            if os.name == "posix":
                with suppress(PermissionError):  # somebody else's folder; the files in it are private all the same
                    registry.home.chmod(0o700)
            registry.assets.prepare()
            if next(registry.assets.names(), None) or registry.vault.records(before="9999"):
                raise CatalogLost(registry.home)
            _begin_log(registry)
    return True


def _begun(registry: Registry) -> bool:
    with registry.catalog.database.reading() as connection:
        return registry.log.size(connection) > 0


def _begin_log(registry: Registry) -> None:
    """Mint the keys and record them as entry 0."""
    log = _key(registry, LOG_KEY)
    recorder = _key(registry, RECORDER_KEY)
    snapshot = first_snapshot(log, recorder, now(), registry.settings.host)
    body = canonical(snapshot.to_json())
    registry.append("key", body, signer=log)


def _key(registry: Registry, name: str) -> FileSigner:
    path = registry.home / "keys" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists():
        return FileSigner.load(path, registry.settings.passphrase)
    return FileSigner.create(path, registry.settings.passphrase)


def _url(url: str | None, path: Path) -> str | URL:
    return url or file_url(path)
