"""Who may come in: this machine's programs and its own pages, under its own name."""

import socket

import pytest

from registry.http.doors import is_loopback

PAGES = ["/", "/healthz", "/v1/generations", "/nowhere", "/static/mintmark.css"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8420", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1", ""]
)
@pytest.mark.parametrize("path", ["/", "/v1/generations"])
def test_a_name_that_someone_else_points_here_is_refused(standing, host, path):
    answer = standing.client.get(path, headers={"Host": host})

    assert (answer.status_code, answer.json()["type"]) == (421, "urn:mintmark:problem:host-refused")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.1:80", "[::1]:8420"])
def test_its_own_names_are_answered(standing, host):
    assert standing.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/generations", "/v1/lookup"])
def test_a_page_from_elsewhere_cannot_post(standing, headers, path):
    answer = standing.client.post(path, json={"query": "x"}, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (403, "urn:mintmark:problem:cross-origin-refused")
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_page_can_post(standing):
    own = f"http://{standing.client.base_url.host}:{standing.client.base_url.port}"

    for headers in ({}, {"Origin": own}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}):
        assert standing.client.post("/v1/lookup", json={"query": "x"}, headers=headers).status_code == 200


def test_a_header_that_stands_twice_is_refused(standing):
    with socket.create_connection((standing.client.base_url.host, standing.client.base_url.port)) as raw:
        raw.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nOrigin: a\r\nOrigin: b\r\n\r\n")
        assert raw.recv(100).split()[1] == b"400"


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(standing, path):
    headers = standing.client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]


def test_what_is_loopback_and_what_is_not():
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.1.1", "example.com", "", "localhost."]))
