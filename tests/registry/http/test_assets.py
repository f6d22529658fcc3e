"""Assets over HTTP: ranges, conditions, and types that could run script."""

import json

import pytest

from registry.assets.store import AssetNotFound
from registry.fetch import find_bytes
from registry.http import assets
from registry.indexing import catch_up


@pytest.fixture
def stored(standing, make_png):
    """A recorded picture: its bytes and its address."""
    digest = standing.record(files={"out.png": make_png(5)}).json()["manifest"]["outputs"][0]["digest"]
    return make_png(5), f"/v1/assets/blake3:{digest['blake3']}", f"/v1/assets/sha256:{digest['sha256']}"


def test_the_bytes_come_back_under_either_digest(standing, stored):
    data, *addresses = stored

    for address in addresses:
        answer = standing.client.get(address)
        assert answer.content == data
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("Bytes=5-5", slice(5, 6)),
    ],
)
def test_one_range_of_them(standing, stored, asked, part):
    data, address, _ = stored

    answer = standing.client.get(address, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == data[part]
    assert answer.headers["content-range"].endswith(f"/{len(data)}")


@pytest.mark.parametrize("asked", ["bytes=9-2", "lines=1-2", "bytes=", "bytes=a-b", "bytes=0-1,5-6"])
def test_other_ranges_are_ignored(standing, stored, asked):
    data, address, _ = stored

    answer = standing.client.get(address, headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, data)


def test_a_range_behind_the_end_is_refused(standing, stored):
    data, address, _ = stored

    answer = standing.client.get(address, headers={"Range": "bytes=99999999-"})

    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(data)}")
    assert answer.json()["type"] == "urn:mintmark:problem:range-not-satisfiable"


def test_a_browser_that_has_it_is_told_so(standing, stored):
    _, address, _ = stored
    tag = standing.client.get(address).headers["etag"]

    for condition in (tag, f'"x", W/{tag}', "*"):
        answer = standing.client.get(address, headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (304, b"")
    assert standing.client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_length_and_type(standing, stored):
    data, address, _ = stored

    answer = standing.client.head(address)

    assert (answer.headers["content-length"], answer.content) == (str(len(data)), b"")


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>" * 40,
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' * 20,
        b"\x00\x01unknown" * 200,
    ],
)
def test_what_could_run_script_never_does(standing, draft, make_png, content):
    draft["inputs"] = [{"file": "in.bin", "role": "reference"}]
    asset = standing.record(draft, {"out.png": make_png(), "in.bin": content}).json()
    seen = standing.client.get(f"/v1/generations/{asset['id']}").json()["manifest"]["inputs"][0]

    answer = standing.client.get(f"/v1/assets/sha256:{seen['digest']['sha256']}")

    assert answer.content == content
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].partition(";")[0] in ("text/plain", "application/octet-stream")
    if answer.headers["content-type"] == "application/octet-stream":
        assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_sealed_digest_is_found_too(served, draft):
    draft["outputs"] = [{"file": "talk.txt"}]
    text = b"a short talk about lighthouses"
    full = served.record(draft, {"talk.txt": text}).json()
    assert "$seal" in full["manifest"]["outputs"][0]["digest"]
    digest = served.client.get(f"/v1/generations/{full['id']}").json()["manifest"]["outputs"][0]["digest"]

    answer = served.client.get(f"/v1/assets/blake3:{digest['blake3']}")

    assert (answer.content, answer.headers["content-type"]) == (text, "text/plain; charset=utf-8")


def test_what_is_no_digest_and_what_is_no_asset(standing, stored):
    full = standing.client.get("/v1/generations/@last").json()["id"]

    assert standing.client.get("/v1/assets/../../etc/passwd").status_code == 404
    assert standing.client.get("/v1/assets/abc").json()["type"] == "urn:mintmark:problem:invalid-digest"
    assert standing.client.get(f"/v1/assets/sha256:{'0' * 64}").json()["type"] == "urn:mintmark:problem:asset-not-found"
    assert standing.client.get(f"/v1/assets/{full}").status_code == 404, "a generation's id is no asset's digest"


def test_erased_bytes_are_gone_at_once(served):
    digest = served.record().json()["manifest"]["outputs"][0]["digest"]["blake3"]
    address = f"/v1/assets/blake3:{digest}"
    tag = served.client.get(address).headers["etag"]
    served.registry.assets.remove(digest)

    answer = served.client.get(address, headers={"If-None-Match": tag})

    assert answer.status_code == 404
    assert str(served.registry.home) not in json.dumps(answer.json())


def test_a_digest_that_the_follower_indexes_while_we_look_is_found(served, draft, monkeypatch):
    draft["outputs"] = [{"file": "talk.txt"}]
    full = served.record(draft, {"talk.txt": b"a long talk about lighthouses"}).json()
    digest = served.client.get(f"/v1/generations/{full['id']}").json()["manifest"]["outputs"][0]["digest"]
    looked = []

    def not_yet(registry, wanted):
        found = find_bytes(registry, wanted) if looked else None
        looked.append(wanted)
        if found is None:
            catch_up(registry)  # what the follower does in its own thread, just after the first look
            raise AssetNotFound(str(wanted))
        return found

    monkeypatch.setattr(assets, "find_bytes", not_yet)

    assert served.client.get(f"/v1/assets/sha256:{digest['sha256']}").content == b"a long talk about lighthouses"
    assert len(looked) == 2
