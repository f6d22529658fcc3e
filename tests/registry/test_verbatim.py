"""A stored request sends again as it came: same tokens, same payloads, same meaning."""

import base64
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from registry.canonical import canonical
from registry.errors import NotCanonical
from registry.verbatim import LIFT_FROM, number, plain, read_body, stored, write_body

ODD = ["1.0", "-0", "-0.0", "1e400", "1E2", "12345678901234567890", "9007199254740993", "0.1e1", "1e21", "100e-2"]
tokens = st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
bodies = st.recursive(
    st.text() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


class _Store(dict):
    """Payloads by digest, as the asset store keeps them."""

    def lift(self, data):
        self[len(self)] = data
        return len(self) - 1

    def fetch(self, name):
        return self[name]


@settings(deadline=None)
@given(tokens)
def test_every_number_token_comes_back(token):
    body = f'{{"x":[{token}]}}'.encode()

    read = read_body(body)

    assert write_body(read) == body
    canonical(read)  # has a canonical form, whatever the token


@pytest.mark.parametrize("token", ODD)
def test_tokens_that_canonical_form_would_change_are_kept_as_text(token):
    assert number(token) == {"$num": token}


@pytest.mark.parametrize("token", ["0", "1", "-7", "0.5", "9007199254740991", "1e-7"])
def test_tokens_that_canonical_form_keeps_stay_numbers(token):
    assert not isinstance(number(token), dict)


@settings(deadline=None)
@given(bodies)
def test_any_body_means_the_same_after_the_round_trip(value):
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assume(b"\xed\xa0" not in body and b"\xed\xb0" not in body)
    read = read_body(body)

    assert json.loads(write_body(read)) == value
    assert plain(read) == value
    assert plain(stored(value)) == value


def test_vendor_keys_with_a_dollar_gain_one_and_lose_it_again():
    body = b'{"$ref":"a","$num":"7","$$x":1,"plain":2}'

    read = read_body(body)

    assert set(read) == {"$$ref", "$$num", "$$$x", "plain"}
    assert write_body(read) == body


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("urlsafe", [False, True])
@pytest.mark.parametrize("padding", [False, True])
def test_payloads_are_lifted_and_return_character_for_character(prefix, urlsafe, padding):
    data = bytes(range(256)) * 5
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode()
    text = prefix + (text if padding else text.rstrip("="))
    body = json.dumps({"image": text}).encode()
    store = _Store()

    read = read_body(body, store.lift)

    assert read["image"]["$asset"]["bytes"] == len(data)
    assert store[0] == data
    assert json.loads(write_body(read, store.fetch)) == {"image": text}


def test_text_that_only_looks_like_base64_stays():
    words = "word" * LIFT_FROM + "!"

    assert read_body(json.dumps({"x": words}).encode(), _Store().lift) == {"x": words}
    assert read_body(b'{"x":"c2hvcnQ="}', _Store().lift) == {"x": "c2hvcnQ="}


def test_base64_that_would_return_in_another_form_stays():
    sloppy = base64.b64encode(b"\0" * 2000).decode()[:-3] + "B=="  # stray bits under the padding

    assert read_body(json.dumps({"x": sloppy}).encode(), _Store().lift) == {"x": sloppy}


@pytest.mark.parametrize("body", [b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b"{", b'{"a":NaN}'])
def test_what_cannot_be_kept_verbatim_is_refused(body):
    with pytest.raises(NotCanonical):
        read_body(body)
