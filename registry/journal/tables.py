"""The journal's tables: ids, states and counts of work on its way; no prompt, no key, no media."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# Money is counted in billionths of its currency, rounded up: sums are exact on both databases.
budget = Table(
    "budget",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("currency", String(32), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("settled", BigInteger, nullable=False),
    Column("created_at", String(24), nullable=False),
)

# One row for each paid call, committed before it is sent; `key` is also the exchange id of what it made.
call = Table(
    "call",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("manifest", String(71)),
    Column("run", String(40)),
    Column("provider", String(64), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("model", String(256), nullable=False),
    Column("request_digest", String(71), nullable=False),
    Column("state", String(16), nullable=False),
    Column("budget", String(40)),
    Column("currency", String(32)),
    Column("reserved", BigInteger, nullable=False),
    Column("settled", BigInteger),
    Column("job", Text),
    Column("generation", String(71)),
    Column("owner", String(64), nullable=False),
    Column("intended_at", String(24), nullable=False),
    Column("updated_at", String(24), nullable=False),
    Column("note", Text),
)
Index("call_state", call.c.state, call.c.updated_at)
Index("call_manifest", call.c.manifest)
Index("call_job", call.c.provider, call.c.job)

run = Table(
    "run",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("suite", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("updated_at", String(24), nullable=False),
    Column("result", LargeBinary),
    Column("record", String(71)),
)
Index("run_time", run.c.created_at, run.c.id)

# The replays that a run wants, in the order that decides; what became of each.
run_replay = Table(
    "run_replay",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("manifest", String(71), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("generation", String(71)),
    Column("outcome", String(16)),
    Column("scores", LargeBinary),
    Column("why", Text),
    Column("updated_at", String(24), nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("lanes", String(64), nullable=False),
    Column("started_at", String(24), nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)

# What the limiter let through, one row each, until its window is over.
admission = Table(
    "admission",
    metadata,
    Column("serial", BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True),
    Column("bucket", String(128), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index("admission_bucket", admission.c.bucket, admission.c.at_ms)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("delivery", String(128), primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
)
