"""The operation video.generate: a slow walk of the camera through a scene, with drifting clouds."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from replay.provider import Output
from replay.providers.body import Body
from replay.providers.local import Made
from replay.providers.procedural.request import Request, read_request
from replay.providers.procedural.scenes import build_scene, grain
from replay.providers.procedural.stage import Stage, finish, frame
from replay.providers.procedural.tone import develop

WALK: Final = 0.13
"""Speed of the nearest layer, in heights of the picture a second."""

FARTHEST: Final = 1.2
"""Longest way of the camera, in heights; a longer film walks slower."""

ENCODER: Final = {"preset": "medium", "crf": "17", "threads": "1", "x264-params": "mbtree=0"}
"""What makes the encoder bit-exact. With more than one thread, x264 decides rates by what other threads have finished.
With its macroblock tree, runs of one film differed now and then (core 165: 2 of 14 encodings at 320 x 180; none of 14
at 384 x 192, or without vector code); without the tree none of 175 did."""


def make_video(body: Body, workdir: Path) -> Made:
    """Render an MP4 (H.264, 4:2:0) into ``workdir``.

    Raises:
        Refusal: a member of the body is unknown or out of range, or the prompt is refused.
    """
    width = body.whole("width", 320, 64, 1280, step=2)
    height = body.whole("height", 180, 64, 720, step=2)
    count, fps = body.whole("frames", 72, 1, 600), body.whole("fps", 24, 1, 60)
    request = read_request(body, "procedural-video")
    body.end()
    path = workdir / "video.mp4"
    _encode(path, _frames(request, width, height, count, fps), width, height, fps)
    return Made((Output("video", "video/mp4", path),), request.served_model, request.seed)


def _frames(request: Request, width: int, height: int, count: int, fps: int) -> Iterator[NDArray[np.uint8]]:
    way = min(WALK * (count - 1) / fps, FARTHEST) * height
    stage = Stage(height, width, width + math.ceil(way) + 2)
    dice = request.dice()
    layers = build_scene(request.prompt, dice, stage)
    film = grain(dice.child("grain"), height + 32, width + 32)
    shift, jitter = dice.child("film"), request.jitter()
    for number in range(count):
        down, right = shift.whole(0, 31), shift.whole(0, 31)
        speckle = film[down : down + height, right : right + width]
        picture = frame(layers, stage, way * number / max(count - 1, 1), number / fps)
        yield develop(finish(picture, speckle * np.float32(0.6)), request.build, jitter)


def _encode(path: Path, frames: Iterator[NDArray[np.uint8]], width: int, height: int, fps: int) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options=dict(ENCODER))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
