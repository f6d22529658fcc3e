"""The operation image.generate."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from replay.provider import Output
from replay.providers.body import Body
from replay.providers.local import Made, Refusal
from replay.providers.procedural.request import read_request
from replay.providers.procedural.scenes import build_scene, grain
from replay.providers.procedural.stage import Stage, finish, frame
from replay.providers.procedural.tone import develop

FORMATS: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def make_image(body: Body, workdir: Path) -> Made:
    """Render one picture into ``workdir``.

    Raises:
        Refusal: a member of the body is unknown or out of range, or the prompt is refused.
    """
    width, height = body.whole("width", 512, 64, 2048), body.whole("height", 512, 64, 2048)
    form = str(body.choice("format", "png", tuple(FORMATS)))
    quality = body.whole("quality", 0, 1, 100)
    if quality and form == "png":
        raise Refusal("quality: only jpeg and webp have one; leave it out for png")
    request = read_request(body, "procedural-image")
    body.end()
    dice = request.dice()
    stage = Stage(height, width, width)
    picture = finish(frame(build_scene(request.prompt, dice, stage), stage), grain(dice.child("grain"), height, width))
    pixels = develop(picture, request.build, request.jitter())
    path = workdir / f"image.{form}"
    path.write_bytes(_encode(pixels, form, quality or 92))
    return Made((Output("image", FORMATS[form], path),), request.served_model, request.seed)


def _encode(pixels: np.typing.NDArray[np.uint8], form: str, quality: int) -> bytes:
    options = {
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 1],
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }[form]
    _, encoded = cv2.imencode(f".{form}", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    return encoded.tobytes()
