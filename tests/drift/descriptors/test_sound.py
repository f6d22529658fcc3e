"""A sound's numbers: known signals have known values, other libraries agree, any sound has finite ones."""

import math
import tracemalloc

import av
import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly, welch

from drift.descriptors.hearing import FLOOR_DB, Hearing, band_centres, pitches
from drift.descriptors.pulse import onsets_a_second, pace, rising, tempo
from drift.descriptors.sound import FACTS, describe_sound
from drift.side import Side
from drift.significance.sampling import sample_of

RATE = 48_000


def described(samples, rate=RATE, step=None):
    """A sound from samples of shape (n,) or (n, channels), in pieces of ``step``."""
    whole = np.asarray(samples, np.float32).reshape(len(samples), -1)
    layout = {1: "mono", 2: "stereo"}.get(whole.shape[1], "5.1")
    step = step or max(len(whole), 1)
    return describe_sound((whole[at : at + step], rate, layout) for at in range(0, len(whole), step))


def facts(sound):
    return dict(zip(FACTS, sound.facts.tolist(), strict=True))


def tone(hertz, seconds=2.0, rate=RATE, strength=0.5):
    return strength * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def noise(seconds=4.0, rate=RATE, strength=0.1, channels=1, seed=1):
    return strength * np.random.default_rng(seed).standard_normal((int(seconds * rate), channels))


def clicks(every, seconds=8.0, rate=16_000):
    sound = 1e-4 * np.random.default_rng(2).standard_normal(int(seconds * rate))
    for at in np.arange(0.1, seconds - 0.1, every):
        sound[int(at * rate) : int(at * rate) + 400] += 0.5 * np.random.default_rng(3).standard_normal(400)
    return sound


def test_a_tone_has_its_pitch_level_and_place():
    found = described(tone(440))
    told = facts(found)

    assert told["length"] == pytest.approx(1) and told["sample rate"] == pytest.approx(math.log2(RATE))
    assert told["pitch"] == pytest.approx(12 * math.log2(440), abs=0.02) and told["pitch range"] < 0.02
    assert told["voicing"] == 100 and told["pauses"] == told["clipping"] == told["channels"] == 0
    assert told["peak"] == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert told["brightness"] == pytest.approx(math.log2(440), abs=0.02) and told["bandwidth"] < 0.1
    assert told["stereo width"] == -60 and told["balance"] == 0
    near = int(np.argmin(np.abs(band_centres() - 440)))
    assert int(found.spectrum.argmax()) == near
    assert found.spectrum[near] == pytest.approx(10 * math.log10(0.125), abs=3)  # the neighbour holds the rest
    assert np.all(found.spectrum[band_centres() > 3_000] < -80) and np.all(found.ripple < 1.5)


@pytest.mark.parametrize("hertz", [70, 123.5, 250, 700])
def test_a_pitch_is_found_among_its_harmonics(hertz):
    voice = sum(tone(hertz * k, strength=0.3 / k) for k in range(1, 9))

    assert facts(described(voice))["pitch"] == pytest.approx(12 * math.log2(hertz), abs=0.1)


def test_noise_has_no_pitch_and_the_flatness_of_noise():
    found = described(noise())
    told = facts(found)

    assert told["voicing"] < 2
    assert told["flatness"] == pytest.approx(-10 * 0.5772 / math.log(10), abs=0.05)  # of exponential powers
    power = 10 * np.log10(0.01 * 2 * 1_000 / RATE)  # within 1 kHz
    at = int(np.argmin(np.abs(band_centres() - 8_000)))
    width = (band_centres()[at + 1] - band_centres()[at - 1]) / 2
    expected = power + 10 * math.log10(width / 1_000)
    assert found.spectrum[at] == pytest.approx(expected, abs=0.5)
    assert told["roll-off"] == pytest.approx(math.log2(0.95 * RATE / 2), abs=0.01)


def test_the_spectrum_is_scipys_and_the_loudness_pyloudnorms():
    sound = np.hstack([noise(3, seed=4), 0.5 * noise(3, seed=5)])
    hearing = Hearing()
    hearing.hear(sound.astype(np.float32), RATE)
    heard = hearing.ended()
    frames = len(heard.levels)
    used = sound.astype(np.float32)[: (frames + 1) * heard.hop]
    _, density = welch(used, RATE, nperseg=heard.size, noverlap=heard.hop, detrend=False, axis=0)

    ours = heard.power / frames * 2 / RATE
    assert ours[1:-1] == pytest.approx(density.mean(1)[1:-1], rel=1e-4)
    told = facts(described(sound))
    assert told["loudness"] == pytest.approx(pyloudnorm.Meter(RATE).integrated_loudness(sound), abs=0.05)
    swelling = sound * np.linspace(0.05, 1, len(sound))[:, None]
    assert facts(described(swelling))["dynamics"] > told["dynamics"] + 5


def test_a_gain_moves_levels_and_nothing_else():
    sound = np.hstack([noise(2, seed=6), noise(2, seed=7)]) + tone(300)[:, None]
    before, after = described(sound * 0.5), described(sound * 0.5 * 10 ** (-2 / 20))

    moved = {name: after - before for (name, before), after in zip(facts(before).items(), after.facts, strict=True)}
    assert {name for name, by in moved.items() if abs(by) > 1e-3} == {"loudness", "peak", "noise floor"}
    assert [moved[name] for name in ("loudness", "peak", "noise floor")] == pytest.approx([-2] * 3, abs=1e-3)
    assert after.spectrum - before.spectrum == pytest.approx(np.full(40, -2), abs=1e-3)
    assert after.ripple == pytest.approx(before.ripple, abs=1e-3)


def test_two_rates_of_one_sound_differ_only_in_what_the_lower_lacks():
    low = noise(4, rate=24_000)[:, 0]
    before, after = described(low, 24_000), described(resample_poly(low, 2, 1), 48_000)

    inside = band_centres() < 10_000
    assert after.spectrum[inside] == pytest.approx(before.spectrum[inside], abs=0.3)
    assert facts(after)["loudness"] == pytest.approx(facts(before)["loudness"], abs=0.3)
    assert facts(after)["treble limit"] < facts(described(noise(4)))["treble limit"] - 0.5
    assert np.all(before.spectrum[band_centres() > 12_600] == FLOOR_DB)


def test_beats_have_a_tempo_and_a_pace():
    slow, fast = described(clicks(0.5), 16_000), described(clicks(0.5 / 1.05), 16_000)

    assert facts(slow)["tempo"] == pytest.approx(1, abs=0.02) and facts(slow)["onsets"] == pytest.approx(2, abs=0.15)
    assert facts(fast)["tempo"] - facts(slow)["tempo"] == pytest.approx(math.log2(1.05), abs=0.02)
    assert facts(described(clicks(0.2), 16_000))["pace"] > facts(slow)["pace"] + 0.1
    flat = np.zeros((50, 40), np.float32)
    rises = rising(flat, FLOOR_DB)
    assert not rises.any() and onsets_a_second(rises, 0.016) == tempo(rises, 0.016) == pace(rises, 0.016) == 0


def test_pauses_and_the_noise_floor_between_words():
    words = np.where(np.arange(4 * RATE) // (RATE // 2) % 2 == 0, 1.0, 0.0)[:, None] * noise(4)
    quiet, hissing = described(words), described(words + noise(4, strength=0.01, seed=8))

    assert facts(quiet)["pauses"] == pytest.approx(50, abs=5) and facts(hissing)["pauses"] < 1
    murmur = described(words + noise(4, strength=0.001, seed=8))
    assert facts(murmur)["pauses"] == pytest.approx(50, abs=5)  # 40 dB below the words, where the hiss has 20
    assert facts(quiet)["noise floor"] == FLOOR_DB
    assert facts(hissing)["noise floor"] == pytest.approx(-40, abs=1)


def test_stereo_and_clipping():
    left, right = noise(2, seed=1), noise(2, seed=2)

    both = {
        "same": np.hstack([left, left]), "opposite": np.hstack([left, -left]), "apart": np.hstack([left, right]),
        "leaning": np.hstack([left, 0.5 * left]),
    }  # fmt: skip
    told = {name: facts(described(sound)) for name, sound in both.items()}
    assert told["same"]["stereo width"] == -60 and told["opposite"]["stereo width"] == 60
    assert told["apart"]["stereo width"] == pytest.approx(0, abs=0.1) and told["same"]["channels"] == 1
    assert told["leaning"]["balance"] == pytest.approx(20 * math.log10(2), abs=0.01)
    clipped = np.clip(noise(2, strength=1.0), -1, 1)
    assert facts(described(clipped))["clipping"] == pytest.approx(10 * math.sqrt(np.mean(np.abs(clipped) >= 0.9995)))


@pytest.mark.parametrize("step", [1_000, 7_919, 400_000])
def test_it_does_not_matter_in_which_pieces_a_sound_comes(step):
    sound = np.hstack([noise(9, rate=22_050, seed=1), noise(9, rate=22_050, seed=2)])
    whole, pieces = described(sound, 22_050), described(sound, 22_050, step)

    for block in ("facts", "spectrum", "ripple"):
        assert getattr(pieces, block) == pytest.approx(getattr(whole, block), abs=1e-4), block


def test_a_long_sound_takes_little_memory():
    piece = noise(1, rate=24_000, channels=2).astype(np.float32)
    tracemalloc.start()
    describe_sound((piece, 24_000, "stereo") for _ in range(120))  # 23 MB of samples
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16e6


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(1, 3_000),
    rate=st.sampled_from([50, 1_000, 3_000, 8_000, 11_025, 44_100, 192_000]),
    channels=st.sampled_from([1, 2, 6]),
    strength=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e30]),
    seed=st.integers(0, 99),
)
def test_any_sound_has_finite_numbers(count, rate, channels, strength, seed):
    samples = np.random.default_rng(seed).standard_normal((count, channels)) * strength
    found = described(samples, rate)

    assert found.facts.shape == (len(FACTS),) and found.spectrum.shape == found.ripple.shape == (40,)
    assert all(np.isfinite(block).all() for block in (found.facts, found.spectrum, found.ripple))


def test_silence_and_no_sound():
    told = facts(described(np.zeros(RATE)))

    assert told["loudness"] == told["peak"] == -70 and told["noise floor"] == FLOOR_DB and told["voicing"] == 0
    assert not pitches(np.zeros((2, 64)), 1_000).any()
    with pytest.raises(ValueError, match="at least one sample"):
        describe_sound([])


def test_a_file_becomes_a_sample(tmp_path):
    steps = np.clip(np.rint(32767 * noise(1.5, rate=16_000, channels=2)), -32768, 32767).astype(np.int16)
    with av.open(str(tmp_path / "a.flac"), "w") as out:
        stream = out.add_stream("flac", rate=16_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(steps.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    expected = described(steps / 32768, 16_000)

    for given_as in (tmp_path / "a.flac", Side(tmp_path / "a.flac")):
        found = sample_of(given_as)
        assert found.facts == pytest.approx(expected.facts, abs=1e-4)
        assert found.spectrum == pytest.approx(expected.spectrum, abs=1e-4)
