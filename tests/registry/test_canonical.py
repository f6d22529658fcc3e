"""Canonical JSON against the published vectors and a second implementation; strict reading names the place."""

import json
import math
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.canonical import DEEPEST, EXACT_INTEGER, canonical, parse, parse_canonical
from registry.errors import NotCanonical

VECTORS = Path(__file__).parents[2] / "../shared/vectors/jcs"
NAMES = ["arrays", "french", "structures", "unicode", "values", "weird"]

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-EXACT_INTEGER, EXACT_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="conformance data ../shared/vectors/jcs is absent")
@pytest.mark.parametrize("name", NAMES)
def test_published_vectors(name):
    given_text = (VECTORS / "input" / f"{name}.json").read_bytes()

    assert canonical(parse(given_text)) == (VECTORS / "output" / f"{name}.json").read_bytes().rstrip(b"\n")


@settings(deadline=None)
@given(plain)
def test_equals_the_reference_library(value):
    assert canonical(value) == rfc8785.dumps(value)


@settings(deadline=None)
@given(plain)
def test_canonical_text_reads_back_to_an_equal_value_and_the_same_text(value):
    text = canonical(value)

    assert canonical(parse_canonical(text)) == text


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 9), min_size=2, max_size=5))
def test_order_of_members_never_matters(members):
    backwards = dict(reversed(list(members.items())))

    assert canonical(members) == canonical(backwards)


@pytest.mark.parametrize(
    ("text", "pointer", "why"),
    [
        (b'{"a":{"b":1,"b":2}}', "/a/b", "twice"),
        (b'{"a":[0,{"x~/y":1,"x~/y":1}]}', "/a/1/x~0~1y", "twice"),
        (b'{"a":[1,NaN]}', "/a/1", "NaN"),
        (b'{"a":-Infinity}', "/a", "Infinity"),
        (b'{"a":[1e400]}', "/a/0", "beyond"),
        (b'{"a":"\\ud800"}', "/a", "surrogate"),
        (b'{"\\udfff":1}', "", "surrogate"),
        (b'{"a":1', "", "not JSON"),
        (b"\xff", "", "UTF-8"),
        (b"[" * (DEEPEST + 50) + b"]" * (DEEPEST + 50), "", "deeper"),
        (b"[" * 100_000, "", "deeper"),
        (b"[" + b"9" * 5000 + b"]", "", "not JSON"),
    ],
)
def test_strict_reading_refuses_and_names_the_place(text, pointer, why):
    with pytest.raises(NotCanonical, match=why) as refused:
        parse(text)

    if pointer:
        assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a": [math.nan]}, "/a/0"),
        ({"a": {"b": EXACT_INTEGER + 1}}, "/a/b"),
        ({"a": "\ud800"}, "/a"),
        ({"a": {1: 2}}, "/a"),
        ({"a": b"bytes"}, "/a"),
        ({"a": object()}, "/a"),
    ],
)
def test_what_has_no_canonical_form_is_refused_where_it_stands(value, pointer):
    with pytest.raises(NotCanonical) as refused:
        canonical(value)

    assert refused.value.pointer == pointer


def test_equivalent_json_in_another_form_is_not_canonical():
    for other in (b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1.0}', b'{"a":"\\u0041"}', b'{"a":1}\n'):
        assert json.loads(other)
        with pytest.raises(NotCanonical, match="canonical form"):
            parse_canonical(other)
