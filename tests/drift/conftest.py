"""Media made for tests: every accepted format, small, encoded once per session."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image


def picture(width=96, height=64, shift=0):
    """A textured RGB picture that no symmetry maps onto itself, uint8 (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 128 + 90 * np.sin((x + shift) / 7) * np.cos(y / 11)
    green = 255 * (x + shift) / (width + 40)
    blue = 128 + 100 * np.sin(np.hypot(x - width / 3, y - height / 4) / 5)
    return np.clip(np.stack([red, green, blue], -1), 0, 255).astype(np.uint8)


def tone(seconds=1.0, rate=16_000, seed=1):
    """Speech-like sound: a gliding tone with a syllable rhythm and a little noise, float64 in [-1, 1]."""
    t = np.arange(int(seconds * rate)) / rate
    glide = np.sin(2 * np.pi * (220 * t + 60 * np.sin(3 * t)))
    noise = np.random.default_rng(seed).standard_normal(t.size)
    return np.clip(0.3 * glide * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)) + 0.02 * noise, -1, 1)


def write_video(
    path,
    pictures,
    *,
    codec="libx264",
    rate=25,
    sound=None,
    threads=1,
    options=None,
    quality=None,
    pixels="yuv420p",
    samples=None,
):
    """Encode RGB pictures (and 48 kHz mono sound, by default a tone) into the container the suffix names."""
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if quality is not None:
            stream.options = {"crf": str(quality)}
        stream.codec_context.thread_count = threads  # x264 output differs between one and two threads
        track = out.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for rgb in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
        if track:
            _encode_sound(out, track, tone(len(pictures) / float(rate), 48_000) if samples is None else samples, 48_000)
    return path


def write_audio(path, samples, rate=16_000, *, codec="pcm_s16le", container=None):
    """Encode mono float samples into the container the suffix names."""
    with av.open(str(path), "w", format=container) as out:
        _encode_sound(out, out.add_stream(codec, rate=rate, layout="mono"), samples, rate)
    return path


def _encode_sound(out, stream, samples, rate):
    frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format.name, "mono", rate, frame_size=size)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        for packet in stream.encode(part):
            out.mux(packet)
    for packet in stream.encode():
        out.mux(packet)


def remux(source, target, container=None):
    """Copy packets into another container without touching what they decode to."""
    with av.open(str(source)) as into, av.open(str(target), "w", format=container) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in into.streams if s.type in {"video", "audio"}}
        for packet in into.demux([s for s in into.streams if s.index in streams]):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return target


SEGMENTS = [
    {"text": "Hello, World.", "speaker": "A", "start": 0.0, "end": 1.25},
    {"text": "How are you?", "speaker": "B", "start": 1.5, "end": 2.0},
]
TEXTS = {
    "lines.txt": "Hello, World.\nHow are you?\n",
    "cues.srt": "1\n00:00:00,000 --> 00:00:01,250\nHello, <i>World</i>.\n\n"
    "2\n00:00:01,500 --> 00:00:02,000\nHow are you?\n",
    "cues.vtt": "WEBVTT\nLanguage: en\n\nNOTE a remark\n\n00:00.000 --> 00:01.250\n<v A>Hello, World.</v>\n\n"
    "q\n00:01.500 --> 00:02.000 align:start\n<v B>How are you?\n",
    "openai.json": json.dumps({"task": "transcribe", "language": "english", "text": "x", "segments": SEGMENTS}),
    "deepgram.json": json.dumps(
        {
            "metadata": {},
            "results": {
                "channels": [
                    {
                        "detected_language": "en",
                        "alternatives": [
                            {
                                "transcript": "hello world how are you",
                                "words": [
                                    {
                                        "word": "hello",
                                        "punctuated_word": "Hello,",
                                        "start": 0,
                                        "end": 0.5,
                                        "speaker": 0,
                                    },
                                    {
                                        "word": "world",
                                        "punctuated_word": "World.",
                                        "start": 0.6,
                                        "end": 1.25,
                                        "speaker": 0,
                                    },
                                    {"word": "how", "start": 1.5, "end": 1.7, "speaker": 1},
                                ],
                            }
                        ],
                    }
                ]
            },
        }
    ),
}


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """A folder with one small file per accepted format."""
    folder = tmp_path_factory.mktemp("media")
    image = Image.fromarray(picture())
    for name in ("a.png", "a.webp", "a.tiff", "a.bmp", "a.gif", "a.avif"):
        image.save(folder / name)
    image.save(folder / "a.jpg", quality=90)
    image.save(folder / "progressive.jpg", quality=90, progressive=True)
    pages = [Image.fromarray(picture(shift=4 * n)) for n in range(4)]
    for name in ("moving.gif", "moving.webp", "moving.png"):
        pages[0].save(folder / name, save_all=True, append_images=pages[1:], duration=80)
    moving = [picture(shift=3 * n) for n in range(30)]
    write_video(folder / "a.mp4", moving, sound="aac")
    write_video(folder / "fast.mp4", moving, options={"movflags": "faststart"})
    write_video(folder / "fragments.mp4", moving, options={"movflags": "frag_keyframe+empty_moov"})
    write_video(folder / "ntsc.mp4", moving, rate=Fraction(30_000, 1_001))
    write_video(folder / "a.mov", moving, codec="mpeg4")
    write_video(folder / "a.webm", moving, codec="libvpx-vp9", sound="libopus")
    remux(folder / "a.mp4", folder / "a.mkv")
    sound = tone()
    write_audio(folder / "a.wav", sound)
    write_audio(folder / "a.flac", sound, codec="flac")
    write_audio(folder / "a.mp3", tone(rate=44_100), 44_100, codec="libmp3lame")
    write_audio(folder / "a.ogg", tone(rate=48_000), 48_000, codec="libopus")
    write_audio(folder / "a.m4a", tone(rate=44_100), 44_100, codec="aac", container="ipod")
    write_audio(folder / "a.aac", tone(rate=44_100), 44_100, codec="aac", container="adts")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def make():
    """The makers above, for tests that need a particular file."""
    return type(
        "Makers",
        (),
        {
            "picture": staticmethod(picture),
            "tone": staticmethod(tone),
            "video": staticmethod(write_video),
            "audio": staticmethod(write_audio),
            "remux": staticmethod(remux),
        },
    )
