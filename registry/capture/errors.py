"""Errors of capture: every one is a mistake in what was given, so every one exits with 2.

Refused (registry.errors)        exit  HTTP
└── CaptureError                 2     422
    ├── BadDescription           2     422   a description file breaks the schema or itself
    ├── AmbiguousDescription     2     422   several operations or descriptions fit, and nothing decides
    ├── UnknownProvider          2     422   a provider of which nothing is known
    ├── UnknownOperation         2     422   a provider that is described, an operation of it that is not
    ├── UnknownModel             2     422   a model that a local engine does not have
    ├── UnknownSlot              2     422   a slot name the description does not have
    ├── SlotMismatch             2     422   a slot's path and the given body do not fit together
    └── DeliveryRefused          2     400   a webhook's delivery that is not taken
        ├── NoWebhook            2     404   the provider calls nobody back, or is not known
        ├── DeliveryMalformed    2     400   a header is missing, or the body tells of no job
        ├── DeliveryForged       2     401   no secret made its signature
        └── DeliveryLate         2     401   genuine, and too old or too new
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from registry.errors import Refused


class CaptureError(Refused):
    """Something about a provider exchange was given wrongly."""


class BadDescription(CaptureError):
    """A description file that cannot be used: where the mistake stands and what was expected there."""

    def __init__(self, file: Path, line: int, key: str, expected: str, *, readable: bool = True) -> None:
        """Build ``file:line: key: expected``; ``key`` is dotted, empty for the file as a whole."""
        remedy = "correct the file (format: schemas/provider/v1.schema.json)" if readable else "name another file"
        super().__init__(f"{file}:{line}: {key or 'file'}: {expected}; {remedy}")
        self.file, self.line, self.key, self.expected = file, line, key, expected


class AmbiguousDescription(CaptureError):
    """A provider with several operations, or descriptions of one, and nothing given that decides between them."""

    def __init__(
        self, provider: str, model: str | None, operation: str | None, fitting: Mapping[str, Iterable[str]]
    ) -> None:
        """Name the operations to choose from; the descriptions by id, with their operations, where that is no help."""
        self.operations = tuple(sorted({made for makes in fitting.values() for made in makes}))
        about = f" that fit model {model!r}" if model else ""
        if operation is None and len(self.operations) > 1:
            told = (
                f"operations{about}: {', '.join(self.operations)}; name one of them (--operation on the command line)"
            )
        else:
            told = (
                f"descriptions of {operation or self.operations[0]}{about}: {', '.join(fitting)}; name a model that "
                f"one alone takes (mintmark providers show {provider}), or tell them apart by `models` in their files"
            )
        super().__init__(f"provider {provider!r} has several {told}")


class UnknownProvider(CaptureError):
    """A provider of which nothing is known."""

    def __init__(self, provider: str, known: Iterable[str]) -> None:
        """Name the providers there are."""
        super().__init__(f"nothing is known of provider {provider!r}; known are: {', '.join(known)}")


class UnknownOperation(CaptureError):
    """An operation that a described provider does not have."""

    def __init__(self, provider: str, operation: str, known: Iterable[str]) -> None:
        """Name the operations there are."""
        super().__init__(
            f"provider {provider!r} has no operation {operation!r}; it has: {', '.join(sorted(set(known)))}"
        )


class UnknownModel(CaptureError):
    """A model that a local engine does not have."""

    def __init__(self, provider: str, model: str, known: Iterable[str]) -> None:
        """Name the models there are."""
        super().__init__(f"provider {provider!r} has no model {model!r}; it has: {', '.join(known)}")


class UnknownSlot(CaptureError):
    """A slot name that the description does not have."""

    def __init__(self, description: str, slot: str, known: Iterable[str]) -> None:
        """Name the slots there are."""
        super().__init__(f"{description} has no slot {slot!r}; it has: {', '.join(sorted(known))}")


class SlotMismatch(CaptureError):
    """A slot's path and the given body do not fit together."""

    def __init__(self, path: str, why: str) -> None:
        """Say which path and why it cannot be written or read."""
        super().__init__(f"slot path {path!r}: {why}")


class DeliveryRefused(CaptureError):
    """A webhook's delivery that is not taken; nothing that it says is repeated."""

    http_status = 400


class NoWebhook(DeliveryRefused):
    """A provider of which no webhook is described."""

    http_status = 404

    def __init__(self, provider: str) -> None:
        """Name the provider."""
        super().__init__(f"no webhook of {provider[:64]!r} is described; `mintmark providers list` names the providers")


class DeliveryMalformed(DeliveryRefused):
    """A delivery without what it should have."""

    def __init__(self, provider: str | None, why: str) -> None:
        """Say what is missing."""
        super().__init__(f"a delivery{f' of {provider}' if provider else ''} cannot be read: {why}; send it as signed")


class DeliveryForged(DeliveryRefused):
    """A delivery that no known secret signed."""

    http_status = 401

    def __init__(self, provider: str) -> None:
        """Name who is said to have sent it."""
        super().__init__(f"no secret that is known here signed this delivery of {provider}; compare the secrets")


class DeliveryLate(DeliveryRefused):
    """A genuine delivery of another time: it may be a copy."""

    http_status = 401

    def __init__(self, provider: str, late_s: int) -> None:
        """Say by how many seconds."""
        when = f"{late_s} s old" if late_s > 0 else f"{-late_s} s in the future"
        super().__init__(f"this delivery of {provider} is {when}; compare the clocks, or have it sent anew")
