"""Sky: the hour's colours, a lamp with its glow, stars, clouds lit from where the lamp stands."""

from dataclasses import dataclass

import cv2
import numpy as np

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import Light
from replay.providers.procedural.stage import Layer, Picture, Stage, mix, screen
from replay.providers.procedural.texture import Field, bend, fractal, slopes, smooth


@dataclass(frozen=True, slots=True)
class Lamp:
    """Sun or moon: its place in heights of the picture."""

    x: float
    y: float


def hang_lamp(dice: Dice, stage: Stage, light: Light, horizon: float) -> Lamp:
    """A place for the lamp over a horizon (in heights), within the hour's range and off the middle."""
    side = dice.pick((0.18, 0.6))
    low, high = light.lamp_height
    return Lamp(stage.aspect * (side + dice.number(0.0, 0.22)), horizon * dice.number(low, high))


def air(light: Light, t: Field) -> Picture:
    """The colour of clear sky from ``t`` 0 at the zenith to 1 at the horizon."""
    return mix(mix(light.zenith, light.middle, smooth(0.0, 0.62, t)), light.horizon, smooth(0.45, 1.0, t))


def sky(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """The sky and its clouds, down to ``horizon``."""
    x, y = stage.grid()
    t = np.clip(y / horizon, 0.0, 1.0)
    picture = np.repeat(air(light, t), stage.painted, axis=1)
    distance = np.sqrt((x - lamp.x) ** 2 + (y - lamp.y) ** 2)
    picture = screen(picture, light.lamp, 0.5 * np.exp(-distance * 6.0) + 0.22 * np.exp(-distance * 1.9))
    if light.stars:
        picture = _with_stars(dice.child("stars"), stage, picture, 1.0 - smooth(0.4, 0.95, t), light.stars)
    face = light.lamp
    if light.stars:
        face = light.lamp * (
            0.72 + 0.3 * fractal(dice.child("moon"), *picture.shape[:2], cells=22, octaves=3)[..., None]
        )
    edge = 1.2 / stage.height
    picture = mix(picture, face, smooth(light.lamp_size + edge, light.lamp_size - edge, distance))
    return [Layer(picture, None, 0.0), _clouds(dice.child("clouds"), stage, light, t, lamp)]


def _clouds(dice: Dice, stage: Stage, light: Light, t: Field, lamp: Lamp) -> Layer:
    height, width = stage.height, stage.painted
    x, y = stage.grid()
    body = fractal(dice.child("body"), height, width, cells=dice.number(2.0, 3.0), octaves=6, gain=0.52, stretch=2.4)
    swirl = fractal(dice.child("swirl"), height, width, cells=3.5, octaves=2, stretch=1.6) - 0.5
    # Clouds far away are seen flatter: rows near the horizon read further apart.
    body = bend(body, swirl * (0.24 * height), ((0.35 * t + 0.65 * t * t) - t) * height + swirl * (0.1 * height))
    amount = dice.number(0.43, 0.5) - light.clouds
    cover = smooth(amount, amount + 0.24, body)
    right, down = slopes(body)
    away = np.maximum(np.sqrt((x - lamp.x) ** 2 + (y - lamp.y) ** 2), 0.08)
    facing = (right * (x - lamp.x) + down * (y - lamp.y)) / away
    brightness = np.clip(0.62 + 0.17 * facing - 0.5 * smooth(amount + 0.1, amount + 0.42, body), 0.0, 1.0)
    under = mix(light.middle, light.shadow, 0.3)
    colour = mix(under, light.cloud, brightness)
    colour = screen(colour, light.lamp, 0.34 * np.exp(-away * 3.2) * (0.4 + brightness))
    thin = 0.88 * smooth(1.02, 0.8, t) * np.ones_like(cover)
    return Layer(colour, cover * thin, 0.1)


def _with_stars(dice: Dice, stage: Stage, picture: Picture, visible: Field, strength: float) -> Picture:
    count = int(190 * stage.painted / stage.height)
    points = np.zeros(picture.shape[:2], np.float32)
    columns = dice.array((count,), 0, stage.painted - 1).astype(np.intp)
    rows = dice.array((count,), 0, stage.height - 1).astype(np.intp)
    points[rows, columns] = dice.array((count,), 0.1, 1.0) ** 3
    spread = cv2.GaussianBlur(points, (0, 0), max(stage.height / 900.0, 0.45))
    glow = spread * (2.6 * max(stage.height / 512.0, 0.6)) * strength
    return np.asarray(np.clip(picture + (glow * visible)[..., None], 0.0, 1.0), np.float32)
