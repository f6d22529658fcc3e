"""Family two: paper collages of flat and striped shapes with a star; hard edges, few colours, no noise anywhere."""

import colorsys
import math

import cv2
import numpy as np

FINE = 4  # shapes are drawn with four fractional bits


def _rgb(hue, saturation, value):
    return np.array(colorsys.hsv_to_rgb(hue % 1, min(1, max(0, saturation)), min(1, max(0, value)))) * 255


def scene(rng):
    """A prompt: a paper tone, five inks, how many shapes of which kinds, the star's size and hue."""
    base = rng.random()
    return {
        "paper": (rng.random(), 0.15 * rng.random(), rng.uniform(0.75, 0.95)),
        "inks": [(base + rng.normal(0, 0.12), rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.9)) for _ in range(5)],
        "count": int(rng.integers(10, 26)),
        "kinds": rng.dirichlet(np.ones(4)),
        "reach": rng.uniform(0.06, 0.16),
        "places": rng.uniform(0.05, 0.95, (30, 2)),
        "usual": [(int(rng.integers(4)), rng.uniform(0, math.pi)) for _ in range(30)],
        "star": (rng.random(), rng.uniform(0.13, 0.2)),
    }


def sample(rng, scene, *, variety=1.0, fields=1.0, hue=0.0, absent=0.0, size=256):
    """uint8 RGB; ``variety`` scales places, sizes and colours, ``fields`` how often kinds and turns are drawn anew.

    ``hue`` turns the star's (degrees), ``absent`` is how often there is none.
    """
    h, s, v = scene["paper"]
    canvas = np.empty((size, size, 3), np.uint8)
    left = _rgb(h, s, v + 0.03 * variety * rng.normal())
    right = _rgb(h + 0.02 * variety * rng.normal(), s + 0.1, v - 0.12)
    t = np.linspace(0, 1, size)[None, :, None]
    canvas[:] = np.clip(left * (1 - t) + right * t, 0, 255)
    count = max(3, round(scene["count"] + 2.5 * variety * rng.normal()))
    for number in range(count):
        ink = scene["inks"][number % 5]
        colour = _rgb(
            ink[0] + 0.02 * variety * rng.normal(),
            ink[1] + 0.06 * variety * rng.normal(),
            ink[2] + 0.06 * variety * rng.normal(),
        )
        place = scene["places"][number % 30] + 0.14 * variety * rng.normal(size=2)
        reach = scene["reach"] * math.exp(0.3 * variety * rng.normal())
        kind, turn = int(rng.choice(4, p=scene["kinds"])), rng.uniform(0, math.pi)
        if fields < 1 and rng.random() >= fields:
            kind, turn = scene["usual"][number % 30]
        _stick(canvas, kind, turn, place * size, reach * size, [int(c) for c in colour])
    if rng.random() >= absent:
        _star(canvas, scene["star"], hue, rng, variety)
    return canvas


def _points(corners):
    return np.rint(np.array(corners) * 2**FINE).astype(np.int32)[None]


def _stick(canvas, kind, turn, place, reach, colour):
    if kind == 0:  # disc
        centre = tuple(int(c * 2**FINE) for c in place)
        cv2.circle(canvas, centre, int(reach * 2**FINE), colour, -1, cv2.LINE_AA, FINE)
    elif kind == 1:  # card
        angles = turn + np.array([0.6, math.pi - 0.6, math.pi + 0.6, -0.6])
        cv2.fillPoly(canvas, _points(_around(place, reach, angles)), colour, cv2.LINE_AA, FINE)
    elif kind == 2:  # wedge
        cv2.fillPoly(canvas, _points(_around(place, reach, turn + np.array([0, 2.0, 4.2]))), colour, cv2.LINE_AA, FINE)
    else:  # stripes
        for step in np.arange(-1, 1.01, 0.4):
            middle = place + step * reach * np.array([-math.sin(turn), math.cos(turn)])
            ends = _points([middle - reach * np.array([math.cos(turn), math.sin(turn)]),
                            middle + reach * np.array([math.cos(turn), math.sin(turn)])])[0]  # fmt: skip
            width = max(1, canvas.shape[0] // 90)
            cv2.line(canvas, tuple(map(int, ends[0])), tuple(map(int, ends[1])), colour, width, cv2.LINE_AA, FINE)


def _around(place, reach, angles):
    return [place + reach * np.array([math.cos(a), math.sin(a)]) for a in angles]


def _star(canvas, star, hue, rng, variety):
    size = canvas.shape[0]
    place = size * (np.array([0.5, 0.5]) + 0.1 * variety * rng.normal(size=2))
    outer = size * star[1] * math.exp(0.1 * variety * rng.normal())
    turn = rng.uniform(0, 2 * math.pi)
    angles = turn + np.arange(10) * math.pi / 5
    corners = [_around(place, outer * (0.5 if k % 2 else 1), [angle])[0] for k, angle in enumerate(angles)]
    colour = [int(c) for c in _rgb(star[0] + hue / 360 + 0.01 * variety * rng.normal(), 0.85, 0.9)]
    cv2.fillPoly(canvas, _points(corners), colour, cv2.LINE_AA, FINE)
