"""The commands of the README and of each persona's page, run as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


def blocks(page, language):
    """The fenced blocks of a page."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)


def run(script, folder, *, expect=0):
    """Run shell commands in a folder; any failing line ends them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MINTMARK_")}
    environment["PATH"] = f"{PROGRAMS}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == expect, f"{script}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def prepared(tmp_path, picture):
    """A folder with the files that the pages name."""
    picture("hero.png", seed=5, size=(300, 200))
    picture("ref.png", seed=6, size=(100, 100))
    return tmp_path


def test_the_readme_on_your_own_file(tmp_path):
    script = next(block for block in blocks("README.md", "sh") if "lookup" in block)
    script = script.replace('export PATH="$PWD/.venv/bin:$PATH"', "").replace("/tmp/mine", str(tmp_path / "mine"))

    told = run(script, tmp_path)

    assert "match  sha256:" in told
    assert len(re.findall("^[0-9a-f]{12}  reproduced: ", told, re.M)) == 3
    assert "replayed   reproduced (3 replays)" in told and "regime     deterministic, by 3 calibration replays" in told


def test_the_readme_in_ci(tmp_path):
    script = next(block for block in blocks("README.md", "sh") if "mintmark check" in block)
    asked = "generate --provider procedural --model procedural-image@1 --seed 7 --setting width=96 --setting height=96"
    for prompt in ("a lake", "a pier"):
        run(f"mintmark {asked} --prompt '{prompt}' --label app=shop", tmp_path)

    told = run(script, tmp_path)

    assert "2 manifests: 2 replays" in told and re.search("exit 0, 2 of 2 reproduced$", told, re.M)
    assert (tmp_path / "report.html").stat().st_size and (tmp_path / "junit.xml").stat().st_size


def test_the_developer_page(prepared):
    told = run(blocks("docs/developer.md", "sh")[0], prepared)
    shown = run("mintmark show @last", prepared)
    (prepared / "snippet.py").write_text(blocks("docs/developer.md", "python")[0])
    from_python = run(f"{sys.executable} snippet.py", prepared)

    assert told.startswith("sha256:") and from_python.startswith("sha256:")
    assert "app=storefront" in shown and "0.04 USD" in shown and "reference, image/png" in shown


def test_the_support_page(prepared):
    run("mintmark record hero.png --provider openai --model gpt-image-2-2026-04-21 --prompt 'a bridge'", prepared)
    run("cp hero.png from-a-customer.jpg", prepared)

    told = run(blocks("docs/support.md", "sh")[0], prepared)

    assert "match" in told and "a bridge" in told


def test_the_auditor_page(prepared):
    run("mintmark record hero.png --provider openai --model m --prompt 'a bridge'", prepared)
    run("mintmark export --all --to audit.zip && mintmark key export > trust.txt && rm -r .mintmark", prepared)

    told = run(blocks("docs/auditor.md", "sh")[0], prepared)

    assert "verified: audit.zip" in told


def test_the_operator_page(tmp_path):
    run("mintmark init", tmp_path)

    told = run(blocks("docs/operator.md", "sh")[0], tmp_path)

    assert "problem" not in told


def test_every_page_that_is_linked_is_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"
