"""Clip family: balloons drift over a hilly backdrop while the camera pans; small frames, coded as H.264."""

import io

import av
import cv2
import numpy as np

SIDE = 128
FRAMES = 21


def scene(rng):
    """A prompt: colours, hills, how many balloons, how fast things go."""
    waves = rng.uniform(0.5, 4, 4)
    return {
        "sky": rng.uniform(90, 220, 3),
        "land": rng.uniform(30, 150, 3),
        "waves": waves,
        "heights": rng.uniform(2, 9, 4),
        "balloons": [(rng.uniform(0, 255, 3), rng.uniform(7, 16)) for _ in range(int(rng.integers(2, 6)))],
        "pan": rng.uniform(0.4, 1.6),
        "speed": rng.uniform(0.5, 2.0),
        "grain": rng.uniform(1, 4),
    }


def sample(rng, scene, *, variety=1.0, flicker=0.0):
    """A list of uint8 RGB frames; ``flicker`` is how far brightness wavers from frame to frame, as a share."""

    def jitter(spread):
        return rng.normal() * spread * variety

    pan = scene["pan"] * np.exp(jitter(0.2)) * (1 if rng.random() < 0.5 else -1)
    light = 1 + jitter(0.05)
    phases = rng.uniform(0, 6.28, 4)
    horizon = SIDE * (0.6 + jitter(0.05))
    places = rng.uniform(0.1, 0.9, (len(scene["balloons"]), 2)) * SIDE
    paths = rng.normal(size=places.shape) * scene["speed"] * np.exp(jitter(0.2))
    x, y = np.arange(SIDE), np.arange(SIDE)[:, None]
    texture = cv2.GaussianBlur(rng.normal(0, 40, (SIDE, SIDE * 2)).astype(np.float32), (0, 0), 1.5)
    frames = []
    for number in range(FRAMES):
        at = x + pan * number
        ridge = horizon + sum(
            h * np.sin(w * at * 6.28 / SIDE / 2 + p)
            for h, w, p in zip(scene["heights"], scene["waves"], phases, strict=True)
        )
        cover = np.clip(y - ridge[None], 0, 1)[..., None].astype(np.float32)
        rolled = np.roll(texture, -round(pan * number), 1)[:, :SIDE, None]
        frame = (1 - cover) * (scene["sky"] * (0.8 + 0.3 * y[..., None] / SIDE)) + cover * (scene["land"] + rolled)
        frame = frame.astype(np.float32)
        for (colour, reach), place, path in zip(scene["balloons"], places, paths, strict=True):
            where = (place + path * number) % SIDE
            cv2.circle(frame, tuple(int(16 * c) for c in where), int(16 * reach), tuple(map(float, colour)), -1, 16, 4)
        frame = frame * np.float32(light * (1 + flicker * rng.normal()))
        frame = frame + np.float32(scene["grain"]) * rng.standard_normal((SIDE, SIDE, 1), np.float32)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return frames


def coded(frames, quality=20):
    """What a provider hands out: H.264 at a constant rate factor, decoded again."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=12, options={"crf": str(quality), "preset": "veryfast", "threads": "1"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as file:
        file.streams.video[0].thread_count = 1
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def tone(frames):
    """Gamma 0.85."""
    return coded([np.rint(255 * (frame / 255) ** 0.85).astype(np.uint8) for frame in frames])


def duplicated(frames):
    """Every seventh frame shown twice, the next one never."""
    return coded([frames[number - 1] if number % 7 == 6 else frame for number, frame in enumerate(frames)])


def codec(frames):
    """A rate factor of 26 instead of 20: files of half the size."""
    return coded(frames, 26)


CHANGES = {"tone": tone, "duplicated": duplicated, "codec": codec}
