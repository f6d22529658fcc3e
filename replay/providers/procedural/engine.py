"""The renderer as a provider: which operation is rendered by which module."""

import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import scipy

from registry.canonical import JSON
from replay.outcome import OutcomeClass
from replay.provider import Call
from replay.providers.body import Body
from replay.providers.local import LocalEngine, Made, Refusal
from replay.providers.procedural.image import make_image
from replay.providers.procedural.music import make_music
from replay.providers.procedural.request import NEWEST
from replay.providers.procedural.speech import make_speech
from replay.providers.procedural.video import make_video

_OPERATIONS: Final[Mapping[str, Callable[[Body, Path], Made]]] = {
    "image.generate": make_image,
    "video.generate": make_video,
    "speech.generate": make_speech,
    "music.generate": make_music,
}


class Procedural(LocalEngine):
    """A seeded renderer of pictures, films and sound, with no model and no network."""

    def make(self, call: Call) -> Made:
        """Render what the call's operation asks for; see the modules of the operations."""
        operation = call.description.operation
        if operation not in _OPERATIONS:
            raise Refusal(f"the procedural engine does not do {operation}", OutcomeClass.UNSUPPORTED)
        if call.inputs:
            raise Refusal(f"{operation}: expected no input files, not {len(call.inputs)}")
        return _OPERATIONS[operation](Body(call.body), call.workdir)

    def engine(self) -> Mapping[str, JSON]:
        """Name, newest build, libraries and machine: floating point differs between processor families."""
        return {
            "name": "procedural",
            "build": str(NEWEST),
            "libraries": {
                "av": av.__version__,
                "numpy": np.__version__,
                "opencv": cv2.__version__,
                "scipy": scipy.__version__,
            },
            "machine": platform.machine(),
        }
