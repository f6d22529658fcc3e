"""The operation speech.generate: a voice-like sound, one syllable for each vowel group of the prompt's words.

A source-filter voice: pulses at the pitch of a falling melody, or noise for the consonants, through three resonators at
the formants of the written vowel. It has the rhythm, pitch and spectrum of speech, and says nothing.
Formant frequencies: rounded averages for adult speakers after Peterson & Barney (1952), J. Acoust. Soc. Am. 24.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy import signal

from replay.providers.body import Body
from replay.providers.local import Made
from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import words
from replay.providers.procedural.request import read_request
from replay.providers.procedural.wave import Sound, read_length, write_wav

_VOWELS: Final = {
    "a": (740, 1180, 2640),
    "e": (550, 1850, 2500),
    "i": (310, 2250, 3000),
    "o": (530, 880, 2450),
    "u": (330, 930, 2350),
    "y": (400, 1950, 2700),
}
_WIDTHS: Final = (80.0, 110.0, 160.0)
_HISS: Final = {"s": 5200.0, "z": 4600.0, "c": 4300.0, "x": 4300.0, "f": 3600.0, "v": 2600.0, "h": 1600.0,
                "t": 3900.0, "k": 2300.0, "p": 1300.0, "d": 3000.0, "g": 1900.0, "b": 1000.0, "q": 2000.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Syllable:
    consonant: str
    vowel: str
    last: bool


def make_speech(body: Body, workdir: Path) -> Made:
    """Render a WAV into ``workdir``.

    Raises:
        Refusal: a member of the body is unknown or out of range, or the prompt is refused.
    """
    duration_ms, rate = read_length(body)
    request = read_request(body, "procedural-audio")
    body.end()
    sound = _speak(request.prompt, request.dice(), duration_ms * rate // 1000, rate)
    output = write_wav(workdir / "speech.wav", sound, rate, request.build, request.jitter())
    return Made((output,), request.served_model, request.seed)


def _syllables(prompt: str) -> list[_Syllable]:
    found = []
    for word in words(prompt):
        parts = re.findall(r"([^aeiouy]*)([aeiouy]+)", word) or [(word, "e")]
        found += [_Syllable(c[-1:], v[0], number == len(parts) - 1) for number, (c, v) in enumerate(parts)]
    return found or [_Syllable("m", "u", True)]


def _speak(prompt: str, dice: Dice, samples: int, rate: int) -> Sound:
    """The prompt's syllables over and over, with pauses between words, until the time is full."""
    voice = dice.child("voice")
    pitch, size = voice.number(95.0, 215.0), voice.number(0.92, 1.18)
    pace = voice.number(0.85, 1.15)
    syllables, melody = _syllables(prompt), dice.child("melody")
    sound = np.zeros(samples, np.float64)
    at, number = int(0.04 * rate), 0
    while at < samples:
        syllable = syllables[number % len(syllables)]
        progress = (number % len(syllables)) / len(syllables)
        tone = pitch * (1.14 - 0.3 * progress) * melody.number(0.93, 1.1)
        piece = _syllable(syllable, melody, tone, size, pace * melody.number(0.85, 1.2), rate)
        end = min(at + len(piece), samples)
        sound[at:end] += piece[: end - at]
        number += 1
        pause = 0.28 if number % len(syllables) == 0 else 0.07 if syllable.last else -0.02
        at += len(piece) + int(pause * rate)
    air = 0.0015 * dice.child("air").gaussian((samples,)).astype(np.float64)
    return sound + air


def _syllable(syllable: _Syllable, dice: Dice, pitch: float, size: float, pace: float, rate: int) -> Sound:
    length = int((0.16 + 0.09 * syllable.last) * pace * rate)
    t = np.arange(length) / length
    seconds = np.arange(length) / rate
    glide = pitch * (1.06 - 0.16 * t + 0.012 * np.sin(2 * np.pi * 5.5 * seconds))
    phase = np.cumsum(glide) / rate
    # A pulse a period, with a soft flank: the higher harmonics of a voice fall off by about 12 dB an octave.
    ramp = phase - np.floor(phase)
    pulses = np.where(ramp < 0.6, np.sin(np.pi * ramp / 0.6) ** 2 * ramp, 0.0) - 0.15
    source = pulses + 0.02 * dice.gaussian((length,))
    formants = [frequency * size * dice.number(0.96, 1.04) for frequency in _VOWELS[syllable.vowel]]
    sound = sum(
        _resonate(source, frequency, width, rate) * strength
        for frequency, width, strength in zip(formants, _WIDTHS, (1.0, 0.55, 0.28), strict=True)
    )
    envelope = np.minimum(1.0, t / 0.12) * np.minimum(1.0, (1.0 - t) / 0.35) ** 1.3
    # Lips radiate the change of the flow, not the flow: about 6 dB an octave more.
    voiced = np.asarray(signal.lfilter([1.0, -0.97], [1.0], np.asarray(sound))) * envelope
    voiced = voiced / max(float(np.max(np.abs(voiced))), 1e-9)
    return voiced + _consonant(syllable.consonant, dice, length, rate)


def _consonant(letter: str, dice: Dice, length: int, rate: int) -> Sound:
    """A breath of noise around the consonant's own frequency, short for stops and long for hisses."""
    noise = dice.gaussian((length,)).astype(np.float64)
    if letter not in _HISS:
        return np.zeros(length)
    long = letter in "szcxfvh"
    decay = np.exp(-np.arange(length) / rate / (0.035 if long else 0.009))
    hiss = _resonate(noise * decay, min(_HISS[letter], 0.42 * rate), 1400.0, rate)
    return hiss * (0.22 / max(float(np.max(np.abs(hiss))), 1e-9))


def _resonate(sound: Sound, frequency: float, width: float, rate: int) -> Sound:
    """A two-pole resonator (Klatt 1980, J. Acoust. Soc. Am. 67, eq. 1-2), unit gain at 0 Hz."""
    radius = np.exp(-np.pi * width / rate)
    b = -(radius**2)
    c = 2.0 * radius * np.cos(2.0 * np.pi * frequency / rate)
    return np.asarray(signal.lfilter([1.0 - c - b], [1.0, -c, -b], sound), np.float64)
