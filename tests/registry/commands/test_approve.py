"""``mintmark approve`` from a checked suite to a verified bundle: told, signed, exported, erased."""

import json
import re

import pytest

SIZE = ("--setting", "width=96", "--setting", "height=64")
SUITE = "format: mintmark/suite/v1\nname: sample\nselect: [{labels: {golden: 'true'}}]\n"
BY = ("--by", "Ada Example", "--reason", "the dawn is redder and we like it")


@pytest.fixture
def drifted(mintmark, tmp_path):
    """A run in which another version drifted: its id, and the manifest."""
    made = mintmark("generate", "--provider", "procedural", "--model", "procedural-image@1", "--prompt", "sea at dawn",
                    "--seed", "3", "--label", "golden=true", *SIZE)  # fmt: skip
    (tmp_path / "suite.yaml").write_text(SUITE + "target: {model: procedural-image@2}\n")
    said = mintmark("check", "suite.yaml", "--json", "-o", "result.json")
    result = json.loads((tmp_path / "result.json").read_text())
    assert said.status in (1, 4)
    return result["id"], made.out.split()[0]


def test_an_approved_version_is_what_the_suite_then_asks_for(mintmark, drifted, tmp_path):
    run, manifest = drifted
    (tmp_path / "suite.yaml").write_text(SUITE)

    done = mintmark("approve", run, "--manifest", manifest, *BY)

    assert done.status == 0 and done.out.startswith("sha256:")
    assert "takes the baseline's place" in done.err and "--calibrate 3" in done.err
    assert mintmark("check", "suite.yaml", "--json").json["counts"]["verdicts"]["reproduced"] == 1
    shown = mintmark("show", manifest).out
    assert re.search(r"approved +1 replay as a new baseline \([0-9a-f]{12}\): the dawn is redder", shown)
    assert "Ada Example" in shown and "baseline" in shown
    new = mintmark("show", manifest, "--json").json["baseline"]
    assert f"as the new baseline of {manifest[7:19]}" in mintmark("show", new).out


def test_it_answers_in_json_and_refuses_a_second_time(mintmark, drifted):
    run, manifest = drifted

    done = mintmark("approve", "@last", "--json", *BY).json

    assert done["run"] == run and done["left_out"] == []
    (subject,) = done["subjects"]
    assert (subject["manifest"], subject["baseline"], subject["effect"]) == (manifest, manifest, "replaces")
    again = mintmark("approve", run[4:16], *BY)
    assert again.status == 1 and "Ada Example has approved it already" in again.err


def test_what_it_does_not_know_is_told(mintmark, drifted):
    run, manifest = drifted

    assert mintmark("approve", "run-" + "0" * 32, *BY).status == 1
    assert mintmark("approve", "nonsense", *BY).status == 2
    assert mintmark("approve", run, "--manifest", "f" * 12, *BY).status == 1
    assert mintmark("approve", run, "--by", "Ada").status == 2
    assert mintmark("approve", run, "--by", "Ada", "--reason", "  ").status == 2
    assert mintmark("show", manifest, "--json").json["approvals"] == []


def test_a_bundle_holds_it_and_its_reason_can_be_erased(mintmark, drifted, tmp_path):
    run, manifest = drifted
    record = mintmark("approve", run, *BY).out.strip()

    assert mintmark("export", manifest, "--to", "one.zip").status == 0
    (tmp_path / "trust.txt").write_text(mintmark("key", "export").out)
    assert mintmark("verify", "one.zip", "--trust", "trust.txt").status == 0
    why = ("--reason", "asked", "--authority", "me")
    assert mintmark("erase", manifest, "--field", "reason", *why).status == 0

    shown = mintmark("show", manifest, "--json").json
    assert [(one["id"], list(one["reason"])) for one in shown["approvals"]] == [(record, ["$seal"])]
    assert "[erased]" in mintmark("show", manifest).out
    assert mintmark("log", "audit").status == 0
