"""Land: ranges of mountains, dunes and woods, one behind the other in the haze."""

import numpy as np

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import Light
from replay.providers.procedural.sky import Lamp
from replay.providers.procedural.stage import Layer, Stage, mix, screen
from replay.providers.procedural.texture import Field, bend, fractal, profile, slopes, smooth

_RANGES = 4


def mountains(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """Ranges from far to near: ridged crests, faces lit from the lamp's side, snow on the far and high ones."""
    layers = []
    for number in range(_RANGES):
        near = (number + 0.6) / _RANGES
        own = dice.child(f"range {number}")
        peaks = (1.6 + 1.3 * number) * stage.painted / stage.height
        crest = profile(own.child("crest"), stage.painted, cells=peaks, octaves=8, gain=0.5, ridged=True)
        top = horizon + 0.02 + 0.42 * (near - 0.35) - (0.42 - 0.16 * near) * (crest - 0.42) + own.number(-0.03, 0.03)
        layers.append(_range(own, stage, light, lamp, top, near, snow=number < _RANGES - 1))
    return layers


def _range(dice: Dice, stage: Stage, light: Light, lamp: Lamp, top: Field, near: float, *, snow: bool) -> Layer:
    height, width = stage.height, stage.painted
    x, y = stage.grid()
    below = y - top[None, :]
    rock = fractal(dice.child("rock"), height, width, cells=3.0 + 3.0 * near, octaves=6, gain=0.56, ridged=True)
    # Gullies follow the crest: the texture hangs from it instead of lying straight.
    rock = bend(
        rock, np.float32(0.3 * height) * below, np.float32(-0.75 * height) * (top - top.mean())[None, :] + 0 * y
    )
    right, down = slopes(rock)
    side = np.float32(1.0 if lamp.x > stage.aspect / 2 else -1.0)
    facing = np.clip(0.46 - 0.085 * (-side * right * 1.0 + 0.55 * down), 0.0, 1.0)
    facing = np.clip(facing * (1.15 - 0.6 * near) + 0.12 * (rock - 0.5), 0.0, 1.0)
    colour = mix(light.shadow, light.lit, 0.9 * facing)
    if snow:
        white = np.clip(0.35 * light.cloud + 0.55 * light.haze + 0.18, 0.0, 1.0)
        high = smooth(0.17, 0.02, below + 0.22 * (rock - 0.55))
        colour = mix(colour, mix(0.62 * white + 0.3 * light.shadow, white, facing), high * (1.0 - 0.75 * near))
    mist = np.clip((0.86 - 0.84 * near) + 0.5 * smooth(0.03, 0.34, below) * (1.05 - near), 0.0, 0.96)
    colour = mix(colour, light.haze, mist)
    warm = np.exp(-3.0 * np.abs(x - lamp.x)) * (0.20 * (1.0 - near)) * np.ones_like(y)
    return Layer(screen(colour, light.lamp, warm), _edge(below, height), 0.15 + 0.85 * near**1.5)


def dunes(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """Dunes: long smooth crests with one lit and one dark side, and ripples in the sand."""
    x, y = stage.grid()
    layers = []
    for number in range(5):
        near = (number + 0.5) / 5
        own = dice.child(f"dune {number}")
        waves = (0.9 + 0.5 * number) * stage.painted / stage.height
        crest = profile(own.child("crest"), stage.painted, cells=waves, octaves=3, gain=0.32, ridged=True)
        top = horizon + 0.52 * near**1.6 - (0.10 + 0.16 * near) * (crest - 0.35)
        below = y - top[None, :]
        tongue = fractal(
            own.child("tongue"), stage.height, stage.painted, cells=1.6 + near, octaves=4, gain=0.4, stretch=2.2
        )
        shade = smooth(-0.06, 0.07, 0.55 * (tongue - 0.5) + 0.16 * (crest - 0.45)[None, :] - 0.12 * below)
        warp = fractal(own.child("wind"), stage.height, stage.painted, cells=5, octaves=3) * 9.0
        ripple = np.sin((below * (150.0 - 90.0 * near) + x * 16.0 + warp) * np.float32(1.0))
        sand = fractal(own.child("sand"), stage.height, stage.painted, cells=90, octaves=2)
        lit = np.clip(0.16 + 0.72 * shade + 0.09 * ripple * near + 0.22 * (sand - 0.5), 0.0, 1.0)
        colour = mix(light.shadow, light.lit, lit)
        colour = mix(colour, light.haze, np.float32(0.72 * (1.0 - near)) * np.ones_like(lit))
        rim = smooth(0.02, 0.0, below) * np.exp(-1.6 * np.abs(x - lamp.x)) * 0.4
        layers.append(Layer(screen(colour, light.lamp, rim), _edge(below, stage.height), 0.12 + 0.88 * near**1.5))
    return layers


def woods(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """Rows of conifers with mist between them."""
    x, y = stage.grid()
    layers = []
    rows = 6
    for number in range(rows):
        near = (number + 0.5) / rows
        own = dice.child(f"row {number}")
        ground = horizon + 0.02 + 0.62 * near**1.25
        ground = ground - 0.16 * (
            profile(own.child("ground"), stage.painted, cells=1.4 * stage.painted / stage.height, octaves=4) - 0.5
        )
        cover = np.maximum(
            _conifers(own.child("trees"), stage, ground, 0.07 + 0.3 * near**1.2),
            _edge(y - ground[None, :], stage.height),
        )
        leaves = fractal(
            own.child("leaves"), stage.height, stage.painted, cells=16 + 10 * (1 - near), octaves=5, gain=0.72
        )
        right, down = slopes(leaves)
        side = np.float32(1.0 if lamp.x > stage.aspect / 2 else -1.0)
        lit = np.clip(0.34 + 0.03 * (side * right - down) * (0.3 + near) + 0.9 * (leaves - 0.5), 0.0, 1.0) * (
            1.05 - 0.45 * near
        )
        colour = mix(light.shadow, light.lit, 0.75 * lit)
        fog = np.clip(
            0.86 * (1.0 - near) ** 1.3 + 0.55 * smooth(-0.16, 0.12, y - ground[None, :]) * (1.0 - near), 0.0, 0.95
        )
        drift = fractal(own.child("fog"), stage.height, stage.painted, cells=3, octaves=4, stretch=2.5)
        colour = mix(colour, light.haze, np.clip(fog + 0.5 * (drift - 0.5) * (1.1 - near), 0.0, 0.97))
        beam = np.exp(-2.4 * np.sqrt((x - lamp.x) ** 2 + (y - lamp.y) ** 2)) * (0.5 * (1.0 - near))
        layers.append(Layer(screen(colour, light.lamp, beam), cover, 0.12 + 0.88 * near**1.4))
    return layers


def _conifers(dice: Dice, stage: Stage, ground: Field, size: float) -> Field:
    """Cover of a row of trees: stacked skirts of branches, narrowing to the tip, each tree a little different."""
    height, width = stage.height, stage.painted
    cover = np.zeros((height, width), np.float32)
    count = max(int(2.6 * width / height / size), 3)
    places = (np.arange(count) + dice.array((count,), -0.45, 0.45)) * (width / count)
    tall = dice.array((count,), 0.5, 1.15) * size
    ragged = dice.array((count, 3))
    for place, tree, (lean, skirts, wide) in zip(places, tall, ragged, strict=True):
        foot = float(ground[min(max(int(place), 0), width - 1)])
        top_row, foot_row = int((foot - tree) * height), int((foot + 0.02) * height)
        half = int(tree * height * 0.26) + 2
        left, right = max(int(place) - half, 0), min(int(place) + half, width)
        upper, lower = max(top_row, 0), min(foot_row, height)
        if left >= right or upper >= lower:
            continue
        down = ((np.arange(upper, lower, dtype=np.float32)[:, None] + 0.5) / height - (foot - tree)) / tree
        across = (
            np.abs(np.arange(left, right, dtype=np.float32)[None, :] + 0.5 - place - (lean - 0.5) * 3 * down) / height
        )
        teeth = 7.0 + 6.0 * skirts
        wave = down * teeth - np.floor(down * teeth)
        reach = tree * (0.13 + 0.08 * wide) * (down * (0.62 + 0.55 * wave)) + 0.0012
        reach = reach * (1.0 + 0.25 * np.sin(across * height * 1.7 + 40.0 * skirts + down * 60.0))
        patch = np.clip((reach - across) * height + 0.5, 0.0, 1.0)
        cover[upper:lower, left:right] = np.maximum(cover[upper:lower, left:right], patch)
    return cover


def _edge(below: Field, height: int) -> Field:
    """Cover of everything below a line, soft over one pixel."""
    return np.asarray(np.clip(below * height + 0.5, 0.0, 1.0))
