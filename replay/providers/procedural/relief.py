"""Relief: a struck coin on cloth, and flowing silk; pictures that live from light on a surface."""

from typing import Final

import numpy as np

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import Colour, Light, words
from replay.providers.procedural.stage import Layer, Picture, Stage, mix, screen
from replay.providers.procedural.texture import Field, bend, fractal, slopes, smooth

_METALS: Final = {
    "gold": ("3a2206", "c98f2c", "fff0b8"),
    "silver": ("1d2229", "9aa4ad", "ffffff"),
    "bronze": ("2a130a", "a8623a", "ffd9b0"),
    "copper": ("2b0f08", "b4583a", "ffd2b4"),
}


def _colours(metal: str) -> list[Colour]:
    return [np.array([int(text[i : i + 2], 16) / 255.0 for i in (0, 2, 4)], np.float32) for text in _METALS[metal]]


def coin(prompt: str, dice: Dice, stage: Stage, light: Light) -> list[Layer]:
    """A coin on dark cloth; the lamp moves slowly around it."""
    metal = next((word for word in words(prompt) if word in _METALS), None)
    metal = metal or Dice("procedural/metal", prompt).pick(sorted(_METALS))
    struck = _Coin(dice, stage, _colours(metal))
    return [_cloth(dice.child("cloth"), stage, light), Layer(np.zeros((1, 1, 3), np.float32), None, 0.25, struck.at)]


def _cloth(dice: Dice, stage: Stage, light: Light) -> Layer:
    x, y = stage.grid()
    height, width = stage.height, stage.painted
    folds = fractal(dice.child("folds"), height, width, cells=1.6, octaves=4, gain=0.45)
    folds = bend(folds, (folds - 0.5) * np.float32(0.5 * height), (folds - 0.5) * np.float32(0.4 * height))
    right, down = slopes(folds)
    weave = np.sin(x * np.float32(2 * np.pi * 64) + 6 * folds) * np.sin(y * np.float32(2 * np.pi * 64) + 5 * folds)
    fibre = fractal(dice.child("fibre"), height, width, cells=60, octaves=3, gain=0.7)
    lit = np.clip(0.36 - 0.11 * (right + down) + 0.04 * weave + 0.26 * (fibre - 0.5), 0.0, 1.0)
    spot = np.exp(-1.4 * ((x - 0.5 * stage.aspect) ** 2 + (y - 0.42) ** 2))
    cloth = mix(0.45 * light.shadow, mix(light.zenith, light.middle, 0.35), lit)
    return Layer(np.asarray(cloth * (0.3 + 0.75 * spot)[..., None], np.float32), None, 0.05)


class _Coin:
    """Heights of the coin's face, and its look under a lamp from a given side."""

    def __init__(self, dice: Dice, stage: Stage, metal: list[Colour]) -> None:
        x, y = stage.grid()
        self._metal, self._stage = metal, stage
        radius = dice.number(0.36, 0.4)
        dx, dy = x - (stage.aspect / 2 + dice.number(-0.05, 0.05)), y - dice.number(0.48, 0.52)
        self._r = np.sqrt(dx * dx + dy * dy) / radius
        turn = dice.number(0.0, 6.28)
        angle = np.arctan2(dy, dx) + np.float32(turn)
        self._start = dice.number(3.6, 4.4)
        self._relief = self._face(dice, self._r, angle)
        wear = fractal(dice.child("wear"), stage.height, stage.painted, cells=40, octaves=4, gain=0.65)
        patina = fractal(dice.child("patina"), stage.height, stage.painted, cells=5, octaves=5)
        self._wear, self._patina = wear, patina
        self._slopes = slopes(np.asarray(self._relief + 0.012 * wear, np.float32))
        shade = np.sqrt((dx - 0.03) ** 2 + (dy - 0.045) ** 2) / radius
        self._shadow = smooth(1.22, 0.9, shade)
        self._disk = np.clip((1.0 - self._r) * radius * stage.height + 0.5, 0.0, 1.0)

    @staticmethod
    def _face(dice: Dice, r: Field, angle: Field) -> Field:
        """Rim, beads, engraved rosette and a star of rays; heights in about 1/10 of the radius."""
        petals, rays = dice.whole(5, 12), dice.whole(5, 9)
        rim = smooth(0.885, 0.915, r) * smooth(1.0, 0.97, r)
        beads_around = dice.whole(56, 84)
        bead = np.sqrt((r - 0.835) ** 2 + (0.835 * np.sin(angle * (beads_around / 2)) * 2 / beads_around) ** 2)
        beads = smooth(0.026, 0.008, bead)
        wave = np.zeros_like(r)
        band = smooth(0.47, 0.52, r) * smooth(0.79, 0.75, r)
        for number in range(4):
            lobes, swing = petals * (number + 2), dice.number(0.05, 0.085)
            line = np.abs(r - 0.63 - swing * np.sin(lobes * angle + dice.number(0.0, 6.28)))
            wave = np.maximum(wave, smooth(0.013, 0.004, line))
        star = r - 0.26 - 0.15 * np.cos(rays * angle) * smooth(0.0, 0.3, r)
        emblem = smooth(0.03, -0.1, star)
        heart = smooth(0.13, 0.1, r) - 0.8 * smooth(0.085, 0.06, r) + 0.9 * smooth(0.045, 0.015, r)
        ring = smooth(0.012, 0.003, np.abs(r - 0.475)) + smooth(0.012, 0.003, np.abs(r - 0.785))
        return np.asarray(
            0.06 * rim + 0.026 * beads + 0.012 * wave * band + 0.05 * emblem + 0.02 * heart + 0.014 * ring
        )

    def at(self, time: float) -> tuple[Picture, Field]:
        """Colour and cover with the lamp after ``time`` seconds."""
        side = self._start + 0.55 * time
        right, down = self._slopes
        facing = -(right * np.float32(np.cos(side)) + down * np.float32(np.sin(side)))
        # A second, weaker lamp from across: edges that run along the first one's rays would vanish.
        facing += np.float32(0.45) * (right * np.float32(np.sin(side)) - down * np.float32(np.cos(side)))
        x, y = self._stage.grid()
        # A broad reflection of the room: metal is bright where it mirrors the lamp, dark where it mirrors the dark.
        sweep = np.sin(
            np.float32(3.4)
            * ((x - self._stage.aspect / 2) * np.float32(np.cos(side)) + (y - 0.5) * np.float32(np.sin(side)))
            + np.float32(2.2) * facing
            + np.float32(1.6) * (self._patina - 0.5)
        )
        tone = np.clip(
            0.43 + 0.2 * sweep + 0.34 * facing + 0.16 * (self._wear - 0.5) + 0.2 * (self._patina - 0.5), 0.0, 1.0
        )
        dark, middle, bright = self._metal
        metal = mix(mix(dark, middle, smooth(0.0, 0.55, tone)), bright, smooth(0.52, 1.0, tone))
        cover = np.maximum(self._disk, 0.72 * self._shadow)
        share = self._disk / np.maximum(cover, 1e-6)
        return mix(np.zeros(3, np.float32), metal, share), cover


def silk(dice: Dice, stage: Stage, light: Light) -> list[Layer]:
    """Noise bent by noise (Quilez, "Domain warping", 2002) in the colours of the hour, lit like folded silk."""
    height, width = stage.height, stage.painted
    first = fractal(dice.child("first"), height, width, cells=dice.number(1.5, 2.2), octaves=4)
    second = fractal(dice.child("second"), height, width, cells=2.0, octaves=4)
    ground = fractal(dice.child("ground"), height, width, cells=dice.number(2.0, 2.8), octaves=7, gain=0.5)
    thread = fractal(dice.child("thread"), height, width, cells=110, octaves=2)
    strength = dice.number(1.1, 1.6) * height

    def at(time: float) -> tuple[Picture, Field | None]:
        u, v = (first - 0.5) * np.float32(strength), (second - 0.5) * np.float32(strength)
        sway = np.float32(0.035 * height * time)
        warped = bend(ground, u + sway * second, v - sway * first)
        folded = bend(warped, v * np.float32(0.6), u * np.float32(0.6) + sway)
        right, down = slopes(folded)
        t = np.clip((folded - 0.28) * 2.1, 0.0, 1.0)
        colour = mix(mix(light.shadow, light.zenith, smooth(0.0, 0.3, t)), light.middle, smooth(0.22, 0.5, t))
        colour = mix(mix(colour, light.lit, smooth(0.42, 0.7, t)), light.horizon, smooth(0.64, 0.95, t))
        gloss = np.clip(-0.055 * (right + 0.8 * down), -0.5, 1.0)
        colour = np.asarray(
            colour * (0.95 + 0.5 * np.minimum(gloss, 0.2) + 0.12 * (thread - 0.5))[..., None], np.float32
        )
        return screen(np.clip(colour, 0.0, 1.0), light.cloud, 0.5 * smooth(0.05, 0.75, gloss)), None

    return [Layer(np.zeros((1, 1, 3), np.float32), None, 0.5, at)]
