"""Clips drawn from integers only, and transcripts, for vectors of the samples of media other than pictures."""

import numpy as np

TEXTS = (
    "Well, um, the train to Oslo was delayed again. Nobody called; isn't that odd? We waited, talking, until 19 past.",
    "Well, uh, the train to Oslo was delayed again. Nobody called, isn't that odd? We sat and talked until 90 passed!",
    "well the train to oslo is delayed. No one called... Isn't that odd? We waited, talking, until 19 had passed.",
    "Well, um, the strain to also was delayed again. Nobody, nobody called; is it not odd? We waited, until 19.",
    "",
    "One",
)


def clip(name):
    """Frames, uint8 RGB of 256x256: a texture and a bright square that move; "halting" repeats every fourth frame."""
    y, x = np.mgrid[0:256, 0:256]
    frames = []
    for number in range(14):
        at = number - 1 if name == "halting" and number % 4 == 3 else number
        texture = ((x + 3 * at) * 7 % 61) + ((y + at) * 5 % 43)
        red, green, blue = texture + x // 4, texture + y // 4, 2 * texture // 3 + (x + y) // 8
        square = (abs(x - 60 - 9 * at) < 22) & (abs(y - 100 - 4 * at) < 22)
        frame = np.stack([red, green, blue], -1)
        frame[square] = (230, 60 + 5 * at, 40)
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return frames
