"""The suites under docs/examples do what their first line says, by the commands as written."""

import itertools
import json
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from registry import cli
from replay.providers.procedural import request

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
COMMANDS = [
    line for line in (EXAMPLES / "generations.sh").read_text("utf-8").splitlines() if line.startswith("mintmark ")
]


@pytest.fixture(scope="module", autouse=True)
def drawn():
    """Chance from a counter: a decision at 5 % is a false alarm in 5 % of runs."""
    count = itertools.count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request, "secrets", SimpleNamespace(token_hex=lambda size: f"{next(count):0{2 * size}x}"))
        patch.setattr(request, "draw_seed", lambda: str(next(count)))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the generations and the suites."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            assert cli.run(shlex.split(command)[1:]) == 0, command
    for suite in EXAMPLES.glob("*.yaml"):
        shutil.copy(suite, folder)
    return folder


def run(*arguments):
    return cli.run(list(arguments))


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def test_a_stable_version_is_reproduced(folder, capsys):
    assert run("suite", "calibrate", "reproduced.yaml") == 0
    assert run("check", "reproduced.yaml", "-o", "result.json", "-o", "page.html", "-o", "j.xml", "-o", "s.md") == 0

    result = json.loads((folder / "result.json").read_text("utf-8"))
    kinds = {one["name"]: one["verdict"]["kind"] for one in result["manifests"]}
    assert kinds == {"bridge": "reproduced", "mountains": "reproduced", "lake": "within-noise"}
    assert capsys.readouterr().out.splitlines()[-1] == f"{result['id']}  exit 0, {result['exit_reason']}"
    assert all((folder / name).stat().st_size for name in ("page.html", "j.xml", "s.md"))
    assert run("check", "--resume", result["id"], "--json") == 0, "what is over says the same again"
    assert json.loads(capsys.readouterr().out) == result
    assert run("show", result["id"][:14]) == 0
    assert "2 of 3 reproduced, 1 within noise" in capsys.readouterr().out


def test_the_next_build_has_drifted(folder, capsys):
    assert run("suite", "calibrate", "drifted.yaml") == 0
    assert run("check", "drifted.yaml", "--json") == 1

    result = json.loads(capsys.readouterr().out.partition("\n{\n")[2].join(["{\n", ""]))
    kinds = {one["name"]: one["verdict"]["kind"] for one in result["manifests"]}
    assert {name for name, kind in kinds.items() if kind == "drifted"} == {"bridge", "mountains", "lake"}
    assert result["gate"]["verdict"] == "drifted", "and of the free samples the suite as a whole"
    assert result["gate"]["manifests"] and kinds["sea"] == "undecided"


def test_too_little_to_decide_on_is_said_and_how_much_it_takes(folder, capsys):
    assert run("check", "--plan", "undecided.yaml") == 0
    assert run("check", "undecided.yaml") == 4

    said = capsys.readouterr().out
    assert "undecided" in said and "exit 4, undecided: 3 undecided where the suite allows 0" in said


def test_a_pack_is_checked_where_there_is_no_registry(folder, tmp_path, monkeypatch, capsys):
    run("suite", "calibrate", "reproduced.yaml")
    pack = tmp_path / "pack.zip"
    assert run("suite", "pack", "reproduced.yaml", "--to", str(pack)) == 0
    monkeypatch.chdir(tmp_path)

    assert run("check", "--from", str(pack), "-o", "result.json") == 0
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert result["counts"]["verdicts"]["reproduced"] == 2
    assert not (tmp_path / ".mintmark").exists()

    altered = tmp_path / "altered.zip"
    altered.write_bytes(pack.read_bytes().replace(b"procedural-image@1", b"procedural-image@2", 1))
    assert run("check", "--from", str(altered)) in (2, 3)
    assert run("check", "--from", str(tmp_path / "result.json")) == 2
