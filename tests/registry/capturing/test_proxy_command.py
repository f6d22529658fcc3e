"""``mintmark proxy`` as a process: where it listens, what a large upload costs it, what it leaves when it ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from capture_flows import KEY, openai_sync

MIB = 1 << 20


@contextmanager
def proxy(home, **addresses):
    """The process and its port."""
    program = str(Path(sys.executable).with_name("mintmark"))
    environment = os.environ | {"MINTMARK_HOME": str(home)} | addresses
    with subprocess.Popen(
        [program, "proxy", "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            told = []
            for line in process.stdout:
                told.append(line)
                if line.startswith("http://"):
                    break
            yield process, int(told[-1].split()[0].rstrip("/").rpartition(":")[2])
        finally:
            process.kill()


def memory(process, what):
    """Kilobytes, from the system's own account."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what + ":"))


def holds_unnamed_files(process):
    links = Path(f"/proc/{process.pid}/fd").iterdir()
    return any(str(link.readlink()).endswith("(deleted)") for link in links if link.is_symlink())


def test_it_records_on_the_way_and_says_so_when_it_ends(emulator, tmp_path):
    home = tmp_path / ".mintmark"
    with proxy(home) as (process, port):
        openai_sync(lambda provider: f"http://127.0.0.1:{port}/{provider}")
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)

    assert process.returncode == 0
    assert told.splitlines()[-1] == "stopped; recorded 1 generation"
    assert not any(KEY.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_it_listens_on_this_machine_only(emulator, tmp_path):
    with proxy(tmp_path / ".mintmark") as (_, port):
        taken = subprocess.run(
            [str(Path(sys.executable).with_name("mintmark")), "proxy", "--port", str(port)],
            env=os.environ | {"MINTMARK_HOME": str(tmp_path / "other")}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        hosts = {row[1].partition(":")[0] for row in listening if row[1].endswith(f":{port:04X}") and row[3] == "0A"}

    assert hosts == {"0100007F"}
    assert taken.returncode == 3 and "is taken" in taken.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the account of memory in /proc")
def test_a_large_upload_costs_no_memory(tmp_path):
    listening = socket.create_server(("127.0.0.1", 0))
    got = []

    def answer():
        line, _ = listening.accept()
        with line:
            count, head = 0, b""
            while b"\r\n\r\n" not in head:
                head += line.recv(65_536)
            count = len(head.partition(b"\r\n\r\n")[2])
            while count < 100 * MIB:
                count += len(line.recv(1 << 20))
            got.append(count)
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

    threading.Thread(target=answer, daemon=True).start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with proxy(tmp_path / ".mintmark", MINTMARK_BASE_URL_OPENAI=address) as (process, port):
        small = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        small.request("POST", "/nobody/x", b"x" * MIB)
        small.getresponse().read()
        before = memory(process, "VmRSS")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", "/openai/v1/images/edits")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(100 * MIB))
        connection.endheaders()
        for _ in range(100):
            connection.send(bytes(MIB))
        assert connection.getresponse().read() == b"{}"
        while holds_unnamed_files(process):  # it is written to the spool now
            time.sleep(0.05)
        most = memory(process, "VmHWM")
    listening.close()

    assert got == [100 * MIB]
    assert most - before <= 8 * 1024
