"""Suites in a folder of their own, and runs made one replay after the other."""

import pytest

from registry.journal.runs import Runs
from replay.generating import Ask, generate
from replay.suites.file import parse_suite
from replay.suites.making import make_one
from replay.suites.planning import Asked, plan_of
from replay.suites.running import Finished, advance
from replay.suites.selecting import locked
from replay.suites.wanting import beginning

SMALL = {"width": 64, "height": 64}


@pytest.fixture
def made(local_registry):
    """Makes a labelled picture: ``made("sea", noise="free")``."""

    def make(name, noise="none", model="procedural-image@1", **more):
        settings = {**SMALL, "noise": noise}
        seed = None if noise == "free" else "5"
        labels = {"app": "x", "name": name}
        ask = Ask("procedural", model, prompt=f"{name} at dawn", seed=seed, settings=settings, labels=labels, **more)
        return generate(local_registry, ask).id

    return make


@pytest.fixture
def begun(local_registry, tmp_path):
    """Begins a run: ``begun("policies: {…}", repeat=2)``; gives its id."""

    def begin(more="", select="{labels: {app: x}}", **asked):
        text = f"format: mintmark/suite/v1\nname: x\nselect: [{select}]\n{more}\n"
        suite = parse_suite(tmp_path / "suite.yaml", text.encode())
        (tmp_path / "suite.lock").unlink(missing_ok=True)
        plan = plan_of(local_registry, suite, locked(local_registry, suite)[0], Asked(**asked))
        wanted = [(one.manifest, one.ordinal, one.purpose) for one in beginning(plan)]
        return Runs(local_registry.catalog.database).create("x", plan.to_json(), wanted)

    return begin


@pytest.fixture
def ended(local_registry):
    """Brings a run to its end, in any order of making: ``ended(run, reverse=True)``; gives its result."""

    def end(run, reverse=False):
        while not isinstance(found := advance(local_registry, run), Finished):
            for one in sorted(found, reverse=reverse):
                make_one(local_registry, run, one.manifest, one.ordinal, owner="t", pause=lambda s: None,
                         stopping=lambda: False)  # fmt: skip
        return found.result

    return end
