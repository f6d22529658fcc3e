"""A run's result as JUnit XML, for whatever shows test results: drift fails, what could not be answered is an error."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from drift.report.writing import put
from drift.visible import visible
from registry.canonical import JSON
from replay.report.reading import (
    Result,
    Standing,
    budget,
    cost_of,
    gate_standing,
    numbers,
    seconds_of,
    short,
    spent,
    standing,
    told,
    took,
)

_UNFIT = re.compile("[\ufffe\uffff]")  # besides control characters and halves of surrogate pairs (XML 1.0, 2.2)


def write(result: Result, path: Path) -> None:
    """Write the XML file, whole or not at all.

    One ``testsuite`` for each operation with one ``testcase`` for each manifest; the suite's gate is one of its own.

    Raises: ReportNotWritten.
    """
    put(path, render(result))


def render(result: Result) -> str:
    """The XML document."""
    root = Element("testsuites", name=_text(result["suite"]["name"]))
    by_operation: dict[str, list[JSON]] = defaultdict(list)
    for manifest in result["manifests"]:
        by_operation[manifest["operation"]].append(manifest)
    for operation, manifests in by_operation.items():
        _suite(root, result, operation, [_case(operation, manifest) for manifest in manifests])
    if (gate := _gate(result)) is not None:
        _suite(root, result, "suite gate", [gate])
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{took(result) or 0.0:.3f}")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, result: Result, name: str, cases: Sequence[Element]) -> None:
    suite = SubElement(root, "testsuite", name=_text(name))
    suite.set("tests", str(len(cases)))
    for tag, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")
    suite.set("timestamp", result["started_at"].partition(".")[0])
    properties = SubElement(suite, "properties")
    for key, value in _properties(result):
        SubElement(properties, "property", name=key, value=_text(value))
    suite.extend(cases)


def _properties(result: Result) -> list[tuple[str, str]]:
    suite, target = result["suite"], result["target"]
    rows = [
        ("run", result["id"]),
        ("suite", suite["name"]),
        ("suite.sha256", suite["sha256"]),
        ("lock.sha256", suite["lock_sha256"]),
        ("target.provider", target["provider"]),
        ("target.model", target["model"]),
        ("state", result["state"]),
        ("exit", f"{result['exit_code']}: {result['exit_reason']}"),
        ("budget", budget(result)),
        ("cost", spent(result)),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _case(operation: str, manifest: JSON) -> Element:
    kind, sentence = told(manifest)
    verdict = manifest["verdict"] or {}
    why = verdict.get("reason") if kind == verdict.get("kind") else (manifest["error"] or {}).get("class")
    name = " ".join(dict.fromkeys((manifest["name"], short(manifest["id"]))))
    case = _testcase(operation, name, seconds_of(manifest), standing(manifest), why or kind, sentence)
    SubElement(case, "system-out").text = "\n".join(map(_text, _facts(manifest, kind, sentence)))
    return case


def _facts(manifest: JSON, kind: str, sentence: str) -> list[str]:
    by = f"{manifest['provider']} {manifest['sent_model'] or manifest['model']}"
    rows = [f"{kind}: {sentence}", f"manifest {manifest['id']}", f"{by}, regime {manifest['regime']}"]
    rows += [f"{name} {value}" for name, value in numbers(manifest["test"])]
    rows += [f"replay {one['generation'] or one['outcome']}" for one in manifest["replays"]]
    return rows + ([f"cost {cost}"] if (cost := cost_of(manifest)) else [])


def _gate(result: Result) -> Element | None:
    found, gate = gate_standing(result), result["gate"]
    if found is None:
        return None
    case = _testcase("suite gate", "all manifests together", 0.0, found, gate["verdict"], gate["sentence"])
    rows = [f"{name} {value}" for name, value in numbers(gate["test"])]
    SubElement(case, "system-out").text = "\n".join(map(_text, [gate["sentence"], *rows]))
    return case


def _testcase(group: str, name: str, seconds: float, found: Standing, why: str, sentence: str) -> Element:
    case = Element("testcase", classname=_text(f"mintmark.{group}"), name=_text(name), time=f"{seconds:.3f}")
    if found == "skipped":
        SubElement(case, "skipped", message=_text(f"{why}: {sentence}"))
    elif found != "passed":
        SubElement(case, found, type=_text(why), message=_text(sentence)).text = _text(sentence)
    return case


def _text(value: object) -> str:
    """One line that XML can hold: what it cannot, and what would steer a terminal, is spelled out."""
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", visible(str(value)))
