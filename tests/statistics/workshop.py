"""Sound family: strings, taps and breaths over a quiet room, in stereo at 44.1 kHz; no two takes have one length."""

import numpy as np
from scipy.signal import lfilter

RATE = 44_100


def scene(rng):
    """A prompt: its scale, its beat, how bright and how wet it is, who plays how much."""
    return {
        "tones": 2 ** (rng.uniform(6.6, 8.2) + np.sort(rng.choice(12, 5, replace=False)) / 12),
        "beat": rng.uniform(0.3, 0.6),
        "beats": int(rng.integers(5, 8)),
        "damping": rng.uniform(0.990, 0.997),
        "strings": rng.uniform(0.5, 0.9),
        "taps": rng.uniform(0.2, 0.6),
        "breath": rng.uniform(0.1, 0.4),
        "air": rng.uniform(400, 3_000),
        "room": 10 ** (rng.uniform(-66, -54) / 20),
        "places": rng.uniform(-0.6, 0.6, 3),
        "level": rng.uniform(-6, 0),
    }


def sample(rng, scene, *, variety=1.0):
    """Float32, shape (samples, 2): one take, with its own tempo, tuning, level and notes."""
    jitter = lambda spread: rng.normal() * spread * variety  # noqa: E731
    beat = scene["beat"] * np.exp(jitter(0.03))
    tuning = 2 ** (jitter(0.25) / 12)
    count = int(RATE * (beat * scene["beats"] + 0.6 * np.exp(jitter(0.2))))
    sound = np.zeros((count, 2))
    for half in range(2 * scene["beats"]):
        at = int(RATE * (0.05 + max(0.0, half * beat / 2 + jitter(0.008))))
        if rng.random() < scene["strings"]:
            tone = tuning * scene["tones"][int(rng.integers(5))]
            _put(sound, at, _plucked(rng, tone, scene["damping"], 0.8), 0.5 * np.exp(jitter(0.2)), scene["places"][0])
        if half % 2 == 0 and rng.random() < scene["taps"]:
            burst = rng.standard_normal(int(0.08 * RATE)) * np.exp(-np.arange(int(0.08 * RATE)) / (0.012 * RATE))
            _put(sound, at, burst, 0.3 * np.exp(jitter(0.2)), scene["places"][1])
        if rng.random() < scene["breath"] * 0.3:
            _put(sound, at, _breath(rng, scene["air"] * np.exp(jitter(0.1)), 0.35), 0.2, scene["places"][2])
    sound /= max(np.abs(sound).max(), 1e-9)
    sound *= 0.6 * 10 ** ((scene["level"] + jitter(1.0)) / 20)
    return (sound + scene["room"] * rng.standard_normal((count, 2))).astype(np.float32)


def _plucked(rng, hertz, damping, seconds):
    """A string after Karplus and Strong (1983), as one filter: a burst that goes round a damped delay."""
    delay = max(2, round(RATE / hertz))
    burst = np.zeros(int(seconds * RATE))
    burst[:delay] = rng.standard_normal(delay)
    feedback = np.zeros(delay + 2)
    feedback[0] = 1
    feedback[delay], feedback[delay + 1] = -damping / 2, -damping / 2
    tone = lfilter([1.0], feedback, burst)
    return tone / max(np.abs(tone).max(), 1e-9)


def _breath(rng, hertz, seconds):
    count = int(seconds * RATE)
    radius = np.exp(-np.pi * 300 / RATE)
    noise = lfilter([1.0], [1, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2], rng.standard_normal(count))
    return noise / np.abs(noise).max() * np.sin(np.pi * np.arange(count) / count) ** 2


def _put(sound, at, tone, strength, place):
    end = min(len(sound), at + len(tone))
    if end > at:
        sides = np.sqrt(np.array([1 - place, 1 + place]) / 2)
        sound[at:end] += strength * tone[: end - at, None] * sides
