"""Results of runs, as schemas/run/v1 has them: one of each kind that a report must tell."""

import copy
import hashlib
import json
from pathlib import Path

import pytest

HOSTILE = (
    "</script><img src=x onerror=alert(1)>`|a|`\n\x00\x1b[31m\ud800\uffff]]> & \u202e{{7*7}} @octocat #1 www.a.test"
)


KINDS = ("reproduced", "within-noise", "drifted", "not-replayable", "undecided")


def digest(number):
    return f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"


def replay_row(ordinal=0, *, outcome="succeeded", cost="0.0400", verdict=("reproduced", None), purpose="first"):
    made = outcome == "succeeded"
    scores = [
        {"name": "ssim/1", "value": 0.9123, "unit": "", "reason": None, "higher_is_better": True},
        {"name": "phash/1", "value": 6.0, "unit": "bits", "reason": None, "higher_is_better": False},
        {"name": "psnr/1", "value": None, "unit": "dB", "reason": "the pictures are equal", "higher_is_better": True},
    ]
    return {
        "ordinal": ordinal,
        "purpose": purpose,
        "generation": digest(ordinal + 0xABC) if made else None,
        "outcome": outcome,
        "seconds": 2.25,
        "cost": {"amount": cost, "currency": "USD", "kind": "estimated"} if cost else None,
        "verdicts": [{"kind": verdict[0], "reason": verdict[1], "sentence": "The file is the recorded one."}] * made,
        "scores": [scores] * made,
        "drift": [digest(ordinal + 0xDEF)] * made,
    }


def manifest_row(
    number=1, kind="reproduced", sentence="The file is byte for byte the recorded one.", reason=None, **more
):
    return {
        "id": digest(number),
        "name": f"hero-{number}",
        "operation": "image.generate",
        "provider": "procedural",
        "model": "procedural-image@1",
        "sent_model": "procedural-image@1",
        "media": ["image"],
        "policy": {
            "level": None,
            "alpha": 0.01,
            "limits": {},
            "replays": {"baseline": 5, "gate": 2, "max": 20},
            "min_power": None,
        },
        "regime": "deterministic",
        "calibration": digest(number + 0x9000),
        "baseline": 1,
        "verdict": None if kind is None else {"kind": kind, "reason": reason, "sentence": sentence},
        "error": None,
        "allowed": False,
        "test": None,
        "replays": [replay_row(verdict=(kind or "undecided", reason))],
    } | more


def result_of(*manifests, code=0, reason="1 of 2 reproduced, 1 within noise", **more):
    kinds = [one["verdict"]["kind"] for one in manifests if one["verdict"]]
    return {
        "format": "mintmark/run/v1",
        "id": f"run-{7:032x}",
        "suite": {"name": "storefront-images", "sha256": "a" * 64, "lock_sha256": "b" * 64},
        "target": {"provider": None, "model": None},
        "state": "finished",
        "started_at": "2026-11-20T12:00:00.000Z",
        "finished_at": "2026-11-20T12:03:05.250Z",
        "exit_code": code,
        "exit_reason": reason,
        "options": {"offline": False, "repeat": 1},
        "budget": {"amount": "5.00", "currency": "USD", "spent": "0.32", "reserved": "0.00"},
        "cost": [{"currency": "USD", "amount": "0.32", "kind": "estimated"}],
        "counts": {
            "manifests": len(manifests),
            "replays": sum(len(one["replays"]) for one in manifests),
            "verdicts": {kind: kinds.count(kind) for kind in KINDS},
            "errors": sum(one["error"] is not None for one in manifests),
        },
        "gate": None,
        "manifests": list(manifests),
    } | more


SAMPLES = {
    "rule": "suite/1",
    "answer": "drifted",
    "reason": None,
    "p": 0.0004,
    "components": {"glob.coherent": 0.0002, "hist.energy": 0.31, "lay.max": 0.62, "dispersion": 0.04},
    "attainable": 0.0003,
    "alpha": 0.01,
    "seed": 4711,
    "relabelings": 9999,
    "complete": False,
    "baseline": 5,
    "replays": 2,
    "prompts": 4,
    "needed": None,
}
DRIFTED = "The decoded content differs, and earlier runs of this version repeat bit for bit: SSIM 0.9123."
SEEDED = {
    "rule": "seeded/1",
    "answer": "drifted",
    "p": 0.0095,
    "attainable": 0.0095,
    "alpha": 0.01,
    "baseline": 13,
    "replays": 2,
    "beyond": 2,
    "needed": None,
}


def undecided(number, reason, sentence, **more):
    return manifest_row(number, "undecided", sentence, reason, **more)


def failing(number, class_, why, **more):
    return manifest_row(
        number, None, error={"class": class_, "why": why}, replays=[replay_row(outcome=class_, cost=None)], **more
    )


def not_replayable(number, *, allowed):
    said = "model sora-2 was shut down on 2026-09-24"
    return manifest_row(
        number, "not-replayable", said, "retired", replays=[], allowed=allowed, regime="unknown", calibration=None
    )


def gate(kind="drifted", moved=True):
    said = "Changed: 4 prompts with at least 2 replays against 5 baseline outputs differ with p = 0.0004, at most 0.01."
    return {
        "verdict": kind,
        "sentence": said,
        "test": SAMPLES | {"answer": kind},
        "manifests": [digest(n) for n in (1, 2, 3, 4)],
    }


def results():
    """One result of each kind, by name."""
    seeded = manifest_row(
        2,
        "drifted",
        "SSIM 0.81 lies outside all 13 calibration replays twice in a row, p = 0.0095.",
        regime="seeded",
        test=SEEDED,
        replays=[replay_row(0), replay_row(1, purpose="confirm")],
    )
    sampled = manifest_row(
        1,
        "within-noise",
        "No change found in 8 replays against 20 baseline outputs.",
        regime="unseeded",
        test={"rule": "sequential/1", "answer": "within-noise", "p": 0.8, "alpha": 0.01, "looks": [SAMPLES]},
    )
    big = [
        manifest_row(
            n, "drifted" if n % 9 == 0 else "reproduced", DRIFTED, operation=("image.generate", "video.generate")[n % 2]
        )
        for n in range(1, 1001)
    ]
    return {
        "reproduced": result_of(manifest_row(1), sampled | {"id": digest(2)}),
        "drifted-by-gate": result_of(sampled, code=1, reason="drifted: the suite as a whole drifted", gate=gate()),
        "drifted": result_of(
            manifest_row(1), manifest_row(2, "drifted", DRIFTED), code=1, reason="drifted: 1 of 2 manifests"
        ),
        "seeded-drift": result_of(seeded, code=1, reason="drifted: 1 of 1 manifests"),
        "uncalibrated": result_of(
            undecided(1, "uncalibrated", "It is not known how far honest runs differ."),
            code=4,
            reason="1 manifest is undecided",
        ),
        "resolution": result_of(
            undecided(1, "resolution", "13 are needed; there are 5."), code=4, reason="1 manifest is undecided"
        ),
        "budget": result_of(
            undecided(1, "budget", "The budget of 5.00 USD is spent."),
            code=4,
            state="stopped",
            reason="the budget is spent",
        ),
        "offline": result_of(
            undecided(1, "offline", "Nothing was sent."),
            code=4,
            reason="1 manifest is undecided",
            budget=None,
            options={"offline": True, "repeat": 1},
        ),
        "retired": result_of(
            manifest_row(1), not_replayable(2, allowed=False), code=4, reason="1 manifest is not replayable"
        ),
        "retired-allowed": result_of(manifest_row(1), not_replayable(2, allowed=True)),
        "outage": result_of(
            manifest_row(1),
            failing(2, "retryable", "the provider answered 503 three times"),
            code=3,
            reason="could not run: 1 manifest without an answer (retryable 1x)",
        ),
        "ambiguous": result_of(
            failing(1, "ambiguous", "the call was cut after sending; `mintmark replay ambiguous` settles it"),
            code=3,
            reason="could not run: 1 manifest without an answer (ambiguous 1x)",
        ),
        "canceled": result_of(
            manifest_row(1, None, replays=[]), code=3, state="canceled", reason="the run was canceled", finished_at=None
        ),
        "drift-and-error": result_of(
            manifest_row(1, "drifted", DRIFTED, error={"class": "timeout", "why": "no answer in 600 s"}),
            code=1,
            reason="drifted: 1 of 1 manifests",
        ),
        "hostile": result_of(
            manifest_row(1, "drifted", f"{DRIFTED} {HOSTILE}", name=HOSTILE),
            failing(2, "failed", HOSTILE, provider=HOSTILE, model=HOSTILE, operation="image.edit"),
            code=1,
            reason=HOSTILE,
            suite={"name": HOSTILE, "sha256": "a" * 64, "lock_sha256": None},
        ),
        "thousand": result_of(*big, code=1, reason="drifted: 111 of 1000 manifests", gate=gate()),
    }


PUBLISHED = Path(__file__).parents[3] / "schemas" / "run" / "v1" / "valid"
RESULTS = results() | {path.stem + ".json": json.loads(path.read_text()) for path in sorted(PUBLISHED.glob("*.json"))}


@pytest.fixture(params=RESULTS)
def result(request):
    """Each of them in turn."""
    return copy.deepcopy(RESULTS[request.param])


class Copies(dict):
    """Results by name; what is taken out is a copy, to be changed at will."""

    def __getitem__(self, name):
        return copy.deepcopy(super().__getitem__(name))


@pytest.fixture
def results_by_name():
    """All of them, by name."""
    return Copies(RESULTS)


@pytest.fixture
def hostile():
    """Words that break out of a page, a table, an XML file or a terminal."""
    return HOSTILE
