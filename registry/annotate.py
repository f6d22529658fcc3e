"""Adds to a generation what is known later: tags and reviews, each a signed record."""

import re
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from registry.canonical import JSON, canonical
from registry.errors import InvalidValue, NotFound, RegistryError, Repeated
from registry.home import Registry
from registry.schema import validate
from registry.sealing import seal
from registry.times import now

_KEY = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}").fullmatch
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?").fullmatch


class NoSuchTag(NotFound):
    """Tags that are to be taken away and are not there."""

    def __init__(self, manifest: str, names: Iterable[str], there: Iterable[str]) -> None:
        """Name them, and those there are."""
        RegistryError.__init__(
            self,
            f"{manifest[7:19]} has no tag {', '.join(names)} to take away; its tags: {', '.join(there) or 'none'}; "
            "nothing was changed (labels of the record itself stay for ever)",
        )


def parse_label(text: str, what: str = "label") -> tuple[str, str]:
    """Read ``key=value``; ``what`` it is called where it is refused.

    Raises:
        InvalidValue: no ``=``, a key of other characters than ``a-z 0-9 . _ / -``, a value over 256 characters.
    """
    key, equals, value = text.partition("=")
    if not equals or not _KEY(key):
        raise InvalidValue(what, text, "key=value with a key of a-z, 0-9 and . _ / - that begins with a-z or 0-9")
    if len(value) > 256 or any(ord(character) < 32 for character in value):
        raise InvalidValue(what, text, "a value of at most 256 characters without line breaks")
    return key, value


def parse_labels(texts: Iterable[str], what: str = "label") -> dict[str, str]:
    """Read several ``key=value``.

    Raises:
        InvalidValue: as ``parse_label``.
        Repeated: a key stands twice.
    """
    labels: dict[str, str] = {}
    for key, value in (parse_label(text, what) for text in texts):
        if key in labels:
            raise Repeated(what, key)
        labels[key] = value
    return labels


def tag(registry: Registry, manifest: str, tags: Mapping[str, str | None]) -> str:
    """Add, change or (None) take away tags; the annotation record is the answer.

    Raises:
        NotFound: no such generation.
    """
    registry.catalog.manifest(manifest)
    recorded_at = now()
    value = {
        "format": "mintmark/annotation/v1",
        "recorded_at": recorded_at,
        "subject": manifest,
        "tags": dict(tags),
        "actor": registry.settings.actor,
    }
    validate("record/v1", value)

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "annotation", recorded_at, [manifest])
        registry.catalog.set_tags(connection, manifest, tags)

    return registry.append("annotation", canonical(value), derive=derive)


def review(
    registry: Registry,
    manifest: str,
    *,
    usable: bool,
    reason: str | None = None,
    minutes: str | None = None,
    cost: tuple[str, str] | None = None,
) -> str:
    """Say whether an output was usable; the reason is sealed.

    Args:
        registry: where to.
        manifest: the generation.
        usable: whether somebody could use what came out.
        reason: free text.
        minutes: human effort as a decimal string.
        cost: amount (decimal string) and currency.

    Raises:
        NotFound: no such generation.
        InvalidValue: minutes that are no decimal number.
    """
    registry.catalog.manifest(manifest)
    if minutes is not None and not _DECIMAL(minutes):
        raise InvalidValue("minutes", minutes, "a decimal number such as 2.5")
    recorded_at = now()
    value: dict[str, JSON] = {
        "format": "mintmark/review/v1",
        "recorded_at": recorded_at,
        "subject": manifest,
        "usable": usable,
        "reason": reason,
        "minutes": minutes,
        "cost": None if cost is None else {"amount": cost[0], "currency": cost[1]},
        "actor": registry.settings.actor,
    }
    disclosures = seal(value, ["/reason"])
    validate("record/v1", value)

    def derive(connection: Connection, record_id: str) -> None:
        registry.catalog.insert_about(connection, record_id, "review", recorded_at, [manifest])

    return registry.append("review", canonical(value), disclosures=disclosures, derive=derive)
