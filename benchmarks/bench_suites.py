"""How fast suites are planned, and judged offline.

Run: ``.venv/bin/python benchmarks/bench_suites.py``.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_registry import a_draft, fill
from measuring import picture, timed, within

from registry.catalog.search import Query, matching
from registry.drafting import Draft, Incoming
from registry.home import Registry, create_at
from registry.manifest import Model, Provider
from registry.record import record
from replay.calibrating import calibrate
from replay.consenting import Terms
from replay.generating import Ask, generate
from replay.preparing import output_files
from replay.suites.file import Suite, parse_suite
from replay.suites.foreseeing import foresee
from replay.suites.plan import Target
from replay.suites.planning import Asked, plan_of, recorded_replays
from replay.suites.selecting import Lock

MANY = 1000
SUITE = "format: mintmark/suite/v1\nname: bench\nselect: [{operation: image.generate}]\n"


def rows() -> list[dict]:
    """The figures, as ``run.py`` prints them."""
    found = []
    for measure in (planning, judging, answering):
        with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
            registry, _ = create_at(Path(folder) / ".mintmark")
            found += measure(registry, Path(folder))
            registry.close()
    return found


def planning(registry: Registry, folder: Path) -> list[dict]:
    """``--plan`` of 1,000 manifests that can be replayed, twenty of them with a baseline of free samples."""
    settings = {"width": 64, "height": 64}
    for n in range(MANY):
        more = {"noise": "free"} if n < 20 else {}
        ask = Ask("procedural", "procedural-image@1", prompt=f"hill {n}", seed="1", settings={**settings, **more})
        made = generate(registry, ask)
        if n < 20:
            calibrate(registry, made.id, 5)
    suite, lock = a_suite(registry, folder, "policies: {image.generate: {replays: {baseline: 5}}}")

    def plan() -> None:
        foresee(registry, plan_of(registry, suite, lock, Asked()), Terms())

    return [within("check --plan of 1,000 manifests", [timed(plan) for _ in range(5)], 2000.0)]


def judging(registry: Registry, folder: Path) -> list[dict]:
    """1,000 recorded replays, pictures of 200 KB, scored and judged offline."""
    for n in range(MANY):
        original = kept(registry, folder, n, None)
        kept(registry, folder, n, original)
    limits = "policies: {image.generate: {limits: {ssim: {min: -1}}}}"
    (folder / "suite.yaml").write_text(SUITE + limits, encoding="utf-8")
    program = [sys.executable, "-c", "from registry.cli import main; main()"]
    command = [*program, "check", "suite.yaml", "--offline", "-j", "2", "-o", "result.json"]

    def check() -> None:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    took = timed(check)
    assert json.loads((folder / "result.json").read_text("utf-8"))["counts"]["replays"] == MANY
    return [within("1,000 offline replays of 200 KB, scored", [took], 60_000.0)]


def answering(registry: Registry, folder: Path, times: int = 200) -> list[dict]:
    """An offline answer, its bytes read, among 50 and among 10,000 recordings."""
    originals = [kept(registry, folder, n, None) for n in range(25)]
    for n, original in enumerate(originals):
        kept(registry, folder, n, original)
    fill(registry, 10_000)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as other:
        small, _ = create_at(Path(other) / ".mintmark")
        alone = [kept(small, folder, n, None) for n in range(25)]
        for n, original in enumerate(alone):
            kept(small, folder, n, original)
        few, many = [], []
        for n in range(times):  # in turns: what else the machine does weighs on both
            few.append(timed(lambda o=alone[n % 25]: answer(small, o)))
            many.append(timed(lambda o=originals[n % 25]: answer(registry, o)))
        small.close()
    rows = [within("offline answer among 50", few, 2.0), within("offline answer among 10 k", many, 2.0)]
    ratio = rows[1]["ours_ms"] / rows[0]["ours_ms"]
    grown = {"figure": "offline answer, 10 k against 50", "ours_ms": rows[1]["ours_ms"], "peer": "among 50"}
    grown |= {"peer_ms": rows[0]["ours_ms"], "ratio": round(ratio, 2), "limit": "<= 1.3x", "ok": ratio <= 1.3}
    return [*rows, grown]


def answer(registry: Registry, original: str) -> bytes:
    """What stands in for a call."""
    manifest = registry.catalog.manifest(original)
    made = recorded_replays(registry, original, manifest, Target(), set())[0]
    return output_files(registry, made, registry.catalog.manifest(made))[0].read_bytes()


def kept(registry: Registry, folder: Path, n: int, replay_of: str | None) -> str:
    """One recording of a picture of 200 KB; a replay's has other noise."""
    path = folder / f"{n}.png"
    path.write_bytes(picture(n + (0 if replay_of is None else 100_000)))
    draft = a_draft(str(path), n)
    draft = Draft(
        provider=Provider(name="openai"), model=Model(requested="gpt-image-2-2026-04-21"), operation="image.generate",
        prompt=draft.prompt, seed=draft.seed, outputs=[Incoming(file=str(path))], replay_of=replay_of,
    )  # fmt: skip
    return record(registry, draft, {str(path): path}).id


def a_suite(registry: Registry, folder: Path, more: str) -> tuple[Suite, Lock]:
    """All that is recorded, replays aside."""
    suite = parse_suite(folder / "suite.yaml", (SUITE + more).encode())
    return suite, Lock(tuple(matching(registry.catalog, Query(operation="image.generate"))), "0" * 64)


if __name__ == "__main__":
    for line in rows():
        print(line)
