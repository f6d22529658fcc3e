"""Providers: who speaks for a description. A local engine is found by name; every remote one is spoken to alike."""

import os
from importlib import import_module
from typing import Final, cast

from registry.capture.description import Description
from replay.errors import EngineMissing, ProviderUnsupported
from replay.provider import Provider
from replay.providers.http.engine import HttpProvider

_ENGINES: Final = {
    "procedural": ("replay.providers.procedural.engine", "Procedural", None),
    "pocketsphinx": ("replay.providers.asr", "PocketSphinx", "asr"),
}
"""Provider name to module, class, and the extra that installs what the module imports (None: always installed)."""


def provider_for(description: Description) -> Provider:
    """The provider that can run ``description``.

    Raises:
        ProviderUnsupported: no local engine of that name.
        EngineMissing: the engine's package is not installed; the message holds the line that installs it.
        SecretMissing, SecretUnreadable, BadAddress: a remote provider cannot be reached without; nothing was sent.
    """
    if not description.local:
        return HttpProvider(description, os.environ)
    if description.provider not in _ENGINES:
        raise ProviderUnsupported(description.provider, description.method, sorted(_ENGINES))
    module, name, extra = _ENGINES[description.provider]
    try:
        engine = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if extra is None:
            raise
        raise EngineMissing(description.provider, error.name, extra) from error
    return cast(Provider, engine())
