"""A run's result as one self-contained page, which asks nothing of anywhere and needs no script."""

import base64
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

import jinja2

from drift.evidence import shown
from drift.report.writing import put
from drift.score import Score
from drift.significance.decision import Component
from drift.visible import visible
from registry.canonical import JSON
from replay.report.reading import (
    Result,
    budget,
    cost_of,
    duration,
    gate_standing,
    headline,
    in_order,
    made_of,
    numbers,
    seconds_of,
    short,
    spent,
    standing,
    tally,
    told,
    took,
)

_WIDE: Final = 1_000  # units of the gate's drawing, from p = 1 to the smallest p attainable


@dataclass(frozen=True, slots=True)
class Picture:
    """What a person sees of one output or of a pair: an image as a data URI, or words as (kind, text) pieces.

    Pieces are "same", "gone" or "new".
    """

    caption: str
    uri: str | None = None
    words: Sequence[tuple[str, str]] = field(default=())


Pictures = Callable[[JSON], Sequence[Picture]]
"""From a manifest of a result to what can be shown of it."""


def write(result: Result, path: Path, pictures: Pictures | None = None) -> None:
    """Write the page, whole or not at all.

    Args:
        result: of the run.
        path: where to.
        pictures: asked for every manifest that drifted, in the page's order; none are drawn where it is left out.

    Raises: ReportNotWritten.
    """
    put(path, render(result, pictures))


def render(result: Result, pictures: Pictures | None = None) -> str:
    """The page's HTML."""
    style = resources.files("replay").joinpath("report/templates/run.css").read_text("utf-8")
    rows = [_row(manifest, pictures) for manifest in in_order(result)]
    return _template().render(
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        result=result,
        headline=headline(result),
        tone=_tone(result["exit_code"]),
        about=_facts(result),
        ids=_ids(result),
        tally=tally(result),
        gate=_gate(result),
        urgent=[row for row in rows if row["standing"] != "passed"],
        rest=[row for row in rows if row["standing"] == "passed"],
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("replay", "report/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,  # not what a macro has escaped
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("run.html.j2")


def _tone(exit_code: int) -> str:
    return {0: "good", 1: "bad"}.get(exit_code, "open")


def _facts(result: Result) -> list[tuple[str, str]]:
    target = result["target"]
    where = " ".join(filter(None, (target["provider"], target["model"])))
    rows = [
        ("spent", spent(result)),
        ("budget", budget(result) or "none"),
        ("replays", made_of(result["manifests"])),
        ("took", duration(took(result))),
        ("target", where or "as recorded"),
        ("began", result["started_at"]),
        ("state", result["state"]),
    ]
    return rows + ([("sent", "nothing: offline")] if result["options"]["offline"] else [])


def _ids(result: Result) -> list[tuple[str, str]]:
    suite = result["suite"]
    rows = [("run", result["id"]), ("suite file", f"sha256:{suite['sha256']}")]
    return rows + ([("lock", f"sha256:{suite['lock_sha256']}")] if suite["lock_sha256"] else [])


def _gate(result: Result) -> Mapping[str, object] | None:
    """The gate's answer, its numbers, and how far each statistic lies from the noise."""
    gate = result["gate"]
    if gate is None:
        return None
    test = gate["test"]
    components = sorted((test.get("components") or {}).items(), key=lambda one: one[1])
    least = min([value for value in (test.get("attainable"), test.get("p"), 1.0) if value])
    return {
        "kind": gate["verdict"],
        "standing": gate_standing(result),
        "sentence": gate["sentence"],
        "numbers": numbers(test),
        "manifests": len(gate["manifests"]),
        "p": test.get("p"),
        "alpha": test.get("alpha"),
        "least": f"{least:.2g}",
        "lane": _lane(test.get("p"), test.get("alpha"), least),
        "components": [
            {"name": name, "means": _means(name), "p": f"{value:.2g}", "lane": _lane(value, test.get("alpha"), least)}
            for name, value in components
        ],
    }


def _lane(p: float | None, alpha: float | None, least: float) -> Mapping[str, int] | None:
    """Where p and alpha lie between 1 (left) and the least p (right), on a logarithmic scale."""
    if p is None or alpha is None or least >= 1:
        return None
    p_at, alpha_at = (round(_WIDE * min(1.0, math.log(value) / math.log(least))) for value in (p, alpha))
    return {"p": p_at, "alpha": alpha_at}


def _means(name: str) -> str:
    try:
        return Component(name, 1.0).means
    except KeyError:  # a statistic of a newer version
        return ""


def _row(manifest: JSON, pictures: Pictures | None) -> Mapping[str, object]:
    kind, sentence = told(manifest)
    policy = manifest["policy"]
    limits = [f"{name} {_ends(ends)}" for name, ends in (policy["limits"] or {}).items()]
    model = manifest["sent_model"]
    facts = [
        ("asked for", ", ".join([policy["level"] or "what its regime allows", f"alpha {policy['alpha']:g}", *limits])),
        ("regime", manifest["regime"] + ("" if manifest["calibration"] else ", not calibrated")),
        ("held against", f"approved replay {short(manifest['original'])}" if manifest.get("original") else ""),
        ("baseline outputs", f"{manifest['baseline']:,}"),
        ("replays", f"{made_of([manifest])} in {duration(seconds_of(manifest))}"),
        ("cost", cost_of(manifest)),
        *numbers(manifest["test"]),
        ("operation", manifest["operation"]),
        ("provider", f"{manifest['provider']} {model}"),
        ("recorded with", manifest["model"] if model != manifest["model"] else ""),
    ]
    return {
        "id": manifest["id"],
        "short": short(manifest["id"]),
        "named": manifest["name"] != short(manifest["id"]),
        "name": manifest["name"],
        "kind": kind,
        "standing": standing(manifest),
        "sentence": sentence,
        "reason": (manifest["verdict"] or {}).get("reason"),
        "facts": [(name, value) for name, value in facts if value],
        "replays": [_replay(replay) for replay in manifest["replays"]],
        "pictures": list(pictures(manifest)) if pictures is not None and kind == "drifted" else [],
    }


def _ends(ends: JSON) -> str:
    said = [
        f"{word} {ends[name]:g}"
        for name, word in (("min", "at least"), ("max", "at most"))
        if ends.get(name) is not None
    ]
    return " and ".join(said)


def _replay(replay: JSON) -> Mapping[str, object]:
    outputs = [
        {
            "verdict": verdict["kind"],
            "sentence": verdict["sentence"],
            "scores": [(score["name"], _shown(score), score["value"] is None) for score in scores],
        }
        for verdict, scores in zip(replay["verdicts"], replay["scores"], strict=False)
    ]
    return {
        "ordinal": replay["ordinal"] + 1,
        "purpose": replay["purpose"],
        "outcome": replay["outcome"],
        "generation": replay["generation"],
        "drift": replay["drift"],
        "outputs": outputs,
    }


def _shown(score: JSON) -> str:
    return shown(Score(score["name"], score["value"], score["unit"], score["reason"], score["higher_is_better"]))
