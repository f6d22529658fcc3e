"""``mintmark serve`` as a process: where it listens, how it ends."""

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from registry.errors import InvalidValue
from registry.http.serving import PortTaken, listen

PROGRAM = [sys.executable, "-c", "import sys; from registry.cli import main; main()"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])
def test_another_host_is_refused_until_there_are_tokens(host):
    with pytest.raises(InvalidValue, match="access tokens"):
        listen(host, 0)


def test_a_taken_port_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match="--port 0"):
            listen("127.0.0.1", other.getsockname()[1])


def test_headers_without_end_are_cut_off(served):
    host, port = served.client.base_url.host, served.client.base_url.port
    with socket.create_connection((host, port), timeout=20) as line:
        with suppress(OSError):
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Much: " + b"x" * (1 << 20) + b"\r\n\r\n")
        with suppress(OSError):
            assert not line.recv(1024).startswith(b"HTTP/1.1 200")

    assert served.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_makes_a_registry_answers_and_ends_cleanly(tmp_path, monkeypatch, number):
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / ".mintmark"))
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        url = re.search(r"http://127\.0\.0\.1:\d+/", lines[2])[0]
        page = httpx.get(url, trust_env=False)
        process.send_signal(number)
        out, error = process.communicate(timeout=20)
    finally:
        process.kill()

    assert lines[0].startswith("made a registry in")
    assert page.status_code == 200
    assert "Nothing is recorded here yet" in page.text
    assert process.returncode == 0
    assert (out, error) == ("", "stopped\n"), "no access log, no traceback"


def test_a_second_signal_ends_it_as_cleanly_as_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / ".mintmark"))
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+/", [process.stdout.readline() for _ in range(3)][2])[0]
        httpx.get(f"{url}healthz", trust_env=False)
        for _ in range(4):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()

    assert (process.returncode, error) == (0, "stopped\n")


def test_a_refused_start_leaves_no_registry_behind(tmp_path):
    for arguments, status in ((["--host", "0.0.0.0"], 2), (["--port", "70000"], 2)):
        done = subprocess.run(
            [*PROGRAM, "serve", *arguments], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
        )
        assert done.returncode == status
        assert "Traceback" not in done.stderr
    assert not (tmp_path / ".mintmark").exists()


def test_a_taken_port_is_exit_3(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = subprocess.run(
            [*PROGRAM, "serve", "--port", str(other.getsockname()[1])], cwd=tmp_path, capture_output=True, text=True
        )

    assert done.returncode == 3
    assert "is taken" in done.stderr
    assert not Path(tmp_path / ".mintmark").exists()
