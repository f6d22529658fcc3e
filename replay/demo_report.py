"""The demo's page: what was made, what became of it, in one self-contained file."""

import base64
import io
from importlib import resources
from pathlib import Path

import jinja2
from PIL import Image

from registry import __version__
from registry.verify.report import Report
from replay.demo import Contrast, Demo, Made, Replays

_SIDE = 320  # pixels of a thumbnail's longer side


def write_report(
    path: Path, demo: Demo, contrast: list[Contrast], *, verified: Report, tampered: Report, origin: str
) -> None:
    """Write the page; no part of it asks anything of anywhere."""
    template = resources.files("replay").joinpath("templates/demo.html.j2").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(template).render(
        version=__version__,
        made=[_made(demo, made) for made in demo.made],
        calibrated=demo.calibrated,
        replays=[_replayed(demo, one) for one in demo.replays],
        crashed=demo.crashed,
        contrast=contrast,
        layers=list(zip(verified.layers, tampered.layers, strict=True)),
        origin=origin,
    )
    path.write_text(page, encoding="utf-8")


def _made(demo: Demo, made: Made) -> dict[str, object]:
    erased = demo.prompt_state(made) == "erased"
    return {
        "made": made,
        "prompt": "[erased]" if erased else made.prompt,
        "picture": _thumbnail(demo.picture(made)) if made.kind == "image" else None,
        "player": None if made.kind == "image" else _embedded(demo.picture(made), made.kind),
    }


def _replayed(demo: Demo, one: Replays) -> dict[str, object]:
    pictures = None
    if one.made.kind == "image":
        pictures = (_thumbnail(demo.picture(one.made)), _thumbnail(demo.replayed_picture(one)))
    return {"one": one, "pictures": pictures}


def _thumbnail(path: Path) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82)
    return _data_url("image/jpeg", out.getvalue())


def _embedded(path: Path, kind: str) -> str:
    return _data_url("video/mp4" if kind == "video" else "audio/wav", path.read_bytes())


def _data_url(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
