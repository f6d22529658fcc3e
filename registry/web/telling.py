"""From a view of a generation to what its page says, in words a person reads. Touches no store."""

from collections.abc import Iterator
from dataclasses import dataclass

from registry.canonical import JSON
from registry.errors import counted
from registry.sealing import is_seal
from registry.show import View, moderation_of, plain_text, rate_of
from registry.times import moment_of

_OPERATIONS = {
    "image.generate": "Image",
    "image.edit": "Edited image",
    "video.generate": "Video",
    "speech.generate": "Speech",
    "music.generate": "Music",
    "audio.transcribe": "Transcript",
}
_PINS = {
    "snapshot": "pinned to a dated snapshot",
    "hash": "pinned to a content hash",
    "build": "pinned to a local build",
    "alias": "an alias: the provider may change what it means",
    "unknown": "nobody said whether this name is a pin",
}
_REGIMES = {
    "deterministic": "This version repeats itself",
    "seeded": "This version repeats itself but for noise",
    "unseeded": "This version draws a new sample every time",
    "unknown": "Not known yet how far honest runs of this version differ",
}
_LONG = 60  # characters of a sentence that is not said twice
VERDICTS = {
    "reproduced": "good",
    "within-noise": "good",
    "drifted": "bad",
    "not-replayable": "plain",
    "undecided": "plain",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known under it; ``note`` says more, quietly."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An asset on a page; ``digest`` is None where it was erased, ``gone`` says what became of bytes not here."""

    role: str
    kind: str
    media_type: str
    told: str
    digest: str | None
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """A replay on a page: kind and sentence of each verdict; a sentence that was just said is "the same"."""

    id: str
    verdicts: list[tuple[str, str, str]]  # kind, kind with its reason, sentence
    note: str  # where there is no verdict


@dataclass(frozen=True, slots=True)
class Page:
    """What the page of one generation says."""

    id: str
    title: str
    model: str
    recorded_at: str
    prompts: list[tuple[str, str | None, str]]  # label, text or None, what became of the seal
    facts: list[Fact]
    outcome: list[Fact]
    failure: str | None
    outputs: list[Shown]
    inputs: list[Shown]
    labels: list[tuple[str, str, bool]]  # key, value, whether it came later (a tag)
    reviews: list[JSON]
    replays: list[tuple[str | None, list[Again]]]  # of the recorded model (None), then of each other that was asked
    relatives: list[tuple[str, str]]
    log: list[Fact]
    answer: str
    regime: str | None  # what its newest calibration says
    final: str | None  # why it cannot be made again


def page_of(view: View) -> Page:
    """Everything the page of a generation says, but the texts of transcripts."""
    value = view.disclosed
    return Page(
        id=view.id,
        title=title_of(view.manifest.operation),
        model=view.manifest.model.requested,
        recorded_at=view.manifest.recorded_at,
        prompts=list(_prompts(view)),
        facts=list(_facts(view)),
        outcome=list(_outcome(view)),
        failure=_failure(view),
        outputs=[shown(view, "output", n) for n in range(len(value["outputs"]))],
        inputs=[shown(view, "input", n) for n in range(len(value["inputs"]))],
        labels=[(key, _said(text), False) for key, text in value["labels"].items()]
        + [(key, text, True) for key, text in view.tags.items()],
        reviews=view.reviews,
        replays=list(_replays(view)),
        relatives=list(_relatives(view)),
        log=list(_log(view)),
        answer=_answer(view),
        regime=_regime(view.calibration),
        final=_final(view),
    )


def _regime(calibration: JSON) -> str | None:
    if calibration is None:
        return None
    return f"{_REGIMES[calibration['regime']]} ({counted(len(calibration['runs']), 'calibration replay')})"


def _final(view: View) -> str | None:
    """Why a generation cannot be made again from here; None where it can."""
    manifest = view.manifest
    if not manifest.outputs:
        return "the call made nothing to compare with"
    if not manifest.request:
        return "its request is not on record"
    if not manifest.provider.description:
        return f"no description on record says how {manifest.provider.name} is called"
    states = {state for pointer, state in view.state.items() if pointer.startswith("/request")}
    if "erased" in states:
        return "values of its request were erased, a signed record says so"
    if "missing" in states:
        return "the vault no longer opens its request, and no record says that it was erased; restore the vault"
    return None


def _replays(view: View) -> Iterator[tuple[str | None, list[Again]]]:
    """Replays by the model they were asked of, oldest first."""
    judged: dict[str, list[JSON]] = {replay: [] for replay in view.replays}
    for record in view.drift:
        if record["replay"] in judged:
            judged[record["replay"]].append(record["verdict"])
    groups: dict[str | None, list[Again]] = {}
    said: dict[str | None, JSON] = {}
    for replay, verdicts in judged.items():
        asked = view.others.get(replay)
        told = []
        for verdict in verdicts:
            repeated = said.get(asked) == verdict and len(verdict["sentence"]) > _LONG
            kind = f"{verdict['kind']} ({verdict['reason']})" if verdict["reason"] else verdict["kind"]
            told.append((verdict["kind"], kind, "the same" if repeated else verdict["sentence"]))
            said[asked] = verdict
        note = "made to calibrate" if replay in view.calibrated else "not judged yet"
        groups.setdefault(asked, []).append(Again(replay, told, note))
    yield from sorted(groups.items(), key=lambda group: group[0] or "")


def title_of(operation: str) -> str:
    """An operation in a word."""
    return _OPERATIONS.get(operation, operation)


def shown(view: View, direction: str, position: int) -> Shown:
    """An input or output of a generation."""
    asset = view.disclosed[f"{direction}s"][position]
    gone = view.gone_at(direction, position)
    media = asset["media"] or {}
    digest = asset["digest"]
    name = f"blake3:{digest['blake3']}" if isinstance(digest, dict) and "blake3" in digest else None
    told = ", ".join(_media(asset, media))
    return Shown(
        asset["role"], media.get("kind", "file"), asset["media_type"], told, name, gone.sentence if gone else None
    )


def when(text: str) -> str:
    """A time as people read it; UTC, and it says so."""
    moment = moment_of(text)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def size(count: int) -> str:
    """A number of bytes as people read it."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _media(asset: JSON, media: JSON) -> Iterator[str]:
    yield asset["media_type"]
    if media.get("width"):
        yield f"{media['width']} \u00d7 {media['height']}"
    if media.get("duration_ms") is not None:
        yield f"{media['duration_ms'] / 1000:.1f} s"
    if media.get("fps"):
        yield f"{rate_of(media['fps'])} frames per second"
    if media.get("sample_rate"):
        yield f"{media['sample_rate']:,} Hz"
    if media.get("words") is not None:
        yield f"{media['words']:,} words"
    if media.get("language"):
        yield str(media["language"])
    yield size(asset["bytes"])


def _prompts(view: View) -> Iterator[tuple[str, str | None, str]]:
    for name, label in (("submitted", "Prompt"), ("effective", "Prompt as the provider rewrote it")):
        value = view.disclosed["prompt"][name]
        if is_seal(value):
            yield label, None, view.state.get(f"/prompt/{name}", "missing")
        elif value is not None:
            yield label, str(value), "disclosed"


def _facts(view: View) -> Iterator[Fact]:
    manifest, value = view.manifest, view.disclosed
    yield Fact("Model", manifest.model.requested, _PINS[manifest.model.pin])
    if manifest.model.served and manifest.model.served != manifest.model.requested:
        yield Fact("Served", manifest.model.served, "not the model that was asked for")
    yield Fact("Provider", manifest.provider.name, manifest.provider.host or "")
    if seed := manifest.seed.actual or manifest.seed.requested:
        yield Fact("Seed", seed)
    if value["settings"]:
        told = " · ".join(f"{name} {_setting(setting)}" for name, setting in value["settings"].items())
        yield Fact("Settings", told)
    for name, label in (("workflow", "Workflow"), ("subject", "About")):
        found = value["context"][name]
        if found is not None:
            yield Fact(label, _said(found))


def _outcome(view: View) -> Iterator[Fact]:
    value = view.disclosed
    outcome, cost = value["outcome"], value["cost"]
    yield Fact("Outcome", outcome["class"], "" if outcome["safety"] in ("none", "unknown") else outcome["safety"])
    took = outcome["latency_ms"]["total"]
    if took is not None:
        yield Fact("Took", f"{took:,} ms" if took < 10_000 else f"{took / 1000:.1f} s")
    if moderation := moderation_of(view):
        yield Fact("Moderation", moderation)
    if (outcome["attempts"] or 0) > 1:
        yield Fact("Attempts", str(outcome["attempts"]))
    if cost["amount"] is not None:
        yield Fact("Cost", f"{cost['amount']} {cost['currency']}", cost["kind"])
    if outcome["request_id"]:
        yield Fact("Request", outcome["request_id"])
    if outcome["job_id"]:
        yield Fact("Job", outcome["job_id"])
    if value["license"]["id"]:
        yield Fact("License", value["license"]["id"], f"commercial use {value['license']['commercial_use']}")


def _failure(view: View) -> str | None:
    error = view.disclosed["outcome"]["error"]
    return None if error is None else _said(error)


def _relatives(view: View) -> Iterator[tuple[str, str]]:
    if view.manifest.replay_of:
        yield "A replay of", view.manifest.replay_of
    for parent in view.manifest.parents:
        yield f"Made as {parent.relation} of", parent.id
    for child, relation in view.children:
        yield f"{relation.capitalize()} made from it", child


def _log(view: View) -> Iterator[Fact]:
    if view.log_index is None:
        yield Fact("Log entry", "waiting for its place")
        return
    yield Fact("Log entry", f"#{view.log_index}")
    if view.checkpoint_size is None:
        yield Fact("Checkpoint", "not yet signed over", "durable, but not tamper-evident until the next checkpoint")
    else:
        yield Fact("Checkpoint", f"over {view.checkpoint_size:,} entries", "signed; the proof leads from here to it")
    recorder = view.manifest.recorder
    yield Fact("Recorded by", recorder.capture, {"full": "every byte was seen", "partial": "from what the file carries",
                                                "declared": "as somebody said"}[recorder.confidence])  # fmt: skip


def _answer(view: View) -> str:
    """What a person in support pastes into a reply."""
    manifest = view.manifest
    made = f"made by {manifest.provider.name} with {manifest.model.requested}"
    at = f"recorded on {when(manifest.recorded_at)}"
    place = "" if view.log_index is None else f", log entry {view.log_index}"
    if view.checkpoint_size is not None:
        place += f" under signed checkpoint {view.checkpoint_size}"
    return f"This file was {made}, {at} ({view.id}{place})."


def _said(value: JSON) -> str:
    return "[erased]" if is_seal(value) else str(value)


def _setting(value: JSON) -> str:
    if isinstance(value, dict) and set(value) == {"$num"}:
        return str(value["$num"])
    return "[erased]" if is_seal(value) else plain_text(value)
