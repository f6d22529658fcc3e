"""The smallest request to each described remote operation, and which vendor of the emulator answers it."""

import av
import pytest
from PIL import Image

from drift.media.transcript import read_transcript
from registry.capture.description import shipped

ASKS = {
    "assemblyai-transcripts": {"model": "universal-2", "audio_url": "https://example.com/speech.wav"},
    "automatic1111-img2img": {"model": "6ce0161689", "prompt": "a stone bridge", "seed": "7"},
    "automatic1111-txt2img": {"model": "6ce0161689", "prompt": "a stone bridge", "seed": "7"},
    "comfyui-prompt": {"model": "dreams.safetensors", "prompt": "a stone bridge", "seed": "7"},
    "deepgram-listen": {"model": "nova-3", "version": "2025-04-17.21547"},
    "openai-responses": {"model": "gpt-5.5-2026-04-23", "prompt": "a stone bridge"},
    "openai-transcriptions": {"model": "gpt-transcribe", "prompt": "harbour"},
    "openai-videos": {"model": "film-1", "prompt": "waves"},
    "bfl-generate": {"model": "flux-2-pro", "prompt": "a stone bridge", "seed": "7"},
    "bfl-edits": {"model": "flux-kontext-pro", "prompt": "more fog", "seed": "7"},
    "elevenlabs-speech": {"model": "eleven_multilingual_v2", "voice": "JBFqnCBsd6", "prompt": "good day", "seed": "7"},
    "elevenlabs-music": {"model": "music_v1", "prompt": "a slow song"},
    "elevenlabs-sounds": {"model": "eleven_text_to_sound_v2", "prompt": "rain on a tin roof"},
    "elevenlabs-transcribe": {"model": "scribe_v2", "seed": "7"},
    "fal-queue": {"model": "fal-ai/flux/dev", "prompt": "a stone bridge", "seed": "7"},
    "google-gemini-images": {"api_version": "v1", "model": "gemini-3-pro-image", "prompt": "a bridge", "seed": "7"},
    "google-gemini-edits": {"api_version": "v1", "model": "gemini-3-pro-image", "prompt": "more fog", "seed": "7"},
    "google-imagen": {"api_version": "v1", "model": "imagen-4.0-generate-001", "prompt": "a bridge", "seed": "7"},
    "openai-images": {"model": "gpt-image-2-2026-04-21", "prompt": "a stone bridge"},
    "wavespeed-predictions": {"model": "wavespeed-ai/flux-dev", "prompt": "a stone bridge", "seed": "7"},
    "stability-generate": {"model": "core", "prompt": "a stone bridge", "seed": "7"},
    "replicate-models": {"model": "black-forest-labs/flux-schnell", "prompt": "a stone bridge", "seed": "7"},
    "replicate-predictions": {"model": "ab" * 32, "prompt": "a stone bridge", "seed": "7"},
}
VENDOR = {name: name.partition("-")[0] for name in ASKS}
every_vendor = pytest.mark.parametrize("name", ASKS)
# Whoever takes no key is an engine of one's own, whose files lie where it answers.
BY_ADDRESS = [one for one in ASKS if shipped().by_id(one).protocol.outputs.kind == "url" and shipped().by_id(one).auth]
with_addresses = pytest.mark.parametrize("name", BY_ADDRESS)


def look_at(path, operation):
    """Whether a file is what the operation makes, for readers that know nothing of it."""
    making = operation.partition(".")[0]
    if making == "image":
        with Image.open(path) as picture:
            picture.load()
    elif operation == "audio.transcribe":
        assert read_transcript(path).segments
    else:
        with av.open(str(path)) as container:
            assert next(container.decode(video=0) if making == "video" else container.decode(audio=0))
