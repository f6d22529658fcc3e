"""Secrets by name, from the environment or the file that it names; never printed, stored or logged."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SECRET: Final = re.compile(
    r"""(?<!\[)\?             # a query, where keys are sent; a filter of JMESPath is none
    | \bsk[-_]
    | (?=[^\s"'`.,:()\[\]{}]*[0-9])[^\s"'`.,:()\[\]{}]{20,}""",
    re.VERBOSE,
).search


class Unreadable(ValueError):
    """A variable, or the file it names, that holds no secret; the message says why, without what it holds."""

    def __init__(self, variable: str, why: str) -> None:
        """Keep both."""
        super().__init__(f"{variable}: {why}")
        self.variable, self.why = variable, why


def may_be_secret(text: str) -> bool:
    """Whether a text is not repeated: it has a query, or what looks like a key (sk-…, or long and with digits)."""
    return _SECRET(text) is not None


def variables_of(name: str, environment: Mapping[str, str]) -> list[str]:
    """The variables that may hold the secret ``name``, first things first; each also with ``_FILE`` behind it.

    ``MINTMARK_SECRET_<ENV>_<NAME>`` counts where ``MINTMARK_ENV`` names an environment.
    """
    scope = environment.get("MINTMARK_ENV")
    own = [f"MINTMARK_SECRET_{re.sub('[^A-Z0-9]', '_', scope.upper())}_{name}"] if scope else []
    return [*own, name]


def words_in(variable: str, environment: Mapping[str, str]) -> list[str]:
    """The words that ``variable`` holds, or the file that ``<variable>_FILE`` names; none where neither is set.

    Raises:
        Unreadable: the file cannot be read as text, or is empty.
    """
    if words := environment.get(variable, "").split():
        return words
    named = environment.get(f"{variable}_FILE")
    if not named:
        return []
    try:
        words = Path(named).read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text"
        raise Unreadable(f"{variable}_FILE", why) from None
    if not words:
        raise Unreadable(f"{variable}_FILE", "nothing is in it")
    return words


def secrets_of(name: str, environment: Mapping[str, str]) -> list[str]:
    """Every secret called ``name``: several words stand for several secrets, while one is replaced by another.

    Raises:
        Unreadable: a file that is named cannot be read.
    """
    return next(filter(None, (words_in(one, environment) for one in variables_of(name, environment))), [])
