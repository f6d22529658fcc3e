"""Health, and the thread that follows the log."""

from registry.database import DatabaseFailed
from registry.drafting import read_draft
from registry.home import create_at
from registry.http.following import CHECKPOINT_EVERY, Follower
from registry.record import record


def test_a_server_that_works_is_ready(served):
    assert served.client.get("/healthz").json() == {"status": "ok"}
    told = served.client.get("/readyz")
    assert (told.status_code, told.json()["ready"], told.json()["faults"]) == (200, True, [])
    assert told.json()["guards"]["missing"] == []


def test_the_index_follows_by_itself(served, make_png, until):
    served.record(files={"out.png": make_png(4)})

    until(lambda: served.client.get("/readyz").json()["index"]["behind"] == 0)
    assert len(served.registry.index.with_words("lighthouse")) == 1


def test_what_another_process_records_is_followed_too(served, tmp_path, make_png, until):
    other, _ = create_at(served.registry.home)
    (tmp_path / "x.png").write_bytes(make_png(8))
    draft = read_draft({"provider": {"name": "a"}, "model": {"requested": "b"}, "outputs": [{"file": "x.png"}]})
    record(other, draft, {"x.png": tmp_path / "x.png"})
    other.close()

    until(lambda: served.registry.index.count() == 1)


def test_stopping_signs_what_no_checkpoint_covers(tmp_path, serve_at):
    with serve_at(tmp_path / ".mintmark") as served:
        served.record()
        registry = served.registry
        with registry.catalog.database.reading() as connection:
            assert registry.log.unsigned_tail(connection) == 1
    again, _ = create_at(tmp_path / ".mintmark")
    with again.catalog.database.reading() as connection:
        assert again.log.unsigned_tail(connection) == 0
        assert again.log.latest_checkpoint(connection).size == 2
    again.close()


def test_a_full_tile_of_records_is_signed_without_being_asked(served, monkeypatch, until):
    monkeypatch.setattr("registry.http.following.QUIET", 1e9)
    log, database = served.registry.log, served.registry.catalog.database
    with database.writing() as connection:
        for n in range(CHECKPOINT_EVERY):
            log.append(connection, kind="review", id=f"sha256:{n:064x}", pae="0" * 64, now="2026-11-20T12:00:00.000Z")

    def unsigned():
        with database.reading() as connection:
            return log.unsigned_tail(connection)

    until(lambda: unsigned() == 0)


def test_a_short_tail_is_signed_when_it_is_quiet(served, monkeypatch, until):
    monkeypatch.setattr("registry.http.following.QUIET", 0.1)
    served.record()

    until(lambda: served.client.get("/readyz").json()["log"]["unsigned"] == 0)


def test_a_server_whose_database_is_gone_lives_but_is_not_ready(served, monkeypatch, capfd):
    def gone(*_):
        raise DatabaseFailed("mintmark.db", "disk I/O error")

    monkeypatch.setattr(served.registry.log, "size", gone)

    told = served.client.get("/readyz")

    assert (told.status_code, told.json()["ready"]) == (503, False)
    assert "DatabaseFailed" in told.json()["faults"][-1]
    assert served.client.get("/healthz").status_code == 200


def test_a_follower_that_fails_says_so_once_and_goes_on(served, capfd, monkeypatch, until):
    follower = Follower(served.registry)
    calls = []

    def step():
        calls.append(1)
        if len(calls) < 3:
            raise OSError("disk full")

    monkeypatch.setattr("registry.http.following.POLL", 0.01)
    monkeypatch.setattr(follower, "step", step)
    follower.start()

    until(lambda: len(calls) >= 4)
    assert follower.fault is None
    follower.stop()
    assert follower.fault == "the thread has ended"
    assert capfd.readouterr().err.count("falls behind") == 1


def test_a_server_on_either_database_records_proves_and_follows(registry, tmp_path, serve_at, make_png, until):
    with serve_at(tmp_path / ".mintmark", registry) as served:
        told = served.record(files={"out.png": make_png(3)})
        assert told.status_code == 201
        assert served.client.get(f"/v1/generations/{told.json()['id']}/proof").status_code == 200
        until(lambda: served.client.get("/readyz").json()["index"]["behind"] == 0)
        assert served.client.get("/readyz").json()["log"]["waiting"] == 0
