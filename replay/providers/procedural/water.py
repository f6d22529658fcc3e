"""Water: a sea that mirrors the sky, with waves that run and a path of light under the lamp."""

import cv2
import numpy as np

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import Light
from replay.providers.procedural.sky import Lamp, air
from replay.providers.procedural.stage import Layer, Picture, Stage, mix, screen
from replay.providers.procedural.texture import Field, fractal, profile, smooth


def sea(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """Headlands on the horizon, and the water before them."""
    water = _Water(dice.child("water"), stage, light, horizon, lamp)
    empty: Picture = np.zeros((1, 1, 3), np.float32)
    return [*_headlands(dice.child("land"), stage, light, horizon), Layer(empty, None, 0.0, water.at)]


def _headlands(dice: Dice, stage: Stage, light: Light, horizon: float) -> list[Layer]:
    layers = []
    _, y = stage.grid()
    for number in range(2):
        own = dice.child(f"headland {number}")
        ridge = profile(own, stage.painted, cells=2.2 * stage.painted / stage.height, octaves=7, gain=0.5, ridged=True)
        reach = profile(own.child("reach"), stage.painted, cells=1.1 * stage.painted / stage.height, octaves=1)
        top = horizon + 0.015 - (0.1 + 0.06 * number) * ridge * smooth(0.5, 0.85, reach)
        texture = fractal(own.child("rock"), stage.height, stage.painted, cells=14, octaves=4, ridged=True)
        colour = mix(mix(light.shadow, light.lit, 0.5 * texture), light.haze, 0.72 - 0.25 * number)
        cover = np.clip((y - top[None, :]) * stage.height + 0.5, 0.0, 1.0)
        layers.append(Layer(colour, cover, 0.08 + 0.06 * number))
    return layers


class _Water:
    """The sea at a moment. One texture is laid out flat, seen in perspective, and moved in two directions."""

    def __init__(self, dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> None:
        self._light, self._lamp, self._stage = light, lamp, stage
        x, y = stage.grid()
        self._x = x
        self._below = np.clip((y - horizon) / (1.0 - horizon), 0.0, 1.0)
        self._cover = np.clip((y - horizon) * stage.height + 0.5, 0.0, 1.0) * np.ones_like(x)
        self._ripples = fractal(dice.child("ripples"), 512, 512, cells=14, octaves=5, gain=0.6)
        self._swell = dice.number(0.75, 1.3)
        self._phase = dice.number(0.0, 60.0)

    def at(self, time: float) -> tuple[Picture, Field]:
        """Colour and cover after ``time`` seconds."""
        distance = 1.0 / (self._below + 0.055)
        across = (self._x - self._stage.aspect / 2) * distance
        clock = time + self._phase
        first = self._look(across * 60.0 + clock * 7.0, distance * 170.0 + clock * 22.0)
        second = self._look(across * 130.0 - clock * 13.0 + 200.0, distance * 330.0 + clock * 15.0 + 90.0)
        third = self._look(across * 310.0 + clock * 25.0 + 50.0, distance * 640.0 - clock * 20.0 + 10.0)
        fine = (third - 0.5) * self._below
        steep = (first - 0.5) + 0.6 * (second - 0.5) + 0.5 * fine
        # Near the horizon a pixel holds many waves: their mean is calm.
        steep = steep * smooth(0.0, 0.22, self._below) * np.float32(self._swell)
        mirrored = air(self._light, np.clip(0.96 - 0.75 * self._below + 1.3 * steep, 0.0, 1.0))
        fresnel = np.clip(0.93 - 0.62 * self._below - 0.9 * steep, 0.12, 0.95)
        deep = mix(self._light.shadow, self._light.zenith, 0.35)
        colour = mix(deep, mirrored, fresnel)
        width = 0.05 + 0.30 * self._below
        column = np.exp(-(((self._x - self._lamp.x) / width) ** 2))
        sparkle = smooth(0.04, 0.22, second - 0.5 + 0.5 * (first - 0.5) + 0.8 * fine) * (0.55 + 0.45 * self._below)
        far = smooth(0.16, 0.0, self._below) * 0.42
        colour = screen(colour, self._light.lamp, column * np.clip(sparkle + far, 0.0, 1.0))
        crest = smooth(0.26, 0.5, steep) * smooth(0.15, 0.9, self._below)
        return screen(colour, self._light.cloud, 0.34 * crest), self._cover

    def _look(self, u: Field, v: Field) -> Field:
        u, v = np.broadcast_arrays(u.astype(np.float32), v.astype(np.float32))
        seen = cv2.remap(
            self._ripples,
            np.ascontiguousarray(u),
            np.ascontiguousarray(v),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(seen, np.float32)
