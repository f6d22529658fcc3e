"""Seals: opened by their disclosure, at their place, with their salt, and by nothing else."""

import hashlib
from base64 import urlsafe_b64encode

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.sealing import (
    Disclosure,
    SealedKey,
    at,
    commitment,
    disclose,
    is_seal,
    leaks,
    refuse_leaking_names,
    seal,
    seals_in,
)

values = st.text() | st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3) | st.lists(st.integers(0, 9))


def test_the_commitment_is_the_published_formula():
    text = rfc8785.dumps(["mintmark/seal/v1", "AAAAAAAAAAAAAAAAAAAAAA", "/prompt/submitted", "a cat"])

    expected = urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()

    assert commitment("AAAAAAAAAAAAAAAAAAAAAA", "/prompt/submitted", "a cat") == expected


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), values, min_size=1, max_size=4))
def test_sealing_everything_and_disclosing_everything_changes_nothing(members):
    record = {"top": dict(members)}
    pointers = [f"/top/{key.replace('~', '~0').replace('/', '~1')}" for key in members]

    disclosures = seal(record, pointers)

    assert all(is_seal(member) for member in record["top"].values())
    assert disclose(record, disclosures) == {"top": members}


def test_equal_values_give_unrelated_seals_and_long_salts():
    record = {"a": "same", "b": "same"}

    first, second = seal(record, ["/a", "/b"])

    assert record["a"] != record["b"]
    assert first.salt != second.salt and len(first.salt) == 22


def test_null_and_sealed_values_stay():
    record = {"a": None, "b": {"$seal": "x" * 43}}

    assert seal(record, ["/a", "/b"]) == []
    assert record == {"a": None, "b": {"$seal": "x" * 43}}


def test_a_disclosure_opens_one_place_only():
    record = {"a": "secret"}
    (disclosure,) = seal(record, ["/a"])

    elsewhere = Disclosure("/b", disclosure.salt, disclosure.value)
    another = Disclosure("/a", disclosure.salt, "other")

    assert disclosure.commitment() == seals_in(record)["/a"]
    assert seals_in(record)["/a"] not in (elsewhere.commitment(), another.commitment())


@pytest.mark.parametrize("pointer", ["/x", "/list/2", "/list/-1", "/list/x", "/text/0", "/list/٢"])
def test_a_pointer_to_nowhere_is_a_key_error(pointer):
    with pytest.raises(KeyError):
        at({"list": [1, 2], "text": "abc"}, pointer)


def test_leaks_are_found_inside_strings_from_four_characters_on():
    disclosures = [Disclosure("/p", "s", "blue cat"), Disclosure("/q", "s", "red")]
    record = {"labels": {"a": "a blue cat here", "b": "red"}, "other": "blue cat"}

    assert leaks(record, ["/labels"], disclosures) == ["/labels/a"]


def test_a_member_named_after_a_secret_is_refused():
    with pytest.raises(SealedKey) as refused:
        refuse_leaking_names({"labels": {"ann-meyer": "x"}}, "/labels", [Disclosure("/s", "s", "ann-meyer")])

    assert "ann-meyer" not in str(refused.value)
