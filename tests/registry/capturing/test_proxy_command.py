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


def takes_all(listening, got):
    """Read each request to its end, and count it."""
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        with line:
            head = b""
            while b"\r\n\r\n" not in head:
                head += line.recv(65_536)
            announced = next(row for row in head.split(b"\r\n") if row.lower().startswith(b"content-length"))
            count = len(head.partition(b"\r\n\r\n")[2])
            while count < int(announced.split()[1]):
                count += len(line.recv(1 << 20))
            got.append(count)
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


def upload(process, port, size):
    """Send so many MiB, and wait until they are written to the spool."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", "/openai/v1/images/edits")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(size * MIB))
    connection.endheaders()
    for _ in range(size):
        connection.send(bytes(MIB))
    assert connection.getresponse().read() == b"{}"
    connection.close()
    while holds_unnamed_files(process):
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the account of memory in /proc")
def test_a_large_upload_costs_no_memory(tmp_path):
    listening = socket.create_server(("127.0.0.1", 0))
    got = []
    threading.Thread(target=takes_all, args=(listening, got), daemon=True).start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with proxy(tmp_path / ".mintmark", MINTMARK_BASE_URL_OPENAI=address) as (process, port):
        for _ in range(2):  # threads and tables that every upload needs are there after these
            upload(process, port, 5)
        before = memory(process, "VmHWM")
        upload(process, port, 100)
        most = memory(process, "VmHWM")
    listening.close()

    assert got == [5 * MIB, 5 * MIB, 100 * MIB]
    assert most - before <= 8 * 1024
