"""Recording, listing and reading generations over real HTTP."""

import base64
import json

import pytest

from registry.indexing import catch_up
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.proof import LogProof
from registry.manifest import Manifest
from registry.signing import open_envelope


def test_a_recorded_picture_comes_back_with_its_facts(served, make_png):
    answer = served.record(files={"out.png": make_png(7)})

    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["location"] == f"/v1/generations/{told['id']}"
    assert told["new"] is True
    assert told["manifest"]["outputs"][0]["media"] == {"kind": "image", "width": 64, "height": 48, "mode": "RGB"}
    assert (
        served.client.get(answer.headers["location"]).json()["manifest"]["prompt"]["submitted"]
        == "a lighthouse at dusk"
    )


def test_the_answer_is_the_manifest_that_was_stored(served):
    told = served.record().json()

    stored = served.registry.catalog.get(told["id"]).body

    assert Manifest.trusted(stored).to_json() == told["manifest"]
    assert "lighthouse" not in stored.decode()


def test_the_same_exchange_is_recorded_once(served, draft):
    draft["exchange_id"] = "exchange-0001"

    first, again = served.record(draft), served.record(draft)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"new": False}


def test_another_draft_under_one_exchange_is_refused(served, draft):
    draft["exchange_id"] = "exchange-0001"
    served.record(draft)

    answer = served.record(draft | {"prompt": {"submitted": "another"}})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mintmark:problem:exchange-conflict"


def test_a_stored_asset_can_be_named_by_its_digest(served, draft):
    output = served.record().json()["manifest"]["outputs"][0]
    draft["outputs"] = [{"digest": f"sha256:{output['digest']['sha256']}"}]

    answer = served.client.post("/v1/generations", files={"draft": (None, json.dumps(draft))})

    assert answer.status_code == 201
    assert answer.json()["manifest"]["outputs"][0]["digest"] == output["digest"]


def test_a_description_that_is_known_completes_the_draft(served):
    told = served.record(
        {
            "provider": {"name": "procedural"},
            "model": {"requested": "procedural-image@1"},
            "operation": "image.generate",
            "prompt": {"submitted": "hills"},
            "outputs": [{"file": "out.png"}],
        }
    ).json()["manifest"]

    assert told["model"]["pin"] == "build"
    assert told["request"]["origin"] == "templated"


@pytest.mark.parametrize(
    ("body", "kind", "pointer"),
    [
        (b'{"provider": {"name": "a", "name": "b"}}', "not-canonical", "/provider/name"),
        (b'{"settings": {"x": NaN}}', "not-canonical", "/settings/x"),
        (b'{"provider": {"name": "a"}', "not-canonical", ""),
        (b'{"provider": {"name": "a"}, "model": {"requested": 7}}', "schema-mismatch", "/model/requested"),
        (b"[]", "schema-mismatch", ""),
        (b"\xff", "not-canonical", ""),
    ],
)
def test_a_draft_with_a_mistake_is_refused_where_it_stands(standing, body, kind, pointer):
    answer = standing.record(body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:mintmark:problem:{kind}"
    assert answer.json()["pointer"] == pointer


def test_parts_and_draft_must_name_the_same_files(served, draft, make_png):
    unnamed = served.record(draft, {"out.png": make_png(), "stray.png": make_png(2)})
    missing = served.client.post("/v1/generations", files={"draft": (None, json.dumps(draft))})
    none = served.client.post("/v1/generations", files={"out.png": ("out.png", make_png())})

    assert (unnamed.status_code, unnamed.json()["type"]) == (422, "urn:mintmark:problem:part-not-named")
    assert (missing.status_code, missing.json()["type"]) == (422, "urn:mintmark:problem:file-missing")
    assert (none.status_code, none.json()["type"]) == (422, "urn:mintmark:problem:draft-missing")
    assert list((served.registry.home / "assets" / "staged").iterdir()) == []


def test_what_is_no_media_is_refused_and_leaves_nothing(served):
    answer = served.record(files={"out.png": b"\x00not a picture" * 100})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mintmark:problem:media-unreadable"
    assert list((served.registry.home / "assets" / "staged").iterdir()) == []
    assert served.registry.catalog.generations() == 0


def test_an_upload_beyond_the_limit_is_refused(tmp_path, serve_at, make_png):
    with serve_at(tmp_path / ".mintmark", max_bytes=1000) as served:
        answer = served.record(files={"out.png": make_png(1, (400, 400))})

        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:mintmark:problem:upload-too-large"
        assert list((served.registry.home / "assets" / "staged").iterdir()) == []
        assert served.client.get("/healthz").status_code == 200


def test_too_many_pixels_are_refused(tmp_path, serve_at, make_png):
    with serve_at(tmp_path / ".mintmark", max_pixels=1000) as served:
        answer = served.record(files={"out.png": make_png()})

        assert (answer.status_code, answer.json()["type"]) == (413, "urn:mintmark:problem:media-too-large")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"x", 415),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=", 400),
        ("multipart/form-data; boundary=b", b"--c\r\n\r\n", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(standing, content_type, body, status):
    answer = standing.client.post("/v1/generations", content=body, headers={"content-type": content_type})

    assert answer.status_code == status
    assert answer.json()["type"].startswith("urn:mintmark:problem:")


def test_a_form_with_two_parts_of_one_name_is_refused(standing, make_png):
    part = ("out.png", ("out.png", make_png()))

    answer = standing.client.post("/v1/generations", files=[("draft", (None, "{}")), part, part])

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:mintmark:problem:form-malformed")


def test_a_large_upload_arrives_whole(served, draft):
    samples = 3_000_000  # 6 MB of 16-bit sound: several pieces of 1 MiB
    wav = _wav(bytes(range(256)) * (2 * samples // 256))
    draft["outputs"] = [{"file": 'the "loud" one.wav'}]

    told = served.record(draft, {'the "loud" one.wav': wav}).json()

    asset = told["manifest"]["outputs"][0]
    assert asset["bytes"] == len(wav)
    assert served.client.get(f"/v1/assets/blake3:{asset['digest']['blake3']}").content == wav


def test_pages_cover_everything_once_in_order(served, draft, make_png):
    ids = [served.record(draft, {"out.png": make_png(n)}).json()["id"] for n in range(5)]
    seen, cursor = [], None

    while True:
        page = served.client.get("/v1/generations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [row["id"] for row in page["generations"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert seen == ids[::-1]


def test_filters_narrow_the_list(served, draft, make_png):
    wanted = served.record(draft | {"labels": {"app": "shop"}}, {"out.png": make_png(1)}).json()["id"]
    served.record(draft | {"model": {"requested": "other"}, "prompt": {"submitted": "hills"}}, {"out.png": make_png(2)})

    for query in ({"label": "app=shop"}, {"model": "gpt-image-2-2026-04-21"}, {"prompt": "dusk lighthouse"}):
        found = served.client.get("/v1/generations", params=query).json()["generations"]
        assert [row["id"] for row in found] == [wanted]
    assert len(served.client.get("/v1/generations", params={"since": "1d"}).json()["generations"]) == 2


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1001}, {"cursor": "x"}, {"since": "soon"}, {"label": "noequals"}, {"promt": "x"}]
)
def test_a_query_with_a_mistake_is_refused(standing, query):
    answer = standing.client.get("/v1/generations", params=query)

    assert answer.status_code == 422
    assert answer.json()["type"].startswith("urn:mintmark:problem:")


def test_a_prefix_names_a_generation_and_the_wrong_one_none(served):
    full = served.record().json()["id"]

    assert served.client.get(f"/v1/generations/{full[7:19]}").json()["id"] == full
    assert served.client.get("/v1/generations/@last").json()["id"] == full
    assert served.client.get("/v1/generations/00000000").status_code == 404
    assert served.client.get("/v1/generations/xyz").status_code == 422


def test_lineage_reaches_ancestors_and_descendants(served, draft, make_png):
    first = served.record(draft, {"out.png": make_png(1)}).json()["id"]
    parents = [{"id": first, "relation": "edit"}]
    second = served.record(draft | {"parents": parents}, {"out.png": make_png(2)}).json()["id"]
    replay = served.record(draft | {"replay_of": second}, {"out.png": make_png(3)}).json()["id"]
    served.record(draft | {"parents": parents}, {"out.png": make_png(4)})  # a sibling of second

    told = served.client.get(f"/v1/generations/{second}/lineage").json()

    assert told["complete"] is True
    assert {(edge["child"], edge["parent"], edge["relation"]) for edge in told["edges"]} == {
        (second, first, "edit"),
        (replay, second, "replay"),
    }
    assert [one["known"] for one in told["generations"]] == [True, True, True]
    assert [one["id"] for one in served.client.get(f"/v1/generations/{second}/replays").json()["replays"]] == [replay]


def test_the_statement_verifies_with_the_recorders_key(served):
    told = served.record().json()

    envelope = served.client.get(f"/v1/generations/{told['id']}/statement").content

    statement = open_envelope(envelope)
    statement.verify(served.registry.recorder.public)
    assert statement.record == served.registry.catalog.get(told["id"]).body
    assert json.loads(base64.b64decode(json.loads(envelope)["payload"]))["predicate"] == told["manifest"]


def test_the_proof_holds_at_once_and_leads_to_a_signed_checkpoint(served):
    told = served.record().json()

    proof = LogProof.parse(served.client.get(f"/v1/generations/{told['id']}/proof").content)

    proof.verify_inclusion()
    key = VerifierKey(served.registry.snapshot.origin, served.registry.log_signer.public)
    proof.checkpoint.verify([key])
    assert told["id"] in proof.body.decode()
    newest = Checkpoint.parse(served.client.get("/v1/log/checkpoint").content)
    assert newest.size == proof.checkpoint.size


def test_an_erased_prompt_is_gone_from_the_answer(served):
    told = served.record().json()
    catch_up(served.registry)
    served.registry.vault.erase([(told["id"], "/prompt/submitted")])

    seen = served.client.get(f"/v1/generations/{told['id']}").json()

    assert seen["seals"]["/prompt/submitted"] == "missing"
    assert seen["manifest"]["prompt"]["submitted"] == told["manifest"]["prompt"]["submitted"]


def _wav(samples):
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
    head += (24000).to_bytes(4, "little") + (48000).to_bytes(4, "little") + b"\x02\0\x10\0"
    return head + b"data" + len(samples).to_bytes(4, "little") + samples
