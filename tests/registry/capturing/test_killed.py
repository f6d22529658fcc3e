"""Processes that are ended from outside, or end without a word: what they were answered before is recorded, once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from capture_flows import BODY, HEADERS, KEY
from emulator.server import KEY as CALLERS

from registry.capturing import adopting
from registry.capturing.known import Known
from registry.capturing.opened import open_calls
from registry.capturing.recorder import Recorder
from registry.capturing.spool import OPEN, Spool
from registry.home import create_at

PROGRAM = str(Path(sys.executable).with_name("mintmark"))

CHILDREN = f"""
import os, sys, requests
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
forking = get_context("fork")

def ask(_=None):
    requests.post(os.environ["URL"], json={BODY!r}, headers={HEADERS!r}, timeout=10)

def alone():
    child = os.fork()
    if not child:
        ask()
        os._exit(0)
    os.waitpid(child, 0)

if __name__ == "__main__":
    alone()
    one = forking.Process(target=ask)
    one.start()
    one.join()
    with forking.Pool(2) as pool:
        pool.map(ask, range(4))
    with ProcessPoolExecutor(2, mp_context=forking) as pool:
        list(pool.map(ask, range(4)))
"""

JOB = """
import os, sys, time, requests
from registry.capturing import install
if len(sys.argv) > 1:
    install(sys.argv[1], drain=False, patience_s=60)
key = {"authorization": "Key " + os.environ["KEY"]}
job = requests.post(os.environ["URL"] + "/fal-ai/flux/dev", json={"prompt": "a stone bridge"}, headers=key, timeout=10)
print("submitted", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path):
    create_at(tmp_path / ".mintmark")[0].close()
    return tmp_path / ".mintmark"


def begun(command, emulator, vendor="fal", **environment):
    """A program that has submitted a job."""
    environment = os.environ | {"URL": emulator.url(vendor), "KEY": CALLERS} | environment
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "submitted\n"
    return process


def killed(process):
    process.kill()
    process.communicate()


def drained(home, *, without=None, at_once=1):
    """What drains of this home said of what they did."""
    environment = os.environ.copy()
    if without:
        environment.pop(without, None)
    command = [sys.executable, "-m", "registry.capturing.drain", str(home)]
    drains = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(at_once)
    ]
    return [json.loads(line) for one in drains for line in one.communicate(timeout=60)[0].splitlines()]


def manifests(home, told):
    registry = create_at(home)[0]
    found = [registry.catalog.manifest(name) for name in sorted({one["recorded"] for one in told})]
    assert registry.catalog.generations() == len(found)
    registry.close()
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_children_that_end_right_after_their_call_lose_none(emulator, home, tmp_path):
    (tmp_path / "mp.py").write_text(CHILDREN)
    environment = os.environ | {"URL": f"{emulator.url('openai')}/v1/images/generations", "MINTMARK_HOME": str(home)}

    ran = subprocess.run([PROGRAM, "capture", "--", sys.executable, "mp.py"], cwd=tmp_path, env=environment,
                         capture_output=True, text=True, timeout=120)  # fmt: skip

    assert ran.returncode == 0 and "recorded 10 generations" in ran.stderr
    assert not (home / "spool" / OPEN).exists() or open_calls(Spool(home)) == []


def test_a_job_of_a_killed_process_is_brought_to_its_end_once_however_many_try(emulator, home):
    killed(begun([sys.executable, "-c", JOB, str(home)], emulator))
    [left] = open_calls(Spool(home))
    held = left.read_bytes()

    told = drained(home, at_once=3)

    [made] = manifests(home, told)
    assert (made.outcome.class_, len(made.outputs)) == ("succeeded", 1)
    assert b"stone bridge" in held and CALLERS.encode() not in held
    assert emulator.charges("fal") == 1 and open_calls(Spool(home)) == []


HEARD = """
import os, sys, time, requests
from registry.capturing import install, recorder
recorder.spool_call = lambda *_: time.sleep(60)
install(sys.argv[1], drain=False)
key = {"authorization": "Bearer " + os.environ["KEY"]}
path = os.environ["URL"] + "/api/v3/"
job = requests.post(path + "wavespeed-ai/flux-dev", json={"prompt": "a bridge"}, headers=key, timeout=10).json()
state = ""
while state != "completed":
    time.sleep(0.1)
    answer = requests.get(path + "predictions/" + job["data"]["id"] + "/result", headers=key, timeout=10).json()
    state = answer["data"]["status"]
print("submitted", flush=True)
time.sleep(60)
"""


def test_what_the_killed_process_had_heard_of_its_job_needs_no_key(emulator, home):
    killed(begun([sys.executable, "-c", HEARD, str(home)], emulator, "wavespeed"))
    asked = len([seen for seen in emulator.seen if seen.path.endswith("/result")])

    told = drained(home, without="WAVESPEED_API_KEY")

    [made] = manifests(home, told)
    assert (made.outcome.class_, len(made.outputs)) == ("succeeded", 1)
    assert len([seen for seen in emulator.seen if seen.path.endswith("/result")]) == asked


def test_without_a_key_a_job_waits_for_one_and_is_given_up_in_the_end(emulator, home, monkeypatch):
    killed(begun([sys.executable, "-c", JOB, str(home)], emulator))

    waits = drained(home, without="FAL_KEY")
    assert waits == [] and len(open_calls(Spool(home))) == 1
    monkeypatch.setattr(adopting, "KEYLESS_S", 0.5)
    monkeypatch.delenv("FAL_KEY")
    recorder = Recorder(home, known=Known())
    recorder.adopt()
    until = time.monotonic() + 20
    while open_calls(Spool(home)) and time.monotonic() < until:
        time.sleep(0.05)

    [made] = manifests(home, drained(home, without="FAL_KEY"))
    assert (made.outcome.class_, made.outcome.state) == ("timeout", "unknown")
    assert made.outcome.job_id and emulator.leaks == []


def test_another_key_that_the_vendor_does_not_take_says_nothing_of_the_job(emulator, home, monkeypatch):
    killed(begun([sys.executable, "-c", JOB, str(home)], emulator))
    monkeypatch.setenv("FAL_KEY", "somebody-elses-key")
    recorder = Recorder(home, known=Known())

    recorder.adopt()

    while not [seen for seen in emulator.seen if seen.headers.get("authorization") == "Key somebody-elses-key"]:
        time.sleep(0.05)
    assert not recorder.settle(0.5) and len(open_calls(Spool(home))) == 1
    recorder.close(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_captured_program_that_is_ended_during_its_job_is_recorded(emulator, home, number):
    command = [PROGRAM, "capture", "--", sys.executable, "-c", JOB]
    process = begun(command, emulator, MINTMARK_HOME=str(home))
    children = [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    child = next(one for one in children if b"KEY" in Path(f"/proc/{one}/cmdline").read_bytes())

    os.kill(process.pid if number == signal.SIGTERM else child, number)  # SIGTERM is what ends a container: it goes on
    _, told = process.communicate(timeout=60)

    assert process.returncode == 128 + number
    assert "recorded 1 generation" in told


def served(home):
    environment = os.environ | {"MINTMARK_HOME": str(home)}
    environment.pop("FAL_KEY")
    process = subprocess.Popen([PROGRAM, "proxy", "--port", "0"], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    line = next(line for line in process.stdout if line.startswith("http://"))
    return process, line.split()[0].rstrip("/") + "/fal"


def test_a_job_goes_on_through_a_proxy_that_was_killed_and_started_again(emulator, home):
    key = {"authorization": f"Key {CALLERS}"}
    first, url = served(home)
    job = requests.post(f"{url}/fal-ai/flux/dev", json={"prompt": "a bridge"}, headers=key, timeout=10).json()
    killed(first)
    second, url = served(home)
    until = time.monotonic() + 30
    spool, answer = Spool(home), {}
    while (open_calls(spool) or not answer) and time.monotonic() < until:
        answer = requests.get(job["status_url"].replace(emulator.url("fal"), url), headers=key, timeout=10).json()
        time.sleep(0.2)
    second.send_signal(signal.SIGTERM)
    _, told = second.communicate(timeout=60)

    assert answer["status"] == "COMPLETED" and "recorded 1 generation" in told
    [made] = manifests(home, [{"recorded": name} for name in recorded(home)])
    assert (made.outcome.class_, len(made.outputs)) == ("succeeded", 1)


def recorded(home):
    registry = create_at(home)[0]
    name = registry.catalog.resolve("@last")
    registry.close()
    return [name]


def test_an_answer_is_in_the_spool_when_the_call_returns(hooked, emulator, monkeypatch):
    stopped = threading.Event()
    monkeypatch.setattr(hooked.recorder, "_seen", lambda seen: stopped.wait(20))

    requests.post(f"{emulator.url('openai')}/v1/images/generations", json=BODY, headers=HEADERS, timeout=10)

    [left] = open_calls(hooked.spool)
    stopped.set()
    assert b"b64_json" in left.read_bytes() and KEY.encode() not in left.read_bytes()
