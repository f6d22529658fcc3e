"""A price list in the shape of the public one, and own prices."""

import json

import pytest

# Names and keys as the LiteLLM project's list has them; the amounts are made up.
IMAGES = {"litellm_provider": "openai", "mode": "image_generation"}
LIST = {
    "sample_spec": {"input_cost_per_token": "a text that explains", "mode": "one of …"},
    "gpt-image-2": {
        "litellm_provider": "openai",
        "mode": "image_generation",
        "input_cost_per_token": 5e-06,
        "output_cost_per_image_token": 4e-05,
        "deprecation_date": "2027-02-01",
    },
    "high/1024-x-1536/gpt-image-1": {
        "litellm_provider": "openai",
        "mode": "image_generation",
        "input_cost_per_image": 0.25,
    },
    "1024-x-1024/dall-e-3": {
        "litellm_provider": "openai",
        "mode": "image_generation",
        "input_cost_per_pixel": 3.81469e-08,
        "output_cost_per_pixel": 0.0,
    },
    "openai/sora-2": {
        "litellm_provider": "openai",
        "mode": "video_generation",
        "output_cost_per_video_per_second": 0.1,
    },
    "azure/sora-2": {"litellm_provider": "azure", "mode": "video_generation", "output_cost_per_video_per_second": 0.3},
    "whisper-1": {
        "litellm_provider": "openai",
        "mode": "audio_transcription",
        "input_cost_per_second": 0.0001,
        "output_cost_per_second": 0.0001,
    },
    "deepgram/nova-3": {
        "litellm_provider": "deepgram",
        "mode": "audio_transcription",
        "input_cost_per_second": 7.167e-05,
        "output_cost_per_second": 0.0,
    },
    "tts-1": {"litellm_provider": "openai", "mode": "audio_speech", "input_cost_per_character": 1.5e-05},
    "gemini/gemini-3-flash-image": {
        "litellm_provider": "gemini",
        "mode": "image_generation",
        "input_cost_per_token": 3e-07,
        "input_cost_per_token_above_200k_tokens": 6e-07,
        "output_cost_per_token": 2.5e-06,
        "output_cost_per_image": 0.039,
    },
    "gpt-image-3": IMAGES
    | {"input_cost_per_token": 5e-06, "input_cost_per_image_token": 1e-05, "output_cost_per_image_token": 4e-05},
    "free-model": {"litellm_provider": "vendor", "mode": "image_generation", "output_cost_per_image": 0.0},
    "no-price": {"litellm_provider": "vendor", "max_tokens": 10, "deprecation_date": "soon"},
}
OWN = """
["openai/gpt-image-2"]
output_cost_per_image = 0.035
currency = "EUR"
deprecation_date = 2027-01-15
source = "contract 12"
"""


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def price_list(tmp_path):
    """Writes the list, with entries changed or added: ``price_list({"m": {...}})``."""

    def write(more=None, name="list.json"):
        path = tmp_path / name
        path.write_text(json.dumps({**LIST, **(more or {})}))
        return path

    return write


@pytest.fixture
def own_prices(tmp_path):
    """Writes own prices."""

    def write(text=OWN, name="own.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
