"""Answers on their way: durable, for their owner's eyes, unreadable without the vault, gone when the call is done."""

import os
import stat

import pytest

from registry.journal.answers import Answers

SECRET = bytes(range(32))


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path / "calls", SECRET)


def test_an_answer_comes_back_in_another_process_with_its_file(answers, tmp_path):
    work = answers.workdir("call-0001")
    (work / "answer").write_bytes(b"RIFF")

    answers.keep("call-0001", b'{"prompt": "a stone bridge"}', work / "answer")

    other = Answers(tmp_path / "calls", SECRET)
    work = other.workdir("call-0001")
    assert other.holds("call-0001")
    assert other.load("call-0001", work) == b'{"prompt": "a stone bridge"}'
    assert (work / "answer").read_bytes() == b"RIFF"
    (work / "answer").rename(work / "output-0.wav")  # as taking it down does
    assert other.load("call-0001", other.workdir("call-0001")) is not None, "a second try finds it all again"


def test_nobody_else_reads_it(answers, tmp_path):
    answers.keep("call-0001", b'{"prompt": "a stone bridge"}', None)

    folder = tmp_path / "calls"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in (folder, folder / "call-0001"))
    assert b"bridge" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    work = answers.workdir("call-0001")
    assert Answers(folder, bytes(32)).load("call-0001", work) is None, "another vault's"
    (folder / "call-0001").rename(folder / "call-0002")
    assert answers.load("call-0002", work) is None, "another call's"


def test_what_is_done_is_tidied_away_and_what_is_open_stays(answers, tmp_path):
    for key in ("call-0001", "call-0002"):
        answers.keep(key, b"{}", None)

    answers.tidy(lambda keys: {key for key in keys if key.endswith("1")})

    assert [path.name for path in (tmp_path / "calls").iterdir()] == ["call-0002"]
    answers.drop("call-0002")
    answers.drop("call-0002")
    assert not answers.holds("call-0002")


def test_an_empty_folder_is_left_alone_for_a_day(answers, tmp_path):
    for key in ("call-0001", "call-0002", "call-0003"):
        answers.workdir(key)
    answers.keep("call-0003", b"{}", None)
    for key in ("call-0001", "call-0003"):
        os.utime(tmp_path / "calls" / key, (1, 1))

    answers.tidy(lambda keys: set())

    assert sorted(path.name for path in (tmp_path / "calls").iterdir()) == ["call-0002", "call-0003"]
