"""Real recorded traffic read into drafts: what an exchange says, and what it does not."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from registry.capture.answers import Answer, document_of, ending_of, facts_of, parsed_answer, payloads_of
from registry.capture.description import load, shipped
from registry.capture.exchange import Exchange, description_of, is_submit, read
from registry.capture.expressions import compile_expression
from registry.capture.hosts import host_allowed
from registry.capture.slots import drop, parse

CASSETTES = Path(__file__).parents[4] / "shared" / "vectors" / "replicate"
IMAGES = shipped().by_id("openai-images")


def recorded(name):
    """The exchanges of one recording, as a recorder would have seen them."""
    if not CASSETTES.exists():
        pytest.skip("needs ../shared/vectors/replicate")
    found = []
    for one in yaml.safe_load((CASSETTES / name).read_text("utf-8"))["interactions"]:
        request, response = one["request"], one["response"]
        content = response.get("content")
        body = content if content is not None else response["body"]["string"]
        found.append(
            Exchange(
                request["method"],
                request["uri"],
                [(key, values[0]) for key, values in request["headers"].items()],
                (request["body"] or "").encode(),
                response.get("status_code") or response["status"]["code"],
                [(key, values[0]) for key, values in response["headers"].items()],
                body.encode() if isinstance(body, str) else body,
            )
        )
    return found


def test_a_recorded_run_is_read_to_its_picture(tmp_path):
    seen = recorded("run.yaml")
    description = shipped().by_id("replicate-predictions")
    submit = next(one for one in seen if is_submit(description, one.method, one.url))
    polls = [one for one in seen if one.method == "GET" and "/v1/predictions/" in one.url]

    under_way = read(description, submit, tmp_path)
    reading = read(description, submit, tmp_path, last=polls[-1])

    assert not under_way.finished and under_way.job == "azaq55dbukgxg6kubr4k6g3pby"
    assert reading.finished and len(reading.wanted) == 1 and reading.wanted[0].startswith("https://replicate.delivery/")
    draft = reading.draft
    assert (draft.model.requested[:8], draft.model.pin) == ("39ed52f2", "hash")
    assert draft.model.served == f"stability-ai/sdxl:{draft.model.requested}"
    assert (draft.seed.requested, draft.seed.actual) == ("42069", "42069")
    assert draft.prompt.submitted == "a studio photo of a rainbow colored corgi"
    assert draft.settings == {"width": 512, "height": 512}
    assert draft.outcome.class_ == "succeeded" and draft.outcome.latency_ms.run > 0
    assert [name for name, _ in draft.request.headers] == ["accept", "content-type", "user-agent"]


def test_a_recorded_wrong_token_is_auth(tmp_path):
    (submit,) = recorded("run__invalid-token.yaml")

    reading = read(shipped().by_id("replicate-predictions"), submit, tmp_path)

    assert reading.finished and reading.draft.outcome.class_ == "auth"
    assert reading.draft.outcome.error == "You did not pass a valid authentication token"


def test_a_recorded_official_model_keeps_its_wish_to_wait(tmp_path):
    submit = recorded("test_models_predictions_create_blockingTrue-True.yaml")[0]
    description = shipped().by_id("replicate-models")

    reading = read(description, submit, tmp_path)

    assert is_submit(description, submit.method, submit.url)
    assert reading.draft.model.requested == "meta/meta-llama-3-8b-instruct"
    assert ["prefer", "wait"] in reading.draft.request.headers
    assert not reading.finished


TRANSCRIBE = """
id = "scribe-{name}"
provider = "scribe"
base_url = "https://api.scribe.example"
hosts = ["api.scribe.example"]
operation = "audio.transcribe"
pin = []
caps = {{ seed = false, idempotency = false, webhook = false, echoes_model = false }}
public = []
template = {{ body = {{}} }}
submit = {{ match = "POST /v1/listen", encode = "multipart", when = "{when}", slots = {{ model = "body.model" }} }}
inputs = {{ audio = {{ at = "body.file", as = "file" }} }}
output = {{ kind = "json" }}
"""


def scribe(tmp_path, name, when):
    path = tmp_path / f"scribe-{name}.toml"
    path.write_text(TRANSCRIBE.format(name=name, when=when), encoding="utf-8")
    return load(path)


def test_of_operations_at_one_address_the_condition_decides(tmp_path):
    fast, slow = scribe(tmp_path, "fast", "body.tier == 'fast'"), scribe(tmp_path, "slow", "query.tier == 'slow'")
    form = b'--b\r\nContent-Disposition: form-data; name="tier"\r\n\r\nfast\r\n--b--\r\n'
    headers, plain = [("content-type", "multipart/form-data; boundary=b")], [("content-type", "application/json")]
    url = "https://api.scribe.example/v1/listen"

    assert description_of([slow, fast], Exchange("POST", url, headers, form, 200)) is fast
    assert description_of([slow, fast], Exchange("POST", f"{url}?tier=slow", plain, b"", 200)) is slow
    assert description_of([slow, fast], Exchange("POST", url, plain, b'{"tier": 7}', 200)) is None
    assert description_of([slow, fast], Exchange("GET", url, plain, b"", 200)) is None


@pytest.mark.parametrize(
    ("kind", "body", "class_"),
    [
        ("application/json", b'{"text": "hello"}', "succeeded"),
        ("text/plain", b"hello there", "succeeded"),
        ("text/html", b"<html>busy</html>", "malformed"),
    ],
)
def test_a_transcript_may_be_json_or_text_and_never_a_web_page(tmp_path, kind, body, class_):
    description = scribe(tmp_path, "any", "`true`")
    submit = Exchange("POST", "https://api.scribe.example/v1/listen", [], b"", 200, [("content-type", kind)], body)

    draft = read(description, submit, tmp_path).draft

    assert draft.outcome.class_ == class_
    assert [Path(one.file).read_bytes().replace(b" ", b"") for one in draft.outputs] == (
        [body.replace(b" ", b"")] if class_ == "succeeded" else []
    )
    assert all(one.role == "transcript" for one in draft.outputs)


def exchange(status=200, body=None, headers=(), request=None):
    asked = {"model": "gpt-image-2", "prompt": "a coin"} if request is None else request
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = [("Content-Type", "application/json"), ("Authorization", "Bearer sk-secret-1"), ("Cookie", "a=sk-secret-1")]
    return Exchange(
        "POST", "https://api.openai.com/v1/images/generations", sent, json.dumps(asked).encode(), status, headers, data
    )


def test_an_answer_that_is_packed_is_unpacked(tmp_path):
    body = gzip.compress(json.dumps({"data": [{"b64_json": "aGVsbG8="}]}).encode())

    reading = read(IMAGES, exchange(body=body, headers=[("Content-Encoding", "gzip")]), tmp_path)

    assert [Path(one.file).read_bytes() for one in reading.draft.outputs] == [b"hello"]


def test_an_answer_that_never_came_is_ambiguous(tmp_path):
    draft = read(IMAGES, exchange(status=None), tmp_path).draft

    assert (draft.outcome.class_, draft.outcome.state, draft.outcome.http_status) == ("ambiguous", "unknown", None)
    assert draft.prompt.submitted == "a coin" and draft.outputs == []


@pytest.mark.parametrize(
    "body", [{"data": [{"b64_json": "%%%"}]}, {"data": []}, {}, b"<html>", [1], {"data": [{"b64_json": 7}]}]
)
def test_an_answer_that_is_not_as_described_is_malformed(tmp_path, body):
    assert read(IMAGES, exchange(body=body), tmp_path).draft.outcome.class_ == "malformed"


def test_fewer_than_asked_for_is_omitted(tmp_path):
    asked = {"model": "gpt-image-2", "prompt": "x", "n": 2}

    draft = read(IMAGES, exchange(body={"data": [{"b64_json": "aGVsbG8="}]}, request=asked), tmp_path).draft

    assert (draft.outputs_requested, draft.outcome.safety) == (2, "omitted")


def test_outputs_that_could_not_be_fetched_are_expired(tmp_path):
    submit, *rest = recorded("run.yaml")[0:1] + [one for one in recorded("run.yaml") if "/v1/predictions/" in one.url]

    reading = read(shipped().by_id("replicate-predictions"), submit, tmp_path, last=rest[-1], given_up=True)

    assert reading.wanted == () and reading.draft.outcome.class_ == "expired"


def test_the_key_and_what_is_redacted_stand_nowhere_in_a_draft(tmp_path):
    asked = {"model": "gpt-image-2", "prompt": "my key is sk-secret-1", "user": "someone@example.com"}
    body = {"error": {"message": "Incorrect API key provided: sk-secret-1", "code": "invalid_api_key"}}

    draft = read(IMAGES, exchange(401, body, [("x-request-id", "r-sk-secret-1")], asked), tmp_path).draft

    assert "sk-secret-1" not in repr(draft) and "someone@example.com" not in repr(draft)
    assert draft.request.body["prompt"] == "my key is [secret]"
    assert draft.prompt.submitted == "my key is [secret]"


@pytest.mark.parametrize("key", ["x", "none", "no-key"])
def test_a_key_too_short_to_be_told_from_words_leaves_the_words_alone(tmp_path, key):
    prompt = "a fox in a box, none of the birds, no-key at all"
    submit = exchange(
        401, {"error": {"message": "none"}}, [("x-request-id", "req_xnone")], {"model": "x", "prompt": prompt}
    )
    submit = replace(
        submit,
        url=f"{submit.url}?api_key={key}&n=x",
        request_headers=[("Content-Type", "application/json"), ("Authorization", f"Bearer {key}")],
    )

    draft = read(IMAGES, submit, tmp_path).draft

    assert (draft.prompt.submitted, draft.outcome.request_id) == (prompt, "req_xnone")
    assert draft.request.query == [["n", "x"]]
    assert draft.request.headers == [["content-type", "application/json"]]


def test_a_number_of_any_size_is_read_and_kept(tmp_path):
    asked = b'{"model":"a","prompt":"x","seed":18446744073709551615,"guidance_scale":1.0}'
    submit = Exchange("POST", "https://api.wavespeed.ai/api/v3/a/b", [("content-type", "application/json")], asked, 200)

    draft = read(shipped().by_id("wavespeed-predictions"), submit, tmp_path).draft

    assert draft.seed.requested == "18446744073709551615"
    assert draft.request.body["guidance_scale"] == {"$num": "1.0"}


def test_facts_come_from_headers_bodies_and_the_depth_of_texts():
    stability, replicate = shipped().by_id("stability-generate").protocol, shipped().by_id("replicate-models").protocol
    logs = {"logs": "Using seed: 1\nretry\nUsing seed: 22\n", "metrics": {"predict_time": 1.25}, "model": "a/b"}

    assert facts_of(stability, Answer(200, {"seed": "7"})).actual_seed == "7"
    told = facts_of(replicate, Answer(200, {}, logs))
    assert (told.actual_seed, told.run_ms) == ("22", 1250), "the last one counts"
    assert facts_of(replicate, Answer(200, {}, {"logs": 7, "metrics": "soon"})).run_ms is None


@pytest.mark.parametrize("body", [None, 7, "text", [], {"error": "text"}, {"error": {"code": 7}}, {"data": None}])
def test_rules_and_facts_stand_any_answer(body):
    for description in shipped():
        if description.protocol is not None:
            answer = Answer(500, {}, body)
            assert ending_of(description.protocol, answer, failed=True).class_ == "retryable"
            assert facts_of(description.protocol, answer).cost is None


def test_base64_may_come_as_a_data_url():
    assert payloads_of(IMAGES.protocol, Answer(200, {}, {"data": [{"b64_json": "data:image/png;base64,aGk="}]})) == [
        b"hi"
    ]


@pytest.mark.parametrize(
    ("netloc", "hosts", "allowed"),
    [
        ("api.openai.com", ["api.openai.com"], True),
        ("API.OpenAI.com", ["api.openai.com"], True),
        ("api.openai.com:444", ["api.openai.com"], False),
        ("api.openai.com.evil.example", ["api.openai.com"], False),
        ("evilopenai.com", ["*.openai.com"], False),
        ("eu.openai.com", ["*.openai.com"], True),
        ("openai.com", ["*.openai.com"], False),
        ("user@api.openai.com", ["api.openai.com"], False),
        ("", ["*.openai.com"], False),
    ],
)
def test_a_key_goes_to_named_hosts_alone(netloc, hosts, allowed):
    assert host_allowed(netloc, hosts) is allowed


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("a", {"b": [{"c": 1, "d": 2}, {"d": 3}]}),
        ("b[].c", {"a": 1, "b": [{"d": 2}, {"d": 3}]}),
        ("b[1]", {"a": 1, "b": [{"c": 1, "d": 2}]}),
        ("b[]", {"a": 1, "b": []}),
        ("x.y", {"a": 1, "b": [{"c": 1, "d": 2}, {"d": 3}]}),
        ("a.y", {"a": 1, "b": [{"c": 1, "d": 2}, {"d": 3}]}),
    ],
)
def test_members_are_dropped_where_they_are(path, left):
    document = {"a": 1, "b": [{"c": 1, "d": 2}, {"d": 3}]}

    assert drop(document, parse(path)) == left
    assert document == {"a": 1, "b": [{"c": 1, "d": 2}, {"d": 3}]}


def test_an_expression_that_meets_another_type_finds_nothing():
    assert compile_expression("length(a)").find({"a": 7}) is None
    assert compile_expression("a").text_of({"a": 2.0}) == "2"
    assert compile_expression("a").text_of({"a": True}) is None
    assert compile_expression({"expr": "a", "scale": 1000}).whole({"a": "1.5"}) == 1500
    assert compile_expression("a").texts({"a": ["x", ["y"], None, 3]}) == ["x", "y"]


def test_a_document_keeps_its_numbers_its_order_and_half_a_pair():
    description = shipped().by_id("openai-transcriptions")
    data = b'{"text": "caf\\u00e9 \\ud800", "start": 0.0, "end": 1.50, "exact": 12345678901234567890}'

    kept = document_of(description, parsed_answer(200, {}, data))

    assert list(json.loads(kept).items()) == list(json.loads(data).items())
    assert "caf\u00e9".encode() in kept and b"$num" not in kept and b'"start": 0.0' in kept
    assert document_of(description, Answer(200)) is None
    assert document_of(shipped().by_id("deepgram-listen"), Answer(200, body={"request_id": "x"})) is None
