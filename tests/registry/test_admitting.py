"""Taking in a bundle: the original ids and signatures, a log of one's own, and nothing of what does not verify."""

import shutil

import pytest

from registry.admitting import BroughtBack, NotAdmitted, StrangeKey, admit, spoken_of
from registry.annotate import tag
from registry.catalog.search import Query, matching
from registry.erase import erase, plan_erasure
from registry.export.selecting import export_selection
from registry.health import examine
from registry.home import create
from registry.indexing import catch_up
from registry.keys import LOG
from registry.log.checkpoint import VerifierKey
from registry.record import record
from registry.settings import Settings
from registry.show import view
from registry.verify.container import NotABundle


def trusted(home):
    return [VerifierKey(home.snapshot.origin, key.public) for key in home.snapshot.keys if key.role == LOG]


@pytest.fixture
def bundle(tmp_path, picture, made):
    """A bundle of two generations, one of them tagged, from another home; gives its path and that registry."""
    home, _ = create(Settings(home=tmp_path / "elsewhere", actor="somebody"))
    ids = []
    for n in range(2):
        file = picture(f"{n}.png", seed=n)
        ids.append(record(home, made(str(file), labels={"app": "shop"}), {str(file): file}).id)
    tag(home, ids[0], {"golden": "true"})
    export_selection(home, tmp_path / "bundle.zip", ids, words="all", disclose=("prompt", "digest"))
    yield tmp_path / "bundle.zip", home, ids
    home.close()


def test_what_is_taken_in_is_the_original_under_a_log_of_ones_own(registry, bundle):
    path, home, ids = bundle

    found = admit(registry, path)

    assert (found.records, found.assets) == (3, 2), "two generations and a tag; foreign keys stay out"
    for one in ids:
        ours, theirs = registry.catalog.get(one), home.catalog.get(one)
        assert (ours.body, ours.keyid, ours.signature) == (theirs.body, theirs.keyid, theirs.signature)
        assert [d.to_json() for d in registry.vault.get(one)] == [d.to_json() for d in home.vault.get(one)]
        digest = registry.catalog.manifest(one).outputs[0].digests.blake3
        assert registry.assets.file(digest).read_bytes() == home.assets.file(digest).read_bytes()
    assert matching(registry.catalog, Query(labels={"app": "shop", "golden": "true"})) == ids[:1]
    with registry.catalog.database.reading() as connection:
        assert registry.log.size(connection) == 1 + 3
        assert all(registry.log.index_of(connection, one) for one in ids)


def test_taking_in_twice_adds_nothing(local_registry, bundle):
    admit(local_registry, bundle[0])

    again = admit(local_registry, bundle[0])

    assert (again.records, again.assets) == (0, 0)


@pytest.mark.parametrize("what", [b"a stone bridge", b"\x89PNG", b'"signatures"'])
def test_what_does_not_verify_is_not_taken_in(local_registry, bundle, tmp_path, what):
    data = bytearray(bundle[0].read_bytes())
    data[data.index(what) + 1] ^= 1
    (tmp_path / "altered.zip").write_bytes(data)

    with pytest.raises(NotAdmitted, match="nothing was taken in") as problem:
        admit(local_registry, tmp_path / "altered.zip")

    assert problem.value.exit_code == 3
    assert matching(local_registry.catalog, Query()) == [] and list(local_registry.assets.names()) == []


def test_a_home_in_use_takes_in_nothing_from_strangers(local_registry, bundle, tmp_path, picture, made):
    own = picture("own.png", seed=9)
    record(local_registry, made(str(own)), {str(own): own})

    with pytest.raises(StrangeKey, match="--trust FILE"):
        admit(local_registry, bundle[0])
    assert len(matching(local_registry.catalog, Query())) == 1

    home = bundle[1]
    assert admit(local_registry, bundle[0], trust=trusted(home)).records == 3
    tag(home, bundle[2][1], {"golden": "true"})
    export_selection(home, tmp_path / "later.zip", bundle[2], words="all", disclose=("prompt", "digest"))
    assert admit(local_registry, tmp_path / "later.zip").records == 1, "it is known now"


@pytest.fixture
def erased(local_registry, tmp_path, made, picture):
    """A picture and a transcript, bundled with all that opens them, then erased here; bundle and ids."""
    words = tmp_path / "words.txt"
    words.write_text("Good morning to all of you who came.")
    files = [picture("a.png"), words]
    ids = [record(local_registry, made(str(file), prompt="a secret person"), {str(file): file}).id for file in files]
    export_selection(local_registry, tmp_path / "before.zip", ids, words="all", disclose=("all",))
    catch_up(local_registry)
    for one in ids:
        erase(
            local_registry, plan_erasure(local_registry, one, fields=["prompt"], asset=True, reason="r", authority="x")
        )
    assert list(local_registry.assets.names()) == []
    return tmp_path / "before.zip", ids


def test_what_was_erased_here_does_not_come_back(local_registry, erased):
    path, ids = erased

    found = admit(local_registry, path)

    catch_up(local_registry)
    assert (found.records, found.assets) == (0, 0) and list(local_registry.assets.names()) == []
    assert not any(
        open.pointer.endswith(("/digest", "/submitted")) for one in ids for open in local_registry.vault.get(one)
    )
    assert local_registry.index.with_words("secret person") == []


def test_a_home_that_knows_only_the_erasure_takes_in_the_rest(local_registry, erased, tmp_path):
    """The record is new there, and its erasure is not: what it took stays out."""
    path, ids = erased
    other, _ = create(Settings(home=tmp_path / "other", actor="somebody"))
    after = tmp_path / "after.zip"
    erasures = [found.id for found in local_registry.catalog.about(ids[0], "erasure")]
    erasures += [found.id for found in local_registry.catalog.about(ids[1], "erasure")]
    export_selection(local_registry, after, erasures, words="erasures", disclose=())
    assert admit(other, after).records == 2

    found = admit(other, path)

    catch_up(other)
    assert (found.records, found.assets) == (2, 0)
    assert not any(open.pointer.endswith(("/digest", "/submitted")) for one in ids for open in other.vault.get(one))
    assert other.index.with_words("secret person") == []
    assert [one.state for one in examine(other) if one.name == "assets"] == ["ok"]
    other.close()


def test_a_new_record_does_not_bring_erased_bytes_back(local_registry, erased, tmp_path, made, picture):
    other, _ = create(Settings(home=tmp_path / "other", actor="somebody"))
    same = picture("a.png")
    again = record(other, made(str(same), prompt="another"), {str(same): same}).id
    fresh = picture("b.png", seed=9)
    new = record(other, made(str(fresh)), {str(fresh): fresh}).id
    export_selection(other, tmp_path / "other.zip", [again, new], words="all", disclose=("all",))

    found = admit(local_registry, tmp_path / "other.zip", trust=trusted(other))

    assert (found.records, found.assets) == (2, 1)
    digest = local_registry.catalog.manifest(new).outputs[0].digests.blake3
    assert [name for name, _ in local_registry.assets.names()] == [digest]
    assert [one.state for one in examine(local_registry) if one.name == "assets"] == ["ok"]
    (gone,) = view(local_registry, again).gone
    (erasure,) = local_registry.catalog.about(erased[1][0], "erasure")
    assert (gone.record, gone.through) == (erasure.id, erased[1][0]), "show tells what doctor knows"
    told = export_selection(local_registry, tmp_path / "further.zip", [again, new], words="both")
    assert told.erased == 1
    other.close()


def test_a_new_replay_does_not_bring_an_erased_prompt_back(local_registry, erased, tmp_path, made, picture):
    path, ids = erased
    other, _ = create(Settings(home=tmp_path / "other", actor="somebody"))
    admit(other, path)
    file = picture("replay.png", seed=5)
    draft = made(str(file), prompt="a secret person", replay_of=ids[0])
    replay = record(other, draft, {str(file): file}).id
    export_selection(other, tmp_path / "other.zip", [replay], words="all", disclose=("prompt",))

    with pytest.raises(BroughtBack, match=f"/prompt/submitted of {replay[7:19]}, a replay of {ids[0][7:19]}"):
        admit(local_registry, tmp_path / "other.zip", trust=trusted(other))

    assert local_registry.catalog.known([replay]) == set() and list(local_registry.assets.names()) == []
    export_selection(other, tmp_path / "shut.zip", [replay], words="all", disclose=("digest",))
    assert admit(local_registry, tmp_path / "shut.zip", trust=trusted(other)).records == 1
    other.close()


def test_something_else_is_told(local_registry, tmp_path, picture):
    with pytest.raises(NotABundle):
        admit(local_registry, shutil.copy(picture(), tmp_path / "picture.zip"))


def test_every_kind_of_record_says_what_it_speaks_of():
    assert spoken_of({"subject": "a"}) == ["a"]
    assert spoken_of({"baseline": "a", "replay": "b"}) == ["a", "b"]
    assert spoken_of({"baseline": "a", "replay": None}) == ["a"]
    assert spoken_of({"manifest": "a", "runs": [{"id": "b"}, {"id": "a"}]}) == ["a", "b"]
    assert spoken_of({"manifests": [{"id": "a"}, {"id": "b"}]}) == ["a", "b"]
    assert spoken_of({"subjects": [{"id": "a"}, {"id": "b"}]}) == ["a", "b"]
    assert spoken_of({"subjects": [{"manifest": "a", "baseline": "b", "replays": ["c"]}]}) == ["a", "b", "c"]
