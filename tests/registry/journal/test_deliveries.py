"""A webhook that comes twice is one webhook."""

from sqlalchemy import select, update

from registry.journal.deliveries import KEPT_MS, Deliveries
from registry.journal.tables import webhook_delivery


def test_each_delivery_is_first_once_for_each_provider(database):
    deliveries = Deliveries(database)

    assert deliveries.first("fal", "d-1")
    assert not deliveries.first("fal", "d-1")
    assert deliveries.first("fal", "d-2")
    assert deliveries.first("replicate", "d-1")


def test_an_id_of_any_length_is_remembered(database):
    deliveries = Deliveries(database)

    assert deliveries.first("fal", "x" * 5000)
    assert not deliveries.first("fal", "x" * 5000)
    assert deliveries.first("fal", "x" * 4999)


def test_what_nobody_sends_again_is_forgotten(database):
    deliveries = Deliveries(database)
    deliveries.first("fal", "old")
    with database.writing() as connection:
        connection.execute(update(webhook_delivery).values(received_ms=webhook_delivery.c.received_ms - KEPT_MS - 1000))

    deliveries.first("fal", "new")

    with database.reading() as connection:
        assert list(connection.execute(select(webhook_delivery.c.delivery)).scalars()) == ["new"]
