"""What is said beside a call: none of it makes a call unrecordable, leaves keys behind, or is dropped silently."""

import json
import logging
import shutil

import pytest
import requests
from capture_flows import BODY, HEADERS, KEY, httpx_stream
from emulator import media

from registry.capturing import context, generates
from registry.capturing.context import Said, _warned, of_headers
from registry.capturing.drain import drain
from registry.capturing.draining import Drain
from registry.capturing.spool import REFUSED
from registry.capturing.waiting import waiting
from registry.errors import InvalidValue

UNKNOWN = "deadbeefdeadbeef"


@pytest.fixture(autouse=True)
def fresh():
    _warned.clear()


@pytest.mark.parametrize(
    "parent", ["nonsense", "junk", "edit=nonsense", "edit=", "bogus=deadbeef", "sha256:dead", "DEADBEEF"]
)
def test_a_parent_that_is_no_id_is_refused_at_the_door(parent):
    with pytest.raises(InvalidValue, match="parent"), context(parent=parent):
        pass


@pytest.mark.parametrize("parent", ["@last", "deadbeef", "sha256:" + "0" * 64, f"variant={UNKNOWN}"])
def test_what_may_be_an_id_is_taken(parent):
    with context(parent=parent):
        pass


def test_a_parent_that_is_no_record_is_left_out_and_told(emulator, hooked, caplog):
    with context(parent=[f"edit={UNKNOWN}"]):
        httpx_stream(emulator.url)
    hooked.settled()

    [done] = drain(hooked.registry, hooked.spool)

    made = hooked.registry.catalog.manifest(done.id)
    assert (made.parents, made.outcome.class_) == ([], "succeeded")
    assert made.extensions == {"org.mintmark.capture": {"unknown_parents": [f"edit={UNKNOWN}"]}}
    assert len(done.notes) == 1 and UNKNOWN in done.notes[0]


def test_a_note_is_told_once(tmp_path, caplog):
    told = Drain(tmp_path)
    lines = [json.dumps({"recorded": "sha256:0", "entry": "x", "notes": ["a parent is left out: x"]})] * 3

    told._listen(type("Told", (), {"stdout": lines}))

    assert [one.message for one in caplog.records if one.levelno >= logging.WARNING] == ["a parent is left out: x"]


def test_headers_that_break_their_syntax_are_left_out_with_one_warning_each(caplog):
    headers = [("X-Mintmark-Parent", "junk"), ("X-Mintmark-Label", "novalue"), ("X-Mintmark-Label", "=x"),
               ("X-Mintmark-Label", "a=" + "x" * 3000), ("X-Mintmark-Workflow", "w" * 3000)]  # fmt: skip

    assert of_headers(headers * 2) == Said()

    assert [one.message.split()[2] for one in caplog.records] == [
        "X-Mintmark-Parent", "X-Mintmark-Label", "X-Mintmark-Workflow"
    ]  # fmt: skip
    assert "junk" not in caplog.text


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_words_are_read_in_either_coding(coding):
    as_sent = "Frühling".encode(coding).decode("latin-1")

    said = of_headers([("X-Mintmark-Workflow", as_sent), ("X-Mintmark-Label", f"season={as_sent}")])

    assert (said.workflow, said.labels) == ("Frühling", {"season": "Frühling"})


def test_a_key_is_hunted_in_what_is_said_too(emulator, proxied):
    address = f"{proxied.url('openai')}/v1/images/generations"
    said = {"x-mintmark-label": f"note=my {KEY}!", "x-mintmark-workflow": f"for-{KEY}"}

    requests.post(address, json=BODY, headers=HEADERS | said, timeout=10)

    [made] = proxied.recorded()
    assert made.labels == {"note": "my [secret]!"} and made.context.workflow == "for-[secret]"
    files = [path for path in proxied.home.rglob("*") if path.is_file()]
    assert files and not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.fixture
def refused(hooked):
    """A hook with one entry in its spool that no drain can record."""

    @generates(provider="studio", model="painter-7", operation="no operation at all")
    def paint(prompt):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        paint("a red door")
    hooked.settled()
    return hooked


def tried(capturing):
    return list(drain(capturing.registry, capturing.spool))


def test_what_fails_for_minutes_for_the_same_lasting_reason_is_put_aside_and_told(refused, monkeypatch):
    passed = [0.0]
    monkeypatch.setattr("registry.capturing.drain.time.time", lambda: passed[0])

    tries = []
    for passed[0] in (0, 1, 6, 36, 336, 636):
        tries.append(tried(refused))

    [aside] = refused.spool.aside(REFUSED)
    found = waiting(refused.home)
    assert [len(one) for one in tries] == [1, 1, 1, 1, 1, 0] and list(refused.spool.waiting()) == []
    assert [one[0].first for one in tries[:-1]] == [True, False, False, False, True]
    assert str(aside) in tries[4][0].why
    assert found.state == "problem" and "1 captured call refused for good" in found.sentence
    assert str(aside / "entry.json") in found.sentence and found.remedy == f"rm -r {aside.parent}"


def test_a_few_failures_in_a_row_put_nothing_aside(refused):
    for _ in range(8):
        assert len(tried(refused)) == 1

    assert refused.spool.aside(REFUSED) == []


def test_what_the_machine_lacks_puts_nothing_aside_however_long(refused, monkeypatch):
    def none(*given):
        raise MemoryError

    monkeypatch.setattr("registry.capturing.drain._marked", none)
    monkeypatch.setattr("registry.capturing.drain._LASTING_S", 0)
    for _ in range(8):
        assert [one.why for one in tried(refused)] == ["MemoryError"]

    assert refused.spool.aside(REFUSED) == []


def test_outputs_that_come_after_a_record_without_any_are_kept_aside_and_told(hooked):
    @generates(provider="studio", model="painter-7", operation="image.generate")
    def paint(prompt):
        return media.png("made")

    paint("a red door")
    hooked.settled()
    [entry] = hooked.spool.waiting()
    value = json.loads((entry / "entry.json").read_bytes())
    kept = (entry / next(iter(value["marked"]["outputs"]))).read_bytes()
    poorer = value | {"marked": value["marked"] | {"outputs": [], "error": "the program ended"}}
    (entry / "entry.json").write_text(json.dumps(poorer))
    fuller = hooked.home / "fuller"
    shutil.copytree(entry, fuller)
    [first] = tried(hooked)
    (fuller / "entry.json").write_text(json.dumps(value))
    fuller.rename(entry)

    [late] = tried(hooked)

    [aside] = hooked.spool.aside(REFUSED)
    assert late.first and first.id in late.why and "with outputs" in late.why and str(aside) in late.why
    assert kept in [path.read_bytes() for path in aside.iterdir()]
    assert tried(hooked) == [] and first.id in waiting(hooked.home).sentence


def test_one_that_has_no_more_to_tell_than_the_record_goes(refused):
    [entry] = refused.spool.waiting()
    value = json.loads((entry / "entry.json").read_bytes())
    value["marked"]["operation"] = "image.generate"
    (entry / "entry.json").write_text(json.dumps(value))
    other = refused.home / "other"
    shutil.copytree(entry, other)
    [first] = tried(refused)
    value["marked"]["error"] = "another"
    (other / "entry.json").write_text(json.dumps(value))
    other.rename(entry)

    [again] = tried(refused)

    assert (again.id, again.why) == (first.id, None) and first.id
    assert refused.spool.aside(REFUSED) == [] and list(refused.spool.waiting()) == []


def test_what_fails_for_a_reason_that_may_pass_is_kept(hooked, emulator):
    httpx_stream(emulator.url)
    hooked.settled()
    registry = hooked.registry
    keys = hooked.home / "keys"
    keys.rename(hooked.home / "elsewhere")

    for _ in range(3):
        assert [one.id for one in drain(registry, hooked.spool)] == [None]

    (hooked.home / "elsewhere").rename(keys)
    assert hooked.spool.aside(REFUSED) == [] and len(list(hooked.spool.waiting())) == 1
