"""What a test of samples found: p, each component's p, what was attainable, and the answer."""

from dataclasses import dataclass
from typing import Literal

Answer = Literal["drifted", "within-noise", "undecided"]

_MEANS = {
    "glob.ridge": "tone, colour, sharpness or coding",
    "glob.max": "one global property",
    "glob.dispersion": "variety",
    "glob.coherent": "tone, colour, sharpness or coding",
    "hist.energy": "colours",
    "hist.coherent": "colours",
    "lay.max": "layout",
    "lay.coherent": "layout",
    "scat.top": "texture",
    "cur.energy": "the picture as a whole",
    "dispersion": "variety",
    "outlying": "single outliers",
    "rates.ridge": "style of writing",
    "rates.max": "one habit of writing (a mark, capitals, hesitations, length)",
    "rates.coherent": "style of writing",
    "rates.largest": "one habit of writing (a mark, capitals, hesitations, length)",
    "spelling.energy": "wording with its marks and capitals",
    "spelling.energies": "wording with its marks and capitals",
    "words.energy": "wording",
    "words.energies": "wording",
    "kept.max": "one word or place",
    "kept.top": "a few words or places",
    "kept.tops": "a few words or places of each transcript",
    "words.dispersion": "variety of wording",
    "words.spread": "variety of wording",
    "words.outlying": "single outliers among transcripts",
    "clip.ridge": "tone, colour, sharpness or coding of the clip",
    "clip.max": "one global property of the clip",
    "clip.colours": "colours of the clip",
    "clip.energy": "the clip's pictures as a whole",
    "clip.coherent": "tone, colour, sharpness or coding of the clip",
    "clip.colours.coherent": "colours of the clip",
    "clip.colours.energy": "colours of the clip",
    "flux.max": "how the picture changes over time",
    "flux.coherent": "how the picture changes over time",
    "time.max": "motion, flicker or repeated frames",
    "time.coherent": "motion, flicker or repeated frames",
    "clip.dispersion": "variety of clips",
    "clip.spread": "variety of clips",
    "clip.outlying": "single outliers among clips",
    "sound.ridge": "voice, level, equalisation, time or coding",
    "facts.max": "one named fact of the sound",
    "facts.coherent": "level, length, time, pitch or another named fact of the sound",
    "facts.largest": "one named fact of the sound",
    "spectrum.max": "one band of the spectrum",
    "spectrum.coherent": "equalisation, level or coding",
    "ripple.max": "how one band comes and goes",
    "ripple.coherent": "how the bands come and go (coding, noise, articulation)",
    "sound.energy": "the sound as a whole",
    "sound.energies": "the sound as a whole",
    "sound.dispersion": "variety of sounds",
    "sound.spread": "variety of sounds",
    "sound.outlying": "single outliers among sounds",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One statistic of a combination and its own permutation p value."""

    name: str
    p: float

    @property
    def means(self) -> str:
        """What has moved where this p is small, for a reader."""
        return _MEANS[self.name]


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of one test; everything needed to compute it again is in it, except the samples.

    Attributes:
        rule: the statistics' set with its version: ``manifest/1`` and ``suite/1`` for images, ``manifest.transcript/1``
            and so on for other media; several media's joined by ``+``.
        answer: "drifted" where p is at most alpha, "within-noise" where it is above, "undecided" where ``attainable``
            is above alpha: no pass and no failure, whatever p is.
        reason: "resolution" when undecided, else None.
        p: of the combination, in (0, 1].
        components: every statistic's own p; none of them alone is held against alpha.
        attainable: the smallest p these numbers of samples can be relied on to reach.
        alpha: the error rate asked for.
        seed: of the relabelings.
        relabelings: looked at besides the observed labeling.
        complete: whether these were all there are, so that p is exact and the seed without influence.
        baseline: outputs per prompt, m; of several prompts the smallest.
        replays: per prompt, n; of several prompts the smallest.
        prompts: how many.
        needed: replays per prompt that would make alpha attainable: None when it is already, or when no number is
            enough.
        facts: what moved of the facts that have a name and a unit, for the sentence; empty unless drifted.
    """

    rule: str
    answer: Answer
    reason: str | None
    p: float
    components: tuple[Component, ...]
    attainable: float
    alpha: float
    seed: int
    relabelings: int
    complete: bool
    baseline: int
    replays: int
    prompts: int = 1
    needed: int | None = None
    facts: tuple[str, ...] = ()

    def p_of(self, component: str) -> float:
        """The p value of one component by name. Raises: KeyError."""
        return {one.name: one.p for one in self.components}[component]

    @property
    def moved(self) -> tuple[Component, ...]:
        """The components at or below alpha, strongest first; empty unless drifted."""
        if self.answer != "drifted":
            return ()
        return tuple(sorted((one for one in self.components if one.p <= self.alpha), key=lambda one: one.p))

    @property
    def sentence(self) -> str:
        """The answer with its reason, for people."""
        over = f"{self.prompts} prompts with at least " if self.prompts > 1 else ""
        basis = f"{over}{self.replays} replays against {self.baseline} baseline outputs"
        if self.answer == "undecided":
            what = f"{self.needed} replays" if self.needed else "a larger baseline or more relabelings"
            return (
                f"Undecided: {basis} cannot give a p below {self.attainable:.2g}, and {self.alpha:g} is asked for;"
                f" it takes {what}."
            )
        if self.answer == "within-noise":
            return f"No change found in {basis}: p = {self.p:.2g}, above {self.alpha:g}."
        moved = (*self.facts, *dict.fromkeys(one.means for one in self.moved))
        found = ", ".join(moved) or "several properties a little"
        return f"Changed: {basis} differ with p = {self.p:.2g}, at most {self.alpha:g}; what moved: {found}."

    def to_json(self) -> dict[str, object]:
        """Every member in JSON's own types; components as an object of p values."""
        return {
            "rule": self.rule,
            "answer": self.answer,
            "reason": self.reason,
            "p": self.p,
            "components": {one.name: one.p for one in self.components},
            "attainable": self.attainable,
            "alpha": self.alpha,
            "seed": self.seed,
            "relabelings": self.relabelings,
            "complete": self.complete,
            "baseline": self.baseline,
            "replays": self.replays,
            "prompts": self.prompts,
            "needed": self.needed,
        }


def answer_for(p: float, attainable: float, alpha: float) -> tuple[Answer, str | None]:
    """The answer and its reason; a test that could not have rejected neither passes nor fails."""
    if attainable > alpha:
        return "undecided", "resolution"
    return ("drifted", None) if p <= alpha else ("within-noise", None)
