"""Keys and addresses of providers, from the environment; a key is never printed, stored or logged."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from registry.capture.description import Description
from replay.errors import BadAddress, SecretMissing, SecretUnreadable


@dataclass(frozen=True, slots=True)
class Key:
    """The header that carries a key; ``scrub`` takes the key out of text that may repeat it."""

    header: str
    value: str = field(repr=False)
    secret: str = field(repr=False)

    def scrub(self, text: str) -> str:
        """``text`` with the key, plain or percent-encoded, replaced by ``[secret]``."""
        return text.replace(self.secret, "[secret]").replace(quote(self.secret, safe=""), "[secret]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider is reached, and the hosts that may receive its key."""

    base_url: str
    hosts: tuple[str, ...]

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc


def key_of(description: Description, environment: Mapping[str, str] = os.environ) -> Key | None:
    """The key of a description's provider; None where it takes none.

    Looked up as ``MINTMARK_SECRET_<ENV>_<NAME>`` (where ``MINTMARK_ENV`` names an environment), then ``<NAME>``; each
    also with ``_FILE``, which names a file that holds the key in one line.

    Raises:
        SecretMissing, SecretUnreadable: naming the variables.
    """
    auth = description.auth
    if auth is None:
        return None
    names = [auth.secret]
    if scope := environment.get("MINTMARK_ENV"):
        names.insert(0, f"MINTMARK_SECRET_{re.sub('[^A-Z0-9]', '_', scope.upper())}_{auth.secret}")
    for name in names:
        secret = environment.get(name, "").strip() or _from_file(f"{name}_FILE", environment)
        if secret:
            if not (secret.isascii() and secret.isprintable()):  # a header cannot carry it
                raise SecretUnreadable(name, "it has characters that no key has")
            return Key(auth.header, auth.value.replace("{secret}", secret), secret)
    raise SecretMissing(description.provider, [shown for name in names for shown in (name, f"{name}_FILE")])


def place_of(description: Description, environment: Mapping[str, str] = os.environ) -> Place:
    """Where to send: ``MINTMARK_BASE_URL_<PROVIDER>`` if set, and then its host alone gets the key; else as described.

    Raises:
        BadAddress: the variable holds no address.
    """
    variable = f"MINTMARK_BASE_URL_{description.provider.upper().replace('-', '_')}"
    given = environment.get(variable)
    if not given:
        return Place(str(description.base_url).rstrip("/"), description.hosts)
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadAddress(variable, f"{parts.scheme}://{parts.hostname or ''}")
    return Place(given.rstrip("/"), (parts.netloc,))


def _from_file(variable: str, environment: Mapping[str, str]) -> str | None:
    named = environment.get(variable)
    if not named:
        return None
    try:
        lines = Path(named).read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as problem:
        raise SecretUnreadable(variable, getattr(problem, "strerror", None) or "it is no text") from None
    if len(lines) != 1:
        raise SecretUnreadable(variable, f"{len(lines)} words are in it")
    return lines[0]
