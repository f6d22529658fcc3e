"""The JUnit file: the grammar that readers of it share, what fails and what does not, and words that break XML."""

import re
import xml.sax
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.report.junit import render, write

NUMBER = r"[0-9]+"
SECONDS = r"[0-9]+\.[0-9]{3}"
COUNTS = {"tests": NUMBER, "failures": NUMBER, "errors": NUMBER, "skipped": NUMBER, "time": SECONDS}
# Of each element: attributes with their form, those that must be there, and children in order (Jenkins' junit-10.xsd,
# narrowed to what Ant's, GitLab's and GitHub's readers take as well).
GRAMMAR = {
    "testsuites": ({"name": ".*", **COUNTS}, {"name", *COUNTS}, "(testsuite )+"),
    "testsuite": (
        {"name": ".+", "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", **COUNTS},
        {"name", "timestamp", *COUNTS},
        "properties (testcase )+",
    ),
    "properties": ({}, set(), "(property )+"),
    "property": ({"name": ".+", "value": ".*"}, {"name", "value"}, ""),
    "testcase": (
        {"name": ".+", "classname": ".+", "time": SECONDS},
        {"name", "classname", "time"},
        "((skipped|error|failure) )?(system-out )?",
    ),
    "failure": ({"type": ".+", "message": ".+"}, {"type", "message"}, ""),
    "error": ({"type": ".+", "message": ".+"}, {"type", "message"}, ""),
    "skipped": ({"message": ".+"}, {"message"}, ""),
    "system-out": ({}, set(), ""),
}


def check(element):
    attributes, required, children = GRAMMAR[element.tag]
    assert required <= set(element.keys()) <= set(attributes)
    for name, value in element.items():
        assert re.fullmatch(attributes[name], value), (element.tag, name, value)
    assert re.fullmatch(children, "".join(f"{child.tag} " for child in element))
    if len(element):
        assert not (element.text or "").strip()
    for child in element:
        check(child)


def cases(text):
    """Group, and word for how it ended, of every test case."""
    root = ElementTree.fromstring(text)
    return [
        (case.get("classname"), next((child.tag for child in case if child.tag != "system-out"), "passed"))
        for case in root.iter("testcase")
    ]


def test_every_result_fits_the_grammar_and_its_counts_add_up(result, tmp_path):
    write(result, tmp_path / "junit.xml")

    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    check(root)
    for suite in root:
        for tag, count in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(list(suite.iter(tag))) == int(suite.get(count))
    assert sum(int(suite.get("tests")) for suite in root) == int(root.get("tests"))


@pytest.mark.parametrize(
    ("name", "endings"),
    [
        ("reproduced", ["passed", "passed"]),
        ("drifted", ["passed", "failure"]),
        ("seeded-drift", ["failure"]),
        ("drift-and-error", ["failure"]),
        ("uncalibrated", ["error"]),
        ("budget", ["error"]),
        ("offline", ["error"]),
        ("retired", ["passed", "error"]),
        ("retired-allowed", ["passed", "skipped"]),
        ("outage", ["passed", "error"]),
        ("ambiguous", ["error"]),
        ("canceled", ["error"]),
    ],
)
def test_drift_fails_and_what_has_no_answer_is_an_error(results_by_name, name, endings):
    assert [ending for _, ending in cases(render(results_by_name[name]))] == endings


def test_the_gate_is_a_case_of_its_own_and_operations_are_suites(results_by_name):
    found = cases(render(results_by_name["drifted-by-gate"]))
    root = ElementTree.fromstring(render(results_by_name["thousand"]))

    assert found == [("mintmark.image.generate", "passed"), ("mintmark.suite gate", "failure")]
    assert sorted(suite.get("name") for suite in root) == ["image.generate", "suite gate", "video.generate"]


def test_an_undecided_gate_is_an_error_unless_the_suite_allows_what_it_leaves_open(results_by_name):
    found = results_by_name["uncalibrated"]
    (manifest,) = found["manifests"]
    found["gate"] = results_by_name["drifted-by-gate"]["gate"] | {
        "verdict": "undecided",
        "manifests": [manifest["id"]],
    }
    assert [ending for _, ending in cases(render(found))] == ["error", "error"]

    manifest["allowed"], found["exit_code"] = True, 0
    assert [ending for _, ending in cases(render(found))] == ["skipped", "skipped"]


def test_an_exit_status_other_than_0_never_leaves_a_file_without_a_failure(result):
    ended = {ending for _, ending in cases(render(result))}

    assert bool(ended & {"failure", "error"}) == (result["exit_code"] != 0)


def test_a_suite_says_of_which_run_it_is(results_by_name):
    root = ElementTree.fromstring(render(results_by_name["drifted"]))
    said = {one.get("name"): one.get("value") for one in root.iter("property")}

    assert said["suite.sha256"] == "a" * 64 and said["run"].startswith("run-")
    assert said["budget"] == "0.32 USD of 5.00 USD spent, 0.00 USD reserved" and said["cost"] == "0.32 USD estimated"


def test_another_parser_reads_the_hostile_one(browser, results_by_name):
    """Chromium's parser is libxml2; it refuses what XML 1.0 does not allow."""
    page = browser.new_page()
    told = page.evaluate(
        """text => {
          const read = new DOMParser().parseFromString(text, "application/xml");
          return [read.querySelectorAll("parsererror").length, read.querySelectorAll("testcase").length];
        }""",
        render(results_by_name["hostile"]),
    )
    page.close()

    assert told == [0, 2]


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_character_can_stand_in_a_name(words):
    from_conftest = _hostile_result(words)

    text = render(from_conftest)

    xml.sax.parseString(text.encode(), xml.sax.ContentHandler())
    check(ElementTree.fromstring(text))


def _hostile_result(words):
    manifest = {
        "id": f"sha256:{1:064x}",
        "name": words,
        "operation": "image.generate",
        "provider": "procedural",
        "model": words,
        "sent_model": words,
        "media": ["image"],
        "policy": {"level": None, "alpha": 0.01, "limits": {}, "replays": {}, "min_power": None},
        "regime": "unknown",
        "calibration": None,
        "verdict": None,
        "error": {"class": "failed", "why": words},
        "allowed": False,
        "test": None,
        "replays": [],
    }
    return {
        "suite": {"name": words, "sha256": "", "lock_sha256": None},
        "target": {"provider": None, "model": None},
        "id": "run-1",
        "state": "finished",
        "started_at": "2026-11-20T12:00:00.000Z",
        "finished_at": None,
        "exit_code": 3,
        "exit_reason": words,
        "budget": None,
        "cost": [],
        "gate": None,
        "manifests": [manifest],
    }
