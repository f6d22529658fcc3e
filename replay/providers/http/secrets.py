"""Keys and addresses of providers, from the environment; a key is never printed, stored or logged."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.capture.description import Description
from registry.capture.hosts import NoAddress, place_by
from registry.capture.hosts import Place as Place
from registry.capture.redaction import hunted, without
from registry.capture.secrets import Unreadable, variables_of, words_in
from replay.errors import BadAddress, SecretMissing, SecretUnreadable


@dataclass(frozen=True, slots=True)
class Key:
    """The header that carries a key; ``scrub`` takes the key out of text that may repeat it."""

    header: str
    value: str = field(repr=False)
    secret: str = field(repr=False)

    def scrub(self, text: str) -> str:
        """``text`` with the key, plain or percent-encoded, replaced by ``[secret]``; short ones stay (``hunted``)."""
        return without(text, hunted([self.secret]))


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
    names = variables_of(auth.secret, environment)
    for name in names:
        if words := _words(name, environment):
            secret = " ".join(words)
            if not (secret.isascii() and secret.isprintable()):  # a header cannot carry it
                raise SecretUnreadable(name, "it has characters that no key has")
            if len(words) > 1:
                raise SecretUnreadable(name, f"{len(words)} words are in it")
            return Key(auth.header, auth.header_of(secret), secret)
    raise SecretMissing(description.provider, [shown for name in names for shown in (name, f"{name}_FILE")])


def place_of(description: Description, environment: Mapping[str, str] = os.environ) -> Place:
    """Where to send: ``MINTMARK_BASE_URL_<PROVIDER>`` if set, and then its host alone gets the key; else as described.

    Raises:
        BadAddress: the variable holds no address.
    """
    try:
        return place_by(description.provider, str(description.base_url), description.hosts, environment)
    except NoAddress as problem:
        raise BadAddress(problem.variable, problem.shown) from None


def _words(variable: str, environment: Mapping[str, str]) -> list[str]:
    try:
        return words_in(variable, environment)
    except Unreadable as problem:
        raise SecretUnreadable(problem.variable, problem.why) from None
