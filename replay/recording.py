"""Signs and logs what was measured of one replayed output: scores and verdict, no pixels and no words."""

from sqlalchemy import Connection, select

from registry.canonical import JSON, canonical
from registry.catalog.tables import record
from registry.home import Registry
from registry.manifest import id_of
from registry.schema import validate
from registry.times import now
from replay.calibrating import plain_scores
from replay.judging import Judgement


def record_drift(
    registry: Registry,
    baseline: str,
    made: str,
    output: int,
    found: Judgement,
    *,
    at: str | None = None,
    actor: str | None = None,
) -> str:
    """Add the drift record of one output; its id.

    With ``at`` and ``actor`` given, the same judgement makes the same record, and a second call adds nothing.
    """
    recorded_at = at or now()
    value: dict[str, JSON] = {
        "format": "mintmark/drift/v1",
        "recorded_at": recorded_at,
        "baseline": baseline,
        "replay": made,
        "output": output,
        "level": found.level,
        "regime": found.regime.value,
        "scores": plain_scores(found.scores),
        "verdict": found.verdict.to_json(),
        "calibration": found.calibration,
        "test": found.test,
        "actor": actor or registry.settings.actor,
    }
    validate("record/v1", value)
    body = canonical(value)

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "drift", recorded_at, [baseline, made])

    def check(connection: Connection) -> str | None:
        return connection.execute(select(record.c.id).where(record.c.id == id_of(body))).scalar()

    return registry.append("drift", body, derive=derive, check=check if at else None)
