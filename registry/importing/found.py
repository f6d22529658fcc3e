"""What a file tells about its own making, and why it may tell nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drift.installing import install_line
from registry.canonical import JSON
from registry.errors import CouldNotRun, Refused


class NoMetadata(Refused):
    """A file that says nothing about how it was made."""

    def __init__(self, name: str) -> None:
        """Name the file."""
        super().__init__(
            f"{name}: holds no metadata of AUTOMATIC1111, ComfyUI, InvokeAI, NovelAI or Fooocus and no content "
            "credentials; `mintmark record` takes any file, with --provider and --model"
        )


class UnreadableMetadata(Refused):
    """Metadata that is there and cannot be relied on."""

    def __init__(self, name: str, why: str) -> None:
        """Name the file and what is wrong."""
        super().__init__(f"{name}: {why}; nothing was imported from it (`mintmark record` takes any file)")


class CredentialsBroken(Refused):
    """Content credentials that do not belong to these bytes, or were altered."""

    def __init__(self, name: str, codes: list[str]) -> None:
        """Name the file and the validation codes (C2PA 2.2 section 15.2.2)."""
        super().__init__(
            f"{name}: its content credentials do not verify ({', '.join(codes) or 'no code given'}), so what they say "
            "is not imported; find the file as it was published"
        )


class CredentialsUnread(CouldNotRun):
    """Content credentials, and no reader for them installed."""

    def __init__(self, name: str) -> None:
        """Name the file."""
        super().__init__(
            f"{name}: has content credentials, and their reader is missing; {install_line('mintmark[c2pa]')}"
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What one file tells.

    Attributes:
        tool: what wrote the metadata, as a provider's name: ``automatic1111``, or who made the claim of a credential.
        model: as the metadata names it; None where it does not.
        components: facts about the model, such as ``checkpoint_hash``.
        prompt: the prompts joined by ``, ``.
        negative_prompt: likewise.
        seed: the seed that was used, as text.
        settings: numbers, and texts that tell nothing private.
        raw: all metadata as one JSON text; it is sealed when recorded.
        credentials: ``state`` (Valid or Trusted), ``codes``, ``manifest`` (label), ``source_type`` of a C2PA manifest.
    """

    tool: str
    raw: str
    model: str | None = None
    components: Mapping[str, JSON] | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: str | None = None
    settings: Mapping[str, JSON] = field(default_factory=dict)
    credentials: Mapping[str, JSON] | None = None
