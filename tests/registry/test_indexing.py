"""One record that cannot be read is kept as unread; the index goes on to the end of the log."""

import errno
import hashlib

import pytest

from registry import indexing
from registry.digest import Digest
from registry.erase import erase, plan_erasure
from registry.errors import CouldNotRun
from registry.indexing import catch_up
from registry.lookup_file import look_up_file
from registry.record import record
from registry.sealing import Disclosure


@pytest.fixture
def three(local_registry, picture, made):
    """Three recorded pictures: path and id of each."""
    paths = [picture(f"{n}.png", seed=n) for n in range(3)]
    return [(path, record(local_registry, made(str(path)), {str(path): path}).id) for path in paths]


def test_whatever_a_decoder_raises_stops_nobody_else(local_registry, three, monkeypatch):
    digest = local_registry.catalog.manifest(three[1][1]).outputs[0].digests.blake3
    whole = indexing.content_digest

    def hostile(path, **more):
        if path.name == digest:
            raise ZeroDivisionError("what no decoder\nshould do")
        return whole(path, **more)

    monkeypatch.setattr(indexing, "content_digest", hostile)

    assert catch_up(local_registry) == 4, "three manifests and a key"

    unread = [(one.manifest, one.pointer, one.reason) for one in local_registry.index.unread()]
    assert unread == [(three[1][1], "/outputs/0", "ZeroDivisionError: what no decoder should do")]
    assert local_registry.index.content(three[1][1]) is None
    assert all(local_registry.index.content(found) for _, found in (three[0], three[2]))


def test_a_disclosure_that_makes_no_sense_stops_nobody_else(local_registry, three, tmp_path, made):
    path = tmp_path / "words.txt"
    path.write_text("Good morning to all of you who came.")
    odd = record(local_registry, made(str(path), operation="audio.transcribe"), {str(path): path}).id
    local_registry.vault.erase([(odd, "/outputs/0/digest")])
    local_registry.vault.put(odd, [Disclosure("/outputs/0/digest", "s" * 22, "no digests")])

    answer = look_up_file(local_registry, three[0][0])

    assert [hit.manifest for hit in answer.hits] == [three[0][1]]
    assert catch_up(local_registry) == 5
    assert [(one.manifest, one.pointer) for one in local_registry.index.unread()] == [(odd, "")]


def test_a_store_that_does_not_answer_is_no_reason_to_go_on(local_registry, three, monkeypatch):
    def down(blake3):
        raise CouldNotRun("the store is away")

    monkeypatch.setattr(local_registry.assets, "file", down)

    with pytest.raises(CouldNotRun):
        catch_up(local_registry)

    monkeypatch.undo()
    assert catch_up(local_registry) == 4


def test_a_process_that_may_open_no_more_files_says_nothing_of_one_of_them(local_registry, three, monkeypatch):
    def full(path, **more):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(indexing, "content_digest", full)

    with pytest.raises(indexing.NoFilesLeft, match="ulimit"):
        catch_up(local_registry)

    monkeypatch.undo()
    assert catch_up(local_registry) == 4 and not list(local_registry.index.unread())


def test_what_cannot_be_read_is_found_by_its_sealed_digest_all_the_same(local_registry, tmp_path, made, monkeypatch):
    path = tmp_path / "words.txt"
    path.write_text("Good morning to all of you who came.")
    found = record(local_registry, made(str(path), operation="audio.transcribe"), {str(path): path}).id

    def broken(*asked):
        raise ZeroDivisionError

    monkeypatch.setattr(indexing, "_look", broken)
    catch_up(local_registry)

    assert [one.manifest for one in local_registry.index.unread()] == [found]
    named = Digest("sha256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert [use.manifest for use in local_registry.index.uses(named)] == [found]


def test_a_reason_goes_with_its_erasure(local_registry, three, monkeypatch):
    def hostile(path, **more):
        raise ValueError("a secret word")

    monkeypatch.setattr(indexing, "content_digest", hostile)
    catch_up(local_registry)
    found = three[0][1]

    erase(local_registry, plan_erasure(local_registry, found, fields=[], asset=True, reason="r", authority="x"))

    assert {one.manifest for one in local_registry.index.unread()} == {three[1][1], three[2][1]}
