"""``/v1/log``: checkpoints and tiles as C2SP tlog-tiles has them, for monitors and witnesses."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from registry.errors import NotFound
from registry.http import documents as doc
from registry.http.here import registry_of
from registry.log.errors import LogUnusable, NoteRefused
from registry.log.tiles import ENTRIES, Tile

router = APIRouter(prefix="/v1/log", tags=["log"])
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/checkpoint", responses=doc.CHECKPOINT)
def read_checkpoint(request: Request) -> Response:
    """The newest signed checkpoint, a C2SP signed note."""
    registry = registry_of(request)
    with registry.catalog.database.reading() as connection:
        found = registry.log.latest_checkpoint(connection)
    if found is None:
        found = registry.log.checkpoint(registry.log_signer, registry.snapshot.origin)
    return Response(found.note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/tile/{path:path}", responses=doc.TILE)
def read_tile(request: Request, path: str) -> Response:
    """A tile of hashes, ``<level>/<number>[.p/<width>]``, or a bundle of entries, ``entries/<number>[.p/<width>]``."""
    registry = registry_of(request)
    try:
        tile = Tile.parse(f"tile/{path}")
        with registry.catalog.database.reading() as connection:
            if tile.level == ENTRIES:
                body = registry.log.entry_bundle(connection, tile.number, tile.width)
            else:
                body = registry.log.tile(connection, tile.level, tile.number, tile.width)
    except (NoteRefused, LogUnusable):
        raise NotFound("tile", path[:100], "the checkpoint says how far the log reaches") from None
    return Response(body, media_type="application/octet-stream", headers=_FOREVER)
