"""A provider that does not speak HTTP: the caller is told so in time, or cut off, and never gets two answers in one."""

import asyncio
import contextlib
import socket

import pytest

ASKED = (
    b"POST /openai/v1/images/generations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 38\r\n\r\n{"model":"gpt-image-2","prompt":"fog"}'
)
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"


def exchanged(served, asked=ASKED):
    """Everything that a caller gets until its connection ends."""
    got = b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(asked)
        with contextlib.suppress(ConnectionResetError):
            while piece := line.recv(65_536):
                got += piece
    return got


def answering(upstream, *pieces):
    async def answer(reader, writer):
        await upstream.head(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            with contextlib.suppress(TimeoutError):  # so that each piece arrives by itself
                await asyncio.wait_for(reader.read(), 0.2)

    upstream.answer = answer


@pytest.mark.parametrize(
    "answer",
    [b"220 mail.example ESMTP\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"x" * 70_000,
     b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
     b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello", CHUNKED + b"zz\r\nhello"],
    ids=["greeting", "request", "status", "endless", "twice", "length", "chunk"],
)  # fmt: skip
def test_an_answer_that_is_no_http_is_a_bad_gateway_and_may_be_billed(upstream, fronted, answer):
    answering(upstream, answer)

    got = exchanged(fronted)

    assert got.startswith(b"HTTP/1.1 502 Bad Gateway\r\n") and got.count(b"HTTP/1.1 ") == 1
    assert b"not understood" in got and b"may be billed" in got
    [made] = fronted.recorded()
    assert (made.outcome.class_, made.outcome.http_status) == ("ambiguous", None)


@pytest.mark.parametrize("after", [b"zz\r\nbad", b"5\r\nhello and more\r\n", b"5\nhello"])
def test_an_answer_that_goes_wrong_on_its_way_is_broken_off(upstream, fronted, after):
    answering(upstream, CHUNKED + b"5\r\nhello\r\n", after)

    got = exchanged(fronted)

    assert got.count(b"HTTP/1.1 ") == 1 and b"mintmark" not in got
    assert got.partition(b"\r\n\r\n")[2] == b"5\r\nhello\r\n"
    [made] = fronted.recorded()
    assert made.outcome.class_ == "ambiguous"


def test_a_caller_that_loses_its_own_thread_is_cut_off(upstream, fronted):
    answering(upstream)
    asked = b"POST /openai/v1/images/generations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"

    assert exchanged(fronted, asked) == b""
