"""How a remote operation is spoken to after its request is made: polls, outputs, facts, errors, as checked data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from registry.capture.events import Events
from registry.capture.expressions import ANSWERED, BadExpression, Expression, compile_expression, refuse_strangers

POLL_MS: Final = 1000
LIMIT_S: Final = 1800
TIMEOUT_S: Final = 600
_ROOTS: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    ("submit", "when"): ("body", "query"),
    ("events", "answer"): ("last", "events", "parts"),
}
"""What expressions look at where that is no answer."""


@dataclass(frozen=True, slots=True)
class Input:
    """Where files of one role go: ``at`` is a dotted path into the body, ``form`` what becomes of their bytes.

    ``type_at`` is where the media type goes, if the provider wants it apart.
    """

    at: str
    form: Literal["file", "bytes", "base64", "data-url", "upload"]
    type_at: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """How a file is sent ahead: by POST of its bytes, of a form, or of a ticket request and then a PUT."""

    path: str
    kind: Literal["bytes", "multipart", "ticket"]
    field: str
    put: Expression | None
    url: Expression


@dataclass(frozen=True, slots=True)
class Poll:
    """How to ask where a job stands; one of ``path`` and ``url`` is set."""

    path: str | None
    url: Expression | None
    state: Expression
    states: Mapping[str, str]
    after_ms: int
    limit_s: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """How to stop a job; one of ``path`` and ``url`` is set."""

    method: str
    path: str | None
    url: Expression | None


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the outputs are; ``result`` and ``result_path`` lead to a further answer that holds them.

    ``ms`` are places of a document whose numbers are milliseconds.
    """

    kind: Literal["url", "base64", "bytes", "get", "json"]
    expr: Expression | None
    path: str | None
    result: Expression | None
    result_path: str | None
    role: str | None
    ms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer that ``when`` holds for ended as ``class_``; ``again`` says that it started and billed nothing."""

    when: Expression
    class_: str
    safety: str | None
    again: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """How callbacks are signed: ``secret`` is a name, ``keys`` the address of published keys.

    ``job`` and ``state`` find the job's id and state in one, ``states`` are words that polls do not know.
    """

    scheme: str
    secret: str | None
    header: str | None
    keys: str | None
    job: Expression | None
    state: Expression | None
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Retiring:
    """Where the provider tells the day of a model's shut-down: ``path`` with ``{model}``, ``day`` in the answer."""

    path: str
    day: Expression


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything a remote operation says and takes besides its request; ``when`` looks at requests that match.

    ``idempotency`` is the header by which the provider tells a repeated request from a new one; None where it cannot.
    """

    job: Expression | None
    when: Expression | None
    count: str | None
    headers: Mapping[str, str]
    idempotency: str | None
    timeout_s: int
    inputs: Mapping[str, Input]
    upload: Upload | None
    poll: Poll | None
    cancel: Cancel | None
    outputs: Outputs
    facts: Mapping[str, Expression]
    units: Mapping[str, Expression]
    currency: str | None
    rules: tuple[Rule, ...]
    webhook: Webhook | None
    events: Events | None
    retiring: Retiring | None = None
    license: Mapping[str, str] = field(default_factory=dict)

    @property
    def tells_safety(self) -> bool:
        """Whether an answer that no rule of safety fits means that nothing was refused."""
        return any(rule.class_ == "blocked" or rule.safety for rule in self.rules)


def protocol_of(content: Mapping[str, Any]) -> Protocol:
    """The protocol in the checked content of a description file of a remote operation."""
    submit, facts = content["submit"], dict(content.get("facts", {}))
    cost, units = facts.pop("cost", None), facts.pop("units", {})
    if cost:
        facts["cost"] = cost["amount"]
    return Protocol(
        job=_optional(submit, "job"),
        when=_optional(submit, "when"),
        count=submit.get("count"),
        headers=submit.get("headers", {}),
        idempotency=submit.get("idempotency"),
        timeout_s=submit.get("timeout_s", TIMEOUT_S),
        inputs={
            role: Input(given["at"], given["as"], given.get("type_at"))
            for role, given in content.get("inputs", {}).items()
        },
        upload=_upload(content.get("upload")),
        poll=_poll(content.get("poll")),
        cancel=_cancel(content.get("cancel")),
        outputs=_outputs(content["output"]),
        facts={name: compile_expression(given) for name, given in facts.items()},
        units={name: compile_expression(given) for name, given in units.items()},
        currency=cost["currency"] if cost else None,
        rules=tuple(
            Rule(compile_expression(rule["when"]), rule["class"], rule.get("safety"), rule.get("again", False))
            for rule in content.get("errors", ())
        ),
        webhook=_webhook(content.get("webhook")),
        events=_told_by_events(content.get("events")),
        retiring=_retiring(content.get("retiring")),
        license=content.get("license", {}),
    )


def expressions_in(content: Mapping[str, Any]) -> Iterator[tuple[list[str], str]]:
    """Key and complaint of every expression of a description that does not compile, or could find nothing ever."""
    for key, given in _expressions(content):
        try:
            compile_expression(given)
            refuse_strangers(given, _ROOTS.get(tuple(key), ANSWERED), condition=key[-1] == "when")
        except BadExpression as problem:
            yield key, f"expected {problem}"


def _expressions(content: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    for table, name in (
        ("submit", "job"), ("submit", "when"), ("poll", "url"), ("poll", "state"), ("cancel", "url"), ("upload", "put"),
        ("upload", "url"), ("output", "expr"), ("output", "result"), ("webhook", "job"), ("webhook", "state"),
        ("events", "answer"), ("retiring", "day"),
    ):  # fmt: skip
        if name in content.get(table, {}):
            yield [table, name], content[table][name]
    for number, rule in enumerate(content.get("errors", ())):
        yield ["errors", str(number), "when"], rule["when"]
    for name, fact in content.get("facts", {}).items():
        if name == "cost":
            yield ["facts", "cost", "amount"], fact["amount"]
        elif name == "units":
            yield from ((["facts", "units", unit], given) for unit, given in fact.items())
        else:
            yield ["facts", name], fact


def _optional(table: Mapping[str, Any], name: str) -> Expression | None:
    return compile_expression(table[name]) if name in table else None


def _upload(table: Mapping[str, Any] | None) -> Upload | None:
    if table is None:
        return None
    url = compile_expression(table["url"])
    return Upload(table["path"], table["kind"], table.get("field", "file"), _optional(table, "put"), url)


def _poll(table: Mapping[str, Any] | None) -> Poll | None:
    if table is None:
        return None
    return Poll(
        table.get("path"),
        _optional(table, "url"),
        compile_expression(table["state"]),
        table["map"],
        table.get("after_ms", POLL_MS),
        table.get("limit_s", LIMIT_S),
    )


def _cancel(table: Mapping[str, Any] | None) -> Cancel | None:
    return None if table is None else Cancel(table.get("method", "POST"), table.get("path"), _optional(table, "url"))


def _outputs(table: Mapping[str, Any]) -> Outputs:
    return Outputs(
        table["kind"],
        _optional(table, "expr"),
        table.get("path"),
        _optional(table, "result"),
        table.get("result_path"),
        table.get("role"),
        tuple(table.get("ms", ())),
    )


def _webhook(table: Mapping[str, Any] | None) -> Webhook | None:
    if table is None:
        return None
    return Webhook(
        table["scheme"],
        table.get("secret"),
        table.get("header"),
        table.get("keys"),
        _optional(table, "job"),
        _optional(table, "state"),
        table.get("map", {}),
    )


def _retiring(table: Mapping[str, Any] | None) -> Retiring | None:
    return None if table is None else Retiring(table["path"], compile_expression(table["day"]))


def _told_by_events(table: Mapping[str, Any] | None) -> Events | None:
    if table is None:
        return None
    return Events(table.get("part"), tuple(table["last"]), compile_expression(table["answer"]))
