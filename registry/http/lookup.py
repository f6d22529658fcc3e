"""``/v1/lookup``: where did this come from?"""

from typing import Annotated

import msgspec
from anyio.to_thread import run_sync
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from registry.assets.store import Staged
from registry.home import Registry
from registry.http import documents as doc
from registry.http.bodies import asked_in, body_of
from registry.http.here import answer, registry_of
from registry.http.problems import Problem
from registry.http.uploads import Arrived, read_form
from registry.indexing import catch_up
from registry.lookup import Answer, answer_json, behind, look_up_digest, look_up_text
from registry.lookup_file import look_up_file

router = APIRouter(prefix="/v1/lookup", tags=["lookup"])
LONGEST = 64 << 10  # bytes of a JSON question
MOST = 100
_MALFORMED = "question-malformed"
_DIGESTS = ("sha256:", "blake3:")


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A look-up without a file."""

    query: Annotated[str, msgspec.Meta(min_length=1)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 10


@router.post("", openapi_extra=doc.ASKING, responses=doc.ANSWERED)
async def look_up(request: Request) -> Response:
    """Find the generations behind a file (multipart part ``file``), or behind a digest, an id or words (JSON)."""
    registry = registry_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        question = asked_in(await body_of(request, LONGEST, "a question in JSON may have"), Question, _MALFORMED)
        # In files beside the program a digest is found sooner than a thread would begin, and no more than 1,000 uses
        # are looked at: some milliseconds at most.
        if _is_near(registry) and question.query.startswith(_DIGESTS) and (known := _known(registry, question)):
            return known
        return await run_sync(_answer_question, registry, question)
    form = await read_form(request, registry.assets, fields=frozenset({"limit"}), max_bytes=registry.settings.max_bytes)
    return await run_sync(_answer_form, registry, form)


def _answer_form(registry: Registry, arrived: Arrived) -> Response:
    with arrived.opened() as form:
        if set(form.files) != {"file"}:
            raise Problem(422, "file-missing", "send one part named file, or JSON with a query")
        limit = _limit(form.fields.get("limit", b"10"))
        # A decode may take minutes: no transaction stays open over it.
        found = ask_file(registry, form.files["file"], form.names.get("file"), limit)
    with registry.catalog.database.together():
        return answer(answer_json(registry, found))


def _is_near(registry: Registry) -> bool:
    return registry.catalog.database.is_sqlite and registry.vault.database.is_sqlite


def _known(registry: Registry, question: Question) -> Response | None:
    """The answer, in one transaction; None where there may be a better one once the index has caught up."""
    with registry.catalog.database.together():
        found = _look(registry, question.query, question.limit)
        return answer(answer_json(registry, found)) if found.hits or not behind(registry) else None


def _answer_question(registry: Registry, question: Question) -> Response:
    if known := _known(registry, question):
        return known
    found = ask(registry, question.query, question.limit)
    with registry.catalog.database.together():
        return answer(answer_json(registry, found))


def ask(registry: Registry, query: str, limit: int = 10) -> Answer:
    """Look up a digest, an id or prefix, a call's id, or words; waits for the index before it says "nothing"."""
    found = _look(registry, query, limit)
    if not found.hits and behind(registry):
        catch_up(registry)
        found = _look(registry, query, limit)
    return found


def _look(registry: Registry, query: str, limit: int) -> Answer:
    look = look_up_digest if query.startswith(_DIGESTS) else look_up_text
    return look(registry, query, limit=limit)


def ask_file(registry: Registry, staged: Staged, name: str | None, limit: int = 10) -> Answer:
    """Look up an upload; ``name`` is what the user calls it."""
    return look_up_file(registry, staged.path, limit=limit, name=name or "the file", digests=staged.digests)


def _limit(text: bytes) -> int:
    if text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST:
        return int(text)
    raise Problem(422, _MALFORMED, f"limit is a number from 1 to {MOST}", pointer="/limit")
