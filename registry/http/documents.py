"""What the OpenAPI document says of bodies and answers; the JSON shapes are the published schemas themselves."""

import json
from typing import Any, TypeAlias

from registry.http.idempotency import HEADER
from registry.schema import schema_text

Document: TypeAlias = dict[str, Any]
Responses: TypeAlias = dict[int | str, Document]

PUBLISHED = {"Manifest": "manifest/v1", "Record": "record/v1", "Draft": "draft/v1"} | {
    "View": "view/v1",
    "Run": "run/v1",
    "Lookup": "lookup/v1",
}
_REASONS = {
    400: "Malformed",
    401: "Signed by nobody who is known, or at another time",
    403: "Sent by a page from elsewhere",
    404: "There is none",
    405: "Another method",
    409: "A request with this key is being answered",
    413: "Larger than the server takes",
    415: "Another media type",
    416: "The range begins behind the end",
    421: "Another Host",
    422: "Breaks a rule of the format",
    500: "Stored bytes were altered, or an internal error",
    503: "Disk, database or keys fail",
}
_EVERYWHERE = (400, 403, 405, 421, 500, 503)


def ref(name: str) -> Document:
    """A schema among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def answers(good: Responses, *refusals: int) -> Responses:
    """The answers of a route: the good ones, and problem details."""
    return problems(*refusals) | good


def _json(description: str, schema: Document) -> Document:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _raw(description: str, media_type: str) -> Document:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def problems(*statuses: int) -> Responses:
    """Problem details for these statuses and for those that every route can give."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {
        status: {"description": _REASONS[status], "content": content} for status in sorted({*statuses, *_EVERYWHERE})
    }


def _object(**members: Document) -> Document:
    return {"type": "object", "additionalProperties": False, "required": list(members), "properties": members}


def _list(of: Document) -> Document:
    return {"type": "array", "items": of}


_TEXT, _TRUTH, _COUNT = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_ID = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_OR_NULL = {"type": ["string", "null"]}

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "pattern": "^urn:mintmark:problem:[a-z0-9-]+$"},
        "title": _TEXT,
        "status": _COUNT,
        "detail": _TEXT,
        "pointer": {"type": "string", "description": "Where in the JSON, RFC 6901"},
    },
}
_RECORDED = _object(id=_ID, new=_TRUTH, manifest=ref("Manifest"))
_ROW = _object(
    id=_ID, recorded_at=_TEXT, operation=_TEXT, provider=_TEXT, model=_TEXT, workflow=_OR_NULL, outcome=_TEXT,
    replay_of=_OR_NULL, outputs=_COUNT,
)  # fmt: skip
_EDGE = _object(child=_ID, parent=_ID, relation=_TEXT)

RECORDING: Document = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["draft"],
                    "properties": {"draft": ref("Draft")},
                    "additionalProperties": {"type": "string", "contentMediaType": "application/octet-stream"},
                },
                "encoding": {"draft": {"contentType": "application/json"}},
            }
        },
    },
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "The same key and request give the same answer",
        }
    ],
}
RECORDED: Responses = answers(
    {
        200: _json("Recorded before: the same exchange and draft", _RECORDED),
        201: _json("Recorded", _RECORDED) | {"headers": {"Location": {"schema": _TEXT, "required": True}}},
    },
    404,
    409,
    413,
    415,
    422,
)
_KEYED = RECORDING["parameters"]


def _asking(**members: Document) -> Document:
    """A JSON body with an idempotency key; members that say no ``default`` have to be there."""
    wanted = [name for name, member in members.items() if "default" not in member]
    shape = {"type": "object", "additionalProperties": False, "required": wanted, "properties": members}
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": shape}}},
        "parameters": _KEYED,
    }


_MONEY = {
    "type": ["object", "null"],
    "default": None,
    "additionalProperties": False,
    "required": ["amount"],
    "properties": {
        "amount": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?$"},
        "currency": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9._-]{1,31}$", "default": "USD"},
    },
}
_TIMES = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1}
_FALSE = {"type": "boolean", "default": False}
_LINE = {"type": "string", "minLength": 1, "maxLength": 200}
ASKING_REPLAY: Document = _asking(
    manifest=_LINE, times=_TIMES, model={"type": ["string", "null"], "minLength": 1, "maxLength": 256, "default": None},
    allow_alias=_FALSE, budget=_MONEY, assume_cost=_MONEY,
)  # fmt: skip
ASKING_SUITE: Document = _asking(
    suite={"type": "string", "minLength": 1, "description": "The text of a suite file"}, offline=_FALSE, repeat=_TIMES,
    budget=_MONEY, assume_cost=_MONEY,
)  # fmt: skip
BEGUN: Responses = answers(
    {
        202: _json("It waits for a worker", _object(job=_TEXT, run=_TEXT, new=_TRUTH))
        | {"headers": {"Location": {"schema": _TEXT, "required": True}}}
    },
    404,
    409,
    413,
    415,
    422,
)
APPROVING: Document = _asking(
    by={"type": "string", "minLength": 1, "maxLength": 256}, reason={"type": "string", "minLength": 1},
    manifests=_list(_LINE) | {"default": [], "description": "Every manifest of the run where none is named"},
    replace=_FALSE,
)  # fmt: skip
_APPROVAL = _object(
    record=_ID, new=_TRUTH, left_out=_list(_object(manifest=_ID, why=_TEXT)),
    subjects=_list(_object(manifest=_ID, baseline=_ID, replays=_list(_ID), effect={"enum": ["joins", "replaces"]})),
)  # fmt: skip
APPROVED: Responses = answers(
    {200: _json("Approved before, by the same request", _APPROVAL), 201: _json("Approved", _APPROVAL)},
    404,
    409,
    413,
    415,
    422,
)
_COUNTS = {"type": "object", "additionalProperties": _COUNT, "description": "Replays by state"}
RUN: Responses = answers(
    {
        200: _json(
            "The run; result is null until it is over",
            _object(
                id=_TEXT,
                suite=_TEXT,
                state={"enum": ["open", "finished", "canceled"]},
                created_at=_TEXT,
                updated_at=_TEXT,
                record=_OR_NULL,
                counts=_COUNTS,
                result={"oneOf": [ref("Run"), {"type": "null"}]},
            ),
        )
    },
    404,
    422,
)
REPORT: Responses = answers({200: _raw("One self-contained page", "text/html")}, 404, 409, 422)
JOB: Responses = answers(
    {
        200: _json(
            "The job",
            _object(
                id=_TEXT,
                kind={"enum": ["suite", "share", "notice", "mail"]},
                run=_OR_NULL,
                lane={"enum": ["interactive", "batch"]},
                state={"enum": ["queued", "running", "done", "failed", "dead", "canceled"]},
                worker=_OR_NULL,
                created_ms=_COUNT,
                updated_ms=_COUNT,
                error=_OR_NULL,
            ),
        )
    },
    404,
    422,
)
CANCELED: Responses = answers({202: _json("Its workers are told", _object(id=_TEXT, canceled=_TRUTH))}, 404, 409, 422)
EVENTS: Responses = answers({200: _raw("Server-sent events: progress, end", "text/event-stream")}, 404, 422)
DELIVERING: Document = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}
DELIVERED: Responses = answers(
    {
        202: _json("Something waits for it, and was woken", _object(delivery=_TEXT, job=_TEXT, state=_OR_NULL)),
        204: {"description": "Genuine; taken before, or nothing waits for it"},
    },
    401,
    404,
    413,
)
LISTED: Responses = answers({200: _json("One page", _object(generations=_list(_ROW), next_cursor=_OR_NULL))}, 422)
VIEWED: Responses = answers({200: _json("The generation", ref("View"))}, 404, 422)
LINEAGE: Responses = answers(
    {
        200: _json(
            "The graph",
            _object(id=_ID, generations=_list(_object(id=_ID, known=_TRUTH)), edges=_list(_EDGE), complete=_TRUTH),
        )
    },
    404,
    422,
)
REPLAYS: Responses = answers(
    {
        200: _json(
            "Replays and how they were judged",
            _object(id=_ID, replays=_list(_object(id=_ID, recorded_at=_TEXT, drift=_list({"type": "object"})))),
        )
    },
    404,
    422,
)
_ENVELOPE = _object(payload=_TEXT, payloadType=_TEXT, signatures=_list(_object(keyid=_TEXT, sig=_TEXT)))
STATEMENT: Responses = answers({200: _json("A DSSE envelope", _ENVELOPE)}, 404, 422)
PROOF: Responses = answers({200: _raw("c2sp.org/tlog-proof@v1", "text/plain")}, 404, 422)

ASKING: Document = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["query"],
                    "properties": {
                        "query": {"type": "string", "minLength": 1, "description": "A digest, an id, or words"},
                        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
                    },
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "limit": {"type": "string", "pattern": "^([1-9][0-9]?|100)$"},
                    },
                }
            },
        },
    }
}
ANSWERED: Responses = answers({200: _json("Ranked answers; none is an answer, too", ref("Lookup"))}, 404, 413, 415, 422)

ASSET: Responses = answers(
    {
        200: _raw("The bytes", "*/*"),
        206: _raw("A range of them", "*/*"),
        304: {"description": "Unchanged"},
    },
    404,
    416,
    422,
)
CHECKPOINT: Responses = answers({200: _raw("A C2SP signed note", "text/plain")})
TILE: Responses = answers({200: _raw("Hashes of 32 bytes, or entries", "application/octet-stream")}, 404)
HEALTH: Responses = answers({200: _json("It answers", _object(status={"const": "ok"}))})
_READINESS = {
    "type": "object",
    "required": ["ready", "faults"],
    "properties": {"ready": _TRUTH, "faults": _list(_TEXT)},
}
READY: Responses = answers({200: _json("It works", _READINESS), 503: _json("Something fails", _READINESS)})


def components() -> Document:
    """The published schemas, their ``$defs`` lifted to components of their own."""
    found: Document = {"Problem": PROBLEM}
    for name, document in PUBLISHED.items():
        found |= _lifted(name, json.loads(schema_text(document)))
    return found


def _lifted(name: str, schema: Document) -> Document:
    parts = schema.pop("$defs", {})
    for key in ("$schema", "$id"):
        schema.pop(key, None)
    return {name: _pointed(name, schema)} | {f"{name}.{part}": _pointed(name, found) for part, found in parts.items()}


def _pointed(name: str, schema: Any) -> Any:  # noqa: ANN401
    """A copy with references into ``$defs`` turned to the components."""
    if isinstance(schema, list):
        return [_pointed(name, member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"#/components/schemas/{name}.{value.removeprefix('#/$defs/')}"
        if key == "$ref" and isinstance(value, str) and value.startswith("#/$defs/")
        else _pointed(name, value)
        for key, value in schema.items()
    }
