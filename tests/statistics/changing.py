"""What may become of a sound: each change takes and gives float32 of shape (samples, channels) at a rate."""

import io
from fractions import Fraction

import av
import numpy as np
from scipy.signal import lfilter


def level(sound, rate):
    """2 dB quieter."""
    return sound * np.float32(10 ** (-2 / 20))


def tilt(sound, rate):
    """A first-order shelf at 2 kHz, treble up by 3 dB."""
    k = np.tan(np.pi * 2_000 / rate)
    gain = 10 ** (3 / 20)
    b, a = np.array([gain + k, k - gain]), np.array([1 + k, k - 1])
    return lfilter(b / a[0], a / a[0], sound, axis=0).astype(np.float32)


def tempo(sound, rate):
    """5 % faster at the same pitch."""
    return filtered(sound, rate, ("atempo", "1.05"))


def pitch(sound, rate):
    """A semitone higher in the same time."""
    up = 2 ** (1 / 12)
    steps = ("asetrate", str(round(rate * up))), ("aresample", str(rate)), ("atempo", f"{1 / up}")
    return fitted(filtered(sound, rate, *steps), len(sound))


def noise(sound, rate):
    """White noise at -50 dB of full scale."""
    drawn = np.random.default_rng(len(sound)).standard_normal(sound.shape)
    return (sound + 10 ** (-50 / 20) * drawn).astype(np.float32)


def shorter(sound, rate):
    """Cut off after nine tenths."""
    return sound[: len(sound) * 9 // 10]


def mp3(sound, rate):
    """Through MP3 at 64 kbit/s."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=rate, layout=_layout(sound))
        stream.bit_rate = 64_000
        frame = _framed(sound, rate, "fltp")
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=_layout(sound), rate=rate)
        for part in resampler.resample(frame):
            out.mux(stream.encode(part))
        out.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as file:
        read = np.concatenate([frame.to_ndarray().T for frame in file.decode(audio=0)]).astype(np.float32)
    return fitted(read, len(sound))


CHANGES = {f.__name__: f for f in (level, tilt, tempo, pitch, mp3, noise, shorter)}


def fitted(sound, count):
    """Exactly so many samples: what a filter or coder adds or drops at the ends shall not give it away."""
    return np.pad(sound, ((0, max(0, count - len(sound))), (0, 0)))[:count]


def filtered(sound, rate, *filters):
    """Through FFmpeg's filters of these names and arguments."""
    graph = av.filter.Graph()
    last = graph.add_abuffer(sample_rate=rate, format="fltp", layout=_layout(sound), time_base=Fraction(1, rate))
    first = last
    for name, arguments in (*filters, ("aformat", f"sample_fmts=fltp:sample_rates={rate}")):
        step = graph.add(name, arguments)
        last.link_to(step)
        last = step
    sink = graph.add("abuffersink")
    last.link_to(sink)
    graph.configure()
    first.push(_framed(sound, rate, "fltp"))
    first.push(None)
    parts = []
    while True:
        try:
            parts.append(sink.pull().to_ndarray().T)
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(parts).astype(np.float32)


def _layout(sound):
    return "stereo" if sound.shape[1] == 2 else "mono"


def _framed(sound, rate, form):
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), format=form, layout=_layout(sound))
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame
