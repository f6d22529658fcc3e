"""What is taken out of bytes, and where a chunked body ends, however the bytes are cut."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.capture.description import shipped
from registry.capturing.framing import BadMessage, _Chunks
from registry.capturing.scrubbing import (
    rules_of,
    scrubbed,
    scrubbed_headers,
    scrubbed_url,
    secrets_in,
)

SECRET = b"sk-canary-0123456789"


def cut(data, places):
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60)), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_secret_is_found_wherever_the_bytes_are_cut(parts, places):
    whole = SECRET.join(parts)

    clean = b"".join(scrubbed(cut(whole, places), [SECRET]))

    assert clean == whole.replace(SECRET, b"[secret]")


def test_a_secret_is_found_across_windows():
    whole = b"x" * ((1 << 20) - 7) + SECRET + b"y" * (1 << 20) + SECRET
    pieces = [whole[at : at + 65_536] for at in range(0, len(whole), 65_536)]

    clean = b"".join(scrubbed(pieces, [SECRET], [b"webhook"]))

    assert clean == whole.replace(SECRET, b"[secret]")


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.integers(0, 500), max_size=6))
def test_a_named_member_of_json_loses_its_text_and_nothing_else_does(kept, gone, places):
    whole = json.dumps({"prompt": kept, "webhook": gone, "deep": [{"webhook": gone}]}).encode()

    clean = json.loads(b"".join(scrubbed(cut(whole, places), [], [b"webhook"])))

    assert clean == {"prompt": kept, "webhook": "[secret]", "deep": [{"webhook": "[secret]"}]}


def test_a_named_part_of_a_form_loses_its_text():
    form = (
        b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nAnn Smith\r\n'
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nuser\r\n--b--\r\n'
    )

    assert b"".join(scrubbed([form], [], [b"user"])) == form.replace(b"Ann Smith", b"[secret]")


def test_keys_are_known_by_header_and_query():
    headers = [("authorization", "Bearer abcdefgh-1"), ("xi-api-key", "abcdefgh-2"), ("accept", "application/json")]

    found = secrets_in(headers, "https://x.example/a?key=abcdefgh%2F3&size=1024x1024")

    assert {b"abcdefgh-1", b"abcdefgh-2", b"abcdefgh/3", b"abcdefgh%2F3"} <= set(found)
    assert not {b"application/json", b"1024x1024"} & set(found)


def test_short_keys_and_the_names_of_schemes_are_not_looked_for():
    for value in ("Bearer x", "x", "Negotiate none", "Bearer a"):
        assert secrets_in([("authorization", value)], "https://x.example/a?key=none") == []
    cookies = [("cookie", "a=1; session=abcdefgh; b=2")]
    plain = [form for form in secrets_in(cookies, "https://x.example/") if b"\0" not in form]
    assert plain == [b"session%3Dabcdefgh", b"session=abcdefgh"]


def test_headers_are_kept_by_name_and_queries_lose_keys():
    rules = rules_of(shipped().by_id("openai-images"))
    headers = [("authorization", "Bearer k"), ("cookie", "a"), ("content-type", "application/json"), ("x-other", "1")]
    answer = [("set-cookie", "a"), ("x-request-id", "req_1"), ("openai-processing-ms", "41"), ("x-other", "1")]

    assert scrubbed_headers(headers, rules.asked, []) == [("content-type", "application/json")]
    assert scrubbed_headers(answer, rules.answered, []) == answer[1:3]
    assert scrubbed_url("https://x.example/a?key=1&b=%20x", rules, []) == "https://x.example/a?b=+x"
    assert scrubbed_url("https://x.example/a?b=%20x", rules, []) == "https://x.example/a?b=%20x"


def test_what_may_belong_to_several_descriptions_is_kept_and_redacted_by_all():
    every = [one for one in shipped() if one.captured]
    single, both = [rules_of(one) for one in every], rules_of(*every)

    assert both.answered == frozenset().union(*(one.answered for one in single))
    assert both.request == tuple(sorted({path for one in single for path in one.request})) != ()
    assert both.query == frozenset().union(*(one.query for one in single))


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.lists(st.integers(0, 500), max_size=8), st.binary())
def test_a_chunked_body_ends_where_it_ends(chunks, places, after):
    body = b"".join(b"%X;a=b\r\n%b\r\n" % (len(one), one) for one in chunks) + b"0\r\nx: y\r\n\r\n"
    following, content, used = _Chunks(), b"", 0

    for piece in cut(body + after, places):
        if not following.over:
            got, taken = following.feed(piece)
            content, used = content + got, used + taken

    assert (content, used, following.over) == (b"".join(chunks), len(body), True)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_what_is_no_chunked_body_is_refused_or_goes_on(data):
    following = _Chunks()
    try:
        content, used = following.feed(data)
    except BadMessage:
        return

    assert used <= len(data) and len(content) <= len(data)


@settings(deadline=None)
@given(places=st.lists(st.integers(0, 200), max_size=6))
@pytest.mark.parametrize(
    ("form", "clean"),
    [
        (b"user=Ann&prompt=a+fox&n=1", b"user=[secret]&prompt=a+fox&n=1"),
        (b"prompt=a+fox&user=Ann%20Smith", b"prompt=a+fox&user=[secret]"),
        (b"  \nprompt=user%3DAnn&superuser=Ann", b"  \nprompt=user%3DAnn&superuser=Ann"),
        (b'{"prompt": "see ?a=1&user=2"}', b'{"prompt": "see ?a=1&user=2"}'),
    ],
    ids=["first", "last", "other names", "JSON"],
)
def test_a_bare_field_of_a_form_is_found_by_its_whole_name(form, clean, places):
    assert b"".join(scrubbed(cut(form, places), [], [b"user"])) == clean


def test_a_key_is_found_in_wide_characters_too():
    secrets = secrets_in([("authorization", "Bearer sk-canary-123456")], "/")

    for code in ("utf-8", "utf-16", "utf-16-be"):
        assert b"canary" not in b"".join(scrubbed(["see sk-canary-123456".encode(code)], secrets)).replace(b"\0", b"")
