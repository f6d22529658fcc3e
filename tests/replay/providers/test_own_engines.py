"""ComfyUI and AUTOMATIC1111 on an own machine, as their published sources say: no SDK and no schema holds these."""

import base64
import json

import pytest
import requests
from PIL import Image
from sdk_calls import closes, recorded

from registry.capture.description import shipped
from replay.outcome import EndState, OutcomeClass, Safety

ASK = {"model": "dreams.safetensors", "prompt": "a stone bridge", "seed": "7"}


def test_a_graph_of_other_nodes_is_sent_again_whole(emulator, local_registry, tmp_path):
    """Nobody's node numbers are the template's: nothing is read from this graph, and nothing of it is lost."""
    graph = {
        "40": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreams.safetensors"}},
        "41": {"class_type": "LoadImage", "inputs": {"image": "sketch.png"}},
        "60": {"class_type": "SaveImage", "inputs": {"images": ["40", 0]}},
    }
    base = emulator.url("comfyui")
    job = requests.post(f"{base}/prompt", json={"prompt": graph, "client_id": "me"}, timeout=10).json()["prompt_id"]
    for _ in range(3):
        told = requests.get(f"{base}/history/{job}", timeout=10).json()
    assert told[job]["status"]["completed"]

    made, replayed = closes(emulator, local_registry, "comfyui-prompt", tmp_path)

    assert made.manifest.model.requested == "unspecified" and made.manifest.seed.requested is None
    sent = [request.json for request, _ in emulator.exchanges if request.method == "POST"]
    assert sent[1] == {"prompt": graph}, "all but the client's own id"
    first, again = made.manifest.outputs[0], replayed.replays[0].recorded.manifest.outputs[0]
    assert (len(made.manifest.outputs), first.digest) == (1, again.digest)


def test_previews_are_no_outputs_and_a_batch_is_counted(bench):
    outcome = bench.call("comfyui-prompt", **ASK, batch_size="2")

    assert (outcome.class_, len(outcome.outputs)) == (OutcomeClass.SUCCEEDED, 2)


def test_a_checkpoint_that_is_not_there_is_rejected_in_the_engines_words(bench):
    outcome = bench.call("comfyui-prompt", **{**ASK, "model": "nothing"})

    assert outcome.class_ is OutcomeClass.REJECTED
    assert outcome.error == "Prompt outputs failed validation"


def test_a_graph_that_breaks_on_its_way_tells_why(bench, emulator):
    emulator.misbehave("failed")

    outcome = bench.call("comfyui-prompt", **ASK)

    assert (outcome.class_, outcome.state, outcome.error) == (OutcomeClass.FAILED, EndState.FAILED, "out of memory")


def test_a_job_that_nobody_knows_looks_like_one_that_waits(bench, emulator):
    emulator.misbehave("lost", times=10_000)

    assert bench.call("comfyui-prompt", **ASK, limit_s=0).class_ is OutcomeClass.TIMEOUT


@pytest.mark.parametrize("name", ["6ce0161689", "dreams.safetensors [6ce0161689]"])
def test_the_hash_of_a_checkpoint_is_a_pin_and_comes_back(bench, name):
    outcome = bench.call("automatic1111-txt2img", model=name, prompt="x", seed="7")

    assert (outcome.served_model, outcome.actual_seed) == ("6ce0161689", "7")
    assert shipped().by_id("automatic1111-txt2img").pin(name) == "hash"
    assert shipped().by_id("automatic1111-txt2img").pin("dreams.safetensors") == "alias"


def test_a_checkpoint_that_was_left_aside_without_a_word_is_seen(bench):
    assert bench.call("automatic1111-txt2img", model="0123456789", prompt="x").served_model == "9aba26abdf"


def test_fewer_pictures_than_asked_for_are_omitted(bench, emulator):
    emulator.misbehave("fewer", left=1)

    outcome = bench.call("automatic1111-txt2img", **ASK, batch_size="3")

    assert (outcome.class_, outcome.safety, len(outcome.outputs)) == (OutcomeClass.SUCCEEDED, Safety.OMITTED, 1)


def test_a_picture_painted_over_is_an_input_with_its_own_bytes(emulator, local_registry, tmp_path, picture):
    """As its documentation shows: a call of ``requests``."""
    source = picture()
    body = {"prompt": "more fog", "seed": -1, "init_images": [base64.b64encode(source.read_bytes()).decode()]}
    answer = requests.post(f"{emulator.url('automatic1111')}/sdapi/v1/img2img", json=body, timeout=10).json()

    made, _ = recorded(emulator, local_registry, "automatic1111-img2img", tmp_path)

    assert made.manifest.seed.actual == str(json.loads(answer["info"])["seed"])
    assert [(one.role, one.bytes) for one in made.manifest.inputs] == [("image", source.stat().st_size)]
    with Image.open(source) as first:
        assert first.size == (made.manifest.inputs[0].media["width"], made.manifest.inputs[0].media["height"])
