"""``/v1/assets``: the bytes behind a digest."""

import re
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from registry.digest import Digest
from registry.errors import NotFound
from registry.fetch import find_bytes, suffix_of
from registry.home import Registry
from registry.http import documents as doc
from registry.http.here import registry_of
from registry.http.problems import Problem
from registry.indexing import catch_up

router = APIRouter(prefix="/v1/assets", tags=["assets"])
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))").fullmatch
_SHOWN = re.compile(
    r"image/(png|jpeg|webp|gif|bmp|avif|tiff)|video/[a-z0-9.+-]+|audio/[a-z0-9.+-]+"
    r"|text/(plain|vtt)|application/(json|x-subrip)"
).fullmatch  # everything else could run script (SVG, HTML, XML) or is unknown: it is a download without a type


class AssetResponse(FileResponse):
    """A file in pieces of 1 MiB."""

    chunk_size = 1 << 20


@router.head("/{digest}", include_in_schema=False)
@router.get("/{digest}", response_class=Response, responses=doc.ASSET)
def read_asset(request: Request, digest: str) -> Response:
    """The bytes, whole or one range of them."""
    wanted = Digest.parse(digest)
    path, media_type = find_or_follow(registry_of(request), wanted)
    # Bytes behind a digest never change, yet they can be erased: a browser may keep them but must ask.
    headers = {"ETag": f'"{wanted}"', "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes"}
    if _matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    _check_range(request, path.stat().st_size)
    shown = _SHOWN(media_type) is not None
    name = f"{wanted.hex[:12]}{suffix_of(media_type) if shown else ''}"
    headers["Content-Disposition"] = f'{"inline" if shown else "attachment"}; filename="{name}"'
    sent_as = media_type if shown else "application/octet-stream"
    return AssetResponse(
        path, headers=headers, media_type=f"{sent_as}; charset=utf-8" if _is_text(sent_as) else sent_as
    )


def find_or_follow(registry: Registry, digest: Digest) -> tuple[Path, str]:
    """File and media type of a digest; lets the index catch up before it says there is none."""
    try:
        return find_bytes(registry, digest)
    except NotFound:
        catch_up(registry)  # even where it takes nothing in: the follower may have, since we looked
        return find_bytes(registry, digest)


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type == "application/x-subrip"


def _matches(condition: str | None, etag: str) -> bool:
    """Weak comparison with a list of tags (RFC 9110 section 13.1.2)."""
    return condition is not None and any(tag.strip().removeprefix("W/") in (etag, "*") for tag in condition.split(","))


def _check_range(request: Request, size: int) -> None:
    """Leave one satisfiable range; others are ignored, as RFC 9110 section 14.2 allows, or refused.

    Raises:
        Problem: the range begins behind the end (416).
    """
    asked = request.headers.get("range")
    if asked is None:
        return
    found = _RANGE(asked.replace(" ", "").lower())
    if found and (found[2] == "" or found[1] is None or int(found[1]) <= int(found[2] or 0)):
        begin = size - int(found[3]) if found[1] is None else int(found[1])
        if begin < size:
            return
        raise Problem(
            416, "range-not-satisfiable", f"the asset has {size} bytes", headers={"Content-Range": f"bytes */{size}"}
        )
    request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
