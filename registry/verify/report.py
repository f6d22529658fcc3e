"""What a verification answers: one state and one sentence per layer, and an exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.canonical import JSON

MOST_PROBLEMS = 20  # told per layer; a damaged bundle can have one per record


class State(StrEnum):
    """How a layer stands."""

    OK = "ok"
    FAILED = "failed"
    UNDECIDED = "undecided"


LAYERS: Mapping[str, str] = {
    "container": "every byte that is not content is where the format puts it, and every member matches its digest",
    "bundle": "the list of members is signed by a key of this log",
    "schema": "every document fits its published schema",
    "canonical form": "every document is written in the one canonical form",
    "id": "every record's id is the SHA-256 of its bytes",
    "signature": "every record's signature holds",
    "key validity": "every signing key was valid for its role at that place in the log",
    "inclusion": "every record is in the log under this checkpoint",
    "checkpoint": "the checkpoint is signed by a key you trust",
    "completeness": "what is shown is what was selected",
    "disclosures": "every sealed value is shown and fits its seal, or is accounted for",
    "assets": "every asset shown is the one its record names",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's answer."""

    name: str
    state: State
    sentence: str
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JSON]:
        """For programs."""
        return {
            "name": self.name,
            "problems": list(self.problems),
            "sentence": self.sentence,
            "state": str(self.state),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer."""

    layers: tuple[Layer, ...]
    records: int  # shown, without key records
    verdict: str  # verified | failed | undecided | empty
    exit_code: int  # 0 | 1 | 4 | 5

    def layer(self, name: str) -> Layer:
        """One layer by its name."""
        return next(layer for layer in self.layers if layer.name == name)

    def to_json(self) -> dict[str, JSON]:
        """For programs: the JSON that ``mintmark verify --json`` prints."""
        return {
            "exit_code": self.exit_code,
            "format": "mintmark/verification/v1",
            "layers": [layer.to_json() for layer in self.layers],
            "records": self.records,
            "verdict": self.verdict,
        }


class Findings:
    """Collects, layer by layer, what a verification sees."""

    def __init__(self) -> None:
        self._problems: dict[str, list[tuple[State, str]]] = {name: [] for name in LAYERS}
        self._sentences: dict[str, str] = {}

    def fail(self, layer: str, what: str) -> None:
        """Something is false."""
        self._problems[layer].append((State.FAILED, what))

    def doubt(self, layer: str, what: str) -> None:
        """Something cannot be decided with what is at hand."""
        self._problems[layer].append((State.UNDECIDED, what))

    def say(self, layer: str, sentence: str) -> None:
        """What to tell of a layer in which nothing was found."""
        self._sentences[layer] = sentence

    def state(self, layer: str) -> State:
        """How a layer stands so far."""
        states = {state for state, _ in self._problems[layer]}
        if State.FAILED in states:
            return State.FAILED
        return State.UNDECIDED if states else State.OK

    def stop(self, layer: str, reached: str) -> None:
        """Mark everything after ``layer`` as not looked at because ``reached`` failed."""
        names = list(LAYERS)
        for name in names[names.index(layer) + 1 :]:
            if not self._problems[name]:
                self.doubt(name, f"not looked at: {reached} failed")

    def report(self, records: int | None) -> Report:
        """Put the answer together; None where the records were never reached."""
        layers = tuple(self._layer(name) for name in LAYERS)
        states = {layer.state for layer in layers}
        if State.FAILED in states:
            return Report(layers, records or 0, "failed", 1)
        if records == 0:
            return Report(layers, records, "empty", 5)
        if State.UNDECIDED in states:
            return Report(layers, records or 0, "undecided", 4)
        return Report(layers, records or 0, "verified", 0)

    def _layer(self, name: str) -> Layer:
        state = self.state(name)
        problems = [what for its, what in self._problems[name] if its == state]
        if state == State.OK:
            return Layer(name, state, self._sentences.get(name, LAYERS[name]))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Layer(name, state, problems[0] + more, tuple(problems[:MOST_PROBLEMS]))
