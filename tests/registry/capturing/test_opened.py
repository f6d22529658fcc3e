"""Open calls: none is left behind in clear, none is taken from a process that may go on with it."""

import gzip
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from registry.capturing import open_file, opened
from registry.capturing.context import Said, context, current
from registry.capturing.known import Known
from registry.capturing.observing import Body, Observation
from registry.capturing.opened import Opened, folders, name_of, open_calls, orphaned
from registry.capturing.spool import OPEN, Spool
from registry.processes import fate_here

JOB = "https://queue.fal.run/fal-ai/flux/dev"
WORD = b"kwiatuszkowo"
SLEEPS = "from registry.processes import this_process as me; print(me(), flush=True); input()"


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / ".mintmark")


@pytest.fixture
def place():
    return Known(environment={}).place_of(JOB)


def seen(spool, method="POST", url=JOB):
    bodies = Body(spool.prepare(), 1 << 20), Body(spool.folder, 1 << 20)
    made = Observation(method, url, [("content-type", "application/json")], *bodies, Said(), "hook", lambda _: None)
    made.answered(200, [("content-type", "application/json")])
    made.received(b'{"request_id": "x", "note": "' + WORD + b'"}', is_last=True)
    return made


def write(calls, place, spool, name, part="submit"):
    description = Known(environment={}).operations(place, "POST", JOB)
    calls.write(name, part, place, description, seen(spool, "GET" if part == "last" else "POST"))


def in_clear(spool):
    return [path for path in spool.folder.rglob("*") if path.is_file() and WORD in path.read_bytes()]


def of_another(spool, pid=2**22 + 5):
    """The open calls of a process that has ended."""
    calls = Opened(spool)
    host = name_of(opened.this_process()).partition("+")[0]
    calls._own = str(spool.folder / OPEN / f"{host}+{pid}+1")
    return calls


def test_what_is_told_of_a_call_that_is_spooled_is_not_even_written(spool, place, monkeypatch):
    calls = Opened(spool)
    write(calls, place, spool, "a")
    write(calls, place, spool, "a", "last")
    calls.drop("a")

    monkeypatch.setattr(open_file, "write", None)
    write(calls, place, spool, "a", "last")

    assert in_clear(spool) == []


def test_nor_where_it_is_spooled_just_then(spool, place, monkeypatch):
    calls, writing = Opened(spool), open_file.write
    write(calls, place, spool, "a")

    def dropped(*given):
        writing(*given)
        calls.drop("a")

    monkeypatch.setattr(open_file, "write", dropped)
    write(calls, place, spool, "a", "last")

    assert in_clear(spool) == []


def test_an_answer_whose_call_is_gone_is_taken_away_with_its_process(spool, place):
    gone = of_another(spool)
    write(gone, place, spool, "a")
    write(gone, place, spool, "a", "last")
    os.unlink(gone._files["a", "submit"])

    assert Opened(spool).adopted() == []
    assert in_clear(spool) == []


@pytest.mark.parametrize("first", ["submit", "last"])
def test_what_was_moved_before_a_disk_failed_is_read(spool, place, monkeypatch, first):
    gone, calls = of_another(spool), Opened(spool)
    write(gone, place, spool, "a")
    write(gone, place, spool, "a", "last")
    write(gone, place, spool, "b")
    order = [gone._files["a", first], gone._files["b", "submit"]]
    listed, rename, fails = Path.iterdir, Path.rename, [True]

    def ordered(folder):
        return iter(sorted(listed(folder), key=lambda path: str(path) not in order[:1]))

    def moved(path, target):
        if fails and str(path) != order[0]:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "iterdir", ordered)
    monkeypatch.setattr(Path, "rename", moved)
    early = calls.adopted()
    fails.clear()
    late = calls.adopted()

    assert [left.id for left in early] == (["a"] if first == "submit" else [])
    assert sorted(left.id for left in early + late) == ["a", "b"]
    assert [left.last is not None for left in late if left.id == "a"] == [True] * (first == "last")


def test_every_folder_on_the_way_to_a_call_is_its_owners_alone(spool, place):
    before = os.umask(0o022)
    try:
        write(Opened(spool), place, spool, "a")
        write(of_another(spool), place, spool, "b")
        Opened(spool).adopted()
        spool.put_torn(open_calls(spool)[0])
    finally:
        os.umask(before)

    folders = [path for path in spool.folder.rglob("*") if path.is_dir()]
    assert len(folders) > 3
    assert [path.name for path in folders if stat.S_IMODE(path.stat().st_mode) != 0o700] == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell who is stopped")
def test_a_process_that_is_stopped_keeps_its_calls(spool, place):
    process = subprocess.Popen([sys.executable, "-c", SLEEPS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    name = process.stdout.readline().strip()
    calls = Opened(spool)
    calls._own = str(spool.folder / OPEN / name_of(name))
    write(calls, place, spool, "a")
    folder = Path(calls._own)

    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    at_once = orphaned(spool)
    long_ago = time.time() - opened.SILENT_S - 1
    os.utime(folder, (long_ago, long_ago))
    silent = orphaned(spool)
    process.send_signal(signal.SIGCONT)
    os.waitid(os.P_PID, process.pid, os.WCONTINUED | os.WNOWAIT)
    going_on, fate = orphaned(spool), fate_here(name)
    process.communicate("\n", timeout=20)

    assert (at_once, silent, going_on, fate) == ([], [folder], [], "alive")
    assert orphaned(spool) == [folder]


def test_a_call_that_rests_for_a_full_disk_gives_signs_of_life(recording, monkeypatch):
    beaten = threading.Event()
    recording.saw("https://api.openai.com/v1/images/generations", b"{}", b"{}", status=400)
    recording.settled()
    monkeypatch.setattr(recording.recorder._opened, "beat", beaten.set)
    folder = recording.spool.folder
    monkeypatch.setattr(recording.recorder.spool, "commit", lambda *_: folder.joinpath("no", "where").read_bytes())

    recording.saw("https://api.openai.com/v1/images/generations", b"{}", b"{}", status=400)

    assert beaten.wait(10)


def test_the_caller_writes_what_is_short_and_a_worker_what_is_long(recording, monkeypatch):
    url, writers, write = "https://api.openai.com/v1/images/generations", [], recording.recorder._opened.write
    recording.recorder._ready()

    def noted(*given):
        writers.append(threading.current_thread().name)
        write(*given)

    monkeypatch.setattr(recording.recorder._opened, "write", noted)
    for size in (1000, 2 << 20):
        recording.saw(url, b'{"model": "gpt-image-2"}', b'{"error": "%s"}' % (b"x" * size), status=400)
        recording.settled()

    assert writers == [threading.current_thread().name, "mintmark-capture"]


def test_no_folder_stays_of_a_process_that_has_ended_nor_of_the_drain(spool, place):
    empty, left = of_another(spool), of_another(spool, 2**22 + 6)
    empty.prepare()
    write(left, place, spool, "00000000-a")
    living = Opened(spool)
    living.prepare()

    command = [sys.executable, "-m", "registry.capturing.drain", str(spool.home)]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=60, env=os.environ | {"FAL_KEY": ""})

    assert [path.name for path in folders(spool)] == [name_of(opened.this_process())]


def test_a_process_that_was_taken_for_ended_while_it_did_nothing_loses_no_call(spool, place):
    idle = of_another(spool)
    idle.prepare()
    Opened(spool).adopted()
    assert not Path(idle._own).exists()

    write(idle, place, spool, "a")

    assert idle.has("a") and [left.id for left in Opened(spool).adopted()] == ["a"]


def test_what_no_utf8_can_hold_is_written_down_nevertheless(spool, place):
    gone, told = of_another(spool), seen(spool)
    with context(subject="Ma\udcffria"):
        told.said = current()

    gone.write("a", "submit", place, place.descriptions_of("POST", JOB), told)
    [left] = Opened(spool).adopted()

    assert left.submit.said.subject == "Ma\udcffria"


def test_nothing_half_written_stays_whatever_went_wrong(spool, place):
    calls, wrong = Opened(spool), seen(spool)
    write(calls, place, spool, "a")
    wrong.url = "https://[?"
    wrong.response_headers.append(("content-encoding", "gzip"))

    for name in ("a", "b"):
        with pytest.raises(ValueError, match="Invalid IPv6 URL"):
            calls.write(name, "submit", place, place.descriptions_of("POST", JOB), wrong)
    left = list(Path(calls._own).iterdir())
    write(calls, place, spool, "a")

    assert left == [] and calls.has("a") and not calls.has("b")


@pytest.mark.parametrize("most", [1 << 20, 10])
def test_what_is_short_is_written_at_once_and_whole(spool, place, monkeypatch, most):
    writes, write_some = [], os.write
    gone = of_another(spool)

    def some(descriptor, data):
        writes.append(write_some(descriptor, data[:most]))
        return writes[-1]

    monkeypatch.setattr(os, "write", some)
    write(gone, place, spool, "a")
    [left] = Opened(spool).adopted()

    assert (len(writes) == 1) == (most > 10)
    assert WORD in b"".join(left.submit.response.pieces()) and left.submit.status == 200


def test_a_packed_answer_is_kept_unpacked_and_a_bomb_does_not_fill_the_memory(spool, place, monkeypatch):
    gone, held = of_another(spool), seen(spool)
    packed = gzip.compress(WORD * 1_000_000)
    held.response_headers.append(("content-encoding", "gzip"))
    held.response = Body(spool.folder, 1 << 20)
    held.response.write(packed)

    tracemalloc.start()
    gone.write("a", "submit", place, place.descriptions_of("POST", JOB), held)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    [left] = Opened(spool).adopted()

    assert left.submit.response.size == len(WORD) * 1_000_000 and peak < 6 << 20


LONG = """
import sys
from multiprocessing import get_context
from pathlib import Path
from registry.capturing.known import Known
from registry.capturing.recorder import Recorder

def ask(recorder):
    seen = recorder.observe("POST", "https://api.openai.com/v1/images/generations", [], "hook")
    seen.sent(b'{"model": "gpt-image-2"}')
    seen.answered(400, [("content-type", "application/json")])
    seen.received(b'{"error": "' + b"x" * (2 << 20) + b'"}', is_last=True)

recorder = Recorder(Path(sys.argv[1]), known=Known(environment={}))
child = get_context("fork").Process(target=ask, args=(recorder,))
child.start()
child.join()
ask(recorder)
recorder.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_what_is_long_is_not_lost_at_an_ordinary_end(spool):
    subprocess.run([sys.executable, "-c", LONG, str(spool.home)], check=True, timeout=60)

    sizes = [(entry / "submit.answer").stat().st_size > 2 << 20 for entry in spool.waiting()]
    assert sizes == [True, True]


def test_a_folder_that_goes_away_while_it_is_looked_at_holds_nothing(tmp_path, monkeypatch):
    spool = Spool(tmp_path)
    there = spool.folder / ".open" / "a"
    spool.private(there)
    monkeypatch.setattr(opened, "folders", lambda _: [there, there.with_name("gone")])

    assert open_calls(spool) == []
