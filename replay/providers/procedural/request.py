"""Requests to the renderer: what all of its operations share, read from the body."""

import re
import secrets
from dataclasses import dataclass
from typing import Final

from replay.outcome import OutcomeClass, Safety
from replay.providers.body import Body, draw_seed
from replay.providers.local import Refusal
from replay.providers.procedural.dice import Dice

NEWEST: Final = 2
NOISES: Final = ("none", "seeded", "free")
FORBIDDEN: Final = "forbidden-motif"
"""A prompt that holds this word is refused, so that a refusal can be shown and tested."""


@dataclass(frozen=True, slots=True)
class Request:
    """Model family and build, prompt, noise, and the seed as it will be named in the outcome.

    ``seed`` is the one asked for, or one drawn at random; None with noise ``free``, which follows none.
    """

    family: str
    build: int
    prompt: str
    seed: str | None
    noise: str

    @property
    def served_model(self) -> str:
        """The exact version that answers."""
        return f"{self.family}@{self.build}"

    def dice(self) -> Dice:
        """Chance of the composition: from family, prompt and seed; both builds of a family compose alike."""
        return Dice("procedural", self.family, self.prompt, self.seed if self.seed is not None else draw_seed())

    def jitter(self) -> Dice | None:
        """With noise ``seeded``: chance that differs in every run, for the numeric noise. Else None."""
        return Dice("jitter", secrets.token_hex(16)) if self.noise == "seeded" else None


def read_request(body: Body, family: str) -> Request:
    """Take the shared members out of ``body``.

    Raises:
        Refusal: ``rejected`` for a wrong member or an unknown model, ``blocked`` for the forbidden word.
    """
    model = body.text("model", longest=64)
    match = re.fullmatch(rf"{re.escape(family)}(?:@([0-9]{{1,3}}))?", model)
    build = int(match[1] or NEWEST) if match else 0
    if not 1 <= build <= NEWEST:
        raise Refusal(f"model: expected {family}@1 or {family}@{NEWEST}, or {family} for the newest, not {model!r}")
    prompt = body.text("prompt")
    noise = str(body.choice("noise", "none", NOISES))
    seed = body.seed()
    if FORBIDDEN in prompt.lower():
        raise Refusal(f"prompt: the word {FORBIDDEN!r} is not allowed", OutcomeClass.BLOCKED, Safety.REFUSED)
    return Request(family, build, prompt, None if noise == "free" else seed or draw_seed(), noise)
