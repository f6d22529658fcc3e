"""Pictures drawn from integers only, so that every machine draws the same bytes."""

import cv2
import numpy as np

PICTURES = {  # name: (width, height)
    "square-512": (512, 512),
    "wide-512x300": (512, 300),
    "tall-201x512": (201, 512),
    "odd-511x513": (511, 513),
    "small-64": (64, 64),
    "smaller-37x41": (37, 41),
    "tiny-5x7": (5, 7),
    "large-1024": (1024, 1024),
    "flat-128": (128, 128),
    "stripes-128": (128, 128),
}


def drawn(name):
    """uint8 RGB, shape (height, width, 3)."""
    width, height = PICTURES[name]
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    if name.startswith("flat"):
        return np.full((height, width, 3), 77, np.uint8)
    if name.startswith("stripes"):
        return np.repeat(((x // 8 % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    u, v = x * 1024 // width, y * 1024 // height
    red = (u * u // 700 + v * 3) % 512
    green = (u * v // 900 + u) % 512
    blue = ((u - 300) ** 2 + (v - 650) ** 2) // 1500 % 512
    waves = np.stack([red, green, blue], -1)
    return np.where(waves > 255, 511 - waves, waves).astype(np.uint8)


def canonical(rgb):
    """RGB area-resized to a long side of 512, as the reference gets its canonical input."""
    height, width = rgb.shape[:2]
    scale = 512 / max(height, width)
    if scale >= 1:
        return rgb
    return cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
