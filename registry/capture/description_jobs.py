"""What of a description would let a call that is paid for come to nothing: jobs, outputs, headers that do not fit."""

import re
from collections.abc import Iterator
from typing import Any, Final

from registry.capture.description_form import Mistake
from registry.capture.secrets import may_be_secret

_HOLE: Final = re.compile(r"\{(\w+)\}")
_KEYS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_FRAME: Final = frozenset({"content-length", "content-type", "host", "transfer-encoding", "connection"})
"""Headers that every request writes itself."""


def mistakes_of_jobs(content: dict[str, Any]) -> Iterator[Mistake]:
    """Where the content of a description says of jobs what cannot be followed; in no order."""
    yield from _paths(content)
    yield from _followed(content)
    yield from _headers(content)
    for number, rule in enumerate(content.get("errors", ())):
        if rule["class"] == "ambiguous" and rule.get("again"):
            told = "as an ambiguous request may have been carried out, and is never sent again"
            yield ["errors", str(number), "again"], f"expected false, {told}"


def _paths(content: dict[str, Any]) -> Iterator[Mistake]:
    """Paths that a job's id, or a model's name, goes into."""
    for table, key, own in (
        ("poll", "path", "job"), ("cancel", "path", "job"), ("output", "path", "job"), ("output", "result_path", "job"),
        ("retiring", "path", "model"),
    ):  # fmt: skip
        text = content.get(table, {}).get(key)
        if text is None:
            continue
        holes = set(_HOLE.findall(text))
        for hole in holes - {own}:
            yield [table, key], f"expected {{{own}}} alone in braces, not {{{hole}}}"
        if not holes:
            stands = "" if may_be_secret(text) else f", not {text!r}"
            yield [table, key], f"expected {{{own}}} in the path, which stands for the {own}'s id{stands}"
        if "job" in holes and "job" not in content["submit"]:
            yield [table, key], "expected submit.job, which says where the job's id is"


def _followed(content: dict[str, Any]) -> Iterator[Mistake]:
    """Jobs are asked about until they have succeeded, and what they made is somewhere else than in the first answer."""
    poll, output = content.get("poll"), content.get("output", {})
    if "job" in content["submit"] and poll is None:
        yield ["submit", "job"], "expected a table [poll] that says how the job is followed, or no job at all"
    if poll is not None and "succeeded" not in poll["map"].values():
        yield ["poll", "map"], 'expected a word that means "succeeded": a job would be asked about until its limit'
    if output.get("kind") == "bytes" and (poll is not None or {"result", "result_path"} & set(output)):
        told = "as bytes are the first answer itself, and a further one is asked for"
        yield ["output", "kind"], f'expected "url", "base64", "get" or "json", {told}'


def _headers(content: dict[str, Any]) -> Iterator[Mistake]:
    submit = content["submit"]
    of_key = {*_KEYS, content.get("auth", {}).get("header", "authorization").lower()}
    once = submit.get("idempotency", "").lower()
    if once in of_key | _FRAME:
        yield ["submit", "idempotency"], "expected a header of its own, not one that every request has anyway"
    for name in submit.get("headers", {}):
        if name.lower() in of_key:
            yield ["submit", "headers", name], "expected no header of the key: [auth] says how it is sent"
        elif name.lower() in _FRAME | {once}:  # one value for all of them would make every request the same call
            yield ["submit", "headers", name], "expected no header that every request writes itself"
