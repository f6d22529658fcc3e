"""Hashes the whole log again and holds every tile and checkpoint against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from registry.database import raw
from registry.encoding import encode64
from registry.log import reading
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.errors import LogError, UnknownSigner
from registry.log.leaf import Leaf
from registry.log.merkle import fold, leaf_hash, root
from registry.log.tables import log_checkpoint, log_tile
from registry.log.tiles import FULL, HEIGHT, hash_reader

MOST_FINDINGS = 100  # a rewritten log has one per entry; the first hundred tell the story


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found."""

    size: int
    root: bytes  # over all entries, recomputed
    checkpoints: int  # stored ones that were compared with the recomputed root
    unknown_signers: int  # of these, how many no trusted key signed; all of them when nobody is trusted
    unsigned_tail: int  # entries after the newest checkpoint
    findings: tuple[str, ...]  # one sentence each; empty when everything holds

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit(connection: Connection, trust: Sequence[VerifierKey] = ()) -> AuditReport:
    """Check every row of the log; memory stays constant.

    Args:
        connection: in one read transaction.
        trust: keys that may sign checkpoints; without any, no signature is checked.
    """
    run = _Run(connection, trust)
    for page in reading.bodies(connection, 0, 1 << 62):
        run.take(page)
    run.finish()
    return AuditReport(
        run.size, run.root(), run.checkpoints, run.unknown, run.size - run.signed, tuple(run.findings[:MOST_FINDINGS])
    )


class _Run:
    """One pass over the log. Of the tree it keeps the tiles that are filling, one per level."""

    def __init__(self, connection: Connection, trust: Sequence[VerifierKey]) -> None:
        self._connection, self._trust = connection, trust
        self.size = self.checkpoints = self.signed = self.unknown = 0
        self.findings: list[str] = []
        self._filling: list[list[bytes]] = [[]]
        self._stored = _checkpoints(connection)
        self._next = next(self._stored, None)
        self._time, self._keys = b"", 0

    def take(self, page: Sequence[tuple[int, bytes, bytes]]) -> None:
        """The next entries: index, stored hash and body of each."""
        leaves, chained = self._filling[0], Leaf.chained
        for index, stored, body in page:
            if index != self.size:
                self._find(f"entry {index} stands where entry {self.size} belongs: there is a gap")
            computed = leaf_hash(body)
            if computed != stored:
                self._find(f"entry {index}: its body does not give its stored hash")
            try:
                kind, keys, time = chained(body)
            except LogError as problem:
                self._find(f"entry {index}: {problem}")
            else:
                if keys != self._keys or time < self._time or index == 0:
                    self._compare_neighbours(index, kind, keys, time)
                self._time, self._keys = time, index if kind == b"key" else keys
            self.size += 1
            leaves.append(computed)
            if len(leaves) == FULL:
                self._complete(0)
            if self._next is not None and self._next[0] == self.size:
                self._compare_checkpoint(*self._next)
                self._next = next(self._stored, None)

    def finish(self) -> None:
        """What only shows at the end."""
        while self._next is not None:
            self._find(f"checkpoint {self._next[0]} covers more than the log's {self.size} entries: the end is missing")
            self._next = next(self._stored, None)
        expected = sum(self.size >> shift for shift in range(HEIGHT, 64, HEIGHT))
        found = self._connection.execute(select(func.count()).select_from(log_tile)).scalar_one()
        if found > expected:
            self._find(f"there are {found} full tiles where {self.size} entries make {expected}")

    def root(self) -> bytes:
        """The root over every entry so far; the perfect subtrees it needs all lie in the filling tiles."""
        return root(self.size, hash_reader(self.size, lambda level, _number, _width: b"".join(self._filling[level])))

    def _find(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)

    def _complete(self, level: int) -> None:
        """A tile is full: compare it, and hand its root to the level above."""
        hashes = b"".join(self._filling[level])
        top = fold(hashes)
        self._compare_tile(level, (self.size >> HEIGHT * (level + 1)) - 1, hashes, top)
        self._filling[level].clear()
        if level + 1 == len(self._filling):
            self._filling.append([])
        above = self._filling[level + 1]
        above.append(top)
        if len(above) == FULL:
            self._complete(level + 1)

    def _compare_neighbours(self, index: int, kind: bytes, keys: int, time: bytes) -> None:
        if time < self._time:
            self._find(f"entry {index}: its time {time.decode()} is before the previous entry's {self._time.decode()}")
        if keys != self._keys:
            self._find(f"entry {index}: it names key record {keys} where {self._keys} was in force")
        if index == 0 and kind != b"key":
            self._find("entry 0: a log begins with a key record")

    def _compare_tile(self, level: int, number: int, hashes: bytes, top: bytes) -> None:
        row = self._connection.execute(
            select(log_tile.c.root, log_tile.c.hashes).where(log_tile.c.level == level, log_tile.c.idx == number)
        ).first()
        if row is None:
            self._find(f"tile {level}/{number} is missing")
        elif row.hashes != hashes or row.root != top:
            self._find(f"tile {level}/{number} does not hold the hashes of its entries")

    def _compare_checkpoint(self, size: int, signed: bytes, note: bytes) -> None:
        self.checkpoints, self.signed = self.checkpoints + 1, size
        found = self.root()
        if found != signed:
            self._find(f"checkpoint {size}: signed root {encode64(signed)}, entries give {encode64(found)}")
        try:
            read = Checkpoint.parse(note)
            if (read.size, read.root) != (size, signed):
                self._find(f"checkpoint {size}: its note speaks of another size or root")
            if self._trust:
                read.verify(self._trust)
            else:
                self.unknown += 1
        except UnknownSigner:
            self.unknown += 1
        except LogError as problem:
            self._find(f"checkpoint {size}: {problem}")


def _checkpoints(connection: Connection) -> Iterator[tuple[int, bytes, bytes]]:
    """Size, root and note of the stored checkpoints, smallest first, a page at a time."""
    columns = select(log_checkpoint.c.size, log_checkpoint.c.root, log_checkpoint.c.note)
    after = -1
    page = columns.order_by(log_checkpoint.c.size).limit(reading.PAGE)
    while rows := connection.execute(page.where(log_checkpoint.c.size > after)).all():
        yield from ((row.size, raw(row.root), raw(row.note)) for row in rows)
        after = rows[-1].size
