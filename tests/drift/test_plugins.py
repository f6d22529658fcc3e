"""The worked example of docs/drift-plugins.md, installed as a package apart and run by the program itself."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "drift-plugins.md").read_text("utf-8")
RUNTIME = '''
"""Stands for a learned network: colour in coarse cells."""
import numpy as np

def embed(picture):
    return picture.reshape(8, 8, 8, 8, 3).mean(axis=(1, 3)) - 0.5
'''


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, flags=re.S)[1]


@pytest.fixture
def site(tmp_path):
    """A folder with the example as an installer would leave it: the package and its metadata."""
    project = tomllib.loads(block("toml"))["project"]
    site = tmp_path / "site"
    (site / "nearness").mkdir(parents=True)
    (site / "nearness" / "__init__.py").write_text(block("python"))
    info = site / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = project["entry-points"]
    listed = [f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in named.items())
              for group, named in entries.items()]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(listed))
    return site


def compare(site, *arguments):
    """Run the command in a process of its own, the folder on its path."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from registry.cli import main; main()"
    command = [sys.executable, "-c", code, "compare", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def score(done):
    assert done.returncode == 0, done.stderr
    return next(one for one in json.loads(done.stdout)["scores"] if one["name"].startswith("nearness/"))


def test_without_its_runtime_the_score_has_the_reason(site, media):
    found = score(compare(site, media / "a.png", media / "a.jpg", "--json"))

    assert found["name"] == "nearness/1/toy-weights/1" and found["value"] is None
    assert found["reason"] == "learned_runtime is not installed: pip install 'nearness[runtime]'"


def test_with_its_runtime_it_is_a_metric_like_any_other(site, media, tmp_path):
    (site / "learned_runtime.py").write_text(RUNTIME)
    turned = tmp_path / "turned.png"
    make_turned(media / "a.png", turned)

    itself, again, other = (
        score(compare(site, media / "a.png", candidate, "--metric", "nearness", "--json"))["value"]
        for candidate in (media / "a.png", media / "a.jpg", turned)
    )

    assert abs(itself) < 1e-9 and itself <= again < 0.02 < other
    shown = compare(site, media / "a.png", media / "a.jpg")
    assert "nearness/1/toy-weights/1" in shown.stdout and "ssim/1" in shown.stdout


def test_a_failure_inside_is_its_own_reason_and_a_broken_package_is_named(site, media):
    (site / "learned_runtime.py").write_text("def embed(picture):\n    raise RuntimeError('no \\x1b[2Jmemory')\n")
    found = score(compare(site, media / "a.png", media / "a.jpg", "--json"))
    assert found["value"] is None and "RuntimeError: no" in found["reason"]
    assert "\x1b" not in compare(site, media / "a.png", media / "a.jpg").stdout

    (site / "nearness" / "__init__.py").write_text("import no_such_thing\n")
    done = compare(site, media / "a.png", media / "a.jpg")
    assert done.returncode == 3 and "metric plug-in 'nearness' cannot be loaded" in done.stderr


def make_turned(source, target):
    with Image.open(source) as image:
        image.rotate(180).save(target)


def test_words_are_measured_without_it(site, media):
    done = compare(site, media / "lines.txt", media / "cues.srt", "--json")

    assert done.returncode == 0 and "nearness" not in done.stdout
