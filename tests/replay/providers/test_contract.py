"""What every provider owes: outcomes instead of exceptions, legal states, files that are what they say."""

import resource
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from registry.assets.local import StorageFailed
from registry.capture.description import load, shipped
from replay.errors import EngineMissing, ProviderUnsupported
from replay.outcome import ENDS, EndState, JobState, OutcomeClass, Safety, ended
from replay.provider import LATENCY_KEYS, Call, CallInput, run
from replay.providers import provider_for
from replay.providers.local import LocalEngine

SPEECH = Path(__file__).parents[4] / "shared" / "vectors" / "speech" / "sense_and_sensibility-0880.wav"

BODIES = {
    "procedural-image": {"model": "procedural-image@1", "prompt": "a coin", "seed": "7", "width": 96, "height": 64},
    "procedural-video": {
        "model": "procedural-video@1",
        "prompt": "the sea",
        "seed": "7",
        "width": 64,
        "height": 64,
        "frames": 5,
    },
    "procedural-speech": {"model": "procedural-audio@1", "prompt": "good morning", "seed": "7", "duration_ms": 500},
    "procedural-music": {"model": "procedural-music@1", "prompt": "a slow song", "seed": "7", "duration_ms": 500},
    "pocketsphinx-transcribe": {"model": "en-us@5.0.4"},
}
every_description = pytest.mark.parametrize("name", [description.id for description in shipped() if description.local])


@pytest.fixture
def call(tmp_path):
    def make(name, changes=None, inputs=None):
        description = shipped().by_id(name)
        if description.provider == "pocketsphinx":
            pytest.importorskip("pocketsphinx", reason="extra asr is not installed")
        workdir = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
        workdir.mkdir()
        body = {**description.fill(BODIES[name]), **(changes or {})}
        body = {key: value for key, value in body.items() if value is not ...}
        return Call(description, body, _inputs(description, tmp_path) if inputs is None else inputs, workdir, "key-1")

    return make


def _inputs(description, tmp_path):
    if description.operation != "audio.transcribe":
        return ()
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        tone = (8000 * np.sin(np.arange(16000) / 9.0)).astype(np.int16)[None, :]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return (CallInput("audio", "audio/wav", path),)


def test_every_shipped_local_description_has_a_body_here():
    assert set(BODIES) == {description.id for description in shipped() if description.local}


@every_description
def test_submit_poll_fetch(call, name):
    asked = call(name)
    provider = provider_for(asked.description)

    job = provider.submit(asked)
    polled = provider.poll(job)
    while not ended(polled.state):
        polled = provider.poll(polled)
    outcome = provider.fetch(polled)

    assert outcome.class_ is OutcomeClass.SUCCEEDED, outcome.error
    assert outcome.state is EndState.SUCCEEDED and outcome.safety is Safety.NONE and outcome.error is None
    assert asked.description.pin(outcome.served_model) != "alias"
    assert outcome.actual_seed == asked.body.get("seed")
    assert tuple(outcome.latency_ms) == LATENCY_KEYS
    assert all(value is None or type(value) is int for value in outcome.latency_ms.values())
    assert outcome.engine["name"] == asked.description.provider
    assert all(outcome.engine["libraries"].values())
    assert provider.poll(polled) == polled
    assert provider.cancel(polled) == polled


@every_description
def test_outputs_lie_in_the_workdir_and_are_what_they_say(call, name):
    asked = call(name)

    outcome = run(provider_for(asked.description), asked)

    assert len(outcome.outputs) == 1
    for output in outcome.outputs:
        assert output.path.parent == asked.workdir
        assert output.media_type.split("/")[0] in _sniff(output.path)
    assert {path.name for path in asked.workdir.iterdir()} == {output.path.name for output in outcome.outputs}


def _sniff(path):
    if path.suffix == ".json":
        return "application"
    if path.suffix in (".png", ".jpeg", ".webp"):
        with Image.open(path) as image:
            image.load()
            return "image"
    with av.open(str(path)) as container:
        kinds = {stream.type for stream in container.streams}
        frames = sum(1 for _ in container.decode())
    assert frames
    return kinds


@every_description
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "nobody@1"}, "model: expected"),
        ({"model": ...}, "model: expected"),
        ({"model": 7}, "model: expected"),
        ({"modle": "x"}, "modle: no such setting; did you mean 'model'?"),
        ({"zzz": None}, "zzz: no such setting; known here: "),
    ],
)
def test_a_wrong_request_is_rejected_with_the_reason(call, name, changes, said):
    asked = call(name, changes)

    outcome = run(provider_for(asked.description), asked)

    assert (outcome.class_, outcome.state) == (OutcomeClass.REJECTED, EndState.FAILED)
    assert said in outcome.error
    assert outcome.outputs == () and list(asked.workdir.iterdir()) == []


@every_description
def test_inputs_that_do_not_fit_are_rejected(call, name, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF....nothing")
    asked = call(name, inputs=(CallInput("audio", "audio/wav", broken),))

    outcome = run(provider_for(asked.description), asked)

    assert outcome.class_ is OutcomeClass.REJECTED
    assert outcome.error


@every_description
def test_a_folder_that_cannot_be_written_is_a_failed_call(call, name):
    asked = call(name)
    asked.workdir.rmdir()

    outcome = run(provider_for(asked.description), asked)

    assert outcome.class_ in (OutcomeClass.FAILED, OutcomeClass.REJECTED)
    assert outcome.error


@every_description
def test_a_disk_that_is_full_is_no_failure_of_the_engine(call, name):
    asked = call(name)
    provider = provider_for(asked.description)

    with room_for(16), pytest.raises(StorageFailed, match="make room there") as told:
        run(provider, asked)

    assert told.value.exit_code == 3 and str(asked.workdir.parent) in str(told.value)
    assert run(provider, asked).class_ is OutcomeClass.SUCCEEDED


@contextmanager
def room_for(size):
    """Files may grow to so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", [name for name in BODIES if name.startswith("procedural")])
@pytest.mark.parametrize("prompt", ["a forbidden-motif at night", "FORBIDDEN-MOTIF"])
def test_a_refused_prompt_is_blocked(call, name, prompt):
    asked = call(name, {"prompt": prompt})

    outcome = run(provider_for(asked.description), asked)

    assert (outcome.class_, outcome.state, outcome.safety) == (OutcomeClass.BLOCKED, EndState.FAILED, Safety.REFUSED)
    assert outcome.outputs == ()


def test_outcome_classes_and_states_all_stand_in_the_table():
    assert set(ENDS) == set(OutcomeClass)
    assert {state for states in ENDS.values() for state in states} == set(EndState)
    assert {state.value for state in JobState if ended(state)} == {state.value for state in EndState} - {"unknown"}


def test_a_description_nobody_here_speaks_is_unsupported(tmp_path):
    path = tmp_path / "other.toml"
    text = """
    id = "other"
    provider = "other"
    operation = "image.generate"
    pin = []
    caps = { seed = false, idempotency = false, webhook = false, echoes_model = false }
    public = []
    template = { body = {} }
    submit = { match = "LOCAL /image.generate", slots = { model = "body.model" } }
    """
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ProviderUnsupported, match="local engines here: pocketsphinx, procedural") as caught:
        provider_for(load(path))

    assert caught.value.exit_code == 4


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch):
    def absent(module):
        raise ModuleNotFoundError("No module named 'pocketsphinx'", name="pocketsphinx")

    monkeypatch.setattr("replay.providers.import_module", absent)

    with pytest.raises(EngineMissing, match=r"install 'mintmark\[asr\]'") as caught:
        provider_for(shipped().find("pocketsphinx"))

    assert caught.value.exit_code == 3


def test_engines_are_local_engines():
    assert isinstance(provider_for(shipped().by_id("procedural-image")), LocalEngine)
