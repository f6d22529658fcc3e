"""What the derived index owes: it takes in the log in order, finds, forgets, and can be thrown away."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.catalog.store import Use
from registry.database import Database, DatabaseFailed, file_url
from registry.digest import Digest, DigestSet
from registry.index.store import Entry, Fingerprint, Index, truncate_wal
from registry.index.text import match_expression, words

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
DIGESTS = DigestSet("a" * 64, "b" * 64)


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "index.db")
    yield made
    made.close()


def entry(manifest=ONE, prompt="a stone bridge"):
    return Entry(
        manifest,
        prompt,
        sealed=[(Use(manifest, "output", 0, "transcript"), DIGESTS)],
        contents=[(0, "blake3:" + "c" * 64)],
        fingerprints=[Fingerprint(manifest, 0, bytes(32), 100, 250)],
    )


def test_what_went_in_is_found_by_everything_it_has(index):
    assert index.advance(0, 3, [entry()], forget=[])

    assert index.next() == 3
    assert index.with_words("BRIDGE stone") == [ONE]
    assert index.uses(Digest("sha256", DIGESTS.sha256)) == [Use(ONE, "output", 0, "transcript")]
    assert index.blake3_of(DIGESTS.sha256) == DIGESTS.blake3
    assert index.with_content("blake3:" + "c" * 64) == [(ONE, 0)]
    assert index.fingerprints() == [Fingerprint(ONE, 0, bytes(32), 100, 250)]
    assert index.count() == 1


def test_of_two_that_read_the_same_part_of_the_log_one_is_taken(index, tmp_path):
    other = Index(tmp_path / "index.db")

    assert index.advance(0, 2, [entry()], forget=[])
    assert not other.advance(0, 2, [entry(TWO)], forget=[])

    assert other.next() == 2
    assert other.with_words("bridge") == [ONE]
    other.close()


def test_a_manifest_that_comes_again_replaces_itself(index):
    index.advance(0, 1, [entry(prompt="first words")], forget=[])

    index.advance(1, 2, [entry(prompt="other text")], forget=[])

    assert index.with_words("first") == []
    assert index.with_words("other") == [ONE]
    assert index.count() == 1


def test_what_is_forgotten_leaves_no_word_in_the_file(index, tmp_path):
    index.advance(0, 1, [entry(prompt="xylophonist"), entry(TWO, "a quiet lake")], forget=[])

    index.advance(1, 2, [], forget=[ONE])
    assert truncate_wal(index.database)

    assert index.with_words("xylophonist") == []
    assert index.with_words("lake") == [TWO]
    assert b"xylophonist" not in b"".join(path.read_bytes() for path in tmp_path.glob("index.db*"))


def test_a_damaged_file_is_named_where_its_journal_is_emptied(tmp_path):
    path = tmp_path / "other.db"
    path.write_bytes(b"this is no database " * 400)

    with pytest.raises(DatabaseFailed, match=r"other\.db"):
        truncate_wal(Database(file_url(path)))


def test_an_index_lies_where_it_is_told_to(tmp_path):
    home = tmp_path / "what? 100%#now"
    home.mkdir()

    Index(home / "index.db").close()

    assert [path.name for path in tmp_path.iterdir()] == [home.name]
    assert (home / "index.db").stat().st_mode & 0o077 == 0


def test_a_rebuilt_index_begins_at_the_start_of_the_log(index):
    index.advance(0, 5, [entry()], forget=[])

    index.rebuild()

    assert (index.next(), index.count(), index.fingerprints()) == (0, 0, [])


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Ein Café in Zürich", "café zürich"),
        ("\uff26\uff35\uff2c\uff2c width", "full width"),
        ("東京タワーの夜景", "タワー"),
        ("วัดพระแก้วยามเช้า", "พระแก้ว"),
        ("मुंबई की बारिश", "बारिश"),
        ("bridge at DUSK, 35mm", "35mm dusk"),
    ],
)
def test_words_are_found_whatever_the_script(index, text, query):
    index.advance(0, 1, [entry(prompt=text)], forget=[])

    assert index.with_words(query) == [ONE]


@pytest.mark.parametrize("query", ["\u77f3", "\u6a4b", "\u306e", "\u9727"])
def test_one_character_of_a_spaceless_script_is_found(index, query):
    index.advance(0, 2, [entry(prompt="\u77f3\u6a4b\u306e\u9727"), entry(TWO, "\u6708")], forget=[])

    assert index.with_words(query) == [ONE]


def test_all_manifests_that_hold_a_word_are_found(index):
    many = [f"sha256:{n:064x}" for n in range(1500)]
    index.advance(0, 1500, [Entry(manifest, "fog at sea") for manifest in many], forget=[])

    assert sorted(index.with_words("fog")) == many
    assert len(index.with_words("fog", 10)) == 10


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_query_that_holds_only_its_own_words(text):
    expression = match_expression(text)

    assert (expression is None) == (words(text) == [])
    assert expression is None or expression.count('"') == 2 * len(words(text))


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=40))
def test_whatever_is_typed_is_a_question_and_never_an_error(text):
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder) / "index.db")
        index.advance(0, 1, [entry(prompt=text)], forget=[])
        found = index.with_words(text)
        index.close()

    assert found == ([ONE] if words(text) else [])
