"""Packed suites as strangers hand them over: damaged ones, foreign ones, and who may read them."""

import resource
import stat
import zipfile
from pathlib import Path

import pytest

from registry import cli
from replay.suites.packing import NotAPack, NotUnpacked, unpacked

NAMES = ("suite.yaml", "suite.lock", "bundle.zip")


def zipped(path, method):
    with zipfile.ZipFile(path, "w", method) as out:
        for name in NAMES:
            out.writestr(name, name * 50)
    return path.read_bytes()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_pack_is_no_pack_whichever_byte_it_is(tmp_path, method):
    whole, path = zipped(tmp_path / "whole.zip", method), tmp_path / "suite.zip"

    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            with unpacked(path) as folder:
                assert sorted(one.name for one in folder.iterdir()) == sorted(NAMES)
        except NotAPack as problem:
            assert str(path) in str(problem)


def test_nothing_compressed_is_unpacked(tmp_path):
    zipped(tmp_path / "suite.zip", zipfile.ZIP_DEFLATED)

    with pytest.raises(NotAPack, match="compressed"), unpacked(tmp_path / "suite.zip"):
        pass


def test_a_disk_that_is_full_is_not_the_packs_fault(tmp_path):
    zipped(tmp_path / "suite.zip", zipfile.ZIP_STORED)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        told = pytest.raises(NotUnpacked, match=r"unpacked there .*; free space")
        with told as problem, unpacked(tmp_path / "suite.zip"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert problem.value.exit_code == 3


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """``desk("a")``: a folder of that name with a registry of its own, one generation and a suite packed from it."""
    monkeypatch.delenv("MINTMARK_HOME", raising=False)

    def make(name):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        size = ["--setting", "width=64", "--setting", "height=64"]
        made = ["--provider", "procedural", "--model", "procedural-image@1", "--seed", "7", *size, "--prompt", name]
        assert cli.run(["generate", *made, "--label", "app=x"]) == 0
        text = "format: mintmark/suite/v1\nname: x\nselect: [{labels: {app: x}}]\n"
        Path("suite.yaml").write_text(text)
        assert cli.run(["suite", "pack", "suite.yaml", "--to", "suite.zip"]) == 0
        return tmp_path / name

    return make


def test_a_home_in_use_takes_in_known_keys_and_trusted_ones(desk, tmp_path, monkeypatch, capsys):
    one, other = desk("one"), desk("other")
    capsys.readouterr()
    assert cli.run(["key", "export"]) == 0
    trust = tmp_path / "trust.txt"
    trust.write_text(capsys.readouterr().out)
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "runner"))

    def check(pack, *more):
        status = cli.run(["check", "--plan", "--from", str(pack / "suite.zip"), *more])
        return status, capsys.readouterr().err

    assert [check(one)[0], check(one)[0]] == [0, 0], "a new home, and what it knows"
    status, said = check(other)
    assert status == 2 and "nothing was taken in" in said and "--trust FILE" in said
    status, said = check(one, "--trust", str(trust))
    assert status == 3 and "nothing was taken in" in said, "signed by somebody else than was named"
    assert check(other, "--trust", str(trust))[0] == 0
    assert check(other)[0] == 0


def test_only_its_owner_reads_a_pack_and_only_what_holds_is_packed(desk, tmp_path, monkeypatch, capsys):
    one = desk("one")
    assert stat.S_IMODE((one / "suite.zip").stat().st_mode) == 0o600
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "runner"))
    assert cli.run(["check", "--from", "suite.zip"]) == 0
    capsys.readouterr()

    status = cli.run(["suite", "pack", "suite.yaml", "--to", "again.zip"])

    assert status in (2, 3) and "where they were recorded" in capsys.readouterr().err
    assert not (one / "again.zip").exists()


def test_a_pack_is_replaced_where_that_is_asked_for(desk, capsys):
    again = ["suite", "pack", "suite.yaml", "--to", str(desk("one") / "suite.zip")]

    assert cli.run(again) == 2 and "--force" in capsys.readouterr().err
    assert cli.run([*again, "--force"]) == 0
