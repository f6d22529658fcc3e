"""What a generation was for, said beside the call: by ``context`` in a program, by headers through the proxy."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from registry.canonical import JSON
from registry.errors import InvalidValue

log: Final = logging.getLogger("mintmark.capture")

PREFIX: Final = "x-mintmark-"
RELATIONS: Final = ("edit", "preview", "upscale", "chunk", "fallback", "variant", "transcode")
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_ID: Final = re.compile(r"(sha256:)?[0-9a-f]{8,64}|@last")
_warned: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class Said:
    """What is said beside a call: workflow, labels, the person it is about, ``(relation, id)`` of what it came from."""

    workflow: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    parents: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """As it stands in a spooled entry."""
        parents: JSON = [list(pair) for pair in self.parents]
        return {"workflow": self.workflow, "labels": dict(self.labels), "subject": self.subject, "parents": parents}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Said":
        """From what ``to_json`` made."""
        parents = tuple((relation, name) for relation, name in value["parents"])
        return cls(value["workflow"], value["labels"], value["subject"], parents)


_current: ContextVar[Said | None] = ContextVar("mintmark_context", default=None)


_everywhere: Final[list[Said]] = [Said()]


def current() -> Said:
    """What holds for a call that is made here and now."""
    return _current.get() or _everywhere[0]


def say_everywhere(said: Said) -> None:
    """Say what holds in this whole process where no block says otherwise."""
    _everywhere[0] = said


@contextmanager
def context(
    *,
    workflow: str | None = None,
    labels: Mapping[str, str] | None = None,
    subject: str | None = None,
    parent: str | Sequence[str] | None = None,
) -> Iterator[None]:
    """Say what the generations inside the block are for; blocks nest, threads and tasks keep apart.

    Args:
        workflow: the business purpose; replaces that of an outer block.
        labels: added to those of outer blocks.
        subject: the person it is about; sealed when recorded.
        parent: what they are made from: an id, or ``relation=ID`` (``edit=sha256:…``); several in a list.

    Raises:
        InvalidValue: a label or a parent breaks its syntax.
    """
    outer = current()
    given = [parent] if isinstance(parent, str) else list(parent or ())
    said = Said(
        _named("workflow", workflow) if workflow is not None else outer.workflow,
        {**outer.labels, **dict(map(_checked, (labels or {}).items()))},
        subject if subject is not None else outer.subject,
        (*outer.parents, *map(_parent, given)),
    )
    token = _current.set(said)
    try:
        yield
    finally:
        _current.reset(token)


def of_headers(headers: Sequence[tuple[str, str]]) -> Said:
    """What ``X-Mintmark-Workflow``, ``-Label`` (``k=v``), ``-Subject`` and ``-Parent`` say; the last two repeat.

    A header that breaks its syntax is left out, with one warning for each name: a call never fails for what is said
    beside it.

    Args:
        headers: with values as HTTP libraries give them, a character for each byte; UTF-8 where they are that.
    """
    workflow, subject, parents = None, None, []
    labels: dict[str, str] = {}
    for name, value in ((name, _decoded(value)) for name, value in headers):
        what = name.lower().removeprefix(PREFIX)
        try:
            if what == "workflow":
                workflow = _named("workflow", value)
            elif what == "subject":
                subject = value or None
            elif what == "label":
                key, equals, text = value.partition("=")
                if not equals:
                    raise InvalidValue("labels", value, "KEY=VALUE")
                labels.update([_checked((key, text))])
            elif what == "parent":
                parents.append(_parent(value))
        except InvalidValue as problem:
            if what not in _warned:
                _warned.add(what)  # the value is not told: a log is no place for what somebody said
                wanted = f"it is not {problem.expected}; more of this name are left out in silence"
                log.warning("a header X-Mintmark-%s is left out: %s", what.capitalize(), wanted)
    return Said(workflow, labels, subject, tuple(parents))


def _decoded(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def said_by(workflow: str | None, labels: Mapping[str, str]) -> Said:
    """Workflow and labels, checked.

    Raises:
        InvalidValue: one of them breaks its syntax.
    """
    named = None if workflow is None else _named("workflow", workflow)
    return Said(named, dict(map(_checked, labels.items())))


def _named(field: str, text: str) -> str:
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise InvalidValue(field, text, "a text of 1 to 256 characters without line breaks")
    return text


def _checked(label: tuple[str, str]) -> tuple[str, str]:
    key, value = label
    if not _KEY.fullmatch(key):
        raise InvalidValue("labels", key, "a name of a-z, 0-9 and . _ / - that begins with a-z or 0-9")
    return key, _named(f"labels, {key}", value)


def _parent(text: str) -> tuple[str, str]:
    relation, equals, name = text.rpartition("=")
    if not _ID.fullmatch(name) or (equals and relation not in RELATIONS):
        wanted = f"an id, a prefix of 8 hexadecimal digits or more, or RELATION=ID with one of {', '.join(RELATIONS)}"
        raise InvalidValue("parent", text, wanted)
    return relation or "edit", name
