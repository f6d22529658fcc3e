"""What the catalog owes on every database: find again, guard records, move forward only."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.catalog.store import HEAD, Catalog
from registry.database import DatabaseFailed
from registry.digest import Digest
from registry.errors import AmbiguousPrefix, InvalidValue, NewerDatabase, NotFound
from registry.manifest import Context, Outcome, Parent
from registry.record import record
from registry.vault.store import HEAD as VAULT_HEAD


@pytest.fixture
def recorded(registry, picture, made):
    def go(name="a.png", seed=1, **more):
        path = picture(name, seed=seed, size=(120, 90))
        return record(registry, made(path, **more), {str(path): path})

    return go


def test_a_record_is_found_by_id_prefix_and_last(registry, recorded):
    first = recorded()
    second = recorded(prompt="another one")

    assert registry.catalog.resolve(first.id) == first.id
    assert registry.catalog.resolve(first.id[7:17]) == first.id
    assert registry.catalog.resolve(second.id[:20]) == second.id
    assert registry.catalog.resolve("@last") == second.id


@pytest.mark.parametrize(("name", "error"), [("0" * 8, NotFound), ("zzzzzzzz", InvalidValue), ("abc", InvalidValue)])
def test_names_that_lead_nowhere(registry, name, error):
    with pytest.raises(error):
        registry.catalog.resolve(name)


def test_a_prefix_that_two_records_share_is_ambiguous(registry, recorded, monkeypatch):
    monkeypatch.setattr("registry.catalog.store.SHORTEST_PREFIX", 1)
    firsts = [recorded(prompt=f"number {n}").id[7] for n in range(17)]  # 17 ids, 16 first digits
    shared = max(firsts, key=firsts.count)

    with pytest.raises(AmbiguousPrefix):
        registry.catalog.resolve(shared)


def test_an_asset_is_found_by_both_digests(registry, recorded):
    one = recorded()
    digest = one.manifest.outputs[0].digest

    for algorithm in ("sha256", "blake3"):
        (use,) = registry.catalog.uses(Digest(algorithm, digest[algorithm]))
        assert (use.manifest, use.direction, use.position) == (one.id, "output", 0)


def test_a_call_is_found_by_request_and_job_id(registry, recorded):
    one = recorded(outcome=Outcome(request_id="req-1", job_id="job-1"))

    assert registry.catalog.by_call("req-1") == [one.id]
    assert registry.catalog.by_call("job-1") == [one.id]
    assert registry.catalog.by_call("nothing") == []


def test_lineage_and_replays_are_edges(registry, recorded):
    base = recorded()
    edit = recorded("b.png", 2, parents=[Parent(id=base.id, relation="edit")])
    again = recorded("c.png", 3, replay_of=base.id)
    deeper = recorded("d.png", 4, replay_of=again.id)

    assert registry.catalog.relatives(base.id) == [(edit.id, base.id, "edit")]
    assert registry.catalog.replays(base.id) == [again.id]
    assert registry.catalog.roots([deeper.id, edit.id]) == {deeper.id: base.id, edit.id: edit.id}


def test_records_cannot_be_changed_deleted_or_replaced(registry, recorded):
    one = recorded()
    tries = [
        "UPDATE record SET kind = 'x'",
        "DELETE FROM record",
        "INSERT INTO record SELECT * FROM record",
    ]
    if registry.catalog.database.is_sqlite:
        tries.append(tries[-1].replace("INSERT INTO", "INSERT OR REPLACE INTO"))
        tries.append("DROP TABLE record")
        tries.append("DROP TRIGGER record_no_update")
    else:
        tries.append("TRUNCATE record CASCADE")

    for statement in tries:
        with pytest.raises((DatabaseFailed, DBAPIError)), registry.catalog.database.writing() as connection:
            connection.execute(text(statement))
    assert registry.catalog.get(one.id).kind == "generation"


def test_a_sealed_workflow_and_digest_stay_out_of_the_tables(registry, recorded):
    one = recorded(prompt="the secret plan", context=Context(workflow="about the secret plan"))

    with registry.catalog.database.reading() as connection:
        assert connection.execute(text("SELECT workflow FROM generation")).scalar() is None
    assert registry.catalog.manifest(one.id).context.workflow is not None


def test_a_database_from_a_newer_program_is_refused(registry):
    with registry.catalog.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))

    with pytest.raises(NewerDatabase, match="9999_future"):
        registry.catalog.migrate()


@pytest.mark.parametrize(
    ("folder", "head"), [("registry.catalog:migrations", HEAD), ("registry.vault:migrations", VAULT_HEAD)]
)
def test_the_program_knows_the_newest_migration(folder, head):
    config = Config()
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [head]


def test_a_database_url_of_another_kind_is_refused():
    with pytest.raises(InvalidValue, match="database"):
        Catalog("mysql://localhost/x")
