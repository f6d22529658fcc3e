"""The manifest of one generation, as frozen types that round-trip exactly.

``schemas/manifest/v1.schema.json`` says what is valid; these types say it to
Python. A value is checked once, where it enters (``Manifest.parse`` or
``registry.drafting``), and never again. Format: docs/formats/manifest.md.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from registry.canonical import JSON, parse_canonical
from registry.digest import DigestSet
from registry.schema import validate

FORMAT: Literal["mintmark/generation/v1"] = "mintmark/generation/v1"

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

Pin: TypeAlias = Literal["snapshot", "hash", "build", "alias", "unknown"]
Confidence: TypeAlias = Literal["full", "partial", "declared"]
OutcomeClass: TypeAlias = Literal[
    "succeeded", "blocked", "rejected", "auth", "quota", "retryable", "timeout", "ambiguous",
    "failed", "malformed", "canceled", "expired", "retired", "unsupported",
]  # fmt: skip
OutcomeState: TypeAlias = Literal["succeeded", "failed", "canceled", "expired", "unknown"]
Safety: TypeAlias = Literal["none", "refused", "omitted", "altered", "unknown"]
Relation: TypeAlias = Literal["edit", "preview", "upscale", "chunk", "fallback", "variant", "transcode"]
Level: TypeAlias = Literal["bytes", "decoded", "perceptual", "semantic", "statistical"]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a record: frozen, and strict about members it does not know."""


class Seal(_Part, frozen=True):
    """A salted commitment that stands where the value stood (docs/formats/manifest.md, Sealing)."""

    commitment: str = field(name="$seal")


Sealable: TypeAlias = str | Seal | None


class Context(_Part, frozen=True):
    """What the generation was for; ``subject`` is the person it is about, always sealed."""

    workflow: Sealable = None
    sla_class: str | None = None
    reproducibility: Level | None = None
    tenant: str | None = None
    subject: Sealable = None


class DescriptionRef(_Part, frozen=True):
    """Which description read or wrote the request: its id and the SHA-256 of its file."""

    id: str
    sha256: str


class Provider(_Part, frozen=True):
    """Who ran the model; ``account`` is an alias of the key, never the key."""

    name: str
    description: DescriptionRef | None = None
    host: str | None = None
    region: str | None = None
    account: str | None = None


class Model(_Part, frozen=True):
    """The model asked for and the one the provider says it served."""

    requested: str
    served: str | None = None
    pin: Pin = "unknown"
    components: dict[str, JSON] | None = None


class Request(_Part, frozen=True):
    """The request as it went out; one of ``body``, ``parts`` and ``asset`` is set."""

    origin: Literal["captured", "templated"]
    method: str
    path: str | Seal
    query: list[list[JSON]] = field(default_factory=list)
    headers: list[list[str]] = field(default_factory=list)
    bytes: int | None = None
    body: JSON | UnsetType = UNSET
    parts: list[JSON] | UnsetType = UNSET
    asset: JSON | UnsetType = UNSET


class Prompt(_Part, frozen=True):
    """The prompt sent and, where the provider rewrote it, the one used."""

    submitted: Sealable = None
    effective: Sealable = None


class Seed(_Part, frozen=True):
    """Seeds as text: 64-bit ones do not fit a JSON number."""

    requested: str | None = None
    actual: str | None = None


class Asset(_Part, frozen=True):
    """One input or output: its role, digests (or their seal), type, length in bytes, media facts."""

    role: str
    digest: dict[str, str]
    media_type: str
    bytes: int
    media: dict[str, JSON] | None = None

    @property
    def digests(self) -> DigestSet | None:
        """Both digests, or None where they are sealed."""
        return None if "$seal" in self.digest else DigestSet(self.digest["blake3"], self.digest["sha256"])

    def digests_with(self, opened: Mapping[str, JSON], pointer: str) -> DigestSet | None:
        """Both digests, sealed ones from disclosures.

        Args:
            opened: disclosed values by pointer.
            pointer: of this asset's digest, such as ``/outputs/0/digest``.

        Returns:
            None where they are sealed and the disclosure is gone.
        """
        value = opened.get(pointer)
        return self.digests or (None if value is None else DigestSet(value["blake3"], value["sha256"]))


class Latency(_Part, frozen=True):
    """Integer milliseconds of each phase; None where it was not observed."""

    connect: int | None = None
    upload: int | None = None
    queue: int | None = None
    run: int | None = None
    first_partial: int | None = None
    fetch: int | None = None
    store: int | None = None
    total: int | None = None


class Outcome(_Part, frozen=True):
    """How the call ended."""

    class_: OutcomeClass = field(name="class", default="succeeded")
    state: OutcomeState = "succeeded"
    http_status: int | None = None
    request_id: str | None = None
    job_id: str | None = None
    attempts: int | None = None
    submitted_at: str | None = None
    completed_at: str | None = None
    latency_ms: Latency = Latency()
    safety: Safety = "unknown"
    moderation: JSON = None
    error: Sealable = None


_STATES: Final[Mapping[str, OutcomeState]] = {
    "succeeded": "succeeded", "canceled": "canceled", "expired": "expired", "ambiguous": "unknown",
}  # fmt: skip


def state_after(outcome_class: str) -> OutcomeState:
    """The state in which a call of a class ended, where its provider named none."""
    return _STATES.get(outcome_class, "failed")


class PriceTable(_Part, frozen=True):
    """The price table an estimate came from."""

    sha256: str
    effective_from: str


class Cost(_Part, frozen=True):
    """What it cost: a decimal string and its currency, or kind ``unknown``."""

    amount: str | None = None
    currency: str | None = None
    kind: Literal["estimated", "reported", "invoiced", "unknown"] = "unknown"
    price_table: PriceTable | None = None
    units: dict[str, int] = field(default_factory=dict)


class License(_Part, frozen=True):
    """Under which terms the output may be used."""

    id: str | None = None
    commercial_use: Literal["allowed", "denied", "unknown"] = "unknown"
    source: str | None = None


class Parent(_Part, frozen=True):
    """An earlier generation that this one was made from."""

    id: str
    relation: Relation


class Environment(_Part, frozen=True):
    """Software versions; ``engine`` describes a local engine (model-file digests, library versions)."""

    software: dict[str, str]
    engine: JSON = None


class Recorder(_Part, frozen=True):
    """What wrote the manifest, by which way in, and how much of it was observed."""

    version: str
    capture: str
    confidence: Confidence
    exchange_id: str
    name: str = "mintmark"


class Manifest(_Part, frozen=True):
    """One generation."""

    operation: str
    recorded_at: str
    context: Context
    provider: Provider
    model: Model
    request: Request | None
    prompt: Prompt
    seed: Seed
    settings: dict[str, JSON]
    inputs: list[Asset]
    outputs_requested: int
    outputs: list[Asset]
    outcome: Outcome
    cost: Cost
    license: License
    parents: list[Parent]
    replay_of: str | None
    labels: dict[str, str | Seal]
    environment: Environment
    recorder: Recorder
    extensions: dict[str, JSON] = field(default_factory=dict)
    format: Literal["mintmark/generation/v1"] = FORMAT

    @classmethod
    def parse(cls, data: bytes) -> "Manifest":
        """Read canonical bytes from anywhere.

        Raises:
            NotCanonical: the bytes are not canonical JSON.
            SchemaMismatch: they do not fit manifest/v1.
        """
        return cls.check(parse_canonical(data))

    @classmethod
    def check(cls, value: JSON) -> "Manifest":
        """Take JSON through the gate.

        Raises:
            SchemaMismatch: it does not fit manifest/v1.
        """
        validate("manifest/v1", value)
        return msgspec.convert(value, cls)

    @classmethod
    def trusted(cls, data: bytes) -> "Manifest":
        """Read bytes that passed the gate when they were stored."""
        return msgspec.json.decode(data, type=cls)

    def to_json(self) -> dict[str, JSON]:
        """The JSON value; ``canonical`` of it gives back the very bytes it was read from."""
        value: dict[str, JSON] = msgspec.to_builtins(self)
        return value


def one_line(text: str, most: int = 256) -> str:
    """What somebody else calls a thing, as a member of a manifest can hold it; what fits stays as it is.

    A control character, and half a surrogate pair, becomes U+FFFD. What is longer than ``most`` characters ends in
    ``…`` and 16 hexadecimal digits of the SHA-256 of the whole: equal texts stay equal, and others stay apart.
    """
    whole = encodable(text)
    line = _CONTROL.sub("\ufffd", whole)
    if len(line) <= most:
        return line
    mark = f"…{hashlib.sha256(whole.encode()).hexdigest()[:16]}"
    return line[: most - len(mark)] + mark


def encodable(text: str) -> str:
    """A text with U+FFFD for each half of a surrogate pair: JSON can say one, UTF-8 cannot."""
    return _SURROGATE.sub("\ufffd", text)


def id_of(body: bytes) -> str:
    """The id of a record: ``sha256:`` and the hex SHA-256 of its canonical bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
