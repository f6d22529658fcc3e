"""``mintmark demo`` runs to its end, and what it claims holds against the registry that it leaves."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from registry.home import open_registry
from registry.lookup_file import look_up_file

PROGRAM = [sys.executable, "-c", "from registry.cli import main; main()"]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The demo's folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "demo", "--home", "story")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "story", done.stdout


def run(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MINTMARK_")}
    environment |= {"COLUMNS": "200", "PYTHONUTF8": "1"}
    return subprocess.run([*PROGRAM, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def everything(folder):
    return json.loads(run(folder, "search", "--replays", "--limit", "1000", "--json").stdout)["generations"]


def test_it_makes_what_it_lists(story):
    folder, out = story
    listed = re.findall(r"^  ([0-9a-f]{12}) (image|video|audio) ", out, flags=re.M)

    registry = open_registry(folder)

    assert len(listed) >= 12
    assert {kind for _, kind in listed} == {"image", "video", "audio"}
    for short, kind in listed:
        manifest = registry.catalog.manifest(registry.catalog.resolve(short))
        assert manifest.outcome.class_ == "succeeded" and manifest.outputs[0].media["kind"] == kind
        registry.assets.check(manifest.outputs[0].digests.blake3)
    registry.close()


def test_its_verdicts_are_the_recorded_ones(story):
    folder, out = story
    registry = open_registry(folder)
    recorded = {}
    for manifest in everything(folder):
        for found in registry.catalog.about(manifest["id"], "drift"):
            verdict = json.loads(found.body)["verdict"]
            recorded[found.id] = (verdict["kind"], verdict["sentence"])
    registry.close()

    known = ("reproduced", "within-noise", "drifted", "undecided")
    told = {kind for kind in known if re.search(rf"^\s+{kind}\b", out, flags=re.M)}
    kinds = {kind for kind, _ in recorded.values()}
    assert told == kinds and {"reproduced", "drifted"} <= kinds
    flat = " ".join(out.split())
    for kind, sentence in set(recorded.values()):
        assert " ".join(sentence.split()) in flat, (kind, sentence)


def test_a_changed_build_is_never_called_reproduced(story):
    registry = open_registry(story[0])
    changed = 0
    for row in everything(story[0]):
        if row["replay_of"] and row["model"].endswith("@2"):
            for record in registry.catalog.about(row["id"], "drift"):
                changed += 1
                assert json.loads(record.body)["verdict"]["kind"] != "reproduced"
    registry.close()
    assert changed >= 4


def test_the_bundle_verifies_and_its_changed_copy_does_not(story):
    folder, out = story

    good = run(folder, "verify", "audit.zip", "--trust", "trust.txt")
    bad = run(folder, "verify", "audit-tampered.zip", "--trust", "trust.txt")

    assert (good.returncode, bad.returncode) == (0, 1), good.stdout + bad.stdout
    records = int(re.search(r"audit\.zip: verified, (\d+) records", out)[1])
    assert f"{records} records besides keys" in good.stdout
    a, b = ((folder / name).read_bytes() for name in ("audit.zip", "audit-tampered.zip"))
    offset = int(re.search(r"one bit of byte (\d+) changed", out)[1])
    assert len(a) == len(b) and [n for n in range(len(a)) if a[n] != b[n]] == [offset]


def test_the_customers_copy_leads_to_the_generation_it_names(story):
    folder, out = story
    found = re.search(r"candidate: ([0-9a-f]{12})", out)[1]

    said = run(folder, "lookup", "from-a-customer.jpg", "--json")

    assert said.returncode == 4
    assert json.loads(said.stdout)["hits"][0]["id"][7:19] == found
    assert run(folder, "get", found, "--to", "original.png").returncode == 0
    registry = open_registry(folder)
    assert look_up_file(registry, folder / "original.png").hits[0].sureness == "match"
    registry.close()
    (folder / "original.png").unlink()


def test_the_erased_prompt_is_in_no_file(story):
    folder, out = story
    prompt = re.search(r'"(.+?)" is now \[erased\]', out)[1]
    assert "0 files of the registry hold it" in out

    for file in folder.rglob("*"):
        if file.is_file():
            assert prompt.encode() not in file.read_bytes(), file
            assert prompt.encode("utf-16-le") not in file.read_bytes(), file
    with zipfile.ZipFile(folder / "audit.zip") as bundle:
        assert not [name for name in bundle.namelist() if prompt.encode() in bundle.read(name)]
    assert run(folder, "search", "--prompt", prompt).returncode == 1


def test_the_log_it_leaves_is_sound_and_the_doctor_content(story):
    folder, _ = story

    assert run(folder, "log", "audit", "--trust", "trust.txt").returncode == 0
    assert run(folder, "doctor").returncode == 0


def test_the_report_stands_alone_and_loads_nothing(story):
    page = (story[0] / "report.html").read_text("utf-8")

    assert len(page) > 10_000 and "</html>" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)


def test_what_is_not_an_earlier_demo_is_never_cleared(story, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")

    done = run(tmp_path, "demo", "--home", "mine")

    assert done.returncode == 3 and "no demo made" in done.stderr
    assert (mine / "thesis.txt").read_text() == "years of work"
    assert Path(story[0] / ".mintmark-demo").exists()


def test_what_it_calibrates_is_on_record(story):
    folder, out = story
    registry = open_registry(folder)
    regimes = [
        json.loads(found.body)["regime"]
        for row in everything(folder)
        if not row["replay_of"]
        for found in registry.catalog.about(row["id"], "calibration")
    ]
    registry.close()

    assert sorted(regimes) == ["seeded", "unseeded"]
    assert all(re.search(rf"^\s+{regime}  \d+ calibration replays", out, flags=re.M) for regime in regimes)
