"""Stored requests and their bytes: what is read from the wire goes out again, whatever was in it."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.canonical import canonical, parse
from registry.capture.description import shipped
from registry.capture.errors import SlotMismatch, UnknownSlot
from registry.capture.request import (
    Placed,
    path_matches,
    read_slot,
    request_digest,
    settings_of,
    template_request,
    write_slot,
)
from registry.capture.wire import read_wire, sent_ahead, wire, with_addresses
from registry.digest import digests_of
from registry.manifest import Request

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


class Store:
    """Payloads by SHA-256, as files."""

    def __init__(self, folder):
        self.folder = folder

    def lift(self, data):
        digests = digests_of(data)
        (self.folder / digests.sha256).write_bytes(data)
        return digests.to_json()

    def fetch(self, digest):
        return self.folder / digest["sha256"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("payloads"))


def sent(request, store):
    ready = wire(request, store.fetch)
    data = b"".join(ready.content())
    assert len(data) == ready.length
    return ready, data


def through_a_manifest(request):
    """As canonical JSON and back: the only way a request is ever stored."""
    return Request(**parse(canonical(msgspec.to_builtins(request))))


@given(body=st.dictionaries(texts, values, max_size=4))
@settings(deadline=None)
def test_json_that_was_read_says_the_same_when_sent(store, body):
    data = json.dumps(body).encode()

    request = read_wire("POST", "/v1/x", "", [["content-type", "application/json"]], data, store.lift)
    _, again = sent(through_a_manifest(request), store)

    assert json.loads(again) == json.loads(data)
    repeated = read_wire("POST", "/v1/x", "", [["content-type", "application/json"]], again, store.lift)
    assert request_digest(repeated) == request_digest(request), "reading what was sent gives the same request"


names = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='"\\%'), min_size=1, max_size=8)
parts = st.lists(
    st.tuples(
        names, st.none() | names, st.none() | st.sampled_from(["image/png", "text/plain"]), st.binary(max_size=64)
    ),
    max_size=5,
)


@given(parts=parts, cut=st.binary(max_size=4))
@settings(deadline=None)
def test_a_form_that_was_read_has_the_same_parts_when_sent(store, parts, cut):
    boundary = b"b0und4ry-of-nobody"
    data = b""
    for name, filename, media_type, content in parts:
        data += b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"'
        data += b'; filename="' + filename.encode() + b'"' if filename is not None else b""
        data += b"\r\nContent-Type: " + media_type.encode() if media_type else b""
        data += b"\r\n\r\n" + content + cut + b"\r\n"
    data += b"--" + boundary + b"--\r\n"
    headers = [["content-type", f"multipart/form-data; boundary={boundary.decode()}"]]

    request = read_wire("POST", "/v1/x", "", headers, data, store.lift)
    ready, again = sent(through_a_manifest(request), store)
    repeated = read_wire("POST", "/v1/x", "", [list(pair) for pair in ready.headers], again, store.lift)

    assert [(p["name"], p["filename"], p["media_type"]) for p in request.parts] == [part[:3] for part in parts]
    assert repeated.parts == request.parts
    assert boundary.decode() not in json.dumps(request.headers), "a boundary is drawn at random: it is not kept"


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}', b"[1, 2"])
def test_what_is_no_plain_json_is_sent_as_the_very_bytes(store, data):
    request = read_wire("POST", "/v1/x", "a=1&a=2&b=", [["content-type", "application/json"]], data, store.lift)

    ready, again = sent(through_a_manifest(request), store)

    assert again == (data or b"null")
    assert ready.target == "/v1/x?a=1&a=2&b="
    assert dict(ready.headers)["content-type"] == "application/json"


def test_only_headers_that_say_what_is_wanted_go_out_again(store):
    headers = [["content-type", "application/json"], ["user-agent", "x/1"], ["prefer", "wait"], ["accept", "*/*"]]

    ready, _ = sent(read_wire("POST", "/x", "", headers, b"{}", store.lift), store)

    assert dict(ready.headers) == {"content-type": "application/json", "prefer": "wait", "accept": "*/*"}


def placed(store, role, data=b"\x89PNG some bytes", media_type="image/png"):
    return Placed(role, store.lift(data), len(data), media_type)


def test_a_template_is_filled_by_path_body_and_type():
    request = template_request(
        shipped().by_id("wavespeed-predictions"),
        {"model": "a/b c", "prompt": "x", "seed": "7", "guidance_scale": "2.5"},
    )

    assert request.path == "/api/v3/a/b%20c"
    assert request.body == {"prompt": "x", "seed": 7, "guidance_scale": 2.5}
    assert (request.origin, request.method) == ("templated", "POST")


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("openai-images", {"model": "m", "colour": "red"}, UnknownSlot),
        ("openai-images", {"model": "m", "n": "three"}, SlotMismatch),
        ("wavespeed-predictions", {"prompt": "x"}, SlotMismatch),
    ],
)
def test_a_template_refuses_what_it_cannot_say(name, values, error):
    with pytest.raises(error):
        template_request(shipped().by_id(name), values)


def test_a_role_without_a_place_is_refused(store):
    with pytest.raises(SlotMismatch, match="it takes: image, mask"):
        template_request(shipped().by_id("openai-image-edits"), {"model": "m"}, [placed(store, "audio")])
    with pytest.raises(SlotMismatch, match="room for one"):
        two = [placed(store, "image"), placed(store, "image", b"other bytes of another")]
        template_request(shipped().by_id("replicate-models"), {"model": "a/b"}, two)


@pytest.mark.parametrize("name", ["openai-images", "openai-image-edits", "wavespeed-predictions", "replicate-models"])
def test_slots_are_read_and_written_wherever_they_stand(store, name):
    description = shipped().by_id(name)
    request = template_request(description, {"model": "a/one", "prompt": "a coin", "output_format": "png"})

    other = write_slot(description, request, "model", "a/two")

    assert read_slot(description, request, "model") == "a/one"
    assert read_slot(description, other, "model") == "a/two"
    assert read_slot(description, other, "prompt") == "a coin"
    assert settings_of(description, other)["output_format"] == "png"
    assert write_slot(description, other, "model", "a/one") == request
    assert request_digest(other) != request_digest(request)
    with pytest.raises(UnknownSlot):
        write_slot(description, request, "colour", "red")


def test_an_upload_stands_for_its_file_until_it_has_an_address(store):
    description = shipped().by_id("wavespeed-predictions")
    one, two = placed(store, "images"), placed(store, "images", b"other bytes")
    request = template_request(description, {"model": "a/b", "prompt": "x"}, [one, two, one])

    ahead = sent_ahead(request)
    ready = with_addresses(request, {asset["digest"]["sha256"]: f"https://f/{n}" for n, asset in enumerate(ahead)})

    assert len(ahead) == 2, "a file that stands twice is sent once"
    assert ready.body["images"] == ["https://f/0", "https://f/1", "https://f/0"]
    assert request.body["images"][0]["$asset"]["bytes"] == one.bytes


@pytest.mark.parametrize(
    ("name", "method", "path", "fits"),
    [
        ("openai-images", "POST", "/v1/images/generations", True),
        ("openai-images", "GET", "/v1/images/generations", False),
        ("openai-images", "POST", "/v1/images/generations/x", False),
        ("wavespeed-predictions", "POST", "/api/v3/wavespeed-ai/flux-dev", True),
        ("wavespeed-predictions", "POST", "/api/v3/media/uploads", False),
        ("replicate-models", "POST", "/v1/models/a/b/predictions", True),
        ("replicate-models", "POST", "/v1/predictions", False),
        ("replicate-predictions", "POST", "/v1/predictions", True),
        ("replicate-predictions", "POST", "/v1/predictions/x/cancel", False),
        ("google-gemini-images", "POST", "/v1beta/models/gemini-3-pro-image:generateContent", True),
        ("google-gemini-images", "POST", "/v1/models/gemini-3-pro-image:generateContent", True),
        ("google-gemini-images", "POST", "/v1/models/gemini-3.5-flash:generateContent", False),
        ("google-gemini-images", "POST", "/v1/models/gemini-3-pro-image:streamGenerateContent", False),
        ("google-gemini-images", "POST", "/v1/a/models/gemini-3-pro-image:generateContent", False),
        ("elevenlabs-speech", "POST", "/v1/text-to-speech/voice-1", True),
        ("elevenlabs-speech", "POST", "/v1/text-to-speech/voice-1/with-timestamps", False),
        ("bfl-generate", "POST", "/v1/flux-tools/video-upscale-v1", True),
        ("fal-queue", "POST", "/fal-ai/flux/dev", True),
    ],
)
def test_a_request_is_known_by_method_and_path(name, method, path, fits):
    assert path_matches(shipped().by_id(name), method, path) is fits
