"""Webhook deliveries that came in: each is acted on once, however often the vendor sends it."""

import hashlib
import time
from typing import Final

from sqlalchemy import delete, insert

from registry.database import AlreadyThere, Database
from registry.journal.tables import webhook_delivery

KEPT_MS: Final = 7 * 24 * 3600 * 1000
"""How long a delivery is remembered: vendors stop sending one again after three days at most."""
_LONGEST: Final = 128


class Deliveries:
    """The deliveries of one registry. tests/registry/journal/test_deliveries.py runs it on every database."""

    def __init__(self, database: Database) -> None:
        """Use an open, migrated database."""
        self._database = database

    def first(self, provider: str, delivery: str) -> bool:
        """Remember a delivery; False where it came before."""
        clock = time.time_ns() // 1_000_000
        if len(delivery) > _LONGEST:
            delivery = hashlib.sha256(delivery.encode()).hexdigest()
        row = {"provider": provider, "delivery": delivery, "received_ms": clock}
        try:
            with self._database.writing() as connection:
                old = webhook_delivery.c.received_ms < clock - KEPT_MS
                connection.execute(delete(webhook_delivery).where(webhook_delivery.c.provider == provider, old))
                connection.execute(insert(webhook_delivery), row)
        except AlreadyThere:
            return False
        return True
