"""The spool and the drains that empty it: nothing is recorded twice, nothing is passed over in silence."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from registry.capturing.drain import _sweep, drain
from registry.capturing.draining import Drain
from registry.capturing.spool import TORN
from registry.capturing.waiting import waiting
from registry.home import create_at


def test_drains_at_once_record_every_entry_once_and_none_dies(spool, put):
    names = [f"{number:08}-0000-4000-8000-000000000000" for number in range(60)]
    for name in names:
        put(name)
    command = [sys.executable, "-m", "registry.capturing.drain", str(spool.home)]

    drains = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for _ in range(3)]
    told = [json.loads(line) for one in drains for line in one.communicate(timeout=60)[0].splitlines()]

    assert [one.returncode for one in drains] == [0, 0, 0]
    assert sorted(one["entry"] for one in told) == names
    assert len({one["recorded"] for one in told}) == len(names)


def test_looking_while_others_take_entries_away_is_no_accident(spool, put):
    stop, seen, died = threading.Event(), [], []
    stays = put("stays")

    def look():
        try:
            while not stop.is_set():
                seen.append(stays in list(spool.waiting()))
        except Exception as problem:
            died.append(problem)

    looking = threading.Thread(target=look)
    looking.start()
    for batch in range(80):
        for entry in [put(f"{batch}-{number}") for number in range(10)]:
            spool.drop(entry)
    stop.set()
    looking.join()

    assert died == [] and seen and all(seen)


def test_a_spool_that_others_have_locked_for_a_minute_is_tried_later(spool, put, monkeypatch):
    monkeypatch.setattr("registry.locking.PATIENCE", 0.05)
    put("one-of-many")
    registry = create_at(spool.home)[0]
    hold = "import sys; from pathlib import Path; from registry.locking import exclusive\n"
    hold += "with exclusive(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    lock = str(spool.home / "spool.lock")
    other = subprocess.Popen([sys.executable, "-c", hold, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()

    [busy] = drain(registry, spool)
    other.communicate(b"")
    [done] = drain(registry, spool)
    registry.close()

    assert busy.id is None and "spool.lock" in busy.why
    assert done.id


@pytest.mark.parametrize("left", [b"", b"{", b"[]", None])
def test_a_torn_entry_is_put_aside_and_told(spool, put, left):
    entry = put("one")
    (entry / "submit.request").write_bytes(b"what is left")
    if left is None:
        (entry / "entry.json").unlink()
    else:
        (entry / "entry.json").write_bytes(left)
    registry = create_at(spool.home)[0]

    [told] = drain(registry, spool)
    registry.close()
    os.utime(spool.folder / TORN, (0, 0))
    _sweep(spool)

    aside = spool.folder / TORN / "one"
    assert told.id is None and str(aside) in told.why
    assert (aside / "submit.request").read_bytes() == b"what is left"
    assert list(spool.waiting()) == [] and spool.aside() == [aside]
    assert waiting(spool.home).state == "problem" and "1 captured call torn" in waiting(spool.home).sentence


def test_an_entry_is_on_the_disk_before_it_can_be_seen(spool, monkeypatch):
    done = []
    name_of = lambda descriptor: Path(os.readlink(f"/proc/self/fd/{descriptor}")).name  # noqa: E731
    sync, rename = os.fsync, Path.rename
    monkeypatch.setattr(os, "fsync", lambda number: (done.append(name_of(number)), sync(number))[1])
    monkeypatch.setattr(Path, "rename", lambda path, to: (done.append("rename"), rename(path, to))[1])
    draft = spool.begin("one")
    (draft / "submit.answer").write_bytes(b"{}")

    spool.commit(draft, {})

    assert set(done[:2]) == {"submit.answer", "entry.json"}
    assert done[2:] == [".one", "rename", "spool"]


FULLNESS = [{"over": False, "downloads": {}}, {"over": True, "downloads": {}},
            {"over": True, "downloads": {"https://x.example/a": "output-0"}}]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1), (1, 1)])
def test_of_two_entries_of_one_call_the_fuller_stays(spool, first, second):
    for number in (first, second):
        draft = spool.begin("one")
        (draft / "submit.answer").write_text(str(number))
        made = spool.commit(draft, FULLNESS[number])

    assert list(spool.waiting()) == [made] and spool.read(made) == FULLNESS[max(first, second)]
    assert (made / "submit.answer").read_text() == str(max(first, second))
    assert [path.name for path in spool.folder.iterdir()] == ["one"]


class Killed(BaseException):
    """What no handler of the product catches."""


@pytest.mark.parametrize("renames", [1, 2, 3])
@pytest.mark.parametrize("whole", [True, False])
def test_a_kill_while_a_fuller_entry_takes_the_place_of_another_loses_neither(spool, monkeypatch, renames, whole):
    spool.commit(spool.begin("one"), FULLNESS[0])
    draft, rename, done = spool.begin("one"), Path.rename, []

    def killed(path, to):
        if len(done) == renames:
            raise Killed
        done.append(path.name)
        return rename(path, to)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with contextlib.suppress(Killed):
            spool.commit(draft, FULLNESS[2])
    if not whole and draft.exists():  # another process began it anew, and was killed in turn
        (draft / "entry.json").unlink()
    for path in spool.folder.glob(".*"):
        os.utime(path, (0, 0))
    _sweep(spool)

    kept = FULLNESS[0] if renames == 1 and not whole else FULLNESS[2]
    assert [spool.read(entry) for entry in spool.waiting()] == [kept]
    assert [path.name for path in spool.folder.iterdir()] == ["one"]


def test_what_a_kill_left_stays_while_others_hold_the_spool(spool, monkeypatch):
    monkeypatch.setattr("registry.locking.PATIENCE", 0.05)
    poorer = spool.commit(spool.begin("one"), FULLNESS[0]).rename(spool.folder / ".one.poorer")
    os.utime(poorer, (0, 0))

    with spool.alone():
        _sweep(spool)
    held = poorer.exists()
    _sweep(spool)

    assert held and [spool.read(entry) for entry in spool.waiting()] == [FULLNESS[0]]


def test_an_entry_that_a_drain_has_in_hand_is_not_replaced_under_it(spool):
    poor, fuller = spool.commit(spool.begin("one"), FULLNESS[0]), spool.begin("one")
    comes = threading.Thread(target=spool.commit, args=(fuller, FULLNESS[2]))

    with spool.alone():
        comes.start()
        comes.join(0.3)
        held = spool.read(poor)
        spool.drop(poor)  # it was recorded
    comes.join(20)

    assert held == FULLNESS[0]
    assert [spool.read(entry) for entry in spool.waiting()] == [FULLNESS[2]]


def test_a_process_that_runs_for_years_remembers_only_what_came_last(tmp_path):
    told = Drain(tmp_path)
    lines = [{"recorded": f"sha256:{number:064x}", "entry": str(number)} for number in range(1000)]
    lines += [{"failed": f"disk {number % 40}", "entry": "x", "first": False} for number in range(1000)]
    (tmp_path / "told").write_text("".join(json.dumps(line) + "\n" for line in lines))
    process = subprocess.Popen(["cat", tmp_path / "told"], stdout=subprocess.PIPE, text=True)

    told._listen(process)
    process.communicate()

    assert (told.recorded, told.failed) == (1000, 1000)
    assert list(told.latest) == [f"sha256:{number:064x}" for number in range(968, 1000)]
    assert len(told.reasons) == 32


def test_entries_that_another_process_records_are_forgotten(tmp_path, monkeypatch):
    told = Drain(tmp_path)
    monkeypatch.setattr(told, "_tell", lambda: None)

    for number in range(2000):
        told.poke(tmp_path / str(number))

    assert len(told._waiting) < 300 and told.settle(1)
