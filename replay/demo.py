"""The whole story on the embedded provider: real generations, real replays, real numbers.

Each chapter does its work through the same use cases as the commands and
returns what it measured; nothing here knows how it is shown.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from PIL import Image

from drift.compare import Comparison, compare
from drift.significance.resolution import floor_needed
from drift.significance.sequential import BASELINE, LOOKS
from drift.verdict import Verdict
from registry.drafting import Draft, Incoming
from registry.erase import erase, plan_erasure
from registry.export.selecting import export_selection
from registry.fetch import find_asset
from registry.home import Registry
from registry.indexing import catch_up
from registry.keys import trust_lines
from registry.log.checkpoint import VerifierKey
from registry.lookup import Answer
from registry.lookup_file import look_up_file
from registry.manifest import Model, Prompt, Provider
from registry.record import record
from registry.show import view
from registry.verify.bundle import verify
from registry.verify.report import Report
from replay.calibrating import Calibration, calibrate
from replay.demo_crash import Crash, crash
from replay.demo_script import LIMIT, Sheet
from replay.errors import ReplayError
from replay.generating import Ask, generate
from replay.preparing import Change
from replay.rerun import Answer as ReplayAnswer
from replay.rerun import replay

_IMAGES = (
    ("a mountain lake at dusk, long light", "11", "none"),
    ("stormy sea under a pale moon", "12", "none"),
    ("city skyline at night after rain", "13", "none"),
    ("forest in autumn fog", "14", "none"),
    ("an old silver coin, close up", "15", "none"),
    ("sun over desert dunes", "16", "seeded"),
    ("abstract silk in red and gold", "17", "seeded"),
    ("mountain village in winter", "18", "free"),
    ("calm sea at dawn", "19", "free"),
)
_SMALL = 256  # pixels a side of what is made many times to calibrate
ALPHA = 0.01
_CLIPS = (
    ("waves rolling towards the shore", "21", "video.generate", "procedural-video@1", {"frames": 48}),
    ("clouds over a mountain ridge", "22", "video.generate", "procedural-video@1", {"frames": 48}),
    ("good morning and welcome to the show", "23", "speech.generate", "procedural-audio@1", {"duration_ms": 4000}),
    ("slow evening chords", "24", "music.generate", "procedural-music@1", {"duration_ms": 6000}),
)
_SAID = (
    ("Ann", 0.0, 2.6, "Good morning, the harvest came in before the rain."),
    ("Ben", 2.8, 5.1, "Then we ship forty crates on Monday."),
    ("Ann", 5.3, 7.9, "Forty, and two for the school, please."),
)
_HEARD = (
    ("Ann", 0.1, 2.6, "Good morning the harvest came in before the rain"),
    ("Ben", 2.8, 5.2, "then we ship fourteen crates on Monday"),
    ("Ben", 5.3, 7.9, "fourteen and two for the school please"),
)


class StepFailed(ReplayError):
    """A step of the story did not go as the story needs."""

    def __init__(self, step: str, manifest: str, outcome: str) -> None:
        """Name the step and the record that says why."""
        super().__init__(f"{step} ended as {outcome}; `mintmark show {manifest[7:19]}` in the demo's folder says why")


@dataclass(frozen=True, slots=True)
class Made:
    """One generation of the demo."""

    id: str
    prompt: str
    kind: str
    noise: str
    model: str
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One generation whose version was calibrated."""

    made: Made
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Replays:
    """Replays of one generation: what was asked, and what the product said."""

    title: str
    made: Made
    changed: bool  # whether another build was asked for: the truth that verdicts are held against
    answer: ReplayAnswer

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """Verdict and sentence of every replay."""
        return [(verdict.kind, verdict.sentence) for one in self.answer.replays for verdict in one.verdicts]

    @property
    def told(self) -> list[tuple[str, str, int]]:
        """Verdict, sentence, and of how many replays in a row; what is said of all of them is said once."""
        return [(*said, len(list(same))) for said, same in groupby(self.verdicts)]

    @property
    def phash(self) -> list[float]:
        """Distances by pHash to the recorded picture; empty for other media and for identical files."""
        found = []
        for one in self.answer.replays:
            for scores in one.scores:
                found += [score.value for score in scores if score.base == "phash" and score.value is not None]
        return found


@dataclass(frozen=True, slots=True)
class Contrast:
    """One line of the closing table: what a pHash script does and what mintmark does, counted in this run."""

    question: str
    script: str
    mintmark: str


@dataclass(slots=True)
class Demo:
    """The run so far; chapters add to it in order."""

    registry: Registry
    folder: Path
    made: list[Made] = field(default_factory=list)
    calibrated: list[Calibrated] = field(default_factory=list)
    replays: list[Replays] = field(default_factory=list)
    crashed: Crash | None = None

    def make(self, tell: Callable[[Made], None]) -> None:
        """Generate pictures, clips and sounds; nine pictures, two clips, two sounds."""
        for prompt, seed, noise in _IMAGES:
            size = {} if noise == "none" else {"width": _SMALL, "height": _SMALL}
            self._make(tell, prompt, seed, "image.generate", "procedural-image@1", {"noise": noise, **size})
        for prompt, seed, operation, model, settings in _CLIPS:
            self._make(tell, prompt, seed, operation, model, {"noise": "none", **settings})

    def calibrate(self, tell: Callable[[Calibrated], None]) -> None:
        """Measure how far honest runs lie apart, of the first noisy and the first free picture."""
        for noise, most in (("seeded", floor_needed(ALPHA)), ("free", BASELINE - 1)):
            made = self._with(noise)[0]
            found = calibrate(self.registry, made.id, most, alpha=ALPHA)
            if isinstance(found, Verdict):
                raise StepFailed(f"calibrate {made.model}", made.id, found.sentence)
            self.calibrated.append(Calibrated(made, found))
            tell(self.calibrated[-1])

    def play_again(self, tell: Callable[[Replays], None]) -> None:
        """Replay: unchanged and exact, with seeded noise, with free noise, and on a changed build."""
        exact, seeded, free = (self._with(noise) for noise in ("none", "seeded", "free"))
        first_of = {made.kind: made for made in reversed(exact)}
        for made in (first_of["image"], first_of["video"], first_of["audio"]):
            self._replay(tell, "same build", made, times=3 if made.kind == "image" else 1)
        self._replay(tell, "same build, numeric noise", seeded[0])
        self._replay(tell, "same build, free samples", free[0], times=LOOKS[-1])
        self._replay(tell, "same build, numeric noise, not calibrated", seeded[1])
        self._replay(tell, "same build, free samples, not calibrated", free[1])
        for made in (exact[0], exact[1], exact[2]):
            self._replay(tell, "changed build (@2)", made, model="procedural-image@2", times=2)
        clip = next(made for made in exact if made.kind == "video")
        self._replay(tell, "changed build (@2)", clip, model="procedural-video@2", times=1)
        self._replay(tell, "changed build (@2), numeric noise", seeded[0], model="procedural-image@2")
        self._replay(tell, "changed build (@2), free samples", free[0], model="procedural-image@2", times=LOOKS[-1])

    def crash(self) -> Crash:
        """Kill a run of paid replays midway, and go on with it."""
        self.crashed = crash(self.registry, self.folder)
        return self.crashed

    def compare_transcripts(self) -> Comparison:
        """Record what was said and what a second system heard, and compare the two."""
        said = self._transcript("said.json", _SAID, "first-vendor")
        heard = self._transcript("heard.json", _HEARD, "second-vendor")
        return compare(find_asset(self.registry, said)[0], find_asset(self.registry, heard)[0])

    def look_up(self) -> tuple[Path, Made, Answer]:
        """Send in a copy as a customer would: smaller, re-compressed, another format."""
        made = self.made[1]
        copy = self.folder / "from-a-customer.jpg"
        with Image.open(find_asset(self.registry, made.id)[0]) as picture:
            picture.convert("RGB").resize((360, 360), Image.Resampling.LANCZOS).save(copy, quality=62)
        catch_up(self.registry)
        return copy, made, look_up_file(self.registry, copy)

    def erase_prompt(self) -> tuple[Made, str, int]:
        """Erase one prompt, then search every file of the registry for it.

        Returns:
            The generation, the erasure record's id, and how many files still hold the prompt.
        """
        made = self.made[3]
        plan = plan_erasure(self.registry, made.id, fields=["prompt"], reason="a person asked for it", authority="demo")
        record_id = erase(self.registry, plan)
        return made, record_id, self.files_with(made.prompt)

    def files_with(self, text: str) -> int:
        """How many files of the home hold a text."""
        files = [path for path in self.registry.home.rglob("*") if path.is_file()]
        return sum(text.encode() in path.read_bytes() for path in files)

    def prompt_state(self, made: Made) -> str:
        """What ``mintmark show`` says of a prompt: disclosed, erased or missing."""
        return view(self.registry, made.id).state["/prompt/submitted"]

    def audit(self) -> tuple[Path, Report, Report, int]:
        """Export everything, verify it, change one byte of a copy, verify that.

        Returns:
            The bundle, its report, the changed copy's report, and the changed byte's offset.
        """
        target = self.folder / "audit.zip"
        export_selection(self.registry, target, [], words="all", disclose=["all"], everything=True)
        lines = trust_lines(self.registry.snapshot)
        (self.folder / "trust.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        trust = [VerifierKey.parse(line) for line in lines]
        data = bytearray(target.read_bytes())
        offset = len(data) // 3
        data[offset] ^= 1
        tampered = self.folder / "audit-tampered.zip"
        tampered.write_bytes(data)
        return target, verify(target, trust=trust), verify(tampered, trust=trust), offset

    def contrast(self, copy: Path, found: Answer, erased: tuple[Made, str, int], tampered: Report) -> list[Contrast]:
        """What a folder with a spreadsheet and a pHash limit would have answered to the same files."""
        honest = [one for one in self.replays if not one.changed and one.made.kind == "image"]
        changed = [one for one in self.replays if one.changed and one.made.kind == "image"]
        false, of_honest = _beyond(honest, over=True)
        missed, of_changed = _beyond(changed, over=False)
        ours_false = sum(kind == "drifted" for one in honest for kind, _ in one.verdicts)
        open_ = sum(kind == "undecided" for one in honest for kind, _ in one.verdicts)
        ours = f"{ours_false} of {of_honest}" + (f", {open_} undecided" if open_ else "")
        ours_missed = sum(kind != "drifted" for one in changed for kind, _ in one.verdicts)
        pictures = [(made.id, made.prompt, self.picture(made)) for made in self.made if made.kind == "image"]
        sheet = Sheet(self.folder / "script.csv", pictures)
        within, nearest = sheet.near(copy)
        on_record = sheet.erase(erased[0].prompt)
        sheet.change_a_byte()
        return [
            Contrast("false alarms on an unchanged model", f"{false} of {of_honest}", ours),
            Contrast("changes of the model missed", f"{missed} of {of_changed}", f"{ours_missed} of {of_changed}"),
            Contrast("origin of a re-compressed copy", f"{within} candidate at {nearest} of 64 bits", _told(found)),
            Contrast("still on record after an erased prompt", f"{on_record} of 1", self._on_record(erased)),
            Contrast("one changed byte in the records", f"{sheet.check()} of 1 noticed", _caught(tampered)),
        ]

    def _on_record(self, erased: tuple[Made, str, int]) -> str:
        made, _, holding = erased
        return f"{int(self.registry.catalog.has(made.id))} of 1; {holding} files hold the prompt"

    def picture(self, made: Made) -> Path:
        """The stored file of a generation."""
        return find_asset(self.registry, made.id)[0]

    def replayed_picture(self, one: Replays) -> Path:
        """The stored file of its first replay."""
        return find_asset(self.registry, one.answer.replays[0].recorded.id)[0]

    def _with(self, noise: str) -> list[Made]:
        return [made for made in self.made if made.noise == noise]

    def _make(
        self,
        tell: Callable[[Made], None],
        prompt: str,
        seed: str,
        operation: str,
        model: str,
        settings: dict[str, object],
    ) -> None:
        ask = Ask(
            provider="procedural",
            model=model,
            operation=operation,
            prompt=prompt,
            seed=seed,
            settings=settings,
            workflow="demo",
            labels={"app": "demo", "noise": str(settings["noise"])},
        )
        recorded = generate(self.registry, ask)
        manifest = recorded.manifest
        if not manifest.outputs:
            raise StepFailed(f"generate {model}", recorded.id, manifest.outcome.class_)
        kind = str((manifest.outputs[0].media or {})["kind"])
        took = manifest.outcome.latency_ms.total
        made = Made(recorded.id, prompt, kind, str(settings["noise"]), model, took)
        self.made.append(made)
        tell(made)

    def _replay(
        self, tell: Callable[[Replays], None], title: str, made: Made, *, model: str | None = None, times: int = 1
    ) -> None:
        answer = replay(self.registry, made.id, times=times, change=Change(model=model))
        one = Replays(title, made, model is not None, answer)
        self.replays.append(one)
        tell(one)

    def _transcript(self, name: str, lines: tuple[tuple[str, float, float, str], ...], provider: str) -> str:
        path = self.folder / name
        segments = [{"speaker": who, "start": start, "end": end, "text": text} for who, start, end, text in lines]
        path.write_text(json.dumps({"language": "en", "segments": segments}), encoding="utf-8")
        draft = Draft(
            provider=Provider(name=provider),
            model=Model(requested="meeting-transcriber"),
            operation="audio.transcribe",
            prompt=Prompt(),
            outputs=[Incoming(file=str(path))],
            labels={"app": "demo"},
            capture="record",
        )
        return record(self.registry, draft, {str(path): path}).id


def new_folder(folder: Path) -> Path:
    """An empty folder for a demo; only an earlier demo's folder is ever cleared.

    Raises:
        FileExistsError: something else lies there.
    """
    marker = folder / ".mintmark-demo"
    if folder.exists() and any(folder.iterdir()):
        if not marker.exists():
            raise FileExistsError(17, "there is something in it that no demo made; give another --home", str(folder))
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()
    return folder


def _beyond(replays: list[Replays], *, over: bool) -> tuple[int, int]:
    """How many replays a pHash limit calls changed (``over``) or unchanged, and of how many."""
    count = total = 0
    for one in replays:
        verdicts = len(one.verdicts)
        distances = one.phash + [0.0] * (verdicts - len(one.phash))  # identical files have no pHash score: distance 0
        count += sum((distance > LIMIT) is over for distance in distances)
        total += verdicts
    return count, total


def _told(found: Answer) -> str:
    if not found.hits:
        return "not found"
    hit = found.hits[0]
    if hit.distance is None:
        return "found"
    margin = "" if hit.margin is None else f", the next lies {hit.margin} farther"
    return f"{hit.sureness}: {hit.distance} of 256 bits{margin}"


def _caught(tampered: Report) -> str:
    failed = [layer.name for layer in tampered.layers if layer.state == "failed"]
    return f"1 of 1 noticed, layer {failed[0]}" if failed else "0 of 1 noticed"
