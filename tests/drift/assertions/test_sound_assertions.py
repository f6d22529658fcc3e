"""Recordings: silence and loops are found; pauses, refrains and steady tones are none."""

import wave
from pathlib import Path

import numpy as np
import pytest

from drift.assertions import check, failed
from drift.assertions.sound import period_of

RATE = 16_000
SPEECH = Path(__file__).parents[4] / "shared" / "vectors" / "speech"


def names(findings):
    return [finding.base for finding in failed(findings)]


def babble(seconds, seed=0, rate=RATE):
    """Speech-like: syllables of random pitch, length and loudness, float64."""
    rng = np.random.default_rng(seed)
    out = np.zeros(int(seconds * rate))
    at = 0
    while at < len(out):
        length = int(rng.uniform(0.08, 0.3) * rate)
        t = np.arange(length) / rate
        pitch = rng.uniform(90, 240) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(2, 5) * t))
        voice = sum(np.sin(2 * np.pi * np.cumsum(pitch * k) / rate) * rng.uniform(0.1, 1) / k for k in range(1, 9))
        piece = voice * np.hanning(length) * rng.uniform(0.2, 1) + rng.normal(0, 0.01, length)
        out[at : at + length] = piece[: len(out) - at]
        at += length + int(rng.uniform(0, 0.1) * rate)
    return 0.4 * out / np.abs(out).max()


def melody(notes, rate=RATE, length=0.4):
    """Plucked notes, float64."""
    t = np.arange(int(length * rate)) / rate
    return np.concatenate([0.3 * np.sin(2 * np.pi * 220 * 2 ** (note / 12) * t) * np.exp(-4 * t) for note in notes])


@pytest.fixture
def checked(make, tmp_path):
    def run(samples, rate=RATE, codec="pcm_s16le", name="a.wav"):
        return check(make.audio(tmp_path / name, samples, rate, codec=codec))

    return run


def test_silence_is_found_with_dither_and_with_an_offset(checked):
    rng = np.random.default_rng(0)
    assert names(checked(np.zeros(3 * RATE))) == ["audio.silent"]
    assert "digital silence" in checked(np.zeros(3 * RATE))[0].reason
    assert names(checked(rng.normal(0, 1e-4, 3 * RATE))) == ["audio.silent"]
    assert "dB of full scale" in checked(rng.normal(0, 1e-4, 3 * RATE))[0].reason
    assert names(checked(np.full(3 * RATE, 0.2))) == ["audio.silent"]


@pytest.mark.parametrize(
    "codec",
    [
        ("pcm_s16le", "a.wav", 16_000),
        ("libmp3lame", "a.mp3", 44_100),
        ("libopus", "a.ogg", 48_000),
        ("aac", "a.m4a", 44_100),
    ],
    ids=lambda c: c[0],
)
@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.5])
def test_the_same_passage_again_and_again_is_a_loop(checked, codec, seconds):
    coded, name, rate = codec

    found = checked(np.tile(babble(seconds, rate=rate), round(12 / seconds)), rate, coded, name)

    assert names(found) == ["audio.looping"]
    assert abs(float(failed(found)[0].reason.split(" s come")[0].split()[-1]) - seconds) < 0.02


def test_a_recording_that_gets_stuck_for_most_of_it(checked):
    assert names(checked(np.concatenate([babble(4, 1), np.tile(babble(0.7, 2), 16)]))) == ["audio.looping"]


def test_opposite_channels_do_not_cancel(tmp_path):
    part = (np.tile(babble(1), 8) * 32767).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.stack([part, -part], 1).tobytes())

    assert names(check(tmp_path / "a.wav")) == ["audio.looping"]


def honest():
    rng = np.random.default_rng(3)
    quiet = np.zeros(4 * RATE)
    yield "speech", babble(8)
    yield "silence at the start", np.concatenate([quiet, babble(4, 1)])
    yield "one word in a long pause", np.concatenate([quiet, quiet, babble(0.4, 2), quiet])
    yield "fade in and out", babble(10, 3) * np.clip(2.5 - np.abs(np.linspace(-2.5, 2.5, 160_000)), 0, 1)
    yield "whisper", babble(6, 4) * 0.01
    refrain, verses = melody([0, 4, 7, 12, 7, 4, 0, -5]), [melody(rng.integers(-5, 12, 20)) for _ in range(3)]
    yield "song with a refrain", np.concatenate([verses[0], refrain, verses[1], refrain, verses[2], refrain])
    yield "said twice", np.tile(babble(3, 5), 2)
    yield "tone", 0.3 * np.sin(2 * np.pi * 440 * np.arange(6 * RATE) / RATE)
    yield "hum", 0.2 * np.sign(np.sin(2 * np.pi * 50 * np.arange(6 * RATE) / RATE))
    yield "chord", sum(0.1 * np.sin(2 * np.pi * f * np.arange(6 * RATE) / RATE) for f in (220, 277.2, 329.6))
    yield "rain", rng.normal(0, 0.1, 8 * RATE)
    yield "beat played by hand", _beat(rng, 0.012)
    yield "a click", np.concatenate([babble(0.05, 6), np.zeros(RATE // 2)])


def _beat(rng, sway):
    out = rng.normal(0, 0.003, 12 * RATE)
    for number in range(23):
        at = int((0.5 * number + abs(rng.normal(0, sway))) * RATE)
        hit = rng.normal(0, 1, 3000) * np.exp(-np.arange(3000) / 500) * rng.uniform(0.1, 0.3)
        out[at : at + 3000] += hit
    return out


@pytest.mark.parametrize(("name", "samples"), list(honest()), ids=lambda v: v if isinstance(v, str) else "")
def test_honest_recordings_raise_no_alarm(checked, name, samples):
    assert names(checked(samples)) == []


def test_a_silent_track_of_a_video_is_no_failure(make, tmp_path):
    path = make.video(tmp_path / "a.mp4", [make.picture(shift=3 * n) for n in range(30)], sound="aac")

    silent = [one for one in check(path) if one.base == "audio.silent"]
    assert silent[0].verdict == "ok" and silent[0].value > -60


@pytest.mark.skipif(not SPEECH.is_dir(), reason="needs ../shared/vectors beside the project")
def test_human_speech_raises_no_alarm_and_looped_it_does(checked):
    for path in sorted(SPEECH.glob("*.wav")):
        assert names(check(path)) == []
        with wave.open(str(path)) as file:
            spoken = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        assert names(checked(np.tile(spoken[8000:24000], 6))) == ["audio.looping"]


def test_the_period_is_told_exactly():
    assert period_of(np.tile(babble(1.1, 7), 5).astype(np.float32), RATE) == pytest.approx(1.1, abs=1e-3)
    assert period_of(babble(5, 8).astype(np.float32), RATE) is None
