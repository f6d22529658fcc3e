import os

import pytest

from registry.whole import drafted, write_whole


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_at_the_end_and_by_nothing_half(tmp_path, durable):
    place = tmp_path / "a.json"
    write_whole(place, b"old", durable=durable)

    with pytest.raises(ZeroDivisionError), drafted(place, durable=durable) as draft:
        draft.write_bytes(b"ha")
        raise ZeroDivisionError
    with drafted(place, durable=durable) as draft:
        draft.write_bytes(b"new")
        before = place.read_bytes()

    assert (before, place.read_bytes()) == (b"old", b"new")
    assert list(tmp_path.iterdir()) == [place]


def test_bytes_are_on_the_disk_before_they_have_the_name_and_the_name_after(tmp_path, monkeypatch):
    done = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (sync(descriptor), done.append("sync")))
    monkeypatch.setattr(os, "replace", lambda old, new: (replace(old, new), done.append("name")))

    write_whole(tmp_path / "a.json", b"x")

    assert done == (["sync", "name", "sync"] if os.name == "posix" else ["sync", "name"])
