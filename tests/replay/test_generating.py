"""Generating: whatever comes of a call is recorded, with the request that made it."""

import errno
import resource
from pathlib import Path

import pytest

from registry.capture.errors import CaptureError
from registry.errors import InvalidValue
from registry.home import open_registry
from registry.sealing import disclose, is_seal
from replay.generating import Ask, ProviderUnknown, generate
from replay.outcome import EndState, OutcomeClass, Safety
from replay.provider import Outcome, Output

SMALL = {"width": 64, "height": 64}


def test_a_generation_is_recorded_with_pin_request_and_engine(registry):
    recorded = generate(
        registry, Ask("procedural", "procedural-image@1", prompt="a red sea", seed="7", settings=SMALL, workflow="hero")
    )

    manifest = recorded.manifest
    assert (manifest.model.pin, manifest.model.served) == ("build", "procedural-image@1")
    assert (manifest.request.method, manifest.request.path, manifest.request.origin) == (
        "LOCAL",
        "/image.generate",
        "templated",
    )
    assert manifest.seed.requested == manifest.seed.actual == "7"
    assert manifest.settings["width"] == 64
    assert manifest.environment.engine["name"] == "procedural"
    assert manifest.recorder.confidence == "full"
    assert manifest.outputs[0].media["width"] == 64


def test_the_prompt_stands_nowhere_in_the_open(registry):
    recorded = generate(registry, Ask("procedural", "procedural-image@1", prompt="a red sea", settings=SMALL))

    value = recorded.manifest.to_json()
    assert is_seal(value["prompt"]["submitted"]) and is_seal(value["request"]["body"]["prompt"])
    assert value["request"]["body"]["model"] == "procedural-image@1", "declared public by the description"
    opened = disclose(value, registry.vault.get(recorded.id))
    assert opened["request"]["body"]["prompt"] == "a red sea"


def test_a_blocked_and_a_rejected_call_are_recorded_without_outputs(local_registry):
    blocked = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="a forbidden-motif"))
    rejected = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="x", settings={"width": 3}))

    assert (blocked.manifest.outcome.class_, blocked.manifest.outcome.safety) == ("blocked", "refused")
    assert rejected.manifest.outcome.class_ == "rejected"
    assert blocked.manifest.outputs == rejected.manifest.outputs == []
    assert is_seal(rejected.manifest.to_json()["outcome"]["error"])


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (Ask("nobody", "m"), ProviderUnknown),
        (Ask("procedural", "procedural-image@1", settings={"colour": "red"}), CaptureError),
        (Ask("procedural", "no-such-model"), CaptureError),
        (Ask("pocketsphinx", "en-us@5.0.4", inputs=[("audio", Path("no/such.wav"))]), InvalidValue),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(local_registry, ask, error):
    with pytest.raises(error):
        generate(local_registry, ask)

    assert local_registry.catalog.generations() == 0


def test_bytes_that_are_no_media_are_an_outcome_and_not_a_lost_call(local_registry, monkeypatch):
    class Broken:
        def submit(self, call):
            path = call.workdir / "out.png"
            path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
            self.outcome = Outcome(
                OutcomeClass.SUCCEEDED, EndState.SUCCEEDED, Safety.NONE, outputs=(Output("image", "image/png", path),)
            )
            return _Ended(call, self.outcome)

        def fetch(self, job):
            return self.outcome

    monkeypatch.setattr("replay.generating.provider_for", lambda description: Broken())

    recorded = generate(local_registry, Ask("procedural", "procedural-image@1", prompt="x"))

    assert recorded.manifest.outcome.class_ == "malformed"
    errors = [found.value for found in local_registry.vault.get(recorded.id) if found.pointer == "/outcome/error"]
    assert "out.png" in errors[0]


class _Ended:
    """A job that has ended."""

    def __init__(self, call, outcome):
        self.call, self.outcome, self.id, self.poll_after_ms = call, outcome, None, None
        self.state = outcome.state.value


THREE = ["--provider", "openai", "--model", "gpt-image-2-2026-04-21", "--operation", "image.generate", "--prompt", "x",
         "--setting", "n=3", "--assume-cost", "0.04", "--yes"]  # fmt: skip


def test_every_output_is_written_and_can_be_had_again(mintmark, emulator, tmp_path):
    status, out, err = mintmark("generate", *THREE, "--out", "made")

    name = out.strip()[7:19]
    written = [tmp_path / "made" / f"{name}-{n}.png" for n in range(3)]
    assert status == 0 and sorted((tmp_path / "made").iterdir()) == written, err
    assert all(f"made/{path.name}" in err for path in written)
    assert len({path.read_bytes() for path in written}) == 3
    for n, path in enumerate(written):
        assert mintmark("get", name, "--output", n, "--to", ".") == (
            0,
            f"{path.name}  {path.stat().st_size:,} bytes\n",
            "",
        )
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    status, out, err = mintmark("get", "@last", "--to", ".")
    assert (status, out.split()[0]) == (0, f"{name}.png") and "one of 3 outputs was written; --output 0 to 2" in err
    assert (tmp_path / f"{name}.png").read_bytes() == written[0].read_bytes()
    assert mintmark("get", "@last", "--role", "image", "--to", "x.png")[2] == err


def test_a_folder_that_cannot_be_is_told_before_anything_is_paid(mintmark, emulator, tmp_path):
    (tmp_path / "file").write_text("x")

    status, _, err = mintmark("generate", *THREE, "--out", "file/below")

    assert status == 2 and "--out: 'file/below' is not a folder" in err and "nothing was sent" in err
    assert emulator.charges("openai") == 0


def test_a_copy_that_its_folder_does_not_take_names_the_folder_and_the_generation(mintmark, emulator, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "assets/ab")

    monkeypatch.setattr("registry.fetch.shutil.copyfile", full)

    status, out, err = mintmark("generate", *THREE, "--out", "made")

    name = out.strip()
    assert status == 3 and f"made/{name[7:19]}-0.png was not written: No space left on device" in err
    assert f"`mintmark get {name} --to` another place" in err and "assets/ab" not in err


def test_what_nothing_of_a_provider_makes_is_told_as_that(mintmark, emulator):
    asked = ["--provider", "fal", "--operation", "speech.generate", "--model", "fal-ai/kokoro", "--prompt", "x"]

    status, _, err = mintmark("generate", *asked)

    assert status == 2 and "none of fal's descriptions makes speech.generate with model 'fal-ai/kokoro'" in err


def test_an_output_that_there_is_not_is_told_with_those_there_are(mintmark, emulator, tmp_path):
    assert mintmark("generate", *THREE)[0] == 0

    status, _, err = mintmark("get", "@last", "--output", "3", "--to", "x.png")
    assert status == 1 and "it made 3 outputs: 0 to 2" in err and not (tmp_path / "x.png").exists()
    assert mintmark("get", "@last", "--output", "0", "--role", "image", "--to", "x.png")[0] == 2
    for algorithm in ("blake3", "sha256"):
        assert mintmark("get", f"{algorithm}:{'0' * 64}", "--output", "0", "--to", "x.png")[0] == 2


def test_one_output_keeps_its_name_and_nothing_is_said(mintmark, tmp_path):
    sea = ["--provider", "procedural", "--model", "procedural-image@1", "--setting", "width=64", "--prompt", "sea"]

    status, out, err = mintmark("generate", *sea, "--operation", "image.generate", "--out", "made")

    assert status == 0 and [path.name for path in (tmp_path / "made").iterdir()] == [f"{out[7:19]}.png"], err
    assert mintmark("get", "@last", "--to", ".")[2] == ""


def test_a_disk_without_room_is_nobodys_failed_call(mintmark, tmp_path):
    large = ["--provider", "procedural", "--model", "procedural-image@1", "--operation", "image.generate"]
    large += ["--prompt", "sea", "--setting", "width=1024", "--setting", "height=1024"]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        status, out, err = mintmark("generate", *large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (status, out) == (3, "") and "nothing was recorded: make room there, then try again" in err
    registry = open_registry(tmp_path)
    assert registry.catalog.generations() == 0
    registry.close()


def test_each_output_of_a_replay_is_told_by_its_number(mintmark, emulator):
    assert mintmark("generate", *THREE)[0] == 0

    status, out, err = mintmark("replay", "@last", "--assume-cost", "0.04", "--yes")

    name, which = out[:12], [line[14:23].strip() for line in out.splitlines()]
    assert which == ["output 0", "output 1", "output 2"], (status, out, err)
    assert all(line.startswith(f"{name}  ") for line in out.splitlines())
    assert all(word in mintmark("show", name)[1] for word in which), "the numbers are the record's"
