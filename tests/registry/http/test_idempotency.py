"""``Idempotency-Key``: one key, one answer."""

import json
import socket
import time

import pytest

KEY = {"Idempotency-Key": "order-4711"}


def test_the_same_key_and_request_give_the_same_answer_across_a_restart(tmp_path, serve_at):
    with serve_at(tmp_path / ".mintmark") as served:
        first = served.record(**KEY)
        again = served.record(**KEY)
    with serve_at(tmp_path / ".mintmark") as served:
        later = served.record(**KEY)
        assert served.registry.catalog.generations() == 1

    assert (first.status_code, again.status_code, later.status_code) == (201, 200, 200)
    assert first.json()["id"] == again.json()["id"] == later.json()["id"]


def test_another_request_under_the_key_is_refused(served, draft, make_png):
    first = served.record(**KEY).json()["id"]

    words = served.record(draft | {"prompt": {"submitted": "another"}}, **KEY)
    bytes_ = served.record(draft, {"out.png": make_png(2)}, **KEY)

    for answer in (words, bytes_):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:mintmark:problem:idempotency-key-reused"
        assert first in answer.json()["detail"]


def test_a_refused_request_does_not_use_the_key_up(served, draft):
    assert served.record({**draft, "promt": 1}, **KEY).status_code == 422

    assert served.record(draft, **KEY).status_code == 201


def test_other_keys_are_other_generations(served):
    first = served.record(**{"Idempotency-Key": "a"})
    second = served.record(**{"Idempotency-Key": "b"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_the_key_itself_is_not_stored(served):
    told = served.record(**KEY).json()

    assert "4711" not in json.dumps(told)


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
def test_a_malformed_key_is_refused(standing, key):
    answer = standing.record(**{"Idempotency-Key": key.encode("latin-1")})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:mintmark:problem:idempotency-key-malformed")


def test_a_key_and_an_exchange_id_contradict_each_other(standing, draft):
    answer = standing.record(draft | {"exchange_id": "exchange-0001"}, **KEY)

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/exchange_id")


def test_a_key_that_is_in_flight_asks_to_wait(served):
    host, port = served.client.base_url.host, served.client.base_url.port
    with socket.create_connection((host, port)) as slow:
        slow.sendall(
            f"POST /v1/generations HTTP/1.1\r\nHost: {host}:{port}\r\nIdempotency-Key: order-4711\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n".encode()
        )
        for _ in range(10):  # the server reads what came first, first
            served.client.get("/healthz")

        answer = served.record(**KEY)

        assert answer.status_code == 409
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["type"] == "urn:mintmark:problem:idempotency-key-in-flight"
    deadline = time.monotonic() + 10
    while (answer := served.record(**KEY)).status_code == 409 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code in (200, 201)
