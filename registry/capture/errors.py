"""Errors of capture: every one is a mistake in what was given, so every one exits with 2.

Refused (registry.errors)        exit  HTTP
└── CaptureError                 2     422
    ├── BadDescription           2     422   a description file breaks the schema or itself
    ├── AmbiguousDescription     2     422   several operations fit; one has to be named
    ├── UnknownProvider          2     422   a provider of which nothing is known
    ├── UnknownOperation         2     422   a provider that is described, an operation of it that is not
    ├── UnknownModel             2     422   a model that a local engine does not have
    ├── UnknownSlot              2     422   a slot name the description does not have
    └── SlotMismatch             2     422   a slot's path and the given body do not fit together
"""

from collections.abc import Iterable
from pathlib import Path

from registry.errors import Refused


class CaptureError(Refused):
    """Something about a provider exchange was given wrongly."""


class BadDescription(CaptureError):
    """A description file that cannot be used: where the mistake stands and what was expected there."""

    def __init__(self, file: Path, line: int, key: str, expected: str) -> None:
        """Build ``file:line: key: expected``; ``key`` is dotted, empty for the file as a whole."""
        super().__init__(
            f"{file}:{line}: {key or 'file'}: {expected}; correct the file (format: schemas/provider/v1.schema.json)"
        )
        self.file, self.line, self.key, self.expected = file, line, key, expected


class AmbiguousDescription(CaptureError):
    """A provider with several operations, and nothing given that decides between them."""

    def __init__(self, provider: str, model: str | None, operations: Iterable[str]) -> None:
        """Name the operations to choose from."""
        self.operations = tuple(sorted(set(operations)))
        about = f" that fit model {model!r}" if model else ""
        super().__init__(
            f"provider {provider!r} has several operations{about}: {', '.join(self.operations)}; name one of them"
        )


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
