"""Jobs under way at once, where a provider tells them apart by nothing but the query of one address."""

import pytest
import requests
from emulator.server import KEY


@pytest.mark.parametrize("way", ["hook", "proxy"])
def test_two_tasks_of_flux_at_once_are_told_apart(way, emulator, request):
    capturing = request.getfixturevalue("hooked" if way == "hook" else "proxied")
    base = emulator.url("bfl") if way == "hook" else capturing.url("bfl")

    def ask(method, url, **words):
        url = url.replace(emulator.url("bfl"), base)
        return requests.request(method, url, headers={"x-key": KEY}, timeout=10, **words).json()

    asked = [{"prompt": "a bridge", "seed": 11}, {"prompt": "a coin", "seed": 22}]
    left = [ask("POST", f"{base}/v1/flux-2-pro", json=words)["polling_url"] for words in asked]
    while left:
        left = [url for url in left if ask("GET", url)["status"] == "Pending"]

    made = capturing.recorded()

    assert sorted((one.seed.requested, one.seed.actual) for one in made) == [("11", "11"), ("22", "22")]
    assert len({one.outputs[0].digest["sha256"] for one in made}) == 2


def test_pictures_at_addresses_put_together_from_the_answer_are_kept(hooked, emulator):
    base = emulator.url("comfyui")
    graph = {
        "3": {"class_type": "KSampler", "inputs": {"seed": 7}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreams.safetensors"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
    }
    job = requests.post(f"{base}/prompt", json={"prompt": graph}, timeout=10).json()["prompt_id"]
    for _ in range(3):
        requests.get(f"{base}/history/{job}", timeout=10)

    (made,) = hooked.recorded()

    assert made.outcome.class_ == "succeeded" and len(made.outputs) == 1
