"""Audio metrics: loudness against pyloudnorm and the standard's table, lag by construction, log-mel by property."""

import numpy as np
import pyloudnorm
import pytest

from drift.align import lag
from drift.compare import compare
from drift.metrics.lag import measured_lag
from drift.metrics.logmel import mel_pictures
from drift.metrics.loudness import _weights, integrated_loudness, k_weighting
from drift.side import Side


def test_the_filters_are_the_standards_at_48_khz():
    shelf, pass_band = k_weighting(48_000)

    # ITU-R BS.1770-4 annex 1, tables 1 and 2.
    assert shelf == pytest.approx(
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585], abs=1e-8
    )
    assert pass_band == pytest.approx([1, -2, 1, 1, -1.99004745483398, 0.99007225036621], abs=1e-8)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_loudness_is_pyloudnorms(make, tmp_path, rate):
    quiet, loud = make.tone(2, rate) * 0.02, make.tone(3, rate)
    samples = np.concatenate([loud, quiet, loud * 0.5])
    path = make.audio(tmp_path / "a.wav", samples, rate)
    exact = np.rint(samples * 32767) / 32768

    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    assert integrated_loudness(Side(path)) == pytest.approx(meter.integrated_loudness(exact), abs=0.01)


def test_a_full_scale_sine_of_997_hz_reads_minus_three(make, tmp_path):
    t = np.arange(5 * 48_000) / 48_000
    path = make.audio(tmp_path / "a.wav", np.sin(2 * np.pi * 997 * t), 48_000)

    assert integrated_loudness(Side(path)) == pytest.approx(-3.01, abs=0.02)


def test_a_gain_is_the_difference(make, tmp_path):
    samples = make.tone(2) * 0.5
    a = make.audio(tmp_path / "a.wav", samples)
    b = make.audio(tmp_path / "b.wav", samples * 10 ** (-6 / 20))

    found = compare(a, b)
    assert found.score("lufs_delta").value == pytest.approx(6, abs=0.01)
    assert found.score("logmel").value < 0.3  # level is taken out first
    assert found.score("lag_ms").value == 0


def test_silence_has_a_reason(make, tmp_path):
    a = make.audio(tmp_path / "a.wav", make.tone())
    b = make.audio(tmp_path / "b.wav", np.zeros(16_000))

    found = compare(a, b)
    assert found.score("lufs_delta").value is None and "candidate is silent" in found.score("lufs_delta").reason
    assert found.score("lag_ms").value is None
    assert 0 < found.score("logmel").value <= 60
    assert compare(b, make.audio(tmp_path / "c.flac", np.zeros(16_000), codec="flac")).score("logmel").value == 0


@pytest.mark.parametrize("shift", [-4000, -37, 0, 1, 160, 8001])
def test_a_known_delay_is_found_to_the_sample(make, shift):
    sound = make.tone(3).astype(np.float32)
    ours, theirs = (sound, np.pad(sound, (shift, 0))) if shift >= 0 else (np.pad(sound, (-shift, 0)), sound)

    found, sure = lag(ours, theirs)
    assert found == shift and sure > 0.99


@pytest.mark.parametrize("delay_ms", [0, 5, 250])
def test_delay_and_noise_in_files(make, tmp_path, delay_ms):
    sound = make.tone(3)
    late = np.concatenate([np.zeros(16 * delay_ms), sound]) + np.random.default_rng(9).normal(
        0, 0.02, 48_000 + 16 * delay_ms
    )
    found = compare(make.audio(tmp_path / "a.wav", sound), make.audio(tmp_path / "b.wav", np.clip(late, -1, 1)))

    assert found.score("lag_ms").value == pytest.approx(delay_ms, abs=0.25)


def test_a_steady_tone_prefers_no_lag():
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)

    assert lag(tone, tone)[0] == 0


def test_lag_of_nothing():
    assert lag(np.zeros(100, np.float32), np.ones(50, np.float32)) == (0, 0.0)
    assert measured_lag(np.zeros(1, np.float32), np.zeros(1, np.float32)) is None


def test_unrelated_noise_is_not_aligned():
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal(32_000).astype(np.float32) for _ in range(2))

    assert measured_lag(a, b) is None


def test_logmel_is_zero_for_itself_symmetric_and_grows_with_noise(make):
    sound = make.tone(2).astype(np.float32)
    rng = np.random.default_rng(5)

    def distance(a, b):
        found = mel_pictures(a, b, 0)
        return float(np.abs(found.reference - found.candidate).mean())

    noise = rng.standard_normal(sound.size).astype(np.float32)
    little, much = sound + 0.005 * noise, sound + 0.3 * noise
    assert distance(sound, sound) == 0
    assert 0 < distance(sound, little) < distance(sound, much) <= 60
    assert distance(sound, much) == pytest.approx(distance(much, sound), rel=1e-4)


def test_the_floor_hides_what_is_60_db_below(make):
    sound = make.tone(2).astype(np.float32)
    whisper = np.random.default_rng(5).standard_normal(sound.size).astype(np.float32) * 1e-6

    found = mel_pictures(sound, sound + whisper, 0)
    assert found.reference.min() >= -60 and np.abs(found.reference - found.candidate).mean() < 0.01


def test_a_video_pair_with_sound_is_heard_too(media):
    found = compare(media / "a.mp4", media / "a.webm")

    assert found.score("logmel").value is not None and found.score("timeline.offset").value == 0


def test_five_one_counts_surround_and_not_bass():
    assert _weights(6, "5.1").tolist() == [1, 1, 1, 0, 1.41, 1.41]
    assert _weights(2, "stereo").tolist() == [1, 1]
