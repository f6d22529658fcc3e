"""Audio metrics: loudness against pyloudnorm and the standard's table, lag by construction, log-mel by property."""

from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest
import scipy.io.wavfile

from drift.compare import compare
from drift.correlation import Peak, correlate
from drift.errors import MediaUnreadable
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

    found = correlate(ours, theirs)
    assert found.lag == shift and found.correlation > 0.99


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

    assert correlate(tone, tone).lag == 0


def test_lag_of_nothing():
    assert correlate(np.zeros(100, np.float32), np.ones(50, np.float32)) == Peak(0, 0.0, 0.0)
    assert measured_lag(np.zeros(1, np.float32), np.zeros(1, np.float32)).reason == "both are silent"
    assert measured_lag(np.ones(9, np.float32), np.empty(0, np.float32)).samples is None


def test_unrelated_noise_is_not_aligned():
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal(32_000).astype(np.float32) for _ in range(2))

    assert "different recordings" in measured_lag(a, b).reason


@pytest.mark.parametrize("seconds", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("seed", range(6))
def test_two_sayings_of_other_things_are_told_apart_and_never_laid_over_each_other(seconds, seed):
    found = measured_lag(syllables(seed, seconds), syllables(seed + 100, seconds))

    assert found.samples is None and "different recordings" in found.reason


@pytest.mark.parametrize("noise", [0, 1, 4])
def test_noise_does_not_make_another_recording(noise):
    sound = syllables(1, 6)
    hiss = np.random.default_rng(2).standard_normal(len(sound) + 4000).astype(np.float32)

    found = measured_lag(sound, np.pad(sound, (4000, 0)) + noise * sound.std() * hiss)

    assert found.samples == pytest.approx(4000, abs=2) and found.by == "waveform"


def test_another_voice_at_the_same_pace_is_aligned_by_its_course():
    sound = syllables(1, 6)
    other = np.abs(sound) * np.random.default_rng(3).standard_normal(len(sound)).astype(np.float32)

    found = measured_lag(sound, np.pad(other, (4000, 0)))

    assert found.samples == pytest.approx(4000, abs=160) and found.by == "envelope"


def test_an_even_rhythm_has_no_one_lag():
    rng = np.random.default_rng(4)
    beat = np.tile(np.repeat([1.0, 0.1], 4000), 12)
    ours, theirs = (np.asarray(beat * rng.standard_normal(beat.size), np.float32) for _ in range(2))

    assert measured_lag(ours, theirs).reason.startswith("no one lag stands out")


@pytest.mark.parametrize(("ours", "theirs"), [(0, 3), (1, 2), (2, 4)])
def test_human_speech(ours, theirs):
    folder = Path(__file__).parents[4] / "shared" / "vectors" / "speech"
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    paths = sorted(folder.glob("*.wav"))

    other = compare(paths[ours], paths[theirs])
    assert other.score("lag_ms").value is None and "different recordings" in other.score("lag_ms").reason
    assert "different recordings" in other.summary and other.score("logmel").value > 5


CODED = {
    "wav": ("pcm_s16le", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000]),
    "flac": ("flac", [8_000, 44_100, 48_000]),
    "mp3": ("libmp3lame", [8_000, 16_000, 22_050, 44_100, 48_000]),
    "ogg": ("libopus", [8_000, 48_000]),
}


SHIFTS = [(0, 1), (37, 2), (-850, 1), (1900, 2)]  # milliseconds, channels
FILES = [(suffix, rate) for suffix, (_, rates) in CODED.items() for rate in rates]
CASES = [(*file, *SHIFTS[number % 4]) for number, file in enumerate(FILES)] + [("mp3", 44_100, *s) for s in SHIFTS]


@pytest.mark.parametrize(("suffix", "rate", "lag_ms", "channels"), CASES)
def test_lag_to_10_ms_in_every_encoding(tmp_path, suffix, rate, lag_ms, channels):
    at_48 = syllables(7, 6, 48_000)
    late = np.pad(at_48, (48 * lag_ms, 0)) if lag_ms >= 0 else at_48[-48 * lag_ms :]
    reference = encoded(tmp_path / "a.wav", at_48, 48_000, "pcm_s16le", 1)
    candidate = encoded(tmp_path / f"b.{suffix}", late, rate, CODED[suffix][0], channels)

    found = compare(reference, candidate, metrics=["lag_ms", "facts"])

    score = found.score("lag_ms")
    assert score.value == pytest.approx(abs(lag_ms), abs=10)
    assert score.detail.samples * lag_ms >= 0 or abs(score.detail.samples) < 160
    opus = suffix == "ogg"  # always decoded at 48 kHz
    note = found.score("facts.stated").note or ""
    assert (f"sample_rate 48000 became {rate}" in note) == (rate != 48_000 and not opus)
    assert ("channels 1 became 2" in note) == (channels == 2)


def syllables(seed, seconds, rate=16_000):
    """Noise in bursts with pauses, as uneven as speech; float32 in [-1, 1]."""
    rng = np.random.default_rng(seed)
    steps = np.arange(seconds * rate) / rate
    knots = rng.standard_normal(seconds * 12 + 2)
    course = np.maximum(0, np.interp(steps * 12, np.arange(len(knots)), knots))
    voice = np.interp(steps * 3_000, np.arange(seconds * 3_000 + 2), rng.standard_normal(seconds * 3_000 + 2))
    return np.asarray(np.clip(0.25 * course * voice, -1, 1), np.float32)


def encoded(path, samples, rate, codec, channels):
    """Samples at 48 kHz brought to another rate, in equal channels, in the container the suffix names."""
    layout = "stereo" if channels == 2 else "mono"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48_000 if codec == "libopus" else rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), "flt", "mono")
        frame.sample_rate = 48_000
        size = stream.codec_context.frame_size or 1024
        into = av.AudioResampler(stream.format.name, layout, stream.rate, frame_size=size)
        for part in [*into.resample(frame), *into.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused_with_their_time(make, tmp_path, value):
    sound = make.tone().astype(np.float32)
    sound[8_000] = value
    for name, samples in (("a.wav", make.tone().astype(np.float32)), ("b.wav", sound)):
        scipy.io.wavfile.write(tmp_path / name, 16_000, samples)

    for metric in ("lag_ms", "lufs_delta", "logmel"):
        with pytest.raises(MediaUnreadable, match=r"b\.wav: the sample at 500 ms is no finite number; export"):
            compare(tmp_path / "a.wav", tmp_path / "b.wav", metrics=[metric])


def test_recordings_beyond_full_scale_are_measured(make, tmp_path):
    sound = make.tone(2).astype(np.float32)
    for name, factor in (("a.wav", 1), ("b.wav", 1e25), ("c.wav", 1e-25)):
        scipy.io.wavfile.write(tmp_path / name, 16_000, sound * np.float32(factor))

    for name in ("b.wav", "c.wav"):
        found = compare(tmp_path / "a.wav", tmp_path / name)
        assert found.score("lag_ms").value == 0 and found.score("logmel").value < 0.01


def test_silence_in_lossy_files_is_a_reason_too(make, tmp_path):
    a = make.audio(tmp_path / "a.mp3", make.tone(2, 44_100), 44_100, codec="libmp3lame")
    b = make.audio(tmp_path / "b.mp3", np.zeros(88_200), 44_100, codec="libmp3lame")

    for ours, theirs, who in ((a, b, "candidate"), (b, a, "reference")):
        found = compare(ours, theirs)
        assert found.score("lag_ms").reason == f"the {who} is silent" and "silent" in found.summary


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
