"""What tests of replays share: chance that is the same every time."""

import platform
from itertools import count
from types import SimpleNamespace

import pytest

from registry.cli import run
from registry.processes import host_of
from replay.providers.procedural import request


@pytest.fixture
def mintmark(tmp_path, monkeypatch, emulator, capfd):
    """``mintmark("generate", …)`` in ``tmp_path``: status, what it printed, what it complained about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / ".mintmark"))

    def call(*words):
        capfd.readouterr()
        status = run([str(word) for word in words])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return status, out, err

    call("init")
    return call


@pytest.fixture
def same_chance_every_time(monkeypatch):
    """Chance comes from a counter: a decision with an error rate must not make a test that has one."""
    drawn = count(1)
    monkeypatch.setattr(request, "secrets", SimpleNamespace(token_hex=lambda size: f"{next(drawn):0{2 * size}x}"))
    monkeypatch.setattr(request, "draw_seed", lambda: str(next(drawn)))


@pytest.fixture
def earlier_boot(tmp_path):
    """A process of this machine before it was started anew: the system's own files, but for the id of the boot."""
    proc = tmp_path / "proc"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "sys/kernel/random/boot_id").write_text("6c0ae4d2-1f0b-4c39-9b0c-6b1d6a2e8f11\n")
    (proc / "self").symlink_to("/proc/self")
    return f"{host_of(platform.node(), proc)}:4711:815"


@pytest.fixture
def another_machine():
    """A process of a machine of which nothing is known here."""
    return f"{host_of('another')}:4711:815"
