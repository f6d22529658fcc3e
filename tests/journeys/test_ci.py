"""The page for CI, tried as written: its commands, its workflow, its pytest file, on the embedded provider."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from registry.cli import run as program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")


def block(heading, language="sh"):
    """The first fenced block of a language under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.S)[1]


def run(script, folder, *, expect=0, path=(), **variables):
    """Run a script as GitHub runs a step: ``bash -e``; the answer is what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MINTMARK_", "GITHUB_"))}
    environment["PATH"] = os.pathsep.join([*map(str, path), str(Path(sys.executable).parent), environment["PATH"]])
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == expect, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def type_in(script, folder):
    """Carry out lines of ``mintmark …`` in this process: starting a program for each would take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("MINTMARK_")]:
            patch.delenv(name)
        for line in script.strip().splitlines():
            words = shlex.split(line, comments=True)
            forgiven = words[-2:] == ["||", "true"]
            name, *arguments = words[:-2] if forgiven else words
            assert name == "mintmark"
            status = program(arguments)
            assert status == 0 or forgiven, f"{line}: {status}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder in which a suite was made, calibrated, checked and packed, as the page says."""
    folder = tmp_path_factory.mktemp("desk")
    small = block("To see it without an account").replace("--setting noise=seeded", "")  # calibrates in 3 replays
    type_in(small.replace(" --label", " --setting width=64 --setting height=64 --label"), folder)
    type_in(block("Once, at your desk"), folder)
    return folder


@pytest.fixture
def runner(desk, tmp_path):
    """A clone on another machine: the pack, and no registry."""
    (tmp_path / "suite.zip").write_bytes((desk / "suite.zip").read_bytes())
    return tmp_path


def workflow():
    return YAML(typ="safe").load(block("GitHub Actions", "yaml"))


def check_step():
    steps = workflow()["jobs"]["reproduce"]["steps"]
    return next(step for step in steps if step.get("name") == "Check")


def github(folder, event="schedule", **more):
    step, summary = check_step(), folder / "step-summary.md"
    return step["run"], {
        "GITHUB_STEP_SUMMARY": summary,
        "GITHUB_EVENT_NAME": event,
        "MINTMARK_HOME": folder / ".mintmark",
        "RETRY_AFTER": "0",
        **more,
    }


def test_the_workflow_is_whole():
    found = workflow()
    job = found["jobs"]["reproduce"]

    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z/-]+@v[0-9]+", one) for one in uses) and len(uses) == 5
    restored, saved = (step for step in job["steps"] if "cache/" in step.get("uses", ""))
    assert saved["if"] == "always()", "what a red run made is kept, too"
    assert (restored["with"]["path"], restored["with"]["key"]) == (saved["with"]["path"], saved["with"]["key"])
    assert {"pull_request", "schedule"} <= set(found["on"] if "on" in found else found[True])
    assert job["timeout-minutes"] and found["permissions"] == {"contents": "read"}
    written = set(re.findall(r"-o (\S+?)[\" ]", check_step()["run"]))
    kept = set(job["steps"][-1]["with"]["path"].split())
    assert kept < written and "summary.md" in written and job["steps"][-1]["if"] == "always()"


def test_a_runner_without_a_registry_is_green(runner):
    script, variables = github(runner)

    told = run(script, runner, **variables)

    assert "reproduced" in told and "::" not in told
    assert "**exit status 0**" in (runner / "step-summary.md").read_text()
    assert {"report.html", "junit.xml", "result.json"} <= {path.name for path in runner.iterdir()}


RUN = "run-0123456789abcdef"


def stand_in(folder, *statuses, begins=True, stream="stdout"):
    """A program that ends as it is told, once a run has begun or before: what a script makes of it is the page's."""
    (folder / "bin").mkdir()
    for number, status in enumerate(statuses):
        (folder / f"{number}").write_text(str(status))
    program = folder / "bin" / "mintmark"
    result = f'echo \'{{"id": "{RUN}"}}\' > result.json\n' if begins else ""
    program.write_text(
        '#!/bin/bash\nn=$(ls asked* 2>/dev/null | wc -l)\necho "$@" > "asked$n"\n'
        f'echo "as told" >/dev/{stream}\n'
        f'{result}exit "$(cat "$n")"\n'
    )
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("statuses", "event", "ended", "said"),
    [
        ((1,), "pull_request", 1, "::error title=The model changed"),
        ((3, 0), "schedule", 0, ""),
        ((3, 1), "pull_request", 1, "::error title=The model changed"),
        ((3, 3), "schedule", 3, "::warning title=Could not run"),
        ((3, 3), "pull_request", 0, "::warning title=Could not run"),
        ((4,), "pull_request", 4, "::error title=Undecided"),
        ((2,), "pull_request", 2, "::error title=Not checked"),
        ((5,), "schedule", 5, "::error title=Not checked"),
    ],
)
def test_every_status_is_handled(tmp_path, statuses, event, ended, said):
    stand_in(tmp_path, *statuses)
    script, variables = github(tmp_path, event=event)

    told = run(script, tmp_path, expect=ended, path=[tmp_path / "bin"], **variables)

    assert (said in told) if said else ("::" not in told)
    assert (tmp_path / "asked0").read_text().startswith("check --from suite.zip --budget 2.00 USD -o report.html")
    assert len(list(tmp_path.glob("asked*"))) == len(statuses)
    if len(statuses) > 1:
        assert (tmp_path / "asked1").read_text().startswith(f"check --resume {RUN} --retry-errors -o report.html")


def test_what_ends_before_its_run_begins_never_resumes_an_earlier_one(tmp_path):
    (tmp_path / "result.json").write_text('{"id": "of last night"}')
    stand_in(tmp_path, 3, 0, begins=False)
    script, variables = github(tmp_path)

    told = run(script, tmp_path, expect=3, path=[tmp_path / "bin"], **variables)

    assert "::warning title=Could not run" in told and not (tmp_path / "asked1").exists()


def test_the_plain_shell_form_and_an_approval(desk, tmp_path):
    """Of a provider that has changed: red on the runner; approved at the desk, and in the pack from then on."""
    folder = tmp_path / "desk"
    shutil.copytree(desk, folder)
    suite = folder / "suite.yaml"
    recorded = suite.read_text()
    suite.write_text(recorded.replace("target: {}", "target: {model: procedural-image@2}"))
    (folder / "suite.zip").unlink()
    type_in("mintmark suite pack suite.yaml --to suite.zip", folder)

    red = run(block("Any other CI"), folder, expect=1)
    type_in(block("When the change is wanted"), folder)

    assert "the model changed: see report.html" in red and "<failure" in (folder / "junit.xml").read_text()
    assert "data:image/webp" in (folder / "report.html").read_text()
    with zipfile.ZipFile(folder / "approved.zip") as pack, zipfile.ZipFile(pack.open("bundle.zip")) as bundle:
        records = [bundle.read(name) for name in bundle.namelist() if name.startswith("records/")]
    assert sum(b"mintmark/approval/v1" in one for one in records) == 1


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    ("status", "ended", "said"), [(0, 0, "1 passed"), (1, 1, "1 failed"), (2, 1, "1 failed"), (3, 0, "1 skipped")]
)
def test_the_pytest_file(tmp_path, status, ended, said, stream):
    """What ends before its run begins says why on standard error alone."""
    stand_in(tmp_path, status, stream=stream)
    (tmp_path / "test_media.py").write_text(block("pytest", "python"))
    command = f"{sys.executable} -m pytest -q -rs -p no:cacheprovider --rootdir . test_media.py"

    told = run(command, tmp_path, expect=ended, path=[tmp_path / "bin"])

    assert said in told and ("as told" in told or status == 0)
    assert (tmp_path / "asked0").read_text() == "check --from suite.zip\n"


def test_the_canary_is_a_line_of_cron():
    *times, command = block("Any other CI", "cron").strip().split(maxsplit=5)

    assert len(times) == 5 and all(re.fullmatch(r"[0-9*/,-]+", one) for one in times)
    assert "mintmark check suite.yaml --quiet" in command
