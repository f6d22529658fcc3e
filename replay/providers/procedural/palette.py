"""Palettes: which words of a prompt give which scene and which light.

Colours are RGB in [0, 1], as displayed (sRGB). A prompt without a known word takes its scene and light from its hash.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from replay.providers.procedural.dice import Dice

Colour: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of an hour: sky from top to horizon, the lamp in it, air, land in light and in shadow, clouds.

    ``clouds`` is how much more of the sky they cover than on a fair day; ``lamp_height`` is a range, in parts of the
    way from the top to the horizon; ``lamp_size`` a radius in heights of the picture.
    """

    zenith: Colour
    middle: Colour
    horizon: Colour
    lamp: Colour
    haze: Colour
    lit: Colour
    shadow: Colour
    cloud: Colour
    stars: float = 0.0
    clouds: float = 0.0
    lamp_height: tuple[float, float] = (0.3, 0.8)
    lamp_size: float = 0.03


def _rgb(text: str) -> Colour:
    return np.array([int(text[i : i + 2], 16) / 255.0 for i in (0, 2, 4)], np.float32)


def _light(colours: str, **more: float | tuple[float, float]) -> Light:
    return Light(*(_rgb(colour) for colour in colours.split()), **more)  # type: ignore[arg-type]


#                 zenith middle horizon lamp   haze   lit    shadow cloud
LIGHTS: Final = {
    "dawn": _light("3d5a92 a995b8 f6c9a8 fff0d2 d9b3b4 d9a07c 34304f ffe3cf", lamp_height=(0.55, 0.85)),
    "day": _light("2b6cb4 6fa9d8 cfe4ec fffbe8 a9c6d8 a8a26a 27404a ffffff", lamp_height=(0.15, 0.45), lamp_size=0.025),
    "sunset": _light(
        "2c3166 b2547a ffab5e ffe9a8 d9825f d68a4c 2a1f3c ff9c6b", lamp_height=(0.62, 0.9), lamp_size=0.042
    ),
    "night": _light("060a1e 10213f 2b4a6b e9f0ff 27425e 4a6a86 070c1a 3d5876", stars=1.0, lamp_height=(0.15, 0.5)),
    "storm": _light(
        "20272f 47535c 98a19c dfe4da 6d7a7c 6c7660 171d21 b4bab6", lamp_height=(0.3, 0.6), lamp_size=0.02, clouds=0.12
    ),
    "gold": _light("6b4f2a c08a3e f7dd9c fff6d8 e2b768 e8b04f 3b2413 fff0c4", lamp_height=(0.45, 0.75)),
    "mist": _light(
        "6c8791 9ab1b4 d2dad0 f3efe0 cdd8d4 8fa58c 3b5357 f4f6f0", lamp_height=(0.35, 0.65), lamp_size=0.022
    ),
}

_SCENE_WORDS: Final = {
    "mountain": "mountain mountains alps alpine peak peaks summit hill hills ridge valley snow glacier",
    "sea": "sea ocean waves wave beach coast water lake harbour harbor island shore boat sail lighthouse horizon",
    "forest": "forest wood woods trees tree pine pines fir spruce jungle autumn meadow garden park",
    "city": "city skyline town street tower towers building buildings skyscraper downtown harbourfront office",
    "dunes": "desert dune dunes sand sahara mars planet savanna",
    "coin": "coin coins medal medallion mint minted gold silver bronze token seal stamp logo badge product",
    "abstract": "abstract pattern marble texture liquid flow dream music portrait face art paint smoke silk",
}
_LIGHT_WORDS: Final = {
    "sunset": "sunset dusk evening autumn red warm fire sun mars",
    "dawn": "dawn sunrise morning spring pink soft",
    "night": "night moon moonlit moonlight stars star midnight dark neon galaxy",
    "storm": "storm rain rainy thunder grey gray stormy dramatic",
    "gold": "gold golden amber honey desert sand bronze",
    "mist": "mist misty fog foggy haze silver calm quiet",
    "day": "day noon bright summer blue clear daylight sunny green",
}


def words(prompt: str) -> list[str]:
    """The words of a prompt in lower case, in order."""
    return re.findall(r"[^\W_]+", prompt.lower())


def choose(prompt: str) -> tuple[str, str]:
    """Scene and light of a prompt: the first known word of each decides, else the hash of the whole prompt."""
    dice = Dice("procedural/palette", prompt)
    scene, light = dice.pick(sorted(_SCENE_WORDS)), dice.pick(sorted(LIGHTS))
    return _first(prompt, _SCENE_WORDS) or scene, _first(prompt, _LIGHT_WORDS) or light


def tint(prompt: str, light: Light) -> Light:
    """The same hour with a slight cast of its own for each prompt, so that prompts of one scene can be told apart."""
    cast = Dice("procedural/tint", prompt).array((3,), -0.035, 0.035)
    names = ("zenith", "middle", "horizon", "lamp", "haze", "lit", "shadow", "cloud")
    moved = {name: np.clip(getattr(light, name) + cast, 0.0, 1.0) for name in names}
    return replace(light, **moved)


def _first(prompt: str, table: dict[str, str]) -> str | None:
    known = {word: name for name, listed in reversed(table.items()) for word in listed.split()}
    return next((known[word] for word in words(prompt) if word in known), None)
