"""What every asset store owes."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.assets.local import LocalAssets, StorageFailed
from registry.assets.memory import MemoryAssets
from registry.assets.store import AssetCorrupted, AssetNotFound
from registry.digest import digests_of


def _local(folder):
    store = LocalAssets(folder / "assets")
    store.prepare()
    return store


STORES = {"local": _local, "memory": lambda folder: MemoryAssets()}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return STORES[request.param](tmp_path)


def keep(store, data):
    staged = store.stage([data])
    store.keep(staged)
    return staged.digests.blake3


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(parts=st.lists(st.binary(max_size=2000), max_size=4))
def test_bytes_come_back_unchanged(store, parts):
    staged = store.stage(parts)
    store.keep(staged)

    data = b"".join(parts)

    assert staged.digests == digests_of(data)
    assert staged.bytes == len(data)
    with store.open(staged.digests.blake3) as stream:
        assert stream.read() == data
    assert store.file(staged.digests.blake3).read_bytes() == data


def test_nothing_is_stored_until_it_is_kept(store):
    staged = store.stage([b"draft"])

    assert staged.digests.blake3 not in store
    assert list(store.names()) == []
    assert staged.path.read_bytes() == b"draft"


def test_the_same_bytes_twice_are_stored_once(store):
    first, second = keep(store, b"same"), keep(store, b"same")

    assert first == second
    assert [name for name, _ in store.names()] == [first]


def test_a_discarded_draft_leaves_nothing(store):
    staged = store.stage([b"draft"])

    staged.discard()
    staged.discard()

    assert not staged.path.exists()


def test_what_is_not_there_is_named(store):
    missing = "00" * 32

    for look in (store.open, store.file, store.check):
        with pytest.raises(AssetNotFound, match=missing):
            look(missing)
    assert missing not in store
    assert store.remove(missing) is False


def test_removed_bytes_are_gone_and_can_come_again(store):
    name = keep(store, b"away")

    assert store.remove(name) is True
    assert name not in store
    assert keep(store, b"away") == name


def test_a_draft_that_fails_midway_leaves_nothing_behind(store, tmp_path):
    def broken():
        yield b"first"
        raise ConnectionError("the sender went away")

    with pytest.raises(ConnectionError):
        store.stage(broken())

    assert store.sweep_staged(time.time() + 1) == 0


def test_the_sweep_takes_old_drafts_and_no_fresh_ones(store):
    old, fresh = store.stage([b"old"]), store.stage([b"fresh"])
    os.utime(old.path, (1, 1))

    assert store.sweep_staged(time.time() - 60) == 1
    assert fresh.path.exists() and not old.path.exists()


def test_altered_bytes_are_noticed(tmp_path):
    store = _local(tmp_path)
    name = keep(store, b"original")
    store.file(name).write_bytes(b"Original")

    with pytest.raises(AssetCorrupted, match="was altered"):
        store.check(name)


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "assets").write_text("in the way")

    with pytest.raises(StorageFailed, match="assets"):
        LocalAssets(tmp_path / "assets").prepare()
