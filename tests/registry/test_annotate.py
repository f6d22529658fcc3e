"""Tags and reviews: signed records that change what is found, never the manifest."""

import pytest

from registry.annotate import parse_label, review, tag
from registry.canonical import parse
from registry.errors import InvalidValue, NotFound, SchemaMismatch
from registry.record import record
from registry.sealing import is_seal
from registry.show import view


@pytest.fixture
def one(registry, picture, made):
    path = picture()
    return record(registry, made(path), {str(path): path}).id


def test_later_tags_replace_earlier_ones_and_every_step_is_logged(registry, one):
    before = registry.catalog.get(one).body

    tag(registry, one, {"golden": "true", "campaign": "winter"})
    tag(registry, one, {"golden": None, "campaign": "spring"})

    assert registry.catalog.tags(one) == {"campaign": "spring"}
    assert registry.catalog.get(one).body == before
    steps = [parse(found.body)["tags"] for found in registry.catalog.about(one, "annotation")]
    assert steps == [{"golden": "true", "campaign": "winter"}, {"golden": None, "campaign": "spring"}]
    with registry.catalog.database.reading() as connection:
        assert registry.log.size(connection) == 4


def test_a_review_seals_its_reason_and_shows_it_where_it_is_disclosed(registry, one):
    done = review(registry, one, usable=False, reason="six fingers", minutes="2.5", cost=("1.20", "EUR"))

    stored = parse(registry.catalog.get(done).body)
    assert is_seal(stored["reason"]) and stored["minutes"] == "2.5"
    (shown,) = view(registry, one).reviews
    assert (shown["reason"], shown["usable"]) == ("six fingers", False)


def test_only_generations_can_be_tagged_or_reviewed(registry, one):
    noted = tag(registry, one, {"a": "b"})

    for name in ("sha256:" + "0" * 64, noted):
        with pytest.raises(NotFound):
            tag(registry, name, {"a": "b"})
        with pytest.raises(NotFound):
            review(registry, name, usable=True)


@pytest.mark.parametrize("minutes", ["-1", "1e3", "two", "1.2345", "01", ""])
def test_minutes_are_a_plain_decimal(registry, one, minutes):
    with pytest.raises(InvalidValue, match="minutes"):
        review(registry, one, usable=True, minutes=minutes)


@pytest.mark.parametrize("text", ["nokey", "=v", "UP=1", "a b=1", "a=" + "x" * 257, "a=line\nbreak"])
def test_labels_that_break_their_syntax_are_refused(text):
    with pytest.raises(InvalidValue, match="label"):
        parse_label(text)


def test_a_tag_that_the_schema_refuses_changes_nothing(registry, one):
    with pytest.raises(SchemaMismatch):
        tag(registry, one, {"Bad Key": "x"})

    assert registry.catalog.tags(one) == {}
    assert registry.catalog.about(one) == []
