"""Where the recorder asks on a caller's behalf, and where it never does."""

import pytest

from registry.capturing.fetching import Fetcher, NotHad
from registry.capturing.known import Known

KEY = {"authorization": "Bearer sk-canary-8f2d1c77e0b94a"}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://[::1]:{port}/x", "http://169.254.169.254/latest",
     "http://10.0.0.1/x", "file:///etc/passwd", "gopher://x/", "http:///x", "http://[::", "http://x:y/", "http://\x00/"],
)  # fmt: skip
def test_an_output_is_never_fetched_from_inside(url, upstream, tmp_path):
    place = Known(environment={}).places["openai"]
    target = tmp_path / "output"

    with pytest.raises(NotHad) as refused:
        Fetcher().take(place, url.format(port=upstream.port), KEY, target)

    assert refused.value.gone and not target.exists()
    assert upstream.heads == []


@pytest.mark.parametrize(
    "answer", [b"content-length: 9\r\n\r\nhalf", b"location: http://[::\r\ncontent-length: 0\r\n\r\n"]
)
def test_a_file_that_is_cut_and_a_redirect_to_nowhere_leave_nothing_behind(upstream, tmp_path, answer):
    async def send(reader, writer):
        await upstream.head(reader)
        writer.write(b"HTTP/1.1 " + (b"302 Found" if b"location" in answer else b"200 OK") + b"\r\n" + answer)
        await writer.drain()

    upstream.answer = send
    address = f"http://127.0.0.1:{upstream.port}"
    place = Known(environment={"MINTMARK_BASE_URL_OPENAI": address}).places["openai"]

    with pytest.raises(NotHad):
        Fetcher().take(place, f"{address}/file", KEY, tmp_path / "output")

    assert not (tmp_path / "output").exists()


def test_a_redirect_inside_is_not_followed_and_a_key_stays_with_its_host(upstream, tmp_path):
    async def answer(reader, writer):
        await upstream.head(reader)
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://localhost:1/secret\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    upstream.answer = answer
    address = f"http://127.0.0.1:{upstream.port}"
    place = Known(environment={"MINTMARK_BASE_URL_OPENAI": address}).places["openai"]
    elsewhere = f"http://localhost:{upstream.port}/file"

    with pytest.raises(NotHad):
        Fetcher().take(place, elsewhere, KEY, tmp_path / "output")
    Fetcher().ask(place, f"{address}/v1/job", KEY)

    sent = [dict(headers).get("authorization") for _, headers in upstream.heads]
    assert sent == [None, KEY["authorization"]]


def test_a_base_address_that_is_none_is_refused():
    with pytest.raises(Exception, match="MINTMARK_BASE_URL_OPENAI"):
        Known(environment={"MINTMARK_BASE_URL_OPENAI": "ftp://x"})


def test_a_redirect_that_leads_away_leaves_the_key_behind(upstream, tmp_path):
    async def answer(reader, writer):
        (start, _) = await upstream.head(reader)
        away = b"302 Found\r\nlocation: http://localhost:%d/elsewhere\r\ncontent-length: 0" % upstream.port
        writer.write(b"HTTP/1.1 " + (b"200 OK\r\ncontent-length: 2" if "elsewhere" in start else away) + b"\r\n\r\nhi")
        await writer.drain()

    upstream.answer = answer
    address = f"http://127.0.0.1:{upstream.port}"
    place = Known(environment={"MINTMARK_BASE_URL_OPENAI": address}).places["openai"]

    Fetcher().take(place, f"{address}/file", KEY, tmp_path / "output")

    assert (tmp_path / "output").read_bytes() == b"hi"
    sent = [dict(headers).get("authorization") for _, headers in upstream.heads]
    assert sent == [KEY["authorization"], None]
