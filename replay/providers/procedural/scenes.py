"""Scenes: from prompt and chance to the layers of a picture."""

from collections.abc import Callable, Mapping
from typing import Final

from replay.providers.procedural.city import towers
from replay.providers.procedural.dice import Dice
from replay.providers.procedural.land import dunes, mountains, woods
from replay.providers.procedural.palette import LIGHTS, Light, choose, tint
from replay.providers.procedural.relief import coin, silk
from replay.providers.procedural.sky import Lamp, hang_lamp, sky
from replay.providers.procedural.stage import Layer, Stage
from replay.providers.procedural.texture import Field
from replay.providers.procedural.water import sea

_Ground = Callable[[Dice, Stage, Light, float, Lamp], list[Layer]]

_UNDER_SKY: Final[Mapping[str, tuple[_Ground, float]]] = {
    "mountain": (mountains, 0.48),
    "sea": (sea, 0.52),
    "forest": (woods, 0.48),
    "city": (towers, 0.56),
    "dunes": (dunes, 0.48),
}
"""What lies under the sky, and where the horizon is, in heights from the top."""


def build_scene(prompt: str, dice: Dice, stage: Stage) -> list[Layer]:
    """The layers of ``prompt``'s scene, far to near: the prompt decides what and in which light, ``dice`` how."""
    name, hour = choose(prompt)
    light = tint(prompt, LIGHTS[hour])
    if name == "coin":
        return coin(prompt, dice.child("coin"), stage, light)
    if name == "abstract":
        return silk(dice.child("silk"), stage, light)
    ground, line = _UNDER_SKY[name]
    horizon = line + dice.number(-0.04, 0.04)
    lamp = hang_lamp(dice.child("lamp"), stage, light, horizon)
    return [
        *sky(dice.child("sky"), stage, light, horizon, lamp),
        *ground(dice.child("ground"), stage, light, horizon, lamp),
    ]


def grain(dice: Dice, height: int, width: int) -> Field:
    """Film grain, in units of 1/255."""
    return 2.2 * dice.gaussian((height, width))
