"""What is said about a generation before it is recorded: everything plain, nothing sealed yet."""

import uuid
from typing import Final

import msgspec
from msgspec import field

from registry.canonical import JSON
from registry.manifest import (
    Confidence,
    Context,
    Cost,
    License,
    Model,
    Outcome,
    Parent,
    Prompt,
    Provider,
    Request,
    Seed,
)

HEADERS: Final = frozenset({"accept", "accept-language", "content-encoding", "content-type", "prefer", "user-agent"})
"""Request headers that may be kept; keys and cookies travel in the others."""


class Incoming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file on its way in: ``file`` names an upload or a path, ``digest`` an asset that is stored already."""

    file: str | None = None
    digest: str | None = None
    role: str | None = None


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a caller says about a generation; everything is plain here and sealed when it is recorded."""

    provider: Provider
    model: Model
    operation: str | None = None
    context: Context = Context()
    request: Request | None = None
    prompt: Prompt = Prompt()
    seed: Seed = Seed()
    settings: dict[str, JSON] = field(default_factory=dict)
    inputs: list[Incoming] = field(default_factory=list)
    outputs_requested: int | None = None
    outputs: list[Incoming] = field(default_factory=list)
    outcome: Outcome = Outcome()
    cost: Cost = Cost()
    license: License = License()
    parents: list[Parent] = field(default_factory=list)
    replay_of: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    engine: JSON = None
    capture: str = "http"
    confidence: Confidence = "declared"
    exchange_id: str | None = None
    extensions: dict[str, JSON] = field(default_factory=dict)


def new_exchange_id() -> str:
    """An id for an exchange, minted before the call."""
    return str(uuid.uuid4())
