"""Slot paths: one value by names and numbers, many values by ``[]``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.capture.errors import SlotMismatch
from registry.capture.slots import EVERY, matches, parse, read, write

DOCUMENT = {
    "contents": [
        {"parts": [{"text": "a"}, {"image": 1}, {"text": "b"}]},
        {"role": "user"},
        {"parts": [{"text": "c"}]},
    ],
    "size": None,
    "0": {"x": 1},
}


def test_parse_splits_names_numbers_and_every():
    assert parse("body.items[].x[3][0]") == ("body", "items", EVERY, "x", 3, 0)


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", "[]", "a[", "a[-1]", "a[x]", "a b", "a[]b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(SlotMismatch, match="is not a name"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("contents[].parts[].text", ["a", "b", "c"]),
        ("contents[0].parts[].text", ["a", "b"]),
        ("contents[2].parts[0].text", "c"),
        ("contents[].missing", None),
        ("contents[9].parts", None),
        ("contents.parts", None),
        ("0.x", 1),
        ("size", None),
        ("size.x", None),
    ],
)
def test_read(path, value):
    assert read(DOCUMENT, parse(path)) == value


def test_write_to_every_place_takes_one_value_each():
    written = write(DOCUMENT, parse("contents[].parts[].text"), ["x", "y", "z"])

    assert read(written, parse("contents[].parts[].text")) == ["x", "y", "z"]
    assert written["contents"][0]["parts"][1] == {"image": 1}
    assert written["contents"][1] == {"role": "user"}
    assert DOCUMENT["contents"][0]["parts"][0]["text"] == "a"


@pytest.mark.parametrize("values", [["x"], ["x"] * 4, "xyz", None])
def test_write_to_every_place_refuses_another_count(values):
    with pytest.raises(SlotMismatch, match="names 3 places; give a list of 3 values"):
        write(DOCUMENT, parse("contents[].parts[].text"), values)


@pytest.mark.parametrize("path", ["contents.x", "contents[7].x", "contents[0].parts[1].image.deep"])
def test_write_where_there_is_no_place_is_refused(path):
    with pytest.raises(SlotMismatch, match="no place"):
        write(DOCUMENT, parse(path), 1)


def test_write_makes_objects_on_the_way():
    assert write({}, parse("a.b.c"), 1) == {"a": {"b": {"c": 1}}}


def test_a_pattern_names_places_of_its_own_shape_only():
    assert matches(parse("body.a[].b"), ("body", "a", 4, "b"))
    assert not matches(parse("body.a[].b"), ("body", "a", "x", "b"))
    assert not matches(parse("body.a[1].b"), ("body", "a", 2, "b"))
    assert not matches(parse("body.a"), ("body", "a", "b"))


names = st.text("abcxyz", min_size=1, max_size=3)
trees = st.recursive(
    st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@given(
    tree=st.dictionaries(names, trees, max_size=3),
    tail=st.lists(st.sampled_from(["[]", "[0]", ".a", ".b"]), max_size=4),
)
def test_writing_what_was_read_changes_nothing(tree, tail):
    steps = parse("a" + "".join(tail))

    value = read(tree, steps)

    assert value is None or write(tree, steps, value) == tree
