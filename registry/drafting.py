"""From what a caller says about a generation to a sealed manifest. Decides; touches no store."""

import mimetypes
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from registry import __version__
from registry.canonical import JSON, escape, misfit, walk
from registry.capture.description import Description
from registry.capture.draft import HEADERS
from registry.capture.draft import Draft as Draft
from registry.capture.draft import Incoming as Incoming
from registry.capture.draft import new_exchange_id as new_exchange_id
from registry.capture.slots import WORDS
from registry.capture.wire import WHOLE
from registry.errors import InvalidValue, SchemaMismatch
from registry.manifest import (
    FORMAT,
    Asset,
    Environment,
    Recorder,
)
from registry.sealing import Disclosure, is_seal, leaks, refuse_leaking_names, seal
from registry.times import text_of

IMPORTED = "org.mintmark.import"  # the extension of what was imported; its ``metadata`` is sealed
GUESSABLE = 1024  # bytes; the digest of anything shorter can be found by trying
_TEXT = ("text/", "application/json", "application/x-subrip")
# What an operation makes: at least one output is of these media. A picture may move (GIF, WebP).
MEDIA_OF = {
    "image.generate": ("image",),
    "image.edit": ("image",),
    "video.generate": ("video", "image"),
    "speech.generate": ("audio",),
    "music.generate": ("audio",),
    "audio.transcribe": ("transcript",),
}
_STILL = ("image/png", "image/jpeg", "image/tiff", "image/bmp")  # pictures that do not move; an APNG is none of video
SKEW = timedelta(minutes=10)  # by which two honest clocks may differ
_OPERATION = {"image": "image.generate", "video": "video.generate", "audio": "speech.generate"}
# Names and number tokens that the vendor's schema fixes: the format has no seal there, and a prompt that is the single
# word "quality" must not stop a recording.
_FIXED = re.compile(r"/request/(query/\d+/0|parts/\d+/(name|media_type))|.*/\$num|.*/\$asset/.*").fullmatch
_EDITS = {"image", "mask", "source"}  # roles that say the picture was changed, not made


def read_draft(value: JSON) -> Draft:
    """Take a draft from outside.

    Raises:
        SchemaMismatch: a member is missing, unknown or of the wrong type.
    """
    try:
        draft = msgspec.convert(value, Draft)
    except msgspec.ValidationError as problem:
        pointer, why = misfit(problem)
        raise SchemaMismatch("draft/v1", pointer, why) from None
    for pointer, found in walk({"prompt": value.get("prompt"), "context": value.get("context")}):
        if is_seal(found):
            raise InvalidValue(pointer, "a seal", "a plain value; the registry seals what it records")
    return draft


def operation_of(draft: Draft, inputs: Sequence[Asset], outputs: Sequence[Asset]) -> str:
    """The operation as said, else as the media tell.

    Raises:
        InvalidValue: nothing was said and there is no output to tell by.
    """
    if draft.operation:
        _refuse_other_media(draft.operation, outputs, declared=draft.confidence == "declared")
        return draft.operation
    if not outputs or outputs[0].media is None:
        raise InvalidValue("operation", None, "known from an output; say it (--operation image.generate)")
    kind = str(outputs[0].media["kind"])
    if kind == "transcript":
        return "audio.transcribe"
    if kind == "image" and (
        _EDITS & {given.role for given in inputs} or any(p.relation == "edit" for p in draft.parents)
    ):
        return "image.edit"
    return _OPERATION[kind]


def _refuse_other_media(operation: str, outputs: Sequence[Asset], *, declared: bool) -> None:
    """Let an operation pass unless it makes other media than the outputs are; a call that was seen may make a still.

    Raises:
        InvalidValue: that is the case.
    """
    still = declared and operation == "video.generate" and all(output.media_type in _STILL for output in outputs)
    kinds = [str(output.media["kind"]) for output in outputs if output.media]
    making = MEDIA_OF.get(operation)
    if kinds and making is not None and (still or not set(kinds) & set(making)):
        fitting = [name for name, made in MEDIA_OF.items() if kinds[0] == made[0]]
        raise InvalidValue("operation", operation, f"what makes this ({kinds[0]}); say {' or '.join(fitting)}")


def _refuse_contradictions(draft: Draft, outputs: Sequence[Asset], recorded_at: str) -> None:
    """Let a draft pass unless a file is named as what it is not, or its call ended in the future.

    Raises:
        InvalidValue: that is the case.
    """
    for given, asset in zip(draft.outputs, outputs, strict=True):
        named = (mimetypes.guess_type(given.file or "")[0] or "").partition("/")[0]
        if named in ("image", "video", "audio") and asset.media and asset.media["kind"] == "transcript":
            why = f"what its name says ({named}): it holds text, an error page perhaps; fetch the file again"
            raise InvalidValue("file", given.file, why)
    latest = text_of(datetime.fromisoformat(recorded_at) + SKEW)
    for name in ("submitted_at", "completed_at"):
        at = getattr(draft.outcome, name)
        if at is not None and at > latest:
            raise InvalidValue(f"/outcome/{name}", at, "in the past; correct the time, or the clock of this machine")


def assemble(
    draft: Draft, inputs: Sequence[Asset], outputs: Sequence[Asset], *, recorded_at: str, exchange_id: str
) -> dict[str, JSON]:
    """The manifest as JSON with every value open; ``seal_manifest`` comes next.

    Raises:
        InvalidValue: what was said contradicts the files or the clock.
    """
    _refuse_contradictions(draft, outputs, recorded_at)
    parts = {
        "context": draft.context,
        "provider": draft.provider,
        "model": draft.model,
        "request": draft.request,
        "prompt": draft.prompt,
        "seed": draft.seed,
        "settings": draft.settings,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "outcome": draft.outcome,
        "cost": draft.cost,
        "license": draft.license,
        "parents": draft.parents,
        "labels": draft.labels,
        "environment": Environment(software={"mintmark": __version__}, engine=draft.engine),
        "recorder": Recorder(
            version=__version__, capture=draft.capture, confidence=draft.confidence, exchange_id=exchange_id
        ),
        "extensions": draft.extensions,
    }
    value: dict[str, JSON] = msgspec.to_builtins(parts)
    value |= {
        "format": FORMAT,
        "operation": operation_of(draft, inputs, outputs),
        "recorded_at": recorded_at,
        "outputs_requested": max(1, len(outputs)) if draft.outputs_requested is None else draft.outputs_requested,
        "replay_of": draft.replay_of,
    }
    return value


def seal_manifest(value: dict[str, JSON], description: Description | None) -> list[Disclosure]:
    """Seal what is private, in place: design rule "sealed unless declared public".

    Returns:
        The disclosures for the vault.

    Raises:
        SealedKey: a label or extension is named after a sealed value.
    """
    disclosures = seal(value, _private(value, description))
    if value["request"] is not None:
        value["request"]["headers"] = _kept_headers(value["request"]["headers"], disclosures)
    # A setting may repeat the prompt, a label the subject: sealing must not depend on where a caller put it.
    while leaking := [pointer for pointer in leaks(value, _regions(value), disclosures) if not _FIXED(pointer)]:
        disclosures += seal(value, leaking)
    named_by_others = {name: member for name, member in value["extensions"].items() if name != IMPORTED}
    for region in ("/labels", "/extensions"):
        refuse_leaking_names({"labels": value["labels"], "extensions": named_by_others}, region, disclosures)
    return disclosures


def _kept_headers(headers: list[list[str]], disclosures: Sequence[Disclosure]) -> list[list[str]]:
    """Headers by allow-list, and none that repeats a sealed value: the format has no seal there."""
    kept = [[name.lower(), value] for name, value in headers if name.lower() in HEADERS]
    return [pair for pair in kept if not leaks({"value": pair[1]}, ["/value"], disclosures)]


def _regions(value: dict[str, JSON]) -> list[str]:
    request = value["request"] or {}
    inside = [f"/request/{name}" for name in ("path", "query", "body", "parts") if name in request]
    return ["/labels", "/context/workflow", "/settings", "/extensions", *inside]


def _private(value: dict[str, JSON], description: Description | None) -> list[str]:
    pointers = ["/prompt/submitted", "/prompt/effective", "/outcome/error", "/context/subject"]
    pointers += [
        p for p, found in walk(value["outcome"]["moderation"], "/outcome/moderation") if isinstance(found, str)
    ]
    pointers += [f"/settings/{name}" for name in WORDS if value["settings"].get(name)]
    imported = value["extensions"].get(IMPORTED)
    pointers += [f"/extensions/{IMPORTED}/metadata"] if isinstance(imported, dict) and "metadata" in imported else []
    for direction in ("inputs", "outputs"):
        pointers += [f"/{direction}/{n}/digest" for n, asset in enumerate(value[direction]) if _guessable(asset)]
    if value["request"] is not None:
        hidden = {asset["digest"]["sha256"] for asset in value["inputs"] if _guessable(asset)}
        pointers += _private_request(value["request"], description, hidden)
    return pointers


def _guessable(asset: Mapping[str, JSON]) -> bool:
    return bool(asset["media_type"].startswith(_TEXT) or asset["bytes"] < GUESSABLE or asset["role"] == WHOLE)


def _private_request(request: dict[str, JSON], description: Description | None, hidden: set[str]) -> list[str]:
    """Pointers of a request's private values; the digest of an input that is sealed there is sealed here, too."""
    pointers = [
        f"{pointer}/digest"
        for name in ("body", "parts")
        for pointer, found in walk(request.get(name), f"/request/{name}")
        if pointer.endswith("/$asset") and found["digest"]["sha256"] in hidden
    ]
    for n, (name, _) in enumerate(request["query"]):
        if not _public(description, ["query", name]):
            pointers.append(f"/request/query/{n}/1")
    if "asset" in request:
        pointers.append("/request/asset/digest")
    for n, part in enumerate(request.get("parts", [])):
        if part["filename"] is not None:
            pointers.append(f"/request/parts/{n}/filename")
        steps = ["body", part["name"]]
        pointers += _private_strings(part["value"], f"/request/parts/{n}/value", steps, description)
    if "body" in request:
        pointers += _private_strings(request["body"], "/request/body", ["body"], description)
    return pointers


def _private_strings(value: JSON, pointer: str, steps: list[str | int], description: Description | None) -> list[str]:
    if isinstance(value, str):
        return [] if _public(description, steps) else [pointer]
    if isinstance(value, list):
        return [
            found
            for n, member in enumerate(value)
            for found in _private_strings(member, f"{pointer}/{n}", [*steps, n], description)
        ]
    if isinstance(value, dict):
        if set(value) == {"$num"}:
            return []
        if set(value) == {"$raw"}:
            return [f"{pointer}/$raw"]
        if set(value) == {"$asset"}:
            return [f"{pointer}/$asset/digest"] if value["$asset"]["bytes"] < GUESSABLE else []
        return [
            found
            for key, member in value.items()
            for found in _private_strings(member, f"{pointer}/{escape(key)}", [*steps, key], description)
        ]
    return []


def _public(description: Description | None, steps: Sequence[str | int]) -> bool:
    return description is not None and description.is_public(steps)


def refuse_empty_success(draft: Draft) -> None:
    """Let a draft pass unless it says it succeeded and brings nothing.

    Raises:
        InvalidValue: that is the case.
    """
    if draft.outcome.class_ == "succeeded" and not draft.outputs:
        raise InvalidValue(
            "outputs", None, "given: name at least one file of a generation that succeeded, or say --status failed"
        )
