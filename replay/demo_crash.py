"""The demo's crash: a run of paid replays is killed midway and goes on, and the vendor counts what it was paid."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.canonical import JSON
from registry.home import Registry
from replay.demo_vendor import KEY, MODEL, PROVIDER, DemoVendor
from replay.errors import ReplayError
from replay.generating import Ask, generate

_PROMPTS: Final = ("a red boat", "a stone bridge", "a field of rye", "an empty road")
_AT_ONCE: Final = 2
_SUITE: Final = """\
format: mintmark/suite/v1
name: killed-midway
select:
  - labels: {demo: crash}
allow_alias: true
budget: {amount: "0.10", currency: USD}
"""
_PATIENCE_S: Final = 60.0
REPORT: Final = "killed-midway.html"


class CrashFailed(ReplayError):
    """The run of the demo did not come to where it was to be killed, or not to its end."""

    def __init__(self, what: str, said: str) -> None:
        """Say what was waited for, and what the run printed."""
        super().__init__(f"{what}: {said.strip()[-500:] or 'it printed nothing'}")


@dataclass(frozen=True, slots=True)
class Crash:
    """What came of it, counted by the vendor and by the run.

    Attributes:
        pictures: made and paid for before.
        under_way: replays that were paid for when the process was killed, and not recorded.
        replays: recorded in the end.
        paid: charges for replays.
        twice: charges beyond one for each replay.
        parked: calls that wait for a person, because nobody can know whether they were billed.
        spent: of the budget, as the run says.
        sentence: why the run ended as it did.
        report: the run's report.
    """

    pictures: int
    under_way: int
    replays: int
    paid: int
    twice: int
    parked: int
    spent: str
    sentence: str
    report: Path


def crash(registry: Registry, folder: Path) -> Crash:
    """Make four paid pictures, kill the run that replays them (SIGKILL) while it waits for two, and go on with it.

    Raises:
        CrashFailed: a process did not do its part.
    """
    suite = folder / "killed-midway.yaml"
    suite.write_text(_SUITE, "utf-8")
    with DemoVendor() as vendor, _environment(vendor.url):
        asks = [Ask(PROVIDER, MODEL, prompt=prompt, seed="7", labels={"demo": "crash"}) for prompt in _PROMPTS]
        made = [generate(registry, ask).id for ask in asks]
        before = dict(vendor.charges)
        _killed(folder, [suite.name, "--assume-cost", "0.01 USD", "-j", str(_AT_ONCE)], vendor, len(before) + _AT_ONCE)
        recorded = sum(len(registry.catalog.replays(one)) for one in made)
        under_way = vendor.charges.total() - len(before) - recorded
        result = _resumed(folder)
        paid = {prompt: count - before.get(prompt, 0) for prompt, count in vendor.charges.items()}
    replays = [one for manifest in result["manifests"] for one in manifest["replays"]]
    return Crash(
        pictures=len(before),
        under_way=under_way,
        replays=sum(one["outcome"] == "succeeded" for one in replays),
        paid=sum(paid.values()),
        twice=sum(max(0, count - 1) for count in paid.values()),
        parked=sum(one["outcome"] == "ambiguous" for one in replays),
        spent=f"{result['budget']['spent']} of {result['budget']['amount']} {result['budget']['currency']}",
        sentence=result["exit_reason"],
        report=folder / REPORT,
    )


def _killed(folder: Path, options: list[str], vendor: DemoVendor, charges: int) -> None:
    """Start a run, and kill it once the vendor was paid so often."""
    run = _check(folder, options)
    begun = time.monotonic()
    while vendor.charges.total() < charges:
        if run.poll() is not None or time.monotonic() - begun > _PATIENCE_S:
            run.kill()
            raise CrashFailed("the run ended before it was to be killed", run.communicate()[1])
        time.sleep(0.02)
    time.sleep(0.1)  # it waits for the jobs now
    run.kill()
    run.communicate()


def _resumed(folder: Path) -> Mapping[str, JSON]:
    run = _check(folder, ["--resume", "@last", "--json", "-o", REPORT])
    try:
        out, problem = run.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        run.kill()
        raise CrashFailed("the run did not come to an end", run.communicate()[1]) from None
    try:
        found: Mapping[str, JSON] = json.loads(out)
    except json.JSONDecodeError:
        raise CrashFailed("the run gave no result", problem) from None
    return found


def _check(folder: Path, options: list[str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", "from registry.cli import main; main()", "check", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def _environment(url: str) -> Iterator[None]:
    """Where the vendor is and its key, for this process and those it starts."""
    names = {f"MINTMARK_BASE_URL_{PROVIDER.upper()}": url, f"{PROVIDER.upper()}_API_KEY": KEY}
    kept = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
