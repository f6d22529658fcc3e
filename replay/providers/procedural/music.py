"""The operation music.generate: a chord progression, a bass and a melody, plucked; mode and tempo from the prompt."""

from pathlib import Path
from typing import Final

import numpy as np

from replay.providers.body import Body
from replay.providers.local import Made
from replay.providers.procedural.dice import Dice
from replay.providers.procedural.palette import words
from replay.providers.procedural.request import read_request
from replay.providers.procedural.wave import Sound, read_length, write_wav

_MODES: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
}
_MODE_WORDS: Final = {
    "minor": "sad dark night rain storm lonely slow grief minor",
    "major": "happy bright day sun joy upbeat dance major",
    "dorian": "calm forest folk mist walk medieval",
    "lydian": "dream space stars magic hope dawn",
}
_PROGRESSIONS: Final = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 3), (5, 3, 0, 4), (0, 2, 3, 4))
_TEMPO_WORDS: Final = {"slow": 66, "calm": 72, "sad": 70, "fast": 138, "upbeat": 126, "dance": 122, "happy": 116}


def make_music(body: Body, workdir: Path) -> Made:
    """Render a WAV into ``workdir``.

    Raises:
        Refusal: a member of the body is unknown or out of range, or the prompt is refused.
    """
    duration_ms, rate = read_length(body)
    request = read_request(body, "procedural-music")
    body.end()
    sound = _play(request.prompt, request.dice(), duration_ms * rate // 1000, rate)
    output = write_wav(workdir / "music.wav", sound, rate, request.build, request.jitter())
    return Made((output,), request.served_model, request.seed)


def _play(prompt: str, dice: Dice, samples: int, rate: int) -> Sound:
    taste = Dice("procedural/music", prompt)
    said = words(prompt)
    mode = next((name for name, listed in _MODE_WORDS.items() if set(said) & set(listed.split())), None)
    scale = _MODES[mode or taste.pick(sorted(_MODES))]
    tempo = next((beats for word, beats in _TEMPO_WORDS.items() if word in said), taste.whole(80, 112))
    key = 45 + taste.whole(0, 7)
    progression = dice.pick(_PROGRESSIONS)
    beat = 60.0 / tempo
    sound = np.zeros(samples, np.float64)
    total = samples / rate
    step = dice.whole(4, 9)
    for number in range(int(total / beat) + 1):
        at = number * beat
        root = progression[(number // 4) % len(progression)]
        if number % 4 == 0:
            for degree in (0, 2, 4):
                _add(sound, rate, at, _pitch(key + 12, scale, root + degree), 4.2 * beat, 0.22, dice.number(1.5, 2.5))
        if number % 2 == 0:
            _add(sound, rate, at, _pitch(key - 12, scale, root), 2.0 * beat, 0.5, 3.0)
        for half in range(2):
            if dice.number() < 0.78:
                step = min(max(step + dice.whole(-2, 2), 2), 13)
                strong = 0.42 * dice.number(0.7, 1.0)
                _add(sound, rate, at + half * beat / 2, _pitch(key + 12, scale, step), 1.4 * beat, strong, 5.0)
    return sound


def _pitch(key: int, scale: tuple[int, ...], degree: int) -> float:
    note = key + scale[degree % len(scale)] + 12 * (degree // len(scale))
    return 440.0 * float(2.0 ** ((note - 69) / 12.0))


def _add(sound: Sound, rate: int, at: float, pitch: float, length: float, strength: float, damping: float) -> None:
    """A plucked tone: harmonics that fade the faster the higher they are."""
    start = int(at * rate)
    count = min(int(length * rate), len(sound) - start)
    if count <= 0:
        return
    t = np.arange(count) / rate
    tone = np.zeros(count)
    for harmonic in range(1, 9):
        frequency = pitch * harmonic * (1.0 + 0.00035 * harmonic * harmonic)
        if frequency < 0.45 * rate:
            fade = np.exp(-t * damping * (0.6 + 0.5 * harmonic))
            tone += np.sin(2.0 * np.pi * frequency * t) * fade / harmonic**1.25
    attack = np.minimum(1.0, t / 0.006) * np.minimum(1.0, (count / rate - t) / 0.02)
    sound[start : start + count] += strength * tone * attack
