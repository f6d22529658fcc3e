"""Runs commands as the program does, in a folder of their own."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.cli import run
from registry.home import create
from registry.settings import Settings


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def mintmark(tmp_path, monkeypatch, capsys):
    """``mintmark("show", "@last")`` in ``tmp_path``; no command may ever end in an internal error or a traceback."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DATABASE", "VAULT", "HOST", "ACTOR"):
        monkeypatch.delenv(f"MINTMARK_{name}", raising=False)

    def call(*arguments):
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "internal error" not in err and "Traceback" not in err, err
        if status not in (0, 4, 5):
            assert (out + err).strip(), f"{arguments} failed with {status} and said nothing"
        return Said(status, out, err)

    return call


@pytest.fixture(scope="session")
def new_home(tmp_path_factory):
    """A home as ``init`` makes it, to copy: making one anew takes ten times as long."""
    home = tmp_path_factory.mktemp("template") / ".mintmark"
    create(Settings(home=home, actor="tester"))[0].close()
    return home


@pytest.fixture
def home(new_home, tmp_path):
    """A registry in ``tmp_path``."""
    return Path(shutil.copytree(new_home, tmp_path / ".mintmark"))


@pytest.fixture
def recorded(mintmark, picture, home):
    """Records a picture and answers its id: ``recorded("a.png", "--prompt", "…")``."""

    def record(name="a.png", *options, seed=1):
        path = picture(name, seed=seed)
        said = mintmark("record", path, "--provider", "vendor", "--model", "m-1", *options)
        assert said.status == 0, said.err
        return said.out.split()[0]

    return record
