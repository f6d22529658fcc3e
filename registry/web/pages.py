"""The page that answers "where did this file come from?", and the page of each generation."""

from pathlib import Path
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from drift.errors import MediaRefused, MintmarkError
from registry.assets.store import Staged
from registry.canonical import JSON
from registry.catalog.search import Query, search
from registry.digest import Digest
from registry.errors import NotFound, Refused
from registry.home import Registry
from registry.http.assets import find_or_follow
from registry.http.here import registry_of
from registry.http.lookup import ask, ask_file
from registry.http.problems import status_of, told
from registry.http.uploads import Arrived, read_form
from registry.lookup import Answer, answer_json, searched
from registry.show import view
from registry.web import telling
from registry.web.pictures import picture_of, preview, text_of

POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
RECENT = 8
DRAWN_AT_ONCE = 2  # thumbnails; a picture of 100 megapixels takes 300 MB while it is decoded
HITS = 10
_HERE = Path(__file__).parent
_HOW = {
    "bytes": "the same bytes",
    "content": "the same content",
    "pdq": "looks alike",
    "id": "its id",
    "call": "its request id",
    "words": "words of its prompt",
}

router = APIRouter(include_in_schema=False)
_templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
_templates.filters |= {"when": telling.when, "title": telling.title_of, "how": lambda how: _HOW.get(how, how)}
_templates.globals["verdicts"] = telling.VERDICTS


def static_files() -> StaticFiles:
    """Style sheet, script and mark."""
    return StaticFiles(directory=_HERE / "static")


@router.get("/")
def start(request: Request, q: str = "") -> Response:
    """The drop zone; with ``q``, the answers to a digest, an id or words."""
    registry = registry_of(request)
    query = q.strip()
    if not query:
        return _page("lookup.html", **_state(registry, recent=_recent(registry)))
    try:
        found = ask(registry, query, HITS)
    except (Refused, NotFound) as problem:
        found = Answer([], searched(registry), [str(problem)])
    return _page("lookup.html", **_state(registry, query=query, answer=_shown(registry, found)))


@router.post("/")
async def look_up(request: Request) -> Response:
    """The answers to a file; works without a script, because the form posts it."""
    registry = registry_of(request)
    form = await read_form(request, registry.assets, fields=frozenset(), max_bytes=registry.settings.max_bytes)
    return await run_sync(_answer_form, registry, form)


@router.get("/g/{id}")
def generation(request: Request, id: str) -> Response:
    """Everything known of one generation."""
    registry = registry_of(request)
    found = telling.page_of(view(registry, registry.catalog.resolve(id)))
    texts = {
        asset.digest: _text(registry, asset) for asset in found.outputs if asset.digest and asset.kind == "transcript"
    }
    return _page("generation.html", g=found, texts=texts)


@router.get("/thumbnail/{digest}")
async def thumbnail(request: Request, digest: str) -> Response:
    """A small picture of an image, a video or a sound; few are made at a time, because each decodes a whole asset."""
    state = request.app.state
    if not hasattr(state, "drawing"):
        state.drawing = CapacityLimiter(DRAWN_AT_ONCE)
    return await run_sync(_thumbnail, request, digest, limiter=state.drawing)


def _thumbnail(request: Request, digest: str) -> Response:
    registry = registry_of(request)
    wanted = Digest.parse(digest)
    etag = f'"thumbnail-{wanted}"'
    path, media_type = find_or_follow(registry, wanted)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    try:
        picture = picture_of(path, media_type.partition("/")[0], limits=registry.settings.limits)
    except MediaRefused:
        raise NotFound("picture", str(wanted), "its asset cannot be drawn") from None
    return Response(picture, media_type="image/webp", headers=headers)


def problem_page(request: Request, problem: MintmarkError) -> Response:
    """An error as a page."""
    return _page("problem.html", status_of(problem), problem=told(problem))


def _page(name: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    html = _templates.get_template(name).render(**values)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-store"}
    return HTMLResponse(html, status, headers)


def _state(registry: Registry, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """What the look-up page always has."""
    blank: dict[str, Any] = {"query": "", "hint": "", "answer": None, "dropped": None, "recent": []}
    return blank | {"count": registry.catalog.generations()} | more


def _answer_form(registry: Registry, arrived: Arrived) -> Response:
    with arrived.opened() as form:
        staged = form.files.get("file")
        if staged is None or (staged.bytes == 0 and "file" not in form.names):
            hint = "Choose a file first, or drop one anywhere on this page."
            return _page("lookup.html", **_state(registry, hint=hint, recent=_recent(registry)))
        return _answer_file(registry, staged, form.names.get("file", "your file"))


def _answer_file(registry: Registry, staged: Staged, name: str) -> Response:
    found = ask_file(registry, staged, name, HITS)
    dropped = preview(staged.path, name, limits=registry.settings.limits)
    return _page("lookup.html", **_state(registry, answer=_shown(registry, found), dropped=dropped))


def _shown(registry: Registry, answer: Answer) -> dict[str, JSON]:
    """An answer with the asset each hit is about."""
    value = answer_json(registry, answer)
    for hit in value["hits"]:
        hit["asset"] = None
        if hit["kind"] == "generation":
            hit["asset"] = _asset(registry, hit["id"], hit["direction"], hit["position"] or 0)
    return value


def _recent(registry: Registry) -> list[dict[str, JSON]]:
    page = search(registry.catalog, Query(limit=RECENT))
    return [{"row": row, "asset": _asset(registry, row.id, "output", 0)} for row in page.rows]


def _asset(registry: Registry, manifest: str, direction: str, position: int) -> dict[str, JSON] | None:
    found = view(registry, manifest)
    if position >= len(found.disclosed[f"{direction}s"]):
        return None
    shown = telling.shown(found, direction, position)
    return {"shown": shown, "text": _text(registry, shown) if shown.kind == "transcript" else None}


def _text(registry: Registry, asset: telling.Shown) -> str | None:
    if asset.digest is None or asset.gone:
        return None
    try:
        path, _ = find_or_follow(registry, Digest.parse(asset.digest))
        return text_of(path, limits=registry.settings.limits)
    except (NotFound, MediaRefused):
        return None
