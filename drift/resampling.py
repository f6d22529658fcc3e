"""Bringing two pictures to one size; resampling is itself a change, so whoever calls this says so in a note."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SAME_SHAPE = 1.02  # rounding to whole pixels is no stretch


def resized_to(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], str | None]:
    """Resample a picture to the height and width of ``shape``; the note is None where nothing had to be done.

    Area averaging when neither side grows, else bicubic (OpenCV's INTER_AREA and INTER_CUBIC).
    """
    height, width = shape[:2]
    had_height, had_width = picture.shape[:2]
    if (height, width) == (had_height, had_width):
        return picture, None
    shrinks = height <= had_height and width <= had_width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
    note = f"the candidate was resampled from {had_width}x{had_height} to {width}x{height}"
    ours, theirs = width / height, had_width / had_height
    if max(ours, theirs) > _SAME_SHAPE * min(ours, theirs):
        note += f" and stretched: its sides are as {theirs:.2f} to 1, the reference's as {ours:.2f}"
    return resized, note
