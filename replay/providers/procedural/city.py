"""City: rows of towers in the haze, with windows that are lit at night and mirror the sky by day."""

import numpy as np

from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import Colour, Light
from replay.providers.procedural.sky import Lamp
from replay.providers.procedural.stage import Layer, Picture, Stage, mix, screen
from replay.providers.procedural.texture import Field, fractal, smooth

_ROWS = 5
_WARM: Colour = np.array([1.0, 0.80, 0.48], np.float32)


def towers(dice: Dice, stage: Stage, light: Light, horizon: float, lamp: Lamp) -> list[Layer]:
    """Rows of towers, far to near."""
    x, y = stage.grid()
    dark = float(light.zenith.mean()) < 0.42
    layers = []
    for number in range(_ROWS):
        near = (number + 0.5) / _ROWS
        own = dice.child(f"row {number}")
        facade, cover, windows = _row(own, stage, horizon, near, lamp)
        plaster = fractal(own.child("plaster"), stage.height, stage.painted, cells=26, octaves=4, gain=0.6)
        colour = mix(light.shadow, light.lit, np.clip(0.62 * facade + 0.34 * (plaster - 0.5), 0.0, 1.0))
        glass = _WARM if dark else mix(light.middle, light.cloud, 0.35)
        colour = mix(colour, glass, windows * (0.92 if dark else 0.5))
        fog = np.clip(0.84 * (1.0 - near) ** 1.25 + 0.3 * smooth(0.45, 1.0, y) * (1.0 - near), 0.0, 0.92)
        drift = fractal(own.child("fog"), stage.height, stage.painted, cells=2.5, octaves=4, stretch=2.2)
        colour = mix(colour, light.haze, np.clip(fog + 0.35 * (drift - 0.5) * (1.1 - near), 0.0, 0.95))
        if dark:
            colour = screen(colour, _WARM, 0.16 * smooth(0.55, 1.05, y) * near * (0.5 + drift))
        warm = np.exp(-2.6 * np.sqrt((x - lamp.x) ** 2 + (y - lamp.y) ** 2)) * (0.42 * (1.0 - near))
        layers.append(Layer(screen(colour, light.lamp, warm), cover, 0.12 + 0.88 * near**1.4))
    return layers


def _row(dice: Dice, stage: Stage, horizon: float, near: float, lamp: Lamp) -> tuple[Field, Field, Field]:
    """Brightness of the walls, cover, and windows of one row; each of shape (height, painted)."""
    shape = (stage.height, stage.painted)
    facade, cover, windows = (np.zeros(shape, np.float32) for _ in range(3))
    at = -int(0.1 * stage.height)
    while at < stage.painted:
        wide = max(int(stage.height * (0.05 + 0.085 * near) * dice.number(0.6, 1.5)), 4)
        rise = dice.number(0.05, 0.4) ** 1.25 * (1.35 if dice.number() < 0.16 else 1.0)
        top = horizon + 0.42 * near**1.35 - rise * (0.55 + 0.5 * near) + 0.02
        _tower(dice, (facade, cover, windows), stage, at, wide, int(top * stage.height), near, lamp)
        at += wide + (int(dice.number(0.0, 0.05) * stage.height) if dice.number() < 0.3 else 0)
    return facade, cover, windows


def _tower(
    dice: Dice,
    fields: tuple[Picture, Picture, Picture],
    stage: Stage,
    left: int,
    wide: int,
    top: int,
    near: float,
    lamp: Lamp,
) -> None:
    """One tower with a lit side, set-backs or a mast, and rows of windows."""
    facade, cover, windows = fields
    steps = dice.whole(0, 2)
    lit_left = lamp.x * stage.height < left + wide / 2
    for step in range(steps + 1):
        inset, up = step * max(wide // 7, 1), step * max(int(0.035 * stage.height), 1)
        a, b = max(left + inset, 0), min(left + wide - inset, stage.painted)
        high = max(top - up, 0)
        if a >= b or high >= stage.height:
            continue
        across = (np.arange(a, b, dtype=np.float32) - left) / wide
        shade = np.where(across < 0.62, 0.62, 0.3) if lit_left else np.where(across > 0.38, 0.62, 0.3)
        facade[high:, a:b] = shade * dice.number(0.75, 1.15)
        cover[high:, a:b] = 1.0
        windows[high:, a:b] = 0.0
    if dice.number() < 0.3:
        mast, middle = max(top - int(0.11 * stage.height), 0), min(max(left + wide // 2, 0), stage.painted - 1)
        cover[mast : max(top, 0), middle : middle + max(stage.height // 400, 1)] = 0.85
    _glaze(dice, windows, stage, left, wide, top, near)


def _glaze(dice: Dice, windows: Picture, stage: Stage, left: int, wide: int, top: int, near: float) -> None:
    pitch = max(int(stage.height * (0.009 + 0.009 * near)), 3)
    floor = max(int(pitch * dice.number(1.15, 1.7)), 3)
    columns, rows = (wide - 2) // pitch, (stage.height - max(top, 0)) // floor
    if columns < 1 or rows < 1:
        return
    share = dice.number(0.18, 0.6)
    lit = np.where(dice.array((rows, columns)) < share, dice.array((rows, columns), 0.3, 1.0), 0.05)
    pane = np.zeros((floor, pitch), np.float32)
    pane[floor // 4 : max(floor - floor // 4, floor // 4 + 1), pitch // 4 : max(pitch - pitch // 4, pitch // 4 + 1)] = (
        1.0
    )
    grid = np.kron(lit.astype(np.float32), pane)
    a, high = left + 1 + (wide - 2 - columns * pitch) // 2, max(top, 0) + floor // 2
    skip, end = max(-a, 0), min(a + grid.shape[1], stage.painted)
    if skip >= grid.shape[1] or end <= max(a, 0) or high >= stage.height:
        return
    part = grid[: stage.height - high, skip : skip + end - max(a, 0)]
    windows[high : high + part.shape[0], max(a, 0) : max(a, 0) + part.shape[1]] = part
