"""The proxy on real sockets, before a provider that does as a test says."""

import asyncio
import base64
import hashlib
import http.client
import json
import random
import socket
import struct
import threading
import zlib

import pytest
from emulator import media

PATH = "/openai/v1/images/generations"
DONE = json.dumps({"data": []}).encode()
JSON = {"content-type": "application/json"}


def connect(served):
    return http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)


def raw(served):
    return socket.create_connection(("127.0.0.1", served.port), timeout=20)


def plain(body=DONE, status="200 OK", headers=()):
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answering(upstream, *answers):
    """Each request with a length gets the next answer."""
    left = list(answers)

    async def answer(reader, writer):
        while (head := await upstream.head(reader)) is not None:
            length = int(dict((name.lower(), value) for name, value in head[1]).get("content-length", 0))
            upstream.body = await reader.readexactly(length)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()

    upstream.answer = answer


def test_a_thousand_exchanges_keep_every_byte_both_ways(upstream, fronted):
    seen = {}

    async def answer(reader, writer):
        while (head := await upstream.head(reader)) is not None:
            headers = {name.lower(): value for name, value in head[1]}
            body = await taken(reader, headers)
            number = int(headers["x-number"])
            seen[number] = hashlib.sha256(body).hexdigest(), head[0], headers.get("content-encoding")
            writer.write(varied(number)[1])
            await writer.drain()

    upstream.answer = answer
    connection = connect(fronted)
    for number in range(1000):
        request, _, content = varied(number)
        connection.request(**request, encode_chunked=request["headers"].get("transfer-encoding") == "chunked")
        got = connection.getresponse()
        data = got.read()

        sent = request["body"] if isinstance(request["body"], bytes) else b"".join(request["body"])
        line = f"{request['method']} {request['url'].removeprefix('/openai')} HTTP/1.1"
        assert seen[number] == (hashlib.sha256(sent).hexdigest(), line, request["headers"].get("content-encoding"))
        assert (hashlib.sha256(data).hexdigest(), got.status) == (hashlib.sha256(content[0]).hexdigest(), content[1])
        assert got.headers["x-answer"] == str(number) and got.headers["content-encoding"] == content[2]
        assert (got.headers["transfer-encoding"] == "chunked") is content[3]


def varied(number):
    """Request, answer on the wire, and its content, status, coding and whether it is chunked; by number."""
    dice = random.Random(number)
    data = dice.randbytes(dice.choice([0, 1, 100, 5_000, 70_000]))
    chunks = [data[at : at + 4_096] for at in range(0, len(data), 4_096)]
    chunked_up, chunked_down = dice.random() < 0.3, dice.random() < 0.4
    headers = {"x-number": str(number), "content-type": "application/octet-stream"}
    if chunked_up:
        headers["transfer-encoding"] = "chunked"
    if dice.random() < 0.2:
        headers["content-encoding"] = "gzip"  # of whatever it is: nobody on the way may look into it
    method = dice.choice(["POST", "POST", "PUT", "PATCH", "DELETE"])
    path = dice.choice([PATH, f"/openai/v1/files/{number}?a=%20b&a=c", "/openai/v1/%C3%A9//x;y"])
    request = {"method": method, "url": path, "body": chunks if chunked_up else data, "headers": headers}
    content = dice.randbytes(dice.choice([0, 1, 1_000, 90_000]))
    coding = "deflate" if dice.random() < 0.3 else None
    if coding:
        content = zlib.compress(content)
    status = dice.choice([200, 200, 201, 400, 429, 500])
    lines = [f"HTTP/1.1 {status} Whatever It Says", f"x-answer: {number}", "content-type: application/octet-stream"]
    lines += [f"content-encoding: {coding}"] if coding else []
    if chunked_down:
        pieces = [content[at : at + 7_777] for at in range(0, len(content), 7_777)]
        body = b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nx-trailer: 1\r\n\r\n"
        lines.append("transfer-encoding: chunked")
    else:
        body = content
        lines.append(f"content-length: {len(content)}")
    return request, ("\r\n".join(lines) + "\r\n\r\n").encode() + body, (content, status, coding, chunked_down)


async def taken(reader, headers):
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    pieces = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(pieces)


def test_events_arrive_one_by_one(upstream, fronted):
    first_may_go, second_may_go = threading.Event(), threading.Event()

    async def answer(reader, writer):
        await upstream.head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await writer.drain()
        if not await asyncio.to_thread(first_may_go.wait, 5):
            return
        writer.write(b"6\r\ndata:1\r\n")
        await writer.drain()
        if not await asyncio.to_thread(second_may_go.wait, 5):
            return
        writer.write(b"6\r\ndata:2\r\n0\r\n\r\n")
        await writer.drain()

    upstream.answer = answer
    connection = connect(fronted)
    connection.request("POST", PATH, b"{}", JSON)
    got = connection.getresponse()  # the head is here though no event is
    first_may_go.set()
    first = got.read(6)  # and the first event, though the second is held back
    second_may_go.set()

    assert (first, got.read()) == (b"data:1", b"data:2")


def test_a_picture_that_came_as_events_is_recorded_as_a_picture(upstream, fronted):
    coded = base64.b64encode(media.png("events")).decode()
    events = [
        {"type": "image_generation.partial_image", "b64_json": "AAAA", "partial_image_index": 0},
        {"type": "image_generation.completed", "b64_json": coded, "usage": {"output_tokens": 272}},
    ]
    stream = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode()
    headers = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    answering(upstream, f"{headers}content-length: {len(stream)}\r\n\r\n".encode() + stream)
    connection = connect(fronted)

    connection.request("POST", PATH, b'{"model": "gpt-image-2", "prompt": "p", "stream": true}', JSON)
    got = connection.getresponse().read()

    assert got == stream
    [made] = fronted.recorded()
    assert (made.outcome.class_, made.cost.units["output_tokens"]) == ("succeeded", 272)
    assert [output.digest["sha256"] for output in made.outputs] == [hashlib.sha256(media.png("events")).hexdigest()]


def test_headers_of_one_hop_stay_there_and_the_rest_goes_on(upstream, fronted):
    hop = ("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5")
    answering(upstream, plain(headers=("X-Kept: yes", *hop, "Set-Cookie: a=1", "Set-Cookie: b=2")))
    connection = connect(fronted)
    headers = {
        "Connection": "keep-alive, x-private", "X-Private": "1", "TE": "trailers", "X-Mintmark-Workflow": "hero",
        "X-Mintmark-Label": "app=shop", "X-Mintmark-Subject": "Ann", "Authorization": "Bearer key", "X-Case": "As Is",
        "Accept-Encoding": "gzip, br", "User-Agent": "mine",
    }  # fmt: skip

    connection.request("POST", PATH + "?q=1", b'{"model": "m", "prompt": "p"}', JSON | headers)
    got = connection.getresponse()

    assert got.read() == DONE
    start, sent = upstream.heads[0]
    assert start == "POST /v1/images/generations?q=1 HTTP/1.1"
    told = {name: value for name, value in sent}
    assert told["Host"] == f"127.0.0.1:{upstream.port}"
    assert (told["Authorization"], told["X-Case"], told["User-Agent"]) == ("Bearer key", "As Is", "mine")
    gone = {"connection", "x-private", "te", "x-mintmark-workflow", "x-mintmark-label", "x-mintmark-subject"}
    assert not gone & {name.lower() for name in told}
    assert "gzip" in told["Accept-Encoding"]
    assert (got.headers["X-Kept"], got.headers["X-Hop"], got.headers["Keep-Alive"]) == ("yes", None, None)
    assert got.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    [manifest] = fronted.recorded()
    assert (manifest.context.workflow, manifest.labels) == ("hero", {"app": "shop"})
    assert fronted.opened("/context/subject") == ["Ann"]


def test_redirects_are_the_callers_to_follow(upstream, fronted):
    answering(upstream, plain(b"", "307 Temporary Redirect", ("Location: https://elsewhere.example/x",)))
    connection = connect(fronted)

    connection.request("POST", PATH, b"{}", JSON)
    got = connection.getresponse()
    got.read()

    assert (got.status, got.headers["Location"]) == (307, "https://elsewhere.example/x")
    assert len(upstream.heads) == 1


def test_a_caller_that_hangs_up_is_recorded_and_the_provider_hears_of_it(upstream, fronted):
    hung_up = threading.Event()

    async def answer(reader, writer):
        head = await upstream.head(reader)
        await reader.readexactly(int(dict(head[1])["Content-Length"]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{")
        await writer.drain()
        try:
            if await reader.read() == b"":
                hung_up.set()
        except OSError:
            hung_up.set()

    upstream.answer = answer
    connection = connect(fronted)
    connection.request("POST", PATH, b'{"model": "gpt-image-2", "prompt": "p"}', JSON)
    got = connection.getresponse()
    got.read(1)
    got.close()
    connection.close()

    assert hung_up.wait(10)
    [manifest] = fronted.recorded()
    assert (manifest.outcome.class_, manifest.outcome.state) == ("ambiguous", "unknown")
    assert fronted.opened("/outcome/error") == ["the caller hung up before the answer was whole"]


def test_a_caller_that_hangs_up_before_any_answer_is_recorded(upstream, fronted):
    arrived = threading.Event()

    async def answer(reader, writer):
        await upstream.head(reader)
        arrived.set()
        await reader.read()

    upstream.answer = answer
    connection = connect(fronted)
    connection.request("POST", PATH, b'{"model": "gpt-image-2", "prompt": "p"}', JSON)
    assert arrived.wait(10)
    connection.close()

    [manifest] = fronted.recorded()
    assert manifest.outcome.class_ == "ambiguous"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"], ids=["none", "half"])
def test_an_answer_that_is_cut_is_cut_for_the_caller_too(upstream, fronted, answer):
    async def cut(reader, writer):
        head = await upstream.head(reader)
        await reader.readexactly(int(dict(head[1])["Content-Length"]))
        writer.write(answer)
        await writer.drain()

    upstream.answer = cut
    connection = connect(fronted)
    connection.request("POST", PATH, b'{"model": "gpt-image-2", "prompt": "p"}', JSON)

    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse().read()

    [manifest] = fronted.recorded()
    assert (manifest.outcome.class_, manifest.outcome.http_status) == ("ambiguous", None)
    assert len(upstream.heads) == 1


def test_a_provider_that_cannot_be_reached_is_said_so_and_nothing_is_recorded(upstream, fronted):
    place = fronted.recorder.known.places["openai"]
    object.__setattr__(place, "base_url", "http://127.0.0.1:1")
    connection = connect(fronted)

    connection.request("POST", PATH, b"{}", JSON)
    got = connection.getresponse()

    assert got.status == 502
    assert "nothing was sent" in json.loads(got.read())["error"]["message"]
    assert fronted.recorded() == []


def test_an_idle_provider_that_closes_closes_the_callers_connection_too(upstream, fronted):
    async def once(reader, writer):
        await upstream.head(reader)
        writer.write(plain())
        await writer.drain()

    upstream.answer = once
    connection = connect(fronted)
    connection.request("GET", "/openai/v1/models")
    connection.getresponse().read()

    assert connection.sock.recv(1) == b""  # so that the caller knows before it sends again


def test_an_upload_is_asked_for_first_where_the_caller_wants_that(upstream, fronted):
    async def answer(reader, writer):
        head = await upstream.head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        upstream.body = await reader.readexactly(int(dict(head[1])["Content-Length"]))
        writer.write(plain())
        await writer.drain()

    upstream.answer = answer
    with raw(fronted) as line:
        line.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"hello")
        got = line.recv(1000)

    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert upstream.body == b"hello"


def test_an_answer_that_comes_early_is_passed_on_before_the_upload_ends(upstream, fronted):
    async def answer(reader, writer):
        await upstream.head(reader)
        writer.write(plain(b'{"error": {"message": "too large"}}', "413 Payload Too Large", ("connection: close",)))
        await writer.drain()

    upstream.answer = answer
    with raw(fronted) as line:
        line.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\nfirst".encode())
        got = line.recv(1000)

    assert got.startswith(b"HTTP/1.1 413 Payload Too Large\r\n")


@pytest.mark.parametrize(
    "head",
    [
        "POST /openai/x HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        "POST /openai/x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4",
        "POST /openai/x HTTP/1.1\r\nContent-Length: -3",
        "POST /openai/x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        "POST /openai/x HTTP/1.1\r\nContent-Length : 3",
        "POST /openai/x HTTP/2.0",
        "POST /openai/x",
        "\x16\x03\x01\x02",
    ],
)
def test_what_two_could_understand_in_two_ways_goes_nowhere(upstream, fronted, head):
    with raw(fronted) as line:
        line.sendall(head.encode("latin-1") + b"\r\n\r\nabc")
        got = line.recv(1000)

    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert upstream.heads == []


def test_a_path_of_no_provider_names_those_there_are(fronted):
    connection = connect(fronted)

    connection.request("POST", "/nobody/v1", b"")
    got = connection.getresponse()

    assert got.status == 404
    assert "openai" in json.loads(got.read())["error"]["message"]


def test_nothing_of_a_failing_recorder_reaches_the_caller(upstream, fronted):
    answering(upstream, plain())
    fronted.home.write_text("no folder")  # nothing can be spooled
    connection = connect(fronted)

    for _ in range(3):
        connection.request("POST", PATH, b'{"model": "m", "prompt": "p"}', JSON)
        got = connection.getresponse()
        assert (got.status, got.read()) == (200, DONE)

    fronted.home.unlink()


def test_a_call_that_cannot_be_spooled_waits_in_memory_and_is_recorded_later(upstream, fronted, monkeypatch):
    answering(upstream, plain())
    fronted.spool.prepare()
    full = threading.Event()
    begin = type(fronted.spool).begin

    def no_space(self, name):
        if not full.is_set():
            raise OSError(28, "No space left on device")
        return begin(self, name)

    monkeypatch.setattr(type(fronted.spool), "begin", no_space)
    connection = connect(fronted)
    connection.request("POST", PATH, b'{"model": "m", "prompt": "p"}', JSON)
    connection.getresponse().read()
    while not fronted.recorder.counts.failed_tries:
        threading.Event().wait(0.01)
    full.set()
    while not list(fronted.spool.waiting()):
        threading.Event().wait(0.01)

    [manifest] = fronted.recorded()

    assert manifest.model.requested == "m"


def test_many_polls_of_unknown_jobs_leave_nothing_behind(upstream, fronted):
    answering(upstream, plain(b'{"data": {"status": "processing"}}'))
    connection = connect(fronted)

    for _ in range(200):
        connection.request("GET", "/wavespeed/api/v3/predictions/x/result")
        assert connection.getresponse().read()

    assert fronted.recorded() == []
    assert fronted.recorder._calls == {}


def test_a_connection_that_is_reset_ends_only_itself(upstream, fronted):
    answering(upstream, plain())
    line = raw(fronted)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 100\r\n\r\nhal".encode())
    line.close()
    connection = connect(fronted)

    connection.request("GET", "/openai/v1/models")

    assert connection.getresponse().read() == DONE
