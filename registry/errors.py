"""Errors of the registry: the whole tree, with exit codes and HTTP statuses.

MintmarkError (drift.errors)     exit  HTTP
└── RegistryError                3     500
    ├── Refused                  2     422   what was handed in breaks a rule of the format
    │   ├── NotCanonical         2     422   JSON that other readers would change
    │   ├── SchemaMismatch       2     422   does not fit its published JSON Schema
    │   ├── InvalidDigest        2     422   not `sha256:` or `blake3:` and 64 hex digits
    │   ├── InvalidValue         2     422   a label, time, amount or name that breaks its syntax
    │   ├── Repeated             2     422   a name given twice, where it has one value
    │   ├── FileThere            2     422   a file in the way of one that is to be written
    │   ├── ExchangeConflict     2     422   an exchange id that names another draft
    │   └── AmbiguousPrefix      2     422   an id prefix that several records share
    ├── NotFound                 1     404   no such record, asset or disclosure
    ├── Corrupted                1     500   stored bytes no longer match their name
    └── CouldNotRun              3     503   the surroundings fail: no home, disk full, newer database …
        ├── NoRegistry           3     503
        ├── HomeNotAFolder       3     503
        └── NewerDatabase        3     503
"""

import re
from datetime import date
from pathlib import Path

from drift.errors import MintmarkError

# What a terminal would obey instead of showing it: escape sequences, bells, marks that turn the writing round.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A text from outside as a terminal may get it: control characters written out."""
    return _OBEYED.sub(_written_out, text.replace("\t", " "))


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def counted(count: int, noun: str) -> str:
    """A number and its noun, for messages: ``1 entry``, ``1,204 entries``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"


class RegistryError(MintmarkError):
    """Anything the registry refuses or cannot do."""

    exit_code = 3
    http_status = 500

    def __init__(self, message: str = "") -> None:
        """Take the message; what a terminal would obey is written out."""
        super().__init__(harmless(message))


class Refused(RegistryError):
    """What was handed in breaks a rule; nothing was stored."""

    exit_code = 2
    http_status = 422


class NotCanonical(Refused):
    """JSON without one agreed reading."""

    def __init__(self, pointer: str, why: str) -> None:
        """Name the place by its JSON pointer (RFC 6901)."""
        super().__init__(f"at {pointer or 'the top'}: {why}; correct it and try again")
        self.pointer, self.why = pointer, why


class SchemaMismatch(Refused):
    """A document that does not fit its published schema."""

    def __init__(self, document: str, pointer: str, why: str) -> None:
        """Name the schema and the place in the document."""
        super().__init__(f"{document} at {pointer or 'the top'}: {why}; see schemas/{document}.schema.json")
        self.document, self.pointer, self.why = document, pointer, why


class InvalidDigest(Refused):
    """Text that is no digest."""

    def __init__(self, text: str) -> None:
        """Quote the text."""
        super().__init__(f"{text!r} is not a digest; write sha256: or blake3: and 64 hexadecimal digits")


class InvalidValue(Refused):
    """A value that breaks the syntax of its field."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        """Name the field, the value (None: there is none) and what was expected."""
        super().__init__(
            f"{field} is not {expected}" if value is None else f"{field}: {_shown(value)} is not {expected}"
        )
        self.field, self.expected = field, expected


def _shown(value: object) -> str:
    """A value as its writer knows it: what JSON, YAML and TOML have in common, not what Python makes of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return repr(value)


class Repeated(Refused):
    """A name given twice, where it has one value."""

    def __init__(self, option: str, name: str) -> None:
        """Name the option and what stands there twice."""
        super().__init__(f"{option}: {name!r} is given twice and has one value; leave one of them out")


class FileThere(Refused):
    """A file in the way of one that is to be written."""

    def __init__(self, path: Path) -> None:
        """Name it."""
        super().__init__(f"{path} is there already and stays as it is; give another name, or --force to replace it")


class ExchangeConflict(Refused):
    """One exchange id, two different drafts."""

    def __init__(self, exchange_id: str, stored: str) -> None:
        """Name the manifest that already answers to the exchange."""
        super().__init__(
            f"exchange {exchange_id} is recorded already as {stored}, from a different draft; "
            "mint a new exchange id for a new generation"
        )
        self.stored = stored


class AmbiguousPrefix(Refused):
    """A prefix that names several records."""

    def __init__(self, prefix: str, count: int) -> None:
        """Say how many share it."""
        super().__init__(f"{prefix}: {counted(count, 'record')} begin like this; give more digits")


class NotFound(RegistryError):
    """No such record, asset or disclosure."""

    exit_code = 1
    http_status = 404

    def __init__(self, what: str, name: str, remedy: str = "`mintmark search` lists what there is") -> None:
        """Say what was looked for."""
        super().__init__(f"no {what} {name} in this registry; {remedy}")
        self.what, self.name = what, name


class Corrupted(RegistryError):
    """Stored bytes that no longer match their name."""

    exit_code = 1

    def __init__(self, where: str, *, expected: str, actual: str) -> None:
        """Name both digests."""
        super().__init__(
            f"{where} was altered: its name says {expected}, its bytes are {actual}; restore it from a backup"
        )


class CouldNotRun(RegistryError):
    """The surroundings fail; nothing is wrong with the input."""

    http_status = 503


class NoRegistry(CouldNotRun):
    """A reading command found no home."""

    def __init__(self, start: Path, *, named: bool = False) -> None:
        """Say where the search began, or what ``MINTMARK_HOME`` names, and how to make one."""
        where = f"MINTMARK_HOME names {start}, and there is none" if named else f"no .mintmark in {start} or above it"
        super().__init__(f"no registry here: {where}; `mintmark init` makes one")


class HomeNotAFolder(CouldNotRun):
    """``MINTMARK_HOME`` names something else than a folder."""

    def __init__(self, path: Path) -> None:
        """Name it."""
        super().__init__(f"MINTMARK_HOME names {path}, which is no folder; name the folder of a registry, or a new one")


class NewerDatabase(CouldNotRun):
    """The database was written by a newer program."""

    def __init__(self, where: str, revision: str) -> None:
        """Name the revision that this program does not know."""
        super().__init__(f"{where} is at revision {revision}, newer than this program; install the newer mintmark")
