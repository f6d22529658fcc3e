"""What tests of replays share: chance that is the same every time."""

from itertools import count
from types import SimpleNamespace

import pytest

from replay.providers.procedural import request


@pytest.fixture
def same_chance_every_time(monkeypatch):
    """Chance comes from a counter: a decision with an error rate must not make a test that has one."""
    drawn = count(1)
    monkeypatch.setattr(request, "secrets", SimpleNamespace(token_hex=lambda size: f"{next(drawn):0{2 * size}x}"))
    monkeypatch.setattr(request, "draw_seed", lambda: str(next(drawn)))
