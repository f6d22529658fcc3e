"""How far transactions see each other, whatever the server was told."""

from sqlalchemy import text

from registry.database import Database


def test_a_server_with_another_default_is_told(postgres_url):
    first = Database(postgres_url)
    with first.writing() as connection:
        name = first.url.database
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'"))
    first.dispose()

    database = Database(postgres_url)
    with database.writing() as connection:
        found = connection.execute(text("SHOW transaction_isolation")).scalar()
    with database.reading() as connection:
        assert (found, connection.execute(text("SHOW default_transaction_isolation")).scalar()) == (
            "read committed",
            "repeatable read",
        )
    database.dispose()
