"""Scenes: from prompt and seed to the layers of a picture."""

from replay.providers.procedural import land
from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import LIGHTS, choose, tint
from replay.providers.procedural.sky import hang_lamp, sky
from replay.providers.procedural.stage import Layer, Stage
from replay.providers.procedural.texture import Field


def build_scene(prompt: str, dice: Dice, stage: Stage) -> list[Layer]:
    """The layers of ``prompt``'s scene, composed by ``dice``."""
    name, hour = choose(prompt)
    light = tint(prompt, LIGHTS[hour])
    horizon = dice.number(0.46, 0.56)
    lamp = hang_lamp(dice.child("lamp"), stage, light, horizon)
    layers = sky(dice.child("sky"), stage, light, horizon, lamp)
    if name == "mountain":
        layers += land.mountains(dice.child("land"), stage, light, horizon, lamp)
    if name == "dunes":
        layers += land.dunes(dice.child("land"), stage, light, horizon, lamp)
    if name == "forest":
        layers += land.woods(dice.child("land"), stage, light, horizon, lamp)
    return layers


def grain(dice: Dice, height: int, width: int) -> Field:
    """Film grain, in units of 1/255."""
    return 2.2 * dice.gaussian((height, width))
