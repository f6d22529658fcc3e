"""What is said of calls that wait in the spool."""

from click.testing import CliRunner

from registry.capturing.spool import Spool
from registry.capturing.waiting import waiting
from replay.commands.doctor import doctor


def put(home, name, **entry):
    spool = Spool(home)
    spool.commit(spool.begin(name), entry)


def test_an_empty_spool_and_none_at_all_are_fine(tmp_path):
    assert waiting(tmp_path).state == "ok"
    Spool(tmp_path).prepare()
    assert waiting(tmp_path).state == "ok"


def test_what_waits_is_counted_and_what_failed_is_told(tmp_path):
    put(tmp_path, "one", attempts=0)
    put(tmp_path, "two", attempts=0)
    fresh = waiting(tmp_path)
    put(tmp_path, "three", attempts=2, failed="disk full")
    (tmp_path / "spool" / "three" / "..x").mkdir()
    failed = waiting(tmp_path)

    assert fresh.state == "note" and "2 captured calls" in fresh.sentence and fresh.remedy
    assert failed.state == "problem" and "3 captured calls" in failed.sentence
    assert "1 tried in vain: disk full" in failed.sentence


def test_a_damaged_entry_is_counted_too(tmp_path):
    put(tmp_path, "one", attempts=0)
    (tmp_path / "spool" / "one" / "entry.json").write_text("{")

    assert "1 captured call " in waiting(tmp_path).sentence


def test_doctor_says_so(local_registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(local_registry.home, "one", attempts=3, failed="disk full")

    told = CliRunner().invoke(doctor, [], standalone_mode=False)

    assert told.return_value == 1
    assert "1 captured call not recorded yet" in told.output and "disk full" in told.output
