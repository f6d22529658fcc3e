"""Pictures for a page: arrays scaled, coloured and packed into data URIs."""

import base64
import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_uri(rgb: NDArray[np.uint8], *, most: int = 1024) -> str:
    """A WebP data URI of uint8 RGB (height, width, 3) or grey (height, width), its long side at most ``most``."""
    height, width = rgb.shape[:2]
    scale = most / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, "WEBP", quality=88)
    return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode()


def heat(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Colour numbers, shape (height, width), from black at ``low`` to yellow at ``high``; uint8 RGB."""
    share = np.clip((values - low) / (high - low), 0, 1)
    coloured = cv2.applyColorMap(np.asarray(share * 255, np.uint8), cv2.COLORMAP_INFERNO)
    return np.asarray(coloured[..., ::-1], np.uint8)


def over(rgb: NDArray[np.uint8], coloured: NDArray[np.uint8], weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours laid over the greys of a picture, the more opaque the larger the weight (0 to 1); all of one size."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    opaque = np.clip(weights, 0, 1)[..., None] ** 0.5
    return np.asarray(np.rint(grey * 0.7 * (1 - opaque) + coloured * opaque), np.uint8)
