"""Asks whether words and pictures may go to a model, before anything is paid for: the verdict of a moderation model."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from registry.canonical import JSON
from registry.capture.description import Description, shipped
from registry.capture.request import Placed, lifted, template_request
from registry.digest import digests_of_file
from registry.manifest import Request
from replay.outcome import OutcomeClass
from replay.provider import Call, Outcome, run
from replay.providers.http.engine import HttpProvider
from replay.providers.http.pace import Pace

DESCRIPTION: Final = "openai-moderations"
MODEL: Final = "omni-moderation-2024-09-26"
_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model said; ``flagged`` is None where it said nothing, and ``why`` then says why not.

    ``categories`` are the names of those that were flagged, sorted.
    """

    provider: str
    model: str
    flagged: bool | None
    categories: tuple[str, ...] = ()
    why: str | None = None

    def to_json(self) -> dict[str, JSON]:
        """As it stands in ``outcome.moderation`` of a manifest; nothing in it quotes what was looked at."""
        found = {"provider": self.provider, "model": self.model, "flagged": self.flagged}
        return found | {"categories": list(self.categories)}


def moderate(
    prompt: str | None,
    pictures: Sequence[tuple[Path, str]],
    workdir: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    model: str = MODEL,
    pace: Pace | None = None,
) -> Verdict:
    """Have a prompt and pictures looked at. Asking is free, and asking again changes nothing.

    Args:
        prompt: words; None where there are none.
        pictures: each with its media type.
        workdir: an existing folder that nobody else uses.
        environment: where key and address are looked up.
        model: which one looks.
        pace: when it is tried again.

    Raises:
        SecretMissing, SecretUnreadable, BadAddress: nothing was sent.
    """
    description = shipped().by_id(DESCRIPTION)
    assert description is not None
    files = {digests_of_file(path)[0].sha256: path for path, _ in pictures}
    request = _request(description, model, prompt, pictures)
    key = hashlib.sha256(os.urandom(32)).hexdigest()
    call = Call(description, {}, (), workdir, key, request, lambda digest: files[digest["sha256"]])
    return _read(description, model, run(HttpProvider(description, environment, pace), call, limit_s=_LIMIT_S))


def _request(description: Description, model: str, prompt: str | None, pictures: Sequence[tuple[Path, str]]) -> Request:
    request = template_request(description, {"model": model, "prompt": prompt or ""})
    body: JSON = request.body
    parts: list[JSON] = list(body["input"]) if prompt else []
    for path, media_type in pictures:
        placed = Placed("image", digests_of_file(path)[0].to_json(), path.stat().st_size, media_type)
        url = lifted(placed, f"data:{media_type};base64,", "standard")
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return msgspec.structs.replace(request, body={**body, "input": parts})


def _read(description: Description, model: str, outcome: Outcome) -> Verdict:
    served = outcome.served_model or model
    if outcome.class_ is not OutcomeClass.SUCCEEDED:
        return Verdict(description.provider, served, None, why=outcome.error or outcome.class_.value)
    said = json.loads(outcome.outputs[0].path.read_bytes())
    flagged = said.get("flagged") if isinstance(said, dict) else None
    if not isinstance(flagged, bool):
        return Verdict(description.provider, served, None, why="the answer holds no verdict")
    harms = said.get("categories") if isinstance(said.get("categories"), dict) else {}
    named = sorted(name for name, hit in harms.items() if hit is True)
    return Verdict(description.provider, served, flagged, tuple(named))
