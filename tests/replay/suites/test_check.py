"""``mintmark check`` and ``mintmark suite`` at the edges: what is refused, what is told, and by which status."""

import json
from pathlib import Path

import pytest

from registry import cli
from registry.home import open_registry
from registry.journal.runs import Runs

SUITE = "format: mintmark/suite/v1\nname: shop\nselect:\n  - labels: {app: shop}\n"
MAKE = ["generate", "--provider", "procedural", "--model", "procedural-image@1", "--seed", "7", "--setting", "width=64",
        "--setting", "height=64", "--label", "app=shop", "--prompt"]  # fmt: skip


@pytest.fixture
def mintmark(tmp_path, monkeypatch, capsys):
    """``mintmark("check", …)`` in a folder with one generation and ``suite.yaml``; status and all that was said."""
    monkeypatch.chdir(tmp_path)
    assert cli.run([*MAKE, "a stone bridge"]) == 0
    Path("suite.yaml").write_text(SUITE)

    def run(*words):
        capsys.readouterr()
        status = cli.run([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out + err

    return run


def test_the_first_check_writes_the_lock_and_later_ones_hold_to_it(mintmark):
    status, said = mintmark("check", "suite.yaml", "-o", "result.json")
    assert (status, "wrote suite.lock: 1 manifest; commit it" in said) == (0, True)
    assert json.loads(Path("result.json").read_text())["options"] == {"offline": False, "repeat": 1}

    mintmark(*MAKE, "another bridge")
    status, said = mintmark("check", "suite.yaml")
    assert status == 0 and "1 manifest came that `select` takes, too" in said
    assert "1 added, 0 gone" in mintmark("suite", "lock", "suite.yaml")[1]

    Path("suite.yaml").write_text(SUITE.replace("shop}", 'shop, golden: "true"}'))
    status, said = mintmark("check", "suite.yaml")
    assert status == 2 and "stale" in said and "suite lock suite.yaml" in said
    status, said = mintmark("suite", "lock", "suite.yaml")
    assert status == 5, "nothing has that label"
    mintmark("tag", "@last", "golden=true")
    assert mintmark("suite", "lock", "suite.yaml")[0] == 0, "tags select as labels do"


def test_what_is_uncalibrated_ends_with_the_command_that_calibrates(mintmark):
    Path("suite.yaml").write_text(f"{SUITE}target: {{model: procedural-image@2}}\n")
    status, said = mintmark("check", "suite.yaml")
    assert (status, said.splitlines()[-1]) == (4, "hint: mintmark suite calibrate suite.yaml")

    status, said = mintmark("check", "--resume", "@last")
    assert said.splitlines()[-1] == "hint: mintmark suite calibrate suite.yaml", "the file here that is that suite"
    Path("suite.yaml").write_text(SUITE)
    assert mintmark("check", "--resume", "@last")[1].endswith("with the file of the suite shop\n")
    status, said = mintmark("check", "suite.yaml")
    assert (status, "hint" in said) == (0, False)


def test_going_on_with_a_run_that_is_not_there_is_a_mistyped_argument(mintmark):
    for name in ("run-00000000", "@last"):
        status, said = mintmark("check", "--resume", name)

        assert status == 2 and f"--resume: no run {name} in this registry" in said


def test_going_on_with_what_is_over_says_that_nothing_was_made(mintmark):
    mintmark("check", "suite.yaml")

    status, said = mintmark("check", "--resume", "@last", "--retry-errors")

    assert status == 0 and "was over at" in said and "nothing is left of it to make" in said


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["check"], 2, "give one of SUITE"),
        (["check", "suite.yaml", "--resume", "@last"], 2, "give one of SUITE"),
        (["check", "suite.yaml", "--retry-errors"], 2, "--resume"),
        (["check", "--resume", "@last", "--plan"], 2, "--plan looks ahead"),
        (["check", "none.yaml"], 2, "suite new"),
        (["check", "."], 2, "folder"),
        (["check", "suite.yaml", "-o", "result.pdf"], 2, ".html"),
        (["check", "suite.yaml", "-o", "no/such/result.json"], 2, "existing folder"),
        (["check", "--resume", "run-00000000"], 2, "no run"),
        (["check", "--resume", "7"], 2, "8 hexadecimal digits"),
        (["check", "--from", "suite.yaml"], 2, "suite pack"),
        (["check", "suite.yaml", "--budget", "much"], 2, "budget"),
        (["suite", "new"], 2, "there already"),
        (["suite", "new", "other.yaml", "--label", "app=none"], 5, "nothing"),
    ],
)
def test_what_cannot_be_done_is_said_and_never_looks_like_drift(mintmark, words, status, said):
    found, told = mintmark(*words)

    assert (found, said in told) == (status, True), told


def test_a_lock_that_was_edited_or_names_what_is_elsewhere_is_refused(mintmark):
    mintmark("suite", "lock", "suite.yaml")
    lock = json.loads(Path("suite.lock").read_text())
    strange = {**lock, "manifests": [{"id": "sha256:" + "0" * 64, "name": "x"}]}
    for text, status, said in (
        (json.dumps(strange), 3, "suite pack"),
        ("{", 2, "no lock"),
        (json.dumps({**lock, "manifests": []}), 2, "no lock"),
        (json.dumps({**lock, "manifests": lock["manifests"] * 2}), 2, "no lock"),
    ):
        Path("suite.lock").write_text(text)
        found, told = mintmark("check", "suite.yaml")
        assert (found, said in told) == (status, True), told


def test_a_new_suite_is_a_spread_and_always_the_same(mintmark):
    for prompt in ("b", "c", "d"):
        mintmark(*MAKE, prompt)
    mintmark(*[word.replace("image", "music") for word in MAKE if "=64" not in word and word != "--setting"], "a song")

    assert mintmark("suite", "new", "a.yaml", "--label", "app=shop", "--size", "3")[0] == 0
    assert mintmark("suite", "new", "b.yaml", "--label", "app=shop", "--size", "3")[0] == 0

    first, second = Path("a.yaml").read_text(), Path("b.yaml").read_text()
    assert first.replace('"a"', '"b"') == second and first.count("- manifest: sha256:") == 3
    assert "music.generate: {level: perceptual" in first, "the rarer medium has its place"
    assert mintmark("check", "--plan", "a.yaml")[0] == 0


def test_a_new_suite_of_few_free_samples_can_decide(mintmark):
    seeded = MAKE.index("--seed")
    free = [*MAKE[:seeded], "--setting", "noise=free", *MAKE[seeded + 2 :]]
    free[free.index("app=shop")] = "app=free"
    mintmark(*free, "the sea"), mintmark(*free, "a storm")

    assert mintmark("suite", "new", "free.yaml", "--label", "app=free")[0] == 0
    text = Path("free.yaml").read_text()
    gate = int(text.partition("gate: ")[2][0])
    assert gate > 2 and f"only with {gate} replays each" in text
    mintmark("suite", "calibrate", "free.yaml")
    assert "reach p = " in mintmark("check", "--plan", "free.yaml")[1]
    Path("free.yaml").write_text(text.replace(f"gate: {gate}", f"gate: {gate - 1}"))
    assert "undecided (resolution)" in mintmark("check", "--plan", "free.yaml")[1], "and no fewer would do"


def test_a_plan_sends_nothing_and_says_what_it_takes(mintmark):
    power = "min_power: {power: 0.9, effect: lightness, size: 1}"
    policy = f"policies: {{image.generate: {{replays: {{baseline: 4, gate: 1}}, {power}}}}}\n"
    Path("suite.yaml").write_text(SUITE + policy)
    mintmark(*MAKE[:7], "--setting", "noise=free", *MAKE[7:], "the sea")
    mintmark("suite", "calibrate", "suite.yaml")
    before = mintmark("search", "--replays", "--json")[1]

    status, said = mintmark("check", "--plan", "suite.yaml", "--json")

    assert status == 0 and mintmark("search", "--replays", "--json")[1] == before
    plan = json.loads(said[said.index("{") :])
    assert plan["gate"]["attainable"] > 0.01 and plan["gate"]["needed"] > 1, (
        "one prompt, four outputs: too few to decide"
    )
    assert plan["replays"] == {"begin": 2, "most": 2}
    assert any(line.startswith("power: lightness 1 of image outputs") for line in plan["together"])


def test_a_run_that_was_canceled_is_not_offered_to_be_made_again(mintmark):
    registry = open_registry(Path.cwd())
    runs = Runs(registry.catalog.database)
    run = runs.create("shop", {}, [])
    assert f"mintmark check --resume {run}" in mintmark("show", run)[1]

    runs.cancel(run)
    registry.close()

    assert "--resume" not in mintmark("show", run)[1]


def test_a_notice_that_does_not_arrive_is_told_last_and_once(mintmark, monkeypatch):
    monkeypatch.delenv("MM_HOOK", raising=False)
    Path(".mintmark/mintmark.toml").write_text(
        '[[notify]]\nkind = "slack"\nurl_env = "MM_HOOK"\nevents = ["run.finished", "drift.detected"]\n'
        '[[notify]]\nurl = "https://nobody.invalid/a-secret"\nsecret_env = "MM_SECRET"\nevents = ["run.finished"]\n'
    )
    monkeypatch.setenv("MM_SECRET", "whsec_aGVsbG8=")

    for words in (["suite.yaml"], ["suite.yaml", "--quiet"]):
        status, said = mintmark("check", *words)
        *_, slack, hook = said.splitlines()

        assert status == 0 and "is dead" not in said and "a-secret" not in said
        assert said.count("MM_HOOK is not set") == said.count("no address of nobody.invalid") == 1, said
        assert slack.startswith("warning: slack MM_HOOK was not told of run.finished, which changes nothing above")
        assert hook.startswith("warning: webhook nobody.invalid was not told of run.finished")
        assert "a worker tries again: mintmark jobs show notice-" in hook
        *_, how, job = slack.partition("mintmark jobs ")[2].split()
        assert how == "retry" and mintmark("jobs", "retry", job)[1].endswith("is queued\n")
